"""What may stand in the directory, who may read it, and when somebody is free; pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from fedaid.foundation.places import approximate, on_earth
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line, without_turning

SKILL_CHARACTERS_MAX: Final = 120
DETAILS_CHARACTERS_MAX: Final = 1_000
PLACE_CHARACTERS_MAX: Final = 120
VOUCH_CHARACTERS_MAX: Final = 300
SEARCH_CHARACTERS_MAX: Final = 100
TRAVEL_KM_MAX: Final = 500
MONTHLY_MINUTES_MAX: Final = 60_000
LANGUAGES_MAX: Final = 20
MINUTES_PER_DAY: Final = 24 * 60
DAYS_PER_WEEK: Final = 7
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])(?:[:.]([0-5]\d))?|24(?:[:.]00)?")


class Visibility(StrEnum):
    """Who may read an entry of the directory."""

    GROUP = "group"
    NETWORK = "network"
    NEIGHBOURS = "neighbours"


class Contact(StrEnum):
    """How somebody likes to be asked; never a number or an address, which they give to whom they accept."""

    MESSAGE = "message"
    PHONE = "phone"
    IN_PERSON = "in_person"


# Languages to choose from: their codes (ISO 639-1), and how their speakers call them.
LANGUAGES: Final[Mapping[str, str]] = {
    "ar": "العربية",
    "bn": "বাংলা",
    "ca": "Català",
    "cs": "Čeština",
    "cy": "Cymraeg",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "eu": "Euskara",
    "fa": "فارسی",
    "fi": "Suomi",
    "fr": "Français",
    "ga": "Gaeilge",
    "gl": "Galego",
    "he": "עברית",
    "hi": "हिन्दी",
    "hu": "Magyar",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "no": "Norsk",
    "pa": "ਪੰਜਾਬੀ",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "so": "Soomaali",
    "sv": "Svenska",
    "sw": "Kiswahili",
    "ti": "ትግርኛ",
    "tl": "Tagalog",
    "tr": "Türkçe",
    "uk": "Українська",
    "ur": "اردو",
    "vi": "Tiếng Việt",
    "zh": "中文",
}


@dataclass(frozen=True)
class Skill:
    """Something a member can do for others.

    title     in one line, such as "Bicycles: brakes, gears, flats"
    group_id  whose members alone may read it; with ``Visibility.GROUP`` only
    """

    title: str
    category: str = ""
    details: str = ""
    visibility: Visibility = Visibility.NETWORK
    group_id: int | None = None


@dataclass(frozen=True, order=True)
class Window:
    """A time of the week at which somebody is free, in their own local time. Monday is 0; 24:00 is 1440."""

    weekday: int
    start_minute: int
    end_minute: int


@dataclass(frozen=True)
class Preferences:
    """How, where and how much somebody likes to help.

    place                roughly where they are, in words
    lat, lon             in degrees, blurred by ``checked_preferences``; shown to nobody, others learn only distances
    travel_km            how far they go; None: as far as it takes
    monthly_minutes_max  after which they are asked no more in a month; None: no such limit; shown to nobody
    languages            codes of ``LANGUAGES``
    may_be_asked         whether neighbours whose request fits may ask them
    """

    contact: Contact = Contact.MESSAGE
    place: str = ""
    lat: float | None = None
    lon: float | None = None
    travel_km: int | None = None
    monthly_minutes_max: int | None = None
    languages: frozenset[str] = frozenset()
    may_be_asked: bool = True

    @property
    def position(self) -> tuple[float, float] | None:
        return (self.lat, self.lon) if self.lat is not None and self.lon is not None else None


def checked_skill(skill: Skill, categories: Collection[str], groups: Collection[int]) -> Skill:
    """The entry as it will be stored. Raises Refused, naming what to change.

    ``categories`` are those of the board, ``groups`` those its author belongs to: nobody hides behind another.
    """
    tidy = replace(skill, title=one_line(skill.title), details=_lines(skill.details))
    if not tidy.title:
        raise Refused("skill_missing", "Please say in a few words what you can do.")
    if len(tidy.title) > SKILL_CHARACTERS_MAX:
        raise Refused(
            "skill_length",
            said("A skill has at most %(count)s characters; say more in the details.", count=SKILL_CHARACTERS_MAX),
        )
    if len(tidy.details) > DETAILS_CHARACTERS_MAX:
        raise Refused(
            "description_length", said("The details have at most %(count)s characters.", count=DETAILS_CHARACTERS_MAX)
        )
    if tidy.category and tidy.category not in categories:
        raise Refused("category", "Please choose one of the categories.")
    if tidy.visibility is not Visibility.GROUP:
        return replace(tidy, group_id=None)
    if tidy.group_id not in groups:
        raise Refused("skill_group", "Please choose one of the groups that you belong to.")
    return tidy


def _lines(text: str) -> str:
    return without_turning(text).replace("\r\n", "\n").strip()


def checked_preferences(chosen: Preferences) -> Preferences:
    """The preferences as they will be stored, the position blurred. Raises Refused, naming what to change."""
    tidy = replace(chosen, place=one_line(chosen.place))
    if len(tidy.place) > PLACE_CHARACTERS_MAX:
        raise Refused("place_length", said("The place has at most %(count)s characters.", count=PLACE_CHARACTERS_MAX))
    if tidy.travel_km is not None and not 1 <= tidy.travel_km <= TRAVEL_KM_MAX:
        raise Refused("travel", said("How far you go is from 1 to %(count)s km, or left empty.", count=TRAVEL_KM_MAX))
    if tidy.monthly_minutes_max is not None and not 1 <= tidy.monthly_minutes_max <= MONTHLY_MINUTES_MAX:
        raise Refused(
            "monthly_cap",
            said("A month has at most %(value)s hours of help, or leave it empty.", value=MONTHLY_MINUTES_MAX // 60),
        )
    if len(tidy.languages) > LANGUAGES_MAX or not tidy.languages <= LANGUAGES.keys():
        raise Refused("languages", said("Please choose at most %(count)s of the languages.", count=LANGUAGES_MAX))
    if (tidy.lat is None) != (tidy.lon is None):
        raise Refused("position", "A position has both a latitude and a longitude.")
    if tidy.lat is None or tidy.lon is None:
        return tidy
    if not on_earth(tidy.lat, tidy.lon):
        raise Refused("position", "This position is not on the earth.")
    lat, lon = approximate(tidy.lat, tidy.lon)
    return replace(tidy, lat=lat, lon=lon)


def checked_vouch(sentence: str) -> str:
    """What a neighbour says of somebody's skill, on one line. Raises Refused when it is empty or too long."""
    tidy = one_line(sentence)
    if not tidy:
        raise Refused("vouch_missing", "Please write a sentence: what did they do well?")
    if len(tidy) > VOUCH_CHARACTERS_MAX:
        raise Refused(
            "vouch_length", said("A sentence here has at most %(count)s characters.", count=VOUCH_CHARACTERS_MAX)
        )
    return tidy


# times of the week


def read_clock(text: str) -> int:
    """Minutes since midnight of ``17:30``, ``17.30``, ``17`` or ``24:00``. Raises Refused."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise Refused("clock", "A time of the day looks like 17:30.")
    return MINUTES_PER_DAY if found[1] is None else int(found[1]) * 60 + int(found[2] or 0)


def clock(minute: int) -> str:
    """1050 -> ``17:30``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def windows_of(weekdays: Iterable[int], start_minute: int, end_minute: int) -> tuple[Window, ...]:
    """The same hours on each of these days; a night, which ends after midnight, is two windows. Raises Refused."""
    days = sorted(set(weekdays))
    if not days or not all(0 <= day < DAYS_PER_WEEK for day in days):
        raise Refused("weekday", "Please choose at least one day of the week.")
    if not (0 <= start_minute < MINUTES_PER_DAY and 0 <= end_minute <= MINUTES_PER_DAY) or start_minute == end_minute:
        raise Refused("window", "The end must be another time than the beginning.")
    if start_minute < end_minute:
        return tuple(Window(day, start_minute, end_minute) for day in days)
    evenings = [Window(day, start_minute, MINUTES_PER_DAY) for day in days]
    mornings = [Window((day + 1) % DAYS_PER_WEEK, 0, end_minute) for day in days if end_minute]
    return tuple(sorted([*evenings, *mornings]))


def joined(windows: Iterable[Window], windows_max: int) -> tuple[Window, ...]:
    """The same times with those that touch made one, in the order of the week. Raises Refused for too many."""
    found: list[Window] = []
    for one in sorted(windows):
        last = found[-1] if found else None
        if last is not None and last.weekday == one.weekday and one.start_minute <= last.end_minute:
            found[-1] = replace(last, end_minute=max(last.end_minute, one.end_minute))
        else:
            found.append(one)
    if len(found) > windows_max:
        raise Refused(
            "too_many_windows", said("At most %(count)s times in a week; take one out first.", count=windows_max), 409
        )
    return tuple(found)


def free_spans(
    windows: Collection[Window], zone: tzinfo, starts_at: datetime, ends_at: datetime
) -> Sequence[tuple[datetime, datetime]]:
    """When somebody with these windows is free between two instants, in UTC and in order.

    A window is said in wall time, so it stays at its hour when the clocks change. An hour that is skipped is taken as
    the hour after it, one that comes twice as the first time.
    """
    found = []
    day = starts_at.astimezone(zone).date() - timedelta(days=1)
    last = ends_at.astimezone(zone).date()
    while day <= last:
        for one in windows:
            if one.weekday == day.weekday():
                begins = max(_instant(day, one.start_minute, zone), starts_at)
                ends = min(_instant(day, one.end_minute, zone), ends_at)
                if begins < ends:
                    found.append((begins, ends))
        day += timedelta(days=1)
    return sorted(found)


def _instant(day: date, minute: int, zone: tzinfo) -> datetime:
    days, rest = divmod(minute, MINUTES_PER_DAY)
    wall = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
    return wall.astimezone(UTC)
