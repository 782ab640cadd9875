"""The pages that belong to no single feature: my day, and whether the server is alive."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fedaid.board import queries as board
from fedaid.foundation.pages import house, member, render
from fedaid.timebank import queries as timebank


def routes() -> Sequence[Route]:
    """My day and the two health checks."""
    return [
        Route("/me", my_day, methods=["GET"]),
        Route("/livez", alive, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
    ]


def my_day(request: Request) -> Response:
    """What waits for me, each with its button; then what I have on the board and promised."""
    who = member(request)
    with house(request).database.read() as connection:
        return render(
            request,
            "web/my_day.html",
            to_answer=board.next_actions(connection, who),
            mine=board.mine(connection, who),
            to_confirm=timebank.waiting_for(connection, who.actor),
            under_way=timebank.under_way(connection, who.actor),
            account=timebank.account_of(connection, who.actor),
        )


async def alive(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("alive\n")


def ready(request: Request) -> Response:
    """The process can read its database."""
    with house(request).database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    return PlainTextResponse("ready\n")
