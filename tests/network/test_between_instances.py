"""Two whole instances: a network of neighbours, and a block between two that owe each other hours."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from fedaid.actors import commands as actors
from fedaid.admin.networks import overview
from fedaid.board import commands as board
from fedaid.board import queries as board_queries
from fedaid.board.rules import Kind, Mode, Posting
from fedaid.board.tables import listing
from fedaid.foundation.ids import new_key
from fedaid.foundation.refused import Refused
from fedaid.network import commands
from fedaid.network.rules.restrictions import Severity, Terms, chosen_target
from fedaid.timebank import commands as hours
from fedaid.timebank import queries as timebank
from fedaid.timebank.limits import TimebankLimits
from tests.small_house import START
from tests.towns import Town, found, settle

LIMITS = TimebankLimits()
pytestmark = pytest.mark.anyio
NORTH, RIVER, SOUTH = "northside.example", "riverside.example", "southside.example"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def open_towns(tmp_path: Path, database_kind: str) -> AsyncIterator[tuple[Town, ...]]:
    async with found(tmp_path, database_kind, NORTH, RIVER) as towns:
        yield towns


@pytest.fixture
async def closed_towns(tmp_path: Path, database_kind: str) -> AsyncIterator[tuple[Town, ...]]:
    async with found(tmp_path, database_kind, NORTH, RIVER, SOUTH, federation="neighbours") as towns:
        yield towns


def link_of(town: Town, host: str) -> Any:
    with town.instance.database.read() as connection:
        return next((row for row in overview(connection) if row.host == host), None)


def post(town: Town, title: str) -> int:
    posting = Posting(kind=Kind.REQUEST, title=title, mode=Mode.HOURS, minutes=60, expires_at=START.replace(month=12))
    with town.instance.units.begin() as work:
        return board.post_listing(work, town.people["ana"], town.names.group("board"), posting)


def titles(town: Town, handle: str = "") -> list[str]:
    viewer = town.people[handle] if handle else board_queries.Viewer()
    with town.instance.database.read() as connection:
        federation, now = town.instance.settings.federation, town.instance.units.clock.now()
        page = board_queries.board(connection, viewer, board_queries.Filters(), now, town.host, federation)
    return sorted(one.listing.title for one in page.listings)


def lay(town: Town, name: str, severity: Severity) -> None:
    with town.instance.units.begin() as work:
        commands.restrict(work, chosen_target(name), Terms(severity))


async def linked(*towns: Town) -> None:
    first, second = towns
    await first.instance.desk.propose(second.host, None)
    await settle(first, second)
    await second.instance.desk.accept(first.host, None)
    await settle(first, second)
    assert link_of(first, second.host).they_follow
    assert link_of(second, first.host).they_follow


# neighbours only


async def test_a_network_of_neighbours_refuses_a_strangers_proposal_with_the_reason(
    closed_towns: tuple[Town, ...],
) -> None:
    north, river, _ = closed_towns
    await north.instance.desk.propose(RIVER, None)
    await settle(north, river)
    assert link_of(river, NORTH) is None
    assert north.cable.statuses("POST", f"{RIVER}/ledger/inbox") == [403]


async def test_two_networks_of_neighbours_meet_when_both_admins_propose(closed_towns: tuple[Town, ...]) -> None:
    north, river, south = closed_towns
    await north.instance.desk.propose(RIVER, None)
    await settle(north, river)
    await river.instance.desk.propose(NORTH, None)
    await settle(north, river)
    await north.instance.desk.accept(RIVER, None)
    await settle(north, river)
    assert (link_of(north, RIVER).status, link_of(river, NORTH).status) == ("accepted", "accepted")
    post(north, "A sofa")
    await settle(north, river, south)
    assert titles(river, "ana") == ["A sofa"]
    assert titles(south, "ana") == []


async def test_what_is_public_stays_public_for_browsers_and_for_servers_that_read(
    closed_towns: tuple[Town, ...],
) -> None:
    north, *_ = closed_towns
    number = post(north, "A sofa")
    async with north.browser() as browser:
        assert "A sofa" in (await browser.get("/")).text
        page = await browser.get(f"/listings/{number}")
        as_server = await browser.get(f"/listings/{number}", headers={"accept": "application/activity+json"})
        found = await browser.get("/.well-known/webfinger?resource=acct:board@northside.example")
    assert (page.status_code, as_server.status_code, found.status_code) == (200, 200, 200)


# open, with blocks


async def hours_on_their_way(north: Town, river: Town) -> str:
    """Riverside's Ana gave Northside's Ana an hour; it waits to be confirmed."""
    payee, payer = river.people["ana"].actor, north.people["ana"].actor
    with river.instance.units.begin() as work:
        transfer = hours.claim(work, LIMITS, new_key(), payee=payee, payer=payer, minutes=60)
    await settle(north, river)
    with north.instance.units.begin() as work:
        hours.confirm(work, LIMITS, transfer, payer)
    return transfer


async def test_a_block_stops_the_boards_and_lets_the_ledgers_settle_what_is_owed(open_towns: tuple[Town, ...]) -> None:
    north, river = open_towns
    await linked(north, river)
    post(river, "A ladder")
    await settle(north, river)
    assert titles(north) == ["A ladder"]
    await hours_on_their_way(north, river)
    lay(north, RIVER, Severity.BLOCK)
    north.clock.pass_seconds(north.instance.settings.inbox.block_memory_seconds + 1)
    north.cable.carried.clear()
    post(north, "A sofa")
    post(river, "A second ladder")
    await settle(north, river)
    assert (titles(north), titles(north, "nora")) == (["A sofa"], ["A sofa"])
    assert titles(river) == ["A ladder", "A second ladder"]
    assert north.cable.statuses("POST", f"{NORTH}/inbox") == [403]
    assert set(north.cable.statuses("POST", "/ledger/inbox")) == {202}
    for town, other, owes in ((north, RIVER, 60), (river, NORTH, -60)):
        with town.instance.database.read() as connection:
            account = timebank.peer_by_host(connection, other)
        assert account is not None
        assert (account.balance, account.held) == (owes, 0)
    row = link_of(north, RIVER)
    assert (row.status, row.we_follow, row.they_follow) == ("paused", False, False)


async def test_a_blocked_network_claims_no_new_hours_and_its_link_cannot_be_taken_up_again(
    open_towns: tuple[Town, ...],
) -> None:
    north, river = open_towns
    await linked(north, river)
    lay(north, RIVER, Severity.BLOCK)
    payee, payer = river.people["ana"].actor, north.people["ana"].actor
    with river.instance.units.begin() as work:
        transfer = hours.claim(work, LIMITS, new_key(), payee=payee, payer=payer, minutes=60)
    await settle(north, river)
    with river.instance.database.read() as connection:
        found_hour = timebank.transfer_for(connection, transfer, payee)
    assert found_hour is not None
    assert found_hour.state == "void"
    for step in (north.instance.desk.resume(RIVER), north.instance.desk.propose(RIVER, None)):
        with pytest.raises(Refused) as refusal:
            await step
        assert refusal.value.code == "network_blocked"


async def test_a_lifted_block_lets_the_link_be_taken_up_again(open_towns: tuple[Town, ...]) -> None:
    north, river = open_towns
    await linked(north, river)
    lay(north, RIVER, Severity.BLOCK)
    with north.instance.units.begin() as work:
        commands.lift(work, chosen_target(RIVER))
    await north.instance.desk.resume(RIVER)
    await settle(north, river)
    post(river, "A ladder")
    await settle(north, river)
    assert link_of(north, RIVER).we_follow
    assert titles(north) == ["A ladder"]


async def test_a_link_that_was_only_asked_for_ends_with_the_block(open_towns: tuple[Town, ...]) -> None:
    north, river = open_towns
    await river.instance.desk.propose(NORTH, None)
    await settle(north, river)
    lay(north, RIVER, Severity.BLOCK)
    assert link_of(north, RIVER).status == "ended"


async def test_what_comes_from_a_limited_network_is_seen_by_those_who_follow_it(open_towns: tuple[Town, ...]) -> None:
    north, river = open_towns
    await linked(north, river)
    lay(north, RIVER, Severity.LIMIT)
    post(river, "A ladder")
    await settle(north, river)
    assert (titles(north), titles(north, "cora")) == ([], [])
    with north.instance.units.begin() as work:
        actors.follow(work, north.people["cora"].actor, river.names.group("board"))
    await settle(north, river)
    assert (titles(north), titles(north, "ana"), titles(north, "cora")) == ([], [], ["A ladder"])
    (number,) = from_elsewhere(north)
    for cookie, status in (("", 404), (north.session("ana"), 200)):
        async with north.browser(cookie) as browser:
            assert (await browser.get(f"/listings/{number}")).status_code == status


def from_elsewhere(town: Town) -> list[int]:
    """The ids of the listings that came from other networks."""
    with town.instance.database.read() as connection:
        return list(connection.execute(select(listing.c.id).where(listing.c.local.is_(False))).scalars())
