"""The door to the metrics: for whom the admin allows, and never through a proxy without a token."""

import asyncio
import hmac
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fedaid.admin.metrics.limits import MetricsLimits

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Whoever comes through a proxy has the proxy's address, unless it is one that we trust; each of these gives it away.
_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class MetricsDoor:
    """Answers ``GET /metrics`` with ``text()``, to whoever may read it; to everybody else it is closed.

    ``text`` is made in a thread, one at a time: who asks twice waits.
    """

    def __init__(self, limits: MetricsLimits, text: Callable[[], bytes]) -> None:
        self._limits = limits
        self._text = text
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Metrics are read with GET.\n", 405, {"Allow": "GET, HEAD"})
        if not self._may_read(scope):
            return self._refusal()
        async with self._making:
            text = await run_in_threadpool(self._text)
        return Response(text, headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE)

    def _may_read(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        kind, _, token = headers.get("authorization", "").partition(" ")
        if self._limits.token and kind.lower() == "bearer":
            return hmac.compare_digest(token.strip().encode(), self._limits.token.encode())
        client = scope.get("client")
        return client is not None and not any(name in headers for name in _OF_PROXIES) and self._limits.knows(client[0])

    def _refusal(self) -> Response:
        if self._limits.token:
            sentence = "The metrics of this instance are for whoever shows the token that its admin chose."
            return _problem(401, "metrics_closed", sentence, {"WWW-Authenticate": 'Bearer realm="metrics"'})
        return _problem(403, "metrics_closed", "The metrics of this instance are not for everybody.")


def _problem(status: int, code: str, sentence: str, headers: dict[str, str] | None = None) -> Response:
    problem = {"type": "about:blank", "title": "Not for you", "status": status, "code": code, "detail": sentence}
    return JSONResponse(problem, status, {"Cache-Control": "no-store", **(headers or {})}, "application/problem+json")


class MetricsAlone:
    """What a process without pages answers: its metrics, and nothing else."""

    def __init__(self, door: ASGIApp) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = scope["type"] == "http" and scope["path"] == PATH
        nothing = _problem(404, "not_found", "This process works for others; only its metrics are here.")
        await (self._door if is_asked else nothing)(scope, receive, send)
