"""A small instance for tests of single rooms: tables, a clock that stands still, units of work, and actors' keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from activitypub.documents import Actor, parse_actor
from activitypub.identifiers import UrlRules
from activitypub.keys import VerificationKey, private_from_pem, public_to_multibase, public_to_pem
from fedaid.actors import wire
from fedaid.actors.commands import ActorKeys, make_keys
from fedaid.foundation.database import Database
from fedaid.foundation.names import Names
from fedaid.foundation.pages import House
from fedaid.foundation.work import Announcer, UnitsOfWork
from fedaid.groups import commands as groups
from fedaid.members.pages import recogniser
from fedaid.web.errors import exception_handlers
from fedaid.web.shell import build_templates

NORTH = "https://northside.example"
RIVER = "https://riverside.example"
RULES = UrlRules()
START = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


class StillClock:
    """A clock that moves only when told."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@cache
def some_keys() -> ActorKeys:
    """One pair of keys for all actors of a test run: making RSA keys is slow."""
    return make_keys()


def all_announcers() -> Mapping[type, Sequence[Announcer]]:
    """The announcers of the rooms up to groups, joined as the app joins them."""
    joined: dict[type, tuple[Announcer, ...]] = {}
    for room in (wire.ANNOUNCERS, groups.ANNOUNCERS):
        for fact, announcers in room.items():
            joined[fact] = (*joined.get(fact, ()), *announcers)
    return joined


@dataclass
class SmallHouse:
    """What tests of single rooms work with."""

    database: Database
    clock: StillClock
    units: UnitsOfWork
    names: Names


def build(database: Database, origin: str = NORTH) -> SmallHouse:
    """A house in the given database, which has its tables."""
    clock, names = StillClock(), Names(origin)
    return SmallHouse(database, clock, UnitsOfWork(database, clock, names, all_announcers()), names)


def remote_document(uri: str = f"{RIVER}/users/ben", kind: str = "Person", **changes: Any) -> dict[str, Any]:
    """The document of an actor elsewhere."""
    keys = some_keys()
    rsa, ed25519 = private_from_pem(keys.rsa_pem), private_from_pem(keys.ed25519_pem)
    document = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": uri,
        "type": kind,
        "preferredUsername": uri.rpartition("/")[2],
        "name": uri.rpartition("/")[2].title(),
        "inbox": f"{uri}/inbox",
        "outbox": f"{uri}/outbox",
        "followers": f"{uri}/followers",
        "endpoints": {"sharedInbox": f"{RIVER}/inbox"},
        "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": public_to_pem(rsa.public_key())},
        "assertionMethod": [
            {
                "id": f"{uri}#ed25519-key",
                "type": "Multikey",
                "controller": uri,
                "publicKeyMultibase": public_to_multibase(ed25519.public_key()),  # type: ignore[arg-type]
            }
        ],
    }
    return document | changes


def remote_actor(uri: str = f"{RIVER}/users/ben", kind: str = "Person", **changes: Any) -> Actor:
    """An actor elsewhere, as it is parsed."""
    return parse_actor(remote_document(uri, kind, **changes), RULES, START)


def key_ids(keys: Sequence[VerificationKey]) -> list[str]:
    """The ids of keys, in order."""
    return sorted(key.key_id for key in keys)


def browser(house: SmallHouse, routes: Sequence[BaseRoute]) -> TestClient:
    """A browser in front of some routes of the house; it follows no redirect by itself."""
    app = Starlette(routes=list(routes), exception_handlers=exception_handlers())
    app.state.house = House(
        name="Northside",
        names=house.names,
        database=house.database,
        units=house.units,
        templates=build_templates("", "0"),
        recognise=recogniser(house.clock),
    )
    return TestClient(app, base_url=house.names.origin, follow_redirects=False, raise_server_exceptions=True)
