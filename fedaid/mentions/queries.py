"""Reads of what people elsewhere wrote to our boards; coordinators see it, nobody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, Table, func, select

from fedaid.actors import queries as actors
from fedaid.actors.queries import Card
from fedaid.board import queries as board
from fedaid.board.queries import StoredPicture
from fedaid.board.rules import Kind
from fedaid.foundation.refused import NotFound
from fedaid.foundation.viewer import Viewer
from fedaid.mentions.rules import MessageState, SuggestionState
from fedaid.mentions.tables import message as message_table
from fedaid.mentions.tables import suggestion as suggestion_table

SHOWN_MAX = 50  # of each kind on the page
SEEN_TO_MAX = 20


@dataclass(frozen=True)
class Message:
    """A Note of somebody elsewhere to a board of ours. ``public`` says whether anybody may read it there."""

    id: int
    uri: str
    board_actor: str
    author_actor: str
    page: str
    text: str
    warning: str
    public: bool
    state: MessageState
    answer: str
    answered_by: int | None
    answered_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Suggestion:
    """A request or an offer that somebody elsewhere asks a board of ours to post.

    reason       why it was declined
    listing_id   what it became once a coordinator let it in
    """

    id: int
    uri: str
    board_actor: str
    author_actor: str
    page: str
    kind: Kind
    text: str
    warning: str
    public: bool
    state: SuggestionState
    reason: str
    listing_id: int | None
    answered_by: int | None
    answered_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Written:
    """A message or a suggestion as coordinators see it, with who wrote it, to which board, and its pictures."""

    what: Message | Suggestion
    author: Card
    board: Card
    pictures: Sequence[StoredPicture]


@dataclass(frozen=True)
class Desk:
    """What waits for a coordinator, oldest first, and what was seen to last."""

    suggestions: Sequence[Written]
    messages: Sequence[Written]
    seen_to: Sequence[Written]


def message_of(row: Row[tuple[object, ...]]) -> Message:
    """A row of the table as a value."""
    return Message(**{**row._mapping, "state": MessageState(row._mapping["state"])})


def suggestion_of(row: Row[tuple[object, ...]]) -> Suggestion:
    """A row of the table as a value."""
    found = row._mapping
    return Suggestion(**{**found, "kind": Kind(found["kind"]), "state": SuggestionState(found["state"])})


def desk(connection: Connection, viewer: Viewer, our_host: str) -> Desk:
    """What waits for coordinators. Raises NotFound for everybody else (attack S47)."""
    _check(viewer)
    suggestions = [suggestion_of(row) for row in _some(connection, suggestion_table, waiting=True)]
    messages = [message_of(row) for row in _some(connection, message_table, waiting=True)]
    seen_to: list[Message | Suggestion] = [
        *(suggestion_of(row) for row in _some(connection, suggestion_table, waiting=False)),
        *(message_of(row) for row in _some(connection, message_table, waiting=False)),
    ]
    seen_to.sort(key=lambda one: one.answered_at or one.created_at, reverse=True)
    return Desk(
        _written(connection, suggestions, our_host),
        _written(connection, messages, our_host),
        _written(connection, seen_to[:SEEN_TO_MAX], our_host),
    )


def _check(viewer: Viewer) -> None:
    if not viewer.is_coordinator:
        raise NotFound


def _some(connection: Connection, table: Table, *, waiting: bool) -> Sequence[Row[tuple[object, ...]]]:
    is_waiting = table.c.state == MessageState.WAITING
    order = table.c.id if waiting else table.c.id.desc()
    query = select(table).where(is_waiting if waiting else ~is_waiting).order_by(order)
    return connection.execute(query.limit(SHOWN_MAX if waiting else SEEN_TO_MAX)).all()


def _written(connection: Connection, found: Sequence[Message | Suggestion], our_host: str) -> Sequence[Written]:
    cards = actors.cards(connection, [uri for one in found for uri in (one.author_actor, one.board_actor)], our_host)
    pictures = board.pictures(connection, [one.uri for one in found])

    def card(uri: str) -> Card:
        return cards.get(uri) or actors.card(connection, uri, our_host)

    return [Written(one, card(one.author_actor), card(one.board_actor), pictures.get(one.uri, ())) for one in found]


def count_waiting(connection: Connection, viewer: Viewer) -> int:
    """How much waits for the viewer: 0 for everybody who is no coordinator."""
    if not viewer.is_coordinator:
        return 0
    return sum(
        connection.execute(
            select(func.count()).select_from(table).where(table.c.state == MessageState.WAITING)
        ).scalar_one()
        for table in (message_table, suggestion_table)
    )


def message(connection: Connection, viewer: Viewer, message_id: int) -> Message:
    """The message, for coordinators. Raises NotFound."""
    _check(viewer)
    row = connection.execute(select(message_table).where(message_table.c.id == message_id)).one_or_none()
    if row is None:
        raise NotFound
    return message_of(row)


def suggestion(connection: Connection, viewer: Viewer, suggestion_id: int) -> Suggestion:
    """The suggestion, for coordinators. Raises NotFound."""
    _check(viewer)
    found = any_suggestion(connection, suggestion_id)
    if found is None:
        raise NotFound
    return found


def any_message(connection: Connection, message_id: int) -> Message | None:
    """The message whoever looks; for rooms that act on it, not for pages."""
    row = connection.execute(select(message_table).where(message_table.c.id == message_id)).one_or_none()
    return message_of(row) if row is not None else None


def any_suggestion(connection: Connection, suggestion_id: int) -> Suggestion | None:
    """The suggestion whoever looks; for rooms that act on it, not for pages."""
    row = connection.execute(select(suggestion_table).where(suggestion_table.c.id == suggestion_id)).one_or_none()
    return suggestion_of(row) if row is not None else None


def message_by_uri(connection: Connection, uri: str) -> Message | None:
    """The message with this id on the wire."""
    row = connection.execute(select(message_table).where(message_table.c.uri == uri)).one_or_none()
    return message_of(row) if row is not None else None


def suggestion_by_uri(connection: Connection, uri: str) -> Suggestion | None:
    """The suggestion with this id on the wire."""
    row = connection.execute(select(suggestion_table).where(suggestion_table.c.uri == uri)).one_or_none()
    return suggestion_of(row) if row is not None else None


def picture(connection: Connection, viewer: Viewer, picture_id: int) -> StoredPicture:
    """A picture of something that waits for coordinators. Raises NotFound for everybody else (attack S47)."""
    _check(viewer)
    found = board.any_picture(connection, picture_id)
    if found is None or (
        message_by_uri(connection, found.owner_uri) is None and suggestion_by_uri(connection, found.owner_uri) is None
    ):
        raise NotFound
    return found
