"""Writes about what the two sides of a response say to each other after it, here or through Notes."""

from sqlalchemy import delete, func, insert, select, update

from fedaid.board import queries
from fedaid.board.commands.pictures import forget_pictures, keep_pictures
from fedaid.board.commands.tombstones import bury
from fedaid.board.facts import RemarkArrived, RemarkMade
from fedaid.board.queries import Response
from fedaid.board.rules import MESSAGE_CHARACTERS_MAX, REMARKS_MAX, ForeignNote, checked_message
from fedaid.board.tables import remark, response
from fedaid.foundation.refused import NotAllowed, Refused
from fedaid.foundation.text import excerpt
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work


def make_remark(work: Work, viewer: Viewer, response_id: int, text: str, *, is_thanks: bool = False) -> int:
    """One of the two sides writes to the other, and a helper or author elsewhere is sent it. Raises Refused."""
    about = queries.response(work.connection, viewer, response_id)
    tidy = checked_message(text)
    if not tidy:
        raise Refused("remark_missing", "Please write something.")
    remark_id = work.new_id()
    _check_flood(work, about)
    # What the author's side says is said by the one that was asked, who may be the board.
    speaker = about.helper_actor if about.is_by(viewer) else about.asked_actor
    _store(work, work.names.note(remark_id), about, speaker, tidy, remark_id=remark_id, is_thanks=is_thanks)
    work.record(RemarkMade(remark_id))
    return remark_id


def note_said(work: Work, about: Response, text: str) -> str:
    """Keep what is told to somebody elsewhere about a response, so that what they reply finds it; the Note's new id."""
    remark_id = work.new_id()
    uri = work.names.note(remark_id)
    _store(work, uri, about, about.asked_actor, excerpt(text, MESSAGE_CHARACTERS_MAX), remark_id=remark_id)
    return uri


def tell_of(work: Work, about: Response) -> str:
    """Somebody elsewhere is told of an answer to their listing; the id of the Note, which what they reply names."""
    uri = work.names.note(work.new_id())
    work.connection.execute(update(response).where(response.c.id == about.id).values(told_uri=uri))
    return uri


def receive_remark(work: Work, about: Response, note: ForeignNote) -> bool:
    """Somebody elsewhere writes on, after a response; False when they are neither side of it. Raises Refused."""
    listing = queries.any_listing(work.connection, about.listing_id)
    sides = {about.helper_actor, about.asked_actor, listing.member_actor if listing is not None else None}
    if note.author not in sides:
        return False
    is_new = queries.remark_by_uri(work.connection, note.uri) is None
    if is_new and not queries.is_deleted(work.connection, note.uri):
        _check_flood(work, about)
        remark_id = work.new_id()
        _store(work, note.uri, about, note.author, note.text, note.warning, remark_id=remark_id)
        keep_pictures(work, note.uri, note.pictures)
        work.record(RemarkArrived(remark_id))
    return True


def _store(
    work: Work,
    uri: str,
    about: Response,
    author: str,
    text: str,
    warning: str = "",
    remark_id: int | None = None,
    *,
    is_thanks: bool = False,
) -> None:
    row = {
        "id": remark_id or work.new_id(),
        "uri": uri,
        "response_id": about.id,
        "author_actor": author,
        "text": text,
        "warning": warning,
        "created_at": work.now,
        "is_thanks": is_thanks,
    }
    work.connection.execute(insert(remark).values(row))


def _check_flood(work: Work, about: Response) -> None:
    there = select(func.count()).select_from(remark).where(remark.c.response_id == about.id)
    if work.connection.execute(there).scalar_one() >= REMARKS_MAX:
        raise Refused("too_many_remarks", "So much was written about this answer already; please meet.", 429)


def edit_remark(work: Work, note: ForeignNote) -> bool:
    """Its author changed a remark; False when it is none. Raises NotAllowed for others (attack S40)."""
    known = queries.remark_by_uri(work.connection, note.uri)
    if known is None:
        return False
    if known.author_actor != note.author:
        raise NotAllowed
    values = {"text": note.text, "warning": note.warning}
    work.connection.execute(update(remark).where(remark.c.id == known.id).values(values))
    keep_pictures(work, note.uri, note.pictures)
    return True


def forget_remark(work: Work, sender: str, uri: str) -> bool:
    """Its author deleted a remark; False when it is none. Raises NotAllowed for others (attack S41)."""
    known = queries.remark_by_uri(work.connection, uri)
    if known is None:
        return False
    if known.author_actor != sender:
        raise NotAllowed
    work.connection.execute(delete(remark).where(remark.c.id == known.id))
    forget_pictures(work, [uri])
    bury(work, sender, uri)
    return True
