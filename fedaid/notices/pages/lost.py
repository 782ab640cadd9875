"""The way in for whoever forgot their password and has an e-mail address."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.pages import Form, address_of, go, house, render
from fedaid.foundation.refused import Refused
from fedaid.members import commands as members
from fedaid.members.limits import MemberLimits
from fedaid.notices.commands import mails
from fedaid.notices.limits import MailLimits

LOST = "/recover/mail"


def lost_page(request: Request) -> Response:
    """The form of whoever forgot their password."""
    return _form(request)


def _form(request: Request, handle: str = "", refused: Refused | None = None) -> Response:
    return render(
        request,
        "notices/lost.html",
        refused.status if refused is not None else HTTPStatus.OK,
        handle=handle,
        wrong_sentence=refused.sentence if refused is not None else "",
    )


def ask_for_link(limits: MailLimits, member_limits: MemberLimits) -> Callable[[Request, Form], Response]:
    """How a link is asked for."""

    def ask(request: Request, form: Form) -> Response:
        """Have a link sent; the answer is the same whether there is such an account or not (attack S86)."""
        try:
            if not house(request).mails:
                raise Refused("mail_off", "This neighbourhood sends no mails. Please ask a coordinator.", 409)
            with house(request).units.begin() as work:
                members.count_link(work, address_of(request), member_limits)
            with house(request).units.begin() as work:
                mails.mail_recovery(work, form["handle"].removeprefix("@"), limits)
        except Refused as refused:
            return _form(request, form["handle"], refused)
        return go(LOST, "recovery_mailed")

    return ask
