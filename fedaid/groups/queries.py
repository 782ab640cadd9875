"""Reads about groups: their boards, who belongs to them and asks to, and the neighbouring boards that ours follow."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from fedaid.actors.queries import Card, cards, with_actors
from fedaid.actors.rules import DEFAULT_BOARD, FollowState, folded
from fedaid.actors.tables import follow, local_actor, remote_actor
from fedaid.foundation.viewer import Role, Viewer
from fedaid.groups.rules import GroupJoining, Posting
from fedaid.groups.tables import group, group_application, membership
from fedaid.members.rules.joining import Answer, ApplicationState
from fedaid.members.tables import member


@dataclass(frozen=True)
class Board:
    """A group of ours, as the board it is. ``actor`` is its id on the wire.

    joining, questions   how members join it, and what they are asked when they apply
    posting              who may post on its board
    """

    id: int
    actor_id: int
    actor: str
    handle: str
    name: str
    summary: str
    topic: str
    place: str
    created_at: datetime
    joining: GroupJoining = GroupJoining.OPEN
    questions: tuple[str, ...] = ()
    posting: Posting = Posting.EVERYBODY

    @property
    def is_default(self) -> bool:
        """Whether this is the board of the whole neighbourhood."""
        return self.handle == DEFAULT_BOARD


def _boards() -> Select[tuple[object, ...]]:
    table = group.c
    columns = (table.id, table.topic, table.place, table.created_at, table.joining, table.questions, table.posting)
    return with_actors(table.actor_id, *columns)


def _board(row: Row[tuple[object, ...]]) -> Board:
    found = row._mapping
    parsed = {
        "joining": GroupJoining(found["joining"]),
        "questions": tuple(found["questions"].splitlines()),
        "posting": Posting(found["posting"]),
    }
    return Board(**{**found, **parsed})


def _one(connection: Connection, condition: ColumnElement[bool]) -> Board | None:
    row = connection.execute(_boards().where(condition)).one_or_none()
    return _board(row) if row is not None else None


def boards(connection: Connection) -> Sequence[Board]:
    """Our boards, oldest first."""
    return [_board(row) for row in connection.execute(_boards().order_by(group.c.id))]


def boards_of(connection: Connection, member_id: int) -> Sequence[Board]:
    """The boards that a member belongs to, oldest first."""
    mine = _boards().join(membership, membership.c.group_id == group.c.id).where(membership.c.member_id == member_id)
    return [_board(row) for row in connection.execute(mine.order_by(group.c.id))]


def actors_of_boards_of(member_id: int) -> Select[tuple[str]]:
    """The ids on the wire of the boards that a member belongs to, as a query to stand in another."""
    joined = select(local_actor.c.uri).join(group, group.c.actor_id == local_actor.c.id)
    return joined.join(membership, membership.c.group_id == group.c.id).where(membership.c.member_id == member_id)


@dataclass(frozen=True)
class Listed:
    """A group in a list, with how many belong to it and what the viewer is in it; None for not in it."""

    board: Board
    members: int
    role: Role | None


def page(connection: Connection, viewer: Viewer, text: str, rows_max: int, after: str = "") -> Sequence[Listed]:
    """The groups in the order of their handles, from the one after ``after``; ``text`` in name, topic or place."""
    wanted = local_actor.c.handle > after
    if text:
        named = (local_actor.c.handle, local_actor.c.name, group.c.topic, group.c.place)
        wanted &= or_(*(func.lower(column).contains(text.lower(), autoescape=True) for column in named))
    query = _boards().where(wanted).order_by(local_actor.c.handle).limit(rows_max)
    found = [_board(row) for row in connection.execute(query)]
    ids = [one.id for one in found]
    counted = select(membership.c.group_id, func.count().label("members")).where(membership.c.group_id.in_(ids))
    counts = {row.group_id: row.members for row in connection.execute(counted.group_by(membership.c.group_id))}
    roles = roles_in(connection, viewer.member_id, ids)
    return [Listed(one, counts.get(one.id, 0), roles.get(one.id)) for one in found]


def roles_in(connection: Connection, member_id: int | None, group_ids: Collection[int]) -> dict[int, Role]:
    """What a member is in each of these groups, without those they do not belong to."""
    mine = (membership.c.member_id == member_id) & membership.c.group_id.in_(group_ids)
    rows = connection.execute(select(membership.c.group_id, membership.c.role).where(mine))
    return {row.group_id: Role(row.role) for row in rows}


def coordinates(connection: Connection, viewer: Viewer, group_id: int) -> bool:
    """Whether the viewer looks after the group: its coordinators do, and those of the neighbourhood."""
    mine = roles_in(connection, viewer.member_id, [group_id]).get(group_id)
    return viewer.is_coordinator or mine is Role.COORDINATOR


@dataclass(frozen=True)
class GroupMember:
    """Somebody in a group."""

    member_id: int
    handle: str
    name: str
    role: Role
    joined_at: datetime


def members_page(
    connection: Connection, group_id: int, rows_max: int, after: str = "", role: Role | None = None
) -> Sequence[GroupMember]:
    """Who belongs to a group, or is ``role`` in it, in the order of their handles, from the one after ``after``."""
    columns = (membership.c.member_id, local_actor.c.handle, local_actor.c.name, membership.c.role)
    joined = select(*columns, membership.c.joined_at).join(member, member.c.id == membership.c.member_id)
    joined = joined.join(local_actor, local_actor.c.id == member.c.actor_id)
    wanted = (membership.c.group_id == group_id) & (local_actor.c.handle > after) & local_actor.c.gone_at.is_(None)
    if role is not None:
        wanted &= membership.c.role == role
    rows = connection.execute(joined.where(wanted).order_by(local_actor.c.handle).limit(rows_max))
    return [GroupMember(row.member_id, row.handle, row.name, Role(row.role), row.joined_at) for row in rows]


def member_ids(connection: Connection, group_id: int, role: Role | None = None) -> Sequence[int]:
    """Who belongs to a group, or is ``role`` in it."""
    query = select(membership.c.member_id).where(membership.c.group_id == group_id)
    if role is not None:
        query = query.where(membership.c.role == role)
    return connection.execute(query.order_by(membership.c.id)).scalars().all()


@dataclass(frozen=True)
class GroupApplication:
    """A member who asks to join a group; ``answers`` are forgotten once it is decided."""

    id: int
    group_id: int
    member_id: int
    answers: tuple[Answer, ...]
    state: ApplicationState
    made_at: datetime
    decided_at: datetime | None
    decided_by: int | None
    sentence: str


def _application(row: Row[tuple[object, ...]]) -> GroupApplication:
    answers = tuple(Answer(one["question"], one["answer"]) for one in orjson.loads(row._mapping["answers"]))
    return GroupApplication(**{**row._mapping, "answers": answers, "state": ApplicationState(row._mapping["state"])})


def application_to(connection: Connection, group_id: int, member_id: int) -> GroupApplication | None:
    """What a member asked of a group, and what became of it."""
    theirs = (group_application.c.group_id == group_id) & (group_application.c.member_id == member_id)
    row = connection.execute(select(group_application).where(theirs)).one_or_none()
    return _application(row) if row is not None else None


def application_by_id(connection: Connection, group_id: int, application_id: int) -> GroupApplication | None:
    """The application to this group with this id."""
    this = (group_application.c.group_id == group_id) & (group_application.c.id == application_id)
    row = connection.execute(select(group_application).where(this)).one_or_none()
    return _application(row) if row is not None else None


def applications_waiting(
    connection: Connection, group_id: int, rows_max: int, beyond: int = 0
) -> Sequence[GroupApplication]:
    """Who waits to be let into a group, the oldest first, from the one after ``beyond``."""
    table = group_application.c
    wanted = (table.group_id == group_id) & (table.state == ApplicationState.WAITING) & (table.id > beyond)
    rows = connection.execute(select(group_application).where(wanted).order_by(table.id).limit(rows_max))
    return [_application(row) for row in rows]


def count_applications(connection: Connection, group_ids: Collection[int]) -> int:
    """How many wait to be let into these groups."""
    waiting = group_application.c.group_id.in_(group_ids) & (group_application.c.state == ApplicationState.WAITING)
    return connection.execute(select(func.count()).select_from(group_application).where(waiting)).scalar_one()


def coordinated_by(connection: Connection, member_id: int) -> Sequence[Board]:
    """The groups that have this member as a coordinator, oldest first."""
    leads = (membership.c.member_id == member_id) & (membership.c.role == Role.COORDINATOR)
    mine = _boards().join(membership, membership.c.group_id == group.c.id).where(leads)
    return [_board(row) for row in connection.execute(mine.order_by(group.c.id))]


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
    return [_board(row) for row in connection.execute(_boards().where(wanted).order_by(group.c.id))]


def count(connection: Connection) -> int:
    """How many groups there are."""
    return connection.execute(select(func.count()).select_from(_boards().subquery())).scalar_one()


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


@dataclass(frozen=True)
class Link:
    """A board of another network that ours follows, or that follows ours; each may be asked and not answered yet."""

    uri: str
    host: str
    name: str
    handle: str
    page: str
    we_follow: FollowState | None
    they_follow: FollowState | None


def links(connection: Connection, board: Board) -> Sequence[Link]:
    """The boards elsewhere with which ours has to do, oldest first."""
    pairs = select(follow).where(or_(follow.c.follower == board.actor, follow.c.followee == board.actor))
    ours: dict[str, FollowState] = {}
    theirs: dict[str, FollowState] = {}
    for row in connection.execute(pairs.order_by(follow.c.id)):
        is_ours = row.follower == board.actor
        (ours if is_ours else theirs)[row.followee if is_ours else row.follower] = FollowState(row.state)
    uris = list(dict.fromkeys((*ours, *theirs)))
    is_board = remote_actor.c.uri.in_(uris) & (remote_actor.c.type == "Group") & remote_actor.c.gone_at.is_(None)
    rows = {row.uri: row for row in connection.execute(select(remote_actor).where(is_board))}
    found = [rows[uri] for uri in uris if uri in rows]
    return [
        Link(
            row.uri,
            row.host,
            row.name or row.handle,
            f"@{row.handle}@{row.host}",
            row.page,
            ours.get(row.uri),
            theirs.get(row.uri),
        )
        for row in found
    ]
