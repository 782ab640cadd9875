"""The statement of an account over a time: as a page to print, as CSV, and as JSON that our ledger signs."""

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation import wording
from fedaid.foundation.pages import house, member, render
from fedaid.foundation.refused import Refused
from fedaid.timebank import queries
from fedaid.timebank.pages.acting import acting_for
from fedaid.timebank.queries import DatedStatement, Holder
from fedaid.timebank.rules.spreadsheet import as_csv

A_SECOND = timedelta(seconds=1)  # what is signed says whole seconds, and this very second belongs to it
HEADER = (
    "day",
    "time",
    "with",
    "address",
    "for what",
    "minutes",
    "hours",
    "balance",
    "state",
    "entered by",
    "transfer",
)


def statement_page(request: Request) -> Response:
    """The statement of an account between two days, to read and to print."""
    holder, found = _read(request)
    days = {name: request.query_params.get(name, "") for name in ("from", "to")}
    links = urlencode({name: value for name, value in {**days, "for": holder.handle}.items() if value})
    return render(
        request, "timebank/statement.html", holder=holder, found=found, days=days, links="?" + links if links else ""
    )


def statement_csv(request: Request) -> Response:
    """The same for a spreadsheet."""
    holder, found = _read(request)
    body = written_as_csv(found, member(request).time_zone)
    return _file(body.encode(), "text/csv; charset=utf-8", _name(holder, "csv"))


def written_as_csv(found: DatedStatement, zone: str) -> str:
    """A statement for a spreadsheet, times in the given zone."""
    rows = []
    for dated in found.lines:
        line, local = dated.line, dated.line.at.astimezone(wording.zone(zone))
        entered = line.entered_by.handle.removeprefix("@") if line.entered_by else ""
        figures = (line.signed_minutes, wording.in_figures(line.signed_minutes), wording.in_figures(dated.balance))
        words = (line.other.name, line.other.handle.removeprefix("@"), line.note)
        rows.append((f"{local:%Y-%m-%d}", f"{local:%H:%M}", *words, *figures, line.state, entered, line.transfer_id))
    return as_csv(HEADER, rows)


def statement_json(request: Request) -> Response:
    """The same signed by our ledger, without names and notes: whoever has the network's key can check it."""
    holder, found = _read(request)
    home = house(request)
    with home.database.read() as connection:
        document = queries.signed_statement(connection, home.names.ledger, holder.actor, found, home.units.clock.now())
    body = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    return _file(body, "application/json", _name(holder, "json"))


def _read(request: Request) -> tuple[Holder, DatedStatement]:
    """What the address asks for: ``from`` and ``to`` are days in the viewer's time zone, both included."""
    who, home = member(request), house(request)
    start = _day(request.query_params.get("from", ""))
    last = _day(request.query_params.get("to", ""))
    end = _midnight(last + timedelta(days=1), who.time_zone) if last else home.units.clock.now() + A_SECOND
    with home.database.read() as connection:
        holder = acting_for(request, connection, request.query_params.get("for", ""))
        begin = _midnight(start, who.time_zone) if start else None
        return holder, queries.dated(connection, holder.actor, home.names.host, begin, end)


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise Refused("day", "A day is written as 2026-09-01.") from None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), wording.zone(zone))


def _name(holder: Holder, ending: str) -> str:
    return f"hours-{holder.handle or 'mine'}.{ending}"


def _file(body: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(body, media_type=kind, headers=headers)
