"""Accounts that several people share: the community chest, and those of groups and organisations."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation import wording
from fedaid.foundation.pages import Form, admin, go, house, member, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import Work
from fedaid.groups import queries as groups
from fedaid.members import queries as members
from fedaid.timebank import commands, queries


def purses_page(request: Request) -> Response:
    """The community chest and the accounts of groups, for every member; who may spend, for the admin to say."""
    return _page(request)


def _page(request: Request, refusal: str = "", status: int = 200, typed: Form | None = None) -> Response:
    who, home = member(request), house(request)
    with home.database.read() as connection:
        return render(
            request,
            "timebank/shared.html",
            status,
            chest=queries.statement(connection, home.names.ledger, lines_max=0),
            shared=queries.shared_accounts(connection),
            mine={one.handle for one in queries.purses(connection, who)},
            without=queries.groups_without_account(connection) if who.is_admin else (),
            represented=queries.represented(connection) if who.is_admin else (),
            typed=typed or Form({}),
            refusal=refusal,
        )


def _step(do: Callable[[Work, Form], None]) -> Callable[[Request, Form], Response]:
    def endpoint(request: Request, form: Form) -> Response:
        admin(request)
        try:
            with house(request).units.begin() as work:
                do(work, form)
        except Refused as refused:
            return _page(request, refused.sentence, refused.status, form)
        return go("/hours/shared", "hours_shared")

    endpoint.__doc__ = do.__doc__
    return endpoint


def _group(work: Work, form: Form) -> str:
    found = groups.board_by_handle(work.connection, form["group"])
    if found is None:
        raise Refused("no_group", "There is no group of this name here.", 404)
    return found.actor


def _member(work: Work, form: Form) -> str:
    found = members.by_handle(work.connection, form["member"].removeprefix("@"))
    if found is None:
        raise Refused("no_member", "Nobody here has this handle.", 404)
    return found.actor


def _open(work: Work, form: Form) -> None:
    """Open an account for a group or organisation, for the admin."""
    commands.open_purse(work, _group(work, form))


def _let_spend(work: Work, form: Form) -> None:
    """Let a member give hours from the account of a group, for the admin."""
    commands.let_spend(work, _group(work, form), _member(work, form))


def _stop_spending(work: Work, form: Form) -> None:
    """Let a member no longer give hours from the account of a group, for the admin."""
    commands.stop_spending(work, _group(work, form), _member(work, form))


def _set_limit(work: Work, form: Form) -> None:
    """Say how low the account of a group or member may go, for the admin."""
    actor = _group(work, form) if form["group"] else _member(work, form)
    account = queries.account_of(work.connection, actor)
    if account is None:
        raise NotFound
    commands.set_floor(work, account.id, -wording.typed_minutes(form["hours"], zero=True))


def _represent(work: Work, form: Form) -> None:
    """Say whether coordinators may enter hours for a member, as for somebody without internet; for the admin."""
    account = queries.account_of(work.connection, _member(work, form))
    if account is None:
        raise NotFound
    commands.set_switches(work, account.id, by_coordinator=form["stop"] == "")


STEPS = {
    "open": _step(_open),
    "spender": _step(_let_spend),
    "no-spender": _step(_stop_spending),
    "limit": _step(_set_limit),
    "represent": _step(_represent),
}
