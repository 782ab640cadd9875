"""Reads of matching: the database picks out a few that may fit, the rules judge them, and each comes with its reasons.

What the viewer may not read takes no part: of members only those entries are judged that the viewer may read, of
listings only those that they may open.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, Select, func, literal, select, union_all

from fedaid.board import queries as board
from fedaid.board.queries import Listing, Noticed
from fedaid.board.rules import Kind
from fedaid.foundation.federation import Federation
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.wording import zone
from fedaid.foundation.words import terms
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.rules import (
    NO_KIND,
    WEEK,
    Ability,
    Fit,
    Helper,
    Need,
    fit,
    month_began,
    term_of_kind,
    windows_of_need,
)
from fedaid.matching.tables import AskState, ask, listing_term, saved_search
from fedaid.members import queries as members
from fedaid.skills import queries as skills
from fedaid.skills.queries import Entry, Person, Wanted
from fedaid.skills.rules import Preferences, Window

ASKS_SHOWN_MAX: Final = 20


@dataclass(frozen=True)
class Looking:
    """In whose house it is looked for what fits, and when."""

    now: datetime
    our_host: str
    federation: Federation
    limits: MatchingLimits


@dataclass(frozen=True)
class Suggested:
    """A listing that fits somebody or something, and why; ``mine`` is what it fits: a listing of the viewer's."""

    noticed: Noticed
    fit: Fit
    mine: Listing | None = None


@dataclass(frozen=True)
class Neighbour:
    """A member who could help with a request, and why, as far as the one who asks may know it."""

    person: Person
    fit: Fit


@dataclass(frozen=True)
class Ask:
    """That a member was asked to help with a request."""

    id: int
    listing_id: int
    member_id: int
    state: AskState
    asked_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """A question that waits for the viewer's answer, with why it was them who were asked."""

    ask: Ask
    noticed: Noticed
    fit: Fit | None


@dataclass(frozen=True)
class Asked:
    """What the author of a request learns of those they asked: how many, and since when; never who said no."""

    people: int
    last_at: datetime | None


@dataclass(frozen=True)
class SavedSearch:
    """A search of the board that a member keeps. ``query`` is what stands in its address."""

    id: int
    member_id: int
    name: str
    query: str
    seen_listing_id: int
    created_at: datetime


# what is judged


def ability_of(listing: Listing) -> Ability:
    """An offer, as something that can be done for others."""
    return Ability(listing.title, listing.category, words_of(listing))


def words_of(listing: Listing) -> frozenset[str]:
    """The words of a listing as they are compared."""
    return terms(f"{listing.title}\n{listing.description}")


def need_of(listing: Listing, now: datetime, languages: frozenset[str] = frozenset()) -> Need:
    """A request, as matching sees it; ``languages`` are its author's, where they are one of ours."""
    return Need(
        listing.category,
        words_of(listing),
        *listing.time_from(now),
        listing.minutes,
        _position(listing),
        languages,
    )


def _position(listing: Listing) -> tuple[float, float] | None:
    return (listing.lat, listing.lon) if listing.lat is not None and listing.lon is not None else None


def _languages(connection: Connection, listings: Collection[Listing]) -> Mapping[int, frozenset[str]]:
    """What the authors of these listings speak, by the listing's id; of those who are members here."""
    authors = {one.id: one.author_member_id for one in listings if one.local and not one.is_for_elsewhere}
    found = skills.preferences_of(connection, {author for author in authors.values() if author is not None})
    return {number: found[author].languages for number, author in authors.items() if author is not None}


def _needs(connection: Connection, requests: Sequence[Listing], now: datetime) -> Sequence[tuple[Listing, Need]]:
    spoken = _languages(connection, requests)
    return [(one, need_of(one, now, spoken.get(one.id, frozenset()))) for one in requests]


def _as_helper(
    entries: Sequence[Entry], windows: Sequence[Window], preferences: Preferences, time_zone: str, promised: int
) -> Helper:
    told = [
        Ability(one.skill.title, one.skill.category, terms(f"{one.skill.title}\n{one.skill.details}"))
        for one in entries
    ]
    return Helper(
        told,
        windows,
        zone(time_zone),
        position=preferences.position,
        travel_km=preferences.travel_km,
        languages=preferences.languages,
        monthly_minutes_max=preferences.monthly_minutes_max,
        promised_minutes=promised,
    )


def _myself(connection: Connection, viewer: Viewer, now: datetime) -> Helper:
    """The viewer as a helper, by all of their own entries."""
    mine = viewer.member_id or 0
    since = month_began(now, zone(viewer.time_zone))
    return _as_helper(
        skills.entries_of(connection, viewer, [mine])[mine],
        skills.windows_of(connection, [mine])[mine],
        skills.preferences_of(connection, [mine])[mine],
        viewer.time_zone,
        board.promised_minutes(connection, [viewer.actor], since)[viewer.actor],
    )


def _offer_as_helper(offer: Listing, looking: Looking) -> Helper:
    """An offer on a board; of whom it is, only what stands in it is known."""
    starts, ends = offer.time_from(looking.now)
    span = (starts, ends) if starts is not None and ends is not None else None
    most = looking.limits.offer_distance_km_max
    return Helper([ability_of(offer)], span=span, position=_position(offer), travel_km=most)


# which listings may fit


def _candidates(
    connection: Connection, kind: Kind, abilities: Sequence[Ability | Need], limits: MatchingLimits
) -> Sequence[int]:
    """Ids of listings of this kind that have words or the kind of help in common with these, most in common first."""
    kinds = {term_of_kind(one.category) for one in abilities if one.category not in NO_KIND}
    wanted = sorted(kinds.union(*(one.terms for one in abilities)))[: limits.words_max]
    if not wanted:
        return []
    found = union_all(*(_newest_with(term, kind, limits.word_listings_max) for term in wanted)).subquery()
    points = func.sum(found.c.points)
    ranked = select(found.c.listing_id).group_by(found.c.listing_id).order_by(points.desc(), found.c.listing_id.desc())
    return connection.execute(ranked.limit(limits.candidates_max)).scalars().all()


def _newest_with(term: str, kind: Kind, limit: int) -> Select[tuple[int, int]]:
    """The newest listings with a word: of one that stands in thousands, that is enough; of a rare one it is all."""
    table = listing_term.c
    points = literal(2 if term.startswith(term_of_kind("")) else 1).label("points")
    those = select(table.listing_id, points).where(table.term == term, table.kind == kind)
    newest = those.order_by(table.listing_id.desc()).limit(limit).subquery()
    return select(newest.c.listing_id, newest.c.points)


def _answerable(
    connection: Connection, viewer: Viewer, looking: Looking, kind: Kind, abilities: Sequence[Ability | Need]
) -> Sequence[Listing]:
    ids = _candidates(connection, kind, abilities, looking.limits)
    found = board.answerable_among(connection, viewer, ids, looking.now, looking.federation)
    refused = _said_not_now(connection, viewer)
    return [one for one in found if one.id not in refused]


def _said_not_now(connection: Connection, viewer: Viewer) -> frozenset[int]:
    mine = (ask.c.member_id == viewer.member_id) & (ask.c.state == AskState.NOT_NOW)
    return frozenset(connection.execute(select(ask.c.listing_id).where(mine)).scalars())


def _shown(
    connection: Connection,
    viewer: Viewer,
    looking: Looking,
    judged: Sequence[tuple[Listing, object, Listing | None]],
) -> Sequence[Suggested]:
    """The best of what fits, newest first among equals."""
    fits = [(one, found, mine) for one, found, mine in judged if isinstance(found, Fit)]
    best = sorted(fits, key=lambda each: (-each[1].points, -each[0].id))[: looking.limits.suggestions_max]
    noticed = board.noticed(connection, viewer, [one for one, _, _ in best], looking.our_host)
    return [Suggested(seen, found, mine) for seen, (_, found, mine) in zip(noticed, best, strict=True)]


# for a member, an offer, a request


def requests_for_me(connection: Connection, viewer: Viewer, looking: Looking) -> Sequence[Suggested]:
    """Requests, of here and of neighbouring boards, that the viewer could help with, and why."""
    if not viewer.signed_in:
        return []
    me = _myself(connection, viewer, looking.now)
    found = _answerable(connection, viewer, looking, Kind.REQUEST, me.abilities)
    judged = [(one, fit(need, me, looking.now), None) for one, need in _needs(connection, found, looking.now)]
    return _shown(connection, viewer, looking, judged)


def why_me(connection: Connection, viewer: Viewer, request: Listing, now: datetime) -> Fit | None:
    """Why the viewer could help with this request; None where they could not, or did not say so."""
    ((_, need),) = _needs(connection, [request], now)
    found = fit(need, _myself(connection, viewer, now), now)
    return found if isinstance(found, Fit) else None


@dataclass(frozen=True)
class Why:
    """Why a listing is something for the viewer; ``mine`` is the request of theirs that an offer fits."""

    fit: Fit
    mine: Listing | None = None


def whys(connection: Connection, viewer: Viewer, listing_ids: Sequence[int], looking: Looking) -> Mapping[int, Why]:
    """Why these listings are something for the viewer, by their ids; nothing of those that are not.

    However many there are, as often is the database asked.
    """
    if not viewer.signed_in:
        return {}
    answerable = board.answerable_among(connection, viewer, listing_ids, looking.now, looking.federation)
    refused = _said_not_now(connection, viewer) if answerable else ()
    open_ones = [one for one in answerable if one.id not in refused]
    requests = [one for one in open_ones if one.kind is Kind.REQUEST]
    offers = [one for one in open_ones if one.kind is Kind.OFFER]
    return _whys_of_requests(connection, viewer, requests, looking) | _whys_of_offers(
        connection, viewer, offers, looking
    )


def _whys_of_requests(
    connection: Connection, viewer: Viewer, requests: Sequence[Listing], looking: Looking
) -> dict[int, Why]:
    me = _myself(connection, viewer, looking.now) if requests else None
    if me is None or not me.abilities:
        return {}
    judged = ((one.id, fit(need, me, looking.now)) for one, need in _needs(connection, requests, looking.now))
    return {number: Why(found) for number, found in judged if isinstance(found, Fit)}


def _whys_of_offers(
    connection: Connection, viewer: Viewer, offers: Sequence[Listing], looking: Looking
) -> dict[int, Why]:
    mine = [(one, need_of(one, looking.now)) for one in _my_requests(connection, viewer, looking)] if offers else []
    found: dict[int, Why] = {}
    for offer in offers if mine else []:
        helper = _offer_as_helper(offer, looking)
        judged = ((one, fit(need, helper, looking.now)) for one, need in mine)
        fits = [Why(each, one) for one, each in judged if isinstance(each, Fit)]
        if fits:
            found[offer.id] = max(fits, key=lambda why: why.fit.points)
    return found


def _my_requests(connection: Connection, viewer: Viewer, looking: Looking) -> Sequence[Listing]:
    """The requests of the viewer's that take answers, newest first."""
    mine = board.my_listings(connection, viewer)
    return [one for one in mine if one.kind is Kind.REQUEST and one.takes_responses(looking.now)]


def requests_for_offer(connection: Connection, viewer: Viewer, offer: Listing, looking: Looking) -> Sequence[Suggested]:
    """Requests that an offer of the viewer's fits: by what stands in it, and where it says no time, by theirs."""
    helper = _offer_as_helper(offer, looking)
    if helper.span is None:
        mine = viewer.member_id or 0
        windows = skills.windows_of(connection, [mine])[mine]
        helper = replace(helper, windows=windows, zone=zone(viewer.time_zone))
    found = _answerable(connection, viewer, looking, Kind.REQUEST, helper.abilities)
    judged = [(one, fit(need, helper, looking.now), None) for one, need in _needs(connection, found, looking.now)]
    return _shown(connection, viewer, looking, judged)


def offers_for_request(
    connection: Connection, viewer: Viewer, request: Listing, looking: Looking
) -> Sequence[Suggested]:
    """Offers, of here and of neighbouring boards, that fit a request of the viewer's."""
    need = need_of(request, looking.now)
    found = _answerable(connection, viewer, looking, Kind.OFFER, [need])
    judged = [(one, fit(need, _offer_as_helper(one, looking), looking.now), None) for one in found]
    return _shown(connection, viewer, looking, judged)


def my_request_for(connection: Connection, viewer: Viewer, offer: Listing, looking: Looking) -> Suggested | None:
    """The request of the viewer's that somebody's offer fits best; None when it fits none."""
    helper = _offer_as_helper(offer, looking)
    mine = _my_requests(connection, viewer, looking)
    judged = [(offer, fit(need_of(one, looking.now), helper, looking.now), one) for one in mine]
    return next(iter(_shown(connection, viewer, looking, judged)), None)


# who could be asked


def neighbours_for(
    connection: Connection, author: Viewer, request: Listing, looking: Looking, most: int
) -> Sequence[Neighbour]:
    """Members who could help with a request of the viewer's and are not asked too often, at most ``most``."""
    fits = fitting_members(connection, author, request, looking)
    people = [skills.person(connection, author, number) for number in list(fits)[:most]]
    return [Neighbour(one, fits[one.member_id]) for one in people if one is not None]


def fitting_members(connection: Connection, author: Viewer, request: Listing, looking: Looking) -> Mapping[int, Fit]:
    """Those who could be asked about a request, by their ids, the best first.

    Among equals those come first who were asked least lately, so that it is not always the same.
    """
    ((_, need),) = _needs(connection, [request], looking.now)
    windows = windows_of_need(need, zone(author.time_zone), looking.now)
    category = "" if need.category in NO_KIND else need.category
    wanted = Wanted(category, need.terms, windows, author.time_zone, need.position)
    found = skills.candidates(connection, author, wanted, looking.limits.candidates_max)
    helpers = _helpers(connection, author, _not_involved(connection, request, found), looking)
    judged = {number: fit(need, helper, looking.now) for number, helper in helpers.items()}
    fits = {number: one for number, one in judged.items() if isinstance(one, Fit)}
    order = sorted(fits, key=lambda one: (-fits[one].points, helpers[one].asked_lately, -one))
    return {number: fits[number] for number in order}


def _not_involved(connection: Connection, request: Listing, ids: Sequence[int]) -> Sequence[int]:
    """Without those who were asked about it already, or who answered it by themselves."""
    out = asked_ids(connection, request.id) | board.member_ids_who_answered(connection, request.id)
    return board.readers_among(connection, request, [one for one in ids if one not in out])


def asked_ids(connection: Connection, listing_id: int) -> frozenset[int]:
    """Who was asked about a request; for rooms that act on it, not for pages."""
    return frozenset(connection.execute(select(ask.c.member_id).where(ask.c.listing_id == listing_id)).scalars())


def _helpers(connection: Connection, author: Viewer, ids: Sequence[int], looking: Looking) -> Mapping[int, Helper]:
    """These members as the one who asks may know them; that a month is full, or was, shows in nothing but absence."""
    people = members.by_ids(connection, ids)
    entries = skills.entries_of(connection, author, ids)
    windows = skills.windows_of(connection, ids)
    preferences = skills.preferences_of(connection, ids)
    since = month_began(looking.now, zone(author.time_zone))
    promised = board.promised_minutes(connection, [one.actor for one in people], since)
    asked = asks_since(connection, ids, looking.now - WEEK)
    found = {}
    for one in people:
        made = _as_helper(entries[one.id], windows[one.id], preferences[one.id], one.time_zone, promised[one.actor])
        most = looking.limits.asks_per_person_per_week_max
        found[one.id] = replace(made, asked_lately=asked.get(one.id, 0), asks_max=most)
    return found


def asks_since(connection: Connection, member_ids: Collection[int], moment: datetime) -> Mapping[int, int]:
    """How often each of these was asked since then, by whomever; none where they were not."""
    lately = ask.c.member_id.in_(sorted(member_ids)) & (ask.c.asked_at > moment)
    query = select(ask.c.member_id, func.count().label("asked")).where(lately).group_by(ask.c.member_id)
    return {row.member_id: row.asked for row in connection.execute(query)}


def asked_about(connection: Connection, listing: Listing) -> Asked:
    """How many were asked about a request, for its author."""
    query = select(func.count().label("people"), func.max(ask.c.asked_at).label("last_at"))
    row = connection.execute(query.where(ask.c.listing_id == listing.id)).one()
    return Asked(row.people, row.last_at)


def _ask(row: Row[tuple[object, ...]]) -> Ask:
    return Ask(**{**row._mapping, "state": AskState(row._mapping["state"])})


def ask_of(connection: Connection, viewer: Viewer, ask_id: int) -> Ask | None:
    """A question to the viewer; None for everybody else."""
    mine = (ask.c.id == ask_id) & (ask.c.member_id == viewer.member_id)
    row = connection.execute(select(ask).where(mine)).one_or_none()
    return _ask(row) if row is not None else None


def waiting_asks(connection: Connection, viewer: Viewer, looking: Looking) -> Sequence[Waiting]:
    """What the viewer is asked to help with, longest waiting first; nothing that can no longer be answered."""
    mine = (ask.c.member_id == viewer.member_id) & (ask.c.state == AskState.ASKED)
    query = select(ask).where(mine).order_by(ask.c.id).limit(ASKS_SHOWN_MAX)
    asks = {one.listing_id: one for one in map(_ask, connection.execute(query))}
    found = board.answerable_among(connection, viewer, list(asks), looking.now, looking.federation)
    noticed = board.noticed(connection, viewer, sorted(found, key=lambda one: asks[one.id].id), looking.our_host)
    me = _myself(connection, viewer, looking.now) if noticed else None
    waiting = []
    for one, (listing, need) in zip(
        noticed, _needs(connection, [one.listing for one in noticed], looking.now), strict=True
    ):
        judged = fit(need, me, looking.now) if me is not None else None
        waiting.append(Waiting(asks[listing.id], one, judged if isinstance(judged, Fit) else None))
    return waiting


# searches that are kept


def searches_of(connection: Connection, member_id: int) -> Sequence[SavedSearch]:
    """The searches that a member keeps, oldest first."""
    query = select(saved_search).where(saved_search.c.member_id == member_id).order_by(saved_search.c.id)
    return [SavedSearch(**row._mapping) for row in connection.execute(query)]


def searches_after(connection: Connection, member_id: int, most: int) -> Sequence[SavedSearch]:
    """The searches of the next members after this one, by member: about ``most``, and all of each member's.

    For the chore that tells of what is new, not for pages.
    """
    table = saved_search.c
    beyond = select(saved_search).where(table.member_id > member_id).order_by(table.member_id, table.id)
    found = [SavedSearch(**row._mapping) for row in connection.execute(beyond.limit(most))]
    if not found:
        return []
    last = found[-1].member_id
    return [*(one for one in found if one.member_id != last), *searches_of(connection, last)]


def search_of(connection: Connection, viewer: Viewer, search_id: int) -> SavedSearch | None:
    """One of the viewer's searches; None for everybody else."""
    mine = (saved_search.c.id == search_id) & (saved_search.c.member_id == viewer.member_id)
    row = connection.execute(select(saved_search).where(mine)).one_or_none()
    return SavedSearch(**row._mapping) if row is not None else None


@dataclass(frozen=True)
class News:
    """How much is new for a kept search: at most 20 are counted, as the first page of the board has no more."""

    search: SavedSearch
    count: int


def news_of(
    connection: Connection, viewer: Viewer, search: SavedSearch, filters: board.Filters, looking: Looking
) -> News:
    """What reached the board since the viewer looked, that the search finds, and that is not their own."""
    page = board.board(connection, viewer, filters, looking.now, looking.our_host, looking.federation)
    return News(search, len([one for one in page.listings if not one.listing.is_by(viewer)]))
