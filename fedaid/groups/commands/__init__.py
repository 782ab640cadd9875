"""Writes about groups: making one, belonging to it, and linking the boards of neighbouring networks."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.actors.commands import ActorKeys, FollowLost
from fedaid.actors.rules import DEFAULT_BOARD, Kind
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Role, Viewer
from fedaid.foundation.work import Announcer, Work
from fedaid.groups import queries
from fedaid.groups.limits import GroupLimits
from fedaid.groups.queries import Board
from fedaid.groups.rules import GroupJoining, GroupTerms, chosen_line
from fedaid.groups.tables import group, membership
from fedaid.members.commands import MemberAdded
from fedaid.members.rules.joining import chosen_questions
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


def found_group(
    work: Work, by: Viewer, handle: str, terms: GroupTerms, limits: GroupLimits, keys: ActorKeys | None = None
) -> Board:
    """A new group, of which whoever makes it is the first coordinator. Raises NotAllowed, Refused."""
    if by.member_id is None:
        raise NotAllowed
    if queries.count(work.connection) >= limits.groups_max:
        raise Refused("too_many_groups", "There are as many groups here as there may be.", 409)
    mine = len(queries.coordinated_by(work.connection, by.member_id))
    if mine >= limits.coordinated_by_one_max and not by.is_coordinator:
        raise Refused("too_many_groups", "You look after as many groups as one person may.", 409)
    made = add_group(work, handle, terms.name, topic=terms.about, place=terms.place, keys=keys)
    join(work, made.id, by.member_id, Role.COORDINATOR)
    _set_terms(work, made.id, terms)
    return made


def describe_group(work: Work, by: Viewer, board: Board, terms: GroupTerms) -> None:
    """Change what a group says of itself, who joins it and who posts; followers are told. Raises NotAllowed, Refused.

    Everybody belongs to the board of the neighbourhood, and it is called as the neighbourhood is.
    """
    check_coordinates(work, by, board.id)
    about = chosen_line("topic", terms.about)
    values = {"topic": about, "place": chosen_line("place", terms.place)}
    work.connection.execute(update(group).where(group.c.id == board.id).values(values))
    if board.is_default:
        terms = replace(terms, name=board.name, joining=GroupJoining.OPEN)
    _set_terms(work, board.id, terms)
    actors.describe_actor(work, board.actor, terms.name, about)


def _set_terms(work: Work, group_id: int, terms: GroupTerms) -> None:
    questions = "\n".join(chosen_questions(terms.questions))
    values = {"joining": terms.joining, "posting": terms.posting, "questions": questions}
    work.connection.execute(update(group).where(group.c.id == group_id).values(values))


def check_coordinates(work: Work, by: Viewer, group_id: int) -> None:
    """Raises NotAllowed for whoever does not look after the group."""
    if not queries.coordinates(work.connection, by, group_id):
        raise NotAllowed("This is for the coordinators of this group.")


def join(work: Work, group_id: int, member_id: int, role: Role = Role.MEMBER) -> None:
    """The member belongs to the group from now on; harmless when they do already."""
    if queries.is_member(work.connection, group_id, member_id):
        return
    row = {"id": work.new_id(), "group_id": group_id, "member_id": member_id, "role": role, "joined_at": work.now}
    with suppress(IntegrityError), work.attempt():  # pressed twice at the same moment
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


def link_board(work: Work, by: Viewer, board: Board, theirs: str, limits: GroupLimits) -> None:
    """Our board follows a board of a linked network, so that what is posted there stands here too (FEP-d36d).

    Theirs sees ours once it follows as well. Raises NotAllowed, NotFound, Refused.
    """
    check_coordinates(work, by, board.id)
    found = actor_queries.remote(work.connection, theirs)
    if found is None or found.gone_at is not None or found.type != "Group":
        raise NotFound("There is no such board.")
    check_linkable(work.connection, found.host)
    if len(queries.links(work.connection, board)) >= limits.links_max:
        raise Refused("too_many_links", said("A board follows at most %(count)s others.", count=limits.links_max), 409)
    actors.follow(work, board.actor, theirs)


def check_linkable(connection: Connection, host: str) -> None:
    """Raises Refused for a host with which this network has no link in force."""
    linked = networks.by_host(connection, host)
    if linked is None or linked.status is not Status.ACCEPTED:
        raise Refused("not_linked", "This network is not linked with ours. An admin can propose a link first.", 409)


def unlink_board(work: Work, by: Viewer, board: Board, theirs: str) -> None:
    """Neither board has what is posted on the other any more; theirs is told. Raises NotAllowed."""
    check_coordinates(work, by, board.id)
    _unlink(work, board, theirs)


def _unlink(work: Work, board: Board, theirs: str) -> None:
    actors.unfollow(work, board.actor, theirs)
    if actor_queries.follow_between(work.connection, theirs, board.actor) is not None:
        actors.answer_follow(work, board.actor, theirs, accept=False)


def unlink_all_at(work: Work, host: str) -> None:
    """The link between two networks has ended, so the boards of groups part as well."""
    for board in queries.boards(work.connection):
        for one in queries.links(work.connection, board):
            if one.host == host:
                _unlink(work, board, one.uri)


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
        unlink_all_at(work, fact.neighbour.host)


# What groups do when something happens in the rooms below.
ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    MemberAdded: (_welcome,),
    LinkChanged: (_keep_boards_linked,),
    FollowLost: (_follow_again,),
}
