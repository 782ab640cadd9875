"""How hours and moments are said to people; the only place that turns minutes and instants into words."""

import re
from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel.dates import format_date, format_datetime

from fedaid.foundation import i18n
from fedaid.foundation.i18n import gettext as _
from fedaid.foundation.refused import Refused

MINUTES_PER_HOUR = 60
DAYS_PER_WEEK = 7
DATES_KEPT = 4_096  # a page of listings says some dozens, mostly the same as the page before
_HOURS_AND_MINUTES = re.compile(r"(\d{1,4}):([0-5]\d)")
_HOURS = re.compile(r"(\d{1,4})(?:[.,](0|00|25|5|50|75))?")


def in_words(minutes: int) -> str:
    """135 -> ``2 h 15 min``."""
    hours, rest = divmod(abs(minutes), MINUTES_PER_HOUR)
    if not hours:
        return _("%(minutes)s min", minutes=rest)
    return _("%(hours)s h %(minutes)s min", hours=hours, minutes=rest) if rest else _("%(hours)s h", hours=hours)


def in_figures(minutes: int) -> str:
    """135 -> ``2:15``, -30 -> ``−0:30``."""
    hours, rest = divmod(abs(minutes), MINUTES_PER_HOUR)
    return f"{'−' if minutes < 0 else ''}{hours}:{rest:02d}"


def read_minutes(text: str) -> int | None:
    """What somebody typed for a length of time: ``1:30``, ``1.5``, ``1,5`` or ``2``; in minutes, None if unreadable.

    Only whole minutes can be said this way, so nothing is ever rounded.
    """
    if matched := _HOURS_AND_MINUTES.fullmatch(text.strip()):
        return int(matched[1]) * MINUTES_PER_HOUR + int(matched[2])
    if matched := _HOURS.fullmatch(text.strip()):
        quarter = {"25": 15, "5": 30, "50": 30, "75": 45}.get(matched[2] or "", 0)
        return int(matched[1]) * MINUTES_PER_HOUR + quarter
    return None


def typed_minutes(text: str, *, zero: bool = False) -> int:
    """The same out of a form. Raises Refused for what cannot be read, and for nothing at all unless ``zero``."""
    minutes = read_minutes(text)
    if minutes is None or (minutes == 0 and not zero):
        raise Refused("minutes", "Hours are written as 1:30 or 1.5, in whole minutes.")
    return minutes


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of that IANA name."""
    return name == "UTC" or name in _zone_names()


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())  # looks at some 600 files, which takes 20 ms


@cache
def zone_names() -> tuple[str, ...]:
    """The time zones to choose from: UTC, and those named after a place."""
    return ("UTC", *sorted(name for name in _zone_names() if "/" in name and not name.startswith("Etc/")))


def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name; UTC for one this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _said(date: str) -> str:
    """A date in the reader's language; in the pseudo-language between its marks, like all that is translated."""
    return i18n.marked(date) if i18n.spoken() == i18n.PSEUDO else date


def day_and_time(moment: datetime, zone_name: str) -> str:
    """``Sat 5 Sep 2026, 10:00`` in the given zone."""
    return _said(_day_and_time(moment.replace(second=0, microsecond=0), zone_name, i18n.locale()))


@lru_cache(DATES_KEPT)
def _day_and_time(minute: datetime, zone_name: str, locale: str) -> str:
    return format_datetime(minute.astimezone(zone(zone_name)), "EEE d MMM y, HH:mm", locale=locale)


def day(moment: datetime, zone_name: str) -> str:
    """``5 Sep 2026`` in the given zone."""
    local = moment.astimezone(zone(zone_name))
    return _said(format_date(local, "d MMM y", locale=i18n.locale()))


def month(moment: datetime) -> str:
    """``Sep 2026``, of a moment that stands in a zone already."""
    return _said(format_date(moment, "MMM y", locale=i18n.locale()))


def since(moment: datetime, now: datetime, zone_name: str) -> str:
    """``today``, ``yesterday``, ``Tuesday`` within a week, else ``5 Sep 2026``; for "since …" in the given zone."""
    local, today = moment.astimezone(zone(zone_name)), now.astimezone(zone(zone_name)).date()
    days = (today - local.date()).days
    if days <= 1:
        return _("today") if days <= 0 else _("yesterday")
    return _said(format_date(local, "EEEE", locale=i18n.locale())) if days < DAYS_PER_WEEK else day(moment, zone_name)


def time_span(starts_at: datetime | None, ends_at: datetime | None, zone_name: str) -> str:
    """``Sat 5 Sep 2026, 10:00-12:00 (Europe/London)``; ``until …`` with only an end, empty with neither."""
    named = f"({zone(zone_name).key})"
    if starts_at is None:
        return (
            _("until %(moment)s", moment=day_and_time(ends_at, zone_name)) + f" {named}" if ends_at is not None else ""
        )
    if ends_at is None:
        return f"{day_and_time(starts_at, zone_name)} {named}"
    first, last = starts_at.astimezone(zone(zone_name)), ends_at.astimezone(zone(zone_name))
    same_day = first.date() == last.date()
    end = f"-{last:%H:%M}" if same_day else f" - {day_and_time(ends_at, zone_name)}"
    return f"{day_and_time(starts_at, zone_name)}{end} {named}"
