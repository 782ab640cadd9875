"""Writes about who belongs to a group: joining and leaving, asking to, and what its coordinators decide."""

from collections.abc import Sequence
from contextlib import suppress

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Role, Viewer
from fedaid.foundation.work import Work
from fedaid.groups import queries
from fedaid.groups.commands import check_coordinates, join
from fedaid.groups.facts import GroupAnswered, GroupAsked, TakenIn
from fedaid.groups.limits import GroupLimits
from fedaid.groups.queries import Board, GroupApplication
from fedaid.groups.rules import GroupJoining, check_last_coordinator
from fedaid.groups.tables import group, group_application, membership
from fedaid.members import queries as members
from fedaid.members.rules.joining import SENTENCE_CHARACTERS_MAX, ApplicationState, checked_answers, chosen_words


def join_openly(work: Work, who: Viewer, board: Board) -> None:
    """Join a group that is open; harmless for its members. Raises NotAllowed, Refused."""
    if who.member_id is None:
        raise NotAllowed
    if board.joining is not GroupJoining.OPEN:
        raise Refused("group_not_open", "This group asks its coordinators first who joins.", 409)
    join(work, board.id, who.member_id)


def leave(work: Work, who: Viewer, board: Board) -> None:
    """Leave a group; harmless for somebody who is not in it. Raises Refused for its only coordinator.

    Everybody belongs to the board of the neighbourhood.
    """
    if board.is_default:
        raise Refused("everybody_s_board", "This board is everybody's.", 409)
    _remove(work, board, who.member_id or 0)


def apply(work: Work, who: Viewer, board: Board, answers: Sequence[str], limits: GroupLimits) -> None:
    """Ask to join; asked again while it waits, the answers are replaced. Raises NotAllowed, Refused."""
    if who.member_id is None:
        raise NotAllowed
    if board.joining is not GroupJoining.APPLICATION or queries.is_member(work.connection, board.id, who.member_id):
        raise Refused("group_not_asking", "Nobody has to ask to join this group.", 409)
    answered = orjson.dumps([vars(one) for one in checked_answers(board.questions, answers)]).decode()
    known = queries.application_to(work.connection, board.id, who.member_id)
    values = {
        "answers": answered,
        "state": ApplicationState.WAITING,
        "made_at": work.now,
        "decided_at": None,
        "decided_by": None,
        "sentence": "",
    }
    if known is not None:
        work.connection.execute(update(group_application).where(group_application.c.id == known.id).values(values))
        work.record(GroupAsked(board.id, known.id))
        return
    if queries.count_applications(work.connection, [board.id]) >= limits.applications_waiting_max:
        raise Refused("too_many_applications", "Very many people wait already. Please come back in some days.", 429)
    application_id = work.new_id()
    row = {"id": application_id, "group_id": board.id, "member_id": who.member_id, **values}
    with suppress(IntegrityError), work.attempt():  # pressed twice at the same moment
        work.connection.execute(insert(group_application).values(row))
        work.record(GroupAsked(board.id, application_id))


def withdraw(work: Work, who: Viewer, board: Board) -> None:
    """Ask no longer; harmless when nothing waits."""
    known = queries.application_to(work.connection, board.id, who.member_id or 0)
    if known is not None and known.state is ApplicationState.WAITING:
        _decide(work, known, ApplicationState.WITHDRAWN, None, "")


def accept(work: Work, by: Viewer, board: Board, application_id: int) -> None:
    """Let somebody into the group. Raises NotAllowed, NotFound, Refused."""
    found = _waiting(work, by, board, application_id)
    join(work, board.id, found.member_id)
    _decide(work, found, ApplicationState.ACCEPTED, by, "")
    work.record(GroupAnswered(board.id, found.id, found.member_id))


def decline(work: Work, by: Viewer, board: Board, application_id: int, sentence: str) -> None:
    """Say no, with a sentence that they will read. Raises NotAllowed, NotFound, Refused."""
    words = chosen_words("sentence", sentence, SENTENCE_CHARACTERS_MAX)
    if not words:
        raise Refused("sentence_missing", "Please say in a sentence why; they will read it.")
    found = _waiting(work, by, board, application_id)
    _decide(work, found, ApplicationState.DECLINED, by, words)
    work.record(GroupAnswered(board.id, found.id, found.member_id))


def take_in(work: Work, by: Viewer, board: Board, handle: str) -> None:
    """A coordinator takes a member of the neighbourhood into the group. Raises NotAllowed, NotFound."""
    check_coordinates(work, by, board.id)
    found = members.by_handle(work.connection, handle.removeprefix("@"))
    if found is None:
        raise Refused("no_member", "Nobody here has this handle.", 404)
    join(work, board.id, found.id)
    known = queries.application_to(work.connection, board.id, found.id)
    if known is not None and known.state is ApplicationState.WAITING:
        _decide(work, known, ApplicationState.ACCEPTED, by, "")
    work.record(TakenIn(board.id, found.id))


def take_out(work: Work, by: Viewer, board: Board, member_id: int) -> None:
    """A coordinator takes somebody out of the group. Raises NotAllowed, NotFound, Refused."""
    check_coordinates(work, by, board.id)
    if board.is_default:
        raise Refused("everybody_s_board", "This board is everybody's.", 409)
    if not queries.is_member(work.connection, board.id, member_id):
        raise NotFound
    _remove(work, board, member_id)


def give_role(work: Work, by: Viewer, board: Board, member_id: int, role: Role) -> None:
    """Make somebody in the group its coordinator, or a member again. Raises NotAllowed, NotFound, Refused."""
    check_coordinates(work, by, board.id)
    if role is Role.ADMIN:
        raise Refused("role_unknown", "A group has members and coordinators.")
    _lock(work, board)
    if not queries.is_member(work.connection, board.id, member_id):
        raise NotFound
    if role is Role.MEMBER and not board.is_default:
        _check_somebody_stays(work, board, member_id)
    theirs = (membership.c.group_id == board.id) & (membership.c.member_id == member_id)
    work.connection.execute(update(membership).where(theirs).values(role=role))


def _remove(work: Work, board: Board, member_id: int) -> None:
    _lock(work, board)
    _check_somebody_stays(work, board, member_id)
    theirs = (membership.c.group_id == board.id) & (membership.c.member_id == member_id)
    work.connection.execute(delete(membership).where(theirs))


def _lock(work: Work, board: Board) -> None:
    """So that two coordinators cannot leave at the same moment."""
    work.connection.execute(select(group.c.id).where(group.c.id == board.id).with_for_update())


def _check_somebody_stays(work: Work, board: Board, member_id: int) -> None:
    coordinators = queries.member_ids(work.connection, board.id, Role.COORDINATOR)
    check_last_coordinator(coordinators, queries.member_ids(work.connection, board.id), member_id)


def _waiting(work: Work, by: Viewer, board: Board, application_id: int) -> GroupApplication:
    check_coordinates(work, by, board.id)
    this = (group_application.c.id == application_id) & (group_application.c.group_id == board.id)
    work.connection.execute(select(group_application.c.id).where(this).with_for_update())
    found = queries.application_by_id(work.connection, board.id, application_id)
    if found is None:
        raise NotFound
    if found.state is not ApplicationState.WAITING:
        raise Refused("application_decided", "This application is decided already.", 409)
    return found


def _decide(work: Work, found: GroupApplication, state: ApplicationState, by: Viewer | None, sentence: str) -> None:
    values = {
        "answers": "[]",
        "state": state,
        "decided_at": work.now,
        "decided_by": by.member_id if by is not None else None,
        "sentence": sentence,
    }
    work.connection.execute(update(group_application).where(group_application.c.id == found.id).values(values))
