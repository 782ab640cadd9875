"""Groups for programs: the list of them, what one is, joining, asking to, and leaving."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import Connection

from fedaid.foundation.api import (
    Asked,
    Digits,
    Id,
    Listed,
    Model,
    Moment,
    NoQuery,
    Nothing,
    Operation,
    Operations,
    Query,
)
from fedaid.foundation.refused import NotFound
from fedaid.foundation.text import one_line
from fedaid.foundation.viewer import Role, Viewer
from fedaid.foundation.work import Work
from fedaid.groups import queries
from fedaid.groups.commands import belonging
from fedaid.groups.limits import GroupLimits
from fedaid.groups.queries import Board
from fedaid.groups.rules import GroupJoining, Posting
from fedaid.members.rules.joining import ANSWER_CHARACTERS_MAX, ApplicationState

READ, WRITE, ABOUT = "groups:read", "groups:write", "groups"
SEARCH_CHARACTERS_MAX: Final = 100
ROWS: Final = 20


class GroupShown(Model):
    """A group, as anybody may see it, with what whoever asks is in it."""

    id: Id
    handle: str
    name: str
    about: str = Field(description="What it says of itself, in plain text.")
    topic: str
    place: str
    address: str
    page: str
    is_everybodys: bool = Field(description="Whether it is the board of the whole neighbourhood.")
    joining: GroupJoining
    questions: list[str] = Field(description="What those are asked who want to join.")
    posting: Posting
    members: int
    role: Role | None = Field(description="What you are in it; null where you do not belong to it.")
    created_at: Moment


class GroupInFull(GroupShown):
    """One group, with what became of your wish to join."""

    application: ApplicationState | None
    sentence: str = Field(description="What its coordinators wrote when they declined.")


class Groups(Listed):
    """Groups in the order of their handles."""

    items: list[GroupShown]


class GroupsQuery(Query):
    """Which groups."""

    q: str = Field("", max_length=SEARCH_CHARACTERS_MAX, description="In handle, name, topic or place.")
    limit: Annotated[int, Field(ge=1, le=1000), Digits] = Field(
        ROWS, description="How many at most; never more than the neighbourhood gives on one page."
    )
    cursor: str = Field("", pattern="^[a-z0-9_.-]{0,64}$", description="``next`` of the page before.")


class Answers(Model):
    """The answers to the group's questions, in their order."""

    answers: list[Annotated[str, Field(max_length=ANSWER_CHARACTERS_MAX)]] = Field(max_length=20)


def _shown(board: Board, asked: Asked[Any, Any], members: int, role: Role | None) -> dict[str, Any]:
    return {
        "id": str(board.id),
        "handle": board.handle,
        "name": board.name,
        "about": board.summary,
        "topic": board.topic,
        "place": board.place,
        "address": board.actor,
        "page": asked.home.names.page_of(board.handle),
        "is_everybodys": board.is_default,
        "joining": board.joining,
        "questions": list(board.questions),
        "posting": board.posting,
        "members": members,
        "role": role,
        "created_at": board.created_at,
    }


def list_groups(connection: Connection, asked: Asked[GroupsQuery, Nothing]) -> Groups:
    """The groups here."""
    query = asked.query
    rows = min(query.limit, asked.rows_max)
    found = queries.page(connection, asked.who, one_line(query.q), rows + 1, query.cursor)
    shown = found[:rows]
    items = [GroupShown(**_shown(one.board, asked, one.members, one.role)) for one in shown]
    return Groups(next=shown[-1].board.handle if len(found) > rows else None, items=items)


def _board(connection: Connection, asked: Asked[Any, Any]) -> Board:
    found = queries.board_by_handle(connection, asked.path["handle"])
    if found is None:
        raise NotFound
    return found


def show_group(connection: Connection, asked: Asked[Any, Any]) -> GroupInFull:
    """What a group is, and how you stand to it."""
    board, who = _board(connection, asked), asked.who
    application = queries.application_to(connection, board.id, who.member_id) if who.member_id is not None else None
    role = queries.roles_in(connection, who.member_id, [board.id]).get(board.id)
    return GroupInFull(
        **_shown(board, asked, queries.member_count(connection, board.id), role),
        application=application.state if application is not None else None,
        sentence=application.sentence if application is not None else "",
    )


def _doing(act: Callable[[Work, Viewer, Board], None], about: str) -> Callable[[Work, Asked[Any, Any]], GroupInFull]:
    def write(work: Work, asked: Asked[Any, Any]) -> GroupInFull:
        act(work, asked.who, _board(work.connection, asked))
        return show_group(work.connection, asked)

    write.__doc__ = about
    return write


def _applying(limits: GroupLimits) -> Callable[[Work, Asked[NoQuery, Answers]], GroupInFull]:
    def write(work: Work, asked: Asked[NoQuery, Answers]) -> GroupInFull:
        """Ask to join a group; asked again while it waits, the answers take the place of those before."""
        belonging.apply(work, asked.who, _board(work.connection, asked), asked.body.answers, limits)
        return show_group(work.connection, asked)

    return write


def operations(limits: GroupLimits) -> Operations:
    """Everything that a program can do about groups."""
    one = "/groups/{handle:handle}"
    join = _doing(belonging.join_openly, "Join a group that is open.")
    withdraw = _doing(belonging.withdraw, "Ask no longer to join; harmless when nothing waits.")
    leave = _doing(belonging.leave, "Leave a group; its only coordinator cannot, while others are in it.")
    return [
        Operation(
            "list_groups",
            "GET",
            "/groups",
            READ,
            ABOUT,
            read=list_groups,
            query=GroupsQuery,
            answer=Groups,
            public=True,
        ),
        Operation("show_group", "GET", one, READ, ABOUT, read=show_group, answer=GroupInFull, public=True),
        Operation("join_group", "POST", f"{one}/join", WRITE, ABOUT, write=join, answer=GroupInFull),
        Operation(
            "ask_to_join",
            "POST",
            f"{one}/apply",
            WRITE,
            ABOUT,
            write=_applying(limits),
            body=Answers,
            answer=GroupInFull,
        ),
        Operation("ask_no_longer", "POST", f"{one}/withdraw", WRITE, ABOUT, write=withdraw, answer=GroupInFull),
        Operation("leave_group", "POST", f"{one}/leave", WRITE, ABOUT, write=leave, answer=GroupInFull),
    ]
