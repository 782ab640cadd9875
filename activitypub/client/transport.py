"""The guarded transport: one pool of kept connections, each made by the guard, with no proxy from the environment."""

import ssl
from collections.abc import AsyncIterable, AsyncIterator
from functools import cache
from typing import cast

import httpcore2
import httpx2

from activitypub.client.guard import Guard
from activitypub.client.limits import FetchLimits

NETWORK_ERRORS = (
    httpx2.TransportError,
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    OSError,
)
TIMEOUTS = (httpx2.TimeoutException, httpcore2.TimeoutException, TimeoutError)


@cache
def _tls() -> ssl.SSLContext:
    """One per process: making it costs 20 ms. The system's certificates, whatever the environment says."""
    return httpx2.create_ssl_context(trust_env=False)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Carries requests over connections that the guard has made; raises FetchFailed or one of NETWORK_ERRORS."""

    def __init__(self, guard: Guard, limits: FetchLimits, tls: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls or _tls(),
            max_connections=limits.connections_max,
            max_keepalive_connections=limits.kept_connections_max,
            keepalive_expiry=limits.idle_seconds_max,
            network_backend=guard,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request and the head of its answer; the body is read by iterating over the answer's stream."""
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        # An extension named target holds the path exactly as it was signed; httpx2 would tidy it up.
        answer = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=url,
                headers=request.headers.raw,
                content=cast("AsyncIterable[bytes]", request.stream),
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(cast("AsyncIterable[bytes]", answer.stream)),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    """The rest of an answer, as it comes in."""

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()
