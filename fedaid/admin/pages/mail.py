"""The page of mails to members: whether they go out, and which did not arrive."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.foundation.ids import row_id
from fedaid.foundation.pages import Form, admin, form_page, go, house, render
from fedaid.notices.commands import mails as commands
from fedaid.notices.queries import mails
from fedaid.notices.tables import MailState

STATE_WORDS = {MailState.FAILED: "Given up", MailState.WAITING: "Tried again later"}


def routes() -> Sequence[Route]:
    """Everything under /mail."""
    return [
        Route("/mail", mail_page, methods=["GET"]),
        Route("/mail/again", form_page(again), methods=["POST"]),
    ]


def mail_page(request: Request) -> Response:
    """How mails to members go: how many, and which failed and why; for the admin."""
    admin(request)
    with house(request).database.read() as connection:
        counts, troubled = mails.counts(connection), mails.troubled(connection)
    return render(request, "admin/mail.html", counts=counts, troubled=troubled, state_words=STATE_WORDS)


def again(request: Request, form: Form) -> Response:
    """Send a mail that failed once more; its address counts as good again. Raises NotFound."""
    admin(request)
    with house(request).units.begin() as work:
        commands.try_again(work, row_id(form["number"]))
    return go("/mail", "mail_again")
