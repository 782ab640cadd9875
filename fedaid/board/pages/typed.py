"""What was typed into the composer, read as a posting and written back as it was typed; times in the viewer's zone."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from fedaid.board.queries import Listing, Meeting
from fedaid.board.rules import PEOPLE_MAX, Kind, Mode, Posting, Rhythm, Visibility, end_of, stays_until
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.wording import in_figures, read_minutes, zone

_LOCAL_TIME = "%Y-%m-%dT%H:%M"
# What a form carries beside what somebody wrote: a draft does not keep it.
_NOT_WRITTEN = frozenset({"key", "photo_kept", "photo_from", "photo_drop"})


def local(moment: datetime, who: Viewer) -> datetime:
    """The moment on the viewer's clock."""
    return moment.astimezone(zone(who.time_zone))


def written(form: Mapping[str, str]) -> dict[str, str]:
    """What of the form is worth keeping as a draft."""
    return {name: value for name, value in form.items() if value and name not in _NOT_WRITTEN}


def as_typed(found: Listing, meeting: Meeting | None, who: Viewer) -> dict[str, str]:
    """A listing as its author would have typed it."""

    def at(moment: datetime | None) -> str:
        return local(moment, who).strftime(_LOCAL_TIME) if moment is not None else ""

    return {
        "title": found.title,
        "description": found.description,
        "category": found.category,
        "starts_at": at(found.starts_at),
        "ends_at": at(found.ends_at),
        "place": found.place,
        "lat": "" if found.lat is None else str(found.lat),
        "lon": "" if found.lon is None else str(found.lon),
        "people": str(found.people),
        "hours": "" if found.minutes is None else in_figures(found.minutes),
        "mode": found.mode,
        "expires_on": at(found.expires_at)[:10],
        "urgent": "1" if found.urgent else "",
        "rhythm": found.rhythm,
        "visibility": found.visibility,
        "own_name": "1" if found.in_own_name else "",
        "exact_place": meeting.exact_place if meeting is not None else "",
        "contact": meeting.contact if meeting is not None else "",
    }


def read_posting(form: Mapping[str, str], kind: Kind, who: Viewer, now: datetime, stay_days: int) -> Posting:
    """What was typed as a posting. Raises Refused, naming the field."""

    def typed(name: str) -> str:
        return form.get(name) or ""

    return Posting(
        kind=kind,
        title=typed("title"),
        description=typed("description"),
        category=typed("category"),
        starts_at=_read_time(typed("starts_at"), who),
        ends_at=_read_time(typed("ends_at"), who),
        place=typed("place"),
        lat=read_degrees(typed("lat")),
        lon=read_degrees(typed("lon")),
        minutes=_read_hours(typed("hours")),
        people=_read_people(typed("people")),
        mode=_read_mode(typed("mode")),
        expires_at=_read_expiry(typed("expires_on"), who, now, stay_days),
        own_name=typed("own_name") == "1",
        time_zone=who.time_zone,
        urgent=typed("urgent") == "1",
        rhythm=_read_rhythm(typed("rhythm")),
        visibility=_read_visibility(typed("visibility")),
        exact_place=typed("exact_place"),
        contact=typed("contact"),
    )


def _read_time(text: str, who: Viewer) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone(who.time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("times", "A time looks like 2026-09-05 10:00.") from None


def _read_expiry(text: str, who: Viewer, now: datetime, stay_days: int) -> datetime:
    """The end of that day where the viewer lives."""
    try:
        return (
            end_of(date.fromisoformat(text), zone(who.time_zone))
            if text
            else stays_until(now, zone(who.time_zone), stay_days)
        )
    except (ValueError, OverflowError):
        raise Refused("expiry", "A day looks like 2026-09-05.") from None


def _read_hours(text: str) -> int | None:
    if not text:
        return None
    minutes = read_minutes(text)
    if minutes is None:
        raise Refused("minutes", "How long it takes is written like 1:30 or 1.5, in hours.")
    return minutes


def _read_people(text: str) -> int:
    if not text:
        return 1
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise Refused("people", said("How many people: from 1 to %(count)s.", count=PEOPLE_MAX))
    return int(text)


def _read_mode(text: str) -> Mode:
    if text and text not in set(Mode):
        raise Refused("mode", "Please choose what you would give or take in return.")
    return Mode(text or Mode.HOURS)


def _read_rhythm(text: str) -> Rhythm:
    if text and text not in set(Rhythm):
        raise Refused("rhythm", "Please choose whether it is once, or how often.")
    return Rhythm(text or Rhythm.ONCE)


def _read_visibility(text: str) -> Visibility:
    if text and text not in set(Visibility):
        raise Refused("visibility", "Please choose who may see it.")
    return Visibility(text or Visibility.EVERYBODY)


def read_degrees(text: str) -> float | None:
    """Degrees as people write them; None for nothing. Raises Refused."""
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        raise Refused("position", "A position is written in degrees, like 51.52.") from None
