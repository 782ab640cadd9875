"""Writes of matching: asking neighbours and their answers, searches that are kept, and the words of the listings."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard
from urllib.parse import parse_qsl

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from fedaid.board import commands as board
from fedaid.board import queries as listings
from fedaid.board.facts import ListingArrived, ListingChanged, ListingPosted, ListingWithdrawn, ResponseSent
from fedaid.board.queries import Filters, Listing
from fedaid.board.rules import TAKES_RESPONSES, Kind
from fedaid.board.tables import listing
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Announcer, Together, Work
from fedaid.matching import queries
from fedaid.matching.facts import NeighbourAsked, SearchFound
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.queries import Looking, SavedSearch
from fedaid.matching.rules import SEARCH_QUERY_CHARACTERS_MAX, checked_search_name, term_of_kind
from fedaid.matching.tables import AskState, ask, listing_term, saved_search, search_look
from fedaid.members import queries as members
from fedaid.members.tables import member
from fedaid.skills import queries as skills

INDEXED_AT_ONCE = 500  # listings in one statement; SQLite's parameters have a limit
_CHANGES = ListingPosted | ListingChanged | ListingArrived | ListingWithdrawn
_WORDS = insert(listing_term)
_LOOK_AT = insert(search_look)

# asking


def ask_neighbours(work: Work, author: Viewer, listing_id: int, chosen: Collection[int], looking: Looking) -> int:
    """Ask those of the chosen members who fit the author's request and may be asked; how many were.

    It is judged anew who they are, while nobody else asks: so nobody is asked more often than is quiet. Those who were
    asked about it already are not asked again. Raises Refused when there is nobody.
    """
    found = listings.any_listing(work.connection, listing_id)
    if found is None or not found.is_by(author) or found.is_for_elsewhere:
        raise NotFound
    if found.kind is not Kind.REQUEST or not found.takes_responses(work.now):
        raise Refused("not_open", "This is no longer open; nobody needs to be asked.", 409)
    held = select(member.c.id).where(member.c.id.in_(sorted(chosen))).order_by(member.c.id).with_for_update()
    work.connection.execute(held)
    before = queries.asked_ids(work.connection, listing_id)
    if chosen and before.issuperset(chosen):
        return 0  # the button was pressed twice
    limits = looking.limits
    left = limits.asks_per_listing_max - len(before)
    if left <= 0:
        raise Refused(
            "asked_many",
            said("%(count)s people were asked already; wait a little.", count=limits.asks_per_listing_max),
            409,
        )
    fitting = queries.fitting_members(work.connection, author, found, looking)
    asked = [number for number in fitting if number in chosen][: min(left, limits.asks_at_once_max)]
    if not asked:
        raise Refused("nobody_to_ask", "None of them can be asked any more. Look again who could help.", 409)
    for number in asked:
        _ask(work, listing_id, number)
    return len(asked)


def _ask(work: Work, listing_id: int, member_id: int) -> None:
    ask_id = work.new_id()
    row = {
        "id": ask_id,
        "listing_id": listing_id,
        "member_id": member_id,
        "state": AskState.ASKED,
        "asked_at": work.now,
    }
    work.connection.execute(insert(ask).values(row))
    work.record(NeighbourAsked(ask_id, member_id))


def say_yes(work: Work, who: Viewer, ask_id: int, message: str = "") -> int:
    """Who was asked can help: it is answered as on the board. Returns the listing's id. Raises Refused."""
    found = queries.ask_of(work.connection, who, ask_id)
    if found is None:
        raise NotFound
    board.respond(work, who, found.listing_id, message)
    return found.listing_id


def say_not_now(work: Work, who: Viewer, ask_id: int) -> None:
    """Who was asked cannot help this time; nobody is told, and it is not suggested to them again. Raises NotFound."""
    found = queries.ask_of(work.connection, who, ask_id)
    if found is None:
        raise NotFound
    if found.state is AskState.ASKED:
        changed = update(ask).where(ask.c.id == ask_id)
        work.connection.execute(changed.values(state=AskState.NOT_NOW, answered_at=work.now))


def _note_answer(work: Work, fact: object) -> None:
    """Whoever answers a listing, by whatever way, need not be asked any more."""
    if not isinstance(fact, ResponseSent):
        return
    sent = listings.any_response(work.connection, fact.response_id)
    if sent is not None:
        theirs = (ask.c.listing_id == sent.listing_id) & (ask.c.member_id == sent.helper_member_id)
        changed = update(ask).where(theirs, ask.c.state == AskState.ASKED)
        work.connection.execute(changed.values(state=AskState.YES, answered_at=work.now))


# searches that are kept


def save_search(work: Work, who: Viewer, name: str, query: str, limits: MatchingLimits) -> int:
    """Keep a search of the board; what stands there now counts as seen. Raises Refused."""
    if who.member_id is None:
        raise NotAllowed
    tidy = checked_search_name(name)
    if not query or len(query) > SEARCH_QUERY_CHARACTERS_MAX:
        raise Refused("search_empty", "Search the board first, then keep the search.")
    held = select(member.c.id).where(member.c.id == who.member_id).with_for_update()
    work.connection.execute(held)
    if len(queries.searches_of(work.connection, who.member_id)) >= limits.saved_searches_max:
        raise Refused(
            "too_many_searches",
            said("At most %(count)s searches; take one out first.", count=limits.saved_searches_max),
            409,
        )
    search_id = work.new_id()
    row = {
        "id": search_id,
        "member_id": who.member_id,
        "name": tidy,
        "query": query,
        "seen_listing_id": _newest_listing(work),
        "created_at": work.now,
    }
    work.connection.execute(insert(saved_search).values(row))
    return search_id


def _newest_listing(work: Work) -> int:
    newest: int = work.connection.execute(select(func.coalesce(func.max(listing.c.id), 0))).scalar_one()
    return newest


def look_at_search(work: Work, who: Viewer, search_id: int) -> str:
    """The viewer looks at what a search finds: nothing of it is new any more. Returns its query. Raises NotFound."""
    found = queries.search_of(work.connection, who, search_id)
    if found is None:
        raise NotFound
    changed = update(saved_search).where(saved_search.c.id == search_id)
    work.connection.execute(changed.values(seen_listing_id=_newest_listing(work)))
    return found.query


def forget_search(work: Work, who: Viewer, search_id: int) -> None:
    """Keep a search no longer. Raises NotFound."""
    if queries.search_of(work.connection, who, search_id) is None:
        raise NotFound
    work.connection.execute(delete(saved_search).where(saved_search.c.id == search_id))


# telling of what is new for them


def _remember_to_look(work: Work, facts: Sequence[object]) -> None:
    """What is new here is compared with the searches a little later, so that nobody who posts waits for it."""
    new = [fact.listing_id for fact in facts if isinstance(fact, ListingPosted) or _is_new(fact)]
    rows = [{"listing_id": number, "since": work.now, "after_member_id": 0} for number in new]
    if rows:
        work.connection.execute(_LOOK_AT, rows)


def _is_new(fact: object) -> TypeGuard[ListingArrived]:
    return isinstance(fact, ListingArrived) and fact.is_new


def tell_searchers(work: Work, federation: Federation, limits: MatchingLimits) -> int:
    """Compare what is new with the searches that are kept, some at once; how many. A chore of the house.

    Each listing is compared once with each search, whatever process does it.
    """
    looked, most = 0, limits.alert_searches_max
    while looked < most and (found := _next_to_look_at(work)) is not None:
        looked += _look(work, found, federation, most - looked)
    return looked


@dataclass(frozen=True)
class _Look:
    """A listing that is new here since then, and after which member the next searches are to be compared with it."""

    listing_id: int
    since: datetime
    after_member_id: int


def _next_to_look_at(work: Work) -> _Look | None:
    first = select(search_look).order_by(search_look.c.listing_id).limit(1).with_for_update(skip_locked=True)
    row = work.connection.execute(first).one_or_none()
    return _Look(**row._mapping) if row is not None else None


def _look(work: Work, at: _Look, federation: Federation, most: int) -> int:
    """Compare one listing with the searches of the next members; how many searches, at least one."""
    this = search_look.c.listing_id == at.listing_id
    found = listings.any_listing(work.connection, at.listing_id)
    searches = queries.searches_after(work.connection, at.after_member_id, most)
    if found is None or not found.takes_responses(work.now) or not searches:
        work.connection.execute(delete(search_look).where(this))
        return 1
    kept: dict[int, list[SavedSearch]] = {}
    for one in searches:
        if one.created_at < at.since:
            kept.setdefault(one.member_id, []).append(one)
    for keeper in members.by_ids(work.connection, list(kept)):
        _tell_of(work, members.viewer_of(keeper), kept[keeper.id], found, federation)
    work.connection.execute(update(search_look).where(this).values(after_member_id=searches[-1].member_id))
    return len(searches)


def _tell_of(work: Work, who: Viewer, kept: Sequence[SavedSearch], found: Listing, federation: Federation) -> None:
    """Once for all of their searches, and of nothing that they posted or look after themselves."""
    if found.is_by(who):
        return
    for one in kept:
        filters = listings.read_filters(dict(parse_qsl(one.query)), signed_in=True)
        if not _may_fit(filters, found):
            continue
        filters = listings.with_position(work.connection, who, filters, _lives_at)
        if listings.finds(work.connection, who, filters, found.id, work.now, federation):
            work.record(SearchFound(one.id, one.member_id, found.id))
            return


def _may_fit(filters: Filters, found: Listing) -> bool:
    """What is wrong at the first look is not asked of the database, which knows the whole rule."""
    return filters.kind in (None, found.kind) and filters.category in ("", found.category)


def _lives_at(connection: Connection, who: Viewer) -> tuple[float, float] | None:
    mine = who.member_id or 0
    return skills.preferences_of(connection, [mine])[mine].position


def clear_out(work: Work, member_id: int) -> None:
    """Somebody leaves: their searches go, and that they were asked."""
    work.connection.execute(delete(saved_search).where(saved_search.c.member_id == member_id))
    work.connection.execute(delete(ask).where(ask.c.member_id == member_id))


# the words of the listings


def index_listings(work: Work, found: Sequence[Listing], new: Collection[int] = ()) -> None:
    """Write down the words of listings as they are compared, as long as they take answers; harmless when repeated.

    ``new`` are the ids of those that were not here before this unit of work: of them there are no words yet.
    """
    before = [one.id for one in found if one.id not in new]
    if before:
        work.connection.execute(delete(listing_term).where(listing_term.c.listing_id.in_(before)))
    rows = [
        {"term": word, "kind": one.kind, "listing_id": one.id}
        for one in found
        if one.state in TAKES_RESPONSES
        for word in sorted({*queries.words_of(one), term_of_kind(one.category)})
    ]
    if rows:
        work.connection.execute(_WORDS, rows)


def index_missing(work: Work, limits: MatchingLimits) -> int:
    """Look at listings that nobody looked at yet, and forget those that are over; how many. A chore of the house."""
    table, most = listing.c, limits.index_listings_max
    known = select(listing_term.c.listing_id).where(listing_term.c.listing_id == table.id)
    alive = or_(table.expires_at.is_(None), table.expires_at > work.now)
    new = select(listing).where(table.state.in_(sorted(TAKES_RESPONSES)), alive, ~known.exists())
    unseen = [listings.listing_of(row) for row in work.connection.execute(new.order_by(table.id.desc()).limit(most))]
    index_listings(work, unseen)
    over = or_(table.state.not_in(sorted(TAKES_RESPONSES)), table.expires_at <= work.now)
    gone = select(listing_term.c.listing_id).join(listing, table.id == listing_term.c.listing_id).where(over)
    ids = work.connection.execute(gone.distinct().limit(most)).scalars().all()
    work.connection.execute(delete(listing_term).where(listing_term.c.listing_id.in_(ids)))
    return len(ids)


def _index(work: Work, facts: Sequence[object]) -> None:
    told = [fact for fact in facts if isinstance(fact, _CHANGES)]
    ids = list(dict.fromkeys(fact.listing_id for fact in told))
    new = {fact.listing_id for fact in told if _is_new(fact)}
    for start in range(0, len(ids), INDEXED_AT_ONCE):
        found = listings.any_listings(work.connection, ids[start : start + INDEXED_AT_ONCE])
        index_listings(work, found, new)


# What matching does when something happens on the board.
ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    ListingPosted: (Together(_index), Together(_remember_to_look)),
    ListingChanged: (Together(_index),),
    ListingArrived: (Together(_index), Together(_remember_to_look)),
    ListingWithdrawn: (Together(_index),),
    ResponseSent: (_note_answer,),
}
