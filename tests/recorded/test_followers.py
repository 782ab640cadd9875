"""Followers on five kinds of servers, by requests in the exact shape of each: what they do comes to the right place."""

from typing import Any

import pytest
from sqlalchemy import select

from activitypub.vocabulary import AS2, PLAIN_CONTEXT, PUBLIC
from fedaid.actors import queries as actors
from fedaid.board import commands
from fedaid.board.queries import Listing, Response
from fedaid.board.rules import ResponseForm, ResponseState
from fedaid.board.tables import reaction
from tests.recorded.town import BOARD, SERVERS, Server, Town

pytestmark = pytest.mark.anyio

WORDS = {
    "mastodon_4_5": "I can come with a van at ten.",
    "gotosocial": "I have two strong arms.",
    "lemmy": "I could lend my hand cart.",
    "mitra": "I am free on Saturday :van:",
    "takahe": "Count me in.",
}
# Takahe and GoToSocial of these dates send no Update for a reply, Mitra none of this shape.
EDITS = {"mastodon_4_5": "I can come with a van at eleven.", "lemmy": "I could lend two hand carts."}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, town: Town) -> Server:
    return town.servers[request.param]


def follows(town: Town, server: Server) -> bool:
    with town.instance.database.read() as connection:
        return actors.is_following(connection, server.person, BOARD)


async def replied(town: Town, server: Server, listing: Listing) -> Response:
    assert await town.bring(server, "public_reply", listing) == 202
    (answer,) = town.answers(listing)
    return answer


async def test_a_follow_is_accepted_with_the_follow_inside(town: Town, server: Server) -> None:
    assert await town.bring(server, "follow") == 202
    follow = server.requests["follow"]["body"]
    (accept,) = town.sent_to(server)
    assert accept == {
        "@context": PLAIN_CONTEXT,
        "id": accept["id"],
        "type": "Accept",
        "actor": BOARD,
        "to": [server.person],
        "object": {"id": follow["id"], "type": "Follow", "actor": server.person, "object": BOARD},
    }
    assert town.letters() == [("Follow", "done", "")]
    assert follows(town, server)


async def test_a_follow_that_is_repeated_is_answered_again(town: Town, server: Server) -> None:
    for number in range(2):
        assert await town.bring(server, "follow", id=f"https://{server.host}/follows/{number}") == 202
    assert [one["object"]["id"] for one in town.sent_to(server)] == [
        f"https://{server.host}/follows/{number}" for number in range(2)
    ]


async def test_an_undone_follow_is_gone(town: Town, server: Server) -> None:
    await town.bring(server, "follow")
    assert await town.bring(server, "undo_follow") == 202
    assert not follows(town, server)
    before = len(town.sent_to(server))
    await town.list_something()
    assert len(town.sent_to(server)) == before


async def test_a_listing_its_changes_and_its_end_reach_the_follower(town: Town, server: Server) -> None:
    await town.bring(server, "follow")
    listing = await town.list_something()
    town.clock.pass_seconds(60)
    with town.instance.units.begin() as work:
        commands.respond(work, town.bea, listing.id, "Me")
    with town.instance.units.begin() as work:
        (answer,) = town.answers(listing)
        commands.accept_response(work, town.ana, answer.id)
    await town.settle()
    with town.instance.units.begin() as work:
        commands.withdraw_listing(work, town.ana, listing.id)
    await town.settle()
    _, create, update, delete = town.sent_to(server)
    note = create["object"]
    assert (create["type"], create["actor"], note["id"], note["type"]) == ("Create", BOARD, listing.uri, "Note")
    for fact in ("Help moving furniture", "Sat 5 Sep 2026, 10:00-12:00", "near Rose Street", "2 hours"):
        assert fact in note["content"].partition("</p>")[0]
    assert (update["type"], update["object"]["updated"]) == ("Update", "2026-09-01T09:01:00Z")
    assert "Filled, thank you." in update["object"]["content"]
    assert (delete["type"], delete["object"]["id"], delete["object"]["type"]) == ("Delete", listing.uri, "Tombstone")


async def test_a_public_reply_is_an_answer_that_the_author_accepts(town: Town, server: Server) -> None:
    listing = await town.list_something()
    answer = await replied(town, server, listing)
    assert (answer.message, answer.helper_actor, answer.form) == (
        WORDS[server.name],
        server.person,
        ResponseForm.MESSAGE,
    )
    assert (answer.state, answer.public) == (ResponseState.OFFERED, True)
    async with town.visit(town.ana) as browser:
        page = (await browser.get(f"/listings/{listing.id}")).text
        assert server.handle in page
        done = await browser.post(f"/responses/{answer.id}/accept")
    assert done.status_code == 303
    await town.settle()
    told = next(one for one in town.sent_to(server) if one["type"] == "Create")
    note = told["object"]
    assert (told["actor"], told["to"], told["cc"]) == (BOARD, [server.person], [])
    assert (note["type"], note["attributedTo"], note["to"], note["cc"]) == ("Note", BOARD, [server.person], [])
    assert note["inReplyTo"] == server.requests["public_reply"]["body"]["object"]["id"]
    assert note["tag"] == [{"type": "Mention", "href": server.person, "name": server.handle}]
    assert "was accepted" in note["content"]
    assert PUBLIC not in str(told)
    assert town.listing(listing.id).state == "filled"


async def test_an_edited_reply_reads_as_it_was_edited(town: Town, server: Server) -> None:
    listing = await town.list_something()
    await replied(town, server, listing)
    if server.name in EDITS:
        assert await town.bring(server, "edit_reply", listing) == 202
    (answer,) = town.answers(listing)
    assert answer.message == EDITS.get(server.name, WORDS[server.name])


async def test_a_deleted_reply_is_gone_with_its_words(town: Town, server: Server) -> None:
    listing = await town.list_something()
    await replied(town, server, listing)
    assert await town.bring(server, "delete_reply", listing) == 202
    assert town.answers(listing) == []
    async with town.visit(town.ana) as browser:
        assert WORDS[server.name][:10] not in (await browser.get(f"/listings/{listing.id}")).text


@pytest.mark.parametrize("request_name", ["favourite", "boost", "dislike"])
async def test_what_people_press_is_kept_and_nowhere_counted(town: Town, server: Server, request_name: str) -> None:
    listing = await town.list_something()
    before = (await town.get(listing.uri)).json()
    if request_name not in server.requests:
        request_name = "favourite"
    assert await town.bring(server, request_name, listing) == 202
    with town.instance.database.read() as connection:
        (kept,) = connection.execute(select(reaction.c.actor, reaction.c.listing_id)).all()
    assert tuple(kept) == (server.person, listing.id)
    assert (await town.get(listing.uri)).json() == before
    assert town.sent_to(server) == []


@pytest.mark.attack("S22", "S29")
async def test_nothing_is_taken_that_somebody_changed_on_the_way(town: Town, server: Server) -> None:
    """Attacks S22 and S29, in the shape of each server."""
    listing = await town.list_something()
    mallory = f"https://{server.host}/users/mallory"
    # Mastodon forwards with a linked data signature and would come back sixteen times: it is thanked, and nothing taken.
    forwards = "signature" in server.requests["public_reply"]["body"]
    assert await town.bring(server, "public_reply", listing, actor=mallory) == (202 if forwards else 401)
    other = next(one for one in town.servers.values() if one is not server)
    body = server.requests["follow"]["body"]
    assert await town.post(other, f"{BOARD}/inbox", body) == 401
    assert (town.letters(), town.answers(listing)) == ([], [])


@pytest.mark.attack("S40", "S41")
async def test_nobody_edits_or_deletes_the_reply_of_another(town: Town, server: Server) -> None:
    """Attacks S40, S41: Carol of Mastodon, or Dana, tries."""
    listing = await town.list_something()
    await replied(town, server, listing)
    other = town.servers["gotosocial" if server.name == "mastodon_4_5" else "mastodon_4_5"]
    reply: dict[str, Any] = server.requests["public_reply"]["body"]["object"]
    await town.post(
        other,
        f"{BOARD}/inbox",
        {
            "@context": AS2,
            "id": f"https://{other.host}/x/1",
            "type": "Delete",
            "actor": other.person,
            "object": reply["id"],
        },
    )
    forged = {**reply, "attributedTo": other.person, "content": "<p>forged</p>", "inReplyTo": listing.uri}
    await town.post(
        other,
        f"{BOARD}/inbox",
        {"@context": AS2, "id": f"https://{other.host}/x/2", "type": "Update", "actor": other.person, "object": forged},
    )
    assert [state for _, state, _ in town.letters()] == ["done", "refused", "refused"]
    (answer,) = town.answers(listing)
    assert answer.message == WORDS[server.name]
