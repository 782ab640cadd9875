"""The admin's pages: neighbouring networks."""

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.errors import ProtocolError
from fedaid.admin.networks import Desk, overview
from fedaid.foundation.pages import Form, admin, go, house, read_form, render
from fedaid.foundation.refused import Refused
from fedaid.foundation.wording import MINUTES_PER_HOUR

STATUS_WORDS = {
    "proposed": "Waiting for their admin",
    "asked": "Waiting for you",
    "accepted": "Accepted",
    "paused": "Paused",
    "ended": "Ended",
}
SAID = {
    "propose": "network_proposed",
    "accept": "network_accepted",
    "pause": "network_paused",
    "resume": "network_resumed",
    "end": "network_ended",
}
NOTHING_TYPED = Form({})

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(desk: Desk) -> Sequence[Route]:
    """The page of all links, and one address for each step of a link."""

    def networks_page(request: Request) -> Response:
        """All neighbouring networks with the steps that can be taken, for the admin."""
        admin(request)
        return _page(request, desk, NOTHING_TYPED)

    steps = [Route(f"/networks/{step}", _step(desk, step), methods=["POST"]) for step in SAID]
    return [Route("/networks", networks_page, methods=["GET"]), *steps]


def _step(desk: Desk, step: str) -> Endpoint:
    @wraps(getattr(Desk, step))
    async def endpoint(request: Request) -> Response:
        await run_in_threadpool(admin, request)
        form = await read_form(request)
        try:
            await _take(desk, step, form)
        except (Refused, ProtocolError) as refusal:
            status = refusal.status if isinstance(refusal, Refused) else 422
            return await run_in_threadpool(_page, request, desk, form, refusal.sentence, status)
        return go("/networks", SAID[step])

    return endpoint


async def _take(desk: Desk, step: str, form: Form) -> None:
    if step == "propose":
        await desk.propose(form["host"], _hours(form["line_hours"]))
    elif step == "accept":
        await desk.accept(form["host"], _hours(form["line_hours"]))
    else:
        await {"pause": desk.pause, "resume": desk.resume, "end": desk.end}[step](form["host"])


def _hours(typed: str) -> float | None:
    try:
        return float(typed.replace(",", ".")) if typed else None
    except ValueError:
        raise Refused("line", "The line is a number of hours, such as 20.") from None


def _page(request: Request, desk: Desk, typed: Form, refusal: str = "", status: int = 200) -> Response:
    with house(request).database.read() as connection:
        rows = overview(connection)
    return render(
        request,
        "admin/networks.html",
        status,
        rows=rows,
        typed=typed,
        refusal=refusal,
        status_words=STATUS_WORDS,
        default_line_hours=desk.limits.line_minutes / MINUTES_PER_HOUR,
    )
