"""What neighbouring boards and people of the fediverse tell us; each function checks that the sender may say it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import func, insert, select, update

from fedaid.actors import queries as actors
from fedaid.board import queries
from fedaid.board.commands.matches import call_off
from fedaid.board.commands.pictures import forget_pictures, keep_pictures
from fedaid.board.commands.responses import (
    match_of_response,
    offered_minutes,
    refuse_blocked,
    store_match,
    take_back,
)
from fedaid.board.commands.rows import change_response, forget_words, keep_words, locked_listing, write_words
from fedaid.board.commands.tombstones import bury
from fedaid.board.facts import AnswerArrived, ListingArrived, ResponseArrived
from fedaid.board.queries import Heard, Listing, Response
from fedaid.board.rules import (
    MESSAGE_CHARACTERS_MAX,
    MINUTES_MAX,
    OPEN_RESPONSES_MAX,
    OPEN_RESPONSES_OF_ONE_MAX,
    REASON_CHARACTERS_MAX,
    ForeignListing,
    ForeignNote,
    ListingState,
    ResponseForm,
    ResponseState,
    check_open,
    is_narrower,
    parties,
)
from fedaid.board.tables import listing, listing_tombstone, response
from fedaid.foundation.names import origin_of
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.text import excerpt
from fedaid.foundation.work import Work
from fedaid.network.queries import is_any_blocked, is_open_neighbour

_ARRIVED = insert(listing)
_NO_COLUMNS = frozenset({"author", "pictures", "finished"})  # of a ForeignListing
NOT_THEIRS = "This belongs to somebody else."
NOT_ASKED = "You were not asked to answer this."


@dataclass(frozen=True)
class Terms:
    """An agreement as the accepting board states it: its id, who helps whom (ids on the wire), and the hours."""

    agreement_uri: str
    provider: str
    receiver: str
    minutes: int | None


def receive_listing(work: Work, board_actor: str, sent: ForeignListing) -> None:
    """Store or refresh a listing that a board we follow stands for. Raises Refused.

    The same listing again changes nothing unless it is newer; nobody but its author changes it (attacks S40, S57).
    """
    _check_not_ours(work, sent.uri, sent.author)
    if is_any_blocked(work.connection, {sent.author, board_actor}):
        raise NotAllowed("Listings of this server are not taken here.")  # attack S48
    heard = queries.heard_of(work.connection, sent.uri)
    known = queries.any_listing(work.connection, heard.listing_id) if heard.listing_id is not None else None
    if known is None:
        _store(work, board_actor, sent, heard)
        return
    _check_author(known, sent.author)
    narrows = is_narrower(sent.visibility, known.visibility)  # which counts though it came in the same second
    is_newer = sent.updated_at > known.updated_at or (narrows and sent.updated_at == known.updated_at)
    if known.state is not ListingState.WITHDRAWN and is_newer:
        work.connection.execute(update(listing).where(listing.c.id == known.id).values(_values(sent)))
        keep_words(work, known.id, sent.title, sent.description, sent.place)
        keep_pictures(work, sent.uri, sent.pictures)
        work.record(ListingArrived(known.id))


def _check_not_ours(work: Work, *claimed: str) -> None:
    """Nobody elsewhere gives ids of ours or writes in the name of somebody here (attack S51)."""
    if any(work.names.is_ours(uri) for uri in claimed):
        raise NotAllowed("This id is ours to give.")


def _check_author(known: Listing, actor: str) -> None:
    """A listing of elsewhere is changed and taken down by its author alone (attacks S40, S41, S57)."""
    if known.local or known.author_actor != actor:
        raise NotAllowed(NOT_THEIRS)


def _store(work: Work, board_actor: str, sent: ForeignListing, heard: Heard) -> None:
    if heard.is_deleted:
        return  # a late Create of what was deleted (attack S41)
    listing_id = work.new_id()
    fixed = {
        "id": listing_id,
        "board_actor": board_actor,
        "author_actor": sent.author,
        "host": origin_of(sent.uri).partition("://")[2],
        "local": False,
        "hidden": False,
        "time_zone": "",
    }
    work.connection.execute(_ARRIVED, {**fixed, **_values(sent)})
    write_words(work, listing_id, sent.title, sent.description, sent.place)
    if heard.has_pictures or sent.pictures:
        keep_pictures(work, sent.uri, sent.pictures)
    work.record(ListingArrived(listing_id, is_new=True))


def _values(sent: ForeignListing) -> dict[str, object]:
    values = {name: value for name, value in vars(sent).items() if name not in _NO_COLUMNS}
    return {**values, "state": ListingState.FILLED if sent.finished else ListingState.OPEN}


def receive_delete(work: Work, sender: str, uri: str) -> bool:
    """The author deletes a listing or a reply; False when we never heard of it. Raises NotAllowed for others (S41)."""
    known = queries.listing_by_uri(work.connection, uri)
    if known is not None:
        _delete_listing(work, sender, known)
        return True
    answer = queries.response_by_uri(work.connection, uri)
    if answer is not None:
        return _delete_response(work, sender, answer)
    if queries.is_followed_board(work.connection, sender) and not queries.is_deleted(work.connection, uri):
        _check_same_server(sender, uri)
        row = {"uri": uri, "owner": sender, "deleted_at": work.now}
        work.connection.execute(insert(listing_tombstone).values(row))
        return True
    bury(work, sender, uri)
    return False


def _check_same_server(sender: str, uri: str) -> None:
    """Or one board could keep another's listings from us by deleting them before they come (attack S41)."""
    if origin_of(uri) != origin_of(sender):
        raise NotAllowed(NOT_THEIRS)


def _delete_listing(work: Work, sender: str, known: Listing) -> None:
    _check_author(known, sender)
    values = {
        "state": ListingState.WITHDRAWN,
        "description": "",
        "content_html": "",
        "warning": "",
        "place": "",
        "lat": None,
        "lon": None,
        "updated_at": work.now,
    }
    work.connection.execute(update(listing).where(listing.c.id == known.id).values(values))
    forget_words(work, known.id)
    forget_pictures(work, [known.uri])


def _delete_response(work: Work, sender: str, known: Response) -> bool:
    """The words go. A reply that was accepted stays agreed on: many delete all their old posts as a habit."""
    if known.helper_actor != sender:
        raise NotAllowed(NOT_THEIRS)
    if known.form is not ResponseForm.MESSAGE or known.state is not ResponseState.ACCEPTED:
        receive_undo(work, sender, known.uri)
    erase_words(work, known)
    return True


def erase_words(work: Work, known: Response) -> None:
    """What somebody wrote in their answer is kept no longer, and nobody is led to it."""
    values = {"message": "", "warning": "", "public": False}
    work.connection.execute(update(response).where(response.c.id == known.id).values(values))
    forget_pictures(work, [known.uri])


def receive_offer(
    work: Work, helper: str, offer_uri: str, listing_uri: str, minutes: int | None, message: str
) -> int | None:
    """Somebody elsewhere offers to help, in a form that software understands. None when it was stored already."""
    about = _asked_listing(work, listing_uri, helper)
    if about is None:
        raise NotFound
    if minutes is not None and not 1 <= minutes <= MINUTES_MAX:
        raise Refused("minutes", "The hours of an offer are from 1 minute to 1000 hours.")
    return _store_response(work, about, helper, offer_uri, ResponseForm.OFFER, offered_minutes(about, minutes), message)


def receive_reply(work: Work, note: ForeignNote, listing_uri: str) -> int | None:
    """Somebody of the fediverse replied to a listing of ours; the author answers it like any other response."""
    about = _asked_listing(work, listing_uri, note.author)
    if about is None:
        raise NotFound
    minutes = offered_minutes(about, None)
    stored = _store_response(work, about, note.author, note.uri, ResponseForm.MESSAGE, minutes, note.text)
    values = {"warning": note.warning, "public": note.is_public}
    answerable = (response.c.uri == note.uri) & (response.c.state == ResponseState.OFFERED)
    if work.connection.execute(update(response).where(answerable).values(values)).rowcount:
        keep_pictures(work, note.uri, note.pictures)
    return stored


def _asked_listing(work: Work, uri: str, helper: str) -> Listing | None:
    """The listing of ours, locked, where somebody of this id may see it."""
    found = queries.listing_by_uri(work.connection, uri)
    if found is None or not found.local or found.hidden:
        return None
    is_asked = found.is_public or (
        found.is_for_neighbours and is_open_neighbour(work.connection, urlsplit(helper).netloc)
    )
    return locked_listing(work, found.id) if is_asked else None


def _store_response(
    work: Work, about: Listing, helper: str, uri: str, form: ResponseForm, minutes: int | None, message: str
) -> int | None:
    _check_not_ours(work, uri, helper)
    known = queries.response_by_uri(work.connection, uri)
    if known is not None:
        _say_again(work, known, helper, message)
        return None
    if queries.is_deleted(work.connection, uri):
        return None  # it was taken back before it came (attack S41)
    refuse_blocked(work, helper, about)
    check_open(about.state)
    if not about.takes_responses(work.now):
        raise Refused("not_open", "Its time is over.", 409)
    _check_flood(work, about.id, helper)
    response_id = work.new_id()
    row = {
        "id": response_id,
        "uri": uri,
        "listing_id": about.id,
        "helper_actor": helper,
        "helper_name": actors.card(work.connection, helper, work.names.host).name,
        "asked_actor": about.author_actor,
        "form": form,
        "message": excerpt(message, MESSAGE_CHARACTERS_MAX),
        "minutes": minutes,
        "state": ResponseState.OFFERED,
        "reason": "",
        "created_at": work.now,
    }
    work.connection.execute(insert(response).values(row))
    work.record(ResponseArrived(response_id))
    return response_id


def _say_again(work: Work, known: Response, helper: str, message: str) -> None:
    """The same reply edited by its author; an answered one stays as it was answered."""
    if known.helper_actor != helper:
        raise NotAllowed(NOT_THEIRS)
    if known.state is ResponseState.OFFERED:
        values = {"message": excerpt(message, MESSAGE_CHARACTERS_MAX)}
        work.connection.execute(update(response).where(response.c.id == known.id).values(values))


def _check_flood(work: Work, listing_id: int, helper: str) -> None:
    waiting = (response.c.listing_id == listing_id) & (response.c.state == ResponseState.OFFERED)
    query = select(func.count()).select_from(response).where(waiting)
    theirs = work.connection.execute(query.where(response.c.helper_actor == helper)).scalar_one()
    if theirs >= OPEN_RESPONSES_OF_ONE_MAX or work.connection.execute(query).scalar_one() >= OPEN_RESPONSES_MAX:
        raise Refused("too_many_responses", "This listing has enough answers waiting.", 429)


def receive_undo(work: Work, sender: str, offer_uri: str) -> bool:
    """The one who answered takes it back; False when we never heard of it. Raises NotAllowed for others (S44)."""
    known = queries.response_by_uri(work.connection, offer_uri)
    if known is None:
        return False
    if known.helper_actor != sender:
        raise NotAllowed(NOT_THEIRS)
    about = locked_listing(work, known.listing_id)
    found = queries.response_by_uri(work.connection, offer_uri)
    if found is None or found.state in (ResponseState.WITHDRAWN, ResponseState.DECLINED):
        return True
    take_back(work, found, about)
    return True


def receive_accept(work: Work, sender: str, offer_uri: str, terms: Terms) -> None:
    """The board that a member of ours asked says yes (attack S43). The same again changes nothing. Raises Refused."""
    found, about = _asked(work, sender, offer_uri)
    if found.state is ResponseState.ACCEPTED and queries.match_for_agreement(work.connection, terms.agreement_uri):
        return
    _check_terms(found, about, sender, terms)
    change_response(work, found, ResponseState.ACCEPTED)
    store_match(
        work, work.new_id(), terms.agreement_uri, found, terms.provider, terms.receiver, terms.minutes or found.minutes
    )
    work.record(AnswerArrived(found.id))


def _check_terms(found: Response, about: Listing, sender: str, terms: Terms) -> None:
    """The agreement is theirs to make, between our member and somebody of theirs, about the hours that were offered."""
    theirs = terms.receiver if terms.provider == found.helper_actor else terms.provider
    if parties(about.kind, theirs, found.helper_actor) != (terms.provider, terms.receiver):
        raise Refused("wrong_parties", "The agreement is not about the one who offered.")
    if {origin_of(theirs), origin_of(terms.agreement_uri)} != {origin_of(sender)}:
        raise Refused("wrong_parties", "The agreement is not between the two networks that made it.")
    if terms.minutes is not None and terms.minutes != found.minutes:
        raise Refused("hours_differ", "The agreement has other hours than were offered.")


def receive_reject(work: Work, sender: str, offer_uri: str, reason: str) -> None:
    """The board that a member of ours asked says no, or calls off what it had accepted (attack S43)."""
    found, about = _asked(work, sender, offer_uri)
    if found.state in (ResponseState.DECLINED, ResponseState.WITHDRAWN):
        return
    told = excerpt(reason, REASON_CHARACTERS_MAX)
    match = match_of_response(work, found.id)
    if match is not None:
        call_off(work, match, found, about, told)
    else:
        change_response(work, found, ResponseState.DECLINED, reason=told)
    work.record(AnswerArrived(found.id))


def _asked(work: Work, sender: str, offer_uri: str) -> tuple[Response, Listing]:
    known = queries.response_by_uri(work.connection, offer_uri)
    if known is None:
        raise NotFound
    about = locked_listing(work, known.listing_id)
    found = queries.response_by_uri(work.connection, offer_uri)
    if found is None or found.asked_actor != sender or about.local:
        raise NotAllowed(NOT_ASKED)
    return found, about
