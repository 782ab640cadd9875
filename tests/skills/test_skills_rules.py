"""The rules of the directory: what is refused, how times are joined, and that windows keep wall time."""

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.foundation.refused import Refused
from fedaid.skills.rules import (
    Preferences,
    Skill,
    Visibility,
    Window,
    checked_preferences,
    checked_skill,
    checked_vouch,
    clock,
    free_spans,
    joined,
    read_clock,
    windows_of,
)
from tests.small_house import START

LONDON = ZoneInfo("Europe/London")
GARDEN, SAILING = 7, 8


def refusal_of(act: object, *given_: object) -> str:
    with pytest.raises(Refused) as refused:
        act(*given_)  # type: ignore[operator]
    return refused.value.code


@pytest.mark.parametrize(
    ("skill", "code"),
    [
        (Skill(" \n "), "skill_missing"),
        (Skill("x" * 121), "skill_length"),
        (Skill("Bicycles", details="x" * 1001), "description_length"),
        (Skill("Bicycles", "no-such-kind"), "category"),
        (Skill("Bicycles", visibility=Visibility.GROUP), "skill_group"),
        (Skill("Bicycles", visibility=Visibility.GROUP, group_id=SAILING), "skill_group"),
    ],
)
def test_a_skill_that_cannot_stand_there_is_refused(skill: Skill, code: str) -> None:
    assert refusal_of(checked_skill, skill, ["repair"], [GARDEN]) == code


def test_a_skill_is_tidied_and_belongs_to_a_group_only_where_it_is_for_one() -> None:
    tidy = checked_skill(Skill(" Bicycles:\n brakes ", "repair", group_id=GARDEN), ["repair"], [GARDEN])
    assert (tidy.title, tidy.group_id) == ("Bicycles: brakes", None)
    for_group = Skill("Bicycles", visibility=Visibility.GROUP, group_id=GARDEN)
    assert checked_skill(for_group, [], [GARDEN]) == for_group


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        (Preferences(place="x" * 121), "place_length"),
        (Preferences(travel_km=0), "travel"),
        (Preferences(travel_km=501), "travel"),
        (Preferences(monthly_minutes_max=0), "monthly_cap"),
        (Preferences(languages=frozenset({"xx"})), "languages"),
        (Preferences(lat=51.5), "position"),
        (Preferences(lat=91.0, lon=0.0), "position"),
    ],
)
def test_preferences_that_cannot_be_kept_are_refused(chosen: Preferences, code: str) -> None:
    assert refusal_of(checked_preferences, chosen) == code


def test_a_position_is_blurred_before_it_is_kept() -> None:
    assert checked_preferences(Preferences(lat=51.52031, lon=-0.08991)).position == (51.52, -0.0884)


@pytest.mark.parametrize(("sentence", "code"), [("  ", "vouch_missing"), ("x" * 301, "vouch_length")])
def test_a_sentence_about_somebody_has_words_and_not_too_many(sentence: str, code: str) -> None:
    assert refusal_of(checked_vouch, sentence) == code


@pytest.mark.parametrize(
    ("typed", "minute"), [("17:30", 1050), ("17.30", 1050), ("9", 540), ("0:00", 0), ("24:00", 1440), ("23:59", 1439)]
)
def test_a_time_of_the_day_is_read(typed: str, minute: int) -> None:
    assert read_clock(typed) == minute
    assert read_clock(clock(minute)) == minute


@pytest.mark.parametrize("typed", ["", "25:00", "24:01", "12:60", "noon", "-1"])
def test_what_is_no_time_of_the_day_is_refused(typed: str) -> None:
    assert refusal_of(read_clock, typed) == "clock"


def test_the_same_hours_on_several_days() -> None:
    assert windows_of([2, 0], 540, 720) == (Window(0, 540, 720), Window(2, 540, 720))


def test_a_night_is_an_evening_and_a_morning_also_from_sunday_to_monday() -> None:
    assert windows_of([6], 22 * 60, 2 * 60) == (Window(0, 0, 120), Window(6, 1320, 1440))
    assert windows_of([0], 22 * 60, 0) == (Window(0, 1320, 1440),)


@pytest.mark.parametrize(
    ("days", "start", "end", "code"),
    [([], 0, 60, "weekday"), ([7], 0, 60, "weekday"), ([1], 60, 60, "window"), ([1], 1440, 60, "window")],
)
def test_what_is_no_time_of_the_week_is_refused(days: list[int], start: int, end: int, code: str) -> None:
    assert refusal_of(windows_of, days, start, end) == code


def test_times_that_touch_are_joined_and_too_many_are_refused() -> None:
    several = [Window(0, 600, 660), Window(0, 540, 600), Window(0, 630, 720), Window(1, 0, 60)]
    assert joined(several, 2) == (Window(0, 540, 720), Window(1, 0, 60))
    assert refusal_of(joined, several, 1) == "too_many_windows"


def test_joining_keeps_every_minute_and_no_other() -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for _ in range(200):
        some = []
        for _ in range(chance.randrange(8)):
            start = chance.randrange(0, 1440)
            some.append(Window(chance.randrange(7), start, chance.randrange(start + 1, 1441)))
        found = joined(some, 99)
        assert _minutes(found) == _minutes(some), f"seed {seed}"
        assert all(a.weekday != b.weekday or a.end_minute < b.start_minute for a, b in itertools.pairwise(found))


def _minutes(windows: object) -> set[tuple[int, int]]:
    return {(one.weekday, minute) for one in windows for minute in range(one.start_minute, one.end_minute)}  # type: ignore[attr-defined]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


SATURDAY_MORNING = [Window(5, 9 * 60, 12 * 60)]


@pytest.mark.parametrize(
    ("starts", "ends", "spans"),
    [
        # Summer time: nine in London is eight in UTC.
        ("2026-09-05 09:00", "2026-09-05 11:00", [("2026-09-05 09:00", "2026-09-05 11:00")]),
        ("2026-09-05 07:00", "2026-09-05 09:00", [("2026-09-05 08:00", "2026-09-05 09:00")]),
        # Winter time: nine is nine.
        ("2026-12-05 08:00", "2026-12-05 13:00", [("2026-12-05 09:00", "2026-12-05 12:00")]),
        # Two Saturdays around the change of the clocks: the same hour on the wall, another in UTC.
        (
            "2026-10-24 00:00",
            "2026-11-01 00:00",
            [("2026-10-24 08:00", "2026-10-24 11:00"), ("2026-10-31 09:00", "2026-10-31 12:00")],
        ),
        ("2026-09-06 00:00", "2026-09-12 00:00", []),
        ("2026-09-05 11:00", "2026-09-05 12:00", []),  # it ends when the other begins
    ],
)
def test_a_window_keeps_its_hour_on_the_wall(starts: str, ends: str, spans: list[tuple[str, str]]) -> None:
    found = free_spans(SATURDAY_MORNING, LONDON, at(starts), at(ends))
    assert list(found) == [(at(begin), at(end)) for begin, end in spans]


def test_a_window_of_the_night_in_which_the_clocks_change_never_runs_backwards() -> None:
    small_hours = [Window(6, start, start + 30) for start in range(0, 240, 15)]
    for sunday in ("2026-03-29", "2026-10-25"):
        found = free_spans(small_hours, LONDON, at(f"{sunday} 00:00") - timedelta(days=1), at(f"{sunday} 12:00"))
        assert all(begin < end for begin, end in found)


@given(
    st.datetimes(START.replace(tzinfo=None), START.replace(tzinfo=None) + timedelta(days=700)),
    st.integers(1, 60 * 24 * 9),
    st.sampled_from(["Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu", "UTC"]),
)
def test_whatever_is_free_lies_in_the_span_and_in_the_window(begin: datetime, minutes: int, name: str) -> None:
    zone, starts = ZoneInfo(name), begin.replace(tzinfo=UTC)
    ends = starts + timedelta(minutes=minutes)
    for first, last in free_spans(SATURDAY_MORNING, zone, starts, ends):
        assert starts <= first < last <= ends
        for moment in (first, last - timedelta(seconds=1)):
            local = moment.astimezone(zone)
            assert local.weekday() == 5
            assert 9 <= local.hour < 12


def test_a_week_begins_on_monday() -> None:
    assert date(2026, 9, 5).weekday() == 5
