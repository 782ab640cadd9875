"""Finding out what stands at a host, with our own pages as the far network: refusals first."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from activitypub.client import Client, FetchLimits
from activitypub.errors import FetchFailed, ProtocolError
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey, private_from_pem
from fedaid.actors import commands, pages
from fedaid.actors.rules import Kind
from fedaid.foundation.database import Database
from fedaid.foundation.refused import Refused
from fedaid.network.discovery import discover
from tests.small_house import RIVER, START, browser, build, some_keys

ABOVE = pages.FromAbove(lambda connection, actor: [], lambda connection, moment: 0, lambda connection: 0, "")
Change = Callable[[str, dict[str, Any]], dict[str, Any]]


class FarNetwork:
    """Stands in for the network: asks another house's pages, and may change what they say on the way."""

    def __init__(self, house: TestClient, change: Change = lambda url, document: document) -> None:
        self._house = house
        self._change = change

    async def fetch_json(self, url: str, accept: str) -> dict[str, Any]:
        answer = self._house.get(url, headers={"Accept": accept})
        if answer.status_code != 200:
            raise FetchFailed("status", "It answered with an error.", permanent=True)
        return self._change(url, answer.json())

    async def fetch(self, url: str, signer: object = None) -> Any:
        return type("Fetched", (), {"document": await self.fetch_json(url, "application/activity+json")})


def riverside(database: Database, origin: str = RIVER) -> TestClient:
    house = build(database, origin)
    with house.units.begin() as work:
        for kind, handle in ((Kind.SERVER, ""), (Kind.LEDGER, ""), (Kind.GROUP, "board")):
            commands.create_actor(work, kind, handle, keys=some_keys())
    return browser(house, pages.routes(ABOVE))


def find(network: FarNetwork, typed: str = "riverside.example", *, loopback: bool = False) -> Any:
    return asyncio.run(discover(network, typed, UrlRules(loopback), START))  # type: ignore[arg-type]


def changing(part: str, **changes: Any) -> Change:
    """A change of the document whose address ends like this."""
    return lambda url, document: document | changes if url.endswith(part) else document


EVIL = "https://evil.example"


@pytest.mark.parametrize(
    "change",
    [
        changing("%2F", links=[]),
        changing("%2F", links="x", subject=""),
        changing("/actor", **{"fa:ledger": None}),
        changing("/actor", **{"fa:ledger": f"{EVIL}/ledger"}),
        changing("/actor", **{"fa:board": {"id": f"{EVIL}/groups/board"}}),
        changing("/ledger", assertionMethod=[]),
        changing("/ledger", type="Note"),
        changing("/ledger", inbox=f"{EVIL}/inbox"),
        changing("/groups/board", id=f"{EVIL}/groups/board", inbox=f"{EVIL}/groups/board/inbox"),
        changing("/groups/board", id=f"{RIVER}/groups/moving"),
    ],
)
def test_what_does_not_hold_together_is_refused(migrated_database: Database, change: Change) -> None:
    with pytest.raises((Refused, ProtocolError)):
        find(FarNetwork(riverside(migrated_database), change))


def test_a_server_actor_elsewhere_is_refused(migrated_database: Database) -> None:
    def elsewhere(url: str, document: dict[str, Any]) -> dict[str, Any]:
        if "webfinger" in url:
            document["links"][0]["href"] = f"{EVIL}/actor"
        return document

    with pytest.raises(Refused) as refusal:
        find(FarNetwork(riverside(migrated_database), elsewhere))
    assert refusal.value.code == "no_fedaid"


def test_a_host_that_is_not_one_of_ours_is_not_asked(migrated_database: Database) -> None:
    with pytest.raises(Refused) as refusal:
        find(FarNetwork(riverside(migrated_database)), "127.0.0.1:8002")
    assert refusal.value.code == "network_host"


def test_a_network_is_found_by_its_host(migrated_database: Database) -> None:
    facts = find(FarNetwork(riverside(migrated_database)))
    assert (facts.host, facts.origin) == ("riverside.example", RIVER)
    named = (facts.server_actor, facts.ledger_actor, facts.board_actor)
    assert named == (f"{RIVER}/actor", f"{RIVER}/ledger", f"{RIVER}/groups/board")
    assert [actor.id.text for actor in facts.actors] == list(named)


def test_on_one_machine_a_network_is_found_by_its_port(migrated_database: Database) -> None:
    facts = find(FarNetwork(riverside(migrated_database, "http://127.0.0.1:8002")), "127.0.0.1:8002", loopback=True)
    assert (facts.host, facts.ledger_actor) == ("127.0.0.1:8002", "http://127.0.0.1:8002/ledger")


def test_the_real_client_finds_a_network_too(migrated_database: Database) -> None:
    async def ask() -> Any:
        client = Client(UrlRules(), FetchLimits(), transport=httpx2.ASGITransport(app=riverside(migrated_database).app))
        try:
            return await discover(client, "riverside.example", UrlRules(), START, make_signer())
        finally:
            await client.aclose()

    assert asyncio.run(ask()).ledger_actor == f"{RIVER}/ledger"


def make_signer() -> SigningKey:
    us = "https://northside.example/actor"
    return SigningKey(f"{us}#main-key", us, private_from_pem(some_keys().rsa_pem))
