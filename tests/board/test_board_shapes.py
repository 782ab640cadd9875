"""What leaves us, letter by letter, and that nothing private is in it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from activitypub.vocabulary import LISTING_CONTEXT
from fedaid.board import commands
from fedaid.board.rules import Kind, Mode
from fedaid.board.wire.shapes import quantity
from tests.board.world import BEN, BOARD, CAROL, PUBLIC, RIVER_BOARD, World, activity, foreign_note
from tests.small_house import NORTH, RIVER, START

FOLLOWERS = f"{BOARD}/followers"


def note_of(listing_id: int) -> dict[str, Any]:
    uri = f"{NORTH}/listings/{listing_id}"
    content = (
        "<p><strong>Request: Help moving furniture</strong><br>"
        "When: Sat 5 Sep 2026, 10:00-12:00 (Europe/London)<br>"
        "Where: near Rose Street (approximate)<br>Time credit: 2 hours</p>"
        "<p>Two people needed for a sofa.</p>"
        f'<p>Reply to this post, or open <a href="{uri}">northside.example/listings/{listing_id}</a>'
        " to offer help.</p>"
    )
    return {
        "id": uri,
        "type": "Note",
        "attributedTo": BOARD,
        "audience": BOARD,
        "to": [PUBLIC],
        "cc": [FOLLOWERS, BOARD],
        "published": "2026-09-01T09:00:00Z",
        "url": uri,
        "name": "Help moving furniture",
        "purpose": "request",
        "content": content,
        "contentMap": {"en": content},
        "sensitive": False,
        "hasEnd": "2026-09-15T09:00:00Z",
        "startTime": "2026-09-05T09:00:00Z",
        "endTime": "2026-09-05T11:00:00Z",
        "location": {
            "type": "Place",
            "name": "near Rose Street",
            "latitude": 51.52,
            "longitude": -0.0884,
            "radius": 500,
            "units": "m",
        },
        "publishes": {
            "id": f"{uri}#primary",
            "type": "Intent",
            "action": "deliverService",
            "receiver": BOARD,
            "hasBeginning": "2026-09-05T09:00:00Z",
            "hasEnd": "2026-09-05T11:00:00Z",
            "resourceConformsTo": f"{NORTH}/categories/moving",
            "resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "2"},
            "effortQuantity": {"hasUnit": "hour", "hasNumericalValue": "2"},
        },
        "reciprocal": {
            "id": f"{uri}#reciprocal",
            "type": "Intent",
            "action": "transfer",
            "provider": BOARD,
            "resourceConformsTo": f"{NORTH}/ledger",
            "resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "2"},
        },
        "tag": [
            {"type": "Hashtag", "name": "#moving", "href": f"{NORTH}/tags/moving"},
            {"type": "Mention", "href": BOARD, "name": "@board@northside.example"},
        ],
    }


def test_a_listing_leaves_as_a_note_by_its_board(world: World) -> None:
    listing = world.post()
    (sent,) = world.sent()
    assert sent == {
        "@context": LISTING_CONTEXT,
        "id": sent["id"],
        "type": "Create",
        "actor": BOARD,
        "published": "2026-09-01T09:00:00Z",
        "to": [PUBLIC],
        "cc": [FOLLOWERS, BOARD],
        "object": note_of(listing.id),
    }
    (row,) = world.posted()
    assert (row.actor, row.public, row.followers_of) == (BOARD, True, BOARD)


def test_an_offer_names_the_board_as_provider_and_a_gift_asks_nothing(world: World) -> None:
    world.post(kind=Kind.OFFER, mode=Mode.GIFT, minutes=None, lat=None, lon=None, place="", people=3)
    note = world.sent()[0]["object"]
    assert note["purpose"] == "offer"
    assert "reciprocal" not in note
    assert "location" not in note
    assert note["publishes"]["provider"] == BOARD
    assert "receiver" not in note["publishes"]
    assert note["publishes"]["availableQuantity"] == {"hasUnit": "one", "hasNumericalValue": "3"}
    assert "In return: a gift, nothing is asked in return" in note["content"]


def test_a_loan_moves_custody_and_comes_back(world: World) -> None:
    world.post(kind=Kind.OFFER, mode=Mode.LOAN, title="Cordless drill")
    note = world.sent()[0]["object"]
    assert note["publishes"]["action"] == "transferCustody"
    assert note["publishes"]["resourceQuantity"] == {"hasUnit": "one", "hasNumericalValue": "1"}
    assert note["content"].startswith("<p><strong>To borrow: Cordless drill</strong>")


def test_a_moment_is_a_point_in_time(world: World) -> None:
    world.post(starts_at=START + timedelta(days=1), ends_at=None)
    note = world.sent()[0]["object"]
    assert note["publishes"]["hasPointInTime"] == note["startTime"] == "2026-09-02T09:00:00Z"
    assert "hasEnd" not in note["publishes"]


def test_markup_in_what_members_write_is_shown_and_not_obeyed(world: World) -> None:
    world.post(title="<b>Help</b> & hope", description="<script>alert(1)</script>")
    content = world.sent()[0]["object"]["content"]
    assert "&lt;b&gt;Help&lt;/b&gt; &amp; hope" in content
    assert "<script>" not in content


def test_nothing_of_the_member_leaves_in_a_listing(world: World) -> None:
    listing = world.post()
    with world.units.begin() as work:
        commands.edit_listing(work, world.ana, listing.id, world.posting(title="Help moving a sofa"))
    answer = world.respond(world.bea, listing)
    world.accept(answer)
    with world.units.begin() as work:
        commands.withdraw_listing(work, world.ana, listing.id)
    everything = "\n".join(row.body for row in world.posted())
    secrets = ["Ana", "Nightingale", "ana@", "/users/ana", "bea", "Bea", "51.5203", "0.0899", "mail.example"]
    assert [secret for secret in secrets if secret in everything] == []
    assert [json.loads(row.body)["type"] for row in world.posted()] == ["Create", "Update", "Update", "Delete"]


def test_followers_read_in_words_that_a_listing_is_filled(world: World) -> None:
    listing = world.post()
    world.house.clock.pass_seconds(60)
    world.accept(world.respond(world.bea, listing))
    update = world.sent()[-1]
    assert (update["type"], update["actor"]) == ("Update", BOARD)
    assert update["object"]["updated"] == "2026-09-01T09:01:00Z"
    assert update["object"]["publishes"]["finished"] is True
    assert "<br>Filled, thank you.<br>" in update["object"]["content"]
    assert "Reply to this post" not in update["object"]["content"]


def test_a_second_helper_is_still_wanted_after_the_first(world: World) -> None:
    listing = world.post(people=2)
    world.accept(world.respond(world.bea, listing))
    note = world.sent()[-1]["object"]
    assert "People: 2, 1 found" in note["content"]
    assert note["publishes"]["availableQuantity"] == {"hasUnit": "one", "hasNumericalValue": "1"}
    assert "finished" not in note["publishes"]


def test_a_withdrawn_listing_leaves_a_tombstone(world: World) -> None:
    listing = world.post()
    with world.units.begin() as work:
        commands.withdraw_listing(work, world.ana, listing.id)
    deleted = world.sent()[-1]
    assert deleted == {
        "@context": LISTING_CONTEXT,
        "id": deleted["id"],
        "type": "Delete",
        "actor": BOARD,
        "published": "2026-09-01T09:00:00Z",
        "to": [PUBLIC],
        "cc": [FOLLOWERS, BOARD],
        "object": {
            "id": listing.uri,
            "type": "Tombstone",
            "formerType": "Note",
            "deleted": "2026-09-01T09:00:00Z",
        },
    }


def test_answering_a_neighbours_listing_is_an_offer_of_an_agreement_to_its_board(world: World) -> None:
    world.receive(activity("Create", RIVER_BOARD, foreign_note()))
    listing = world.listing_at(f"{RIVER}/listings/7")
    assert listing is not None
    answer = world.respond(world.bea, listing, "I read Spanish.")
    (sent,) = world.sent()
    assert sent == {
        "@context": LISTING_CONTEXT,
        "id": f"{NORTH}/responses/{answer.id}",
        "type": "Offer",
        "actor": world.bea.actor,
        "published": "2026-09-01T09:00:00Z",
        "to": [RIVER_BOARD],
        "object": {
            "type": "Agreement",
            "stipulates": {
                "type": "Commitment",
                "satisfies": f"{RIVER}/listings/7#primary",
                "resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "1.5"},
            },
            "stipulatesReciprocal": {
                "type": "Commitment",
                "satisfies": f"{RIVER}/listings/7#reciprocal",
                "resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "1.5"},
            },
        },
        "content": "<p>I read Spanish.</p>",
    }
    (row,) = world.posted()
    assert (row.actor, row.public, row.followers_of, json.loads(row.recipients)) == (
        world.bea.actor,
        False,
        None,
        [RIVER_BOARD],
    )


def offer_of_ben(world: World, listing_id: int, **changes: Any) -> dict[str, Any]:
    uri = f"{NORTH}/listings/{listing_id}"
    amount = {"resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "2"}}
    agreement = {
        "type": "Agreement",
        "stipulates": {"type": "Commitment", "satisfies": f"{uri}#primary", **amount},
        "stipulatesReciprocal": {"type": "Commitment", "satisfies": f"{uri}#reciprocal", **amount},
    }
    content = {"to": [BOARD], "content": "<p>I can come with a van at 10.</p>"}
    return {**activity("Offer", BEN, agreement), "id": f"{RIVER}/responses/31", **content, **changes}


def test_an_accepted_offer_is_answered_with_the_agreement_that_names_both(world: World) -> None:
    listing = world.post()
    assert world.receive(offer_of_ben(world, listing.id))
    answer = world.response_at(f"{RIVER}/responses/31")
    assert answer is not None
    match_id = world.accept(answer)
    accept = next(one for one in world.sent() if one["type"] == "Accept")
    agreement = f"{NORTH}/agreements/{match_id}"
    amount = {"resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "2"}}
    assert accept == {
        "@context": LISTING_CONTEXT,
        "id": accept["id"],
        "type": "Accept",
        "actor": BOARD,
        "to": [BEN],
        "object": f"{RIVER}/responses/31",
        "result": {
            "id": agreement,
            "type": "Agreement",
            "attributedTo": BOARD,
            "stipulates": {
                "id": f"{agreement}#primary",
                "type": "Commitment",
                "satisfies": f"{listing.uri}#primary",
                "action": "deliverService",
                "provider": BEN,
                "receiver": world.ana.actor,
                **amount,
            },
            "stipulatesReciprocal": {
                "id": f"{agreement}#reciprocal",
                "type": "Commitment",
                "satisfies": f"{listing.uri}#reciprocal",
                "action": "transfer",
                "provider": world.ana.actor,
                "receiver": BEN,
                **amount,
            },
        },
    }
    rows = [row for row in world.posted() if row.type in ("Accept", "Update")]
    assert [(row.type, json.loads(row.recipients), row.public) for row in rows] == [
        ("Accept", [BEN], False),
        ("Update", [BEN], True),
    ]


def test_a_declined_offer_is_rejected_with_the_reason(world: World) -> None:
    listing = world.post()
    world.receive(offer_of_ben(world, listing.id))
    answer = world.response_at(f"{RIVER}/responses/31")
    assert answer is not None
    with world.units.begin() as work:
        commands.decline_response(work, world.ana, answer.id, "Already covered, thank you")
    reject = world.sent()[-1]
    assert reject == {
        "@context": LISTING_CONTEXT,
        "id": reject["id"],
        "type": "Reject",
        "actor": BOARD,
        "to": [BEN],
        "object": f"{RIVER}/responses/31",
        "content": "Already covered, thank you",
    }


def test_an_offer_taken_back_is_undone(world: World) -> None:
    world.receive(activity("Create", RIVER_BOARD, foreign_note()))
    listing = world.listing_at(f"{RIVER}/listings/7")
    assert listing is not None
    answer = world.respond(world.bea, listing)
    with world.units.begin() as work:
        commands.withdraw_response(work, world.bea, answer.id)
    undo = world.sent()[-1]
    assert undo == {
        "@context": LISTING_CONTEXT,
        "id": undo["id"],
        "type": "Undo",
        "actor": world.bea.actor,
        "to": [RIVER_BOARD],
        "object": {"id": answer.uri, "type": "Offer", "actor": world.bea.actor},
    }


def test_somebody_who_just_replied_is_answered_by_a_private_mention(world: World) -> None:
    listing = world.post()
    reply = {
        "id": "https://masto.example/users/carol/statuses/1",
        "type": "Note",
        "attributedTo": CAROL,
        "inReplyTo": listing.uri,
        "content": "<p>I have a van.</p>",
    }
    world.receive(activity("Create", CAROL, reply, to=[BOARD]))
    answer = world.response_at(reply["id"])
    assert answer is not None
    world.accept(answer)
    told = next(one for one in world.sent() if one["type"] == "Create" and one["to"] == [CAROL])
    note = told["object"]
    assert (told["actor"], note["attributedTo"], note["to"], note["cc"]) == (BOARD, BOARD, [CAROL], [])
    assert note["inReplyTo"] == reply["id"]
    assert note["tag"] == [{"type": "Mention", "href": CAROL, "name": "@carol@masto.example"}]
    assert "Your answer to “Help moving furniture” was accepted." in note["content"]
    assert "Ana" not in json.dumps(told)


@pytest.mark.parametrize(
    ("minutes", "unit", "value"),
    [
        (120, "hour", "2"),
        (90, "hour", "1.5"),
        (45, "hour", "0.75"),
        (3, "hour", "0.05"),
        (600, "hour", "10"),
        (50, "minute", "50"),
        (60_000, "hour", "1000"),
    ],
)
def test_hours_are_written_exactly_or_in_minutes(minutes: int, unit: str, value: str) -> None:
    assert quantity(minutes) == {"hasUnit": unit, "hasNumericalValue": value}
