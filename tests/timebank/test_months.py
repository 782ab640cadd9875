"""What an account gave and received month by month: the months of the neighbourhood's calendar, and their bars."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fedaid.foundation.ids import new_key
from fedaid.timebank import commands, queries
from fedaid.timebank.rules.months import BAR_HEIGHT_MAX, BAR_HEIGHT_MIN, Month, chart_of, last_months
from tests.timebank.world import ANA, KIM, Town

BERLIN, KIRITIMATI = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Kiritimati")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]  # year, month, day, hour, minute


def month(given: int = 0, received: int = 0) -> Month:
    return Month(utc(2026, 1, 1), given, received)


# the calendar


def test_the_last_of_twelve_months_is_the_present_one() -> None:
    starts = last_months(utc(2026, 3, 9), BERLIN)
    assert [f"{start:%Y-%m}" for start in starts[:3] + starts[-2:]] == [
        "2025-04",
        "2025-05",
        "2025-06",
        "2026-02",
        "2026-03",
    ]
    assert len(starts) == 12


def test_a_month_begins_at_midnight_there_in_summer_and_in_winter() -> None:
    winter, summer = last_months(utc(2026, 7, 1), BERLIN, 7)[0], last_months(utc(2026, 7, 1), BERLIN)[-1]
    assert (winter, summer) == (utc(2025, 12, 31, 23), utc(2026, 6, 30, 22))


def test_the_present_month_is_the_one_of_the_place() -> None:
    """On the last evening of the year in UTC it is next year already on Kiritimati."""
    assert [f"{last_months(utc(2026, 12, 31, 12), zone)[-1]:%Y-%m}" for zone in (BERLIN, KIRITIMATI)] == [
        "2026-12",
        "2027-01",
    ]


# the bars


def test_the_highest_bar_stays_below_a_figure_that_can_be_read_off() -> None:
    chart = chart_of([month(given=50), month(received=100)])
    assert chart.top_minutes == 120
    assert [(bar.given_height, bar.received_height) for bar in chart.bars] == [(25, 0), (0, 50)]


def test_one_minute_beside_many_hours_can_be_seen_and_nothing_cannot() -> None:
    [low, high] = chart_of([month(given=1), month(given=6_000)]).bars
    assert (low.given_height, high.given_height, low.received_height) == (BAR_HEIGHT_MIN, BAR_HEIGHT_MAX, 0)


def test_more_than_any_figure_is_a_figure_of_its_own() -> None:
    chart = chart_of([month(received=9_000)])
    assert (chart.top_minutes, chart.bars[0].received_height) == (9_000, BAR_HEIGHT_MAX)


@pytest.mark.parametrize("months", [[], [month(), month()]])
def test_without_hours_there_is_nothing_to_draw(months: list[Month]) -> None:
    assert chart_of(months).is_empty


# the books


def moved_at(town: Town, payer: str, payee: str, minutes: int, *moment: int) -> None:
    town.clock.at = utc(*moment)
    with town.work() as work:
        commands.give(work, new_key(), payer=payer, payee=payee, minutes=minutes)


def months_of(town: Town, actor: str, zone: ZoneInfo) -> dict[str, tuple[int, int]]:
    """The months in which something moved, on 15 July 2026."""
    with town.database.read() as connection:
        found = queries.by_month(connection, actor, utc(2026, 7, 15), zone)
    assert len(found) == 12
    return {
        f"{one.starts:%Y-%m}": (one.given_minutes, one.received_minutes)
        for one in found
        if one.given_minutes or one.received_minutes
    }


def test_what_was_given_and_received_stands_in_its_month(north: Town) -> None:
    moved_at(north, KIM, ANA, 60, 2026, 5, 10, 9, 0)
    moved_at(north, KIM, ANA, 30, 2026, 5, 20, 9, 0)
    moved_at(north, ANA, KIM, 15, 2026, 5, 21, 9, 0)
    moved_at(north, ANA, KIM, 45, 2026, 7, 1, 9, 0)
    assert months_of(north, ANA, BERLIN) == {"2026-05": (90, 15), "2026-07": (0, 45)}
    assert months_of(north, KIM, BERLIN) == {"2026-05": (15, 90), "2026-07": (45, 0)}


def test_around_midnight_the_neighbourhoods_own_month_counts(north: Town) -> None:
    moved_at(north, KIM, ANA, 60, 2026, 6, 30, 21, 59)
    moved_at(north, KIM, ANA, 30, 2026, 6, 30, 22, 0)
    assert months_of(north, ANA, BERLIN) == {"2026-06": (60, 0), "2026-07": (30, 0)}
    assert months_of(north, ANA, ZoneInfo("UTC")) == {"2026-06": (90, 0)}


def test_what_is_older_than_twelve_months_is_left_out(north: Town) -> None:
    moved_at(north, KIM, ANA, 60, 2025, 7, 31, 21, 59)
    moved_at(north, KIM, ANA, 30, 2025, 7, 31, 22, 0)
    assert months_of(north, ANA, BERLIN) == {"2025-08": (30, 0)}


def test_somebody_without_an_account_has_no_months(north: Town) -> None:
    with north.database.read() as connection:
        assert queries.by_month(connection, f"{ANA}-elsewhere", utc(2026, 7, 15), BERLIN) == ()
