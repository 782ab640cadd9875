"""Signing in and out, and what a member shows of themselves."""

from collections.abc import Callable
from http import HTTPStatus

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.clock import Clock
from fedaid.foundation.pages import Form, address_of, go, house, render, viewer
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.members import commands, queries
from fedaid.members.limits import MemberLimits
from fedaid.members.rules import safe_return_path

SECONDS_PER_DAY = 86_400
WRONG = "This handle and password do not fit together."


def recogniser(clock: Clock) -> Callable[[Connection, str], Viewer | None]:
    """How the house recognises the session that a browser sends along."""
    return lambda connection, secret: queries.viewer_of_session(connection, secret, clock.now())


def sign_in_page(request: Request) -> Response:
    """The form; somebody who is signed in already is sent on."""
    back = safe_return_path(request.query_params.get("next", "/"))
    return go(back) if viewer(request).signed_in else _form(request, HTTPStatus.OK, next=back)


def _form(request: Request, status: int, *, next: str, handle: str = "", wrong: str = "") -> Response:  # noqa: A002
    page = render(request, "members/sign_in.html", status, next=next, handle=handle, wrong=wrong)
    page.headers["Cache-Control"] = "no-store"
    return page


def sign_in(limits: MemberLimits) -> Callable[[Request, Form], Response]:
    """How somebody comes in."""

    def come_in(request: Request, form: Form) -> Response:
        """Begin a session and go on where the form says. Too many wrong tries are answered 429."""
        handle = form["handle"].removeprefix("@")
        back = safe_return_path(form["next"] or "/")
        try:
            return _enter(request, handle, form.exact("password"), back, limits)
        except Refused as refused:
            return _form(request, refused.status, next=back, handle=handle, wrong=refused.sentence)

    return come_in


def _enter(request: Request, handle: str, password: str, back: str, limits: MemberLimits) -> Response:
    home = house(request)
    address = address_of(request)
    with home.units.begin() as work:
        commands.count_try(work, handle, address, limits)
    with home.database.read() as connection:
        found = queries.credentials(connection, handle)
    member_id = commands.check_password(found, password)  # slow on purpose: no transaction is open meanwhile
    if member_id is None:
        raise Refused("wrong_password", WRONG, HTTPStatus.UNAUTHORIZED)
    with home.units.begin() as work:
        commands.forget_tries(work, handle, address)
        secret = begin_session(request, work, member_id, limits)
    return with_session(request, go(back, "signed_in"), secret, limits)


def begin_session(request: Request, work: Work, member_id: int, limits: MemberLimits) -> str:
    """A new session for this browser in place of the one it had; its secret."""
    known = request.cookies.get(house(request).cookie_name, "")
    return commands.sign_in(work, member_id, request.headers.get("user-agent", ""), limits, known)


def with_session(request: Request, answer: Response, secret: str, limits: MemberLimits) -> Response:
    """The answer, with the cookie that keeps the session."""
    _set_cookie(request, answer, secret, limits.session_days * SECONDS_PER_DAY)
    return answer


def without_session(request: Request, answer: Response) -> Response:
    """The answer, with the cookie taken away."""
    _set_cookie(request, answer, "", 0)
    return answer


def sign_out(request: Request, form: Form) -> Response:
    """End the session of this browser."""
    home = house(request)
    with home.units.begin() as work:
        commands.sign_out(work, request.cookies.get(home.cookie_name, ""))
    return without_session(request, go("/", "signed_out"))


def _set_cookie(request: Request, answer: Response, secret: str, seconds: int) -> None:
    home = house(request)
    answer.set_cookie(
        home.cookie_name, secret, max_age=seconds, path="/", secure=home.is_secure, httponly=True, samesite="lax"
    )


def profile(request: Request) -> Response:
    """What a member shows of themselves. Raises NotFound when nobody here has this handle."""
    with house(request).database.read() as connection:
        found = queries.by_handle(connection, request.path_params["handle"])
    if found is None:
        raise NotFound
    return render(request, "members/profile.html", member=found)
