"""Turns refusals and faults into answers: a page for people, problem details (RFC 9457) for machines."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from activitypub.errors import ProtocolError
from fedaid.foundation.pages import READER_HEADERS, AgreementNeeded, SignInNeeded, house, read_form, render
from fedaid.foundation.refused import Refused
from fedaid.members.queries.joining import agreement

log = structlog.get_logger()

HEADINGS = {
    400: "This could not be read",
    401: "Please sign in",
    403: "Not allowed",
    404: "Nothing here",
    405: "This cannot be done here",
    410: "Taken down",
    413: "Too large",
    421: "Wrong address",
    422: "That did not work",
    429: "Too many tries",
    500: "Something broke here",
    503: "Busy just now",
}
SENTENCES = {
    404: "There is nothing here, or it is not yours to see.",
    405: "This address does not take that kind of request.",
    413: "This is more than a form of ours may hold; nothing was kept of it.",
}
_EVERYDAY = frozenset({404, 405})  # nothing an admin wants to read about
FAULT_SENTENCE = "It is our fault, not yours. What you sent before is kept; please try again in a moment."

ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]


def exception_handlers() -> dict[type[Exception] | int, ExceptionHandler]:
    """What Starlette should do with each kind of exception that leaves a page."""
    return {
        Refused: _refused,
        ProtocolError: _protocol_error,
        HTTPException: _http_exception,
        Exception: _fault,
    }


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - narrows the type Starlette gave
    if isinstance(error, SignInNeeded) and _is_person(request):
        return RedirectResponse(f"/sign-in?next={quote(_return_path(request), safe='')}", 303)
    if isinstance(error, AgreementNeeded) and _is_person(request):
        return await run_in_threadpool(_ask_to_accept, request, await read_form(request), error)
    answer = await _answer(request, error.status, error.code, error.sentence)
    answer.headers.update(error.headers)
    return answer


def _ask_to_accept(request: Request, typed: Mapping[str, str], needed: AgreementNeeded) -> Response:
    """The agreement, with what was typed behind its button: once it is accepted, that is carried out."""
    with house(request).database.read() as connection:
        newest = agreement(connection)
    page = render(
        request,
        "members/agreement.html",
        needed.status,
        agreement=newest,
        accepted=None,
        wrong_sentence=needed.sentence,
        then=str(request.url.replace(scheme="", netloc="")),
        typed=typed,
    )
    page.headers["Cache-Control"] = "no-store"
    return page


async def _protocol_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProtocolError)  # noqa: S101 - narrows the type Starlette gave
    return await _answer(request, 400, error.code, error.sentence)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type Starlette gave
    status = error.status_code
    if status not in _EVERYDAY:
        log.info("page_refused", path=request.url.path, status=status, code=f"http_{status}")
    answer = await _answer(request, status, f"http_{status}", SENTENCES.get(status, error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _fault(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(4)
    # A database error's text holds the values of the statement; its kind is enough to find it by.
    told = type(error).__name__ if isinstance(error, SQLAlchemyError) else repr(error)
    log.error("page_failed", reference=reference, path=request.url.path, error=told, exc_info=_safe_trace(error))
    return await _answer(request, 500, "fault", FAULT_SENTENCE, reference)


def _safe_trace(error: Exception) -> Exception | None:
    return None if isinstance(error, SQLAlchemyError) else error


async def _answer(request: Request, status: int, code: str, sentence: str, reference: str = "") -> Response:
    heading = HEADINGS.get(status, "That did not work")
    if _is_person(request):
        return await run_in_threadpool(
            render, request, "error.html", status, heading=heading, sentence=sentence, reference=reference
        )
    problem = {"type": "about:blank", "title": heading, "status": status, "code": code, "detail": sentence}
    if reference:
        problem["reference"] = reference
    # Who asked may be why there is nothing here, so nobody keeps a copy for others (attack S47).
    headers = {"Cache-Control": "private, no-store", "Vary": READER_HEADERS}
    return JSONResponse(problem, status, headers, "application/problem+json")


def _is_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _return_path(request: Request) -> str:
    """Where to go back to after signing in: the page itself, or for a form the page it stood on cannot be known."""
    if request.method != "GET":
        return "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query
