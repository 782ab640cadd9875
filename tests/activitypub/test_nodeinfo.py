"""NodeInfo: two versions and the link to the server's actor (FEP-2677)."""

import pytest

from activitypub import nodeinfo
from tests.activitypub.vectors import vector

FACTS = nodeinfo.NodeFacts(
    software="fedaid",
    version="0.1.0",
    repository="https://code.example/fedaid",
    homepage="https://fedaid.example/",
    users=12,
    active_month=7,
    active_half_year=9,
    local_posts=40,
    open_registrations=False,
    name="Northside",
    description="Neighbours help each other.",
    features=("fep-0837",),
)


def test_the_well_known_links_are_those_of_the_sample() -> None:
    found = nodeinfo.well_known(
        "https://north.example/nodeinfo/2.0", "https://north.example/nodeinfo/2.1", "https://north.example/actor"
    )
    assert found == vector("samples/nodeinfo-wellknown.json")


@pytest.mark.parametrize("version", nodeinfo.VERSIONS)
def test_each_version_has_all_that_its_schema_requires(version: str) -> None:
    found = nodeinfo.document(version, FACTS)
    required = {"version", "software", "protocols", "services", "openRegistrations", "usage", "metadata"}
    assert found.keys() == required
    assert found["version"] == version
    assert found["protocols"] == ["activitypub"]
    assert found["usage"]["users"] == {"total": 12, "activeMonth": 7, "activeHalfyear": 9}
    assert f"schema/{version}#" in nodeinfo.content_type(version)


def test_only_the_newer_version_has_room_for_repository_and_homepage() -> None:
    assert nodeinfo.document("2.0", FACTS)["software"].keys() == {"name", "version"}
    assert nodeinfo.document("2.1", FACTS)["software"].keys() == {"name", "version", "repository", "homepage"}
