"""Joining a group, asking to, and leaving it."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.pages import NOTHING_TYPED, Form, go, house, member
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.groups.commands import belonging
from fedaid.groups.limits import GroupLimits
from fedaid.groups.pages.show import board_of, show_about
from fedaid.groups.queries import Board

Act = Callable[[Work, Viewer, Board], None]


def _act(request: Request, act: Act, said: str, form: Form = NOTHING_TYPED) -> Response:
    who = member(request)
    try:
        with house(request).units.begin() as work:
            board = board_of(work.connection, request)
            act(work, who, board)
    except (NotFound, NotAllowed):
        raise
    except Refused as refused:
        return show_about(request, refused.sentence, form, refused.status)
    return go(f"/groups/{board.handle}/about", said)


def join(request: Request, form: Form) -> Response:
    """Join a group that is open."""
    return _act(request, belonging.join_openly, "group_joined")


def leave(request: Request, form: Form) -> Response:
    """Leave a group. Its only coordinator is refused, while others are in it."""
    return _act(request, belonging.leave, "group_left")


def apply(limits: GroupLimits) -> Callable[[Request, Form], Response]:
    """How somebody asks to join."""

    def ask(request: Request, form: Form) -> Response:
        """Ask to join a group. A refusal keeps what was typed."""

        def act(work: Work, who: Viewer, board: Board) -> None:
            answers = [form[f"answer-{number}"] for number in range(len(board.questions))]
            belonging.apply(work, who, board, answers, limits)

        return _act(request, act, "group_asked", form)

    return ask


def withdraw(request: Request, form: Form) -> Response:
    """Ask no longer."""
    return _act(request, belonging.withdraw, "application_withdrawn")
