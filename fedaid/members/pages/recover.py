"""Coming in again with a one-time link that a coordinator made."""

from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.pages import Form, address_of, go, house, render
from fedaid.foundation.refused import Refused
from fedaid.members import commands, queries, rules
from fedaid.members.commands import access
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import joining as links

_log = structlog.get_logger()


def recover_page(request: Request) -> Response:
    """The form to choose a new password, for whoever has a link that is good."""
    return _form(request, request.query_params.get("link", ""))


def _form(request: Request, link: str, refusal: str = "", status: int = 200) -> Response:
    home = house(request)
    with home.database.read() as connection:
        found = links.recovery_of(connection, link, home.units.clock.now())
        whose = queries.by_id(connection, found.member_id) if found is not None else None
    page = render(
        request,
        "members/recover.html",
        status if whose is not None else 404,
        whose=whose,
        link=link,
        wrong_sentence=refusal or ("" if whose is not None else access.link_over().sentence),
        password_min=rules.PASSWORD_CHARACTERS_MIN,
    )
    page.headers["Cache-Control"] = "no-store"
    return page


def recover(limits: MemberLimits) -> Callable[[Request, Form], Response]:
    """How a link is used."""

    def choose(request: Request, form: Form) -> Response:
        """Choose the new password; the link is used up, every session ends, and one signs in with it."""
        home = house(request)
        try:
            with home.units.begin() as work:
                commands.count_link(work, address_of(request), limits)
            chosen = commands.hash_password(form.exact("password"))
            with home.units.begin() as work:
                member_id = access.recover(work, form["link"], chosen)
        except Refused as refused:
            return _form(request, form["link"], refused.sentence, refused.status)
        _log.info("password_recovered", member=member_id)
        return go("/sign-in", "password_chosen")

    return choose
