"""Suggestions both ways and across linked boards: what fits a member, an offer and a request, and what never does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from fedaid.actors import commands as actors
from fedaid.board import commands as board
from fedaid.board.rules import Kind, Rhythm
from fedaid.matching import commands, queries
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.rules import ReasonKind
from fedaid.matching.tables import listing_term
from fedaid.network import commands as network
from fedaid.network.rules.restrictions import Severity, Terms, chosen_target
from tests.board.world import RIVER_BOARD, activity, foreign_note
from tests.matching.street import Street, titles
from tests.skills.neighbours import saturday

READING = "Someone to read with my son"


def reading(street: Street) -> None:
    street.people.add(street.kim, "Reading with children, in Spanish too", "learning")


# a member


def test_requests_of_here_and_of_a_linked_board_are_suggested_to_who_said_they_could(street: Street) -> None:
    reading(street)
    street.neighbouring()
    street.post(street.ana, "Reading letters to my mother", "learning")
    street.post(street.ana, "Feed my cat", "pets")
    street.offer(street.ana, "Reading aloud", "learning")
    assert sorted(street.fits_me(street.kim)) == ["Reading letters to my mother", READING]
    assert street.fits_me(street.bea) == []


def test_a_suggested_request_of_a_linked_board_is_answered_as_any_other(street: Street) -> None:
    reading(street)
    found = street.neighbouring()
    with street.people.units.begin() as work:
        board.respond(work, street.kim, found.id, "I could, on Saturdays.")
    assert any(one["type"] == "Offer" for one in street.people.world.sent())
    assert street.fits_me(street.kim) == []


def test_what_is_over_hidden_answered_or_ones_own_is_not_suggested(street: Street) -> None:
    reading(street)
    gone, hidden, answered = (street.post(street.ana, f"Reading {name}", "learning") for name in ("a", "b", "c"))
    street.post(street.kim, "Reading mine", "learning")
    with street.people.units.begin() as work:
        board.withdraw_listing(work, street.ana, gone.id)
        board.hide_listing(work, hidden.id)
        board.respond(work, street.kim, answered.id, "")
    assert street.fits_me(street.kim) == []
    street.post(street.ana, "Reading on", "learning")
    assert street.fits_me(street.kim) == ["Reading on"]
    street.pass_days(21)
    assert street.fits_me(street.kim) == []


def test_nothing_is_suggested_of_a_network_that_is_blocked_or_of_somebody_who_is(street: Street) -> None:
    reading(street)
    street.neighbouring()
    street.post(street.ana, "Reading letters", "learning")
    with street.people.units.begin() as work:
        target = chosen_target(RIVER_BOARD.split("/")[2])
        network.restrict(work, target, Terms(Severity.BLOCK, "spam"), "")
        actors.block(work, street.kim.actor, street.ana.actor)
    assert street.fits_me(street.kim) == []


def test_a_listing_of_a_board_that_does_not_want_to_be_found_by_its_words_is_not_suggested(street: Street) -> None:
    reading(street)
    street.neighbouring(may_be_found=False)
    assert street.fits_me(street.kim) == []


def test_a_listing_that_changed_is_found_by_its_new_words(street: Street) -> None:
    street.people.add(street.kim, "Chess", "")
    found = street.post(street.ana, "Company for an afternoon")
    assert street.fits_me(street.kim) == []
    with street.people.units.begin() as work:
        board.edit_listing(work, street.ana, found.id, street.people.world.posting(title="Chess for an afternoon"))
    assert street.fits_me(street.kim) == ["Chess for an afternoon"]


def test_a_neighbouring_listing_that_changed_too(street: Street) -> None:
    street.people.add(street.kim, "Chess", "")
    street.neighbouring(name=READING)
    newer = foreign_note(name="Chess with my son", updated="2026-09-01T08:30:00Z")
    assert street.people.world.receive(activity("Update", RIVER_BOARD, newer, 99))
    assert street.fits_me(street.kim) == ["Chess with my son"]


def test_the_best_fit_stands_first_and_only_some_are_shown(street: Street) -> None:
    street.people.add(street.kim, "Bicycle brakes", "repair")
    street.post(street.ana, "My bicycle brakes squeak", "repair")
    for number in range(6):
        street.post(street.ana, f"Mend toaster {number}", "repair")
    found = street.fits_me(street.kim)
    assert found[0] == "My bicycle brakes squeak"
    assert len(found) == MatchingLimits().suggestions_max


def test_a_listing_says_why_it_is_suggested(street: Street) -> None:
    reading(street)
    found = street.neighbouring()
    with street.people.world.house.database.read() as connection:
        why = queries.why_me(connection, street.kim, found, street.looking().now)
        assert why is not None
        assert why.reasons[0].what == "Reading with children, in Spanish too"
        assert queries.why_me(connection, street.bea, found, street.looking().now) is None


# an offer, a request


def offers_for(street: Street, who: Any, request: Any) -> list[str]:
    with street.people.world.house.database.read() as connection:
        return titles(queries.offers_for_request(connection, who, request, street.looking()))


def test_offers_of_here_and_of_linked_boards_are_suggested_for_a_request(street: Street) -> None:
    here = street.offer(street.bea, "I mend bicycles", "repair")
    intent = foreign_note()["publishes"] | {"provider": RIVER_BOARD, "hasBeginning": None, "hasEnd": None}
    intent.pop("receiver")
    intent["resourceConformsTo"] = "https://riverside.example/categories/repair"
    street.neighbouring(8, purpose="offer", name="Bicycle workshop", publishes=intent)
    request = street.post(street.ana, "My bicycle is broken", "repair")
    assert sorted(offers_for(street, street.ana, request)) == ["Bicycle workshop", "I mend bicycles"]
    assert offers_for(street, street.bea, street.post(street.bea, "My bicycle is broken", "repair")) == [
        "Bicycle workshop"
    ]
    with street.people.world.house.database.read() as connection:
        mine = queries.my_request_for(connection, street.ana, here, street.looking())
        assert mine is not None
        assert mine.mine is not None
        assert mine.mine.id == request.id
        assert queries.my_request_for(connection, street.kim, here, street.looking()) is None


def test_requests_are_suggested_for_an_offer(street: Street) -> None:
    offer = street.offer(street.kim, "Reading aloud with children", "learning")
    street.neighbouring()
    street.post(street.ana, "Feed my cat", "pets")
    with street.people.world.house.database.read() as connection:
        found = queries.requests_for_offer(connection, street.kim, offer, street.looking())
    assert titles(found) == [READING]


def test_an_offer_far_from_a_request_does_not_fit_it(street: Street) -> None:
    street.offer(street.bea, "I mend bicycles", "repair", lat=52.5, lon=-0.0884)
    request = street.post(street.ana, "My bicycle is broken", "repair", lat=51.52, lon=-0.0884)
    assert offers_for(street, street.ana, request) == []


# the words of listings


def count_of_words(street: Street) -> int:
    with street.people.world.house.database.read() as connection:
        return connection.execute(select(func.count()).select_from(listing_term)).scalar_one()


def test_listings_from_before_an_upgrade_are_looked_at_later_and_those_that_are_over_are_forgotten(
    street: Street,
) -> None:
    reading(street)
    street.post(street.ana, "Reading letters", "learning")
    with street.people.units.begin() as work:
        work.connection.execute(listing_term.delete())
    assert street.fits_me(street.kim) == []
    with street.people.units.begin() as work:
        commands.index_missing(work, MatchingLimits())
    assert street.fits_me(street.kim) == ["Reading letters"]
    street.pass_days(21)
    with street.people.units.begin() as work:
        assert commands.index_missing(work, MatchingLimits()) == 1
    assert count_of_words(street) == 0


def test_a_listing_without_words_is_looked_at_once(street: Street) -> None:
    street.post(street.ana, "???", kind=Kind.REQUEST)
    assert count_of_words(street) == 1


@pytest.mark.parametrize("who", ["ana", "kim"])
def test_to_somebody_who_said_nothing_nothing_is_suggested(street: Street, who: str) -> None:
    street.post(street.bea, "Anything at all", "other")
    assert street.fits_me(getattr(street, who)) == []


def test_what_is_wanted_every_week_is_suggested_for_its_next_time_when_the_first_is_over(street: Street) -> None:
    street.people.add(street.kim, "Mowing lawns", "garden")
    street.people.free(street.kim, saturday(9, 12))
    first = datetime(2026, 9, 5, 9, 0, tzinfo=UTC)  # a Saturday, ten in London
    times = {"starts_at": first, "ends_at": first + timedelta(hours=1)}
    street.post(street.ana, "Mow the lawn", "garden", rhythm=Rhythm.WEEKLY, **times)
    street.post(street.ana, "Mow the other lawn", "garden", **times)
    assert sorted(street.fits_me(street.kim)) == ["Mow the lawn", "Mow the other lawn"]
    street.pass_days(7)
    assert street.fits_me(street.kim) == ["Mow the lawn"]
    with street.people.world.house.database.read() as connection:
        (found,) = queries.requests_for_me(connection, street.kim, street.looking())
    assert ReasonKind.FREE in [one.kind for one in found.fit.reasons]
