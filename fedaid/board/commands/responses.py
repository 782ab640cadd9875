"""Writes about responses: answering a listing, taking the answer back, and the author's yes or no."""

from sqlalchemy import insert, select

from fedaid.actors.queries import is_block_between
from fedaid.board import queries
from fedaid.board.commands.rows import change_match, change_response, follow_matches, locked_listing, own_listing
from fedaid.board.facts import MatchCancelled, ResponseAccepted, ResponseDeclined, ResponseSent, ResponseWithdrawn
from fedaid.board.queries import Gone, Listing, Response
from fedaid.board.rules import (
    REASON_CHARACTERS_MAX,
    ListingState,
    MatchState,
    Mode,
    ResponseForm,
    ResponseState,
    check_open,
    checked_message,
    checked_minutes,
    parties,
)
from fedaid.board.tables import help_match, response
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.text import excerpt, one_line
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.network.queries import is_blocked


def respond(work: Work, helper: Viewer, listing_id: int, message: str, minutes: int | None = None) -> int:
    """Answer a listing of here or of a neighbouring board, and return the response's id. Raises Refused."""
    if helper.member_id is None:
        raise NotAllowed
    about = locked_listing(work, listing_id)
    _check_may_answer(work, helper, about)
    response_id = work.new_id()
    row = {
        "id": response_id,
        "uri": work.names.response(response_id),
        "listing_id": listing_id,
        "helper_actor": helper.actor,
        "helper_member_id": helper.member_id,
        "helper_name": helper.name,
        "asked_actor": about.author_actor,
        "form": ResponseForm.OFFER,
        "message": checked_message(message),
        "minutes": offered_minutes(about, checked_minutes(minutes)),
        "state": ResponseState.OFFERED,
        "reason": "",
        "created_at": work.now,
    }
    work.connection.execute(insert(response).values(row))
    work.record(ResponseSent(response_id))
    return response_id


def _check_may_answer(work: Work, helper: Viewer, about: Listing) -> None:
    if about.hidden or about.state is ListingState.DRAFT or _is_blocked(work, about):
        raise NotFound
    if about.state is ListingState.WITHDRAWN:
        raise Gone
    if not queries.may_see(work.connection, helper, about.id):
        raise NotFound
    refuse_blocked(work, helper.actor, about)
    if about.member_actor == helper.actor:
        raise Refused("own_listing", "This is your own; wait for a neighbour to answer.", 409)
    check_open(about.state)
    if not about.takes_responses(work.now):
        raise Refused("not_open", "Its time is over.", 409)
    if alive_responses(work, about.id, helper.actor):
        raise Refused("answered_already", "You answered this already.", 409)


def _is_blocked(work: Work, about: Listing) -> bool:
    return not about.local and any(is_blocked(work.connection, one) for one in (about.author_actor, about.board_actor))


def refuse_blocked(work: Work, helper: str, about: Listing) -> None:
    """Two of whom one blocks the other do not answer each other. Raises NotAllowed."""
    people = (about.author_actor, about.board_actor, about.member_actor)
    if any(one and is_block_between(work.connection, helper, one) for one in people):
        raise NotAllowed("You cannot answer this one.")


def offered_minutes(about: Listing, minutes: int | None) -> int | None:
    """The hours a response is about: those it names, else the listing's; none where no hours are asked."""
    return (minutes or about.minutes) if about.mode is Mode.HOURS else None


def alive_responses(work: Work, listing_id: int, helper_actor: str) -> list[Response]:
    """The helper's responses to a listing that were neither declined nor taken back."""
    alive = response.c.state.in_([ResponseState.OFFERED, ResponseState.ACCEPTED])
    theirs = (response.c.listing_id == listing_id) & (response.c.helper_actor == helper_actor)
    rows = work.connection.execute(select(response).where(theirs, alive).order_by(response.c.id))
    found = [queries.response_of(row) for row in rows]
    # A match that was done is history: the same neighbour may help again.
    return [one for one in found if not _is_done(work, one)]


def _is_done(work: Work, one: Response) -> bool:
    query = select(help_match.c.state).where(help_match.c.response_id == one.id)
    return work.connection.execute(query).scalar_one_or_none() == MatchState.DONE


def withdraw_response(work: Work, helper: Viewer, response_id: int) -> None:
    """Take one's answer back; when it was accepted already, the match is called off. Raises Refused."""
    found = _response(work, response_id)
    if not found.is_by(helper):
        raise NotFound
    about = locked_listing(work, found.listing_id)
    take_back(work, _response(work, response_id), about)
    work.record(ResponseWithdrawn(response_id))


def take_back(work: Work, found: Response, about: Listing) -> None:
    """The helper's side ends a response, and the match that came of it. The listing must be locked."""
    match = match_of_response(work, found.id)
    if match is not None:
        change_match(work, match, MatchState.CANCELLED)
        work.record(MatchCancelled(match.id, by_author=False))
    change_response(work, found, ResponseState.WITHDRAWN)
    if match is not None:
        follow_matches(work, about)


def match_of_response(work: Work, response_id: int) -> queries.Match | None:
    """The match that came of a response."""
    row = work.connection.execute(select(help_match).where(help_match.c.response_id == response_id)).one_or_none()
    return queries.match_of(row) if row is not None else None


def accept_response(work: Work, author: Viewer, response_id: int) -> int:
    """The author says yes; returns the match's id. Raises Refused, also when enough helpers were found already."""
    about = own_listing(work, author, _response(work, response_id).listing_id)
    found = _response(work, response_id)  # again, now that nobody else can change it
    check_open(about.state)
    change_response(work, found, ResponseState.ACCEPTED)
    provider, receiver = parties(about.kind, about.member_actor or author.actor, found.helper_actor)
    match_id = work.new_id()
    agreement = work.names.agreement(match_id)
    store_match(work, match_id, agreement, found, provider, receiver, found.minutes)
    _merge_others(work, found)
    work.record(ResponseAccepted(response_id, match_id))
    follow_matches(work, about)
    return match_id


def store_match(
    work: Work, match_id: int, agreement_uri: str, found: Response, provider: str, receiver: str, minutes: int | None
) -> None:
    """The row of a new match."""
    row = {
        "id": match_id,
        "agreement_uri": agreement_uri,
        "listing_id": found.listing_id,
        "response_id": found.id,
        "provider": provider,
        "receiver": receiver,
        "minutes": minutes,
        "state": MatchState.ACCEPTED,
        "accepted_at": work.now,
    }
    work.connection.execute(insert(help_match).values(row))


def _merge_others(work: Work, accepted: Response) -> None:
    """Somebody who replied several times is accepted once; the other messages need no answer any more."""
    for one in alive_responses(work, accepted.listing_id, accepted.helper_actor):
        if one.state is ResponseState.OFFERED:
            change_response(work, one, ResponseState.WITHDRAWN)


def decline_response(work: Work, author: Viewer, response_id: int, reason: str = "") -> None:
    """The author says no, thank you. Raises Refused."""
    own_listing(work, author, _response(work, response_id).listing_id)
    found = _response(work, response_id)
    if found.state is ResponseState.ACCEPTED:
        raise Refused("response_state", "You accepted this; call the match off instead.", 409)
    told = excerpt(one_line(reason), REASON_CHARACTERS_MAX)
    change_response(work, found, ResponseState.DECLINED, reason=told)
    work.record(ResponseDeclined(response_id, told))


def _response(work: Work, response_id: int) -> Response:
    found = queries.any_response(work.connection, response_id)
    if found is None:
        raise NotFound
    return found
