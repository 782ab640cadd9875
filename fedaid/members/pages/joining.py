"""Joining: by an invitation, by oneself, or by asking; and reading what became of an application."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from fedaid.actors.commands import make_keys
from fedaid.foundation.pages import NOTHING_TYPED, Form, address_of, go, house, render, viewer
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import Role
from fedaid.foundation.work import Work
from fedaid.members import commands, rules
from fedaid.members.commands import joining
from fedaid.members.commands.joining import Newcomer
from fedaid.members.limits import MemberLimits
from fedaid.members.pages.sign_in import begin_session, with_session
from fedaid.members.queries import Member
from fedaid.members.queries import joining as queries
from fedaid.members.rules.joining import Joining

SETUP = "/setup"  # where the first admin goes on


def join_page(request: Request) -> Response:
    """The form to join or to ask to; with an invitation in the address, to join at once. Else how one can join."""
    if viewer(request).signed_in:
        return go("/")
    return _form(request, request.query_params.get("invitation", ""), NOTHING_TYPED)


def _form(
    request: Request, invitation: str, typed: Mapping[str, str], refusal: str = "", status: int = 200
) -> Response:
    home = house(request)
    with home.database.read() as connection:
        here = queries.our_neighbourhood(connection)
        way = _way(connection, here.joining, invitation, request)
        newest = queries.agreement(connection)
    page = render(
        request,
        "members/join.html",
        status if way is not None or not invitation else 404,
        way=way,
        here=here,
        invitation=invitation,
        is_over=bool(invitation) and way is None,
        agreement=newest,
        typed=Form({name: value for name, value in typed.items() if name != "password"}),
        wrong_sentence=refusal,
        password_min=rules.PASSWORD_CHARACTERS_MIN,
    )
    page.headers["Cache-Control"] = "no-store"
    return page


def _way(connection: Connection, chosen: Joining, invitation: str, request: Request) -> Joining | None:
    """How this visitor can join; None where they cannot."""
    if not invitation:
        return chosen if chosen in (Joining.OPEN, Joining.APPLICATION) else None
    found = queries.invitation_of(connection, invitation)
    if found is None or not found.is_good(house(request).units.clock.now()):
        return None
    return Joining.INVITATION if chosen is not Joining.CLOSED or found.role is Role.ADMIN else None


def join(limits: MemberLimits) -> Callable[[Request, Form], Response]:
    """How somebody becomes a member, or asks to."""

    def become(request: Request, form: Form) -> Response:
        """Become a member, or ask to. A refusal keeps what was typed, but for the password."""
        if viewer(request).signed_in:
            return go("/")
        try:
            return _become(request, form, limits)
        except Refused as refused:
            return _form(request, form["invitation"], form, refused.sentence, refused.status)

    return become


def _become(request: Request, form: Form, limits: MemberLimits) -> Response:
    home = house(request)
    with home.units.begin() as work:
        commands.count_join(work, address_of(request), limits)
    with home.database.read() as connection:
        here = queries.our_neighbourhood(connection)
    newcomer = Newcomer(
        form["handle"].removeprefix("@"),
        form["name"],
        commands.hash_password(form.exact("password")),  # slow on purpose: no transaction is open meanwhile
        form["email"],
        home.time_zone,
        _version(form["agreed_to"]),
    )
    if here.joining is Joining.APPLICATION and not form["invitation"]:
        return _ask(request, newcomer, _answers(form, here.questions), limits)
    keys = make_keys()
    with home.units.begin() as work:
        if form["invitation"]:
            added = joining.join_by_invitation(work, form["invitation"], newcomer, keys)
        else:
            added = joining.join_openly(work, newcomer, keys, limits)
        return _welcome(request, work, added, limits)


def _welcome(request: Request, work: Work, added: Member, limits: MemberLimits) -> Response:
    secret = begin_session(request, work, added.id, limits)
    return with_session(request, go(SETUP if added.role is Role.ADMIN else "/me", "joined"), secret, limits)


def _ask(request: Request, newcomer: Newcomer, answers: Sequence[str], limits: MemberLimits) -> Response:
    with house(request).units.begin() as work:
        secret = joining.apply(work, newcomer, answers, limits)
    return go(f"/application?{urlencode({'key': secret})}", "applied")


def _version(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 9 else None


def _answers(form: Form, questions: Sequence[str]) -> list[str]:
    return [form[f"answer-{number}"] for number in range(len(questions))]


# what became of an application


def application_page(request: Request) -> Response:
    """Where an application stands, for whoever sent it: they have the link. Raises NotFound."""
    key = request.query_params.get("key", "")
    with house(request).database.read() as connection:
        found = queries.application_of(connection, key)
    if found is None:
        raise NotFound
    page = render(request, "members/application.html", application=found, key=key, link=str(request.url))
    page.headers["Cache-Control"] = "no-store"
    return page


def withdraw(request: Request, form: Form) -> Response:
    """Take an application back. Raises NotFound, Refused."""
    with house(request).units.begin() as work:
        joining.withdraw_application(work, form["key"])
    return go(f"/application?{urlencode({'key': form['key']})}", "application_withdrawn")
