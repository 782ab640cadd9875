"""Reads about the board; each takes the viewer and gives only what that viewer may see."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, bindparam, exists, false, func, or_, select, true

from fedaid.actors import queries as actors
from fedaid.actors.queries import Card
from fedaid.actors.rules import FollowState
from fedaid.actors.rules import Kind as ActorKind
from fedaid.actors.tables import follow, local_actor, remote_actor
from fedaid.board.rules import (
    ON_THE_BOARD,
    SEARCH_CHARACTERS_MAX,
    TAKES_RESPONSES,
    Kind,
    ListingState,
    MatchState,
    Mode,
    ReactionKind,
    ResponseForm,
    ResponseState,
    ReviewState,
    Rhythm,
    Visibility,
    helpers_found,
    is_slug,
    next_time,
)
from fedaid.board.tables import category as category_table
from fedaid.board.tables import help_match as match_table
from fedaid.board.tables import listing as listing_table
from fedaid.board.tables import listing_draft as draft_table
from fedaid.board.tables import listing_meeting as meeting_table
from fedaid.board.tables import listing_photo as photo_table
from fedaid.board.tables import listing_photo_kept as photo_kept_table
from fedaid.board.tables import listing_review as review_table
from fedaid.board.tables import listing_search, listing_tombstone, listing_warning
from fedaid.board.tables import picture as picture_table
from fedaid.board.tables import reaction as reaction_table
from fedaid.board.tables import remark as remark_table
from fedaid.board.tables import response as response_table
from fedaid.foundation import full_text
from fedaid.foundation.database import Database
from fedaid.foundation.federation import Federation
from fedaid.foundation.ids import row_id_or_none
from fedaid.foundation.places import KM_PER_DEGREE, narrowing, on_earth
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.text import one_line
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.wording import zone
from fedaid.foundation.words import asked
from fedaid.groups import queries as groups
from fedaid.network import queries as networks
from fedaid.network.queries import showable, verdicts_on
from fedaid.network.rules.restrictions import Standing
from outbox import collection as sent

LISTINGS_PER_PAGE = 20
_NOT_CALLING = {Standing.SHUT_OUT, Standing.LIMITED}
INDEXED_MAX = 500  # listings near a place, or with some words, that are picked out before all else is asked
MINE_MAX = 100  # of each kind on the page of one member
FILTERS: Final = ("kind", "category", "q", "mine", "near", "km", "urgent")  # by their names in the address
KM_CHOICES: Final = (1, 2, 5, 10, 25, 100)
KM_DEFAULT: Final = 5
NEAR_ME: Final = "me"

# What every listing that comes in asks is built once: building it costs more than asking it.
_BY_ID = select(listing_table).where(listing_table.c.id == bindparam("id"))
_BY_IDS = select(listing_table).where(listing_table.c.id.in_(bindparam("ids", expanding=True)))
_BY_URI = select(listing_table).where(listing_table.c.uri == bindparam("uri"))
_TOMBSTONE = select(listing_tombstone.c.uri).where(listing_tombstone.c.uri == bindparam("uri"))
_HEARD = select(
    select(listing_table.c.id).where(listing_table.c.uri == bindparam("uri")).scalar_subquery(),
    _TOMBSTONE.exists(),
    select(picture_table.c.id).where(picture_table.c.owner_uri == bindparam("uri")).exists(),
)
_FOLLOWED = (
    select(follow.c.id)
    .where(follow.c.followee == bindparam("actor"), follow.c.state == FollowState.ACCEPTED)
    .where(follow.c.follower.in_(select(local_actor.c.uri).where(local_actor.c.kind == ActorKind.GROUP)))
    .limit(1)
)


@dataclass(frozen=True)
class Listing:
    """A listing of here (``local``) or of a neighbouring board.

    board_actor    the board it stands on
    author_actor   the author on the wire: the board, unless somebody posted under their own name
    member_actor, author_member_id   the member of ours who posted it; never sent out where the board is the author
    form_key       of what they typed into a form, which may be sent twice
    page           where people see it
    minutes        for one helper
    primary_uri, reciprocal_uri   what an Agreement about it satisfies
    """

    id: int
    uri: str
    board_actor: str
    author_actor: str
    author_member_id: int | None
    member_actor: str | None
    form_key: str | None
    host: str
    page: str
    local: bool
    hidden: bool
    kind: Kind
    title: str
    description: str
    content_html: str
    warning: str
    category: str
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    place: str
    lat: float | None
    lon: float | None
    radius_m: int | None
    minutes: int | None
    people: int
    mode: Mode
    primary_uri: str
    reciprocal_uri: str
    state: ListingState
    expires_at: datetime | None
    published_at: datetime
    updated_at: datetime
    urgent: bool = False
    rhythm: Rhythm = Rhythm.ONCE
    visibility: Visibility = Visibility.EVERYBODY

    @property
    def is_public(self) -> bool:
        """Whether everybody may see it; only then servers are told of it that are not of a linked network."""
        return self.visibility is Visibility.EVERYBODY

    @property
    def is_for_neighbours(self) -> bool:
        """Whether members of linked networks may see it, and of those elsewhere nobody else."""
        return self.visibility is Visibility.NEIGHBOURS

    @property
    def leaves(self) -> bool:
        """Whether any other server may be told of it."""
        return self.is_public or self.is_for_neighbours

    @property
    def stands(self) -> bool:
        """Whether it is wanted or given again and again, until its author ends it."""
        return self.rhythm is not Rhythm.ONCE

    def time_from(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """When it begins and ends, the next time where it stands."""
        return next_time(self.rhythm, self.starts_at, self.ends_at, zone(self.time_zone), now)

    @property
    def in_own_name(self) -> bool:
        """Whether its author on the wire is a person; their board then announces it."""
        return self.author_actor != self.board_actor

    def takes_responses(self, now: datetime) -> bool:
        """Whether one may still answer it."""
        return self.state in TAKES_RESPONSES and not self.hidden and (self.expires_at is None or self.expires_at > now)

    @property
    def is_for_elsewhere(self) -> bool:
        """Whether somebody elsewhere asked our board to post it; coordinators look after it in their name."""
        return self.local and self.member_actor is not None and urlsplit(self.member_actor).netloc != self.host

    def is_by(self, viewer: Viewer) -> bool:
        """Whether the viewer posted it, or looks after it."""
        if self.is_for_elsewhere:
            return viewer.is_coordinator
        return viewer.member_id is not None and viewer.member_id == self.author_member_id


@dataclass(frozen=True)
class Response:
    """Somebody's answer to a listing. ``uri`` is the id of the Offer, or of the Note of somebody who just replied.

    warning   what to say before its message is shown
    public    a reply that anybody may read at its own server
    told_uri  the Note that told somebody elsewhere of it, whose listing it is about
    """

    id: int
    uri: str
    listing_id: int
    helper_actor: str
    helper_member_id: int | None
    helper_name: str
    asked_actor: str
    form: ResponseForm
    message: str
    warning: str
    public: bool
    told_uri: str | None
    minutes: int | None
    state: ResponseState
    reason: str
    created_at: datetime
    answered_at: datetime | None

    def is_by(self, viewer: Viewer) -> bool:
        """Whether the viewer sent it."""
        return viewer.member_id is not None and viewer.member_id == self.helper_member_id


@dataclass(frozen=True)
class PublicAnswer:
    """A reply that anybody may read at its own server, where ``uri`` leads."""

    id: int
    uri: str


@dataclass(frozen=True)
class Match:
    """An accepted response: ``provider`` gives the help, ``receiver`` is helped; both are ids on the wire.

    minutes          the hours agreed on; None for a gift, a loan or a swap
    hours_logged_at  when the hours were claimed or given, though perhaps not yet confirmed
    """

    id: int
    agreement_uri: str
    listing_id: int
    response_id: int
    provider: str
    receiver: str
    minutes: int | None
    state: MatchState
    accepted_at: datetime
    hours_logged_at: datetime | None
    done_at: datetime | None

    def is_of(self, viewer: Viewer) -> bool:
        """Whether the viewer is one of the two."""
        return viewer.signed_in and viewer.actor in (self.provider, self.receiver)

    def other(self, actor: str) -> str:
        """The one that this one has to do with."""
        return self.receiver if actor == self.provider else self.provider


@dataclass(frozen=True)
class Category:
    """A kind of help to filter by; one that is retired is not offered any more."""

    slug: str
    name: str
    is_retired: bool = False


@dataclass(frozen=True)
class Filters:
    """What to show of the board.

    before       the id of the last listing of the page before
    after        only what reached us after the listing with this id
    board_actor  only this board of ours, with those elsewhere that it follows
    near_said    of what it is to be near, as it was typed; ``near`` once it was found out
    near         only what is within ``km`` kilometres of this position, in degrees
    urgent       only what is urgent
    """

    kind: Kind | None = None
    category: str = ""
    text: str = ""
    mine: bool = False
    board_actor: str = ""
    before: int | None = None
    after: int | None = None
    near_said: str = ""
    near: tuple[float, float] | None = None
    km: int = 0
    urgent: bool = False


def read_filters(asked: Mapping[str, str], *, signed_in: bool) -> Filters:
    """The filters as they stand in an address; what makes no sense is left out."""
    km = asked.get("km", "")
    kind, slug = asked.get("kind", ""), asked.get("category", "")
    return Filters(
        kind=Kind(kind) if kind in set(Kind) else None,
        category=slug if is_slug(slug) else "",
        text=one_line(asked.get("q", ""))[:SEARCH_CHARACTERS_MAX],
        near_said=one_line(asked.get("near", ""))[:SEARCH_CHARACTERS_MAX],
        km=int(km) if km in set(map(str, KM_CHOICES)) else KM_DEFAULT,
        urgent=asked.get("urgent") == "1",
        mine=asked.get("mine") == "1" and signed_in,
        before=row_id_or_none(asked.get("before", "")),
    )


@dataclass(frozen=True)
class Noticed:
    """A listing as it is shown on a board, with who posted it, as far as the viewer may know.

    author   None for somebody signed out, and for a neighbour whose board speaks for them
    board    the board it stands on
    helpers  how many were accepted so far; 0 for listings of neighbouring boards
    """

    listing: Listing
    author: Card | None
    board: Card
    helpers: int


@dataclass(frozen=True)
class Page:
    """One page of the board; ``next_before`` continues it."""

    listings: Sequence[Noticed]
    next_before: int | None


@dataclass(frozen=True)
class Remark:
    """What one side of a response wrote to the other after it. ``uri`` is its id on the wire.

    is_thanks  whoever was helped thanked with it; of what was written elsewhere this is not known
    """

    id: int
    uri: str
    response_id: int
    author_actor: str
    text: str
    warning: str
    created_at: datetime
    is_thanks: bool = False


@dataclass(frozen=True)
class StoredPicture:
    """A picture or an emoji (``alt`` is then its shortcode) of what came from elsewhere."""

    id: int
    owner_uri: str
    url: str
    alt: str
    emoji: bool


@dataclass(frozen=True)
class Reactions:
    """How many people elsewhere liked a listing or passed it on; for its author only."""

    likes: int
    boosts: int


@dataclass(frozen=True)
class Answered:
    """A response as its listing's author, or its sender, sees it, with what both wrote after it, oldest first."""

    response: Response
    helper: Card
    listing: Listing
    match: Match | None
    remarks: Sequence[Remark] = ()


@dataclass(frozen=True)
class Agreed:
    """A match as one of its two parties sees it. ``gives`` says whether the viewer is the helper."""

    match: Match
    listing: Listing
    other: Card
    gives: bool


class Action(StrEnum):
    """What a member must do next."""

    ANSWER = "answer"
    LOG_HOURS = "log_hours"
    SAY_DONE = "say_done"


@dataclass(frozen=True)
class NextAction:
    """One thing that waits for a member, since ``since``, about ``who``."""

    action: Action
    listing: Listing
    who: Card
    since: datetime
    response: Response | None = None
    match: Match | None = None


class Gone(Refused):
    """It was here and was taken down: 410, unlike what never was."""

    def __init__(self) -> None:
        super().__init__("gone", "This was taken off the board.", 410)


def listing_of(row: Row[tuple[object, ...]]) -> Listing:
    """A row of the table as a value."""
    found = row._mapping
    parsed = {
        "kind": Kind(found["kind"]),
        "mode": Mode(found["mode"]),
        "state": ListingState(found["state"]),
        "rhythm": Rhythm(found["rhythm"]),
        "visibility": Visibility(found["visibility"]),
    }
    return Listing(**{**found, **parsed})


def response_of(row: Row[tuple[object, ...]]) -> Response:
    """A row of the table as a value."""
    found = row._mapping
    return Response(**{**found, "form": ResponseForm(found["form"]), "state": ResponseState(found["state"])})


def match_of(row: Row[tuple[object, ...]]) -> Match:
    """A row of the table as a value."""
    return Match(**{**row._mapping, "state": MatchState(row._mapping["state"])})


def _host_of(viewer: Viewer) -> str:
    """Our own host, as a member's id has it."""
    return urlsplit(viewer.actor).netloc


# listings


def board(
    connection: Connection,
    viewer: Viewer,
    filters: Filters,
    now: datetime,
    our_host: str,
    federation: Federation = Federation.OPEN,
    rows_max: int = LISTINGS_PER_PAGE,
) -> Page:
    """Listings of here and of neighbouring boards, newest here first; none of anybody who is shut out (attack S48).

    Ordered by when they reached us, not by when they say they were written: nobody can stay on top by a false date.
    """
    wanted = and_(*_conditions(connection, viewer, filters, now), _welcome(connection, viewer, federation))
    found = _newest(connection, filters, wanted, rows_max + 1)
    shown = found[:rows_max]
    more = shown[-1].id if len(found) > rows_max else None
    return Page(noticed(connection, viewer, shown, our_host), more)


def finds(
    connection: Connection,
    viewer: Viewer,
    filters: Filters,
    listing_id: int,
    now: datetime,
    federation: Federation = Federation.OPEN,
) -> bool:
    """Whether the board with these filters would show this listing to the viewer."""
    wanted = and_(*_conditions(connection, viewer, filters, now), _welcome(connection, viewer, federation))
    query = select(listing_table.c.id).where(listing_table.c.id == listing_id, wanted)
    return any(connection.execute(query.where(held)).first() is not None for held in _held(connection, filters))


def on_map(
    connection: Connection,
    viewer: Viewer,
    filters: Filters,
    now: datetime,
    our_host: str,
    rows_max: int,
    federation: Federation = Federation.OPEN,
) -> Sequence[Noticed]:
    """The newest of what ``board`` would show and that says where it is."""
    wanted = and_(*_conditions(connection, viewer, filters, now), _welcome(connection, viewer, federation))
    found = _newest(connection, filters, and_(wanted, listing_table.c.lat.is_not(None)), rows_max)
    return noticed(connection, viewer, found, our_host)


def _newest(connection: Connection, filters: Filters, wanted: ColumnElement[bool], most: int) -> Sequence[Listing]:
    """At most so many listings that are wanted and hold the words that are looked for, newest here first."""
    query = select(listing_table).where(wanted).order_by(listing_table.c.id.desc()).limit(most)
    found: list[Listing] = []
    for held in _held(connection, filters):
        found = [listing_of(row) for row in connection.execute(query.where(held))]
        if len(found) == most:
            break
    return found


PositionOf = Callable[[Connection, Viewer], tuple[float, float] | None]


def with_position(connection: Connection, viewer: Viewer, filters: Filters, position_of: PositionOf) -> Filters:
    """The filters with the position that they name: where the viewer lives, degrees, or a place of the board."""
    if not filters.near_said:
        return filters
    if filters.near_said == NEAR_ME:
        return replace(filters, near=position_of(connection, viewer))
    degrees = _degrees(filters.near_said)
    return replace(filters, near=degrees or position_of_place(connection, viewer, filters.near_said))


def _degrees(said: str) -> tuple[float, float] | None:
    lat, comma, lon = said.partition(",")
    try:
        found = (float(lat), float(lon)) if comma else None
    except ValueError:
        return None
    return found if found is not None and on_earth(*found) else None


def position_of_place(connection: Connection, viewer: Viewer, place: str) -> tuple[float, float] | None:
    """Where a place is, as the newest listing that the viewer may see and that names it so has it."""
    table = listing_table.c
    named = func.lower(table.place).contains(place.lower(), autoescape=True)
    seen = and_(visible_to(viewer), table.hidden.is_(False), table.state.in_(sorted(ON_THE_BOARD)))
    query = select(table.lat, table.lon).where(named, table.lat.is_not(None), seen).order_by(table.id.desc()).limit(1)
    for held in _held(connection, Filters(text=place)):
        if (row := connection.execute(query.where(held)).first()) is not None:
            return row.lat, row.lon
    return None


def visible_to(viewer: Viewer) -> ColumnElement[bool]:
    """The one rule of who may see a listing, by what its author chose; ``may_see`` asks it for one listing.

    Whether it stands on the board at all, is hidden, or comes from somebody shut out, is said beside it.
    """
    table = listing_table.c
    everybody = table.visibility == Visibility.EVERYBODY
    if viewer.member_id is None:
        return everybody
    mine = table.author_member_id == viewer.member_id
    in_group = table.board_actor.in_(groups.actors_of_boards_of(viewer.member_id))
    still_linked = or_(table.local, table.host.in_(networks.hosts_of_neighbours()))
    neighbours = and_(table.visibility == Visibility.NEIGHBOURS, still_linked)
    return or_(everybody, table.visibility == Visibility.MEMBERS, neighbours, mine, in_group)


def may_see(connection: Connection, viewer: Viewer, listing_id: int) -> bool:
    """Whether its author lets the viewer see it."""
    query = select(listing_table.c.id).where(listing_table.c.id == listing_id, visible_to(viewer))
    return connection.execute(query).first() is not None


def _conditions(connection: Connection, viewer: Viewer, filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    table = listing_table.c
    conditions = [visible_to(viewer), _visible(viewer, filters, now)]
    if filters.urgent:
        conditions.append(table.urgent.is_(True))
    if filters.near_said:
        conditions.append(_within(connection, filters.near, filters.km) if filters.near is not None else false())
    if filters.kind is not None:
        conditions.append(table.kind == filters.kind)
    if filters.category:
        conditions.append(table.category == filters.category)
    if filters.text:
        conditions.append(_may_be_found(viewer))
    if filters.board_actor:
        linked = select(follow.c.followee).where(
            follow.c.follower == filters.board_actor, follow.c.state == FollowState.ACCEPTED
        )
        conditions.append(or_(table.board_actor == filters.board_actor, table.board_actor.in_(linked)))
    if filters.before is not None:
        conditions.append(table.id < filters.before)
    if filters.after is not None:
        conditions.append(table.id > filters.after)
    return conditions


def _welcome(connection: Connection, viewer: Viewer, federation: Federation) -> ColumnElement[bool]:
    table = listing_table.c
    makers = (table.author_actor, table.board_actor)
    hosts = _neighbours_heard(connection)
    welcome = or_(table.local, showable(connection, federation, viewer.actor, (table.host, hosts), *makers))
    return (
        and_(welcome, actors.no_block_between(viewer.actor, *makers, table.member_actor)) if viewer.actor else welcome
    )


def _neighbours_heard(connection: Connection) -> Sequence[str]:
    """The hosts of which there is any listing, each found behind the one before: DISTINCT would read all rows."""
    elsewhere = select(func.min(listing_table.c.host).label("host")).where(listing_table.c.local == false())
    heard = elsewhere.cte("heard", recursive=True)
    behind = elsewhere.where(listing_table.c.host > heard.c.host).scalar_subquery()
    heard = heard.union_all(select(behind).where(heard.c.host.is_not(None)))
    return connection.execute(select(heard.c.host).where(heard.c.host.is_not(None))).scalars().all()


def _visible(viewer: Viewer, filters: Filters, now: datetime) -> ColumnElement[bool]:
    table = listing_table.c
    if filters.mine:
        mine = table.author_member_id == viewer.member_id if viewer.signed_in else false()
        return and_(mine, table.state != ListingState.WITHDRAWN)
    alive = or_(table.expires_at.is_(None), table.expires_at > now)
    return and_(table.state.in_(sorted(ON_THE_BOARD)), table.hidden.is_(False), alive)


def _held(connection: Connection, filters: Filters) -> Iterator[ColumnElement[bool]]:
    """Title, details or place have each of the words, or one that begins so; what is no word finds nothing.

    To be asked one after the other until one finds enough: the last is all of it, one before is quicker and a part.
    """
    words = asked(filters.text[:SEARCH_CHARACTERS_MAX])
    if not words:
        yield false() if filters.text else true()
        return
    # What is rare is picked out first, as going through the newest would find little; what is common is not.
    some = full_text.some_holding(connection, listing_search.c.words, words, INDEXED_MAX, filters.before)
    if some.are_newest:
        yield listing_table.c.id.in_(some.keys)
    if not some.are_all:
        yield full_text.holds(connection, listing_search.c.words, words, listing_table.c.id)


def _within(connection: Connection, near: tuple[float, float], km: int) -> ColumnElement[bool]:
    """At most so far from there, on a flat map as ``places.distance_km`` has it. Nobody lives where a day begins, so
    nothing is found across that line.

    Where little is near, the index of positions finds it. Where much is, the newest few of it are found sooner by
    going through the newest, so the index is kept out of it: a sum has none.
    """
    lat, lon = near
    narrow = narrowing(lat)
    table = listing_table.c
    high, wide = km / KM_PER_DEGREE, km / KM_PER_DEGREE / narrow
    north, east = table.lat - lat, (table.lon - lon) * narrow
    circle = north * north + east * east <= high * high
    square = and_(table.lat.between(lat - high, lat + high), table.lon.between(lon - wide, lon + wide))
    some = connection.execute(select(table.lat).where(square).limit(INDEXED_MAX)).all()
    return and_(square, circle) if len(some) < INDEXED_MAX else circle


def _may_be_found(viewer: Viewer) -> ColumnElement[bool]:
    """Of listings from elsewhere, search finds those whose author or board agrees to it (FEP-5feb).

    For strangers they must agree to be shown around as well.
    """
    wanted = [remote_actor.c.indexable] if viewer.signed_in else [remote_actor.c.indexable, remote_actor.c.discoverable]
    those = select(remote_actor.c.uri).where(*(column.is_(True) for column in wanted))
    table = listing_table.c
    return or_(table.local.is_(True), table.author_actor.in_(those), table.board_actor.in_(those))


def noticed(connection: Connection, viewer: Viewer, listings: Sequence[Listing], our_host: str) -> Sequence[Noticed]:
    """The listings with the people and boards behind them; only members learn the names of members."""
    people = {one.id: _author_to_show(viewer, one) for one in listings}
    uris = [uri for uri in people.values() if uri] + [one.board_actor for one in listings]
    cards = actors.cards(connection, uris, our_host)
    counts = _helper_counts(connection, [one.id for one in listings if one.local])
    return [
        Noticed(
            one,
            cards.get(people[one.id] or ""),
            cards.get(one.board_actor) or actors.card(connection, one.board_actor, our_host),
            counts.get(one.id, 0),
        )
        for one in listings
    ]


def _author_to_show(viewer: Viewer, one: Listing) -> str | None:
    if one.in_own_name:
        return one.author_actor
    return one.member_actor if viewer.signed_in else None


def _helper_counts(connection: Connection, listing_ids: Sequence[int]) -> dict[int, int]:
    if not listing_ids:
        return {}
    table = match_table.c
    taken = or_(
        table.state == MatchState.ACCEPTED,
        and_(table.state == MatchState.DONE, listing_table.c.rhythm == Rhythm.ONCE),  # as rules.helpers_found has it
    )
    joined = select(table.listing_id, func.count().label("found")).join(
        listing_table, listing_table.c.id == table.listing_id
    )
    query = joined.where(table.listing_id.in_(listing_ids), taken).group_by(table.listing_id)
    return {row.listing_id: row.found for row in connection.execute(query)}


def helpers_of(connection: Connection, found: Listing) -> int:
    """How many of the places of a listing are taken."""
    return helpers_found(found.rhythm, *matches_by_state(connection, found.id))


def listing(
    connection: Connection, viewer: Viewer, listing_id: int, federation: Federation = Federation.OPEN
) -> Listing:
    """The listing. Raises Gone when it was taken down, NotFound when there is none or it is not for this viewer."""
    found = any_listing(connection, listing_id)
    if found is None:
        raise NotFound
    if found.state is ListingState.WITHDRAWN:
        raise Gone
    if found.is_by(viewer) or viewer.is_coordinator:
        return found
    if found.state is ListingState.DRAFT and _is_looked_at_by(connection, viewer, found):
        return found
    if found.hidden or found.state is ListingState.DRAFT or not _may_be_opened(connection, viewer, found, federation):
        raise NotFound
    return found


def _is_looked_at_by(connection: Connection, viewer: Viewer, found: Listing) -> bool:
    board = groups.board_by_actor(connection, found.board_actor)
    return board is not None and groups.coordinates(connection, viewer, board.id)


def _may_be_opened(connection: Connection, viewer: Viewer, found: Listing, federation: Federation) -> bool:
    """Nobody opens what comes from somebody shut out, and strangers do not open what comes from somebody limited.

    Two of whom one blocks the other open nothing of each other's.
    """
    people = (found.author_actor, found.board_actor, found.member_actor)
    if viewer.actor and any(one and actors.is_block_between(connection, viewer.actor, one) for one in people):
        return False
    if not may_see(connection, viewer, found.id) and not _is_accepted(connection, viewer, found):
        return False
    if found.local:
        return True
    makers = {found.uri, found.author_actor, found.board_actor}
    standings = {one.standing for one in verdicts_on(connection, federation, makers).values()}
    return Standing.SHUT_OUT not in standings and (viewer.signed_in or Standing.LIMITED not in standings)


def _is_accepted(connection: Connection, viewer: Viewer, found: Listing) -> bool:
    """Whether the viewer was accepted for it; the author is at the other end of every match of it."""
    mine = (match_table.c.listing_id == found.id) & (match_table.c.state != MatchState.CANCELLED)
    party = or_(match_table.c.provider == viewer.actor, match_table.c.receiver == viewer.actor)
    return viewer.signed_in and connection.execute(select(match_table.c.id).where(mine, party)).first() is not None


def any_listing(connection: Connection, listing_id: int) -> Listing | None:
    """The listing whoever looks; for rooms that act on it, not for pages."""
    row = connection.execute(_BY_ID, {"id": listing_id}).one_or_none()
    return listing_of(row) if row is not None else None


def any_listings(connection: Connection, listing_ids: Sequence[int]) -> Sequence[Listing]:
    """The same for a few hundred of them; those that are not there are left out."""
    rows = connection.execute(_BY_IDS, {"ids": listing_ids})
    return [listing_of(row) for row in rows]


def listing_by_uri(connection: Connection, uri: str) -> Listing | None:
    """The listing with this id on the wire."""
    row = connection.execute(_BY_URI, {"uri": uri}).one_or_none()
    return listing_of(row) if row is not None else None


@dataclass(frozen=True)
class Heard:
    """What is here already under the id of something that comes from elsewhere.

    listing_id    of the listing with this id, None when there is none
    is_deleted    its author deleted it, perhaps before it came (attack S41)
    has_pictures  there are pictures of it
    """

    listing_id: int | None
    is_deleted: bool
    has_pictures: bool


def heard_of(connection: Connection, uri: str) -> Heard:
    """What is here of this id, asked at once, as it is asked for every listing that comes in."""
    listing_id, is_deleted, has_pictures = connection.execute(_HEARD, {"uri": uri}).one()
    return Heard(listing_id, bool(is_deleted), bool(has_pictures))


def listing_of_form(connection: Connection, author_member_id: int, form_key: str) -> int | None:
    """The id of the listing that this member has posted with this form already."""
    same = (listing_table.c.author_member_id == author_member_id) & (listing_table.c.form_key == form_key)
    return connection.execute(select(listing_table.c.id).where(same)).scalar_one_or_none()


def open_listings_of(connection: Connection, board_actor: str, limit: int) -> Sequence[Listing]:
    """The newest open listings of one of our boards, for its featured collection."""
    table = listing_table.c
    wanted = (table.board_actor == board_actor) & table.state.in_(sorted(TAKES_RESPONSES)) & table.hidden.is_(False)
    wanted &= table.visibility == Visibility.EVERYBODY
    query = select(listing_table).where(wanted, table.local.is_(True)).order_by(table.id.desc()).limit(limit)
    return [listing_of(row) for row in connection.execute(query)]


def count_local(connection: Connection) -> int:
    """How many listings were posted here, whatever became of them."""
    query = select(func.count()).select_from(listing_table).where(listing_table.c.local.is_(True))
    return connection.execute(query).scalar_one()


def my_listings(connection: Connection, viewer: Viewer) -> Sequence[Listing]:
    """What the viewer posted and did not take down, newest first."""
    if not viewer.signed_in:
        return []
    mine = (listing_table.c.author_member_id == viewer.member_id) & (listing_table.c.state != ListingState.WITHDRAWN)
    query = select(listing_table).where(mine).order_by(listing_table.c.id.desc()).limit(MINE_MAX)
    return [listing_of(row) for row in connection.execute(query)]


def answerable_among(
    connection: Connection,
    viewer: Viewer,
    ids: Sequence[int],
    now: datetime,
    federation: Federation = Federation.OPEN,
) -> Sequence[Listing]:
    """Those of these listings that the viewer could answer, newest first: open, of others, not answered before.

    Of elsewhere only what may be found by its words (FEP-5feb), as matching does.
    """
    table = listing_table.c
    takes = table.state.in_(sorted(TAKES_RESPONSES)) & or_(table.expires_at.is_(None), table.expires_at > now)
    of_others = or_(table.member_actor.is_(None), table.member_actor != viewer.actor)
    mine = (response_table.c.listing_id == table.id) & (response_table.c.helper_member_id == viewer.member_id)
    open_to_me = (
        takes,
        table.hidden.is_(False),
        visible_to(viewer),
        of_others,
        ~exists().where(mine),
        _may_be_found(viewer),
    )
    unblocked = actors.no_block_between(viewer.actor, table.author_actor, table.board_actor, table.member_actor)
    query = select(listing_table).where(table.id.in_(ids), *open_to_me, unblocked).order_by(table.id.desc())
    found = [listing_of(row) for row in connection.execute(query)]
    unwelcome = _of_unwelcome(connection, federation, found)
    return [one for one in found if one.id not in unwelcome]


def _of_unwelcome(connection: Connection, federation: Federation, found: Sequence[Listing]) -> frozenset[int]:
    """Those from elsewhere of anybody who is shut out or limited: they call nobody (attack S48)."""
    makers = {one.id: (one.host, one.author_actor, one.board_actor) for one in found if not one.local}
    verdicts = verdicts_on(connection, federation, {maker for each in makers.values() for maker in each})
    unwelcome = {maker for maker, one in verdicts.items() if one.standing in _NOT_CALLING}
    return frozenset(number for number, each in makers.items() if unwelcome.intersection(each))


def readers_among(connection: Connection, found: Listing, member_ids: Sequence[int]) -> Sequence[int]:
    """Those of these members whom its author lets see a listing, in their order."""
    if found.visibility is not Visibility.GROUP:
        return member_ids
    board = groups.board_by_actor(connection, found.board_actor)
    inside = set(groups.member_ids(connection, board.id)) if board is not None else set()
    return [one for one in member_ids if one in inside]


def ending(connection: Connection, viewer: Viewer, until: datetime, since: datetime) -> Sequence[Listing]:
    """What the viewer posted that leaves the board before ``until`` or left it after ``since``, the first first."""
    if not viewer.signed_in:
        return []
    table = listing_table.c
    soon = table.state.in_(sorted(ON_THE_BOARD)) & (table.expires_at <= until)
    over = (table.state == ListingState.EXPIRED) & (table.expires_at > since)
    wanted = (table.author_member_id == viewer.member_id, table.local.is_(True), or_(soon, over))
    query = select(listing_table).where(*wanted).order_by(table.expires_at, table.id).limit(MINE_MAX)
    return [one for one in map(listing_of, connection.execute(query)) if one.is_by(viewer)]


def is_ending(connection: Connection, found: Listing) -> bool:
    """Whether its author was told that it leaves the board soon, and it is still so."""
    told = select(listing_warning.c.expires_at).where(listing_warning.c.listing_id == found.id)
    is_told = connection.execute(told).scalar_one_or_none() == found.expires_at
    return is_told and found.expires_at is not None and found.state in TAKES_RESPONSES


# what belongs to a listing and stands apart from it


@dataclass(frozen=True)
class Meeting:
    """Where it is exactly, and how to reach the one who posted it; each may be empty."""

    listing_id: int
    exact_place: str
    contact: str


def any_meeting(connection: Connection, listing_id: int) -> Meeting | None:
    """Where to meet, whoever looks; for rooms that act on it, not for pages."""
    row = connection.execute(select(meeting_table).where(meeting_table.c.listing_id == listing_id)).one_or_none()
    return Meeting(**row._mapping) if row is not None else None


def meeting(connection: Connection, viewer: Viewer, found: Listing) -> Meeting | None:
    """Where to meet: for the author, and for those they accepted; None for everybody else."""
    if found.is_by(viewer) or (found.local and _is_accepted(connection, viewer, found)):
        return any_meeting(connection, found.id)
    return None


@dataclass(frozen=True)
class Photo:
    """The photo of a listing of ours, as WebP; ``alt`` is what it shows."""

    listing_id: int
    alt: str
    width: int
    height: int


def photo_of(connection: Connection, listing_id: int) -> Photo | None:
    """What is known of the photo of a listing; None where it has none."""
    table = photo_table.c
    query = select(table.listing_id, table.alt, table.width, table.height).where(table.listing_id == listing_id)
    row = connection.execute(query).one_or_none()
    return Photo(**row._mapping) if row is not None else None


def photo_body(connection: Connection, viewer: Viewer, listing_id: int, federation: Federation) -> bytes:
    """The photo of a listing that the viewer may see. Raises NotFound, Gone."""
    listing(connection, viewer, listing_id, federation)
    query = select(photo_table.c.body).where(photo_table.c.listing_id == listing_id)
    body: bytes | None = connection.execute(query).scalar_one_or_none()
    if body is None:
        raise NotFound
    return body


def photo_of_change(connection: Connection, viewer: Viewer, listing_id: int) -> bytes | None:
    """The photo that waits for a change to a listing of the viewer's to be kept; None where none does, or for others.

    Raises NotFound, Gone for a listing that the viewer may not see.
    """
    if not listing(connection, viewer, listing_id).is_by(viewer):
        return None
    query = select(photo_kept_table.c.body).where(photo_kept_table.c.listing_id == listing_id)
    return connection.execute(query).scalar_one_or_none()


@dataclass(frozen=True)
class Draft:
    """What a member has begun to write; ``typed`` are the fields of the form."""

    kind: Kind
    typed: Mapping[str, str]
    photo: bytes | None
    saved_at: datetime

    @property
    def title(self) -> str:
        """What it is about, as far as it was written."""
        return self.typed.get("title", "").strip()


def drafts(connection: Connection, viewer: Viewer) -> Sequence[Draft]:
    """What the viewer has begun to write, the latest first."""
    if not viewer.signed_in:
        return []
    query = (
        select(draft_table).where(draft_table.c.member_id == viewer.member_id).order_by(draft_table.c.saved_at.desc())
    )
    return [
        Draft(Kind(row.kind), orjson.loads(row.typed), row.photo, row.saved_at) for row in connection.execute(query)
    ]


def draft(connection: Connection, viewer: Viewer, kind: Kind) -> Draft | None:
    """What the viewer has begun to write of this kind."""
    return next((one for one in drafts(connection, viewer) if one.kind is kind), None)


def is_deleted(connection: Connection, uri: str) -> bool:
    """Whether the author of a listing or a Note deleted it, perhaps before we had seen it."""
    return connection.execute(_TOMBSTONE, {"uri": uri}).first() is not None


def neighbours_to_tell(connection: Connection, board_actor: str) -> Sequence[str]:
    """The boards of linked networks that follow this board of ours: they are told what is for neighbours only."""
    accepted = (follow.c.followee == board_actor) & (follow.c.state == FollowState.ACCEPTED)
    query = select(remote_actor.c.uri, remote_actor.c.host).join(follow, follow.c.follower == remote_actor.c.uri)
    rows = connection.execute(query.where(accepted, remote_actor.c.type == "Group").order_by(follow.c.id))
    linked = {one.host for one in networks.open_neighbours(connection)}
    return [row.uri for row in rows if row.host in linked]


def is_followed_board(connection: Connection, actor: str) -> bool:
    """Whether one of our boards follows this actor and was accepted; only such boards' listings are stored."""
    return connection.execute(_FOLLOWED, {"actor": actor}).first() is not None


def is_our_board(connection: Connection, uri: str) -> bool:
    """Whether this is the id of a board of ours."""
    found = actors.by_uri(connection, uri)
    return found is not None and found.kind is ActorKind.GROUP


class FollowedBoards:
    """``is_followed_board`` as the mail room asks it: in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, actor: str) -> bool:
        with self._database.read() as connection:
            return is_followed_board(connection, actor)


@dataclass(frozen=True)
class Reach:
    """How far the last word about a listing of ours has got: servers that have it, and those that have not.

    number   of the activity that says it
    waiting  servers that are still tried
    lost     servers that did not take it
    """

    number: int
    arrived: int
    waiting: Sequence[str]
    lost: Sequence[str]

    @property
    def total(self) -> int:
        return self.arrived + len(self.waiting) + len(self.lost)


def reach(connection: Connection, listing: Listing) -> Reach | None:
    """Where the listing has arrived; None while nothing of it goes anywhere."""
    said = sent.latest_about(connection, listing.uri)
    where = sent.destinations(connection, said.activity_id) if said is not None else []
    if said is None or not where:
        return None
    hosts = {state: {one.host for one in where if one.state == state} for state in ("waiting", "failed", "delivered")}
    waiting, lost = hosts["waiting"], hosts["failed"] - hosts["waiting"]
    return Reach(said.number, len(hosts["delivered"] - waiting - lost), sorted(waiting), sorted(lost))


# responses


def responses(
    connection: Connection, viewer: Viewer, listing: Listing, federation: Federation = Federation.OPEN
) -> Sequence[Answered]:
    """The responses to a listing, oldest first: for its author, nobody's for anybody else."""
    if not listing.is_by(viewer):
        return []
    table = response_table.c
    wanted = (table.listing_id == listing.id) & (table.state != ResponseState.WITHDRAWN)
    query = select(response_table).where(wanted).order_by(table.id)
    found = [response_of(row) for row in connection.execute(query)]
    return _answered(connection, viewer, _of_welcome(connection, viewer, federation, found, {Standing.SHUT_OUT}))


def _of_welcome(
    connection: Connection, viewer: Viewer, federation: Federation, found: Sequence[Response], left_out: set[Standing]
) -> list[Response]:
    """Without those of helpers who stand so with us, or whom the viewer blocks.

    What was agreed with somebody stays, whatever came after.
    """
    elsewhere = {one.helper_actor for one in found if one.helper_member_id is None}
    verdicts = verdicts_on(connection, federation, elsewhere)
    unwanted = {helper for helper, one in verdicts.items() if one.standing in left_out}
    unwanted |= {one.blocked for one in actors.blocks_by(connection, viewer.actor)}
    return [one for one in found if one.state is ResponseState.ACCEPTED or one.helper_actor not in unwanted]


def public_answers(
    connection: Connection, listing: Listing, federation: Federation, limit: int
) -> Sequence[PublicAnswer]:
    """The replies to a listing of ours that anybody may read where they were written, oldest first.

    None of anybody who is shut out or limited (attack S48), or blocked by whoever posted the listing.
    """
    table = response_table.c
    public = (table.listing_id == listing.id) & table.public.is_(True) & (table.state != ResponseState.WITHDRAWN)
    welcome = actors.no_block_between(listing.member_actor or listing.author_actor, table.helper_actor)
    query = select(table.id, table.uri, table.helper_actor).where(public, welcome).order_by(table.id).limit(limit)
    found = connection.execute(query).all()
    verdicts = verdicts_on(connection, federation, {row.helper_actor for row in found})
    return [PublicAnswer(row.id, row.uri) for row in found if verdicts[row.helper_actor].standing not in _NOT_CALLING]


def my_responses(connection: Connection, viewer: Viewer, listing: Listing | None = None) -> Sequence[Answered]:
    """What the viewer answered, to one listing or to all, newest first."""
    if not viewer.signed_in:
        return []
    mine = response_table.c.helper_member_id == viewer.member_id
    if listing is not None:
        mine &= response_table.c.listing_id == listing.id
    query = select(response_table).where(mine).order_by(response_table.c.id.desc()).limit(MINE_MAX)
    return _answered(connection, viewer, [response_of(row) for row in connection.execute(query)])


def _answered(connection: Connection, viewer: Viewer, found: Sequence[Response]) -> Sequence[Answered]:
    if not found:
        return []
    matches = _matches_of(connection, match_table.c.response_id.in_([one.id for one in found]))
    by_response = {match.response_id: match for match in matches}
    remarks = _remarks_of(connection, [one.id for one in found])
    listings = _listings_by_id(connection, {one.listing_id for one in found})
    our_host = _host_of(viewer)
    cards = actors.cards(connection, [one.helper_actor for one in found], our_host)
    return [
        Answered(
            one,
            cards.get(one.helper_actor) or actors.card(connection, one.helper_actor, our_host),
            listings[one.listing_id],
            by_response.get(one.id),
            remarks.get(one.id, ()),
        )
        for one in found
    ]


def _listings_by_id(connection: Connection, ids: set[int]) -> dict[int, Listing]:
    rows = connection.execute(select(listing_table).where(listing_table.c.id.in_(sorted(ids))))
    return {one.id: one for one in map(listing_of, rows)}


def response(connection: Connection, viewer: Viewer, response_id: int) -> Response:
    """The response, for its sender and the listing's author. Raises NotFound for everybody else (attack S47)."""
    found = any_response(connection, response_id)
    about = any_listing(connection, found.listing_id) if found is not None else None
    if found is None or about is None or not (found.is_by(viewer) or about.is_by(viewer)):
        raise NotFound
    return found


def answered(connection: Connection, viewer: Viewer, response_id: int) -> Answered:
    """The response with what was written after it, for its two sides. Raises NotFound for everybody else."""
    (found,) = _answered(connection, viewer, [response(connection, viewer, response_id)])
    return found


def any_response(connection: Connection, response_id: int) -> Response | None:
    """The response whoever looks; for rooms that act on it, not for pages."""
    row = connection.execute(select(response_table).where(response_table.c.id == response_id)).one_or_none()
    return response_of(row) if row is not None else None


def response_by_uri(connection: Connection, uri: str) -> Response | None:
    """The response with this id on the wire."""
    row = connection.execute(select(response_table).where(response_table.c.uri == uri)).one_or_none()
    return response_of(row) if row is not None else None


def answerable_for(connection: Connection, uri: str) -> str | None:
    """The actor who answers for a listing or a response, here or elsewhere; of a listing of ours, who posted it."""
    found = listing_by_uri(connection, uri)
    if found is not None:
        return found.member_actor or found.author_actor
    answer = response_by_uri(connection, uri)
    return answer.helper_actor if answer is not None else None


def waiting_helpers(connection: Connection, listing_id: int) -> Sequence[str]:
    """The ids of those whose answers to a listing were not declined or taken back, once each."""
    alive = response_table.c.state.in_([ResponseState.OFFERED, ResponseState.ACCEPTED])
    query = select(response_table.c.helper_actor).where(response_table.c.listing_id == listing_id, alive).distinct()
    return connection.execute(query.order_by(response_table.c.helper_actor)).scalars().all()


def member_ids_who_answered(connection: Connection, listing_id: int) -> frozenset[int]:
    """The members of ours who answered a listing, whatever came of it."""
    query = select(response_table.c.helper_member_id).where(response_table.c.listing_id == listing_id)
    return frozenset(one for one in connection.execute(query).scalars() if one is not None)


def helpers_elsewhere(connection: Connection, listing_id: int, our_host: str) -> Sequence[str]:
    """The ids of those of other servers whose answers wait, or whose help was agreed on and is not over."""
    table = response_table.c
    agreed = select(match_table.c.response_id).where(match_table.c.state == MatchState.ACCEPTED)
    open_ones = or_(table.state == ResponseState.OFFERED, table.id.in_(agreed))
    query = select(table.helper_actor).where(table.listing_id == listing_id, open_ones).distinct()
    found = connection.execute(query.order_by(table.helper_actor)).scalars().all()
    return [one for one in found if urlsplit(one).netloc != our_host]


def awaited_response_ids(connection: Connection, listing_id: int) -> Sequence[int]:
    """The responses to a listing that were accepted and whose help is still to come."""
    awaited = (match_table.c.listing_id == listing_id) & (match_table.c.state == MatchState.ACCEPTED)
    return (
        connection.execute(select(match_table.c.response_id).where(awaited).order_by(match_table.c.id)).scalars().all()
    )


# matches


def _matches_of(connection: Connection, condition: ColumnElement[bool]) -> Sequence[Match]:
    query = select(match_table).where(condition).order_by(match_table.c.id.desc()).limit(MINE_MAX)
    return [match_of(row) for row in connection.execute(query)]


def my_matches(connection: Connection, viewer: Viewer) -> Sequence[Agreed]:
    """What the viewer agreed on with others, newest first."""
    if not viewer.signed_in:
        return []
    mine = or_(match_table.c.provider == viewer.actor, match_table.c.receiver == viewer.actor)
    return _agreed(connection, viewer, _matches_of(connection, mine))


def matches_of_listing(connection: Connection, viewer: Viewer, listing: Listing) -> Sequence[Agreed]:
    """The matches of a listing in which the viewer is one of the two, oldest first."""
    found = _matches_of(connection, match_table.c.listing_id == listing.id)
    acts = _looks_after(viewer, listing)
    return _agreed(connection, viewer, [one for one in reversed(found) if acts or one.is_of(viewer)])


def _agreed(connection: Connection, viewer: Viewer, found: Sequence[Match]) -> Sequence[Agreed]:
    listings = _listings_by_id(connection, {one.listing_id for one in found})
    others = {one.id: one.other(viewer.actor) for one in found}
    our_host = _host_of(viewer)
    cards = actors.cards(connection, list(others.values()), our_host)
    return [
        Agreed(
            one,
            listings[one.listing_id],
            cards.get(others[one.id]) or actors.card(connection, others[one.id], our_host),
            gives=one.provider == viewer.actor,
        )
        for one in found
    ]


def match(connection: Connection, viewer: Viewer, match_id: int) -> Match:
    """The match, for its two parties, and for who acts for one of them. Raises NotFound for everybody else."""
    found = any_match(connection, match_id)
    if found is None or not (found.is_of(viewer) or _looks_after(viewer, any_listing(connection, found.listing_id))):
        raise NotFound
    return found


def agreed(connection: Connection, viewer: Viewer, match_id: int) -> Agreed:
    """The match as one of its two parties sees it. Raises NotFound for everybody else."""
    (found,) = _agreed(connection, viewer, [match(connection, viewer, match_id)])
    return found


def _looks_after(viewer: Viewer, about: Listing | None) -> bool:
    """Whether the viewer acts for somebody elsewhere whose listing it is."""
    return about is not None and about.is_for_elsewhere and about.is_by(viewer)


def any_match(connection: Connection, match_id: int) -> Match | None:
    """The match whoever looks; for rooms that act on it, not for pages."""
    row = connection.execute(select(match_table).where(match_table.c.id == match_id)).one_or_none()
    return match_of(row) if row is not None else None


def match_for_proposal(connection: Connection, listing_uri: str, provider: str, receiver: str) -> Match | None:
    """The match of these two about a listing, the latest if they made several; for the hours' room."""
    parties = (match_table.c.provider == provider) & (match_table.c.receiver == receiver)
    query = select(match_table).join(listing_table, listing_table.c.id == match_table.c.listing_id)
    latest = query.where(listing_table.c.uri == listing_uri, parties).order_by(match_table.c.id.desc()).limit(1)
    row = connection.execute(latest).one_or_none()
    return match_of(row) if row is not None else None


def match_for_agreement(connection: Connection, agreement_uri: str) -> Match | None:
    """The match that this agreement is about; for the hours' room, which checks who asks."""
    row = connection.execute(select(match_table).where(match_table.c.agreement_uri == agreement_uri)).one_or_none()
    return match_of(row) if row is not None else None


def promised_minutes(connection: Connection, actors_uris: Sequence[str], since: datetime) -> Mapping[str, int]:
    """How much help each of these agreed to give since then, done or not yet, in minutes; for rooms, not for pages."""
    table = match_table.c
    agreed = (table.accepted_at >= since) & (table.state != MatchState.CANCELLED)
    query = select(table.provider, func.coalesce(func.sum(table.minutes), 0).label("minutes"))
    query = query.where(table.provider.in_(actors_uris), agreed).group_by(table.provider)
    found: dict[str, int] = {row.provider: int(row.minutes) for row in connection.execute(query)}
    return {one: found.get(one, 0) for one in actors_uris}


def matches_by_state(connection: Connection, listing_id: int) -> tuple[int, int]:
    """How many matches of a listing are accepted, and how many are done."""
    table = match_table.c
    query = select(table.state, func.count().label("found")).where(table.listing_id == listing_id)
    counts: dict[str, int] = {row.state: row.found for row in connection.execute(query.group_by(table.state))}
    return counts.get(MatchState.ACCEPTED, 0), counts.get(MatchState.DONE, 0)


@dataclass(frozen=True)
class Mine:
    """What a member has on the board: their listings, their answers, and what they agreed on, newest first."""

    listings: Sequence[Listing]
    responses: Sequence[Answered]
    matches: Sequence[Agreed]


def mine(connection: Connection, viewer: Viewer) -> Mine:
    """Everything of the viewer's on the board, for their own page."""
    return Mine(my_listings(connection, viewer), my_responses(connection, viewer), my_matches(connection, viewer))


# what comes next


def next_actions(
    connection: Connection, viewer: Viewer, federation: Federation = Federation.OPEN
) -> Sequence[NextAction]:
    """What waits for the viewer on the board, longest waiting first."""
    if not viewer.signed_in:
        return []
    actions = [*_to_answer(connection, viewer, federation), *_to_finish(connection, viewer)]
    return sorted(actions, key=lambda one: one.since)


def _to_answer(connection: Connection, viewer: Viewer, federation: Federation) -> list[NextAction]:
    """What somebody limited writes can be read where it stands, but it calls nobody."""
    mine = (listing_table.c.author_member_id == viewer.member_id) & listing_table.c.state.in_(sorted(TAKES_RESPONSES))
    joined = select(response_table).join(listing_table, listing_table.c.id == response_table.c.listing_id)
    query = joined.where(mine, response_table.c.state == ResponseState.OFFERED)
    found = [response_of(row) for row in connection.execute(query.order_by(response_table.c.id).limit(MINE_MAX))]
    return [
        NextAction(Action.ANSWER, one.listing, one.helper, one.response.created_at, response=one.response)
        for one in _answered(connection, viewer, _of_welcome(connection, viewer, federation, found, _NOT_CALLING))
    ]


def _to_finish(connection: Connection, viewer: Viewer) -> list[NextAction]:
    mine = or_(match_table.c.provider == viewer.actor, match_table.c.receiver == viewer.actor)
    open_ones = _matches_of(connection, and_(mine, match_table.c.state == MatchState.ACCEPTED))
    found = ((_finish(one), one) for one in _agreed(connection, viewer, open_ones))
    return [
        NextAction(action, one.listing, one.other, one.match.accepted_at, match=one.match)
        for action, one in found
        if action is not None
    ]


def _finish(one: Agreed) -> Action | None:
    """Hours are logged by the helper; once logged, the hours' room says who must confirm them."""
    if one.listing.mode is not Mode.HOURS:
        return Action.SAY_DONE
    return Action.LOG_HOURS if one.gives and one.match.hours_logged_at is None else None


# what came from elsewhere beside listings and responses


def remark_by_uri(connection: Connection, uri: str) -> Remark | None:
    """The remark with this id on the wire."""
    return _remark_where(connection, remark_table.c.uri == uri)


def any_remark(connection: Connection, remark_id: int) -> Remark | None:
    """The remark whoever looks; for rooms that act on it, not for pages."""
    return _remark_where(connection, remark_table.c.id == remark_id)


def _remark_where(connection: Connection, condition: ColumnElement[bool]) -> Remark | None:
    row = connection.execute(select(remark_table).where(condition)).one_or_none()
    return Remark(**row._mapping) if row is not None else None


def _remarks_of(connection: Connection, response_ids: Sequence[int]) -> dict[int, list[Remark]]:
    query = select(remark_table).where(remark_table.c.response_id.in_(response_ids)).order_by(remark_table.c.id)
    found: dict[int, list[Remark]] = {}
    for row in connection.execute(query):
        found.setdefault(row.response_id, []).append(Remark(**row._mapping))
    return found


def is_thanked(connection: Connection, response_id: int) -> bool:
    """Whether whoever was helped has said thank you for it here."""
    thanks = (remark_table.c.response_id == response_id) & remark_table.c.is_thanks
    return connection.execute(select(remark_table.c.id).where(thanks).limit(1)).first() is not None


def latest_remark_by(connection: Connection, response_id: int, author: str) -> Remark | None:
    """The last thing somebody wrote about a response after it."""
    theirs = (remark_table.c.response_id == response_id) & (remark_table.c.author_actor == author)
    query = select(remark_table).where(theirs).order_by(remark_table.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return Remark(**row._mapping) if row is not None else None


def response_in_thread(connection: Connection, uri: str) -> Response | None:
    """The response that a Note with this id is, or was written after."""
    said = remark_by_uri(connection, uri)
    if said is not None:
        return any_response(connection, said.response_id)
    either = (response_table.c.uri == uri) | (response_table.c.told_uri == uri)
    row = connection.execute(select(response_table).where(either)).one_or_none()
    return response_of(row) if row is not None else None


def reactions(connection: Connection, viewer: Viewer, listing: Listing) -> Reactions | None:
    """What people elsewhere pressed below a listing; None for everybody but its author."""
    if not listing.is_by(viewer):
        return None
    kind = reaction_table.c.kind
    query = select(kind, func.count().label("found")).where(reaction_table.c.listing_id == listing.id).group_by(kind)
    counts: dict[str, int] = {row.kind: row.found for row in connection.execute(query)}
    likes = counts.get(ReactionKind.LIKE, 0) + counts.get(ReactionKind.EMOJI, 0)
    return Reactions(likes, counts.get(ReactionKind.BOOST, 0))


def pictures(connection: Connection, owner_uris: Sequence[str]) -> Mapping[str, Sequence[StoredPicture]]:
    """The pictures and emoji of listings and Notes, by their ids, in their order."""
    query = select(picture_table).where(picture_table.c.owner_uri.in_(owner_uris)).order_by(picture_table.c.id)
    found: dict[str, list[StoredPicture]] = {}
    for row in connection.execute(query):
        found.setdefault(row.owner_uri, []).append(StoredPicture(**row._mapping))
    return found


def any_picture(connection: Connection, picture_id: int) -> StoredPicture | None:
    """The picture whoever looks; who may see it is for the room of its owner to say."""
    row = connection.execute(select(picture_table).where(picture_table.c.id == picture_id)).one_or_none()
    return StoredPicture(**row._mapping) if row is not None else None


def picture(connection: Connection, viewer: Viewer, picture_id: int) -> StoredPicture:
    """A picture of something that the viewer may see. Raises NotFound (attack S47)."""
    found = any_picture(connection, picture_id)
    if found is None:
        raise NotFound
    owner = listing_by_uri(connection, found.owner_uri)
    if owner is not None:
        listing(connection, viewer, owner.id)
        return found
    about = response_in_thread(connection, found.owner_uri)
    if about is None:
        raise NotFound
    response(connection, viewer, about.id)
    return found


# categories


def categories(connection: Connection, kept: str = "") -> Sequence[Category]:
    """The kinds of help to choose from, in their order; ``kept`` is the slug of one that a listing has already."""
    return [one for one in all_categories(connection) if not one.is_retired or one.slug == kept]


def all_categories(connection: Connection) -> Sequence[Category]:
    """The kinds of help in their order, with those that are retired."""
    query = select(category_table).order_by(category_table.c.position, category_table.c.slug)
    return [Category(row.slug, row.name, row.retired_at is not None) for row in connection.execute(query)]


# looks of coordinators


@dataclass(frozen=True)
class Review:
    """How far a listing is that a coordinator looks at before it stands on the board."""

    listing_id: int
    board_actor: str
    state: ReviewState
    sentence: str
    asked_at: datetime
    decided_by: int | None
    decided_at: datetime | None


def review_of(connection: Connection, listing_id: int) -> Review | None:
    """The look at a listing; None where nobody had to look."""
    row = connection.execute(select(review_table).where(review_table.c.listing_id == listing_id)).one_or_none()
    return Review(**{**row._mapping, "state": ReviewState(row.state)}) if row is not None else None


def to_look_at(
    connection: Connection, viewer: Viewer, board_actor: str, our_host: str, rows_max: int, beyond: int = 0
) -> Sequence[Noticed]:
    """What waits for a coordinator's look on a board, the oldest first, from the one after ``beyond``."""
    waiting = (review_table.c.board_actor == board_actor) & (review_table.c.state == ReviewState.WAITING)
    joined = select(listing_table).join(review_table, review_table.c.listing_id == listing_table.c.id)
    query = joined.where(waiting, listing_table.c.id > beyond).order_by(listing_table.c.id).limit(rows_max)
    return noticed(connection, viewer, [listing_of(row) for row in connection.execute(query)], our_host)


def count_to_look_at(connection: Connection, board_actors: Sequence[str]) -> int:
    """How much waits for a look on these boards."""
    waiting = review_table.c.board_actor.in_(board_actors) & (review_table.c.state == ReviewState.WAITING)
    return connection.execute(select(func.count()).select_from(review_table).where(waiting)).scalar_one()


# what one member has here, to take along


@dataclass(frozen=True)
class Belongings:
    """Everything of a member on the board, oldest first: also what is done, and what was taken down."""

    listings: Sequence[Listing]
    given_answers: Sequence[Response]
    received_answers: Sequence[Response]
    remarks: Sequence[Remark]
    matches: Sequence[Match]
    meetings: Sequence[Meeting] = ()
    photos: Sequence[Photo] = ()
    drafts: Sequence[Mapping[str, str]] = ()


def belongings(connection: Connection, viewer: Viewer) -> Belongings:
    """All that the viewer posted, answered and agreed on, with what was written to them about it."""
    mine = listing_table.c.author_member_id == viewer.member_id
    listings = [listing_of(row) for row in _in_order(connection, listing_table, mine)]
    given = response_table.c.helper_member_id == viewer.member_id
    ours = select(listing_table.c.id).where(mine)
    received = response_table.c.listing_id.in_(ours)
    talks = select(response_table.c.id).where(or_(given, received))
    party = or_(match_table.c.provider == viewer.actor, match_table.c.receiver == viewer.actor)
    return Belongings(
        [one for one in listings if one.is_by(viewer)],
        [response_of(row) for row in _in_order(connection, response_table, given)],
        [response_of(row) for row in _in_order(connection, response_table, received)],
        [Remark(**row._mapping) for row in _in_order(connection, remark_table, remark_table.c.response_id.in_(talks))],
        [match_of(row) for row in _in_order(connection, match_table, party)],
        [one for one in (any_meeting(connection, one.id) for one in listings if one.is_by(viewer)) if one],
        [one for one in (photo_of(connection, one.id) for one in listings if one.is_by(viewer)) if one],
        [one.typed for one in drafts(connection, viewer)],
    )


def _in_order(
    connection: Connection, table: Table, condition: ColumnElement[bool]
) -> Sequence[Row[tuple[object, ...]]]:
    return connection.execute(select(table).where(condition).order_by(table.c.id)).all()
