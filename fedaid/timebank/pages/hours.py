"""The page of somebody's hours: what waits, what is on the way, what moved; and the answers to a claim."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation import wording
from fedaid.foundation.pages import Form, House, go, house, member, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import Work
from fedaid.timebank import commands, queries
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.pages.acting import acting_for, home_of, note_who
from fedaid.timebank.queries import Holder
from fedaid.timebank.rules.months import Month, chart_of

BACK = frozenset({"/me", "/hours"})


def hours_page(limits: TimebankLimits) -> Callable[[Request], Response]:
    """The page; with ``for`` in the address that of an account one looks after."""

    def endpoint(request: Request) -> Response:
        """What I gave and received, what waits, and what moved; ``for`` names an account that I look after."""
        member(request)
        return show(request, limits, request.query_params.get("for", ""))

    return endpoint


def show(
    request: Request,
    limits: TimebankLimits,
    handle: str,
    refusal: str = "",
    status: int = 200,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The page of this account's hours; after a refusal with what was typed."""
    home, who = house(request), member(request)
    with home.database.read() as connection:
        holder = acting_for(request, connection, handle)
        return render(
            request,
            "timebank/hours.html",
            status,
            holder=holder,
            account=queries.account_of(connection, holder.actor),
            waiting=queries.waiting_for(connection, holder.actor, home.names.host),
            under_way=queries.under_way(connection, holder.actor, home.names.host),
            statement=queries.statement(connection, holder.actor, home.names.host),
            chart=chart_of(_months(home, connection, holder)),
            purses=queries.purses(connection, who),
            represented=queries.represented(connection) if who.is_coordinator else (),
            questions=len(queries.questions(connection, home.names.host)) if who.is_coordinator else 0,
            limits=limits,
            typed=typed or {},
            refusal=refusal,
        )


def _months(home: House, connection: Connection, holder: Holder) -> Sequence[Month]:
    """Month by month as the neighbourhood's calendar has it."""
    return queries.by_month(connection, holder.actor, home.units.clock.now(), wording.zone(home.time_zone))


def answer(
    limits: TimebankLimits,
    give_answer: Callable[[Work, TimebankLimits, str, str], None],
    said: str,
    *,
    makes_room: bool = False,
) -> Callable[[Request, Form], Response]:
    """Confirm, refuse or withdraw, for oneself or for whom one looks after.

    ``makes_room``: the hours go by it, and the first that somebody ever owes must not fail.
    """

    @wraps(give_answer)
    def endpoint(request: Request, form: Form) -> Response:
        member(request)
        try:
            with house(request).units.begin() as work:
                holder = acting_for(request, work.connection, form["for"])
                if makes_room:
                    commands.make_room_for(work, holder.actor, form["transfer"], limits.max_transfer_minutes)
                give_answer(work, limits, form["transfer"], holder.actor)
                note_who(request, work, holder, form["transfer"])
                waits_for = queries.waits_for(work.connection, form["transfer"])
        except NotFound:
            raise
        except Refused as refused:
            return show(request, limits, form["for"], refused.sentence, refused.status)
        back = form["back"] if form["back"] in BACK and holder.is_own else home_of(holder)
        return go(back, "hours_queued" if waits_for else said)

    return endpoint


def settings(request: Request, form: Form) -> Response:
    """What others see of my hours, and what is done without asking me."""
    who = member(request)
    with house(request).units.begin() as work:
        account = queries.account_of(work.connection, who.actor)
        if account is None:
            raise NotFound
        commands.set_switches(
            work,
            account.id,
            hides_balance="hides_balance" in form,
            confirms_agreed="confirms_agreed" in form,
            takes_payments="takes_payments" in form,
        )
    return go("/hours", "hours_settings")
