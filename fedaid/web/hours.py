"""The two forms that move hours, "I gave help" and "give hours": for one or several people, for a listing or none."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import segno
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.board import commands as board_commands
from fedaid.board import queries as board
from fedaid.board.rules import MatchState
from fedaid.foundation import wording
from fedaid.foundation.ids import checked_key, new_key
from fedaid.foundation.pages import Form, form_page, go, house, member, read_form, render, viewer
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.members import queries as members
from fedaid.timebank import queries
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.pages.acting import acting_for, home_of, note_who
from fedaid.web import people
from fedaid.web.moving import CLAIM, GIVE, About, agreement_of, move, own_listing
from fedaid.web.people import Introductions, Named

QR_UNIT = 6  # pixels of one square


def routes(limits: TimebankLimits, introductions: Introductions) -> Sequence[Route]:
    """The forms, the page that makes a code for the other's phone, and the short links that such a code holds."""
    return [
        Route("/hours/give", give_page, methods=["GET"]),
        Route("/hours/give", _posted(_give(limits), introductions), methods=["POST"]),
        Route("/hours/claim", claim_page, methods=["GET"]),
        Route("/hours/claim", _posted(_claim(limits), introductions), methods=["POST"]),
        Route("/hours/gift", form_page(gift), methods=["POST"]),
        Route("/hours/code", code_page, methods=["GET"]),
        Route("/give/{handle}", short_link(GIVE), methods=["GET"]),
        Route("/claim/{handle}", short_link(CLAIM), methods=["GET"]),
    ]


# the two forms


@dataclass(frozen=True)
class Choice:
    """What hours can be for: an agreement or a listing; ``value`` stands in the form."""

    value: str
    title: str
    who: str
    minutes: int | None


def give_page(request: Request) -> Response:
    """The form to give hours to one or several people."""
    return _form(request, GIVE, request.query_params)


def claim_page(request: Request) -> Response:
    """The form to log help that was given, filled in with what was agreed."""
    return _form(request, CLAIM, _prefilled(request))


def _prefilled(request: Request) -> Mapping[str, str]:
    asked = request.query_params
    agreement = asked.get("agreement", "")
    if not agreement:
        return asked
    agreed = _agreement(request, agreement)
    minutes = agreed.match.minutes
    hours = wording.in_figures(minutes) if minutes else ""
    return {"agreement": agreement, "hours": hours, "note": agreed.listing.title}


def _form(request: Request, kind: str, typed: Mapping[str, str], refusal: str = "", status: int = 200) -> Response:
    who, home = member(request), house(request)
    agreement = typed.get("agreement", "") if kind == CLAIM else ""
    agreed = _agreement(request, agreement) if agreement else None
    with home.database.read() as connection:
        holder = acting_for(request, connection, typed.get("for", ""))
        return render(
            request,
            "web/move_hours.html",
            status,
            kind=kind,
            holder=holder,
            agreed=agreed,
            purses=queries.purses(connection, who),
            choices=_choices(connection, who, kind) if holder.is_own else (),
            statement=queries.statement(connection, holder.actor, home.names.host, lines_max=0),
            new_transfer=typed.get("transfer") or new_key(),
            typed={name: typed.get(name, "") for name in ("to", "hours", "note", "about")},
            refusal=refusal,
        )


def _choices(connection: Connection, who: Viewer, kind: str) -> Sequence[Choice]:
    """What this can be for: agreements in which the viewer is at the right end, and the viewer's own listings."""
    gives = kind == CLAIM
    agreed = [
        Choice(one.match.agreement_uri, one.listing.title, one.other.name, one.match.minutes)
        for one in board.my_matches(connection, who)
        if one.gives is gives and one.match.hours_logged_at is None and one.match.state is not MatchState.CANCELLED
    ]
    return [*agreed, *(Choice(one.uri, one.title, "", one.minutes) for one in board.my_listings(connection, who))]


Carry = Callable[[Request, Form], Response]


def _posted(carry: Carry, introductions: Introductions) -> Callable[[Request], Awaitable[Response]]:
    """Reads the form and meets whom it names elsewhere, then carries it out in a thread, as it writes."""

    async def endpoint(request: Request) -> Response:
        await run_in_threadpool(member, request)
        form = await read_form(request)
        try:
            unknown = await run_in_threadpool(introductions.unknown, form["to"]) if form["to"] else ()
        except Refused:
            unknown = ()  # the form says what is wrong with it
        for handle in unknown:
            await introductions.meet(handle)
        return await run_in_threadpool(carry, request, form)

    endpoint.__doc__ = carry.__doc__
    return endpoint


def _give(limits: TimebankLimits) -> Carry:
    def carry(request: Request, form: Form) -> Response:
        """Give hours to one or several people, at once where they live here. A refusal keeps what was typed."""
        return _carry(request, limits, GIVE, form)

    return carry


def _claim(limits: TimebankLimits) -> Carry:
    def carry(request: Request, form: Form) -> Response:
        """Log help that was given; each of those who were helped confirms. A refusal keeps what was typed."""
        return _carry(request, limits, CLAIM, form)

    return carry


def _carry(request: Request, limits: TimebankLimits, kind: str, form: Form) -> Response:
    try:
        return _move(request, limits, kind, form)
    except NotFound:
        raise
    except Refused as refused:
        return _form(request, kind, form, refused.sentence, refused.status)


def _move(request: Request, limits: TimebankLimits, kind: str, form: Form) -> Response:
    minutes = wording.typed_minutes(form["hours"])
    agreed = _chosen_agreement(request, kind, form)
    home = house(request)
    waits = None
    with home.units.begin() as work:
        holder = acting_for(request, work.connection, form["for"])
        if agreed is not None:
            named: Sequence[Named] = [Named("", agreed.other.uri, agreed.other.name)]
        else:
            named = people.find(work.connection, home.names, form["to"])
        own = agreed.listing.uri if agreed else own_listing(work.connection, member(request), form["about"])
        about = About(agreed if len(named) == 1 else None, own)
        for one in named:
            made = move(
                work,
                limits,
                kind,
                _key(form["transfer"], one, len(named)),
                holder=holder.actor,
                other=one.actor,
                minutes=minutes,
                about=about,
                note=form["note"],
            )
            note_who(request, work, holder, made)
            waits = waits or queries.waits_for(work.connection, made)
        if agreed is not None:
            board_commands.log_hours(work, agreed.match.agreement_uri)
    said = "hours_queued" if waits else "hours_given" if kind == GIVE else "hours_claimed"
    return go("/me" if agreed is not None and holder.is_own else home_of(holder), said)


def _key(typed: str, one: Named, count: int) -> str:
    """A key for each transfer of a form: the same when the form is sent twice."""
    return typed if count == 1 else str(uuid.uuid5(uuid.UUID(checked_key(typed)), one.actor))


def _chosen_agreement(request: Request, kind: str, form: Form) -> board.Agreed | None:
    """The agreement that was chosen, or that the form was opened for."""
    chosen = form["agreement"] or form["about"]
    if not chosen or form["for"]:
        return None
    try:
        return _agreement(request, chosen, gives=kind == CLAIM)
    except NotFound:
        if form["agreement"]:
            raise
        return None


def _agreement(request: Request, agreement: str, *, gives: bool = True) -> board.Agreed:
    """The match of this agreement in which the viewer is at this end. Raises NotFound."""
    with house(request).database.read() as connection:
        return agreement_of(connection, member(request), agreement, gives=gives)


def gift(request: Request, form: Form) -> Response:
    """The help was a gift: the agreement is done, and no hours are asked for."""
    agreed = _agreement(request, form["agreement"])
    with house(request).units.begin() as work:
        if agreed.match.state is MatchState.ACCEPTED:
            board_commands.mark_done(work, member(request), agreed.match.id)
        board_commands.log_hours(work, agreed.match.agreement_uri)
    return go("/me", "hours_gift")


# codes and short links


def code_page(request: Request) -> Response:
    """A code for the other's phone, and the short link that it holds: to give me hours, or to log help for me."""
    who, home = member(request), house(request)
    asked = request.query_params
    kind = asked.get("kind") if asked.get("kind") in (GIVE, CLAIM) else GIVE
    minutes = wording.read_minutes(asked.get("hours", ""))
    wrong = bool(asked.get("hours")) and minutes is None
    values = {"hours": wording.in_figures(minutes) if minutes else "", "for": asked.get("note", "").strip()}
    query = urlencode({name: value for name, value in values.items() if value})
    link = f"{home.names.origin}/{kind}/{who.handle}" + (f"?{query}" if query else "")
    return render(
        request,
        "web/code.html",
        kind=kind,
        typed={name: asked.get(name, "") for name in ("hours", "note")},
        refusal="Hours are written as 1:30 or 1.5, in whole minutes." if wrong else "",
        link=link,
        picture=segno.make(link, error="m", micro=False).svg_inline(scale=QR_UNIT, border=4, dark="#000", light="#fff"),
    )


def short_link(kind: str) -> Callable[[Request], Response]:
    """Where a code leads: the form, filled in; for somebody who is not signed in here, how to go on."""

    def endpoint(request: Request) -> Response:
        """A short link out of a code: the form filled in for a member, and for anybody else how to go on."""
        home, asked = house(request), request.query_params
        with home.database.read() as connection:
            found = members.by_handle(connection, request.path_params["handle"])
        if found is None:
            raise NotFound
        filled = {"to": found.handle, "hours": asked.get("hours", ""), "note": asked.get("for", "")}
        address = f"/hours/{kind}?" + urlencode({name: value for name, value in filled.items() if value})
        if viewer(request).signed_in:
            return go(address)
        return render(request, "web/short_link.html", kind=kind, one=found, filled=filled, address=address)

    return endpoint
