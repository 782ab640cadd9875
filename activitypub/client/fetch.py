"""The client: alone touches the network. Guarded fetches, redirects followed by hand, and signed posts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

import httpx2

from activitypub.client import answers
from activitypub.client.answers import Answer, Fetched
from activitypub.client.guard import Guard, Resolver, system_resolver
from activitypub.client.limits import FetchLimits
from activitypub.client.transport import NETWORK_ERRORS, TIMEOUTS, GuardedTransport
from activitypub.documents import DocumentLimits, is_activity_content_type, parse_json
from activitypub.errors import FetchFailed, MalformedDocument, MalformedUrl
from activitypub.identifiers import Url, UrlRules
from activitypub.keys import SigningKey
from activitypub.signatures import sign_draft_cavage
from activitypub.vocabulary import ACCEPT, CONTENT_TYPE

JSON = "application/json"
T = TypeVar("T")
IsWanted = Callable[[str | None], bool]


def _now() -> datetime:
    return datetime.now(UTC)


class Client:
    """Speaks to other servers. One per process: it keeps connections. To be used on one event loop, then closed.

    rules       which URLs may be spoken to
    user_agent  how we introduce ourselves
    resolver    finds the addresses of a name
    transport   stands in for the guarded network, for tests in one process
    clock       tells the time, aware, UTC
    """

    def __init__(
        self,
        rules: UrlRules,
        limits: FetchLimits,
        *,
        user_agent: str = "activitypub",
        resolver: Resolver = system_resolver,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.rules = rules
        self._limits = limits
        self._documents = replace(DocumentLimits(), body_bytes_max=limits.body_bytes_max)
        self._transport = transport or GuardedTransport(Guard(rules, limits, resolver), limits)
        self._clock = clock
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
                return found
            again = await self._get(named, ACCEPT, is_activity_content_type, signer, redirects_max=0)
            if again.document.get("id") != again.url.text or again.url.text != named.text:
                raise FetchFailed(
                    "id_mismatch", f"{_host(named)} does not confirm the id of the document.", permanent=True
                )
            return again

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

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One POST, no redirect followed, with the headers that signing gave. Raises FetchFailed without an answer."""
        target = self._parse(url)
        async with self._deadline(url):
            sent = {"content-type": CONTENT_TYPE, "accept": ACCEPT, **headers}
            async with self._send("POST", target, sent, body) as response:
                text = await self._beginning(response)
                retry = answers.retry_after_seconds(
                    response.headers.get("retry-after"), self._clock(), self._limits.retry_after_seconds_max
                )
                return Answer(response.status_code, retry, text)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _parse(self, url: object) -> Url:
        try:
            return self.rules.parse(url)
        except MalformedUrl as error:
            raise FetchFailed(error.code, error.sentence, permanent=True) from None

    @asynccontextmanager
    async def _deadline(self, url: str) -> AsyncIterator[None]:
        """One deadline for the whole (attack S08), and every error of the network as a FetchFailed."""
        host = _host(self._parse(url))
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
            found = await ask(url)
            if not isinstance(found, Url):
                return found
            if found.without_fragment in visited or len(visited) > redirects_max:
                raise FetchFailed("redirects", f"{_host(url)} redirects without end.", permanent=True)
            url = found

    async def _get_once(self, url: Url, accept: str, is_wanted: IsWanted, signer: SigningKey | None) -> Fetched | Url:
        headers = {"host": url.origin.netloc, "accept": accept}
        if signer is not None:
            headers |= sign_draft_cavage("GET", url, None, signer, self._clock())
        async with self._send("GET", url, headers) as response:
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

    async def _beginning(self, response: httpx2.Response) -> str:
        read = b""
        async for part in response.aiter_raw():
            read += part
            if len(read) > self._limits.answer_bytes_max:
                break
        packed = response.headers.get("content-encoding", "identity").lower() != "identity"
        return "" if packed else read[: self._limits.answer_bytes_max].decode("utf-8", "replace")


def _host(url: Url) -> str:
    return url.origin.netloc


def _without_fragment(url: Url) -> Url:
    return Url(url.without_fragment, url.origin, url.target, "")
