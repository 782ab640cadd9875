"""Posting, answering and agreeing, with what is refused on the way."""

from datetime import timedelta

import pytest

from fedaid.board import commands, queries
from fedaid.board.queries import Action, Filters, Gone
from fedaid.board.rules import Kind, ListingState, MatchState, Mode, ResponseState
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import SIGNED_OUT
from tests.board.world import BOARD, World
from tests.small_house import NORTH


def seen(world: World, viewer: object = SIGNED_OUT, **filters: object) -> list[str]:
    """Titles on the board."""
    with world.house.database.read() as connection:
        page = queries.board(connection, viewer, Filters(**filters), world.now, "northside.example")  # type: ignore[arg-type]
    return [one.listing.title for one in page.listings]


def test_what_is_posted_stands_on_the_board_with_only_a_rough_position(world: World) -> None:
    listing = world.post()
    assert (listing.lat, listing.lon, listing.radius_m) == (51.52, -0.0884, 500)
    assert seen(world) == ["Help moving furniture"]


def test_strangers_do_not_learn_who_posted_and_members_do(world: World) -> None:
    listing = world.post()
    with world.house.database.read() as connection:
        (for_strangers,) = queries.noticed(connection, SIGNED_OUT, [listing], "northside.example")
        (for_members,) = queries.noticed(connection, world.bea, [listing], "northside.example")
    assert for_strangers.author is None
    assert for_members.author is not None
    assert for_members.author.name == "Ana Nightingale"


def test_a_category_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(Refused) as refused:
        world.post(category="rockets")
    assert refused.value.code == "category"
    assert seen(world) == []


def test_a_board_that_is_not_ours_takes_nothing(world: World) -> None:
    with pytest.raises(NotFound), world.units.begin() as work:
        commands.post_listing(work, world.ana, world.bea.actor, world.posting())


def test_the_board_can_be_filtered_and_searched_by_words(world: World) -> None:
    world.post(title="100% wool to give", kind=Kind.OFFER, mode=Mode.GIFT, category="clothing")
    world.post(title="Reading Spanish", category="learning")
    assert seen(world, kind=Kind.OFFER) == ["100% wool to give"]
    assert seen(world, category="learning") == ["Reading Spanish"]
    assert seen(world, text="100%") == ["100% wool to give"]
    assert seen(world, text="WOOL") == ["100% wool to give"]
    assert seen(world, text="span") == seen(world, text="READ spánish") == ["Reading Spanish"]
    assert seen(world, text="reading wool") == []
    assert seen(world, text="%") == seen(world, text="_") == []
    assert seen(world, world.ana, mine=True) == ["Reading Spanish", "100% wool to give"]
    assert seen(world, world.bea, mine=True) == []
    assert seen(world, mine=True) == []


def test_the_board_is_paged_newest_first_and_no_listing_is_shown_twice(world: World) -> None:
    for number in range(25):
        world.post(title=f"Listing {number}")
    with world.house.database.read() as connection:
        first = queries.board(connection, SIGNED_OUT, Filters(), world.now, "northside.example")
        second = queries.board(connection, SIGNED_OUT, Filters(before=first.next_before), world.now, "x")
    titles = [one.listing.title for one in (*first.listings, *second.listings)]
    assert titles == [f"Listing {number}" for number in reversed(range(25))]
    assert second.next_before is None


def test_only_the_author_edits_extends_and_withdraws(world: World) -> None:
    listing = world.post()
    with pytest.raises(NotFound), world.units.begin() as work:
        commands.edit_listing(work, world.bea, listing.id, world.posting(title="Mine now"))
    with pytest.raises(NotFound), world.units.begin() as work:
        commands.extend_listing(work, world.bea, listing.id, world.now + timedelta(days=30))
    with pytest.raises(NotFound), world.units.begin() as work:
        commands.withdraw_listing(work, world.bea, listing.id)
    assert world.listing(listing.id) == listing


def test_a_withdrawn_listing_is_gone_and_those_who_answered_are_told(world: World) -> None:
    listing = world.post()
    answer = world.respond(world.bea, listing)
    with world.units.begin() as work:
        commands.withdraw_listing(work, world.ana, listing.id)
    with world.house.database.read() as connection, pytest.raises(Gone):
        queries.listing(connection, world.ana, listing.id)
    assert world.response(answer.id).state is ResponseState.DECLINED
    with pytest.raises(Gone):
        world.respond(world.bea, listing)


def test_listings_leave_when_their_time_is_over_and_can_be_brought_back(world: World) -> None:
    listing = world.post()
    world.house.clock.pass_seconds(15 * 86_400)
    assert seen(world) == []
    with pytest.raises(Refused, match="over"):
        world.respond(world.bea, listing)
    with world.units.begin() as work:
        assert commands.expire_due(work) == 1
    with world.units.begin() as work:
        assert commands.expire_due(work) == 0
    assert world.listing(listing.id).state is ListingState.EXPIRED
    with world.units.begin() as work:
        commands.extend_listing(work, world.ana, listing.id, world.now + timedelta(days=7))
    assert world.listing(listing.id).state is ListingState.OPEN


def test_nobody_answers_their_own_listing_or_the_same_one_twice(world: World) -> None:
    listing = world.post()
    with pytest.raises(Refused) as own:
        world.respond(world.ana, listing)
    assert own.value.code == "own_listing"
    world.respond(world.bea, listing)
    with pytest.raises(Refused) as twice:
        world.respond(world.bea, listing)
    assert twice.value.code == "answered_already"


def test_responses_are_seen_by_the_author_alone(world: World) -> None:
    listing = world.post()
    answer = world.respond(world.bea, listing)
    with world.house.database.read() as connection:
        assert [one.response for one in queries.responses(connection, world.ana, listing)] == [answer]
        assert queries.responses(connection, world.bea, listing) == []
        assert queries.responses(connection, SIGNED_OUT, listing) == []
        assert [one.response for one in queries.my_responses(connection, world.bea, listing)] == [answer]
        with pytest.raises(NotFound):
            queries.response(connection, SIGNED_OUT, answer.id)


def test_an_accepted_answer_is_a_match_and_fills_the_listing(world: World) -> None:
    listing = world.post()
    match_id = world.accept(world.respond(world.bea, listing))
    with world.house.database.read() as connection:
        match = queries.match(connection, world.bea, match_id)
        assert queries.match_for_agreement(connection, f"{NORTH}/agreements/{match_id}") == match
        with pytest.raises(NotFound):
            queries.match(connection, SIGNED_OUT, match_id)
    assert (match.provider, match.receiver, match.minutes) == (world.bea.actor, world.ana.actor, 120)
    assert world.listing(listing.id).state is ListingState.FILLED


def test_only_the_author_answers_a_response(world: World) -> None:
    answer = world.respond(world.bea, world.post())
    with pytest.raises(NotFound), world.units.begin() as work:
        commands.accept_response(work, world.bea, answer.id)
    with pytest.raises(NotFound), world.units.begin() as work:
        commands.decline_response(work, world.bea, answer.id)
    assert world.response(answer.id).state is ResponseState.OFFERED


def test_an_answer_is_accepted_once(world: World) -> None:
    answer = world.respond(world.bea, world.post(people=2))
    world.accept(answer)
    with pytest.raises(Refused):
        world.accept(answer)


def test_a_declined_helper_may_offer_again(world: World) -> None:
    listing = world.post()
    answer = world.respond(world.bea, listing)
    with world.units.begin() as work:
        commands.decline_response(work, world.ana, answer.id, "Not this week")
    world.respond(world.bea, listing)


def test_calling_it_off_opens_the_listing_again(world: World) -> None:
    listing = world.post()
    match_id = world.accept(world.respond(world.bea, listing))
    with world.units.begin() as work:
        commands.cancel_match(work, world.bea, match_id)
    assert world.listing(listing.id).state is ListingState.OPEN
    with pytest.raises(Refused), world.units.begin() as work:
        commands.mark_done(work, world.ana, match_id)


def test_settled_hours_finish_match_and_listing_and_settling_again_changes_nothing(world: World) -> None:
    listing = world.post()
    match_id = world.accept(world.respond(world.bea, listing))
    agreement = f"{NORTH}/agreements/{match_id}"
    with world.units.begin() as work:
        assert commands.settle_match(work, agreement)
    with world.units.begin() as work:
        assert not commands.settle_match(work, agreement)
        assert not commands.settle_match(work, f"{NORTH}/agreements/1")
    assert world.listing(listing.id).state is ListingState.DONE


def test_each_member_sees_what_waits_for_them(world: World) -> None:
    def waits(viewer: object) -> list[Action]:
        with world.house.database.read() as connection:
            return [one.action for one in queries.next_actions(connection, viewer)]  # type: ignore[arg-type]

    answer = world.respond(world.bea, world.post())
    assert (waits(world.ana), waits(world.bea), waits(SIGNED_OUT)) == ([Action.ANSWER], [], [])
    match_id = world.accept(answer)
    assert (waits(world.ana), waits(world.bea)) == ([], [Action.LOG_HOURS])
    with world.units.begin() as work:
        commands.log_hours(work, f"{NORTH}/agreements/{match_id}")
    assert (waits(world.ana), waits(world.bea)) == ([], [])


def test_what_was_agreed_cannot_be_edited_away(world: World) -> None:
    listing = world.post(people=2)
    world.accept(world.respond(world.bea, listing))
    with pytest.raises(Refused) as refused, world.units.begin() as work:
        commands.edit_listing(work, world.ana, listing.id, world.posting(people=2, minutes=600))
    assert refused.value.code == "agreed_already"
    with world.units.begin() as work:
        commands.edit_listing(work, world.ana, listing.id, world.posting(people=1, title="Help moving a sofa"))
    assert world.listing(listing.id).state is ListingState.FILLED
    with world.house.database.read() as connection:
        assert queries.match_for_agreement(connection, f"{NORTH}/agreements/1") is None
        assert queries.mine(connection, world.ana).matches[0].match.state is MatchState.ACCEPTED
        assert [one.id for one in queries.open_listings_of(connection, BOARD, 5)] == []


def test_the_first_categories_are_made_once(world: World) -> None:
    with world.units.begin() as work:
        commands.seed_categories(work)
    with world.house.database.read() as connection:
        assert len(queries.categories(connection)) == 15
