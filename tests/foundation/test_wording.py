"""Hours and moments are said in one way everywhere, and only whole minutes can be typed."""

from datetime import UTC, datetime

import pytest

from fedaid.foundation import wording


@pytest.mark.parametrize(
    ("minutes", "words", "figures"),
    [
        (0, "0 min", "0:00"),
        (45, "45 min", "0:45"),
        (60, "1 h", "1:00"),
        (135, "2 h 15 min", "2:15"),
        (-30, "30 min", "−0:30"),
    ],
)
def test_minutes_are_said_in_words_and_in_figures(minutes: int, words: str, figures: str) -> None:
    assert wording.in_words(minutes) == words
    assert wording.in_figures(minutes) == figures


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("1:30", 90),
        ("2", 120),
        ("1.5", 90),
        ("1,5", 90),
        ("0.25", 15),
        ("1.75", 105),
        (" 0:05 ", 5),
        ("3.0", 180),
        ("٣", 180),
    ],
)
def test_a_length_of_time_can_be_typed_as_people_write_it(typed: str, minutes: int) -> None:
    assert wording.read_minutes(typed) == minutes


@pytest.mark.parametrize("typed", ["", "two", "1:60", "-1", "1.33", "1e3", "99999", "1:5"])
def test_what_is_no_whole_number_of_minutes_is_not_guessed(typed: str) -> None:
    assert wording.read_minutes(typed) is None


def test_a_moment_is_said_in_the_zone_of_the_reader() -> None:
    moment = datetime(2026, 9, 5, 9, 0, tzinfo=UTC)
    assert wording.day_and_time(moment, "Europe/London") == "Sat 5 Sep 2026, 10:00"
    assert wording.day(moment, "Pacific/Auckland") == "5 Sep 2026"


def test_an_unknown_zone_is_read_as_utc() -> None:
    assert wording.zone("Middle/Earth").key == "UTC"


@pytest.mark.parametrize(("name", "known"), [("UTC", True), ("Europe/London", True), ("Europe", False), ("", False)])
def test_a_time_zone_is_known_by_its_name(name: str, known: bool) -> None:
    assert wording.is_zone(name) is known
