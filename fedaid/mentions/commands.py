"""Writes about what people elsewhere write to our boards: keeping it, answering it, and letting listings in."""

from datetime import timedelta

from sqlalchemy import Table, delete, func, insert, select, update

from fedaid.board import commands as board
from fedaid.board import queries as board_queries
from fedaid.board.commands.pictures import forget_pictures, keep_pictures
from fedaid.board.limits import BoardLimits
from fedaid.board.rules import REASON_CHARACTERS_MAX, ForeignNote, Kind, Mode, Posting, checked_message
from fedaid.foundation.refused import NotAllowed, Refused
from fedaid.foundation.text import excerpt, one_line
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.mentions import queries
from fedaid.mentions.facts import (
    MessageAnswered,
    MessageArrived,
    SuggestionApproved,
    SuggestionArrived,
    SuggestionDeclined,
    SuggestionRepeated,
)
from fedaid.mentions.queries import Message, Suggestion
from fedaid.mentions.rules import (
    WAITING_MAX,
    WAITING_OF_ONE_MAX,
    MessageState,
    SuggestionState,
    check_waiting,
    details_of,
    suggested_kind,
    title_of,
)
from fedaid.mentions.tables import message, suggestion

EDITED = "(Edited after it was posted.)"


def receive_note(work: Work, board_actor: str, note: ForeignNote) -> None:
    """Somebody elsewhere wrote to a board of ours. The same again changes nothing. Raises Refused.

    With a hashtag that asks for it, it is a suggestion of a listing; anything else is a message for the coordinators.
    """
    if _is_known(work, note.uri) or board_queries.is_deleted(work.connection, note.uri):
        return
    kind = suggested_kind(note.tags)
    if kind is None:
        _keep_message(work, board_actor, note)
        return
    repeated = _repeated(work, note)
    if repeated is None:
        _keep_suggestion(work, board_actor, note, kind)
    else:
        work.record(SuggestionRepeated(board_actor, note.author, note.uri, repeated))


def _is_known(work: Work, uri: str) -> bool:
    found = queries.message_by_uri(work.connection, uri) or queries.suggestion_by_uri(work.connection, uri)
    return found is not None


def _repeated(work: Work, note: ForeignNote) -> str | None:
    """What the note repeats: a listing that a neighbouring board showed us already, or the author's own of before."""
    if board_queries.listing_by_uri(work.connection, note.uri) is not None:
        return note.uri
    alive = suggestion.c.state.in_([SuggestionState.WAITING, SuggestionState.APPROVED])
    same = (suggestion.c.author_actor == note.author) & (suggestion.c.text == note.text) & alive
    row = work.connection.execute(select(suggestion).where(same).order_by(suggestion.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    known = queries.suggestion_of(row)
    listing = board_queries.any_listing(work.connection, known.listing_id) if known.listing_id is not None else None
    return listing.uri if listing is not None else known.uri


def _keep_message(work: Work, board_actor: str, note: ForeignNote) -> None:
    _check_flood(work, message, note.author)
    message_id = work.new_id()
    row = {**_row(work, board_actor, note), "id": message_id, "state": MessageState.WAITING, "answer": ""}
    work.connection.execute(insert(message).values(row))
    keep_pictures(work, note.uri, note.pictures)
    work.record(MessageArrived(message_id))


def _keep_suggestion(work: Work, board_actor: str, note: ForeignNote, kind: Kind) -> None:
    _check_flood(work, suggestion, note.author)
    suggestion_id = work.new_id()
    values = {"id": suggestion_id, "state": SuggestionState.WAITING, "kind": kind, "reason": ""}
    work.connection.execute(insert(suggestion).values({**_row(work, board_actor, note), **values}))
    keep_pictures(work, note.uri, note.pictures)
    work.record(SuggestionArrived(suggestion_id))


def _row(work: Work, board_actor: str, note: ForeignNote) -> dict[str, object]:
    return {
        "id": work.new_id(),
        "uri": note.uri,
        "board_actor": board_actor,
        "author_actor": note.author,
        "page": note.page,
        "text": note.text,
        "warning": note.warning,
        "public": note.is_public,
        "created_at": work.now,
    }


def _check_flood(work: Work, table: Table, author: str) -> None:
    waiting = select(func.count()).select_from(table).where(table.c.state == MessageState.WAITING)
    theirs = work.connection.execute(waiting.where(table.c.author_actor == author)).scalar_one()
    if theirs >= WAITING_OF_ONE_MAX or work.connection.execute(waiting).scalar_one() >= WAITING_MAX:
        raise Refused("too_many_waiting", "Enough is waiting for the coordinators here; please come back later.", 429)


def receive_edit(work: Work, note: ForeignNote) -> bool:
    """Its author changed what they wrote; False when we do not have it. Raises NotAllowed for others (attack S40).

    What a coordinator let in is not changed behind their back: the new words come to them as a message.
    """
    known = queries.message_by_uri(work.connection, note.uri) or queries.suggestion_by_uri(work.connection, note.uri)
    if known is None:
        return False
    if known.author_actor != note.author:
        raise NotAllowed
    table = message if isinstance(known, Message) else suggestion
    values: dict[str, object] = {"text": note.text, "warning": note.warning}
    if isinstance(known, Suggestion) and known.state is SuggestionState.WAITING:
        values["kind"] = suggested_kind(note.tags) or known.kind
    if isinstance(known, Suggestion) and known.state is SuggestionState.APPROVED and known.text != note.text:
        again = {**_row(work, known.board_actor, note), "uri": f"{note.uri}#edited-{work.new_id()}"}
        again |= {"text": f"{EDITED}\n\n{note.text}", "state": MessageState.WAITING, "answer": ""}
        _check_flood(work, message, note.author)
        work.connection.execute(insert(message).values(again))
    work.connection.execute(update(table).where(table.c.id == known.id).values(values))
    keep_pictures(work, note.uri, note.pictures)
    return True


def receive_delete(work: Work, sender: str, uri: str) -> bool:
    """Its author deleted it; False when we do not have it. Raises NotAllowed for others (attack S41)."""
    known = queries.message_by_uri(work.connection, uri) or queries.suggestion_by_uri(work.connection, uri)
    if known is None:
        return False
    if known.author_actor != sender:
        raise NotAllowed
    _forget(work, known)
    return True


def _forget(work: Work, known: Message | Suggestion) -> None:
    """The words go; a listing made from them leaves the board."""
    forget_pictures(work, [known.uri])
    board.bury(work, known.author_actor, known.uri)
    if isinstance(known, Message):
        work.connection.execute(delete(message).where(message.c.id == known.id))
        return
    if known.listing_id is not None:
        board.withdraw_for(work, known.author_actor, known.listing_id)
    values = {"text": "", "warning": "", "state": SuggestionState.WITHDRAWN}
    work.connection.execute(update(suggestion).where(suggestion.c.id == known.id).values(values))


def forget_person(work: Work, actor: str) -> None:
    """An account elsewhere was deleted: all that it wrote to our boards goes with it."""
    for row in work.connection.execute(select(message).where(message.c.author_actor == actor)).all():
        _forget(work, queries.message_of(row))
    for row in work.connection.execute(select(suggestion).where(suggestion.c.author_actor == actor)).all():
        _forget(work, queries.suggestion_of(row))


# what coordinators do


def answer_message(work: Work, viewer: Viewer, message_id: int, text: str) -> None:
    """A coordinator answers in the board's name, by a private mention. Raises Refused."""
    found = _waiting_message(work, viewer, message_id)
    words = checked_message(text)
    if not words:
        raise Refused("answer_missing", "Please write an answer, or close the message without one.")
    _set_message(work, viewer, found.id, MessageState.ANSWERED, words)
    work.record(MessageAnswered(found.id))


def close_message(work: Work, viewer: Viewer, message_id: int) -> None:
    """A coordinator has read it, and nothing is to be said. Raises Refused."""
    found = _waiting_message(work, viewer, message_id)
    _set_message(work, viewer, found.id, MessageState.CLOSED, "")


def _waiting_message(work: Work, viewer: Viewer, message_id: int) -> Message:
    work.connection.execute(select(message.c.id).where(message.c.id == message_id).with_for_update())
    found = queries.message(work.connection, viewer, message_id)
    check_waiting(found.state)
    return found


def _set_message(work: Work, viewer: Viewer, message_id: int, state: MessageState, answer: str) -> None:
    values = {"state": state, "answer": answer, "answered_by": viewer.member_id, "answered_at": work.now}
    work.connection.execute(update(message).where(message.c.id == message_id).values(values))


def approve(
    work: Work, viewer: Viewer, suggestion_id: int, title: str, details: str, category: str, limits: BoardLimits
) -> int:
    """A coordinator lets a suggestion in: it becomes a listing of the board, in its author's name; the listing's id.

    Raises Refused, also for words that no listing may have.
    """
    found = _waiting_suggestion(work, viewer, suggestion_id)
    posting = Posting(
        kind=found.kind,
        title=title,
        description=details,
        category=category,
        mode=Mode.GIFT,  # somebody without an account here has no hours
        expires_at=work.now + timedelta(days=board.stay_days(limits, found.kind)),
        time_zone=viewer.time_zone,
    )
    listing_id = board.post_listing(work, viewer, found.board_actor, posting, in_the_name_of=found.author_actor)
    _set_suggestion(work, viewer, found.id, state=SuggestionState.APPROVED, listing_id=listing_id)
    work.record(SuggestionApproved(found.id))
    return listing_id


def proposed_words(found: Suggestion) -> tuple[str, str]:
    """Title and details that a coordinator starts from."""
    return title_of(found.text), details_of(found.text)


def decline(work: Work, viewer: Viewer, suggestion_id: int, reason: str) -> None:
    """A coordinator says no, with a reason for the author. Raises Refused."""
    found = _waiting_suggestion(work, viewer, suggestion_id)
    told = excerpt(one_line(reason), REASON_CHARACTERS_MAX)
    if not told:
        raise Refused("reason_missing", "Please say why; the one who wrote it is told.")
    _set_suggestion(work, viewer, found.id, state=SuggestionState.DECLINED, reason=told)
    work.record(SuggestionDeclined(found.id))


def _waiting_suggestion(work: Work, viewer: Viewer, suggestion_id: int) -> Suggestion:
    work.connection.execute(select(suggestion.c.id).where(suggestion.c.id == suggestion_id).with_for_update())
    found = queries.suggestion(work.connection, viewer, suggestion_id)
    check_waiting(found.state)
    return found


def _set_suggestion(work: Work, viewer: Viewer, suggestion_id: int, **values: object) -> None:
    seen = {**values, "answered_by": viewer.member_id, "answered_at": work.now}
    work.connection.execute(update(suggestion).where(suggestion.c.id == suggestion_id).values(seen))
