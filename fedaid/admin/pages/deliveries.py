"""The pages of mail that goes out: every server, one server, one activity; and the three steps, each a plain form."""

from collections.abc import Callable, Sequence
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.admin import deliveries
from fedaid.foundation.pages import Form, admin, form_page, go, house, render
from fedaid.foundation.refused import NotFound
from fedaid.foundation.work import Work
from outbox import collection

STATE_WORDS = {
    "asleep": "Does not answer",
    "waiting": "Waiting for the next try",
    "failed": "Some given up",
    "well": "In order",
}


def routes() -> Sequence[Route]:
    """Everything under /deliveries."""
    return [
        Route("/deliveries", overview_page, methods=["GET"]),
        Route("/deliveries/activities/{number:int}", activity_page, methods=["GET"]),
        Route("/deliveries/{host}", host_page, methods=["GET"]),
        Route("/deliveries/{host}/forget", forget_page, methods=["GET"]),
        Route("/deliveries/{host}/forget", form_page(forget), methods=["POST"]),
        Route("/deliveries/{host}/resume", form_page(_step(deliveries.resume, "deliveries_resumed")), methods=["POST"]),
        Route("/deliveries/{host}/retry", form_page(_step(deliveries.retry, "deliveries_retried")), methods=["POST"]),
    ]


def overview_page(request: Request) -> Response:
    """How every server is doing: what needs somebody first."""
    tell = deliveries.tell_in(admin(request).time_zone)
    with house(request).database.read() as connection:
        lines = deliveries.overview(connection, tell)
    return render(request, "admin/deliveries.html", lines=lines, state_words=STATE_WORDS)


def host_page(request: Request) -> Response:
    """One server with all it has not got. Raises NotFound."""
    return _host_page(request, "admin/deliveries_of_host.html")


def forget_page(request: Request) -> Response:
    """Asks before what waits is given up for good."""
    return _host_page(request, "admin/deliveries_forget.html")


def _host_page(request: Request, template: str) -> Response:
    tell = deliveries.tell_in(admin(request).time_zone)
    with house(request).database.read() as connection:
        line = deliveries.host_line(connection, request.path_params["host"], tell)
        missing = deliveries.undelivered(connection, line.found.host)
    return render(
        request,
        template,
        line=line,
        missing=missing,
        state_words=STATE_WORDS,
        tell=tell,
        in_one_word=deliveries.in_one_word,
    )


def activity_page(request: Request) -> Response:
    """Where one activity goes and how far it has got. Raises NotFound."""
    tell = deliveries.tell_in(admin(request).time_zone)
    with house(request).database.read() as connection:
        stored = collection.by_number(connection, request.path_params["number"])
        if stored is None:
            raise NotFound
        found = deliveries.reach(connection, stored.activity_id)
    return render(
        request, "admin/deliveries_of_activity.html", reach=found, tell=tell, in_one_word=deliveries.in_one_word
    )


def _step(step: Callable[[Work, str], object], said: str) -> Callable[[Request, Form], Response]:
    @wraps(step)
    def take(request: Request, form: Form) -> Response:
        admin(request)
        host = request.path_params["host"]
        with house(request).units.begin() as work:
            step(work, host)
        return go(f"/deliveries/{host}", said)

    return take


def forget(request: Request, form: Form) -> Response:
    """Give it up; the timebank's letters only where the box for them was ticked."""
    admin(request)
    with house(request).units.begin() as work:
        found = deliveries.forget(work, request.path_params["host"], also_timebank=form["also_timebank"] == "yes")
    return go("/deliveries", "deliveries_kept" if found.kept else "deliveries_forgotten")
