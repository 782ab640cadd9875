"""The hours' pages: the statement, giving hours, answering what waits, and how we trade with neighbouring networks."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.foundation import wording
from fedaid.foundation.ids import new_key
from fedaid.foundation.pages import Form, form_page, go, house, member, render, viewer
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.members import queries as members
from fedaid.members.queries import Member
from fedaid.timebank import commands, queries
from fedaid.timebank.limits import TimebankLimits

BACK = frozenset({"/me", "/hours"})
NOTHING_TYPED: Mapping[str, str] = {"to": "", "hours": "", "note": ""}


def routes(limits: TimebankLimits, contact: str) -> Sequence[Route]:
    """The statement, one address for each thing a member can do with hours, and what we tell other networks.

    ``contact`` is an e-mail or web address for people outside; empty where there is none.
    """
    answers = {
        "confirm": _decision(limits, commands.confirm, "hours_confirmed"),
        "refuse": _decision(limits, commands.refuse, "hours_refused"),
        "withdraw": _decision(limits, commands.withdraw, "hours_withdrawn"),
    }
    return [
        Route("/about/trade", _trade_page(limits, contact), methods=["GET"]),
        Route("/hours", hours_page, methods=["GET"]),
        Route("/hours/give", form_page(give), methods=["POST"]),
        *(Route(f"/hours/{what}", form_page(answer), methods=["POST"]) for what, answer in answers.items()),
    ]


def hours_page(request: Request) -> Response:
    """What I gave and received, what waits, and the form to give hours."""
    return _page(request, member(request), NOTHING_TYPED)


def _page(request: Request, who: Viewer, typed: Mapping[str, str], refusal: str = "", status: int = 200) -> Response:
    home = house(request)
    with home.database.read() as connection:
        return render(
            request,
            "timebank/hours.html",
            status,
            waiting=queries.waiting_for(connection, who.actor, home.names.host),
            under_way=queries.under_way(connection, who.actor, home.names.host),
            statement=queries.statement(connection, who.actor, home.names.host),
            new_transfer=typed.get("transfer") or new_key(),
            typed=typed,
            refusal=refusal,
        )


def give(request: Request, form: Form) -> Response:
    """Hours to a neighbour here, at once. A refusal keeps what was typed; pressing twice gives once."""
    who = member(request)
    try:
        _give(request, who, form)
    except Refused as refused:
        return _page(request, who, form, refused.sentence, refused.status)
    return go("/hours", "hours_given")


def _give(request: Request, who: Viewer, form: Form) -> None:
    minutes = wording.read_minutes(form["hours"])
    if minutes is None:
        raise Refused("minutes", "Hours are written as 1:30 or 1.5, in whole minutes.")
    with house(request).units.begin() as work:
        payee = members.by_handle(work.connection, form["to"].removeprefix("@"))
        if payee is None:
            raise Refused("no_member", "Nobody here has this handle.", 404)
        commands.give(work, form["transfer"], payer=who.actor, payee=payee.actor, minutes=minutes, note=form["note"])


def _decision(
    limits: TimebankLimits, answer: Callable[[Work, TimebankLimits, str, str], None], said: str
) -> Callable[[Request, Form], Response]:
    @wraps(answer)
    def endpoint(request: Request, form: Form) -> Response:
        who = member(request)
        try:
            with house(request).units.begin() as work:
                answer(work, limits, form["transfer"], who.actor)
                waits_for = queries.waits_for(work.connection, form["transfer"])
        except NotFound:
            raise
        except Refused as refused:
            return _page(request, who, NOTHING_TYPED, refused.sentence, refused.status)
        return go(form["back"] if form["back"] in BACK else "/hours", "hours_queued" if waits_for else said)

    return endpoint


def _trade_page(limits: TimebankLimits, contact: str) -> Callable[[Request], Response]:
    def trade_page(request: Request) -> Response:
        """How we trade hours with neighbouring networks, for anybody; our proposals of a link lead here."""
        admins: Sequence[Member] = ()
        if viewer(request).signed_in:  # only members learn the names of members
            with house(request).database.read() as connection:
                admins = members.admins(connection)
        return render(request, "timebank/trade.html", limits=limits, contact=contact, admins=admins)

    return trade_page
