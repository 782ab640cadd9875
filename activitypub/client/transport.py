"""The guarded transport: kept connections, each made by the guard, with no proxy from the environment."""

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from functools import cache
from typing import cast

import httpcore2
import httpx2

from activitypub.client.guard import Guard
from activitypub.client.limits import FetchLimits
from activitypub.client.lines import Lines, Reply
from activitypub.identifiers import Url

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
def trusting(more: str = "") -> ssl.SSLContext:
    """One per process: making it costs 20 ms. The system's authorities, whatever the environment says.

    ``more`` is a PEM file of authorities that are trusted besides, as those of a private network. Raises OSError for a
    file that cannot be read, or holds none.
    """
    context = httpx2.create_ssl_context(trust_env=False)
    context.set_alpn_protocols(["http/1.1"])
    if more:
        context.load_verify_locations(more)
    return context


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Carries requests over connections that the guard has made; raises FetchFailed or one of NETWORK_ERRORS.

    What is fetched goes through one pool; letters, of which there may be a thousand a second, go over lines.
    """

    def __init__(self, guard: Guard, limits: FetchLimits, tls: ssl.SSLContext | None = None) -> None:
        tls = tls or trusting()
        self._lines = Lines(guard, limits, tls)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
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

    async def post(self, url: Url, headers: Mapping[str, str], body: bytes) -> Reply:
        """One letter; the answer is whole, or as long as it may be."""
        return await self._lines.post(url, headers, body)

    async def aclose(self) -> None:
        """Close all connections."""
        self._lines.close()
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
