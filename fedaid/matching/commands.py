"""Writes of matching: asking neighbours and their answers, searches that are kept, and the words of the listings."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, func, insert, or_, select, update

from fedaid.board import commands as board
from fedaid.board import queries as listings
from fedaid.board.facts import ListingArrived, ListingChanged, ListingPosted, ListingWithdrawn, ResponseSent
from fedaid.board.queries import Listing
from fedaid.board.rules import TAKES_RESPONSES, Kind
from fedaid.board.tables import listing
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Announcer, Work
from fedaid.matching import queries
from fedaid.matching.facts import NeighbourAsked
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.queries import Looking
from fedaid.matching.rules import SEARCH_QUERY_CHARACTERS_MAX, checked_search_name, term_of_kind
from fedaid.matching.tables import AskState, ask, listing_term, saved_search
from fedaid.members.tables import member

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


def clear_out(work: Work, member_id: int) -> None:
    """Somebody leaves: their searches go, and that they were asked."""
    work.connection.execute(delete(saved_search).where(saved_search.c.member_id == member_id))
    work.connection.execute(delete(ask).where(ask.c.member_id == member_id))


# the words of the listings


def index_listing(work: Work, found: Listing) -> None:
    """Write down the words of a listing as they are compared, as long as it takes answers; harmless when repeated."""
    work.connection.execute(delete(listing_term).where(listing_term.c.listing_id == found.id))
    if found.state in TAKES_RESPONSES:
        words = {*queries.words_of(found), term_of_kind(found.category)}
        rows = [{"term": word, "kind": found.kind, "listing_id": found.id} for word in sorted(words)]
        work.connection.execute(insert(listing_term), rows)


def index_missing(work: Work, limits: MatchingLimits) -> int:
    """Look at listings that nobody looked at yet, and forget those that are over; how many. A chore of the house."""
    table, most = listing.c, limits.index_listings_max
    known = select(listing_term.c.listing_id).where(listing_term.c.listing_id == table.id)
    alive = or_(table.expires_at.is_(None), table.expires_at > work.now)
    new = select(listing).where(table.state.in_(sorted(TAKES_RESPONSES)), alive, ~known.exists())
    for row in work.connection.execute(new.order_by(table.id.desc()).limit(most)).all():
        index_listing(work, listings.listing_of(row))
    over = or_(table.state.not_in(sorted(TAKES_RESPONSES)), table.expires_at <= work.now)
    gone = select(listing_term.c.listing_id).join(listing, table.id == listing_term.c.listing_id).where(over)
    ids = work.connection.execute(gone.distinct().limit(most)).scalars().all()
    work.connection.execute(delete(listing_term).where(listing_term.c.listing_id.in_(ids)))
    return len(ids)


def _index(work: Work, fact: object) -> None:
    if isinstance(fact, ListingPosted | ListingChanged | ListingArrived | ListingWithdrawn):
        found = listings.any_listing(work.connection, fact.listing_id)
        if found is not None:
            index_listing(work, found)


# What matching does when something happens on the board.
ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    ListingPosted: (_index,),
    ListingChanged: (_index,),
    ListingArrived: (_index,),
    ListingWithdrawn: (_index,),
    ResponseSent: (_note_answer,),
}
