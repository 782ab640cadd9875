"""After a reply: both sides write on, privately; what is deleted loses its words; favourites stay with the author."""

from typing import Any

import pytest
from sqlalchemy import select

from fedaid.board import commands, queries
from fedaid.board.queries import Response
from fedaid.board.rules import ResponseState
from fedaid.board.tables import listing_tombstone, picture, reaction, remark
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import SIGNED_OUT
from tests.board.test_board_pages import body, visit
from tests.board.test_board_shapes import offer_of_ben
from tests.board.world import BEN, BOARD, CAROL, PUBLIC, RIVER_BOARD, World, activity, foreign_note
from tests.small_house import NORTH, RIVER

EVE = "https://masto.example/users/eve"


def note(number: int, in_reply_to: str, author: str = CAROL, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{author}/statuses/{number}",
        "type": "Note",
        "attributedTo": author,
        "inReplyTo": in_reply_to,
        "content": "<p>I have a van.</p>",
        "to": [PUBLIC],
        **changes,
    }


def replied(world: World, listing_uri: str, number: int = 1, **changes: Any) -> Response:
    """Carol's reply to a listing."""
    sent = note(number, listing_uri, **changes)
    assert world.receive(activity("Create", CAROL, sent, number))
    found = world.response_at(sent["id"])
    assert found is not None
    return found


def remarks(world: World) -> list[tuple[str, str]]:
    with world.house.database.read() as connection:
        rows = connection.execute(select(remark.c.author_actor, remark.c.text).order_by(remark.c.id))
        return [(row.author_actor, row.text) for row in rows]


def say(world: World, who: Any, response: Response, words: str) -> None:
    with world.units.begin() as work:
        commands.make_remark(work, who, response.id, words)


def test_the_author_asks_back_by_a_private_mention_and_the_answer_finds_its_place(world: World) -> None:
    listing = world.post()
    answer = replied(world, listing.uri)
    say(world, world.ana, answer, "At ten?")
    asked = world.sent()[-1]
    question = asked["object"]
    assert (asked["actor"], asked["to"], asked["cc"]) == (BOARD, [CAROL], [])
    assert (question["attributedTo"], question["to"], question["cc"]) == (BOARD, [CAROL], [])
    assert question["inReplyTo"] == answer.uri
    assert question["tag"] == [{"type": "Mention", "href": CAROL, "name": "@carol@masto.example"}]
    assert "<p>At ten?</p>" in question["content"]
    back = note(2, question["id"], content="<p>@board Yes, at ten.</p>", to=[BOARD])
    assert world.receive(activity("Create", CAROL, back, 2, to=[BOARD]))
    assert remarks(world) == [(BOARD, "At ten?"), (CAROL, "Yes, at ten.")]
    say(world, world.ana, answer, "Good.")
    assert world.sent()[-1]["object"]["inReplyTo"] == back["id"]
    page = body(visit(world, world.ana), f"/listings/{listing.id}")
    assert page.index("At ten?") < page.index("Yes, at ten.") < page.index("Good.")


def test_what_we_told_somebody_can_be_answered_too(world: World) -> None:
    answer = replied(world, world.post().uri)
    world.accept(answer)
    told = next(one["object"] for one in world.sent() if one.get("to") == [CAROL])
    assert world.receive(activity("Create", CAROL, note(2, told["id"], content="<p>Thanks!</p>"), 2))
    assert remarks(world)[-1] == (CAROL, "Thanks!")


def test_between_fedaid_networks_both_sides_write_after_an_offer(world: World) -> None:
    listing = world.post()
    world.receive(offer_of_ben(world, listing.id))
    answer = world.response_at(f"{RIVER}/responses/31")
    assert answer is not None
    say(world, world.ana, answer, "Which van?")
    assert (world.sent()[-1]["to"], world.sent()[-1]["object"]["inReplyTo"]) == ([BEN], answer.uri)
    world.receive(activity("Create", RIVER_BOARD, foreign_note()))
    theirs = world.listing_at(f"{RIVER}/listings/7")
    assert theirs is not None
    mine = world.respond(world.bea, theirs)
    asked = note(5, mine.uri, RIVER_BOARD, content="<p>Do you read Spanish?</p>", to=[world.bea.actor])
    assert world.receive(activity("Create", RIVER_BOARD, asked, 5))
    say(world, world.bea, mine, "I do.")
    sent = world.sent()[-1]
    assert (sent["actor"], sent["to"], sent["object"]["inReplyTo"]) == (world.bea.actor, [RIVER_BOARD], asked["id"])


def test_neighbours_here_write_to_each_other_and_nothing_leaves(world: World) -> None:
    listing = world.post()
    answer = world.respond(world.bea, listing)
    before = len(world.sent())
    say(world, world.ana, answer, "At ten?")
    say(world, world.bea, answer, "At ten.")
    assert len(world.sent()) == before
    assert "At ten?" in body(visit(world, world.bea), f"/listings/{listing.id}")


@pytest.mark.attack("S47")
def test_nobody_else_writes_or_reads_there(world: World) -> None:
    """Attack S47: others learn nothing, whether they ask or write."""
    listing = world.post()
    answer = replied(world, listing.uri, to=[BOARD])
    for words in ("Let me in", ""):
        with pytest.raises(NotFound):
            say(world, world.bea, answer, words)
    assert not world.receive(activity("Create", EVE, note(1, answer.uri, EVE), 3))
    assert remarks(world) == []
    assert "I have a van" not in body(visit(world, world.bea), f"/listings/{listing.id}")
    assert "I have a van" not in body(visit(world), f"/listings/{listing.id}")


def test_empty_and_endless_words_are_refused_and_kept_in_the_form(world: World) -> None:
    listing = world.post()
    answer = world.respond(world.bea, listing)
    ana = visit(world, world.ana)
    assert "Please write something." in ana.post(f"/responses/{answer.id}/say", data={"text": " "}).text
    long = ana.post(f"/responses/{answer.id}/say", data={"text": "kept words " * 600})
    assert (long.status_code, "kept words" in long.text, remarks(world)) == (422, True, [])
    assert ana.post(f"/responses/{answer.id}/say", data={"text": "Hello"}).status_code == 303


def test_who_joins_in_below_a_public_reply_answers_the_listing(world: World) -> None:
    listing = world.post(people=2)
    public, private = replied(world, listing.uri, 1), replied(world, listing.uri, 2, to=[BOARD])
    assert world.receive(activity("Create", EVE, note(1, public.uri, EVE, content="<p>Me too</p>"), 3))
    joined = world.response_at(f"{EVE}/statuses/1")
    assert joined is not None
    assert (joined.listing_id, joined.message) == (listing.id, "Me too")
    assert not world.receive(activity("Create", EVE, note(2, private.uri, EVE), 4))


@pytest.mark.attack("S40", "S41")
def test_a_remark_is_edited_and_deleted_by_its_author_alone(world: World) -> None:
    """Attacks S40, S41."""
    answer = replied(world, world.post().uri)
    world.receive(activity("Create", CAROL, note(2, answer.uri), 2))
    uri = f"{CAROL}/statuses/2"
    assert world.receive(activity("Update", CAROL, note(2, answer.uri, content="<p>Two vans.</p>"), 3))
    assert remarks(world) == [(CAROL, "Two vans.")]
    with pytest.raises(NotAllowed):
        world.receive(activity("Update", EVE, note(2, answer.uri, attributedTo=EVE), 4))
    with pytest.raises(NotAllowed):
        world.receive(activity("Delete", EVE, uri, 5))
    assert world.receive(activity("Delete", CAROL, {"id": uri, "type": "Tombstone"}, 6))
    assert remarks(world) == []


def test_a_deleted_reply_loses_its_words_and_waits_no_more(world: World) -> None:
    listing = world.post()
    answer = replied(world, listing.uri, attachment=[PICTURE])
    world.receive(activity("Delete", CAROL, answer.uri, 2))
    gone = world.response(answer.id)
    assert (gone.state, gone.message) == (ResponseState.WITHDRAWN, "")
    assert stored_pictures(world) == 0


def test_what_was_agreed_stands_when_the_reply_is_deleted_later(world: World) -> None:
    listing = world.post()
    answer = replied(world, listing.uri)
    world.accept(answer)
    assert world.receive(activity("Delete", CAROL, answer.uri, 2))
    found = world.response(answer.id)
    assert (found.state, found.message) == (ResponseState.ACCEPTED, "")
    assert world.listing(listing.id).state == "filled"


def test_an_account_that_is_gone_leaves_no_words(world: World) -> None:
    listing = world.post(people=2)
    answer = replied(world, listing.uri)
    world.receive(activity("Create", CAROL, note(2, answer.uri), 2))
    world.receive(activity("Like", CAROL, listing.uri, 3))
    assert not world.receive(activity("Delete", CAROL, CAROL, 4))  # left to the room of actors, which forgets the rest
    gone = world.response(answer.id)
    assert (gone.state, gone.message, remarks(world), reactions(world)) == (ResponseState.WITHDRAWN, "", [], [])


PICTURE = {"type": "Document", "mediaType": "image/png", "url": "https://files.example/1.png", "name": "a van"}


def stored_pictures(world: World) -> int:
    with world.house.database.read() as connection:
        return len(connection.execute(select(picture.c.id)).all())


def test_a_warning_folds_and_a_picture_is_shown_with_its_description(world: World) -> None:
    listing = world.post()
    emoji = {"type": "Emoji", "name": ":van:", "icon": {"type": "Image", "url": "https://files.example/van.png"}}
    content = '<p>My :van: <a href="https://masto.example/:van:">here</a></p>'
    replied(world, listing.uri, summary="heavy", attachment=[PICTURE], tag=[emoji], content=content)
    page = body(visit(world, world.ana), f"/listings/{listing.id}")
    assert '<details class="fold"><summary>heavy</summary>' in page
    assert 'alt="a van" loading="lazy"' in page
    assert page.count('alt=":van:"') == 1


@pytest.mark.attack("S47")
def test_the_pictures_of_an_answer_are_shown_to_its_two_sides_only(world: World) -> None:
    """Attack S47."""
    replied(world, world.post().uri, attachment=[PICTURE])
    with world.house.database.read() as connection:
        number = connection.execute(select(picture.c.id)).scalar_one()
        assert queries.picture(connection, world.ana, number).url == PICTURE["url"]
        for number_asked, who in ((number, world.bea), (number + 1, world.ana)):
            with pytest.raises(NotFound):
                queries.picture(connection, who, number_asked)


def reactions(world: World) -> list[tuple[str, str, str]]:
    with world.house.database.read() as connection:
        rows = connection.execute(select(reaction).order_by(reaction.c.id))
        return [(row.actor, row.kind, row.emoji) for row in rows]


def test_favourites_and_boosts_are_kept_once_and_only_their_author_sees_them(world: World) -> None:
    listing = world.post()
    sent = len(world.sent())
    for number, (kind, more) in enumerate(
        [("Like", {}), ("Like", {}), ("EmojiReact", {"content": "👍"}), ("Dislike", {}), ("Announce", {})]
    ):
        assert world.receive(activity(kind, CAROL, listing.uri, number, **more))
    assert reactions(world) == [
        (CAROL, "like", ""),
        (CAROL, "emoji", "👍"),
        (CAROL, "dislike", ""),
        (CAROL, "boost", ""),
    ]
    assert len(world.sent()) == sent
    shown = "liked 2 times, passed on 1 time."
    assert shown in body(visit(world, world.ana), f"/listings/{listing.id}")
    for who in (None, world.bea):
        assert "liked" not in body(visit(world, who), f"/listings/{listing.id}")


@pytest.mark.attack("S44")
def test_a_favourite_is_taken_back_by_who_gave_it(world: World) -> None:
    """Attack S44."""
    listing = world.post()
    world.receive(activity("Like", CAROL, listing.uri, 1))
    like = {"id": "https://masto.example/activities/1", "type": "Like", "actor": CAROL, "object": listing.uri}
    with pytest.raises(NotAllowed):
        world.receive(activity("Undo", EVE, {**like, "actor": EVE}, 2))
    assert world.receive(activity("Undo", CAROL, like, 3))
    assert reactions(world) == []
    world.receive(activity("Announce", CAROL, listing.uri, 4))
    without_id = {"type": "Announce", "actor": CAROL, "object": listing.uri}
    assert world.receive(activity("Undo", EVE, {**without_id, "actor": EVE}, 5))
    assert reactions(world) == [(CAROL, "boost", "")]
    assert world.receive(activity("Undo", CAROL, without_id, 6))
    assert reactions(world) == []


def test_a_favourite_of_something_else_is_nobodys(world: World) -> None:
    for about in (f"{NORTH}/listings/1", f"{RIVER}/listings/7", BOARD):
        assert not world.receive(activity("Like", CAROL, about))


def test_a_flood_of_remarks_stops(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedaid.board.commands.remarks.REMARKS_MAX", 1)
    answer = replied(world, world.post().uri)
    world.receive(activity("Create", CAROL, note(2, answer.uri), 2))
    with pytest.raises(Refused) as refused:
        world.receive(activity("Create", CAROL, note(3, answer.uri), 3))
    assert refused.value.status == 429


@pytest.mark.attack("S41")
def test_what_was_deleted_does_not_come_late(world: World) -> None:
    """Attack S41: a Delete that overtakes its Create, and a Create that is made again."""
    listing = world.post()
    early = note(7, listing.uri)
    assert not world.receive(activity("Delete", CAROL, early["id"], 1))
    assert world.receive(activity("Create", CAROL, early, 2))
    assert world.response_at(early["id"]) is None
    answer = replied(world, listing.uri)
    remark_after = note(8, answer.uri)
    for number in (3, 5):
        world.receive(activity("Create", CAROL, remark_after, number))
        world.receive(activity("Delete", CAROL, remark_after["id"], number + 1))
    world.receive(activity("Create", CAROL, remark_after, 9))
    assert remarks(world) == []


@pytest.mark.attack("S41", "S90")
def test_nobody_keeps_the_words_of_another_server_away_and_nobody_fills_us_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attacks S41, S90."""
    listing = world.post()
    theirs = note(1, listing.uri)
    assert not world.receive(activity("Delete", BEN, theirs["id"], 1))
    replied(world, listing.uri)
    monkeypatch.setattr("fedaid.board.commands.tombstones.TOMBSTONES_OF_ONE_MAX", 3)
    for number in range(10):
        world.receive(activity("Delete", EVE, f"{EVE}/statuses/{number}", number))
    with world.house.database.read() as connection:
        owners = connection.execute(select(listing_tombstone.c.owner)).scalars().all()
    assert owners == [EVE] * 3
    world.house.clock.pass_seconds(61 * 24 * 3600)
    with world.units.begin() as work:
        assert commands.forget_tombstones(work) == 3


def test_the_pictures_of_a_neighbours_listing_are_for_everybody_and_go_with_it(world: World) -> None:
    world.receive(activity("Create", RIVER_BOARD, foreign_note(attachment=[PICTURE], summary="heavy")))
    found = world.listing_at(f"{RIVER}/listings/7")
    assert found is not None
    page = body(visit(world), f"/listings/{found.id}")
    assert ('alt="a van"' in page, "<summary>heavy</summary>" in page) == (True, True)
    with world.house.database.read() as connection:
        (number,) = connection.execute(select(picture.c.id)).scalars().all()
        assert queries.picture(connection, SIGNED_OUT, number).url == PICTURE["url"]
    newer = foreign_note(updated="2026-09-01T08:00:00Z")
    world.receive(activity("Update", RIVER_BOARD, newer, 2))
    assert stored_pictures(world) == 0


def test_an_accept_is_told_however_much_was_written_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = replied(world, world.post().uri)
    monkeypatch.setattr("fedaid.board.commands.remarks.REMARKS_MAX", 0)
    world.accept(answer)
    assert "was accepted" in str(world.sent()[-2:])
