"""The Internet around a besieged town, scripted at its sockets: names, addresses, and what each server answers.

Everything of ours stands between: the guard, the pool of connections and HTTP itself are the real ones.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpcore2

ACTIVITY = "application/activity+json"
SOMEWHERE = "93.184.216.34"  # where every name leads that no test says otherwise of


@dataclass(frozen=True)
class Page:
    """One answer. ``body`` may come in parts; between two of them the server lets ``pause_seconds`` pass."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": ACTIVITY})
    pause_seconds: float = 0.0

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in self.headers.items())]
        length = [f"content-length: {len(self.body)}"] if isinstance(self.body, bytes) else []
        return "\r\n".join([*lines, *length, "connection: close", "", ""]).encode()

    async def parts(self) -> AsyncIterator[bytes]:
        for part in [self.body] if isinstance(self.body, bytes) else self.body:
            if self.pause_seconds:
                await asyncio.sleep(self.pause_seconds)
            yield part


def document(doc: Mapping[str, Any], kind: str = ACTIVITY) -> Page:
    """A JSON document."""
    return Page(json.dumps(doc).encode(), headers={"content-type": kind})


def redirect(to: str) -> Page:
    return Page(status=302, headers={"location": to})


@dataclass
class Internet(httpcore2.AsyncNetworkBackend):
    """What a test scripts, and what was seen.

    addresses  of a name, one answer after another where there are several; what is not named leads ``SOMEWHERE``
    pages      by their address; also ``https://host/*`` for all of a host, and ``https://*.host/*`` for those below it
    looked_up  names, in order
    connected  addresses to which a connection was made, in order
    asked      method and address of each request, in order
    read       bytes that were read of all answers' bodies
    posted     address and document of each letter
    """

    addresses: dict[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    pages: dict[str, Page | Callable[[str], Page]] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    read: int = 0

    async def resolve(self, name: str) -> Sequence[str]:
        """The resolver, as the client wants one."""
        answers = self.addresses.get(name, [[SOMEWHERE]])
        already = self.looked_up.count(name)
        self.looked_up.append(name)
        return answers[min(already, len(answers) - 1)]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.connected.append(host)
        return _Stream(self)

    async def dial(self, make: Callable[[], asyncio.Protocol], address: str, port: int) -> None:
        """The same for a line of letters."""
        self.connected.append(address)
        protocol = make()
        protocol.connection_made(_Wire(self, protocol))

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise AssertionError("nobody connects to a file")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def answer(self, method: str, url: str, body: bytes) -> Page:
        self.asked.append(f"{method} {url}")
        if method == "POST":
            self.posted.append((url, json.loads(body)))
            return Page(status=202)
        host = url.split("/")[2]
        names = (url, f"https://{host}/*", f"https://*.{host.partition('.')[2]}/*")
        found = next((self.pages[name] for name in names if name in self.pages), Page(status=404))
        return found if isinstance(found, Page) else found(url)

    def asked_at(self, host: str) -> list[str]:
        """What was asked of one host, or of all below it."""
        return [line for line in self.asked if line.split("/")[2].endswith(host)]

    def serve(self, doc: Mapping[str, Any]) -> None:
        """The document at its own id."""
        self.pages[str(doc["id"])] = document(doc)


class _Stream(httpcore2.AsyncNetworkStream):
    """One connection: reads a request, answers it, and is closed."""

    def __init__(self, internet: Internet) -> None:
        self._internet = internet
        self._received = b""
        self._answering: AsyncIterator[bytes] | None = None

    async def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> "httpcore2.AsyncNetworkStream":
        return self

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._received += buffer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._answering is None:
            self._answering = self._answer()
        return await anext(self._answering, b"")

    async def _answer(self) -> AsyncIterator[bytes]:
        page = self._internet.answer(*_request(self._received))
        yield page.head()
        async for part in page.parts():
            self._internet.read += len(part)
            yield part

    async def aclose(self) -> None:
        """Nothing is kept."""

    def get_extra_info(self, info: str) -> Any:
        return None


class _Wire(asyncio.Transport):
    """The same for a letter, which is written in one piece."""

    def __init__(self, internet: Internet, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._internet = internet
        self._protocol = protocol
        self._is_closed = False
        self._answering: asyncio.Task[None] | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._answering = asyncio.get_running_loop().create_task(self._answer(bytes(data)))

    async def _answer(self, request: bytes) -> None:
        page = self._internet.answer(*_request(request))
        self._say(page.head())
        async for part in page.parts():
            self._internet.read += len(part)
            self._say(part)

    def _say(self, data: bytes) -> None:
        if not self._is_closed:
            self._protocol.data_received(data)

    def is_closing(self) -> bool:
        return self._is_closed

    def abort(self) -> None:
        self._is_closed = True


class Unencrypted:
    """Stands in for TLS where the sockets are scripted: what is written is what is sent."""

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *, server_hostname: str | None) -> Any:
        return _Unencrypted(incoming, outgoing)

    def set_alpn_protocols(self, names: Sequence[str]) -> None:
        """Nothing is negotiated."""


@dataclass(frozen=True)
class _Unencrypted:
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO

    def do_handshake(self) -> None:
        """Nothing is encrypted."""

    def read(self, bytes_max: int) -> bytes:
        if not self.incoming.pending:
            raise ssl.SSLWantReadError
        return self.incoming.read(bytes_max)

    def write(self, data: bytes) -> None:
        self.outgoing.write(data)


def _request(received: bytes) -> tuple[str, str, bytes]:
    """Method, address and body."""
    head, _, body = received.partition(b"\r\n\r\n")
    line, *rest = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
    method, target, _ = line.split(" ")
    return method, f"https://{headers['host']}{target}", body
