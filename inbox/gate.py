"""The cheap refusals: what can be said no to from the head of a request and the size of its body, fetching nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any

from activitypub.documents import is_inbox_content_type
from activitypub.identifiers import Origin
from activitypub.signatures import Request
from inbox.limits import InboxLimits
from inbox.refusal import MailRefused

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Twice one of these is two truths: which one was signed, which one is meant (attack S27)?
ONCE = frozenset(
    {
        "host",
        "date",
        "digest",
        "content-digest",
        "content-type",
        "content-length",
        "signature",
        "signature-input",
    }
)


@dataclass(frozen=True)
class Head:
    """A request before its body. ``path`` is as in the request line, undecoded; header names are lower case."""

    path: str
    headers: tuple[tuple[str, str], ...]

    @cached_property
    def _first(self) -> Mapping[str, str]:
        return dict(reversed(self.headers))

    @property
    def has_twice(self) -> bool:
        """Whether any header stands more than once."""
        return len(self._first) != len(self.headers)

    def get(self, name: str, missing: str = "") -> str:
        """The header's first value, ``missing`` when it is not there."""
        return self._first.get(name, missing)


def check_head(scope: Scope, origin: Origin, limits: InboxLimits) -> Head:
    """The head of a request that may bring a letter to this server. Raises MailRefused."""
    if scope["method"] != "POST":  # no override header is ever looked at (attack S26)
        raise MailRefused(HTTPStatus.METHOD_NOT_ALLOWED, "method", "Letters are brought to an inbox by POST.")
    if scope.get("query_string"):
        raise MailRefused(HTTPStatus.NOT_FOUND, "query", "The address of an inbox has no query string.")
    head = Head(_path(scope), _headers(scope["headers"], limits))
    _check_once(head)
    _check_host(head, origin)
    _check_type(head)
    _check_length(head, limits)
    _check_signed(head)
    return head


def read_request(scope: Scope, limits: InboxLimits) -> Request:
    """A request to read something, as its signature covers it. Raises MailRefused, 400 or 431."""
    head = Head(_path(scope), _headers(scope["headers"], limits))
    _check_once(head)
    query = scope.get("query_string", b"").decode("latin-1")
    return Request(scope["method"], f"{head.path}?{query}" if query else head.path, head.headers, b"")


def _path(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1").partition("?")[0] if raw else str(scope["path"])


def _headers(raw: Iterable[tuple[bytes, bytes]], limits: InboxLimits) -> tuple[tuple[str, str], ...]:
    headers = tuple([(name.decode("latin-1").lower(), value.decode("latin-1").strip()) for name, value in raw])
    if sum([len(name) + len(value) for name, value in headers]) > limits.header_bytes_max:
        sentence = f"The headers of a letter have at most {limits.header_bytes_max} bytes together."
        raise MailRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", sentence)
    return headers


def _check_once(head: Head) -> None:
    if not head.has_twice:
        return
    named = [name for name, _ in head.headers if name in ONCE]
    if len(set(named)) != len(named):
        twice = min(name for name in named if named.count(name) > 1)
        raise MailRefused(HTTPStatus.BAD_REQUEST, "duplicate_header", f"The header {twice} may stand only once.")


def _check_host(head: Head, origin: Origin) -> None:
    """A letter made for another host is not proved to be for us: 401, as for any other replay (attack S28)."""
    if head.get("host").lower() not in (origin.netloc, f"{origin.host}:{origin.port}"):
        raise MailRefused(HTTPStatus.UNAUTHORIZED, "unknown_host", f"This is {origin.netloc}, not the host asked for.")


def _check_type(head: Head) -> None:
    if not is_inbox_content_type(head.get("content-type")):
        sentence = "A letter must be application/activity+json or application/ld+json."
        raise MailRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_type", sentence)
    # What is signed is what is read: nothing is unpacked (attack S07).
    if head.get("content-encoding", "identity").lower() != "identity":
        raise MailRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_encoding", "A letter must not be compressed.")


def _check_length(head: Head, limits: InboxLimits) -> None:
    length = head.get("content-length")
    if not length:
        return  # chunked; counted while reading
    if not (length.isascii() and length.isdigit()):
        raise MailRefused(HTTPStatus.BAD_REQUEST, "content_length", "Content-Length must be a number.")
    if len(length) > 12 or int(length) > limits.body_bytes_max:
        raise _too_large(limits)


def _check_signed(head: Head) -> None:
    if not head.get("signature"):
        raise MailRefused(HTTPStatus.UNAUTHORIZED, "unsigned", "A letter to an inbox must be signed.")


def _too_large(limits: InboxLimits) -> MailRefused:
    sentence = f"A letter has at most {limits.body_bytes_max} bytes."
    return MailRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", sentence)


async def read_body(receive: Receive, limits: InboxLimits) -> bytes:
    """The body, counted while it is read and within one deadline for the whole (attack S60). Raises MailRefused."""
    try:
        async with asyncio.timeout(limits.body_seconds_max):
            return await _read_counted(receive, limits)
    except TimeoutError:
        sentence = f"The body did not arrive within {limits.body_seconds_max:g} seconds."
        raise MailRefused(HTTPStatus.REQUEST_TIMEOUT, "too_slow", sentence) from None


async def _read_counted(receive: Receive, limits: InboxLimits) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise MailRefused(HTTPStatus.BAD_REQUEST, "cut_off", "The sender hung up before the end of the body.")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limits.body_bytes_max:
            raise _too_large(limits)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
