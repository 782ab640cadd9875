"""The programs that act for a member: making a token for one, seeing when it was used, and ending it."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation import wording
from fedaid.foundation.pages import NOTHING_TYPED, Form, account_holder, go, house, render
from fedaid.foundation.refused import Refused
from fedaid.members import queries
from fedaid.members.commands import tokens
from fedaid.members.limits import MemberLimits
from fedaid.members.pages.account import Step, check_it_is_them
from fedaid.members.rules import SCOPE_WORDS, TOKEN_NAME_CHARACTERS_MAX

PAGE = "/me/tokens"
_SCOPE = "scope-"  # before the name of a scope in the form


def tokens_page(request: Request) -> Response:
    """The programs that act for me, and the form to let one more do so."""
    return _page(request)


def _page(
    request: Request,
    refusal: str = "",
    typed: Mapping[str, str] = NOTHING_TYPED,
    status: int = 200,
    secret: str = "",
) -> Response:
    """``secret``: of the token that was made just now; it is shown this once."""
    who, home = account_holder(request), house(request)
    now = home.units.clock.now()
    with home.database.read() as connection:
        held = queries.tokens(connection, who.member_id or 0)
    page = render(
        request,
        "members/tokens.html",
        status,
        tokens=held,
        words=SCOPE_WORDS,
        since=lambda moment: wording.since(moment, now, who.time_zone),
        refusal=refusal,
        typed=typed,
        secret=secret,
        name_max=TOKEN_NAME_CHARACTERS_MAX,
    )
    page.headers["Cache-Control"] = "no-store"
    return page


def make(limits: MemberLimits) -> Step:
    """A token for one program more."""

    def make_token(request: Request, form: Form) -> Response:
        """Make a token for a program, the password at hand; it is shown this once. A refusal keeps what was typed."""
        who = account_holder(request)
        scopes = [name.removeprefix(_SCOPE) for name in form if name.startswith(_SCOPE)]
        try:
            check_it_is_them(request, form.exact("password"), limits)
            with house(request).units.begin() as work:
                secret = tokens.make_token(work, who.member_id or 0, form["name"], scopes, limits)
        except Refused as refused:
            return _page(request, refused.sentence, form, refused.status)
        return _page(request, secret=secret)

    return make_token


def end(request: Request, form: Form) -> Response:
    """Let a program act for me no longer. Raises NotFound for a token that is not mine."""
    who = account_holder(request)
    with house(request).units.begin() as work:
        tokens.end_token(work, who.member_id or 0, form["token"])
    return go(PAGE, "token_ended")
