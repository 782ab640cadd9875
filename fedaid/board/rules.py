"""What may stand on a board, and how listings, responses and matches move from state to state; pure."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from fedaid.foundation.ladder import Rung
from fedaid.foundation.places import approximate, on_earth
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line, without_turning

TITLE_CHARACTERS_MAX: Final = 120
DESCRIPTION_CHARACTERS_MAX: Final = 5_000
PLACE_CHARACTERS_MAX: Final = 120
EXACT_PLACE_CHARACTERS_MAX: Final = 300
CONTACT_CHARACTERS_MAX: Final = 200
MESSAGE_CHARACTERS_MAX: Final = 5_000
REASON_CHARACTERS_MAX: Final = 500
MINUTES_MAX: Final = 60_000
PEOPLE_MAX: Final = 20
STAY_DAYS_MAX: Final = 366
MONTHS_PER_YEAR: Final = 12
SEARCH_CHARACTERS_MAX: Final = 100
SLUG_CHARACTERS_MAX: Final = 40
CATEGORIES_MAX: Final = 60
CATEGORY_CHARACTERS_MAX: Final = 40
REMARKS_MAX: Final = 200  # about one response
TOMBSTONES_OF_ONE_MAX: Final = 500  # remembered of one person or board elsewhere
TOMBSTONE_DAYS: Final = 60  # longer than servers try to deliver what they made
REACTIONS_MAX: Final = 1_000  # kept per listing
PICTURES_MAX: Final = 4  # beside one text, as Mastodon shows
EMOJI_MAX: Final = 30  # kinds of them in one text
WARNING_CHARACTERS_MAX: Final = 500
ALT_CHARACTERS_MAX: Final = 1_500
OPEN_RESPONSES_MAX: Final = 200  # waiting for an answer, per listing
OPEN_RESPONSES_OF_ONE_MAX: Final = 5  # of one stranger to one listing
RADIUS_M: Final = 500
_SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Kind(StrEnum):
    """What is posted: something somebody needs, or something somebody can give."""

    REQUEST = "request"
    OFFER = "offer"


class Mode(StrEnum):
    """What comes back for it."""

    HOURS = "hours"
    GIFT = "gift"
    LOAN = "loan"
    SWAP = "swap"


class Visibility(StrEnum):
    """Who may see a listing: everybody, also elsewhere; members here and of linked networks; members here only; or
    those who belong to its group."""

    EVERYBODY = "everybody"
    NEIGHBOURS = "neighbours"
    MEMBERS = "members"
    GROUP = "group"


RUNGS: Final[Mapping[Visibility, Rung]] = {
    Visibility.EVERYBODY: Rung.PUBLIC,
    Visibility.NEIGHBOURS: Rung.NEIGHBOURS,
    Visibility.MEMBERS: Rung.MEMBERS,
    Visibility.GROUP: Rung.GROUP,
}


def is_narrower(one: Visibility, other: Visibility) -> bool:
    """Whether fewer see what has the first than what has the second."""
    return RUNGS[one] > RUNGS[other]


class Rhythm(StrEnum):
    """Whether it is wanted or given once, or stands until its author ends it: whenever, or at regular times."""

    ONCE = "once"
    STANDING = "standing"
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"


class ListingState(StrEnum):
    """Where a listing stands. Hidden by a moderator is no state but a mark beside it."""

    DRAFT = "draft"
    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    DONE = "done"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ResponseState(StrEnum):
    """Where a response stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ResponseForm(StrEnum):
    """How it came: as an offer that the software understands, or as a message from any account of the fediverse."""

    OFFER = "offer"
    MESSAGE = "message"


class ReactionKind(StrEnum):
    """What people elsewhere press below a listing."""

    LIKE = "like"
    DISLIKE = "dislike"
    EMOJI = "emoji"
    BOOST = "boost"


class MatchState(StrEnum):
    """Where a match stands."""

    ACCEPTED = "accepted"
    DONE = "done"
    CANCELLED = "cancelled"


class ReviewState(StrEnum):
    """Where a listing stands that a coordinator looks at before it is on the board."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


TAKES_RESPONSES: Final = frozenset({ListingState.OPEN, ListingState.PARTLY_FILLED})
ON_THE_BOARD: Final = TAKES_RESPONSES | {ListingState.FILLED}

LISTING_MOVES: Final[Mapping[ListingState, frozenset[ListingState]]] = {
    ListingState.DRAFT: frozenset({ListingState.OPEN, ListingState.WITHDRAWN}),
    ListingState.OPEN: frozenset(
        {
            ListingState.PARTLY_FILLED,
            ListingState.FILLED,
            ListingState.DONE,
            ListingState.EXPIRED,
            ListingState.WITHDRAWN,
        }
    ),
    ListingState.PARTLY_FILLED: frozenset(
        {ListingState.OPEN, ListingState.FILLED, ListingState.DONE, ListingState.EXPIRED, ListingState.WITHDRAWN}
    ),
    ListingState.FILLED: frozenset(
        {ListingState.OPEN, ListingState.PARTLY_FILLED, ListingState.DONE, ListingState.WITHDRAWN}
    ),
    ListingState.DONE: frozenset(),
    ListingState.EXPIRED: frozenset({ListingState.OPEN, ListingState.PARTLY_FILLED, ListingState.WITHDRAWN}),
    ListingState.WITHDRAWN: frozenset(),
}

RESPONSE_MOVES: Final[Mapping[ResponseState, frozenset[ResponseState]]] = {
    ResponseState.OFFERED: frozenset({ResponseState.ACCEPTED, ResponseState.DECLINED, ResponseState.WITHDRAWN}),
    ResponseState.ACCEPTED: frozenset({ResponseState.WITHDRAWN, ResponseState.DECLINED}),  # the match is cancelled
    ResponseState.DECLINED: frozenset(),
    ResponseState.WITHDRAWN: frozenset(),
}

MATCH_MOVES: Final[Mapping[MatchState, frozenset[MatchState]]] = {
    MatchState.ACCEPTED: frozenset({MatchState.DONE, MatchState.CANCELLED}),
    MatchState.DONE: frozenset(),
    MatchState.CANCELLED: frozenset(),
}


@dataclass(frozen=True)
class Posting:
    """What somebody wants to put on a board.

    starts_at, ends_at   both: a window; only the first: a moment; only the second: by then; none: any time
    place                roughly where, in words; never an address
    lat, lon             in degrees, blurred by ``checked`` to about 500 m
    minutes              for one helper; None when it is not known
    people               how many helpers are wanted, or how many times it can be given; of what stands: at once
    rhythm               once, or again and again until its author ends it
    visibility           who may see it; other servers are told of what everybody may see, and the linked networks of
                         what neighbours may
    exact_place, contact what only those learn whom the author accepts
    own_name             whether the member is its author for everybody; otherwise the board is, and names nobody
    time_zone            the IANA name in which the times are said to others
    """

    kind: Kind
    title: str
    expires_at: datetime
    description: str = ""
    category: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str = ""
    lat: float | None = None
    lon: float | None = None
    minutes: int | None = None
    people: int = 1
    mode: Mode = Mode.HOURS
    own_name: bool = False
    time_zone: str = "UTC"
    urgent: bool = False
    rhythm: Rhythm = Rhythm.ONCE
    visibility: Visibility = Visibility.EVERYBODY
    exact_place: str = ""
    contact: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture beside a stranger's text, or an emoji in it; its file is fetched when somebody looks at it.

    alt   what it shows; of an emoji its ``:shortcode:``
    """

    url: str
    alt: str
    is_emoji: bool = False


@dataclass(frozen=True)
class ForeignListing:
    """A neighbour's listing as their server says it, already made safe to show.

    uri, author    its id and its author's, of one origin
    content_html   sanitised; ``description`` is the same as plain text
    primary_uri, reciprocal_uri   what an Agreement about it satisfies; empty where it names none
    people         how many are still wanted
    warning        what to say before it is shown; empty where nothing is
    finished       nobody is wanted any more
    visibility     everybody, or neighbours where it was told to the networks that are linked with theirs alone
    """

    uri: str
    author: str
    page: str
    kind: Kind
    title: str
    description: str
    content_html: str
    published_at: datetime
    updated_at: datetime
    category: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str = ""
    lat: float | None = None
    lon: float | None = None
    radius_m: int | None = None
    minutes: int | None = None
    people: int = 1
    mode: Mode = Mode.GIFT
    primary_uri: str = ""
    reciprocal_uri: str = ""
    warning: str = ""
    finished: bool = False
    expires_at: datetime | None = None
    pictures: tuple[Picture, ...] = ()
    visibility: Visibility = Visibility.EVERYBODY


@dataclass(frozen=True)
class ForeignNote:
    """What somebody elsewhere wrote, as plain text that is safe to keep and to show.

    uri, author   its id and its author's, of one origin
    page          where people see it
    text          without the mentions it begins with; the options of a question stand in it as lines
    warning       what to say before it is shown; empty where nothing is
    is_public     whether anybody may read it where it is from
    in_reply_to   ids of what it answers
    mentions      ids of the actors it names
    tags          its hashtags, folded, without the #
    """

    uri: str
    author: str
    page: str
    text: str
    warning: str = ""
    is_public: bool = False
    in_reply_to: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()


def checked(posting: Posting, now: datetime) -> Posting:
    """The posting as it will be stored: trimmed, its position blurred. Raises Refused, naming what to change."""
    tidy = replace(
        posting,
        title=one_line(posting.title),
        description=without_turning(posting.description).replace("\r\n", "\n").strip(),
        place=one_line(posting.place),
        exact_place=one_line(posting.exact_place),
        contact=one_line(posting.contact),
    )
    _check_words(tidy)
    _check_numbers(tidy)
    _check_times(tidy, now)
    return _blurred(tidy)


def _check_words(posting: Posting) -> None:
    if not posting.title:
        raise Refused("title_missing", "Please say in one sentence what it is about.")
    if len(posting.title) > TITLE_CHARACTERS_MAX:
        raise Refused(
            "title_length",
            said(
                "The first sentence has at most %(count)s characters; say more in the details.",
                count=TITLE_CHARACTERS_MAX,
            ),
        )
    if len(posting.description) > DESCRIPTION_CHARACTERS_MAX:
        raise Refused(
            "description_length",
            said("The details have at most %(count)s characters.", count=DESCRIPTION_CHARACTERS_MAX),
        )
    if len(posting.place) > PLACE_CHARACTERS_MAX:
        raise Refused("place_length", said("The place has at most %(count)s characters.", count=PLACE_CHARACTERS_MAX))
    if len(posting.exact_place) > EXACT_PLACE_CHARACTERS_MAX:
        raise Refused(
            "place_length",
            said("The exact place has at most %(count)s characters.", count=EXACT_PLACE_CHARACTERS_MAX),
        )
    if len(posting.contact) > CONTACT_CHARACTERS_MAX:
        raise Refused(
            "contact_length", said("How to reach you has at most %(count)s characters.", count=CONTACT_CHARACTERS_MAX)
        )
    if posting.category and not is_slug(posting.category):
        raise Refused("category", "Please choose one of the categories.")


def _check_numbers(posting: Posting) -> None:
    if posting.minutes is not None and not 1 <= posting.minutes <= MINUTES_MAX:
        raise Refused(
            "minutes",
            said("How long it takes is from 1 minute to %(value)s hours, or left empty.", value=MINUTES_MAX // 60),
        )
    if not 1 <= posting.people <= PEOPLE_MAX:
        raise Refused("people", said("How many people: from 1 to %(count)s.", count=PEOPLE_MAX))
    if (posting.lat is None) != (posting.lon is None):
        raise Refused("position", "A position has both a latitude and a longitude.")
    if posting.lat is not None and posting.lon is not None and not on_earth(posting.lat, posting.lon):
        raise Refused("position", "This position is not on the earth.")


def _check_times(posting: Posting, now: datetime) -> None:
    starts, ends = posting.starts_at, posting.ends_at
    if starts is not None and ends is not None and ends <= starts:
        raise Refused("times", "The end must be after the beginning.")
    last = ends or starts
    if last is not None and last <= now and posting.rhythm is Rhythm.ONCE:  # the first of several may be over
        raise Refused("times", "This time is already over.")
    check_expiry(posting.expires_at, now)


def next_time(
    rhythm: Rhythm, starts_at: datetime | None, ends_at: datetime | None, zone: tzinfo, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """When it is wanted or given next: of regular times the first that is not over, at the same hour on clocks there.

    What is wanted again and again has no time any more once its first is over; what is wanted once keeps its own.
    """
    last = ends_at or starts_at
    if rhythm is Rhythm.ONCE or last is None or last > now:
        return starts_at, ends_at
    if rhythm is Rhythm.STANDING:
        return None, None
    steps = max(1, (now - last).days // _DAYS_AT_MOST[rhythm])
    while _later(last, rhythm, steps, zone) <= now:
        steps += 1
    starts, ends = (_later(one, rhythm, steps, zone) if one is not None else None for one in (starts_at, ends_at))
    return starts, ends


_DAYS_AT_MOST: Final = {Rhythm.WEEKLY: 7, Rhythm.FORTNIGHTLY: 14, Rhythm.MONTHLY: 31}


def _later(moment: datetime, rhythm: Rhythm, steps: int, zone: tzinfo) -> datetime:
    local = moment.astimezone(zone)
    if rhythm is Rhythm.MONTHLY:
        years, month = divmod(local.month - 1 + steps, MONTHS_PER_YEAR)
        year = local.year + years
        day = min(local.day, monthrange(year, month + 1)[1])
        return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)
    weeks = steps if rhythm is Rhythm.WEEKLY else 2 * steps
    return (local + timedelta(weeks=weeks)).astimezone(UTC)


def end_of(day: date, zone: tzinfo) -> datetime:
    """The last second of that day there."""
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def stays_until(now: datetime, zone: tzinfo, days: int) -> datetime:
    """When something leaves the board that stays for so many days: at the end of the last, where its author lives."""
    return end_of(now.astimezone(zone).date() + timedelta(days=days), zone)


def check_expiry(expires_at: datetime, now: datetime) -> None:
    """Raises Refused when a listing could not stay until then."""
    if expires_at <= now:
        raise Refused("expiry", "It must stay on the board until some time in the future.")
    if expires_at > now + timedelta(days=STAY_DAYS_MAX):
        raise Refused("expiry", "It can stay on the board for at most a year; you can extend it later.")


def warning_due(published_at: datetime, expires_at: datetime, notice_days: int) -> datetime:
    """When its author is told that a listing ends: so many days before, but not in the first half of its time."""
    return expires_at - min(timedelta(days=notice_days), (expires_at - published_at) / 2)


def _blurred(posting: Posting) -> Posting:
    if posting.lat is None or posting.lon is None:
        return posting
    lat, lon = approximate(posting.lat, posting.lon)
    return replace(posting, lat=lat, lon=lon)


def is_slug(text: str) -> bool:
    """Whether the text can name a category."""
    return len(text) <= SLUG_CHARACTERS_MAX and _SLUG.fullmatch(text) is not None


def chosen_category_name(name: str) -> str:
    """What a kind of help is called. Raises Refused when it is empty or too long."""
    called = one_line(name)
    if not 1 <= len(called) <= CATEGORY_CHARACTERS_MAX:
        raise Refused(
            "category_name",
            said("A kind of help is called something of 1 to %(count)s letters.", count=CATEGORY_CHARACTERS_MAX),
        )
    return called


def moved(before: ListingState, after: ListingState) -> ListingState:
    """The new state of a listing. Raises Refused for a move that is not in the table."""
    if after not in LISTING_MOVES[before]:
        raise Refused("listing_state", _CLOSED_SENTENCES.get(before, "This can no longer be done here."), 409)
    return after


_CLOSED_SENTENCES: Final = {
    ListingState.DONE: "This is done already.",
    ListingState.EXPIRED: "Its time is over; extend it first.",
    ListingState.WITHDRAWN: "This was taken off the board.",
    ListingState.FILLED: "Enough helpers were found already.",
}


def response_moved(before: ResponseState, after: ResponseState) -> ResponseState:
    """The new state of a response. Raises Refused for a move that is not in the table."""
    if after not in RESPONSE_MOVES[before]:
        raise Refused("response_state", "This answer was settled already.", 409)
    return after


def match_moved(before: MatchState, after: MatchState) -> MatchState:
    """The new state of a match. Raises Refused for a move that is not in the table."""
    if after not in MATCH_MOVES[before]:
        raise Refused("match_state", "This was settled already.", 409)
    return after


def check_open(state: ListingState) -> None:
    """Raises Refused when a listing takes no more responses."""
    if state not in TAKES_RESPONSES:
        raise Refused("not_open", _CLOSED_SENTENCES.get(state, "This is not open for answers."), 409)


def helpers_found(rhythm: Rhythm, accepted: int, done: int) -> int:
    """How many of the places are taken: what stands has its place free again once the help was given."""
    return accepted + done if rhythm is Rhythm.ONCE else accepted


def state_by_matches(
    before: ListingState, people: int, accepted: int, done: int, rhythm: Rhythm = Rhythm.ONCE
) -> ListingState:
    """The state that follows from its matches. Those that end a listing are not undone by them.

    What stands is never done by a match: its author ends it.
    """
    if before in (ListingState.WITHDRAWN, ListingState.DRAFT, ListingState.DONE):
        return before
    if rhythm is Rhythm.ONCE and done >= people:
        return ListingState.DONE
    if before is ListingState.EXPIRED:
        return before
    found = helpers_found(rhythm, accepted, done)
    if found >= people:
        return ListingState.FILLED
    return ListingState.PARTLY_FILLED if found else ListingState.OPEN


def checked_message(message: str) -> str:
    """What a helper writes; may be empty. Raises Refused when it is too long."""
    tidy = without_turning(message).replace("\r\n", "\n").strip()
    if len(tidy) > MESSAGE_CHARACTERS_MAX:
        raise Refused(
            "message_length", said("A message has at most %(count)s characters.", count=MESSAGE_CHARACTERS_MAX)
        )
    return tidy


def checked_minutes(minutes: int | None) -> int | None:
    """The length of help that somebody offers. Raises Refused outside 1 to 60,000 minutes."""
    if minutes is not None and not 1 <= minutes <= MINUTES_MAX:
        raise Refused(
            "minutes",
            said("How long it takes is from 1 minute to %(value)s hours, or left empty.", value=MINUTES_MAX // 60),
        )
    return minutes


def parties(kind: Kind, author: str, helper: str) -> tuple[str, str]:
    """Who gives and who receives the help, in this order. On an offer the one who answers is the one helped."""
    return (helper, author) if kind is Kind.REQUEST else (author, helper)


# What people do for each other, for an instance's first day: slug and name.
DEFAULT_CATEGORIES: Final = (
    ("moving", "Moving and carrying"),
    ("repair", "Repairs"),
    ("garden", "Garden"),
    ("food", "Food and meals"),
    ("transport", "Rides and errands"),
    ("childcare", "Childcare"),
    ("care", "Care and company"),
    ("pets", "Pets"),
    ("learning", "Learning and languages"),
    ("computers", "Computers and phones"),
    ("paperwork", "Letters and forms"),
    ("tools", "Tools and things"),
    ("clothing", "Clothing"),
    ("music-and-art", "Music and art"),
    ("other", "Something else"),
)
