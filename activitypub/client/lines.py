"""Carries letters: POSTs over connections that are kept for each host, each of them made by the guard.

The general client spends 0.7 ms on a request, which is more than its signature costs, and looks through all of its
connections for each. Here a letter's way is a write, the parser in C that uvicorn has too, and a look at its own host.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import httptools

from activitypub.client.guard import Guard
from activitypub.client.limits import FetchLimits
from activitypub.errors import FetchFailed
from activitypub.identifiers import Origin, Url

_READ_BYTES = 64 * 1024
_PARSER_REFUSALS = (httptools.HttpParserError, httptools.HttpParserUpgrade)


@dataclass(frozen=True)
class Reply:
    """What came back: the status, the headers that matter for a letter, and the beginning of the body as it came."""

    status: int
    retry_after: str | None
    content_encoding: str
    beginning: bytes


class Tls(Protocol):
    """What is wanted of an ssl.SSLContext: TLS without a socket, that has checked the other side's certificate."""

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *, server_hostname: str | None
    ) -> ssl.SSLObject: ...


class Lines:
    """All connections that letters go over. To be used on one event loop, then closed."""

    def __init__(self, guard: Guard, limits: FetchLimits, tls: Tls) -> None:
        self._guard = guard
        self._limits = limits
        self._tls = tls
        self._idle: dict[Origin, list[Line]] = {}
        self._by_age: OrderedDict[Line, float] = OrderedDict()  # since when it is idle, the longest first
        self._sweep: asyncio.TimerHandle | None = None

    async def post(self, url: Url, headers: Mapping[str, str], body: bytes) -> Reply:
        """One POST and its answer; no redirect is followed. Raises FetchFailed or an OSError without an answer.

        On a kept connection that turns out to have been closed meanwhile it is sent once more over a new one, as long
        as nothing of an answer came: whoever took it all the same knows it by its id the second time.
        """
        request = _head(url, headers, len(body)) + body
        kept = self._take(url.origin)
        if kept is not None:
            try:
                return await self._ask(kept, request)
            except ConnectionError:
                if kept.heard_bytes:
                    raise
        return await self._ask(await self._connected(url.origin), request)

    async def _ask(self, line: "Line", request: bytes) -> Reply:
        try:
            reply = await line.ask(request)
        except BaseException:  # a cancelled request too leaves an answer behind that nobody waits for
            line.close()
            raise
        self._keep(line)
        return reply

    async def _connected(self, origin: Origin) -> "Line":
        tls = self._tls if origin.scheme == "https" else None
        made: list[Line] = []

        def line() -> Line:
            made.append(Line(self, origin, self._limits, tls))
            return made[-1]

        try:
            await self._guard.open_line(origin.host, origin.port, line)
            async with asyncio.timeout(self._limits.connect_seconds_max):
                await made[-1].ready
        except BaseException:  # a cancelled caller too leaves nobody who would close what was begun
            for one in made:
                one.close()
            raise
        return made[-1]

    def _take(self, origin: Origin) -> "Line | None":
        found = self._idle.get(origin)
        if not found:
            return None
        line = found[-1]
        self.forget(line)
        return line

    def _keep(self, line: "Line") -> None:
        if not line.is_reusable:
            line.close()
            return
        self._idle.setdefault(line.origin, []).append(line)
        self._by_age[line] = asyncio.get_running_loop().time()
        if len(self._by_age) > self._limits.kept_lines_max:
            self._drop(next(iter(self._by_age)))
        if self._sweep is None:
            self._sweep_later(self._limits.idle_seconds_max)

    def forget(self, line: "Line") -> None:
        """It is in use, or lost."""
        if self._by_age.pop(line, None) is None:
            return
        left = self._idle[line.origin]
        left.remove(line)
        if not left:
            del self._idle[line.origin]

    def _drop(self, line: "Line") -> None:
        self.forget(line)
        line.close()

    def _sweep_later(self, seconds: float) -> None:
        self._sweep = asyncio.get_running_loop().call_later(seconds, self._sweep_up)

    def _sweep_up(self) -> None:
        """Close what was idle for too long; come again for the next."""
        self._sweep = None
        now = asyncio.get_running_loop().time()
        while self._by_age:
            line, since = next(iter(self._by_age.items()))
            left = since + self._limits.idle_seconds_max - now
            if left > 0:
                self._sweep_later(left)
                return
            self._drop(line)

    def close(self) -> None:
        """Close all that are idle."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        while self._by_age:
            self._drop(next(iter(self._by_age)))


def _head(url: Url, headers: Mapping[str, str], length: int) -> bytes:
    """The head of the request. Raises FetchFailed for a header that would be more than one line."""
    lines = [f"POST {url.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    together = "".join(lines)
    if not (together.isascii() and together.isprintable()):
        raise FetchFailed("header", "This letter has a header that cannot be sent.", permanent=True)
    lines.append(f"content-length: {length}\r\n\r\n")
    return "\r\n".join(lines).encode("ascii")


class Line(asyncio.Protocol):
    """One connection (HTTP/1.1, RFC 9112), over which one request at a time is asked.

    ready        done when it can be used: connected and, over TLS, with a certificate that was verified
    heard_bytes  how much came since the last request was sent
    """

    def __init__(self, lines: Lines, origin: Origin, limits: FetchLimits, tls: Tls | None) -> None:
        self.origin = origin
        self.heard_bytes = 0
        self._lines = lines
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._tls = _Tls(tls, origin.host) if tls is not None else None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Reply] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_lost = False
        self._begin()

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent."""
        return not self._is_lost and self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Reply:
        """Send a request and wait for its answer. Raises an OSError when there is none."""
        self.heard_bytes = 0
        if self._transport is None or not self.is_reusable:
            raise ConnectionResetError
        self._begin()
        self._answer = self._loop.create_future()
        self._wait()
        self._transport.write(self._tls.packed(request) if self._tls else request)
        return await self._answer

    def _begin(self) -> None:
        self._head_is_read = False
        self._retry_after: str | None = None
        self._encoding = ""
        self._beginning = b""

    def close(self) -> None:
        """Whatever comes now is nobody's."""
        self._is_lost = True
        self._stop_waiting()
        if self.ready.done() and not self.ready.cancelled():
            self.ready.exception()  # it was told already, or nobody asks any more
        if self._transport is not None:
            self._transport.abort()

    def _wait(self) -> None:
        self._stop_waiting()
        self._timer = self._loop.call_later(self._limits.read_seconds_max, self._broken, TimeoutError())

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _broken(self, why: Exception) -> None:
        """The one who waits is told; an answer whose head is there counts, though its body may never be."""
        self._is_lost = True
        self._stop_waiting()
        if not self.ready.done():
            self.ready.set_exception(why)
        if self._answer is not None and not self._answer.done():
            if self._head_is_read and isinstance(why, ConnectionError):
                self._answer.set_result(self._reply())
            else:
                self._answer.set_exception(why)
        if self._transport is not None:
            self._transport.abort()

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by descent
        if self._tls is None:
            self.ready.set_result(None)
        else:
            self._shake_hands()

    def data_received(self, data: bytes) -> None:
        try:
            if self._tls is None:
                self._read(data)
                return
            self._tls.receive(data)
            if not self.ready.done():
                self._shake_hands()
            if self._tls.is_shaken:
                while plain := self._tls.plain():
                    self._read(plain)
                self._flush()
                if self._tls.is_over:
                    self._broken(ConnectionResetError())
        except _PARSER_REFUSALS:
            self._broken(ConnectionAbortedError("this is not HTTP"))
        except ssl.SSLError as error:
            self._broken(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lines.forget(self)
        self._broken(ConnectionResetError())
        # The parser and we hold each other. A fan-out makes ten thousand of us, each with 40 KB for TLS: the garbage
        # collector would come late.
        self._tls = self._transport = None
        del self._parser

    def _shake_hands(self) -> None:
        assert self._tls is not None  # noqa: S101 - for the type checker
        try:
            self._tls.shake_hands()
        except ssl.SSLError as error:  # a wrong certificate among others; why is told to the other side, too
            self._flush()
            self._broken(error)
            return
        self._flush()
        if self._tls.is_shaken and not self.ready.done():
            self.ready.set_result(None)

    def _flush(self) -> None:
        if self._tls is not None and self._transport is not None and (packed := self._tls.outgoing()):
            self._transport.write(packed)

    def _read(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self._broken(ConnectionAbortedError("nobody asked"))
            return
        self.heard_bytes += len(data)
        self._wait()
        self._parser.feed_data(data)
        if not self._head_is_read and self.heard_bytes > self._limits.head_bytes_max:
            self._broken(ConnectionAbortedError("the head of the answer does not end"))

    # what the parser calls

    def on_message_begin(self) -> None:
        if self._answer is not None and self._answer.done():  # a second answer to one question
            self._is_lost = True

    def on_header(self, name: bytes, value: bytes) -> None:
        known = name.lower()
        if known == b"retry-after":
            self._retry_after = value.decode("latin-1")
        elif known == b"content-encoding":
            self._encoding = value.decode("latin-1").strip().lower()

    def on_headers_complete(self) -> None:
        self._head_is_read = self._parser.get_status_code() >= 200

    def on_body(self, part: bytes) -> None:
        self._beginning += part
        if len(self._beginning) > self._limits.answer_bytes_max:
            self._is_lost = True  # the rest is not waited for, so nothing else can be asked here
            self._answered()

    def on_message_complete(self) -> None:
        if not self._head_is_read:  # an interim answer, 103 for example
            self._begin()
            return
        if not self._parser.should_keep_alive():
            self._is_lost = True
        self._answered()

    def _answered(self) -> None:
        self._stop_waiting()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._reply())

    def _reply(self) -> Reply:
        beginning = self._beginning[: self._limits.answer_bytes_max]
        return Reply(self._parser.get_status_code(), self._retry_after, self._encoding, beginning)


class _Tls:
    """TLS of one connection, in memory: asyncio's own keeps a buffer of a quarter of a megabyte for each."""

    def __init__(self, context: Tls, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.is_shaken = False
        self.is_over = False  # the other side said goodbye

    def shake_hands(self) -> None:
        """As far as it goes. Raises SSLError, above all for a certificate that is not the host's."""
        try:
            self._object.do_handshake()
            self.is_shaken = True
        except ssl.SSLWantReadError:
            pass

    def receive(self, data: bytes) -> None:
        """What came in."""
        self._incoming.write(data)

    def plain(self) -> bytes:
        """The next of it, unpacked; nothing when there is no more. Raises SSLError."""
        try:
            plain = self._object.read(_READ_BYTES)
        except ssl.SSLWantReadError:
            return b""
        self.is_over = not plain
        return plain

    def packed(self, data: bytes) -> bytes:
        """As it is sent."""
        self._object.write(data)
        return self._outgoing.read()

    def outgoing(self) -> bytes:
        """What is to be sent for the protocol's own sake."""
        return self._outgoing.read() if self._outgoing.pending else b""
