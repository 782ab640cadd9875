"""The client: alone touches the network. Guarded fetches, redirects followed by hand, and signed posts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

import httpx2

from activitypub.capabilities import RFC_9421, implements
from activitypub.client import answers
from activitypub.client.answers import Answer, Fetched
from activitypub.client.dialects import Dialects
from activitypub.client.guard import Guard, Resolver, system_resolver
from activitypub.client.limits import FetchLimits
from activitypub.client.lines import Reply
from activitypub.client.transport import NETWORK_ERRORS, TIMEOUTS, GuardedTransport, trusting
from activitypub.documents import DocumentLimits, is_activity_content_type, parse_json
from activitypub.errors import FetchFailed, MalformedDocument, MalformedUrl
from activitypub.identifiers import Url, UrlRules
from activitypub.keys import SigningKey
from activitypub.signatures import Dialect, sign_request
from activitypub.vocabulary import ACCEPT, CONTENT_TYPE

JSON = "application/json"
T = TypeVar("T")
IsWanted = Callable[[str | None], bool]
Vet = Callable[[Url], Awaitable[None]]


def _now() -> datetime:
    return datetime.now(UTC)


async def anybody(url: Url) -> None:
    """Every server may be asked."""


class Client:
    """Speaks to other servers. One per process: it keeps connections. To be used on one event loop, then closed.

    rules       which URLs may be spoken to
    user_agent  how we introduce ourselves
    resolver    finds the addresses of a name
    transport   stands in for the guarded network, for tests in one process
    trusted     a PEM file of authorities whose certificates are believed besides those that the system knows
    clock       tells the time, aware, UTC
    vet         raises FetchFailed for an address that is not to be asked for anything; asked before each GET,
                after a redirect too (attack S48). Who is posted to, the one who posts has decided.
    """

    def __init__(
        self,
        rules: UrlRules,
        limits: FetchLimits,
        *,
        user_agent: str = "activitypub",
        resolver: Resolver = system_resolver,
        transport: httpx2.AsyncBaseTransport | None = None,
        trusted: str = "",
        clock: Callable[[], datetime] = _now,
        vet: Vet = anybody,
    ) -> None:
        self.rules = rules
        self._limits = limits
        self._documents = replace(DocumentLimits(), body_bytes_max=limits.body_bytes_max)
        self._transport = transport or GuardedTransport(Guard(rules, limits, resolver), limits, trusting(trusted))
        self._clock = clock
        self._vet = vet
        self._dialects = Dialects(limits.dialects_kept_max)
        self._always = {"user-agent": user_agent, "accept-encoding": "identity"}
        self._waits = {
            "connect": limits.connect_seconds_max,
            "read": limits.read_seconds_max,
            "write": limits.write_seconds_max,
            "pool": limits.total_seconds_max,
        }

    async def fetch(self, url: str, signer: SigningKey | None = None) -> Fetched:
        """The ActivityPub document at ``url``, whose id is where it was found (attack S10). Raises only FetchFailed.

        A document that names another id is asked for once more, there. Signed by ``signer``, anew for each redirect.
        """
        async with self._deadline(url):
            found = await self._get(self._parse(url), ACCEPT, is_activity_content_type, signer)
            named = self._parse(found.document.get("id"))
            if named.text == found.url.text:
                return self._noting(found)
            again = await self._get(named, ACCEPT, is_activity_content_type, signer, redirects_max=0)
            if again.document.get("id") != again.url.text or again.url.text != named.text:
                raise FetchFailed(
                    "id_mismatch", f"{_host(named)} does not confirm the id of the document.", permanent=True
                )
            return self._noting(again)

    def _noting(self, found: Fetched) -> Fetched:
        """The same, having noted what it says of its server (FEP-844e)."""
        if implements(found.document, RFC_9421):
            self._dialects.suggest(_host(found.url), Dialect.RFC_9421)
        return found

    async def fetch_json(self, url: str, accept: str = JSON) -> dict[str, Any]:
        """Any JSON object, such as WebFinger's or NodeInfo's, of one of the media types in ``accept``, or plain JSON.

        Not signed. Raises only FetchFailed.
        """
        wanted = {JSON, *(answers.media_type(kind) for kind in accept.split(","))}
        async with self._deadline(url):
            found = await self._get(self._parse(url), accept, lambda header: answers.media_type(header) in wanted, None)
            return found.document

    async def fetch_file(self, url: str, kinds: Collection[str], bytes_max: int) -> bytes:
        """The bytes of a file of one of these media types, through the same guard as documents (attack S04).

        Not signed. Raises only FetchFailed.
        """
        async with self._deadline(url):
            return await self._follow(self._parse(url), lambda at: self._get_file_once(at, kinds, bytes_max))

    async def time_at(self, url: str) -> datetime:
        """What time another server says it is: the Date of its answer to one GET, whatever else it answers; UTC.

        Raises FetchFailed without an answer, and for one without a date.
        """
        target = self._parse(url)
        async with self._deadline(url):
            await self._vet(target)
            async with self._send("GET", target, {"host": target.origin.netloc, "accept": ACCEPT}) as response:
                told = answers.http_date(response.headers.get("date"))
        if told is None:
            raise FetchFailed("no_date", f"{_host(target)} does not say what time it is.", permanent=True)
        return told

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One POST, no redirect followed, with the headers that signing gave. Raises FetchFailed without an answer."""
        target = self._parse(url)
        sent = {"host": target.origin.netloc, "content-type": CONTENT_TYPE, "accept": ACCEPT, **self._always, **headers}
        async with self._deadline(target):
            reply = await self._carried(target, sent, body)
        retry = answers.retry_after_seconds(reply.retry_after, self._clock(), self._limits.retry_after_seconds_max)
        is_packed = reply.content_encoding not in ("", "identity")
        return Answer(reply.status, retry, "" if is_packed else reply.beginning.decode("utf-8", "replace"))

    async def _carried(self, target: Url, headers: Mapping[str, str], body: bytes) -> Reply:
        """Over the lines for letters, or by whatever stands in for the network."""
        if isinstance(self._transport, GuardedTransport):
            return await self._transport.post(target, headers, body)
        async with self._send("POST", target, headers, body) as response:
            retry, encoding = (response.headers.get(name) for name in ("retry-after", "content-encoding"))
            return Reply(response.status_code, retry, (encoding or "").lower(), await self._beginning(response))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _parse(self, url: object) -> Url:
        try:
            return self.rules.parse(url)
        except MalformedUrl as error:
            raise FetchFailed(error.code, error.sentence, permanent=True) from None

    @asynccontextmanager
    async def _deadline(self, url: str | Url) -> AsyncIterator[None]:
        """One deadline for the whole (attack S08), and every error of the network as a FetchFailed."""
        host = _host(url if isinstance(url, Url) else self._parse(url))
        try:
            async with asyncio.timeout(self._limits.total_seconds_max):
                yield
        except TIMEOUTS:
            raise FetchFailed("timeout", f"{host} did not answer in time.", permanent=False) from None
        except httpx2.InvalidURL:
            raise FetchFailed("url_syntax", "This is not a URL.", permanent=True) from None
        except NETWORK_ERRORS:
            raise FetchFailed("no_connection", f"The connection to {host} failed.", permanent=False) from None

    async def _get(
        self, url: Url, accept: str, is_wanted: IsWanted, signer: SigningKey | None, redirects_max: int | None = None
    ) -> Fetched:
        return await self._follow(url, lambda at: self._get_once(at, accept, is_wanted, signer), redirects_max)

    async def _follow(self, url: Url, ask: Callable[[Url], Awaitable[T | Url]], redirects_max: int | None = None) -> T:
        """Follows redirects by hand: each is vetted like a first URL, signed anew, and never seen twice (S03)."""
        redirects_max = self._limits.redirects_max if redirects_max is None else redirects_max
        visited: set[str] = set()
        while True:
            url = _without_fragment(url)
            visited.add(url.text)
            await self._vet(url)
            found = await ask(url)
            if not isinstance(found, Url):
                return found
            if found.without_fragment in visited or len(visited) > redirects_max:
                raise FetchFailed("redirects", f"{_host(url)} redirects without end.", permanent=True)
            url = found

    async def _get_once(self, url: Url, accept: str, is_wanted: IsWanted, signer: SigningKey | None) -> Fetched | Url:
        """One document or where to look for it. Who does not take one kind of signature is asked with the other."""
        if signer is None:
            return await self._ask(url, accept, is_wanted, {})
        dialect = self._dialects.of(_host(url))
        try:
            return await self._ask(url, accept, is_wanted, self._signed(dialect, url, signer))
        except FetchFailed as refused:
            if refused.code != "unauthorized":
                raise
        found = await self._ask(url, accept, is_wanted, self._signed(dialect.other, url, signer))
        self._dialects.learn(_host(url), dialect.other)
        return found

    def _signed(self, dialect: Dialect, url: Url, signer: SigningKey) -> Mapping[str, str]:
        return sign_request(dialect, "GET", url, None, signer, self._clock())

    async def _ask(self, url: Url, accept: str, is_wanted: IsWanted, signed: Mapping[str, str]) -> Fetched | Url:
        async with self._send("GET", url, {"host": url.origin.netloc, "accept": accept, **signed}) as response:
            if answers.is_redirect(response.status_code):
                return self._parse(urljoin(url.text, response.headers.get("location", "")))
            answers.check_status(response.status_code, _host(url))
            answers.check_encoding(response.headers, _host(url))
            if not is_wanted(response.headers.get("content-type")):
                raise FetchFailed(
                    "content_type", f"{_host(url)} answered with another kind of document.", permanent=True
                )
            return Fetched(self._document(await self._body(response, _host(url))), url)

    async def _get_file_once(self, url: Url, kinds: Collection[str], bytes_max: int) -> bytes | Url:
        host = _host(url)
        async with self._send("GET", url, {"host": url.origin.netloc, "accept": ", ".join(sorted(kinds))}) as response:
            if answers.is_redirect(response.status_code):
                return self._parse(urljoin(url.text, response.headers.get("location", "")))
            answers.check_status(response.status_code, host)
            answers.check_encoding(response.headers, host)
            if answers.media_type(response.headers.get("content-type")) not in kinds:
                raise FetchFailed("content_type", f"{host} answered with another kind of file.", permanent=True)
            return await self._body(response, host, bytes_max)

    @asynccontextmanager
    async def _send(
        self, method: str, url: Url, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncIterator[httpx2.Response]:
        extensions = {"timeout": self._waits, "target": url.target.encode("ascii")}
        request = httpx2.Request(
            method, url.without_fragment, headers={**self._always, **headers}, content=body, extensions=extensions
        )
        response = await self._transport.handle_async_request(request)
        try:
            yield response
        finally:
            await response.aclose()

    def _document(self, body: bytes) -> dict[str, Any]:
        try:
            return parse_json(body, self._documents)
        except MalformedDocument as error:
            raise FetchFailed(error.code, error.sentence, permanent=True) from None

    async def _body(self, response: httpx2.Response, host: str, bytes_max: int | None = None) -> bytes:
        """All of it, counted while it comes in, whatever Content-Length says."""
        bytes_max = self._limits.body_bytes_max if bytes_max is None else bytes_max
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > bytes_max:
                raise FetchFailed("too_large", f"{host} answered with too large a document.", permanent=True)
            parts.append(part)
        return b"".join(parts)

    async def _beginning(self, response: httpx2.Response) -> bytes:
        read = b""
        async for part in response.aiter_raw():
            read += part
            if len(read) > self._limits.answer_bytes_max:
                break
        return read[: self._limits.answer_bytes_max]


def _host(url: Url) -> str:
    return url.origin.netloc


def _without_fragment(url: Url) -> Url:
    return Url(url.without_fragment, url.origin, url.target, "")
