"""Reads about boards: ours, and those of neighbouring networks that ours follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from fedaid.actors.queries import Card, cards
from fedaid.actors.rules import DEFAULT_BOARD, FollowState, folded
from fedaid.actors.tables import follow, local_actor
from fedaid.foundation.viewer import Role
from fedaid.groups.tables import group, membership


@dataclass(frozen=True)
class Board:
    """A group of ours, as the board it is. ``actor`` is its id on the wire."""

    id: int
    actor_id: int
    actor: str
    handle: str
    name: str
    summary: str
    topic: str
    place: str
    created_at: datetime

    @property
    def is_default(self) -> bool:
        """Whether this is the board of the whole neighbourhood."""
        return self.handle == DEFAULT_BOARD


def _boards() -> Select[tuple[object, ...]]:
    columns = (
        group.c.id,
        group.c.actor_id,
        local_actor.c.uri.label("actor"),
        local_actor.c.handle,
        local_actor.c.name,
        local_actor.c.summary,
        group.c.topic,
        group.c.place,
        group.c.created_at,
    )
    joined = select(*columns).join(local_actor, local_actor.c.id == group.c.actor_id)
    return joined.where(local_actor.c.gone_at.is_(None)).order_by(group.c.id)


def _board(row: Row[tuple[object, ...]]) -> Board:
    return Board(**row._mapping)


def _one(connection: Connection, condition: ColumnElement[bool]) -> Board | None:
    row = connection.execute(_boards().where(condition)).one_or_none()
    return _board(row) if row is not None else None


def boards(connection: Connection) -> Sequence[Board]:
    """Our boards, oldest first."""
    return [_board(row) for row in connection.execute(_boards())]


def boards_of(connection: Connection, member_id: int) -> Sequence[Board]:
    """The boards that a member belongs to, oldest first."""
    mine = _boards().join(membership, membership.c.group_id == group.c.id).where(membership.c.member_id == member_id)
    return [_board(row) for row in connection.execute(mine)]


def board_by_handle(connection: Connection, handle: str) -> Board | None:
    """Our board with this handle."""
    return _one(connection, local_actor.c.handle == folded(handle))


def board_by_actor(connection: Connection, uri: str) -> Board | None:
    """Our board with this id on the wire."""
    return _one(connection, local_actor.c.uri == uri)


def board_by_id(connection: Connection, group_id: int) -> Board | None:
    """Our board with this row id."""
    return _one(connection, group.c.id == group_id)


def default_board(connection: Connection) -> Board | None:
    """The board of the whole neighbourhood; None only before the instance was set up."""
    return board_by_handle(connection, DEFAULT_BOARD)


def is_member(connection: Connection, group_id: int, member_id: int) -> bool:
    """Whether the member belongs to the group."""
    theirs = (membership.c.group_id == group_id) & (membership.c.member_id == member_id)
    return connection.execute(select(membership.c.id).where(theirs)).first() is not None


@dataclass(frozen=True)
class Membership:
    """A member's place in a group."""

    group_handle: str
    group_name: str
    role: Role
    joined_at: datetime


def memberships_of(connection: Connection, member_id: int) -> Sequence[Membership]:
    """Where a member belongs, and as what, oldest first."""
    columns = (local_actor.c.handle, local_actor.c.name, membership.c.role, membership.c.joined_at)
    joined = select(*columns).join(group, group.c.id == membership.c.group_id)
    joined = joined.join(local_actor, local_actor.c.id == group.c.actor_id)
    rows = connection.execute(joined.where(membership.c.member_id == member_id).order_by(membership.c.id))
    return [Membership(row.handle, row.name, Role(row.role), row.joined_at) for row in rows]


def coordinated_alone(connection: Connection, member_id: int) -> Sequence[Board]:
    """The groups that have this member as their only coordinator."""
    leads = membership.c.role == Role.COORDINATOR
    mine = select(membership.c.group_id).where(leads, membership.c.member_id == member_id)
    others = select(membership.c.group_id).where(leads, membership.c.member_id != member_id)
    wanted = group.c.id.in_(mine) & group.c.id.not_in(others)
    return [_board(row) for row in connection.execute(_boards().where(wanted))]


def member_count(connection: Connection, group_id: int) -> int:
    """How many members a group has."""
    query = select(func.count()).select_from(membership).where(membership.c.group_id == group_id)
    return connection.execute(query).scalar_one()


def followed_boards(connection: Connection, board: Board, our_host: str) -> Sequence[Card]:
    """The boards elsewhere that this one follows and that have accepted it, as a page shows them."""
    accepted = (follow.c.follower == board.actor) & (follow.c.state == FollowState.ACCEPTED)
    query = select(follow.c.followee).where(accepted).order_by(follow.c.id)
    uris = connection.execute(query).scalars().all()
    known = cards(connection, uris, our_host)
    return [known[uri] for uri in uris if uri in known and not known[uri].is_ours]
