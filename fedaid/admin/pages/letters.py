"""The page of mail that came in: which letters failed or were refused, and another try for each."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.admin import deliveries, letters
from fedaid.foundation.pages import Form, admin, form_page, go, house, render
from fedaid.foundation.refused import NotFound
from inbox.tables import State

STATE_WORDS = {State.FAILED: "Failed here", State.REFUSED: "Refused", State.NEW: "Waiting"}


def routes() -> Sequence[Route]:
    """Everything under /letters."""
    return [
        Route("/letters", letters_page, methods=["GET"]),
        Route("/letters/retry", form_page(retry), methods=["POST"]),
    ]


def letters_page(request: Request) -> Response:
    """The letters of one state, newest first."""
    tell = deliveries.tell_in(admin(request).time_zone)
    asked = request.query_params.get("state", State.FAILED.value)
    state = next((one for one in letters.SHOWN if one.value == asked), State.FAILED)
    with house(request).database.read() as connection:
        desk = letters.desk(connection, state)
    return render(request, "admin/letters.html", desk=desk, state_words=STATE_WORDS, tell=tell, why=letters.why)


def retry(request: Request, form: Form) -> Response:
    """Apply one letter anew, or all that failed. Raises Refused."""
    admin(request)
    number = form["number"]
    if number and not (number.isascii() and number.isdigit() and len(number) < 19):
        raise NotFound
    with house(request).units.begin() as work:
        if number:
            letters.retry(work, int(number))
        else:
            letters.retry_failed(work)
    return go("/letters", "letters_retried")
