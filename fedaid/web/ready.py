"""Keeps public documents, and pages for whoever had them, ready to be sent again, until anything at all is committed: a
stampede costs nothing."""

import asyncio
import hashlib
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fedaid.foundation import i18n
from fedaid.foundation.clock import Clock
from fedaid.foundation.database import Database
from fedaid.foundation.pages import SAME_UNTIL_CHANGED
from fedaid.web.limits import WebLimits
from inbox.memory import Memory

RawHeaders = tuple[tuple[bytes, bytes], ...]
Key = str
KEY_CHARACTERS_MAX = 1024  # longer ones are strange, and are answered each time anew
_KNOWN_BY = frozenset({b"authorization", b"signature"})  # somebody who asks for a page, but is no browser
_DISCOVERY = ("/.well-known/", "/nodeinfo/")


@dataclass(frozen=True)
class _Ready:
    """An answer as it went out once, and the state of the database before it was made."""

    generation: object
    headers: RawHeaders
    body: bytes
    etag: bytes


class ReadyDocuments:
    """Stands before the pages. What it keeps is what every copy on the way may keep (``Cache-Control: public``), and
    pages that say they are the same until something changes (``foundation.pages.same_until_changed``): one for each
    language for all who are signed out, and one for each who sends a session along, known by a hash of their cookies.

    It is exact: a document is made anew as soon as anything was committed since, in whatever process. What depends on
    the time of day as well, such as a key that ends, is made anew after ``ready_seconds``. All that may be refused
    (another host, a form, somebody who must sign) is refused behind it, as the answers to that are never public; an
    answer that is sent again is not counted against the address that asks.
    """

    def __init__(
        self, app: ASGIApp, database: Database, limits: WebLimits, clock: Clock, cookie_name: str, language: str
    ) -> None:
        self._app = app
        self._cookie_name = cookie_name.encode()
        self._language = language
        self._generations = _Generations(database)
        self._bytes_max = limits.ready_document_bytes_max
        self._ready: Memory[_Ready] = Memory(
            clock, seconds=limits.ready_seconds, entries_max=limits.ready_documents_max
        )
        self._making: dict[Key, asyncio.Future[bool]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key, asked_for = self._key_of(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        generation = await self._generations.now()
        ready = self._of_generation(key, generation)
        while ready is None and (making := self._making.get(key)) is not None:
            if not await asyncio.shield(making):
                break  # nothing to be kept
            generation = await self._generations.now()
            ready = self._of_generation(key, generation)
        if ready is None:
            await self._make(key, generation, asked_for, scope, receive, send)
        else:
            await _send(ready, asked_for, send)

    def _key_of(self, scope: Scope) -> tuple[Key | None, bytes]:
        """What tells apart the answers to a request that may be answered again; and which copies the asker has."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None, b""
        accept = host = asked_for = cookie = language = b""
        is_known = False
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = value
            elif name == b"host":
                host = value
            elif name == b"if-none-match":
                asked_for = value
            elif name == b"accept-language":
                language = value
            elif name == b"cookie":
                cookie += value
            elif name in _KNOWN_BY:
                is_known = True
        path: str = scope["path"]
        if b"text/html" in accept:
            if b"json" in accept or is_known:
                return None, b""
            whose = hashlib.sha256(cookie).hexdigest() if self._cookie_name in cookie else "everybody"
            accept = f"page {i18n.wanted(language.decode('latin-1'), self._language)} {whose}".encode()
        elif b"json" not in accept and not path.startswith(_DISCOVERY):
            return None, b""
        target: bytes = scope.get("raw_path") or path.encode()
        key = b"\n".join((host, target, scope["query_string"], accept)).decode("latin-1")
        return (key if len(key) <= KEY_CHARACTERS_MAX else None), asked_for

    def _of_generation(self, key: Key, generation: object) -> _Ready | None:
        ready = self._ready.get(key)
        return ready if ready is not None and ready.generation == generation else None

    async def _make(
        self, key: Key, generation: object, asked_for: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the pages answer, and keep the answer if it is for everybody."""
        made: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        is_first = self._making.setdefault(key, made) is made
        ready = None
        try:
            ready = await self._caught(generation, scope, receive, send)
            if ready is not None:
                self._ready.put(key, ready)
        finally:
            made.set_result(ready is not None)
            if is_first:
                del self._making[key]
        if ready is not None:
            await _send(ready, asked_for, send)

    async def _caught(self, generation: object, scope: Scope, receive: Receive, send: Send) -> _Ready | None:
        """The answer, if it may be kept; any other has been sent by then."""
        start: Message | None = None
        ready: _Ready | None = None

        async def catch(message: Message) -> None:
            nonlocal start, ready
            if message["type"] == "http.response.start" and (_is_for_all(message) or _is_the_same(message, scope)):
                start = message
                return
            if start is not None:
                body: bytes = message.get("body", b"")
                if not message.get("more_body", False) and len(body) <= self._bytes_max:
                    ready = _ready(generation, tuple(start["headers"]), body)
                    start = None
                    return
                await send(start)
                start = None
            await send(message)

        await self._app(scope, receive, catch)
        return ready


def _is_for_all(start: Message) -> bool:
    """Whether the answer says that everybody gets the same, whoever asks and in whatever language."""
    headers = dict(start["headers"])
    varies = {name.strip().lower() for name in headers.get(b"vary", b"").split(b",")}
    is_public = headers.get(b"cache-control", b"").startswith(b"public")
    return (
        start["status"] == HTTPStatus.OK and is_public and varies <= {b"", b"accept"} and b"set-cookie" not in headers
    )


def _is_the_same(start: Message, scope: Scope) -> bool:
    """Whether the answer is a page that says of itself that who asks again gets the same."""
    headers = dict(start["headers"])
    is_page = headers.get(b"content-type", b"").startswith(b"text/html")
    return SAME_UNTIL_CHANGED in scope and start["status"] == HTTPStatus.OK and is_page and b"set-cookie" not in headers


def _ready(generation: object, headers: RawHeaders, body: bytes) -> _Ready:
    etag = b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
    return _Ready(generation, (*headers, (b"etag", etag)), body, etag)


async def _send(ready: _Ready, asked_for: bytes, send: Send) -> None:
    """The document; 304 to somebody who has it already (RFC 9110, section 13.1.2)."""
    status, headers, body = HTTPStatus.OK, ready.headers, ready.body
    if asked_for and (
        asked_for == b"*" or ready.etag in [tag.strip().removeprefix(b"W/") for tag in asked_for.split(b",")]
    ):
        status, body = HTTPStatus.NOT_MODIFIED, b""
        headers = tuple(pair for pair in headers if pair[0] not in (b"content-length", b"content-type"))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Generations:
    """Asks the database whether it is as it was. Those who ask while a look is under way share the next one, which
    sees all that was committed before they asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: asyncio.Task[object] | None = None
        self._next: asyncio.Task[object] | None = None

    async def now(self) -> object:
        if self._database.is_sqlite:
            return self._database.generation()  # microseconds: a look into shared memory
        if self._loop is not (loop := asyncio.get_running_loop()):  # nothing of a loop that ended ever comes
            self._loop, self._under_way, self._next = loop, None, None
        if self._next is None:
            self._next = asyncio.create_task(self._look(self._under_way))
        return await asyncio.shield(self._next)

    async def _look(self, before: "asyncio.Task[object] | None") -> object:
        if before is not None:
            await asyncio.wait([before])
        self._under_way, self._next = self._next, None
        return await asyncio.to_thread(self._database.generation)
