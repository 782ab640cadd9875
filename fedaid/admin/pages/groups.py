"""The desk of a group's coordinators: who asks to join, what waits for a look, and the neighbouring boards."""

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.admin import boards
from fedaid.admin.boards import BoardScout, Preview
from fedaid.board import commands as board_commands
from fedaid.board import queries as board_queries
from fedaid.board.pages.wording import shown
from fedaid.foundation.ids import row_id
from fedaid.foundation.pages import Form, form_page, go, house, member, read_form, render
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.groups import commands, queries
from fedaid.groups.commands import belonging
from fedaid.groups.limits import GroupLimits
from fedaid.groups.pages.show import board_of
from fedaid.groups.queries import Board
from fedaid.members import queries as members
from fedaid.members.rules.joining import SENTENCE_CHARACTERS_MAX


def routes(limits: GroupLimits, scout: BoardScout) -> Sequence[Route]:
    """The queue, and the links."""
    return [
        Route("/groups/{handle}/queue", queue_page(limits), methods=["GET"]),
        Route("/groups/{handle}/queue/{what}/{number}/{decision}", form_page(decide(limits)), methods=["POST"]),
        Route("/groups/{handle}/links", links_page, methods=["GET"]),
        Route("/groups/{handle}/links", find(scout), methods=["POST"]),
        Route("/groups/{handle}/links/add", form_page(link(limits)), methods=["POST"]),
        Route("/groups/{handle}/links/end", form_page(unlink), methods=["POST"]),
    ]


def _our_board(connection: Connection, request: Request) -> tuple[Viewer, Board]:
    """The group, for those who look after it. Raises NotFound, NotAllowed."""
    who, board = member(request), board_of(connection, request)
    if not queries.coordinates(connection, who, board.id):
        raise NotAllowed("This is for the coordinators of this group.")
    return who, board


# the queue


def queue_page(limits: GroupLimits) -> Callable[[Request], Response]:
    """What waits for a group's coordinators."""

    def page(request: Request) -> Response:
        """Who asks to join a group, and what waits for a look before it stands on its board; oldest first."""
        return _queue(request, limits)

    return page


def _queue(
    request: Request, limits: GroupLimits, wrong: int = 0, refusal: str = "", typed: str = "", status: int = 200
) -> Response:
    home, asked = house(request), request.query_params
    beyond, listing = (row_id(asked.get(name, "0")) for name in ("beyond", "listing"))
    rows_max = limits.page_rows_max
    with home.database.read() as connection:
        who, board = _our_board(connection, request)
        applied = queries.applications_waiting(connection, board.id, rows_max + 1, beyond)
        waiting = board_queries.to_look_at(connection, who, board.actor, home.names.host, rows_max + 1, listing)
        people = {one.member_id: members.by_id(connection, one.member_id) for one in applied}
    more = {}
    if len(applied) > rows_max:
        more["beyond"] = str(applied[rows_max - 1].id)
    if len(waiting) > rows_max:
        more["listing"] = str(waiting[rows_max - 1].listing.id)
    now = home.units.clock.now()
    return render(
        request,
        "admin/group_queue.html",
        status,
        group=board,
        applications=[(one, people[one.member_id]) for one in applied[:rows_max] if people[one.member_id]],
        listings=[shown(one, who, now) for one in waiting[:rows_max]],
        more=urlencode(more),
        wrong_at=wrong,
        refusal=refusal,
        typed=typed,
        sentence_max=SENTENCE_CHARACTERS_MAX,
    )


Decide = Callable[[Work, Viewer, Board, int, str], None]


def _look(work: Work, board: Board, number: int) -> None:
    """Raises NotFound for what stands on another board."""
    look = board_queries.review_of(work.connection, number)
    if look is None or look.board_actor != board.actor:
        raise NotFound


def _approve(work: Work, who: Viewer, board: Board, number: int, _: str) -> None:
    _look(work, board, number)
    board_commands.approve_listing(work, who, number)


def _decline(work: Work, who: Viewer, board: Board, number: int, sentence: str) -> None:
    _look(work, board, number)
    board_commands.decline_listing(work, who, number, sentence)


DECISIONS: dict[tuple[str, str], tuple[Decide, str]] = {
    ("applications", "accept"): (
        lambda work, who, board, number, _: belonging.accept(work, who, board, number),
        "group_let_in",
    ),
    ("applications", "decline"): (belonging.decline, "group_turned_down"),
    ("listings", "approve"): (_approve, "look_approved"),
    ("listings", "decline"): (_decline, "look_declined"),
}


def decide(limits: GroupLimits) -> Callable[[Request, Form], Response]:
    """How something in the queue is decided."""

    def carry_out(request: Request, form: Form) -> Response:
        """Let somebody in or a listing stand, or decline with a sentence. A refusal keeps what was typed."""
        who, number = member(request), row_id(request.path_params["number"])
        found = DECISIONS.get((request.path_params["what"], request.path_params["decision"]))
        if found is None:
            raise NotFound
        act, said = found
        try:
            with house(request).units.begin() as work:
                board = board_of(work.connection, request)
                commands.check_coordinates(work, who, board.id)
                act(work, who, board, number, form["sentence"])
        except (NotFound, NotAllowed):
            raise
        except Refused as refused:
            return _queue(request, limits, number, refused.sentence, form["sentence"], refused.status)
        return go(f"/groups/{board.handle}/queue", said)

    return carry_out


# neighbouring boards


def links_page(request: Request) -> Response:
    """The neighbouring boards that a group's board is linked with, and the form to link another."""
    return _links(request)


def _links(
    request: Request, refusal: str = "", typed: str = "", preview: Preview | None = None, status: int = 200
) -> Response:
    home = house(request)
    with home.database.read() as connection:
        who, board = _our_board(connection, request)
        found = queries.links(connection, board)
    now = home.units.clock.now()
    return render(
        request,
        "admin/group_links.html",
        status,
        group=board,
        links=found,
        preview=preview,
        shared=[shown(one, who, now) for one in preview.shared] if preview else [],
        known=[shown(one, who, now) for one in preview.known] if preview else [],
        refusal=refusal,
        typed=typed,
    )


def find(scout: BoardScout) -> Callable[[Request], Awaitable[Response]]:
    """How a neighbouring board is found."""

    def may(request: Request) -> Board:
        with house(request).database.read() as connection:
            return _our_board(connection, request)[1]

    async def endpoint(request: Request) -> Response:
        """Find a neighbouring board, and show what will be shared. A refusal keeps what was typed."""
        form = await read_form(request)
        board = await run_in_threadpool(may, request)
        try:
            theirs = await scout.find(form["board"])
            preview = await run_in_threadpool(boards.preview, house(request), board, theirs)
        except Refused as refused:
            return await run_in_threadpool(_links, request, refused.sentence, form["board"], None, refused.status)
        return await run_in_threadpool(_links, request, "", form["board"], preview)

    return endpoint


def link(limits: GroupLimits) -> Callable[[Request, Form], Response]:
    """How two boards are linked."""

    def add(request: Request, form: Form) -> Response:
        """Link the board with a neighbouring one: ours follows it from now on."""
        who = member(request)
        try:
            with house(request).units.begin() as work:
                board = board_of(work.connection, request)
                commands.link_board(work, who, board, form["theirs"], limits)
        except (NotFound, NotAllowed):
            raise
        except Refused as refused:
            return _links(request, refused.sentence, status=refused.status)
        return go(f"/groups/{board.handle}/links", "board_linked")

    return add


def unlink(request: Request, form: Form) -> Response:
    """End the link of two boards, in both directions; theirs is told."""
    who = member(request)
    with house(request).units.begin() as work:
        board = board_of(work.connection, request)
        commands.unlink_board(work, who, board, form["theirs"])
    return go(f"/groups/{board.handle}/links", "board_unlinked")
