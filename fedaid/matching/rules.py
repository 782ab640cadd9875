"""Who could help with what, and why: the one rule that judges it, for members and for offers alike; pure.

What is never looked at: what somebody gave or received, whom they refused, how often they were thanked, what was
written in private. Points only put the better reasons first; nobody sees them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from fedaid.foundation.places import distance_km
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line
from fedaid.foundation.words import terms
from fedaid.skills.rules import LANGUAGES, MINUTES_PER_DAY, Window, free_spans

NEAR_KM: Final = 5
NEXT_DOOR_KM: Final = 1
PART_MINUTES_MIN: Final = 30  # of what is needed; being free for less helps nobody
USUAL_MINUTES: Final = 60  # where it is not said how long it takes
WEEK: Final = timedelta(days=7)
NO_KIND: Final = frozenset({"", "other"})  # "something else" is nothing that two have in common
COMMON_WORDS_MAX: Final = 3
SEARCH_NAME_CHARACTERS_MAX: Final = 60
SEARCH_QUERY_CHARACTERS_MAX: Final = 500

# How a request in English names the languages of the directory.
_IN_ENGLISH: Final[Mapping[str, str]] = {
    "ar": "arabic",
    "bn": "bengali bangla",
    "ca": "catalan",
    "cs": "czech",
    "cy": "welsh",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fa": "persian farsi",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "gl": "galician",
    "he": "hebrew",
    "hi": "hindi",
    "hu": "hungarian",
    "it": "italian",
    "ja": "japanese",
    "ko": "korean",
    "nl": "dutch",
    "no": "norwegian",
    "pa": "punjabi",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "so": "somali",
    "sv": "swedish",
    "sw": "swahili",
    "ti": "tigrinya",
    "tl": "tagalog filipino",
    "tr": "turkish",
    "uk": "ukrainian",
    "ur": "urdu",
    "vi": "vietnamese",
    "zh": "chinese",
}
_NAMED: Final = {code: terms(f"{LANGUAGES[code]} {words}") for code, words in _IN_ENGLISH.items()}


class ReasonKind(StrEnum):
    """Why somebody could help, in the order in which it is told."""

    SKILL = "skill"
    KIND = "kind"
    SPEAKS = "speaks"
    FREE = "free"
    FREE_BEFORE = "free_before"
    PARTLY_FREE = "partly_free"
    NEAR = "near"
    LANGUAGE = "language"


@dataclass(frozen=True)
class Reason:
    """One of the reasons.

    what   the skill for SKILL, the slug of the category for KIND, the code of the language for SPEAKS and LANGUAGE
    km     for NEAR, whole kilometres, at least 1
    """

    kind: ReasonKind
    what: str = ""
    km: int = 0


@dataclass(frozen=True)
class Fit:
    """That somebody could help, with every reason. ``points`` only orders: more comes first."""

    points: int
    reasons: tuple[Reason, ...]


class Misfit(StrEnum):
    """Why somebody is not suggested. Nobody is told: not the one who asks, and not the one who is left out."""

    OTHER_SKILLS = "other_skills"
    NOT_FREE = "not_free"
    TOO_FAR = "too_far"
    NO_COMMON_LANGUAGE = "no_common_language"
    MONTH_IS_FULL = "month_is_full"
    ASKED_ENOUGH = "asked_enough"


@dataclass(frozen=True)
class Ability:
    """Something that can be done for others: a skill of the directory, or an offer on a board."""

    title: str
    category: str
    terms: frozenset[str]


@dataclass(frozen=True)
class Need:
    """A request, as matching sees it.

    starts_at, ends_at   both: a window; only the first: a moment; only the second: by then; none: any time
    languages            that the one who asks speaks; empty where that is not known
    """

    category: str
    terms: frozenset[str]
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    minutes: int | None = None
    position: tuple[float, float] | None = None
    languages: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Helper:
    """Somebody who could help, or an offer, as matching sees it.

    windows           when they are free in a week, in ``zone``; none: they have not said
    span              the one time at which an offer holds
    promised_minutes  of help that they agreed to in this month
    asked_lately      how often they were asked in the last seven days
    asks_max          how often is enough; None where nobody is being asked
    """

    abilities: Sequence[Ability]
    windows: Collection[Window] = ()
    zone: tzinfo = UTC
    span: tuple[datetime, datetime] | None = None
    position: tuple[float, float] | None = None
    travel_km: int | None = None
    languages: frozenset[str] = frozenset()
    monthly_minutes_max: int | None = None
    promised_minutes: int = 0
    asked_lately: int = 0
    asks_max: int | None = None


@dataclass
class _Judgement:
    """What speaks for somebody so far."""

    points: int = 0
    reasons: list[Reason] = field(default_factory=list)

    def add(self, points: int, kind: ReasonKind, what: str = "", km: int = 0) -> None:
        self.points += points
        self.reasons.append(Reason(kind, what, km))


def fit(need: Need, helper: Helper, now: datetime) -> Fit | Misfit:
    """Whether this helper fits this need, and every reason why; or the first reason why not."""
    found = _Judgement()
    steps = (_by_skill, _by_patience, _by_month, _by_language, _by_time, _by_distance)
    for step in steps:
        misfit = step(found, need, helper, now)
        if misfit is not None:
            return misfit
    order = list(ReasonKind)
    return Fit(found.points, tuple(sorted(found.reasons, key=lambda one: order.index(one.kind))))


def _by_skill(found: _Judgement, need: Need, helper: Helper, _now: datetime) -> Misfit | None:
    """They must have said that they do this: people are asked for nothing else."""
    judged = [(_kinship(need, one), one) for one in helper.abilities]
    points, best = max(judged, key=lambda pair: pair[0], default=(0, None))
    if best is None or points == 0:
        return Misfit.OTHER_SKILLS
    if best.terms & need.terms:
        found.add(points, ReasonKind.SKILL, best.title)
    else:
        found.add(points, ReasonKind.KIND, best.category)
    return None


def _kinship(need: Need, one: Ability) -> int:
    """How much an ability has to do with a need. One word alone means little where both say another kind of help."""
    same_kind = need.category == one.category and need.category not in NO_KIND
    either_open = need.category in NO_KIND or one.category in NO_KIND
    words = min(len(need.terms & one.terms), COMMON_WORDS_MAX)
    if not (same_kind or words > 1 or (words and either_open)):
        return 0
    return 3 * same_kind + 2 * words


def _by_patience(_found: _Judgement, _need: Need, helper: Helper, _now: datetime) -> Misfit | None:
    enough = helper.asks_max is not None and helper.asked_lately >= helper.asks_max
    return Misfit.ASKED_ENOUGH if enough else None


def _by_month(_found: _Judgement, need: Need, helper: Helper, _now: datetime) -> Misfit | None:
    most = helper.monthly_minutes_max
    full = most is not None and helper.promised_minutes + (need.minutes or 1) > most
    return Misfit.MONTH_IS_FULL if full else None


def _by_language(found: _Judgement, need: Need, helper: Helper, _now: datetime) -> Misfit | None:
    for code in sorted(helper.languages):
        if _NAMED[code] & need.terms:
            found.add(2, ReasonKind.SPEAKS, code)
    if not need.languages or not helper.languages:
        return None
    common = sorted(need.languages & helper.languages)
    if not common:
        return Misfit.NO_COMMON_LANGUAGE
    told = {one.what for one in found.reasons if one.kind is ReasonKind.SPEAKS}
    if not told & set(common):
        found.add(1, ReasonKind.LANGUAGE, common[0])
    return None


def _by_time(found: _Judgement, need: Need, helper: Helper, now: datetime) -> Misfit | None:
    span = _span(need, now)
    if span is None or not (helper.windows or helper.span):
        return None
    if span[1] <= span[0]:
        return Misfit.NOT_FREE  # its time is over
    wanted = timedelta(minutes=need.minutes or USUAL_MINUTES)
    longest = max((ends - begins for begins, ends in _free(helper, span)), default=timedelta(0))
    if longest >= min(wanted, span[1] - span[0]):
        by_then = need.starts_at is None
        found.add(3, ReasonKind.FREE_BEFORE if by_then else ReasonKind.FREE)
    elif longest >= timedelta(minutes=PART_MINUTES_MIN):
        found.add(1, ReasonKind.PARTLY_FREE)
    else:
        return Misfit.NOT_FREE
    return None


def _span(need: Need, now: datetime) -> tuple[datetime, datetime] | None:
    """When it can be done, from now on and within a week, as a week is all that free times say."""
    if need.starts_at is None and need.ends_at is None:
        return None
    begins = max(need.starts_at or now, now)
    ends = need.ends_at or begins + timedelta(minutes=need.minutes or USUAL_MINUTES)
    return begins, min(ends, begins + WEEK)


def _free(helper: Helper, span: tuple[datetime, datetime]) -> Sequence[tuple[datetime, datetime]]:
    if helper.span is not None:
        return [(max(span[0], helper.span[0]), min(span[1], helper.span[1]))]
    return free_spans(helper.windows, helper.zone, *span)


def _by_distance(found: _Judgement, need: Need, helper: Helper, _now: datetime) -> Misfit | None:
    if need.position is None or helper.position is None:
        return None
    km = distance_km(need.position, helper.position)
    if helper.travel_km is not None and km > helper.travel_km:
        return Misfit.TOO_FAR
    if km <= NEAR_KM:
        found.add(2 if km <= NEXT_DOOR_KM else 1, ReasonKind.NEAR, km=max(1, round(km)))
    return None


def windows_of_need(need: Need, zone: tzinfo, now: datetime) -> tuple[Window, ...]:
    """When it can be done, as times of the week on clocks there; none: any time, or so long that it makes no odds."""
    span = _span(need, now)
    if span is None or span[1] - span[0] > timedelta(days=3):
        return ()
    first, last = (moment.astimezone(zone) for moment in span)
    found, day = [], first.date()
    while day <= last.date():
        start = first.hour * 60 + first.minute if day == first.date() else 0
        end = last.hour * 60 + last.minute if day == last.date() else MINUTES_PER_DAY
        if start < end:
            found.append(Window(day.weekday(), start, end))
        day += timedelta(days=1)
    return tuple(found)


def month_began(now: datetime, zone: tzinfo) -> datetime:
    """The first moment of this month there."""
    return now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def term_of_kind(category: str) -> str:
    """A category among the words of a listing, where it cannot be taken for one."""
    return f"#{category}"


def checked_search_name(name: str) -> str:
    """What a member calls a search, on one line. Raises Refused when it is empty or too long."""
    tidy = one_line(name)
    if not tidy:
        raise Refused("search_name", "Please give the search a name.")
    if len(tidy) > SEARCH_NAME_CHARACTERS_MAX:
        raise Refused(
            "search_name", said("The name has at most %(count)s characters.", count=SEARCH_NAME_CHARACTERS_MAX)
        )
    return tidy
