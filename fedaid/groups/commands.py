"""Writes about groups: making one, belonging to it, and linking the boards of neighbouring networks."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, select

from fedaid.actors import commands as actors
from fedaid.actors.commands import ActorKeys, FollowLost
from fedaid.actors.rules import DEFAULT_BOARD, Kind
from fedaid.foundation.refused import NotFound
from fedaid.foundation.viewer import Role
from fedaid.foundation.work import Announcer, Work
from fedaid.groups import queries
from fedaid.groups.queries import Board
from fedaid.groups.rules import chosen_line
from fedaid.groups.tables import group, membership
from fedaid.members.commands import MemberAdded
from fedaid.members.tables import member
from fedaid.network import queries as networks
from fedaid.network.commands import LinkChanged
from fedaid.network.queries import Neighbour
from fedaid.network.rules import Status


def add_group(
    work: Work, handle: str, name: str, *, topic: str = "", place: str = "", keys: ActorKeys | None = None
) -> Board:
    """A new group with its board. Raises Refused when the handle is malformed, kept or taken, or a text too long."""
    about, where = chosen_line("topic", topic), chosen_line("place", place)
    actor = actors.create_actor(work, Kind.GROUP, handle, name=name, summary=about, keys=keys)
    group_id = work.new_id()
    row = {"id": group_id, "actor_id": actor.id, "topic": about, "place": where, "created_at": work.now}
    work.connection.execute(insert(group).values(row))
    made = queries.board_by_id(work.connection, group_id)
    if made is None:
        raise NotFound
    return made


def add_default_board(work: Work, neighbourhood: str, keys: ActorKeys | None = None) -> Board:
    """The board of the whole neighbourhood, to which every member belongs from the start."""
    board = add_group(work, DEFAULT_BOARD, neighbourhood, keys=keys)
    for member_id in work.connection.execute(select(member.c.id)).scalars().all():
        join(work, board.id, member_id)
    return board


def join(work: Work, group_id: int, member_id: int, role: Role = Role.MEMBER) -> None:
    """The member belongs to the group from now on; harmless when they do already."""
    if queries.is_member(work.connection, group_id, member_id):
        return
    row = {"id": work.new_id(), "group_id": group_id, "member_id": member_id, "role": role, "joined_at": work.now}
    work.connection.execute(insert(membership).values(row))


def leave_all(work: Work, member_id: int) -> None:
    """The member belongs to no group any more."""
    work.connection.execute(delete(membership).where(membership.c.member_id == member_id))


def link_default_boards(work: Work, neighbour: Neighbour) -> None:
    """Our board follows theirs, so that what they post reaches us (FEP-d36d); they do the same."""
    ours = queries.default_board(work.connection)
    if ours is not None:
        actors.follow(work, ours.actor, neighbour.board_actor)


def unlink_default_boards(work: Work, neighbour: Neighbour) -> None:
    """Our board no longer follows theirs."""
    ours = queries.default_board(work.connection)
    if ours is not None:
        actors.unfollow(work, ours.actor, neighbour.board_actor)


def _welcome(work: Work, fact: object) -> None:
    board = queries.default_board(work.connection)
    if isinstance(fact, MemberAdded) and board is not None:
        join(work, board.id, fact.member.id)


def _follow_again(work: Work, fact: object) -> None:
    """A neighbour that forgot that our board follows its board, as after a restore, is asked again."""
    if not isinstance(fact, FollowLost):
        return
    ours = queries.default_board(work.connection)
    linked = networks.by_board(work.connection, fact.follow.followee)
    if ours is not None and fact.follow.follower == ours.actor and linked is not None:
        actors.follow(work, ours.actor, linked.board_actor)


def _keep_boards_linked(work: Work, fact: object) -> None:
    if not isinstance(fact, LinkChanged):
        return
    if fact.neighbour.status is Status.ACCEPTED:
        link_default_boards(work, fact.neighbour)
    elif fact.neighbour.status is Status.ENDED:
        unlink_default_boards(work, fact.neighbour)


# What groups do when something happens in the rooms below.
ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    MemberAdded: (_welcome,),
    LinkChanged: (_keep_boards_linked,),
    FollowLost: (_follow_again,),
}
