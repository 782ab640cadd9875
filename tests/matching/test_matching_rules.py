"""Golden tests of matching: who fits what, with every reason as it is read, and who does not, and why."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fedaid.foundation.refused import Refused
from fedaid.foundation.words import terms
from fedaid.matching.rules import (
    Ability,
    Fit,
    Helper,
    Misfit,
    Need,
    Reason,
    ReasonKind,
    checked_search_name,
    fit,
    month_began,
    windows_of_need,
)
from fedaid.skills.rules import LANGUAGES, Window
from fedaid.web.shell import build_templates

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)  # a Tuesday
LONDON = ZoneInfo("Europe/London")
KINDS = {"moving": "Moving and carrying", "repair": "Repairs", "learning": "Learning and languages"}
ROSE_STREET, MILL_LANE, FAR_AWAY = (51.520, -0.088), (51.538, -0.088), (51.700, -0.088)


def at(text: str) -> datetime:
    """As a clock in London shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def need(title: str, category: str = "", **more: Any) -> Need:
    return Need(category, terms(title), **more)


def can(*titles_and_kinds: tuple[str, str], **more: Any) -> Helper:
    told = [Ability(title, category, terms(title)) for title, category in titles_and_kinds]
    return Helper(told, zone=LONDON, **more)


SATURDAY = {"starts_at": at("2026-09-05 10:00"), "ends_at": at("2026-09-05 12:00"), "minutes": 120}
SOFA = need("Help moving a sofa down two floors", "moving", **SATURDAY)
BRAKES = need("Somebody to look at my bicycle brakes", "repair")
LIFTING = ("Lifting heavy sofas", "moving")
BICYCLES = ("Bicycles: brakes, gears, flats", "repair")
MORNING = [Window(5, 9 * 60, 13 * 60)]


@dataclass(frozen=True)
class Case:
    name: str
    need: Need
    helper: Helper
    read: str | Misfit


GOLDEN = [
    Case("words and kind", BRAKES, can(BICYCLES), "“Bicycles: brakes, gears, flats” is among your skills"),
    Case("kind alone", BRAKES, can(("Toasters", "repair")), "you help with: Repairs"),
    Case("plural, endings", need("Gardening hedges"), can(("Garden and hedge", "")), "“Garden and hedge” is among your skills"),
    Case("one word, where the kind was not said", need("My sofa broke"), can(LIFTING), "“Lifting heavy sofas” is among your skills"),
    Case("one word, of another kind of help", need("A sofa to mend", "repair"), can(LIFTING), Misfit.OTHER_SKILLS),
    Case("something else is no kind", need("Feed my fish", "other"), can(("Juggling", "other")), Misfit.OTHER_SKILLS),
    Case("nothing was offered", BRAKES, can(), Misfit.OTHER_SKILLS),
    Case("the best of several skills is told", BRAKES, can(("Toasters", "repair"), BICYCLES), "“Bicycles: brakes, gears, flats” is among your skills"),
    Case("free all the time it takes", SOFA, can(LIFTING, windows=MORNING), "“Lifting heavy sofas” is among your skills · you are free then"),
    Case("free for half of it", SOFA, can(LIFTING, windows=[Window(5, 11 * 60, 13 * 60)]), "“Lifting heavy sofas” is among your skills · you are free for a part of it"),
    Case("free for ten minutes of it", SOFA, can(LIFTING, windows=[Window(5, 700, 710)]), Misfit.NOT_FREE),
    Case("free on another day", SOFA, can(LIFTING, windows=[Window(6, 0, 1440)]), Misfit.NOT_FREE),
    Case("has not said when", SOFA, can(LIFTING), "“Lifting heavy sofas” is among your skills"),
    Case("any time will do", BRAKES, can(BICYCLES, windows=MORNING), "“Bicycles: brakes, gears, flats” is among your skills"),
    Case("by a day, with time before", replace(BRAKES, ends_at=at("2026-09-06 20:00")), can(BICYCLES, windows=MORNING), "“Bicycles: brakes, gears, flats” is among your skills · you have time before then"),
    Case("by a day, without", replace(BRAKES, ends_at=at("2026-09-03 20:00")), can(BICYCLES, windows=MORNING), Misfit.NOT_FREE),
    Case("a moment", replace(SOFA, ends_at=None), can(LIFTING, windows=MORNING), "“Lifting heavy sofas” is among your skills · you are free then"),
    Case("over already", replace(SOFA, starts_at=at("2026-08-29 10:00"), ends_at=at("2026-08-29 12:00")), can(LIFTING, windows=MORNING), Misfit.NOT_FREE),
    Case("the clocks change, ten stays ten", replace(SOFA, starts_at=at("2026-10-31 10:00"), ends_at=at("2026-10-31 12:00")), can(LIFTING, windows=MORNING), "“Lifting heavy sofas” is among your skills · you are free then"),
    Case("near", replace(BRAKES, position=ROSE_STREET), can(BICYCLES, position=MILL_LANE, travel_km=5), "“Bicycles: brakes, gears, flats” is among your skills · about 2 km away"),
    Case("far, and goes far", replace(BRAKES, position=ROSE_STREET), can(BICYCLES, position=FAR_AWAY), "“Bicycles: brakes, gears, flats” is among your skills"),
    Case("farther than they go", replace(BRAKES, position=ROSE_STREET), can(BICYCLES, position=FAR_AWAY, travel_km=5), Misfit.TOO_FAR),
    Case("one has not said where", BRAKES, can(BICYCLES, position=FAR_AWAY, travel_km=1), "“Bicycles: brakes, gears, flats” is among your skills"),
    Case("a common language", replace(BRAKES, languages=frozenset({"es", "ar"})), can(BICYCLES, languages=frozenset({"en", "es"})), "“Bicycles: brakes, gears, flats” is among your skills · you both speak Español"),
    Case("none", replace(BRAKES, languages=frozenset({"ar"})), can(BICYCLES, languages=frozenset({"en"})), Misfit.NO_COMMON_LANGUAGE),
    Case("a language that is asked for", need("Read Spanish with my son", "learning"), can(("Reading aloud", "learning"), languages=frozenset({"es"})), "“Reading aloud” is among your skills · you speak Español"),
    Case("a language alone is no offer", need("Read Spanish with my son", "learning"), can(BICYCLES, languages=frozenset({"es"})), Misfit.OTHER_SKILLS),
    Case("room in the month", SOFA, can(LIFTING, monthly_minutes_max=300, promised_minutes=180), "“Lifting heavy sofas” is among your skills"),
    Case("no room in the month", SOFA, can(LIFTING, monthly_minutes_max=300, promised_minutes=181), Misfit.MONTH_IS_FULL),
    Case("the month is full, though nobody knows how long it takes", BRAKES, can(BICYCLES, monthly_minutes_max=60, promised_minutes=60), Misfit.MONTH_IS_FULL),
    Case("asked less than is enough", BRAKES, can(BICYCLES, asked_lately=1, asks_max=2), "“Bicycles: brakes, gears, flats” is among your skills"),
    Case("asked enough", BRAKES, can(BICYCLES, asked_lately=2, asks_max=2), Misfit.ASKED_ENOUGH),
    Case(
        "everything together, in the order in which it is told",
        replace(SOFA, position=ROSE_STREET, languages=frozenset({"en"})),
        can(LIFTING, windows=MORNING, position=ROSE_STREET, travel_km=3, languages=frozenset({"en"}), monthly_minutes_max=600),
        "“Lifting heavy sofas” is among your skills · you are free then · about 1 km away · you both speak English",
    ),
]  # fmt: skip


def read(found: Fit, voice: str = "you") -> str:
    words = build_templates("", "0").from_string(
        '{% from "matching/parts.html" import reasons with context %}{{ reasons(found, voice, kinds, languages) }}'
    )
    return words.render(found=found, voice=voice, kinds=KINDS, languages=LANGUAGES)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_who_fits_with_which_reasons_and_who_does_not(case: Case) -> None:
    found = fit(case.need, case.helper, NOW)
    assert (read(found) if isinstance(found, Fit) else found) == case.read


def test_the_same_reasons_are_told_of_a_neighbour_and_of_an_offer() -> None:
    found = fit(GOLDEN[-1].need, GOLDEN[-1].helper, NOW)
    assert isinstance(found, Fit)
    assert (
        read(found, "they") == "can do: “Lifting heavy sofas” · is free then · about 1 km away · you both speak English"
    )
    assert read(found, "offer") == "its words fit · at the same time · about 1 km away · you both speak English"


def test_every_reason_has_words_in_every_voice() -> None:
    for voice in ("you", "they", "offer"):
        said = [read(Fit(0, (Reason(kind, "es", 2),)), voice) for kind in ReasonKind]
        assert all(said), voice
        assert len(set(said)) >= len(ReasonKind) - 1, voice


def points(need_: Need, helper: Helper) -> int:
    found = fit(need_, helper, NOW)
    assert isinstance(found, Fit)
    return found.points


def test_more_and_better_reasons_come_first() -> None:
    alone = points(BRAKES, can(("Toasters", "repair")))
    words = points(BRAKES, can(BICYCLES))
    near = points(replace(BRAKES, position=ROSE_STREET), can(BICYCLES, position=MILL_LANE))
    next_door = points(replace(BRAKES, position=ROSE_STREET), can(BICYCLES, position=ROSE_STREET))
    assert alone < words < near < next_door
    partly = points(SOFA, can(LIFTING, windows=[Window(5, 660, 780)]))
    assert points(SOFA, can(LIFTING)) < partly < points(SOFA, can(LIFTING, windows=MORNING))


def test_an_offer_for_one_time_fits_a_request_for_that_time() -> None:
    van = can(("A van on Saturday for moving a sofa", "moving"), span=(at("2026-09-05 08:00"), at("2026-09-05 14:00")))
    found = fit(SOFA, van, NOW)
    assert isinstance(found, Fit)
    assert read(found, "offer") == "its words fit · at the same time"
    on_sunday = replace(van, span=(at("2026-09-06 08:00"), at("2026-09-06 14:00")))
    assert fit(SOFA, on_sunday, NOW) is Misfit.NOT_FREE


def test_the_database_is_asked_for_who_may_be_free_at_the_times_of_the_need() -> None:
    assert windows_of_need(BRAKES, LONDON, NOW) == ()
    assert windows_of_need(SOFA, LONDON, NOW) == (Window(5, 600, 720),)
    overnight = replace(SOFA, starts_at=at("2026-09-05 22:00"), ends_at=at("2026-09-06 02:00"))
    assert windows_of_need(overnight, LONDON, NOW) == (Window(5, 1320, 1440), Window(6, 0, 120))
    assert windows_of_need(replace(BRAKES, ends_at=NOW + timedelta(days=9)), LONDON, NOW) == ()


def test_a_month_begins_where_the_neighbours_are() -> None:
    assert month_began(at("2026-09-15 12:00"), LONDON) == at("2026-09-01 00:00")
    assert month_began(datetime(2026, 8, 31, 23, 30, tzinfo=UTC), LONDON) == at("2026-09-01 00:00")


@pytest.mark.parametrize("name", ["  ", "x" * 61])
def test_a_search_has_a_name_and_not_too_long_a_one(name: str) -> None:
    with pytest.raises(Refused) as refused:
        checked_search_name(name)
    assert refused.value.code == "search_name"
