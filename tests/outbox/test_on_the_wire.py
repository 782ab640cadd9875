"""Over a real connection: what another server receives verifies in both dialects, with the bytes that were stored."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from activitypub.client import Client, FetchLimits
from activitypub.identifiers import Origin, UrlRules
from activitypub.keys import VerificationKey
from activitypub.signatures import Request, SignatureLimits, read_signature, verify
from outbox import collection
from outbox.ports import Mailbox
from outbox.worker import Worker
from tests.outbox.world import ANA, World, note, rsa_key

LOOPBACK = UrlRules(loopback=True)


class Listener:
    """A server that answers as it is told and keeps what it received."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.port = 0
        self.connections: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> Origin:
        return Origin("http", "127.0.0.1", self.port)

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(asyncio.create_task(self.answer(reader, writer)))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await self._head(reader):
            start, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = start.split(" ")
            pairs = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
            body = await reader.readexactly(int(dict(pairs).get("content-length", 0)))
            self.requests.append(Request(method, target, pairs, body))
            status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return b""


@asynccontextmanager
async def listening(*answers: str) -> AsyncIterator[Listener]:
    listener = Listener(answers)
    server = await asyncio.start_server(listener.connected, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        await asyncio.gather(*listener.connections)


async def _deliver(world: World, *answers: str, followers_of: str | None = None) -> Listener:
    """One activity to one listening server with the real client."""
    async with listening(*answers) as listener:
        ben = f"{listener.origin}/users/ben"
        world.book.known[ben] = Mailbox(ben, f"{ben}/inbox", None)
        world.book.following[ANA] = [ben]
        world.posts(1, ben, followers_of=followers_of)
        client = Client(LOOPBACK, FetchLimits())
        worker = Worker(
            write=world.database.write,
            read=world.database.read,
            signers=world.worker._house.signers,
            address_book=world.book,
            client=client,
            rules=LOOPBACK,
            limits=world.worker._limits,
            clock_ms=lambda: world.now_ms,
            random=lambda: 0.5,
        )
        await worker.drain()
        await client.aclose()
        return listener


def _check(world: World, listener: Listener, request: Request) -> None:
    now = datetime.fromtimestamp(world.now_ms / 1000, UTC)
    claim = read_signature(request)
    key = VerificationKey(claim.key_id, ANA, rsa_key().private_key.public_key(), now)
    assert verify(request, claim, key, listener.origin, now, SignatureLimits()).actor.text == ANA


def test_the_first_knock_verifies_and_carries_the_stored_bytes(world: World) -> None:
    listener = asyncio.run(_deliver(world, "202 Accepted"))
    (request,) = listener.requests
    _check(world, listener, request)
    headers = dict(request.headers)
    assert (request.method, request.target) == ("POST", "/users/ben/inbox")
    assert headers["content-type"] == "application/activity+json"
    assert "signature-input" not in headers
    with world.database.read() as connection:
        stored = collection.stored(connection, note(1)["id"])
    assert stored is not None
    assert request.body == stored.body.encode()
    assert world.states() == ["delivered"]


@pytest.mark.parametrize("refusal", ["401 Unauthorized", "400 Bad Request"])
def test_the_second_knock_verifies_in_the_other_dialect(world: World, refusal: str) -> None:
    listener = asyncio.run(_deliver(world, refusal, "200 OK"))
    first, second = listener.requests
    _check(world, listener, first)
    _check(world, listener, second)
    assert "signature-input" in dict(second.headers)
    assert first.body == second.body
    assert world.host(listener.origin.netloc).dialect == "rfc9421"


def test_mail_to_the_senders_followers_says_who_they_are_and_signs_it(world: World) -> None:
    """In both dialects (FEP-8fcf)."""
    listener = asyncio.run(_deliver(world, "401 Unauthorized", "202 Accepted", followers_of=ANA))
    assert len(listener.requests) == 2
    for request in listener.requests:
        _check(world, listener, request)
        assert dict(request.headers)["collection-synchronization"] == "1 followers"
        assert "collection-synchronization" in read_signature(request).components


def test_other_mail_says_nothing_of_followers(world: World) -> None:
    listener = asyncio.run(_deliver(world, "202 Accepted"))
    assert "collection-synchronization" not in dict(listener.requests[0].headers)


def test_a_redirect_is_not_followed(world: World) -> None:
    listener = asyncio.run(_deliver(world, "307 Temporary Redirect\r\nLocation: /elsewhere"))
    assert len(listener.requests) == 1
    assert world.states() == ["waiting"]


def test_retry_after_is_read_from_the_answer(world: World) -> None:
    listener = asyncio.run(_deliver(world, "503 Service Unavailable\r\nRetry-After: 7200"))
    assert world.host(listener.origin.netloc).next_try_ms == world.now_ms + 7_200_000


def test_a_server_that_is_down_is_tried_later(world: World) -> None:
    async def story() -> str:
        async with listening("202 Accepted") as listener:
            pass
        ben = f"{listener.origin}/users/ben"
        world.book.known[ben] = Mailbox(ben, f"{ben}/inbox", None)
        world.posts(1, ben)
        client = Client(LOOPBACK, FetchLimits())
        house = replace(world.worker._house, postman=client, rules=LOOPBACK)
        worker = Worker(
            house.write, house.read, house.signers, house.address_book, client, LOOPBACK,
            world.worker._limits, house.clock_ms, house.chance,
        )  # fmt: skip
        await worker.drain()
        await client.aclose()
        return listener.origin.netloc

    name = asyncio.run(story())
    assert world.states() == ["waiting"]
    assert world.host(name).failures == 1
