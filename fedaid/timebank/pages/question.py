"""Questioning a claim before it is confirmed, and answering such a question."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.pages import Form, go, house, member, render
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.timebank import commands, queries
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.pages.acting import acting_for, home_of
from fedaid.timebank.pages.hours import show


def ask(limits: TimebankLimits) -> Callable[[Request, Form], Response]:
    """Question a claim; a refusal keeps what was typed."""

    def endpoint(request: Request, form: Form) -> Response:
        """Ask about a claim instead of confirming it: it goes on waiting, and a coordinator looks at it."""
        member(request)
        try:
            with house(request).units.begin() as work:
                holder = acting_for(request, work.connection, form["for"])
                commands.ask(work, form["transfer"], holder.actor, form["reason"])
        except NotFound:
            raise
        except Refused as refused:
            return show(request, limits, form["for"], refused.sentence, refused.status, form)
        return go(home_of(holder), "hours_questioned")

    return endpoint


def answer(request: Request, form: Form) -> Response:
    """Answer a question about a claim: the one who claimed, or a coordinator."""
    who = member(request)
    with house(request).units.begin() as work:
        is_mine = commands.explain(work, who, form["transfer"], form["answer"])
    return go("/hours" if is_mine else "/hours/questions", "hours_answered")


def questions_page(request: Request) -> Response:
    """What members ask about claims that are not decided, for coordinators."""
    who, home = member(request), house(request)
    if not who.is_coordinator:
        raise NotAllowed("This page is for the coordinators of this neighbourhood.")
    with home.database.read() as connection:
        asked = queries.questions(connection, home.names.host)
        hours = {
            one.transfer_id: queries.transfer_for(connection, one.transfer_id, one.asked_by.uri, home.names.host)
            for one in asked
        }
    return render(request, "timebank/questions.html", asked=asked, hours=hours)
