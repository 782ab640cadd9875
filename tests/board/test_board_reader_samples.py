"""Listings as other servers really send them, whole documents, with what is read out of each."""

from typing import Any

import pytest

from fedaid.board.wire import read_listing
from tests.activitypub.vectors import vector
from tests.small_house import RULES, START

SAMPLES: dict[str, dict[str, Any]] = vector("foreign-listings.json")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_whole_document_is_read(name: str) -> None:
    found = read_listing(SAMPLES[name]["document"], RULES, START)
    wanted = SAMPLES[name]["read"]
    if wanted is None:
        assert found is None
        return
    assert found is not None
    pictures = [[one.url, one.alt] for one in found.pictures]
    values = {**vars(found), "pictures": pictures}
    assert {field: values[field] for field in wanted} == wanted


def test_every_sample_names_its_source() -> None:
    assert [name for name, one in SAMPLES.items() if not one["source"]] == []
