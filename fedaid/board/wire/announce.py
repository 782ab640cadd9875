"""Facts of the board as activities for those elsewhere who are concerned."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from activitypub.vocabulary import LISTING_CONTEXT
from fedaid.actors import queries as actors
from fedaid.actors.wire import say
from fedaid.board import queries
from fedaid.board.facts import (
    ListingChanged,
    ListingPosted,
    ListingWithdrawn,
    MatchCancelled,
    ResponseAccepted,
    ResponseDeclined,
    ResponseSent,
    ResponseWithdrawn,
)
from fedaid.board.queries import Listing, Response
from fedaid.board.rules import ListingState, ResponseForm
from fedaid.board.wire import shapes
from fedaid.foundation.names import Names
from fedaid.foundation.work import Announcer, Work
from outbox.queue import RECIPIENTS_MAX, Outgoing

ACCEPTED_SENTENCE = "Thank you! Your answer to “{title}” was accepted."
DECLINED_SENTENCE = "Thank you for your answer to “{title}”. It is not needed this time."
CALLED_OFF_SENTENCE = "“{title}” was called off. Thank you all the same."


def note_of(connection: Connection, listing: Listing, names: Names) -> dict[str, Any]:
    """A listing of ours as it stands now, as anybody may fetch it."""
    return {"@context": LISTING_CONTEXT, **_note(connection, listing, names)}


def _note(connection: Connection, listing: Listing, names: Names) -> dict[str, Any]:
    accepted, done = queries.matches_by_state(connection, listing.id)
    board = actors.by_uri(connection, listing.board_actor)
    return shapes.listing_object(listing, board.handle if board else "", accepted + done, names)


def _send(work: Work, outgoing: Outgoing) -> None:
    say(work, outgoing)


def _activity_id(work: Work) -> str:
    return work.names.activity(work.new_id())


# listings


def _post(work: Work, fact: object) -> None:
    if isinstance(fact, ListingPosted):
        _tell_of_listing(work, fact.listing_id, "Create")


def _change(work: Work, fact: object) -> None:
    if isinstance(fact, ListingChanged):
        _tell_of_listing(work, fact.listing_id, "Update")


def _tell_of_listing(work: Work, listing_id: int, kind: str) -> None:
    listing = queries.any_listing(work.connection, listing_id)
    if listing is None or not listing.local or listing.hidden or listing.state is ListingState.WITHDRAWN:
        return
    body = _note(work.connection, listing, work.names)
    _send_from_board(work, listing, shapes.listing_activity(kind, _activity_id(work), body, work.now))


def _withdraw_listing(work: Work, fact: object) -> None:
    if not isinstance(fact, ListingWithdrawn):
        return
    listing = queries.any_listing(work.connection, fact.listing_id)
    if listing is not None and listing.local:
        _send_from_board(work, listing, shapes.delete_activity(_activity_id(work), listing, work.now))


def _send_from_board(work: Work, listing: Listing, activity: Mapping[str, Any]) -> None:
    """To the board's followers, and to those who answered: they may not follow it."""
    helpers = tuple(queries.waiting_helpers(work.connection, listing.id))[:RECIPIENTS_MAX]
    board = listing.board_actor
    _send(work, Outgoing(activity, board, to=helpers, followers_of=board, public=True))


# responses


def _pair(work: Work, response_id: int) -> tuple[Response, Listing] | None:
    response = queries.any_response(work.connection, response_id)
    listing = queries.any_listing(work.connection, response.listing_id) if response is not None else None
    return (response, listing) if response is not None and listing is not None else None


def _respond(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseSent) else None
    if pair is not None and not pair[1].local:
        _send_from_member(work, pair[0], shapes.offer_document(*pair))


def _withdraw_response(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseWithdrawn) else None
    if pair is not None and not pair[1].local:
        _send_from_member(work, pair[0], shapes.undo_activity(_activity_id(work), pair[0]))


def _send_from_member(work: Work, response: Response, activity: Mapping[str, Any]) -> None:
    _send(work, Outgoing(activity, response.helper_actor, to=(response.asked_actor,)))


# answers


def _accept(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseAccepted) else None
    if not isinstance(fact, ResponseAccepted) or pair is None or not _is_from_elsewhere(*pair):
        return
    response, listing = pair
    match = queries.any_match(work.connection, fact.match_id)
    if response.form is ResponseForm.MESSAGE:
        _reply(work, response, listing, ACCEPTED_SENTENCE)
    elif match is not None:
        _send_answer(work, response, shapes.accept_activity(_activity_id(work), response, match, listing))


def _decline(work: Work, fact: object) -> None:
    pair = _pair(work, fact.response_id) if isinstance(fact, ResponseDeclined) else None
    if isinstance(fact, ResponseDeclined) and pair is not None and _is_from_elsewhere(*pair):
        _say_no(work, *pair, DECLINED_SENTENCE, fact.reason)


def _call_off(work: Work, fact: object) -> None:
    if not isinstance(fact, MatchCancelled) or not fact.by_author:
        return
    match = queries.any_match(work.connection, fact.match_id)
    pair = _pair(work, match.response_id) if match is not None else None
    if pair is not None and _is_from_elsewhere(*pair):
        _say_no(work, *pair, CALLED_OFF_SENTENCE, pair[0].reason)


def _is_from_elsewhere(response: Response, listing: Listing) -> bool:
    """Whether the answer to a response has to travel: our listing, their helper."""
    return listing.local and response.helper_member_id is None


def _say_no(work: Work, response: Response, listing: Listing, sentence: str, reason: str) -> None:
    if response.form is ResponseForm.MESSAGE:
        _reply(work, response, listing, f"{sentence} {reason}".strip())
    else:
        _send_answer(work, response, shapes.reject_activity(_activity_id(work), response, listing, reason))


def _reply(work: Work, response: Response, listing: Listing, sentence: str) -> None:
    card = actors.card(work.connection, response.helper_actor, work.names.host)
    told = sentence.replace("{title}", listing.title)
    mention = (card.handle, card.page)
    _send_answer(work, response, shapes.reply_activity(_activity_id(work), response, listing, mention, told, work.now))


def _send_answer(work: Work, response: Response, activity: Mapping[str, Any]) -> None:
    _send(work, Outgoing(activity, response.asked_actor, to=(response.helper_actor,)))


ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    ListingPosted: (_post,),
    ListingChanged: (_change,),
    ListingWithdrawn: (_withdraw_listing,),
    ResponseSent: (_respond,),
    ResponseWithdrawn: (_withdraw_response,),
    ResponseAccepted: (_accept,),
    ResponseDeclined: (_decline,),
    MatchCancelled: (_call_off,),
}
