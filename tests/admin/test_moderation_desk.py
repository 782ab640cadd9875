"""Reporting and judging: what members can reach, what moderators decide, and that every decision is written down."""

from typing import Any

import orjson
import pytest
from sqlalchemy import select

from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.board import commands as board
from fedaid.board import queries as board_queries
from fedaid.board.rules import Kind, Mode, Posting
from fedaid.network import commands, queries
from outbox.tables import activity
from tests.admin.test_deliveries_desk import opened, pressed
from tests.admin.test_letters_desk import letter
from tests.small_house import RIVER, START, remote_actor
from tests.towns import Town

pytestmark = pytest.mark.anyio
BEN = f"{RIVER}/users/ben"


def post(town: Town, title: str = "A sofa") -> board_queries.Listing:
    """A listing of Ana's."""
    posting = Posting(kind=Kind.REQUEST, title=title, mode=Mode.GIFT, expires_at=START.replace(month=12))
    with town.instance.units.begin() as work:
        number = board.post_listing(work, town.people["ana"], town.names.group("board"), posting)
        found = board_queries.any_listing(work.connection, number)
    assert found is not None
    return found


def meet_ben(town: Town) -> None:
    with town.instance.units.begin() as work:
        actors.remember(work, remote_actor(BEN))


def reported(town: Town, subject: str, owner: str) -> int:
    with town.instance.units.begin() as work:
        return commands.make_report(work, town.people["cora"], subject, owner, "Cora says: <i>rude</i>.")


def seen(town: Town, ask: Any, *words: Any) -> Any:
    with town.instance.database.read() as connection:
        return ask(connection, *words)


# members


async def test_a_member_reports_what_she_sees_and_may_block_its_author_with_it(north: Town) -> None:
    meet_ben(north)
    form = await opened(north, f"/report?about={BEN}", "ana")
    assert "Only your coordinators read this." in form.text
    answer = await pressed(north, "/report", "ana", about=BEN, comment="He shouts.", block="yes")
    assert answer.headers["location"] == "/?said=reported"
    (found,) = seen(north, lambda connection: queries.reports(connection, are_open=True))
    assert (found.subject, found.reporter, found.comment) == (BEN, north.people["ana"].actor, "He shouts.")
    assert seen(north, actor_queries.block_between, north.people["ana"].actor, BEN)


@pytest.mark.attack("S87")
async def test_what_she_does_not_see_is_her_own_or_was_never_met_cannot_be_reported(north: Town) -> None:
    """S87: an answer to somebody else's listing does not tell by its id who gave it."""
    listing = post(north)
    with north.instance.units.begin() as work:
        answer = board.respond(work, north.people["cora"], listing.id, "I can.")
    for handle, about in (
        ("ana", "https://nobody.example/users/x"),
        ("ana", ""),
        ("ana", "a%00b"),
        ("ana", north.people["ana"].actor),
        ("ana", listing.uri),
        ("nora", north.names.response(answer)),
    ):
        assert (await opened(north, f"/report?about={about}", handle)).status_code == 404, about
    assert (await pressed(north, "/report", "nora", about=north.names.response(answer))).status_code == 404
    assert (await opened(north, f"/report?about={north.names.response(answer)}", "ana")).status_code == 200


async def test_a_refused_report_keeps_what_was_typed(north: Town) -> None:
    meet_ben(north)
    await pressed(north, "/report", "ana", about=BEN, comment="He shouts.")
    again = await pressed(north, "/report", "ana", about=BEN, comment="He shouts again.")
    assert again.status_code == 409
    assert "He shouts again." in again.text


async def test_a_member_sees_whom_she_blocks_and_takes_it_back(north: Town) -> None:
    meet_ben(north)
    assert (await pressed(north, "/me/blocked", "ana", actor="https://nobody.example/x")).status_code == 404
    await pressed(north, "/me/blocked", "ana", actor=BEN)
    assert "@ben@riverside.example" in (await opened(north, "/me/blocked", "ana")).text
    assert "@ben@riverside.example" not in (await opened(north, "/me/blocked", "cora")).text
    await pressed(north, "/me/blocked/end", "ana", actor=BEN)
    assert "Nobody." in (await opened(north, "/me/blocked", "ana")).text


# moderators


async def test_only_moderators_see_and_judge_and_only_admins_judge_whole_networks(north: Town) -> None:
    meet_ben(north)
    number = reported(north, BEN, BEN)
    for path in ("/reports", "/reports/log", f"/reports/{number}"):
        assert (await opened(north, path, "ana")).status_code == 403, path
        assert (await opened(north, path, "cora")).status_code == 200, path
    for decision in ("dismiss", "hide", "forward", "block_actor", "block_host"):
        assert (await pressed(north, f"/reports/{number}/{decision}", "ana")).status_code == 403, decision
    assert (await pressed(north, f"/reports/{number}/block_host", "cora")).status_code == 403
    assert "all of riverside.example" not in (await opened(north, f"/reports/{number}", "cora")).text
    assert "all of riverside.example" in (await opened(north, f"/reports/{number}", "nora")).text
    assert seen(north, queries.restrictions) == []


@pytest.mark.parametrize("path", ["/reports/1", "/reports/99999999999999999999", "/reports/1/dismiss", "/reports/1/x"])
async def test_what_was_not_reported_is_not_found(north: Town, path: str) -> None:
    decided = path.count("/") == 3
    answer = await (pressed(north, path, "cora") if decided else opened(north, path, "cora"))
    assert answer.status_code == 404


async def test_the_queue_shows_what_waits_and_the_words_of_strangers_as_text(north: Town) -> None:
    assert "Nothing waits to be judged" in (await opened(north, "/reports", "cora")).text
    meet_ben(north)
    number = reported(north, BEN, BEN)
    assert "reported by Cora" in (await opened(north, "/reports", "cora")).text
    page = (await opened(north, f"/reports/{number}", "cora")).text
    assert "&lt;i&gt;rude&lt;/i&gt;" in page


async def test_a_hidden_listing_is_gone_here_and_deleted_elsewhere_and_its_author_still_sees_it(north: Town) -> None:
    listing = post(north)
    number = reported(north, listing.uri, north.people["ana"].actor)
    await pressed(north, f"/reports/{number}/hide", "cora", words="an advertisement")
    for handle, status in (("ana", 200), ("cora", 200)):
        assert (await opened(north, f"/listings/{listing.id}", handle)).status_code == status
    async with north.browser() as stranger:
        assert (await stranger.get(f"/listings/{listing.id}")).status_code == 404
        assert listing.title not in (await stranger.get("/")).text
    assert [one["type"] for one in said_about(north, listing.uri)] == ["Create", "Delete"]
    await pressed(north, f"/reports/{number}/show", "cora", words="it was none")
    assert [one["type"] for one in said_about(north, listing.uri)] == ["Create", "Delete", "Create"]
    async with north.browser() as stranger:
        assert (await stranger.get(f"/listings/{listing.id}")).status_code == 200
    log = (await opened(north, "/reports/log", "cora")).text
    assert log.index("it was none") < log.index("an advertisement")
    assert "Cora" in log


def said_about(town: Town, uri: str) -> list[dict[str, Any]]:
    query = select(activity.c.body).where(activity.c.object_id == uri).order_by(activity.c.id)
    return [orjson.loads(body) for body in seen(town, lambda connection: connection.execute(query).scalars().all())]


@pytest.mark.parametrize(
    ("decision", "handle", "target", "severity"),
    [
        ("limit_actor", "cora", BEN, "limit"),
        ("block_actor", "cora", BEN, "block"),
        ("limit_host", "nora", "riverside.example", "limit"),
        ("block_host", "nora", "riverside.example", "block"),
    ],
)
async def test_a_moderator_limits_or_blocks_whom_a_report_is_about(
    north: Town, decision: str, handle: str, target: str, severity: str
) -> None:
    meet_ben(north)
    number = reported(north, BEN, BEN)
    answer = await pressed(north, f"/reports/{number}/{decision}", handle, words="shouting")
    assert answer.headers["location"] == f"/reports/{number}?said=decided"
    (found,) = seen(north, queries.restrictions)
    assert (found.target.name, found.terms.severity, found.terms.reason) == (target, severity, "shouting")
    assert found.laid_by == north.people[handle].actor
    (line,) = seen(north, queries.log_of)
    assert (line.decision, line.target, line.decided_by) == (severity, target, north.people[handle].actor)
    assert seen(north, queries.count_open_reports) == 0


async def test_one_of_us_cannot_be_blocked_by_a_report(north: Town) -> None:
    ana = north.people["ana"].actor
    number = reported(north, ana, ana)
    refused = await pressed(north, f"/reports/{number}/block_actor", "cora")
    assert refused.status_code == 422
    assert "This would shut out our own network." in refused.text
    assert seen(north, queries.count_open_reports) == 1


async def test_a_report_is_passed_on_only_by_a_moderators_choice(north: Town) -> None:
    meet_ben(north)
    number = reported(north, BEN, BEN)
    assert "Take out what could show who reported it" in (await opened(north, f"/reports/{number}", "cora")).text
    await north.instance.outbox_worker.drain()
    assert north.cable.statuses("POST", "riverside.example") == []
    await pressed(north, f"/reports/{number}/forward", "cora", words="He shouts.")
    page = (await opened(north, f"/reports/{number}", "cora")).text
    assert "passed on to riverside.example" in page
    assert "Pass it on to" not in page


async def test_a_flag_from_another_server_reaches_the_queue(north: Town) -> None:
    """Through the whole inbox: stored, applied, and on the desk."""
    listing = post(north)
    meet_ben(north)
    body = (
        f'{{"id": "{BEN}/1", "type": "Flag", "actor": "{BEN}", "content": "No.",'
        f' "object": ["{north.names.group("board")}", "{listing.uri}"]}}'
    )
    letter(north, 1, "Flag", body.encode())
    await north.instance.inbox_worker.drain()
    page = (await opened(north, "/reports", "cora")).text
    assert "A sofa" in page
    assert "reported by riverside.example" in page
