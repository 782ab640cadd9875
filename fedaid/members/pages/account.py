"""One's own account: what others see, how one is reached, the password, and where one is signed in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from fedaid.actors import commands as actors
from fedaid.actors.rules import NAME_CHARACTERS_MAX, SUMMARY_CHARACTERS_MAX
from fedaid.foundation import i18n, wording
from fedaid.foundation.pages import NOTHING_TYPED, Form, account_holder, address_of, go, house, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.members import commands, queries, rules
from fedaid.members.commands import access
from fedaid.members.limits import MemberLimits
from fedaid.members.pages.sign_in import begin_session, with_session
from fedaid.members.queries import joining as links
from fedaid.members.rules.devices import device_of

LINKS_SHOWN = timedelta(days=90)
DEVICE_WORDS = {"phone": "Phone", "tablet": "Tablet", "computer": "Computer", "other": "Another device"}
ACCOUNT = "/me/account"


def account_page(request: Request) -> Response:
    """My account, with the ways to change it."""
    return _page(request)


def _page(
    request: Request, wrong: str = "", refusal: str = "", typed: Mapping[str, str] = NOTHING_TYPED, status: int = 200
) -> Response:
    """``wrong`` names the form that was refused; it shows what was typed."""
    who, home = account_holder(request), house(request)
    now = home.units.clock.now()
    here = queries.digest(request.cookies.get(home.cookie_name, ""))
    with home.database.read() as connection:
        me = queries.by_id(connection, who.member_id or 0)
        if me is None:
            raise NotFound
        open_here = queries.sessions(connection, me.id, now)
        recoveries = links.recoveries_for(connection, me.id, LINKS_SHOWN, now)
        names = queries.names(connection, [one.made_by for one in recoveries if one.made_by is not None])
        acceptances = links.acceptances(connection, me.id)
    page = render(
        request,
        "members/account.html",
        status,
        me=me,
        sessions=[(one, device_of(one.device), one.token_sha256 == here) for one in open_here],
        since=lambda moment: wording.since(moment, now, who.time_zone),
        device_words=DEVICE_WORDS,
        recoveries=recoveries,
        names=names,
        acceptances=acceptances,
        wrong=wrong,
        refusal=refusal,
        typed=typed
        if wrong
        else {"name": me.name, "summary": me.summary, "email": me.email, "zone": me.time_zone, "language": me.language},
        zones=wording.zone_names(),
        languages=i18n.LANGUAGES,
        password_min=rules.PASSWORD_CHARACTERS_MIN,
        name_max=NAME_CHARACTERS_MAX,
        summary_max=SUMMARY_CHARACTERS_MAX,
    )
    page.headers["Cache-Control"] = "no-store"
    return page


Step = Callable[[Request, Form], Response]


def steps(limits: MemberLimits) -> Sequence[tuple[str, Step]]:
    """What can be changed, by the last word of its address."""
    return (
        ("profile", change_profile),
        ("reach", change_reach),
        ("password", _change_password(limits)),
        ("end", end),
        ("end-others", end_others),
    )


def change_profile(request: Request, form: Form) -> Response:
    """Change the name and the lines that everybody sees; followers are told. A refusal keeps what was typed."""
    who = account_holder(request)
    try:
        with house(request).units.begin() as work:
            actors.describe_actor(work, who.actor, form["name"], form["summary"])
    except Refused as refused:
        return _page(request, "profile", refused.sentence, form, refused.status)
    return go(ACCOUNT, "account_changed")


def change_reach(request: Request, form: Form) -> Response:
    """Change e-mail address, language and time zone, which only admins see. A refusal keeps what was typed."""
    who = account_holder(request)
    try:
        with house(request).units.begin() as work:
            commands.change_email(work, who.member_id or 0, form["email"])
            commands.change_time_zone(work, who.member_id or 0, form["zone"])
            commands.change_language(work, who.member_id or 0, form["language"])
    except Refused as refused:
        return _page(request, "reach", refused.sentence, form, refused.status)
    return go(ACCOUNT, "account_changed")


def _change_password(limits: MemberLimits) -> Step:
    def change_password(request: Request, form: Form) -> Response:
        """Change the password, the present one at hand; every other session and every token ends."""
        who, home = account_holder(request), house(request)
        try:
            check_it_is_them(request, form.exact("present"), limits)
            chosen = commands.hash_password(form.exact("password"))
        except Refused as refused:
            return _page(request, "password", refused.sentence, NOTHING_TYPED, refused.status)
        with home.units.begin() as work:
            commands.set_password(work, who.member_id or 0, chosen)
            access.revoke_recoveries(work, who.member_id or 0)
            secret = begin_session(request, work, who.member_id or 0, limits)
        return with_session(request, go(ACCOUNT, "password_changed"), secret, limits)

    return change_password


def check_it_is_them(request: Request, password: str, limits: MemberLimits) -> None:
    """Whoever is signed in also knows the password; tries count like those to sign in. Raises Refused."""
    who, home, address = account_holder(request), house(request), address_of(request)
    with home.units.begin() as work:
        commands.count_try(work, who.handle, address, limits)
    with home.database.read() as connection:
        found = queries.credentials(connection, who.handle)
    if commands.check_password(found, password) is None:
        raise Refused("wrong_password", "This is not your present password.")
    with home.units.begin() as work:
        commands.forget_tries(work, who.handle, address)


def end(request: Request, form: Form) -> Response:
    """Sign out somewhere else, or here. Raises NotFound for a session that is not mine."""
    who = account_holder(request)
    with house(request).units.begin() as work:
        access.end_session(work, who.member_id or 0, form["session"])
    return go(ACCOUNT, "session_ended")


def end_others(request: Request, form: Form) -> Response:
    """Sign out everywhere but here."""
    who, home = account_holder(request), house(request)
    with home.units.begin() as work:
        access.end_other_sessions(work, who.member_id or 0, request.cookies.get(home.cookie_name, ""))
    return go(ACCOUNT, "sessions_ended")
