"""What all writes on the board share: rows locked before they are changed, and states that follow from others."""

from sqlalchemy import delete, insert, select, update

from fedaid.board import queries
from fedaid.board.facts import ListingChanged
from fedaid.board.queries import Listing, Match, Response
from fedaid.board.rules import MatchState, ResponseState, match_moved, response_moved, state_by_matches
from fedaid.board.tables import help_match, listing, listing_search, response
from fedaid.foundation.refused import NotFound
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.words import searched
from fedaid.foundation.work import Work

_WORDS = insert(listing_search)


def locked_listing(work: Work, listing_id: int) -> Listing:
    """The listing, held against other writers until the commit. Raises NotFound."""
    row = work.connection.execute(select(listing).where(listing.c.id == listing_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    return queries.listing_of(row)


def own_listing(work: Work, author: Viewer, listing_id: int) -> Listing:
    """The listing, locked, if the viewer posted it. Raises NotFound."""
    found = locked_listing(work, listing_id)
    if not found.is_by(author):
        raise NotFound
    return found


def change_listing(work: Work, listing_id: int, **values: object) -> None:
    """Store new values and when they became so."""
    changed = {**values, "updated_at": work.now}
    work.connection.execute(update(listing).where(listing.c.id == listing_id).values(changed))


def keep_words(work: Work, listing_id: int, title: str, description: str, place: str) -> None:
    """By these words a listing is found from now on."""
    forget_words(work, listing_id)
    write_words(work, listing_id, title, description, place)


def write_words(work: Work, listing_id: int, title: str, description: str, place: str) -> None:
    """The same for a listing that is new; the only place that says what is searched."""
    work.connection.execute(_WORDS, {"listing_id": listing_id, "words": searched(title, description, place)})


def forget_words(work: Work, listing_id: int) -> None:
    """Nobody finds it by its words any more."""
    work.connection.execute(delete(listing_search).where(listing_search.c.listing_id == listing_id))


def change_response(work: Work, found: Response, state: ResponseState, **values: object) -> None:
    """Move a response to another state. Raises Refused when it cannot move there."""
    changed = {"state": response_moved(found.state, state), "answered_at": work.now, **values}
    work.connection.execute(update(response).where(response.c.id == found.id).values(changed))


def change_match(work: Work, found: Match, state: MatchState) -> None:
    """Move a match to another state. Raises Refused when it cannot move there."""
    changed = {"state": match_moved(found.state, state), "done_at": work.now}
    work.connection.execute(update(help_match).where(help_match.c.id == found.id).values(changed))


def follow_matches(work: Work, about: Listing) -> None:
    """Bring a listing of ours to the state its matches say, and tell others when it changed.

    A neighbour's listing is left alone: its own board says how it stands.
    """
    if not about.local:
        return
    accepted, done = queries.matches_by_state(work.connection, about.id)
    after = state_by_matches(about.state, about.people, accepted, done, about.rhythm)
    # One match more of several changes what is still wanted, though not the state.
    change_listing(work, about.id, state=after)
    work.record(ListingChanged(about.id))
