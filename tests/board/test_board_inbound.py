"""What others may make happen on the board, and what they may not."""

from typing import Any

import pytest
from sqlalchemy import select

from activitypub.errors import OriginMismatch
from fedaid.board import commands, queries
from fedaid.board.commands.pictures import keep_pictures
from fedaid.board.rules import ListingState, MatchState, Picture, ResponseState
from fedaid.board.tables import picture
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.network import commands as network
from fedaid.network.rules.restrictions import Severity, Terms, chosen_target
from tests.board.test_board_shapes import offer_of_ben
from tests.board.world import BEN, BOARD, CAROL, PUBLIC, RIVER_BOARD, World, activity, follow_board, foreign_note
from tests.small_house import NORTH, RIVER

EVE = f"{RIVER}/users/eve"
EVIL_BOARD = "https://evil.example/groups/board"
LISTING_7 = f"{RIVER}/listings/7"


def arrived(world: World) -> Any:
    """Riverside's listing, received."""
    assert world.receive(activity("Create", RIVER_BOARD, foreign_note()))
    found = world.listing_at(LISTING_7)
    assert found is not None
    return found


# listings


def test_a_listing_of_a_followed_board_reaches_ours(world: World) -> None:
    found = arrived(world)
    assert (found.local, found.board_actor, found.host) == (False, RIVER_BOARD, "riverside.example")
    assert (found.title, found.minutes, found.mode, found.category) == (
        "Someone to read with my son",
        90,
        "hours",
        "learning",
    )


@pytest.mark.parametrize("shown", [[], ["https://files.example/new.png"]])
def test_a_new_listing_has_its_own_pictures_and_none_that_were_kept_under_its_id(
    world: World, shown: list[str]
) -> None:
    with world.units.begin() as work:
        keep_pictures(work, LISTING_7, [Picture("https://files.example/old.png", "a van")])
    attached = [{"type": "Document", "mediaType": "image/png", "url": url} for url in shown]
    assert world.receive(activity("Create", RIVER_BOARD, foreign_note(attachment=attached)))
    with world.house.database.read() as connection:
        assert connection.execute(select(picture.c.url)).scalars().all() == shown


def test_a_listing_of_a_board_nobody_here_follows_is_not_stored(world: World) -> None:
    note = foreign_note(id="https://evil.example/listings/1", attributedTo=EVIL_BOARD)
    assert not world.receive(activity("Create", EVIL_BOARD, note))
    assert world.listing_at("https://evil.example/listings/1") is None


def test_a_listing_that_is_not_public_is_not_stored(world: World) -> None:
    assert not world.receive(activity("Create", RIVER_BOARD, foreign_note(to=[BEN], cc=[])))


@pytest.mark.attack("S11")
def test_a_forged_author_is_not_believed(world: World) -> None:
    """Attack S11: the object of somebody else is only taken from its own server."""
    note = foreign_note(id="https://b.example/n/9", attributedTo="https://b.example/users/bob")
    assert not world.receive(activity("Create", RIVER_BOARD, note))
    assert world.listing_at("https://b.example/n/9") is None


def test_a_note_of_which_only_the_id_came_is_read_at_its_own_server(world: World) -> None:
    create = activity("Create", RIVER_BOARD, LISTING_7)
    assert world.wants(create) == [LISTING_7]
    assert not world.receive(create)
    assert world.receive(create, {LISTING_7: foreign_note()})
    assert world.listing_at(LISTING_7) is not None


def test_a_fetched_note_of_another_author_is_refused(world: World) -> None:
    create = activity("Create", RIVER_BOARD, LISTING_7)
    with pytest.raises(OriginMismatch):
        world.receive(create, {LISTING_7: foreign_note(attributedTo=EVE)})
    with pytest.raises(OriginMismatch):
        world.receive(create, {LISTING_7: foreign_note(8)})


@pytest.mark.attack("S51")
def test_nobody_claims_an_id_or_an_author_of_ours(world: World) -> None:
    """Attack S51."""
    ours = world.post()
    forged = foreign_note(id=ours.uri, attributedTo=BOARD)
    assert not world.receive(activity("Create", RIVER_BOARD, forged))
    announce = activity("Announce", RIVER_BOARD, ours.uri)
    assert world.receive(announce, {ours.uri: forged})  # a boost of ours: what came with it is not looked at
    assert world.listing(ours.id) == ours


@pytest.mark.attack("S57")
def test_the_same_id_is_not_given_twice(world: World) -> None:
    """Attack S57: a second Create changes nothing, by the owner or by somebody else."""
    before = arrived(world)
    world.receive(activity("Create", RIVER_BOARD, foreign_note(name="Changed"), 2))
    assert world.listing_at(LISTING_7) == before
    forged = foreign_note(attributedTo=EVE, name="Eve's", updated="2026-09-01T08:00:00Z")
    with pytest.raises(NotAllowed):
        world.receive(activity("Announce", RIVER_BOARD, LISTING_7), {LISTING_7: forged})
    assert world.listing_at(LISTING_7) == before


def test_an_update_by_the_author_is_taken_and_an_older_one_is_not(world: World) -> None:
    arrived(world)
    newer = foreign_note(name="Someone to read", updated="2026-09-01T08:00:00Z")
    newer["publishes"] = {**newer["publishes"], "finished": True}
    assert world.receive(activity("Update", RIVER_BOARD, newer, 2))
    found = world.listing_at(LISTING_7)
    assert found is not None
    assert (found.title, found.state) == ("Someone to read", ListingState.FILLED)
    older = foreign_note(name="Long ago", updated="2026-08-31T09:00:00Z")
    world.receive(activity("Update", RIVER_BOARD, older, 3))
    assert world.listing_at(LISTING_7) == found


@pytest.mark.attack("S40")
def test_nobody_else_updates_a_listing(world: World) -> None:
    """Attack S40: also not from the same server."""
    before = arrived(world)
    forged = foreign_note(attributedTo=EVE, name="Eve's", updated="2026-09-01T08:00:00Z")
    with pytest.raises(NotAllowed):
        world.receive(activity("Update", EVE, forged, 2))
    assert world.listing_at(LISTING_7) == before


@pytest.mark.attack("S41")
def test_nobody_else_deletes_a_listing(world: World) -> None:
    """Attack S41."""
    before = arrived(world)
    for actor in (EVE, CAROL):
        with pytest.raises(NotAllowed):
            world.receive(activity("Delete", actor, LISTING_7, 2))
    assert world.listing_at(LISTING_7) == before
    ours = world.post()
    assert not world.receive(activity("Delete", RIVER_BOARD, ours.uri, 3))
    assert world.listing(ours.id) == ours


def test_a_deleted_listing_leaves_and_a_late_create_does_not_bring_it_back(world: World) -> None:
    arrived(world)
    assert world.receive(activity("Delete", RIVER_BOARD, {"id": LISTING_7, "type": "Tombstone"}, 2))
    world.receive(activity("Create", RIVER_BOARD, foreign_note(updated="2026-09-01T08:30:00Z"), 3))
    found = world.listing_at(LISTING_7)
    assert found is not None
    assert (found.state, found.description, found.content_html) == (ListingState.WITHDRAWN, "", "")


def test_a_delete_that_comes_before_its_create_holds(world: World) -> None:
    assert world.receive(activity("Delete", RIVER_BOARD, LISTING_7))
    world.receive(activity("Create", RIVER_BOARD, foreign_note(), 2))
    assert world.listing_at(LISTING_7) is None
    assert not world.receive(activity("Delete", CAROL, "https://masto.example/users/carol/statuses/5"))


@pytest.mark.attack("S41")
def test_no_board_deletes_the_listing_of_another_server_before_it_comes(world: World) -> None:
    """Attack S41: the Create that was to be kept from us still counts."""
    with world.units.begin() as work:
        follow_board(work, EVIL_BOARD)
    with pytest.raises(NotAllowed):
        world.receive(activity("Delete", EVIL_BOARD, LISTING_7))
    assert arrived(world)


def test_a_neighbour_who_posts_under_their_own_name_comes_with_the_boards_announce(world: World) -> None:
    announce = activity("Announce", RIVER_BOARD, LISTING_7)
    assert world.wants(announce) == [LISTING_7]
    assert world.receive(announce, {LISTING_7: foreign_note(attributedTo=BEN)})
    found = world.listing_at(LISTING_7)
    assert found is not None
    assert (found.author_actor, found.board_actor) == (BEN, RIVER_BOARD)


@pytest.mark.attack("S45")
def test_an_announced_activity_gives_its_object_only_as_its_own_server_has_it(world: World) -> None:
    """Attack S45."""
    inner = activity("Create", BEN, foreign_note(attributedTo=BEN, name="As the board says"))
    announce = activity("Announce", RIVER_BOARD, inner, 2)
    assert world.wants(announce) == [LISTING_7]
    assert world.receive(announce, {LISTING_7: foreign_note(attributedTo=BEN)})
    found = world.listing_at(LISTING_7)
    assert found is not None
    assert found.title == "Someone to read with my son"


def test_what_strangers_announce_is_not_even_fetched(world: World) -> None:
    assert world.wants(activity("Announce", CAROL, LISTING_7)) == []
    assert not world.receive(activity("Announce", CAROL, LISTING_7), {LISTING_7: foreign_note()})


@pytest.mark.attack("S48")
def test_a_blocked_servers_listing_does_not_come_in_through_another_board(world: World) -> None:
    """Attack S48."""
    with world.units.begin() as work:
        network.restrict(work, chosen_target("evil.example"), Terms(Severity.BLOCK))
    uri = "https://evil.example/listings/1"
    note = foreign_note(id=uri, url=uri, attributedTo="https://evil.example/users/eve")
    with pytest.raises(NotAllowed):
        world.receive(activity("Announce", RIVER_BOARD, uri), {uri: note})


# responses


def test_an_offer_from_another_network_waits_for_the_author(world: World) -> None:
    listing = world.post()
    assert world.receive(offer_of_ben(world, listing.id))
    with world.house.database.read() as connection:
        (answer,) = queries.responses(connection, world.ana, listing)
    assert (answer.helper.name, answer.helper.handle) == ("Ben", "@ben@riverside.example")
    assert (answer.response.message, answer.response.minutes) == ("I can come with a van at 10.", 120)


@pytest.mark.parametrize("value", ["-1", "0", "100000", "NaN", "1e9", "", "two"])
def test_an_offer_of_impossible_hours_is_refused(world: World, value: str) -> None:
    listing = world.post()
    offer = offer_of_ben(world, listing.id)
    offer["object"]["stipulates"]["resourceQuantity"]["hasNumericalValue"] = value
    with pytest.raises(Exception, match="bad_hours"):
        world.receive(offer)
    assert world.response_at(offer["id"]) is None


def test_offers_that_are_not_about_a_listing_of_ours_are_left_to_other_rooms(world: World) -> None:
    assert not world.receive(activity("Offer", BEN, {"type": "EconomicEvent", "action": "transfer"}))
    elsewhere = {"type": "Agreement", "stipulates": {"type": "Commitment", "satisfies": f"{RIVER}/listings/1#primary"}}
    assert not world.receive(activity("Offer", BEN, elsewhere))
    with pytest.raises(NotFound):
        world.receive(offer_of_ben(world, 1))


def test_the_same_offer_again_changes_nothing_and_its_id_is_not_for_others(world: World) -> None:
    listing = world.post()
    world.receive(offer_of_ben(world, listing.id))
    assert world.receive(offer_of_ben(world, listing.id))
    with pytest.raises(NotAllowed):
        world.receive({**offer_of_ben(world, listing.id), "actor": EVE})
    with world.house.database.read() as connection:
        assert len(queries.responses(connection, world.ana, listing)) == 1


def test_anybody_of_the_fediverse_answers_by_a_reply_public_or_private(world: World) -> None:
    listing = world.post()
    mention = '<p><a href="x" class="mention">@board</a> I have a van.<br>And straps.</p>'
    for number, to in ((1, [PUBLIC]), (2, [BOARD])):
        note = {
            "id": f"https://masto.example/users/carol/statuses/{number}",
            "type": "Note",
            "attributedTo": CAROL,
            "inReplyTo": listing.uri,
            "content": mention,
            "to": to,
        }
        assert world.receive(activity("Create", CAROL, note, number, to=to))
    with world.house.database.read() as connection:
        answers = queries.responses(connection, world.ana, listing)
    assert [one.response.message for one in answers] == ["I have a van.\nAnd straps."] * 2
    assert {one.response.form for one in answers} == {"message"}


def reply(world: World, listing_id: int, number: int = 1, **changes: Any) -> dict[str, Any]:
    note = {
        "id": f"https://masto.example/users/carol/statuses/{number}",
        "type": "Note",
        "attributedTo": CAROL,
        "inReplyTo": f"{NORTH}/listings/{listing_id}",
        "content": "<p>I have a van.</p>",
    }
    return {**note, **changes}


def test_a_reply_can_be_edited_and_deleted_by_its_author_alone(world: World) -> None:
    listing = world.post()
    world.receive(activity("Create", CAROL, reply(world, listing.id)))
    uri = reply(world, listing.id)["id"]
    world.receive(activity("Update", CAROL, reply(world, listing.id, content="<p>And a trolley.</p>"), 2))
    edited = world.response_at(uri)
    assert edited is not None
    assert edited.message == "And a trolley."
    other = "https://masto.example/users/dave"
    with pytest.raises(NotAllowed):
        world.receive(activity("Update", other, reply(world, listing.id, attributedTo=other), 3))
    with pytest.raises(NotAllowed):
        world.receive(activity("Delete", other, uri, 4))
    assert world.receive(activity("Delete", CAROL, uri, 5))
    gone = world.response_at(uri)
    assert gone is not None
    assert gone.state is ResponseState.WITHDRAWN


def test_a_flood_of_replies_from_one_account_stops_at_a_few(world: World) -> None:
    listing = world.post()
    for number in range(5):
        world.receive(activity("Create", CAROL, reply(world, listing.id, number), number))
    with pytest.raises(Refused) as refused:
        world.receive(activity("Create", CAROL, reply(world, listing.id, 9), 9))
    assert refused.value.status == 429


def test_somebody_who_replied_twice_is_accepted_once(world: World) -> None:
    listing = world.post(people=2)
    for number in (1, 2):
        world.receive(activity("Create", CAROL, reply(world, listing.id, number), number))
    first = world.response_at(reply(world, listing.id, 1)["id"])
    assert first is not None
    world.accept(first)
    second = world.response_at(reply(world, listing.id, 2)["id"])
    assert second is not None
    assert second.state is ResponseState.WITHDRAWN


def test_a_listing_that_is_filled_takes_no_more_offers(world: World) -> None:
    listing = world.post()
    world.accept(world.respond(world.bea, listing))
    with pytest.raises(Refused):
        world.receive(offer_of_ben(world, listing.id))


@pytest.mark.attack("S44")
def test_an_offer_is_taken_back_by_its_sender_alone(world: World) -> None:
    """Attack S44."""
    listing = world.post()
    world.receive(offer_of_ben(world, listing.id))
    undone = {"id": f"{RIVER}/responses/31", "type": "Offer", "actor": BEN}
    with pytest.raises(NotAllowed):
        world.receive(activity("Undo", EVE, {**undone, "actor": EVE}, 2))
    answer = world.response_at(f"{RIVER}/responses/31")
    assert answer is not None
    world.accept(answer)
    assert world.listing(listing.id).state is ListingState.FILLED
    assert world.receive(activity("Undo", BEN, undone, 3))
    assert world.listing(listing.id).state is ListingState.OPEN
    assert world.receive(activity("Undo", BEN, undone, 4))
    assert not world.receive(activity("Undo", BEN, {"id": f"{RIVER}/follows/1", "type": "Follow"}, 5))


# answers


def asked(world: World) -> str:
    """Bea's offer on Riverside's listing; its id."""
    return world.respond(world.bea, arrived(world)).uri


def accept_of(world: World, offer: str, **changes: Any) -> dict[str, Any]:
    agreement = f"{RIVER}/agreements/12"
    stipulates = {
        "id": f"{agreement}#primary",
        "type": "Commitment",
        "satisfies": f"{LISTING_7}#primary",
        "provider": world.bea.actor,
        "receiver": BEN,
        "resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "1.5"},
    }
    result = {"id": agreement, "type": "Agreement", "attributedTo": RIVER_BOARD, "stipulates": stipulates | changes}
    return activity("Accept", RIVER_BOARD, offer, 8, result=result, to=[world.bea.actor])


def test_a_yes_from_the_board_we_asked_makes_a_match_here_too(world: World) -> None:
    offer = asked(world)
    assert world.receive(accept_of(world, offer))
    assert world.receive(accept_of(world, offer))
    with world.house.database.read() as connection:
        (agreed,) = queries.my_matches(connection, world.bea)
    match = agreed.match
    assert (match.agreement_uri, match.provider, match.receiver, match.minutes) == (
        f"{RIVER}/agreements/12",
        world.bea.actor,
        BEN,
        90,
    )
    assert (agreed.gives, agreed.other.name) == (True, "Ben")


@pytest.mark.attack("S43")
def test_a_yes_from_somebody_we_did_not_ask_changes_nothing(world: World) -> None:
    """Attack S43."""
    offer = asked(world)
    for actor in (EVE, CAROL, EVIL_BOARD):
        with pytest.raises(NotAllowed):
            world.receive({**accept_of(world, offer), "actor": actor, "id": f"{actor}/accepts/1"})
        with pytest.raises(NotAllowed):
            world.receive(activity("Reject", actor, offer, 9))
    answer = world.response_at(offer)
    assert answer is not None
    assert answer.state is ResponseState.OFFERED


def test_answers_to_what_is_not_a_response_of_ours_are_left_to_other_rooms(world: World) -> None:
    assert not world.receive(accept_of(world, f"{NORTH}/activities/5"))
    assert not world.receive(activity("Reject", RIVER_BOARD, f"{RIVER}/follows/1"))


@pytest.mark.attack("S56")
@pytest.mark.parametrize(
    "changes",
    [
        {"provider": BEN, "receiver": EVE},
        {"provider": BEN, "receiver": "https://northside.example/users/bea"},
        {"receiver": CAROL},
        {"resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "100"}},
    ],
)
def test_an_agreement_other_than_offered_is_refused(world: World, changes: dict[str, Any]) -> None:
    """Attack S56: the parties and the hours are those that were offered."""
    offer = asked(world)
    with pytest.raises(Refused):
        world.receive(accept_of(world, offer, **changes))
    with world.house.database.read() as connection:
        assert queries.my_matches(connection, world.bea) == []


def test_a_yes_without_an_agreement_is_refused(world: World) -> None:
    offer = asked(world)
    with pytest.raises(Refused) as refused:
        world.receive(activity("Accept", RIVER_BOARD, offer))
    assert refused.value.code == "no_agreement"


def test_a_no_is_shown_with_its_reason_as_plain_text(world: World) -> None:
    offer = asked(world)
    assert world.receive(activity("Reject", RIVER_BOARD, offer, content="<p>Already <b>covered</b></p>"))
    answer = world.response_at(offer)
    assert answer is not None
    assert (answer.state, answer.reason) == (ResponseState.DECLINED, "Already covered")


def test_a_no_after_a_yes_calls_the_match_off(world: World) -> None:
    offer = asked(world)
    world.receive(accept_of(world, offer))
    world.receive(activity("Reject", RIVER_BOARD, offer, 9))
    with world.house.database.read() as connection:
        (agreed,) = queries.my_matches(connection, world.bea)
    assert agreed.match.state is MatchState.CANCELLED
    assert [one["type"] for one in world.sent()] == ["Offer"]


def test_calling_off_an_accepted_offer_tells_the_other_network(world: World) -> None:
    listing = world.post()
    world.receive(offer_of_ben(world, listing.id))
    answer = world.response_at(f"{RIVER}/responses/31")
    assert answer is not None
    match_id = world.accept(answer)
    with world.units.begin() as work:
        commands.cancel_match(work, world.ana, match_id)
    told = next(one for one in world.sent() if one["type"] == "Reject")
    assert told["object"] == f"{RIVER}/responses/31"
    assert "content" not in told  # nobody wrote anything; each side says it in its reader's language
    assert world.listing(listing.id).state is ListingState.OPEN
