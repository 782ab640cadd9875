"""A member who posts under their own name: the member says it, the board announces it, and neighbours read it alike."""

import json
from dataclasses import replace
from typing import Any

from activitypub.vocabulary import AS2
from fedaid.board import commands, queries
from fedaid.foundation.viewer import SIGNED_OUT
from tests.board.test_board_pages import FORM, body, visit
from tests.board.test_board_shapes import note_of
from tests.board.world import BEN, BOARD, PUBLIC, RIVER_BOARD, World, activity, foreign_note
from tests.small_house import NORTH, RIVER

ANA = f"{NORTH}/users/ana"


def test_the_member_is_the_author_and_the_board_announces_it_in_both_forms(world: World) -> None:
    listing = world.post(own_name=True)
    create, whole, short = world.sent()
    note = note_of(listing.id)
    expected: dict[str, Any] = {**note, "attributedTo": ANA, "cc": [f"{ANA}/followers", BOARD]}
    expected["publishes"] = {**note["publishes"], "receiver": ANA}
    expected["reciprocal"] = {**note["reciprocal"], "provider": ANA}
    assert create["object"] == expected
    assert (create["type"], create["actor"], create["to"], create["cc"]) == (
        "Create",
        ANA,
        [PUBLIC],
        [f"{ANA}/followers", BOARD],
    )
    announced = {
        "@context": AS2,
        "type": "Announce",
        "actor": BOARD,
        "published": "2026-09-01T09:00:00Z",
        "to": [PUBLIC],
        "cc": [f"{BOARD}/followers", ANA],
    }
    assert whole == {**announced, "id": whole["id"], "object": create}
    assert short == {**announced, "id": short["id"], "object": listing.uri}
    rows = world.posted()
    assert [(row.actor, row.followers_of, row.public) for row in rows] == [
        (ANA, ANA, True),
        (BOARD, BOARD, False),  # it holds the listing's words, which may be taken down
        (BOARD, BOARD, True),
    ]


def test_what_changes_later_reaches_the_boards_followers_from_the_author(world: World) -> None:
    listing = world.post(own_name=True)
    with world.units.begin() as work:
        commands.edit_listing(work, world.ana, listing.id, world.posting(title="Help moving a sofa"))
    with world.units.begin() as work:
        commands.withdraw_listing(work, world.ana, listing.id)
    rows = world.posted()[3:]
    assert [(row.type, row.actor, row.followers_of, row.and_followers_of) for row in rows] == [
        ("Update", ANA, ANA, BOARD),
        ("Announce", BOARD, BOARD, None),
        ("Delete", ANA, ANA, BOARD),
        ("Announce", BOARD, BOARD, None),
    ]
    assert [json.loads(row.body)["object"].get("type") for row in rows if row.type == "Announce"] == [
        "Update",
        "Delete",
    ]


def test_answers_are_asked_of_the_member_and_given_by_the_member(world: World) -> None:
    listing = world.post(own_name=True)
    answer = world.respond(world.bea, listing)
    assert answer.asked_actor == ANA
    assert {row.actor for row in world.posted()} == {ANA, BOARD}


def test_everybody_sees_the_name_of_who_chose_to_show_it(world: World) -> None:
    hidden, shown = world.post(), world.post(own_name=True)
    with world.house.database.read() as connection:
        found = queries.noticed(connection, SIGNED_OUT, [hidden, shown], world.house.names.host)
    assert [one.author and one.author.name for one in found] == [None, "Ana Nightingale"]


def test_both_forms_of_a_neighbours_announcement_make_one_listing(world: World) -> None:
    note = foreign_note(attributedTo=BEN)
    create = activity("Create", BEN, note)
    for number, announced in enumerate((create, note["id"])):
        letter = activity("Announce", RIVER_BOARD, announced, 10 + number)
        assert world.wants(letter) == [note["id"]]
        assert world.receive(letter, {note["id"]: note})
    with world.house.database.read() as connection:
        page = queries.board(connection, world.bea, queries.Filters(), world.now, world.house.names.host)
    (one,) = page.listings
    assert (one.listing.author_actor, one.author and one.author.name, one.board.uri) == (BEN, "Ben", RIVER_BOARD)


def test_a_listing_reads_the_same_by_its_board_and_by_a_neighbour(world: World) -> None:
    """Only who is asked differs between the two forms."""
    by_board, by_ben = foreign_note(7), foreign_note(8, attributedTo=BEN)
    world.receive(activity("Create", RIVER_BOARD, by_board, 1))
    world.receive(activity("Announce", RIVER_BOARD, by_ben["id"], 2), {by_ben["id"]: by_ben})
    first, second = world.listing_at(by_board["id"]), world.listing_at(by_ben["id"])
    assert first is not None
    assert second is not None
    same = {"id": 0, "uri": "", "page": "", "primary_uri": "", "reciprocal_uri": ""}
    assert replace(first, **same) == replace(second, **same, author_actor=RIVER_BOARD)


def test_an_update_and_a_delete_by_the_neighbour_are_taken_although_only_the_board_is_followed(world: World) -> None:
    note = foreign_note(attributedTo=BEN)
    world.receive(activity("Announce", RIVER_BOARD, note["id"]), {note["id"]: note})
    newer = foreign_note(attributedTo=BEN, name="Someone to read", updated="2026-09-01T08:00:00Z")
    assert world.receive(activity("Update", BEN, newer, 2))
    found = world.listing_at(note["id"])
    assert found is not None
    assert found.title == "Someone to read"
    assert world.receive(activity("Delete", BEN, note["id"], 3))
    gone = world.listing_at(note["id"])
    assert gone is not None
    assert gone.state == "withdrawn"


def test_comments_are_never_announced(world: World) -> None:
    listing = world.post(own_name=True)
    before = len(world.sent())
    reply = {
        "id": f"{RIVER}/notes/1",
        "type": "Note",
        "attributedTo": BEN,
        "inReplyTo": listing.uri,
        "content": "<p>Me!</p>",
        "to": [PUBLIC],
    }
    assert world.receive(activity("Create", BEN, reply, 2))
    assert len(world.sent()) == before


def test_the_composer_asks_whether_to_post_under_ones_own_name(world: World) -> None:
    ana = visit(world, world.ana)
    assert 'name="own_name"' in body(ana, "/post?kind=request")
    assert ana.post("/post?kind=request", data={**FORM, "own_name": "1"}).status_code == 303
    assert ana.post("/post?kind=request", data=FORM).status_code == 303
    assert [one["actor"] for one in world.sent() if one["type"] == "Create"] == [ANA, BOARD]
    refused = ana.post("/post?kind=request", data={**FORM, "own_name": "1", "title": ""})
    assert 'value="1" checked' in refused.text
