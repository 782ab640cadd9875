"""How the client signs what it asks for: one dialect first, the other where that is not taken, and it remembers which."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from activitypub.capabilities import RFC_9421, our_capabilities
from activitypub.client import Client, FetchLimits
from activitypub.errors import FetchFailed
from activitypub.identifiers import Origin, UrlRules
from activitypub.keys import SigningKey, VerificationKey, generate_rsa
from activitypub.signatures import Dialect, Proof, Request, SignatureLimits, read_signature, verify

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SERVER = "https://north.example/actor"
KEY = SigningKey(f"{SERVER}#main-key", SERVER, generate_rsa())
NOTE = "https://river.example/notes/1"


@dataclass
class River(httpx2.AsyncBaseTransport):
    """Another server: notes how it was asked, and answers 401 to what ``takes`` does not accept."""

    takes: Callable[[Proof | None], bool]
    document: Mapping[str, Any] = field(default_factory=lambda: {"id": NOTE, "type": "Note"})
    status: int = 200
    asked: list[Proof | None] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(self._proof(request))
        if not self.takes(self.asked[-1]):
            return httpx2.Response(401)
        document = {**self.document, "id": str(request.url)}
        headers = {"content-type": "application/activity+json"}
        return httpx2.Response(self.status, headers=headers, stream=httpx2.ByteStream(json.dumps(document).encode()))

    def _proof(self, request: httpx2.Request) -> Proof | None:
        headers = tuple((name.lower(), value) for name, value in request.headers.items())
        if "signature" not in dict(headers):
            return None
        read = Request(request.method, request.url.raw_path.decode(), headers, b"")
        key = VerificationKey(KEY.key_id, SERVER, KEY.private_key.public_key(), NOW)
        origin = Origin("https", request.url.host, 443)
        return verify(read, read_signature(read), key, origin, NOW, SignatureLimits()).proof

    async def aclose(self) -> None:
        """Nothing is kept."""


def asking(river: River, *urls: str, signer: SigningKey | None = KEY, hosts_max: int = 100) -> list[str]:
    """Ask for the addresses one after the other with one client; what came of each."""

    async def ask() -> list[str]:
        limits = FetchLimits(dialects_kept_max=hosts_max)
        client = Client(UrlRules(), limits, transport=river, clock=lambda: NOW)
        try:
            return [await outcome(client, url) for url in urls]
        finally:
            await client.aclose()

    async def outcome(client: Client, url: str) -> str:
        try:
            return str((await client.fetch(url, signer)).document["id"])
        except FetchFailed as failed:
            return failed.code

    return asyncio.run(ask())


def test_a_signed_request_covers_the_target_with_its_query() -> None:
    river = River(lambda proof: True)
    assert asking(river, f"{NOTE}?page=1") == [f"{NOTE}?page=1"]
    assert river.asked == [Proof.DRAFT_CAVAGE]


def test_who_takes_only_rfc_9421_is_asked_so_from_the_second_time_on() -> None:
    river = River(lambda proof: proof is Proof.RFC_9421)
    assert asking(river, NOTE, f"{NOTE}2") == [NOTE, f"{NOTE}2"]
    assert river.asked == [Proof.DRAFT_CAVAGE, Proof.RFC_9421, Proof.RFC_9421]


def test_a_server_that_takes_neither_is_asked_twice_and_no_more() -> None:
    river = River(lambda proof: False)
    assert asking(river, NOTE) == ["unauthorized"]
    assert river.asked == [Proof.DRAFT_CAVAGE, Proof.RFC_9421]


def test_what_went_wrong_for_another_reason_is_not_asked_for_again() -> None:
    river = River(lambda proof: True, status=403)
    assert asking(river, NOTE) == ["forbidden"]
    assert len(river.asked) == 1


def test_an_unsigned_request_has_no_second_try() -> None:
    river = River(lambda proof: False)
    assert asking(river, NOTE, signer=None) == ["unauthorized"]
    assert river.asked == [None]


@pytest.mark.parametrize(
    "said",
    [
        {"type": "Application", "implements": our_capabilities()},
        {"type": "Person", "generator": {"type": "Application", "implements": [{"href": RFC_9421}]}},
    ],
)
def test_who_says_that_it_reads_rfc_9421_is_asked_so(said: dict[str, Any]) -> None:
    river = River(lambda proof: True, document=said)
    asking(river, NOTE, f"{NOTE}2", "https://other.example/1")
    assert river.asked == [Proof.DRAFT_CAVAGE, Proof.RFC_9421, Proof.DRAFT_CAVAGE]


def test_what_a_server_says_of_itself_does_not_count_against_what_was_tried() -> None:
    river = River(
        lambda proof: proof is Proof.DRAFT_CAVAGE, document={"type": "Application", "implements": our_capabilities()}
    )
    assert asking(river, NOTE, f"{NOTE}2", f"{NOTE}3") == [NOTE, f"{NOTE}2", f"{NOTE}3"]
    assert river.asked == [Proof.DRAFT_CAVAGE, Proof.RFC_9421, Proof.DRAFT_CAVAGE, Proof.DRAFT_CAVAGE]


@pytest.mark.attack("S90")
def test_s90_only_so_many_hosts_are_remembered() -> None:
    river = River(lambda proof: proof is Proof.RFC_9421)
    first, second = "https://a.example/1", "https://b.example/1"
    asking(river, first, second, first, hosts_max=1)
    assert river.asked == [Proof.DRAFT_CAVAGE, Proof.RFC_9421] * 3


def test_each_dialect_knows_the_other() -> None:
    assert {dialect.other for dialect in Dialect} == set(Dialect)
