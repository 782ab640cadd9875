"""The pages of who is not welcome: what is laid on whom, and block lists previewed, taken over and given away."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.admin import blocks
from fedaid.foundation.pages import NOTHING_TYPED, Form, admin, form_page, go, house, render
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.network import commands
from fedaid.network.rules import block_lists
from fedaid.network.rules.restrictions import REASON_CHARACTERS_MAX, Terms, chosen_target

FORM_BYTES_MAX = 2 * block_lists.LIST_BYTES_MAX  # the list, and what is ticked beside it
SEVERITY_WORDS = {"block": "Block: nothing in, nothing out", "limit": "Limit: only those who follow see it"}

Endpoint = Callable[[Request], Awaitable[Response]]


def routes() -> Sequence[Route]:
    """Everything under /blocks."""
    return [
        Route("/blocks", blocks_page, methods=["GET"]),
        Route("/blocks", form_page(lay), methods=["POST"]),
        Route("/blocks/lift", form_page(lift), methods=["POST"]),
        Route("/blocks/export.csv", export, methods=["GET"]),
        Route("/blocks/import", import_page, methods=["GET"]),
        Route("/blocks/import", _with_list(_preview), methods=["POST"]),
        Route("/blocks/import/take", _with_list(_take), methods=["POST"]),
    ]


def blocks_page(request: Request) -> Response:
    """What is laid on whom, and the form for more."""
    return _page(request, NOTHING_TYPED)


def _page(request: Request, typed: Form, refusal: str = "", status: int = 200) -> Response:
    admin(request)
    asked = request.query_params.get("q", "")[:REASON_CHARACTERS_MAX]
    with house(request).database.read() as connection:
        found = blocks.find(connection, asked)
    return render(
        request,
        "admin/blocks.html",
        status,
        found=found,
        asked=asked,
        typed=typed,
        refusal=refusal,
        severity_words=SEVERITY_WORDS,
        terms_in_words=blocks.terms_in_words,
        reason_max=REASON_CHARACTERS_MAX,
    )


def lay(request: Request, form: Form) -> Response:
    """Block or limit a host or an actor; a refusal keeps what was typed."""
    who = admin(request)
    try:
        terms = Terms(
            blocks.read_severity(form["severity"]),
            form["reason"],
            rejects_media=form["rejects_media"] == "yes",
            rejects_reports=form["rejects_reports"] == "yes",
        )
        with house(request).units.begin() as work:
            commands.restrict(work, commands.chosen(work, form["target"]), terms, who.actor)
    except Refused as refused:
        return _page(request, form, refused.sentence, refused.status)
    return go("/blocks", "restricted")


def lift(request: Request, form: Form) -> Response:
    """They are welcome again. Raises NotFound."""
    who = admin(request)
    with house(request).units.begin() as work:
        commands.lift(work, chosen_target(form["target"]), who.actor)
    return go("/blocks", "lifted")


def export(request: Request) -> Response:
    """The list as Mastodon reads it."""
    admin(request)
    with house(request).database.read() as connection:
        text = blocks.export(connection)
    headers = {"Content-Disposition": 'attachment; filename="domain_blocks.csv"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def import_page(request: Request) -> Response:
    """The form for a list."""
    admin(request)
    return render(request, "admin/blocks_import.html", refusal="")


@dataclass(frozen=True)
class Uploaded:
    """A list as it was sent, with the lines that are to be taken although they shut out a neighbour."""

    data: bytes
    also: frozenset[str]


def _with_list(handler: Callable[[Request, Uploaded], Response]) -> Endpoint:
    """Makes a route out of a function that takes a list; who is looking is asked before anything is read."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        await run_in_threadpool(admin, request)
        try:
            return await run_in_threadpool(handler, request, await _uploaded(request))
        except NotFound:
            raise
        except Refused as refused:
            return await run_in_threadpool(
                render, request, "admin/blocks_import.html", refused.status, refusal=refused.sentence
            )

    return endpoint


async def _uploaded(request: Request) -> Uploaded:
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit() and len(length) < 12 and int(length) <= FORM_BYTES_MAX):
        raise Refused(
            "list_too_long", said("A list has at most %(value)s kB.", value=block_lists.LIST_BYTES_MAX // 1024), 413
        )
    async with request.form(max_files=1, max_fields=block_lists.LINES_MAX, max_part_size=FORM_BYTES_MAX) as form:
        sent = form.get("list")
        data = await sent.read() if isinstance(sent, UploadFile) else (sent or "").encode("utf-8", "replace")
        also = frozenset(name for name in form.getlist("also") if isinstance(name, str))
    return Uploaded(data, also)


def _preview(request: Request, uploaded: Uploaded) -> Response:
    """What would become of each line; nothing is changed."""
    found, home = block_lists.read(uploaded.data), house(request)
    with home.database.read() as connection:
        preview = blocks.preview(connection, found, home.names.host)
    text = uploaded.data.decode("utf-8-sig")
    return _told(request, preview, text)


def _take(request: Request, uploaded: Uploaded) -> Response:
    """Take it over, and say what became of each line."""
    found, who = block_lists.read(uploaded.data), admin(request)
    with house(request).units.begin() as work:
        report = blocks.take(work, found, who.actor, uploaded.also)
    return _told(request, report, "")


def _told(request: Request, preview: blocks.Preview, text: str) -> Response:
    return render(
        request,
        "admin/blocks_preview.html",
        preview=preview,
        text=text,
        outcome_words=blocks.OUTCOME_WORDS,
        terms_in_words=blocks.terms_in_words,
        shown_max=blocks.SHOWN_MAX,
    )
