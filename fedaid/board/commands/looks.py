"""Writes about the look that a coordinator takes at a listing before it stands on the board of a group."""

from sqlalchemy import delete, insert, update

from fedaid.board import queries
from fedaid.board.commands.rows import change_listing, locked_listing
from fedaid.board.facts import ListingLookedAt, ListingPosted, LookAsked
from fedaid.board.queries import Listing
from fedaid.board.rules import REASON_CHARACTERS_MAX, ListingState, ReviewState, check_expiry
from fedaid.board.tables import listing_review
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.groups import queries as groups


def ask_for_a_look(work: Work, listing_id: int, board_actor: str) -> None:
    """The listing waits from now on; also one that was declined and changed."""
    forget_look(work, listing_id)
    row = {
        "listing_id": listing_id,
        "board_actor": board_actor,
        "state": ReviewState.WAITING,
        "sentence": "",
        "asked_at": work.now,
    }
    work.connection.execute(insert(listing_review).values(row))
    work.record(LookAsked(listing_id))


def forget_look(work: Work, listing_id: int) -> None:
    """Nobody has to look at it any more."""
    work.connection.execute(delete(listing_review).where(listing_review.c.listing_id == listing_id))


def approve_listing(work: Work, by: Viewer, listing_id: int) -> None:
    """It stands on the board from now on. Raises NotAllowed, NotFound, Refused."""
    found = _waiting(work, by, listing_id)
    if found.expires_at is not None:
        check_expiry(found.expires_at, work.now)
    change_listing(work, listing_id, state=ListingState.OPEN, published_at=work.now)
    _decide(work, by, listing_id, ReviewState.APPROVED, "")
    work.record(ListingPosted(listing_id))


def decline_listing(work: Work, by: Viewer, listing_id: int, sentence: str) -> None:
    """It does not stand on the board; its author reads why, and may change it and ask again.

    Raises NotAllowed, NotFound, Refused.
    """
    words = one_line(sentence)
    if not words:
        raise Refused("sentence_missing", "Please say in a sentence why; they will read it.")
    if len(words) > REASON_CHARACTERS_MAX:
        raise Refused("reason_length", said("A reason has at most %(count)s characters.", count=REASON_CHARACTERS_MAX))
    _waiting(work, by, listing_id)
    _decide(work, by, listing_id, ReviewState.DECLINED, words)


def _waiting(work: Work, by: Viewer, listing_id: int) -> Listing:
    found = locked_listing(work, listing_id)
    board = groups.board_by_actor(work.connection, found.board_actor)
    look = queries.review_of(work.connection, listing_id)
    if board is None or look is None:
        raise NotFound
    if not groups.coordinates(work.connection, by, board.id):
        raise NotAllowed("This is for the coordinators of this group.")
    if look.state is not ReviewState.WAITING or found.state is not ListingState.DRAFT:
        raise Refused("looked_at", "Somebody has looked at it already.", 409)
    return found


def _decide(work: Work, by: Viewer, listing_id: int, state: ReviewState, sentence: str) -> None:
    values = {"state": state, "sentence": sentence, "decided_by": by.member_id, "decided_at": work.now}
    work.connection.execute(update(listing_review).where(listing_review.c.listing_id == listing_id).values(values))
    work.record(ListingLookedAt(listing_id))
