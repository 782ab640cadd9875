"""Writes about matches: the help was given, its hours were logged or settled, or it is called off."""

from sqlalchemy import update

from fedaid.board import queries
from fedaid.board.commands.remarks import make_remark
from fedaid.board.commands.responses import take_back
from fedaid.board.commands.rows import change_match, change_response, follow_matches, locked_listing
from fedaid.board.facts import MatchCancelled, MatchDone, ResponseWithdrawn
from fedaid.board.limits import BoardLimits
from fedaid.board.queries import Listing, Match, Response
from fedaid.board.rules import MatchState, ResponseState
from fedaid.board.tables import help_match
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work


def mark_done(work: Work, viewer: Viewer, match_id: int) -> None:
    """One of the two says that the help was given. Raises Refused when it was said or called off already."""
    found = queries.match(work.connection, viewer, match_id)
    about = locked_listing(work, found.listing_id)
    _finish(work, queries.match(work.connection, viewer, match_id), about, about.is_by(viewer))


def thank(work: Work, viewer: Viewer, match_id: int, words: str, limits: BoardLimits) -> None:
    """Whoever was helped thanks in their own words, once; the helper reads them, elsewhere as a message.

    Raises NotFound, NotAllowed, Refused.
    """
    if len(words) > limits.thanks_characters_max:
        most = limits.thanks_characters_max
        raise Refused("thanks_length", said("Words of thanks have at most %(count)s characters.", count=most))
    known = queries.match(work.connection, viewer, match_id)
    locked_listing(work, known.listing_id)
    found = queries.match(work.connection, viewer, match_id)
    if found.receiver != viewer.actor:
        raise NotAllowed("Whoever was helped says thank you.")
    if found.state is not MatchState.DONE:
        raise Refused("not_done", "Say thank you when the help was given.", 409)
    if queries.is_thanked(work.connection, found.response_id):
        raise Refused("thanked_already", "You have said thank you for this.", 409)
    make_remark(work, viewer, found.response_id, words, is_thanks=True)


def settle_match(work: Work, agreement_uri: str) -> bool:
    """The hours of an agreement are settled, so the help was given; False when there is no such open match here."""
    known = queries.match_for_agreement(work.connection, agreement_uri)
    if known is None:
        return False
    about = locked_listing(work, known.listing_id)
    found = queries.match_for_agreement(work.connection, agreement_uri)
    if found is None or found.state is not MatchState.ACCEPTED:
        return False
    _finish(work, found, about)
    return True


def _finish(work: Work, found: Match, about: Listing, by_author: bool | None = None) -> None:
    change_match(work, found, MatchState.DONE)
    work.record(MatchDone(found.id, by_author))
    follow_matches(work, about)


def log_hours(work: Work, agreement_uri: str, *, logged: bool = True) -> None:
    """Hours for an agreement were claimed or given, or (``logged=False``) the claim was refused or taken back."""
    values = {"hours_logged_at": work.now if logged else None}
    work.connection.execute(update(help_match).where(help_match.c.agreement_uri == agreement_uri).values(values))


def cancel_match(work: Work, viewer: Viewer, match_id: int) -> None:
    """One of the two calls it off; the other side is told. Raises Refused when it is done or called off already."""
    known = queries.match(work.connection, viewer, match_id)
    about = locked_listing(work, known.listing_id)
    found = queries.match(work.connection, viewer, match_id)
    answer = queries.any_response(work.connection, found.response_id)
    if answer is None:
        raise NotFound
    if answer.is_by(viewer):
        take_back(work, answer, about)
        work.record(ResponseWithdrawn(answer.id))
    else:
        call_off(work, found, answer, about)


def call_off(work: Work, found: Match, answer: Response, about: Listing, reason: str = "") -> None:
    """The author's side ends a match; ``reason`` is what they wrote. The listing must be locked."""
    change_match(work, found, MatchState.CANCELLED)
    change_response(work, answer, ResponseState.DECLINED, reason=reason)
    work.record(MatchCancelled(found.id, by_author=True))
    follow_matches(work, about)
