"""The pages that belong to no single feature: my day, logging the hours of a match, and whether the server is alive."""

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fedaid.board import queries as board
from fedaid.board.commands import log_hours
from fedaid.board.queries import Agreed
from fedaid.foundation import wording
from fedaid.foundation.ids import new_key
from fedaid.foundation.pages import Form, form_page, go, house, member, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.mentions import queries as mentions
from fedaid.timebank import commands as timebank
from fedaid.timebank import queries as hours
from fedaid.timebank.limits import TimebankLimits
from fedaid.web.sayings import ACTION_WORDS, LISTING_WORDS, RESPONSE_WORDS


def routes(limits: TimebankLimits) -> Sequence[Route]:
    """My day, logging hours, and the two health checks."""
    return [
        Route("/me", my_day, methods=["GET"]),
        Route("/hours/claim", claim_page, methods=["GET"]),
        Route("/hours/claim", form_page(claim(limits)), methods=["POST"]),
        Route("/livez", alive, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
    ]


def my_day(request: Request) -> Response:
    """What waits for me, each with its button; then what I have on the board and promised."""
    who, home = member(request), house(request)
    with home.database.read() as connection:
        return render(
            request,
            "web/my_day.html",
            to_confirm_hours=hours.waiting_for(connection, who.actor, home.names.host),
            actions=board.next_actions(connection, who, home.federation),
            from_elsewhere=mentions.count_waiting(connection, who),
            listings=board.my_listings(connection, who),
            answers=board.my_responses(connection, who),
            under_way=hours.under_way(connection, who.actor, home.names.host),
            statement=hours.statement(connection, who.actor, home.names.host, lines_max=0),
            action_words=ACTION_WORDS,
            state_words=LISTING_WORDS,
            response_words=RESPONSE_WORDS,
        )


def claim_page(request: Request) -> Response:
    """The form for the hours of a match, filled in with what was agreed."""
    agreed = _agreed(request, member(request), request.query_params.get("agreement", ""))
    minutes = agreed.match.minutes
    typed = {"hours": wording.in_figures(minutes) if minutes else "", "note": agreed.listing.title}
    return _claim_form(request, agreed, typed)


def claim(limits: TimebankLimits) -> Callable[[Request, Form], Response]:
    """The form that logs hours, by these figures."""

    def endpoint(request: Request, form: Form) -> Response:
        """Log the hours; a refusal keeps what was typed, and pressing twice logs once."""
        who = member(request)
        agreed = _agreed(request, who, form["agreement"])
        try:
            _log(request, limits, who, agreed, form)
        except Refused as refused:
            return _claim_form(request, agreed, form, refused.sentence, refused.status)
        return go("/me", "hours_claimed")

    return endpoint


def _log(request: Request, limits: TimebankLimits, who: Viewer, agreed: Agreed, form: Form) -> None:
    minutes = wording.read_minutes(form["hours"])
    if minutes is None:
        raise Refused("minutes", "Hours are written as 1:30 or 1.5, in whole minutes.")
    with house(request).units.begin() as work:
        timebank.claim(
            work,
            limits,
            form["transfer"],
            payee=who.actor,
            payer=agreed.match.receiver,
            minutes=minutes,
            engagement=agreed.match.agreement_uri,
            proposal=agreed.listing.uri,
            note=form["note"],
        )
        log_hours(work, agreed.match.agreement_uri)


def _claim_form(
    request: Request, agreed: Agreed, typed: Mapping[str, str], refusal: str = "", status: int = 200
) -> Response:
    transfer = typed.get("transfer") or new_key()
    return render(request, "web/log_hours.html", status, agreed=agreed, typed=typed, refusal=refusal, transfer=transfer)


def _agreed(request: Request, who: Viewer, agreement: str) -> Agreed:
    """The match of this agreement in which the viewer gives the help. Raises NotFound."""
    with house(request).database.read() as connection:
        found = next((one for one in board.my_matches(connection, who) if one.match.agreement_uri == agreement), None)
    if found is None or not found.gives:
        raise NotFound
    return found


async def alive(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("alive\n")


def ready(request: Request) -> Response:
    """The process can read its database."""
    with house(request).database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    return PlainTextResponse("ready\n")
