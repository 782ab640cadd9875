"""Reading about groups: the list of them, what one is, and who belongs to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.pages import NOTHING_TYPED, house, member, render, viewer
from fedaid.foundation.refused import NotFound
from fedaid.foundation.viewer import Role, Viewer
from fedaid.groups import queries
from fedaid.groups.limits import GroupLimits
from fedaid.groups.queries import Board, GroupApplication
from fedaid.groups.rules import GroupJoining, Posting

SEARCH_CHARACTERS_MAX = 100
COORDINATORS_SHOWN_MAX = 20
JOINING_WORDS: Mapping[GroupJoining, tuple[str, str]] = {
    GroupJoining.OPEN: ("Everybody here", "Members of the neighbourhood join by a button."),
    GroupJoining.APPLICATION: ("By asking", "They answer your questions; coordinators decide."),
    GroupJoining.INVITATION: ("Coordinators take people in", "Nobody joins or asks by themselves."),
}
POSTING_WORDS: Mapping[Posting, tuple[str, str]] = {
    Posting.EVERYBODY: ("Everybody here", "Every member of the neighbourhood."),
    Posting.MEMBERS: ("Members of the group", "Others read, and answer what is posted."),
    Posting.REVIEWED: ("Everybody, after a coordinator’s look", "It stands on the board once one of you has seen it."),
}


@dataclass(frozen=True)
class Standing:
    """What the viewer is in a group, and what they asked of it."""

    role: Role | None
    coordinates: bool
    application: GroupApplication | None


def standing(connection: Connection, who: Viewer, board: Board) -> Standing:
    """How the viewer stands to a group."""
    if who.member_id is None:
        return Standing(None, False, None)
    return Standing(
        queries.roles_in(connection, who.member_id, [board.id]).get(board.id),
        queries.coordinates(connection, who, board.id),
        queries.application_to(connection, board.id, who.member_id),
    )


def board_of(connection: Connection, request: Request) -> Board:
    """The group that the address names. Raises NotFound."""
    found = queries.board_by_handle(connection, request.path_params["handle"])
    if found is None:
        raise NotFound
    return found


def groups_page(limits: GroupLimits) -> Callable[[Request], Response]:
    """The list of groups."""

    def page(request: Request) -> Response:
        """The groups here by handle, with a search."""
        who, asked = viewer(request), request.query_params
        text = asked.get("q", "").strip()[:SEARCH_CHARACTERS_MAX]
        after = asked.get("after", "")[:SEARCH_CHARACTERS_MAX]
        text, after = (one if one.isprintable() else "" for one in (text, after))
        with house(request).database.read() as connection:
            found = queries.page(connection, who, text, limits.page_rows_max + 1, after)
        shown = found[: limits.page_rows_max]
        more = urlencode({"q": text, "after": shown[-1].board.handle}) if len(found) > len(shown) else ""
        return render(request, "groups/groups.html", groups=shown, text=text, more=more)

    return page


def about_page(request: Request) -> Response:
    """What a group is, who joins it and posts, and the way in or out."""
    return show_about(request)


def show_about(
    request: Request, refusal: str = "", typed: Mapping[str, str] = NOTHING_TYPED, status: int = 200
) -> Response:
    """The page, with what was wrong and what was typed where somebody could not join."""
    who, home = viewer(request), house(request)
    with home.database.read() as connection:
        board = board_of(connection, request)
        coordinators = queries.members_page(connection, board.id, COORDINATORS_SHOWN_MAX, role=Role.COORDINATOR)
        return render(
            request,
            "groups/about.html",
            status,
            group=board,
            standing=standing(connection, who, board),
            members=queries.member_count(connection, board.id),
            coordinators=coordinators if who.signed_in else (),
            links=[one for one in queries.links(connection, board) if one.we_follow == "accepted"],
            joining_words=JOINING_WORDS,
            posting_words=POSTING_WORDS,
            refusal=refusal,
            typed=typed,
        )


def members_page(limits: GroupLimits) -> Callable[[Request], Response]:
    """Who belongs to a group."""

    def page(request: Request) -> Response:
        """Who belongs to a group, for members of the neighbourhood; its coordinators change it here."""
        return show_members(request, limits)

    return page


def show_members(
    request: Request, limits: GroupLimits, refusal: str = "", typed: str = "", status: int = 200
) -> Response:
    """The page, with what was wrong and what was typed where a coordinator's wish was refused."""
    who, asked = member(request), request.query_params
    after = asked.get("after", "")[:SEARCH_CHARACTERS_MAX]
    with house(request).database.read() as connection:
        board = board_of(connection, request)
        found = queries.members_page(
            connection, board.id, limits.page_rows_max + 1, after if after.isprintable() else ""
        )
        shown = found[: limits.page_rows_max]
        return render(
            request,
            "groups/members.html",
            status,
            group=board,
            standing=standing(connection, who, board),
            members=shown,
            total=queries.member_count(connection, board.id),
            more=urlencode({"after": shown[-1].handle}) if len(found) > len(shown) else "",
            refusal=refusal,
            typed=typed,
        )
