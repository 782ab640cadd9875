"""The pages of neighbouring networks, of what both books say about each, and of the whole journal."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.errors import ProtocolError
from fedaid.admin.networks import Desk, books_with, overview
from fedaid.foundation import wording
from fedaid.foundation.pages import NOTHING_TYPED, Form, admin, go, house, read_form, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.wording import MINUTES_PER_HOUR
from fedaid.timebank import queries as timebank
from fedaid.timebank.queries import Agreed
from fedaid.timebank.rules.journal import Format, write
from fedaid.timebank.rules.states import Alarm

STATUS_WORDS = {
    "proposed": "Waiting for their admin",
    "asked": "Waiting for you",
    "accepted": "Accepted",
    "paused": "Paused",
    "ended": "Ended",
}
# The account's status, where it says more than the link's.
ACCOUNT_WORDS = {"lost": "Gone for good", "closing": "Ended; something is still owed"}
AGREED_WORDS = {
    Agreed.WAITING: "waits for the other side to sign",
    Agreed.COUNTERSIGNED: "signed by both",
    Agreed.DIFFERS: "the other side sees it differently",
}
ALARM_WORDS = {
    Alarm.RECOVERED: "Hours were posted that had been decided before one of us was restored from a backup.",
    Alarm.SYNC: "A message made no sense with what is known here; our common messages were compared.",
    Alarm.LATE: "Hours were confirmed after they had been given up; they were credited within the line.",
    Alarm.DISPUTED: "Hours were confirmed after they had been given up, beyond the line: you decide.",
    Alarm.CONTRADICTION: "One transfer was both confirmed and refused; both messages are kept, the confirmation wins.",
    Alarm.REPEATED: "A message was signed a second time, saying the same: its signer had forgotten the first.",
    Alarm.EQUIVOCATION: "They signed two different messages about one transfer: the link rests until you resume it.",
    Alarm.FORGOTTEN: "They have seen messages of ours that we no longer have: were we restored from a backup?",
    Alarm.FORKED: "They have seen another message of ours under the same number: were we restored from a backup?",
    Alarm.REWOUND: "They gave a number a second time: they were restored from a backup.",
    Alarm.DIFFERS: "The two networks do not agree on a statement; what differs stands with the network’s books.",
    Alarm.KEY_LOST: "We were restored and no longer have the key that they expect: end the link and propose it anew.",
    Alarm.JUNK: "What they showed as our common messages is not what it says it is.",
}
REASON_WORDS = {
    "not_yours": "it was not theirs to make",
    "previous": "it does not follow on the last one that both signed",
    "opening": "it does not begin where the last one ended",
    "lines": "some transfers are not the same in both books",
    "closing": "its lines do not add up",
}
SAID = {
    "propose": "network_proposed",
    "accept": "network_accepted",
    "pause": "network_paused",
    "resume": "network_resumed",
    "end": "network_ended",
    "lost": "network_lost",
    "found": "network_found",
    "write-off": "network_written_off",
    "line": "network_line",
    "statement": "network_stated",
    "undo-write-off": "network_undone",
    "take-late": "network_late_taken",
    "seen": "network_seen",
}
MEDIA = {Format.CSV: "text/csv; charset=utf-8", Format.JSON: "application/json", Format.BEANCOUNT: "text/plain"}

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(desk: Desk) -> Sequence[Route]:
    """The page of all links, one address for each step of a link, the books with each network, and the journal."""

    def networks_page(request: Request) -> Response:
        """All neighbouring networks with the steps that can be taken, for the admin."""
        admin(request)
        return _page(request, desk, NOTHING_TYPED)

    steps = _steps(desk)
    return [
        Route("/networks", networks_page, methods=["GET"]),
        *(Route(f"/networks/{name}", _step(desk, name, step), methods=["POST"]) for name, step in steps.items()),
        Route("/networks/{host}", _books_page(desk), methods=["GET"]),
        Route("/networks/{host}/statements/{number:int}", statement_papers, methods=["GET"]),
        Route("/books", books_page, methods=["GET"]),
        *(Route(f"/books/journal.{wanted}", _journal(wanted), methods=["GET"]) for wanted in Format),
    ]


Step = Callable[[Form], Awaitable[None]]


def _steps(desk: Desk) -> Mapping[str, Step]:
    """What each form of the pages does."""

    async def propose(form: Form) -> None:
        largest, days = _hours(form["largest_hours"]), _days(form["days"])
        await desk.propose(form["host"], _hours(form["line_hours"]), largest, days)

    async def accept(form: Form) -> None:
        await desk.accept(form["host"], _hours(form["line_hours"]), _hours(form["largest_hours"]))

    async def line(form: Form) -> None:
        await desk.set_line(form["host"], _hours(form["line_hours"]))

    return {
        "propose": _said_as(Desk.propose, propose),
        "accept": _said_as(Desk.accept, accept),
        "line": _said_as(Desk.set_line, line),
        "pause": _said_as(Desk.pause, lambda form: desk.pause(form["host"])),
        "resume": _said_as(Desk.resume, lambda form: desk.resume(form["host"])),
        "end": _said_as(Desk.end, lambda form: desk.end(form["host"])),
        "lost": _said_as(Desk.lost, lambda form: desk.lost(form["host"])),
        "found": _said_as(Desk.found, lambda form: desk.found(form["host"])),
        "write-off": _said_as(Desk.write_off, lambda form: desk.write_off(form["host"])),
        "statement": _said_as(Desk.state, lambda form: desk.state(form["host"])),
        "undo-write-off": _said_as(Desk.undo_write_off, lambda form: desk.undo_write_off(form["transfer"])),
        "take-late": _said_as(Desk.take_late, lambda form: desk.take_late(form["transfer"])),
        "seen": _said_as(Desk.see, lambda form: desk.see(form["number"])),
    }


def _said_as(of_desk: Callable[..., object], step: Step) -> Step:
    """A step of the page means what the desk says of it."""
    return wraps(of_desk)(step)


def _step(desk: Desk, name: str, take: Step) -> Endpoint:
    @wraps(take)
    async def endpoint(request: Request) -> Response:
        await run_in_threadpool(admin, request)
        form = await read_form(request)
        try:
            await take(form)
        except (Refused, ProtocolError) as refusal:
            status = refusal.status if isinstance(refusal, Refused) else 422
            return await run_in_threadpool(_page, request, desk, form, refusal.sentence, status)
        return go(f"/networks/{form['back']}" if _is_host(form["back"]) else "/networks", SAID[name])

    return endpoint


def _is_host(typed: str) -> bool:
    return typed.isascii() and typed.isprintable() and bool(typed) and not set(typed) & set("/\\?#%")


def _hours(typed: str) -> float | None:
    try:
        return float(typed.replace(",", ".")) if typed else None
    except ValueError:
        raise Refused("line", "The line is a number of hours, such as 20.") from None


def _days(typed: str) -> int | None:
    if typed and not (typed.isascii() and typed.isdigit() and len(typed) <= 3):
        raise Refused("offer_days", "The time to answer is a number of days, such as 14.")
    return int(typed) if typed else None


def _page(request: Request, desk: Desk, typed: Form, refusal: str = "", status: int = 200) -> Response:
    with house(request).database.read() as connection:
        return render(
            request,
            "admin/networks.html",
            status,
            rows=overview(connection),
            exposure=timebank.exposure(connection, desk.limits),
            alarms=timebank.alarms(connection),
            late=timebank.late(connection),
            alarm_words=ALARM_WORDS,
            typed=typed,
            refusal=refusal,
            status_words=STATUS_WORDS,
            account_words=ACCOUNT_WORDS,
            limits=desk.limits,
            default_line_hours=desk.limits.line_minutes / MINUTES_PER_HOUR,
            default_largest_hours=desk.limits.max_transfer_minutes / MINUTES_PER_HOUR,
        )


def _books_page(desk: Desk) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        """What both books say about one network: lines, statements, what differs, what is on its way; for the admin."""
        admin(request)
        with house(request).database.read() as connection:
            row = next((row for row in overview(connection) if row.host == request.path_params["host"]), None)
            account = timebank.peer_by_host(connection, row.host) if row is not None else None
            if row is None or account is None:
                raise NotFound
            return render(
                request,
                "admin/books_with.html",
                row=row,
                books=books_with(connection, account.ledger_actor),
                status_words=STATUS_WORDS,
                account_words=ACCOUNT_WORDS,
                agreed_words=AGREED_WORDS,
                reason_words=REASON_WORDS,
                line_hours=row.line_we_grant / MINUTES_PER_HOUR,
            )

    return endpoint


def statement_papers(request: Request) -> Response:
    """The signed documents of one statement, the proposal first; for the admin."""
    admin(request)
    with house(request).database.read() as connection:
        account = timebank.peer_by_host(connection, request.path_params["host"])
        if account is None:
            raise NotFound
        papers = timebank.statement_papers(connection, account.peer_id, request.path_params["number"])
    if not papers:
        raise NotFound
    body = orjson.dumps([orjson.loads(paper) for paper in papers], option=orjson.OPT_INDENT_2)
    return Response(body, media_type="application/json", headers={"Cache-Control": "private, no-store"})


def books_page(request: Request) -> Response:
    """Every account with its balance, and the journal to take away; for the admin."""
    admin(request)
    home = house(request)
    with home.database.read() as connection:
        found = timebank.journal(connection, home.names, home.called, wording.zone(home.time_zone))
    newest = found.entries[-1] if found.entries else None
    return render(request, "admin/books.html", accounts=found.accounts, newest=newest, formats=list(Format))


def _journal(wanted: Format) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        """The whole journal as a file, without notes; for the admin."""
        admin(request)
        home = house(request)
        with home.database.read() as connection:
            found = write(timebank.journal(connection, home.names, home.called, wording.zone(home.time_zone)), wanted)
        body = found.encode() if isinstance(found, str) else orjson.dumps(found, option=orjson.OPT_INDENT_2)
        disposition = f'attachment; filename="journal.{wanted}"'
        headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
        return Response(body, media_type=MEDIA[wanted], headers=headers)

    return endpoint
