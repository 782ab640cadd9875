"""NodeInfo 2.0 and 2.1: what a server says of itself to directories, clients and other servers."""

from dataclasses import dataclass, field
from typing import Any, Final

from activitypub.vocabulary import AS2

SCHEMA_2_0: Final = "http://nodeinfo.diaspora.software/ns/schema/2.0"
SCHEMA_2_1: Final = "http://nodeinfo.diaspora.software/ns/schema/2.1"
APPLICATION: Final = f"{AS2}#Application"  # FEP-2677
VERSIONS: Final = ("2.0", "2.1")


@dataclass(frozen=True)
class NodeFacts:
    """What may be told to anybody. Counts are rounded by nobody here: the caller decides what is told.

    repository, homepage   only NodeInfo 2.1 has room for them
    name, description      of this network, in ``metadata``
    features               terms others may look for, e.g. ``fep-0837``, in ``metadata``
    """

    software: str
    version: str
    repository: str
    homepage: str
    users: int
    active_month: int
    active_half_year: int
    local_posts: int
    open_registrations: bool
    name: str
    description: str
    features: tuple[str, ...] = field(default=())


def content_type(version: str) -> str:
    """The media type of a NodeInfo document of this version."""
    schema = SCHEMA_2_1 if version == "2.1" else SCHEMA_2_0
    return f'application/json; profile="{schema}#"; charset=utf-8'


def well_known(url_2_0: str, url_2_1: str, server_actor: str) -> dict[str, Any]:
    """/.well-known/nodeinfo, with the link to the server's actor (FEP-2677)."""
    return {
        "links": [
            {"rel": SCHEMA_2_0, "href": url_2_0},
            {"rel": SCHEMA_2_1, "href": url_2_1},
            {"rel": APPLICATION, "href": server_actor},
        ]
    }


def document(version: str, facts: NodeFacts) -> dict[str, Any]:
    """The NodeInfo document of ``version``, one of VERSIONS."""
    return {
        "version": version,
        "software": _software(version, facts),
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": facts.open_registrations,
        "usage": {
            "users": {
                "total": facts.users,
                "activeMonth": facts.active_month,
                "activeHalfyear": facts.active_half_year,
            },
            "localPosts": facts.local_posts,
        },
        "metadata": {
            "nodeName": facts.name,
            "nodeDescription": facts.description,
            "features": list(facts.features),
        },
    }


def _software(version: str, facts: NodeFacts) -> dict[str, str]:
    software = {"name": facts.software, "version": facts.version}
    if version == "2.1":
        software |= {"repository": facts.repository, "homepage": facts.homepage}
    return software
