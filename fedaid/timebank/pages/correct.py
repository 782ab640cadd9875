"""Correcting hours that have gone: an opposite transfer that names the one it corrects."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation import wording
from fedaid.foundation.ids import new_key
from fedaid.foundation.pages import Form, go, house, member, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.timebank import commands, queries
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.pages.acting import acting_for, home_of, note_who


def correct_page(request: Request) -> Response:
    """The form to correct hours that have gone, filled in with all of them."""
    member(request)
    return _form(request, request.query_params, request.query_params.get("transfer", ""))


def correct(limits: TimebankLimits) -> Callable[[Request, Form], Response]:
    """Correct them; a refusal keeps what was typed."""

    def endpoint(request: Request, form: Form) -> Response:
        """Give hours back, or ask for them back, by an opposite transfer that names the one it corrects."""
        member(request)
        try:
            return _correct(request, limits, form)
        except NotFound:
            raise
        except Refused as refused:
            return _form(request, form, form["corrects"], refused.sentence, refused.status)

    return endpoint


def _correct(request: Request, limits: TimebankLimits, form: Form) -> Response:
    minutes = wording.typed_minutes(form["hours"])
    with house(request).units.begin() as work:
        holder = acting_for(request, work.connection, form["for"])
        made = commands.correct(
            work, limits, form["transfer"], form["corrects"], holder.actor, minutes=minutes, note=form["note"]
        )
        note_who(request, work, holder, made)
        waits = queries.waits_for(work.connection, made)
    return go(home_of(holder), "hours_queued" if waits else "hours_corrected")


def _form(
    request: Request, typed: Mapping[str, str], transfer_id: str, refusal: str = "", status: int = 200
) -> Response:
    home = house(request)
    with home.database.read() as connection:
        holder = acting_for(request, connection, typed.get("for", ""))
        found = queries.transfer_for(connection, transfer_id, holder.actor, home.names.host)
    if found is None:
        raise NotFound
    return render(
        request,
        "timebank/correct.html",
        status,
        holder=holder,
        one=found,
        hours=typed.get("hours") or wording.in_figures(found.minutes),
        note=typed.get("note", ""),
        new_transfer=typed.get("transfer") if refusal else new_key(),
        refusal=refusal,
    )
