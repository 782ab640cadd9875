"""The page on which a peer's ledger reads what we have in common, over HTTP: for it alone, and nothing for the rest.

Two whole instances in one process, linked by their admins; only the network between them is swapped.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import delete, update

from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey, generate_rsa
from activitypub.signatures import sign_draft_cavage
from fedaid import app, settings
from fedaid.actors import queries as actor_queries
from fedaid.admin import founding
from fedaid.foundation import schema
from fedaid.foundation.database import Database
from fedaid.foundation.ids import new_key
from fedaid.foundation.jobs import Round
from fedaid.timebank import commands, queries, rows, tables
from fedaid.timebank.audit import verify_ledger
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.books import AccountKind
from tests.small_house import START, StillClock
from tests.timebank.world import ANA, BEN, NORTH, RIVER

RULES, LIMITS = UrlRules(), TimebankLimits()
NORTH_COPY = f"{NORTH}/ledger/peers/riverside.example/facts"


class Street(httpx2.AsyncBaseTransport):
    """Carries requests between instances in one process; a host that is away does not answer."""

    def __init__(self) -> None:
        self.houses: dict[str, app.Instance] = {}
        self.away: set[str] = set()
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        if host in self.away:
            raise httpx2.ConnectError("nobody there")
        if request.method == "GET":
            self.asked.append(str(request.url))
        return await httpx2.ASGITransport(app=self.houses[host].web).handle_async_request(request)


@dataclass(frozen=True)
class Pair:
    north: app.Instance
    river: app.Instance
    street: Street

    async def settle(self) -> None:
        """Carry letters until nobody has any."""
        while sum([await one for house in (self.north, self.river) for one in drains(house)]):
            pass


def drains(house: app.Instance) -> list[Awaitable[int]]:
    return [house.outbox_worker.drain(), house.inbox_worker.drain()]


Story = Callable[[Pair], Awaitable[None]]


def play(folder: Path, story: Story) -> None:
    """Found Northside and Riverside, link them, tell the story, and take them down."""
    asyncio.run(_play(folder, story))


async def _play(folder: Path, story: Story) -> None:
    street = Street()
    pair = Pair(found(folder, NORTH, ANA, street), found(folder, RIVER, BEN, street), street)
    try:
        await pair.north.desk.propose("riverside.example", 20)
        await pair.settle()
        await pair.river.desk.accept("northside.example", 20)
        await pair.settle()
        await story(pair)
    finally:
        await pair.north.close()
        await pair.river.close()


def found(folder: Path, origin: str, member: str, street: Street) -> app.Instance:
    data = folder / origin.rpartition("/")[2]
    data.mkdir()
    chosen = settings.load(data, origin=origin, name="A town")
    database = Database(chosen.database)
    schema.upgrade(database)
    database.dispose()
    house = app.build(chosen, works=False, clock=StillClock(), transport=street)
    with house.units.begin() as work:
        founding.found(work, "A town")
        commands.open_account(work, AccountKind.MEMBER, member, floor_minutes=LIMITS.member_floor_minutes)
    street.houses[house.settings.names.host] = house
    return house


async def settled(pair: Pair) -> str:
    """Ben gave Ana 90 minutes; all messages were exchanged."""
    with pair.river.units.begin() as work:
        transfer = commands.claim(work, LIMITS, new_key(), payee=BEN, payer=ANA, minutes=90)
    await pair.settle()
    with pair.north.units.begin() as work:
        commands.confirm(work, LIMITS, transfer, ANA)
    await pair.settle()
    return transfer


def key_of(house: app.Instance, actor: str = "ledger") -> SigningKey:
    with house.database.read() as connection:
        found_actor = actor_queries.by_handle(connection, actor)
        assert found_actor
        return actor_queries.signing_key(connection, found_actor.uri)


async def get(pair: Pair, url: str, key: SigningKey | None) -> httpx2.Response:
    headers = {"accept": "application/activity+json"}
    if key is not None:
        headers |= sign_draft_cavage("GET", RULES.parse(url), None, key, START)
    async with httpx2.AsyncClient(transport=pair.street) as client:
        return await client.get(url, headers=headers)


def forget(house: app.Instance) -> None:
    """As after a restore: all hours between the two are gone."""
    with house.database.write() as connection:
        for name in ("posting", "fact"):
            connection.exec_driver_sql(f"DROP TRIGGER {name}_no_delete")
        for table in (tables.posting, tables.resend, tables.fact, tables.note, tables.transfer):
            connection.execute(delete(table))
        connection.execute(update(tables.account).values(balance=0, held=0))
        connection.execute(update(tables.ledger_head).values(seq=0, hash="sha256:" + 64 * "0", facts=0))
        nothing = {"messages": 0, "messages_xor": tables.NOTHING_XOR, "out_seq": 0, "in_seq": 0}
        connection.execute(update(tables.peer).values(**nothing, sync_after=0, sync_whole=True))
    house.begin()


def sync_round(house: app.Instance) -> Round:
    return next(chore for chore in house.chores if isinstance(chore, Round) and chore.name == "sync_hours")


def balance(house: app.Instance, actor: str) -> int:
    with house.database.read() as connection:
        account = rows.account_of(connection, actor)
    assert account
    return account.balance


def test_the_peers_ledger_reads_all_messages(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        await settled(pair)
        answer = await get(pair, f"{NORTH_COPY}?after=0", key_of(pair.river))
        page = answer.json()
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/activity+json")
        assert answer.headers["cache-control"] == "no-store"
        assert (page["id"], page["type"], page["totalItems"]) == (f"{NORTH_COPY}?after=0", "OrderedCollection", 3)
        assert [item["type"] for item in page["orderedItems"]] == ["Offer", "Accept", "Create"]

    play(tmp_path, story)


def test_for_everybody_else_there_is_nothing(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        await settled(pair)
        river = key_of(pair.river)
        forged = SigningKey(river.key_id, river.owner, generate_rsa())
        wrong: list[tuple[str, SigningKey | None]] = [
            (NORTH_COPY, None),
            (NORTH_COPY, forged),
            (NORTH_COPY, key_of(pair.river, "riverside.example")),  # its server's actor
            (NORTH_COPY, key_of(pair.north)),
            (f"{NORTH}/ledger/peers/oak.example/facts", river),
            (f"{NORTH_COPY}?after=x", river),
            (f"{NORTH_COPY}?after={'9' * 30}", river),
        ]
        answers = [await get(pair, url, key) for url, key in wrong]
        assert [answer.status_code for answer in answers] == [404] * len(wrong)
        assert len({answer.text for answer in answers}) == 1
        assert all("Offer" not in answer.text for answer in answers)

    play(tmp_path, story)


def test_a_signature_for_another_page_reads_none(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        headers = sign_draft_cavage("GET", RULES.parse(f"{NORTH_COPY}?after=0"), None, key_of(pair.river), START)
        async with httpx2.AsyncClient(transport=pair.street) as client:
            answer = await client.get(f"{NORTH_COPY}?after=1", headers=headers)
        assert answer.status_code == 404

    play(tmp_path, story)


def test_an_instance_that_forgot_asks_when_it_starts_and_has_its_hours_again(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        await settled(pair)
        forget(pair.river)
        assert balance(pair.river, BEN) == 0
        assert await sync_round(pair.river).go() == 1
        assert balance(pair.river, BEN) == 90
        assert await sync_round(pair.river).go() == 0
        with pair.river.database.read() as connection:
            assert verify_ledger(connection).findings == ()

    play(tmp_path, story)


def test_a_confirmation_waits_while_the_other_network_is_away_and_goes_out_when_it_is_back(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        with pair.river.units.begin() as work:
            transfer = commands.claim(work, LIMITS, new_key(), payee=BEN, payer=ANA, minutes=90)
        await pair.settle()
        pair.street.away.add("riverside.example")
        pair.north.begin()
        with pair.north.units.begin() as work:
            commands.confirm(work, LIMITS, transfer, ANA)
        assert await sync_round(pair.north).go() == 1
        with pair.north.database.read() as connection:
            assert queries.waits_for(connection, transfer) == "riverside.example"
        pair.street.away.clear()
        clock = pair.north.units.clock
        assert isinstance(clock, StillClock)
        clock.pass_seconds(LIMITS.sync_first_seconds)
        assert await sync_round(pair.north).go() == 1
        await pair.settle()
        assert (balance(pair.north, ANA), balance(pair.river, BEN)) == (-90, 90)

    play(tmp_path, story)


def test_no_transaction_is_open_while_the_network_is_waited_for(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        pair.north.begin()
        busy: list[Any] = []

        class Watching(Street):
            async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
                busy.append(pair.north.database.engine.pool.checkedout())  # type: ignore[attr-defined]  # QueuePool's
                return await pair.street.handle_async_request(request)

        pair.north.client._transport = Watching()
        assert await sync_round(pair.north).go() == 1
        assert busy == [0]

    play(tmp_path, story)
