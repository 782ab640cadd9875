"""How much one address and one account may ask of this instance; beyond that it is told when to come back."""

import re
from dataclasses import dataclass
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fedaid.foundation.api import BASE
from fedaid.foundation.clock import Clock
from fedaid.foundation.pages import house, viewer
from fedaid.members.rules import address_key
from inbox.memory import Counter

_PHOTO_FORMS = re.compile(r"/post(/preview|/keep)?|/listings/[0-9]+/edit")
ADDRESSES_REMEMBERED_MAX = 4096  # as they are counted: proxies and other servers keep their connections
_FREE = ("/static/", "/livez", "/readyz")
_WAITING = ("/notices/live",)


@dataclass(frozen=True)
class WebLimits:
    """Counted by each web process for itself, in windows that begin with the first that is counted (attacks S16, S85).

    window_seconds                   how long a window lasts
    requests_per_address_max         from one address (a /64 for IPv6), whoever asks; documents that are ready are free
    requests_per_account_max         by one signed-in member, from wherever
    refused_letters_per_address_max  letters to inboxes that were refused, before none is looked at any more
    counted_max                      addresses, and accounts, that are kept count of; the longest unheard go first (S90)
    requests_at_once_max             that are being answered; beyond it the next ones are told to come back: 503
    threads_max                      in which they are; more of them only take the interpreter from each other
    come_back_seconds                what they are told to wait
    ready_documents_max              public documents that are kept ready for other servers
    ready_document_bytes_max         of one of them; a longer one is made anew each time
    ready_seconds                    after which one is made anew, even if nothing has changed
    """

    window_seconds: int = 300
    requests_per_address_max: int = 1_500
    requests_per_account_max: int = 1_500
    refused_letters_per_address_max: int = 300
    counted_max: int = 20_000
    requests_at_once_max: int = 200
    threads_max: int = 4
    come_back_seconds: int = 5
    ready_documents_max: int = 1_000
    ready_document_bytes_max: int = 64 * 1024
    ready_seconds: int = 10


class RequestsAtOnce:
    """Stands before the pages: beyond what one process can answer soon, the next ones are refused before anything is
    looked up for them, and those before are still answered.

    Whoever is slow to send or to read takes no place meanwhile. Free are files, health checks, documents that are
    ready, and open pages that wait for news, which have a limit of their own.
    """

    def __init__(self, app: ASGIApp, limits: WebLimits) -> None:
        self._app = app
        self._limits = limits
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith((*_FREE, *_WAITING)):
            await self._app(scope, receive, send)
            return
        if self._at_work >= self._limits.requests_at_once_max:
            await busy(self._limits.come_back_seconds)(scope, receive, send)
            return

        async def waiting_receive() -> Message:
            self._at_work -= 1
            try:
                return await receive()
            finally:
                self._at_work += 1

        async def waiting_send(message: Message) -> None:
            self._at_work -= 1
            try:
                await send(message)
            finally:
                self._at_work += 1

        self._at_work += 1
        try:
            await self._app(scope, waiting_receive, waiting_send)
        finally:
            self._at_work -= 1


class RequestLimits:
    """Stands before the pages. Static files and the health checks are free, and what ``ReadyDocuments`` answers."""

    def __init__(self, app: ASGIApp, limits: WebLimits, clock: Clock) -> None:
        self._app = app
        self._limits = limits
        self._addresses = _counter(limits, clock)
        self._accounts = _counter(limits, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_FREE):
            await self._app(scope, receive, send)
            return
        refusal = self._count(self._addresses, _address(scope), self._limits.requests_per_address_max)
        refusal = refusal or await self._count_account(Request(scope))
        await (refusal or self._app)(scope, receive, send)

    async def _count_account(self, request: Request) -> Response | None:
        if house(request).cookie_name not in request.cookies:
            return None
        who = await run_in_threadpool(viewer, request)  # kept in the request, so that it is looked up once
        if who.member_id is None:
            return None
        return self._count(self._accounts, str(who.member_id), self._limits.requests_per_account_max)

    def _count(self, counter: Counter, name: str, most: int) -> Response | None:
        return too_many(counter.seconds_left(name)) if counter.add(name) > most else None


class BodyLimits:
    """Stands before the pages: a form has so many bytes, and one that can hold a photo has more.

    The API counts for itself, as it says no in another shape.
    """

    def __init__(self, app: ASGIApp, form_bytes_max: int, photo_bytes_max: int) -> None:
        self._app = app
        self._plain = RequestBodyLimitMiddleware(app, max_body_size=form_bytes_max)
        self._with_photo = RequestBodyLimitMiddleware(app, max_body_size=form_bytes_max + photo_bytes_max)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(f"{BASE}/"):
            await self._app(scope, receive, send)
            return
        may_hold_photo = scope["type"] == "http" and _PHOTO_FORMS.fullmatch(scope["path"]) is not None
        await (self._with_photo if may_hold_photo else self._plain)(scope, receive, send)


class RefusedLetters:
    """Stands before the inboxes: an address whose letters were refused too often is heard again after the window.

    Whoever sends letters that are taken is never counted, however many they are.
    """

    def __init__(self, app: ASGIApp, limits: WebLimits, clock: Clock) -> None:
        self._app = app
        self._limits = limits
        self._refused = _counter(limits, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _address(scope)
        if self._refused.count(name) >= self._limits.refused_letters_per_address_max:
            await too_many(self._refused.seconds_left(name))(scope, receive, send)
            return

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start" and 400 <= message["status"] < 500:
                self._refused.add(name)
            await send(message)

        await self._app(scope, receive, counting_send)


def too_many(seconds: int) -> Response:
    """429 (RFC 6585) with Retry-After, made without looking anything up."""
    wait = max(1, seconds)
    problem = {
        "type": "about:blank",
        "title": "Too many requests",
        "status": 429,
        "code": "too_many_requests",
        "detail": f"Too much was asked from here at once. Please come back in {wait} seconds.",
    }
    return JSONResponse(problem, 429, {"Retry-After": str(wait)}, "application/problem+json")


def busy(seconds: int) -> Response:
    """503 (RFC 9110, section 15.6.4) with Retry-After, made without looking anything up."""
    problem = {
        "type": "about:blank",
        "title": "Busy just now",
        "status": 503,
        "code": "too_busy",
        "detail": f"Very many people ask here at once. Please come back in {seconds} seconds.",
    }
    return JSONResponse(problem, 503, {"Retry-After": str(seconds)}, "application/problem+json")


def _counter(limits: WebLimits, clock: Clock) -> Counter:
    return Counter(clock, seconds=limits.window_seconds, entries_max=limits.counted_max)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return _key_of(client[0]) if client else ""


_key_of = lru_cache(ADDRESSES_REMEMBERED_MAX)(address_key)
