"""What may be posted, and which moves listings, responses and matches may make."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fedaid.board.rules import (
    DEFAULT_CATEGORIES,
    LISTING_MOVES,
    MATCH_MOVES,
    RESPONSE_MOVES,
    Kind,
    ListingState,
    MatchState,
    Posting,
    ResponseState,
    Rhythm,
    check_open,
    checked,
    is_slug,
    match_moved,
    moved,
    next_time,
    parties,
    response_moved,
    state_by_matches,
)
from fedaid.foundation.refused import Refused
from tests.small_house import START

PLAIN = Posting(Kind.REQUEST, "Help moving a sofa", START + timedelta(days=14))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": "  \n "}, "title_missing"),
        ({"title": "x" * 121}, "title_length"),
        ({"description": "x" * 5001}, "description_length"),
        ({"place": "x" * 121}, "place_length"),
        ({"category": "Not a slug"}, "category"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": 60_001}, "minutes"),
        ({"people": 0}, "people"),
        ({"people": 21}, "people"),
        ({"lat": 51.5}, "position"),
        ({"lat": 91.0, "lon": 0.0}, "position"),
        ({"lat": float("nan"), "lon": 0.0}, "position"),
        ({"starts_at": START + timedelta(hours=2), "ends_at": START + timedelta(hours=1)}, "times"),
        ({"starts_at": START - timedelta(hours=2), "ends_at": START - timedelta(hours=1)}, "times"),
        ({"starts_at": START - timedelta(hours=2)}, "times"),
        ({"expires_at": START}, "expiry"),
        ({"expires_at": START + timedelta(days=367)}, "expiry"),
    ],
)
def test_a_posting_outside_the_limits_is_refused_by_name(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(replace(PLAIN, **changes), START)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "x" * 120},
        {"description": "x" * 5000},
        {"minutes": 1},
        {"minutes": 60_000},
        {"people": 20},
        {"starts_at": START + timedelta(hours=1)},
        {"starts_at": START - timedelta(hours=1), "ends_at": START + timedelta(hours=1)},
        {"ends_at": START + timedelta(days=1)},
        {"expires_at": START + timedelta(days=366)},
    ],
)
def test_a_posting_at_the_limits_is_taken(changes: dict[str, Any]) -> None:
    assert checked(replace(PLAIN, **changes), START) == replace(PLAIN, **changes)


def test_a_title_stands_on_one_line_and_cannot_turn_the_text_around_it() -> None:
    assert checked(replace(PLAIN, title=" Help\n moving \u202ea sofa "), START).title == "Help moving a sofa"


@pytest.mark.parametrize("before", list(ListingState))
@pytest.mark.parametrize("after", list(ListingState))
def test_a_listing_moves_only_along_its_table(before: ListingState, after: ListingState) -> None:
    if after in LISTING_MOVES[before]:
        assert moved(before, after) is after
    else:
        with pytest.raises(Refused):
            moved(before, after)


@pytest.mark.parametrize("state", [ListingState.DONE, ListingState.WITHDRAWN])
def test_what_is_over_stays_over(state: ListingState) -> None:
    assert LISTING_MOVES[state] == frozenset()


def test_every_listing_can_reach_an_end() -> None:
    ends = {ListingState.DONE, ListingState.WITHDRAWN}
    assert all(moves & ends or state in ends for state, moves in LISTING_MOVES.items())


@pytest.mark.parametrize("before", list(ResponseState))
@pytest.mark.parametrize("after", list(ResponseState))
def test_a_response_moves_only_along_its_table(before: ResponseState, after: ResponseState) -> None:
    if after in RESPONSE_MOVES[before]:
        assert response_moved(before, after) is after
    else:
        with pytest.raises(Refused):
            response_moved(before, after)


@pytest.mark.parametrize("before", list(MatchState))
@pytest.mark.parametrize("after", list(MatchState))
def test_a_match_moves_only_along_its_table(before: MatchState, after: MatchState) -> None:
    if after in MATCH_MOVES[before]:
        assert match_moved(before, after) is after
    else:
        with pytest.raises(Refused):
            match_moved(before, after)


@pytest.mark.parametrize(
    ("before", "people", "accepted", "done", "after"),
    [
        ("open", 1, 0, 0, "open"),
        ("open", 1, 1, 0, "filled"),
        ("open", 2, 1, 0, "partly_filled"),
        ("partly_filled", 2, 2, 0, "filled"),
        ("filled", 2, 1, 1, "filled"),
        ("filled", 2, 0, 2, "done"),
        ("filled", 1, 0, 1, "done"),
        ("filled", 2, 0, 1, "partly_filled"),
        ("filled", 1, 0, 0, "open"),
        ("expired", 2, 1, 0, "expired"),
        ("expired", 1, 0, 1, "done"),
        ("withdrawn", 1, 0, 1, "withdrawn"),
        ("done", 1, 0, 0, "done"),
    ],
)
def test_matches_decide_how_a_listing_stands(before: str, people: int, accepted: int, done: int, after: str) -> None:
    assert state_by_matches(ListingState(before), people, accepted, done) == after


@pytest.mark.parametrize("state", sorted(set(ListingState) - {ListingState.OPEN, ListingState.PARTLY_FILLED}))
def test_a_listing_that_is_not_open_takes_no_answer(state: ListingState) -> None:
    with pytest.raises(Refused):
        check_open(state)


def test_on_a_request_the_one_who_answers_helps_and_on_an_offer_is_helped() -> None:
    assert parties(Kind.REQUEST, "author", "other") == ("other", "author")
    assert parties(Kind.OFFER, "author", "other") == ("author", "other")


def test_the_first_categories_are_named_once_and_can_stand_in_an_address() -> None:
    slugs = [slug for slug, _ in DEFAULT_CATEGORIES]
    assert len(set(slugs)) == len(slugs)
    assert all(is_slug(slug) for slug in slugs)


@pytest.mark.parametrize(
    ("rhythm", "days_later", "expected"),
    [
        (Rhythm.ONCE, 100, "2026-10-17 10:00"),
        (Rhythm.WEEKLY, -1, "2026-10-17 10:00"),
        (Rhythm.WEEKLY, 0, "2026-10-17 10:00"),
        (Rhythm.WEEKLY, 1, "2026-10-24 10:00"),
        (Rhythm.WEEKLY, 8, "2026-10-31 10:00"),  # the clocks have changed, the hour on the wall has not
        (Rhythm.FORTNIGHTLY, 1, "2026-10-31 10:00"),
        (Rhythm.MONTHLY, 1, "2026-11-17 10:00"),
        (Rhythm.MONTHLY, 80, "2027-01-17 10:00"),
        (Rhythm.STANDING, 0, "2026-10-17 10:00"),
        (Rhythm.STANDING, 1, None),
    ],
)
def test_what_stands_has_a_next_time_at_the_same_hour(rhythm: Rhythm, days_later: int, expected: str | None) -> None:
    london = ZoneInfo("Europe/London")
    starts = datetime(2026, 10, 17, 10, 0, tzinfo=london)
    begins, ends = next_time(rhythm, starts, starts + timedelta(hours=2), london, starts + timedelta(days=days_later))
    assert (begins.astimezone(london).strftime("%Y-%m-%d %H:%M") if begins else None) == expected
    assert ends is None or begins is None or ends - begins == timedelta(hours=2)


def test_the_thirty_first_is_the_last_of_a_shorter_month_and_comes_back() -> None:
    starts = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
    days = [next_time(Rhythm.MONTHLY, starts, None, UTC, starts + timedelta(days=n))[0] for n in (1, 29)]
    assert [one.date().isoformat() for one in days if one] == ["2026-02-28", "2026-03-31"]
