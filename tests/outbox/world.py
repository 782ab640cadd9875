"""A small town for the outgoing mail room: a clock that is set by hand, and servers that answer as they are told."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, select

from activitypub.errors import FetchFailed
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey, generate_rsa
from fedaid.foundation.database import Database
from outbox import health, tables
from outbox.limits import OutboxLimits
from outbox.ports import Mailbox
from outbox.queue import Outgoing, post
from outbox.worker import Worker

ANA = "https://north.example/users/ana"
BEN = "https://river.example/users/ben"
SECOND = 1000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def note(number: int) -> dict[str, Any]:
    """The announcement of a note, nothing in it repeats in another one."""
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"https://north.example/activities/{number}",
        "type": "Create",
        "actor": ANA,
        "object": {"id": f"https://north.example/notes/{number}", "type": "Note", "content": "schönes Brot €"},
    }


def inbox_of(actor: str) -> str:
    return f"{actor}/inbox"


def actor(host: str, name: str = "ben") -> str:
    return f"https://{host}/users/{name}"


@dataclass(frozen=True)
class Answered:
    """What a scripted server says."""

    status: int = 202
    retry_after_seconds: int | None = None
    text: str = ""


@dataclass(frozen=True)
class Received:
    """One request that reached a server."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    at_ms: int

    @property
    def activity(self) -> int:
        return int(str(json.loads(self.body)["id"]).rpartition("/")[2])

    @property
    def dialect(self) -> str:
        names = {name.lower() for name in self.headers}
        return "rfc9421" if "signature-input" in names else "draft-cavage"


Script = Callable[[Received], Answered | FetchFailed]
SILENCE = FetchFailed("unreachable", "Nobody answers.", permanent=False)


@dataclass
class Town:
    """The network: notes every request and answers by the script of the host; without one, 202."""

    clock_ms: Callable[[], int]
    scripts: dict[str, Script] = field(default_factory=dict)
    pauses: dict[str, float] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    in_flight: dict[str, int] = field(default_factory=dict)
    in_flight_max: dict[str, int] = field(default_factory=dict)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        host = url.split("/")[2]
        self.in_flight[host] = self.in_flight.get(host, 0) + 1
        self.in_flight_max[host] = max(self.in_flight[host], self.in_flight_max.get(host, 0))
        try:
            await asyncio.sleep(self.pauses.get(host, 0))
        finally:
            self.in_flight[host] -= 1
        request = Received(url, body, dict(headers), self.clock_ms())
        self.received.append(request)
        answer = self.scripts.get(host, lambda _: Answered())(request)
        if isinstance(answer, FetchFailed):
            raise answer
        return answer

    def activities(self, host: str) -> list[int]:
        """The numbers of the activities that reached a host, in order."""
        return [request.activity for request in self.received if request.url.split("/")[2] == host]


@cache
def rsa_key() -> SigningKey:
    return SigningKey(f"{ANA}#main-key", ANA, generate_rsa())


class OurKeys:
    """Ana's key is the only one there is, but for one she had before."""

    former: SigningKey | None = None

    def signer(self, actor: str) -> SigningKey:
        if actor != ANA:
            raise LookupError(actor)
        return rsa_key()

    def former_signer(self, actor: str) -> SigningKey | None:
        return self.former


@dataclass
class Book:
    """An address book in memory; ``strangers`` are to be met first."""

    known: dict[str, Mailbox] = field(default_factory=dict)
    following: dict[str, list[str]] = field(default_factory=dict)
    strangers: dict[str, Mailbox | FetchFailed] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    modern: set[str] = field(default_factory=set)
    meetings: list[str] = field(default_factory=list)

    def mailboxes(self, connection: Connection, actors: Sequence[str]) -> Sequence[Mailbox]:
        return [self.known[name] for name in actors if name in self.known]

    def followers(self, connection: Connection, actor: str) -> Sequence[Mailbox]:
        return [self.known[name] for name in self.following.get(actor, [])]

    async def meet(self, actor: str) -> None:
        self.meetings.append(actor)
        found = self.strangers[actor]
        if isinstance(found, FetchFailed):
            raise found
        self.known[actor] = found

    def refused(self, connection: Connection, sender: str, recipients: Sequence[str]) -> frozenset[str]:
        return frozenset(address for address in recipients if address.split("/")[2] in self.blocked)

    def synchronizations(self, connection: Connection, actor: str, inboxes: Sequence[str]) -> Mapping[str, str]:
        return dict.fromkeys(inboxes, f"{len(self.following.get(actor, []))} followers")

    def reads_rfc9421(self, connection: Connection, hosts: Sequence[str]) -> frozenset[str]:
        return frozenset(self.modern.intersection(hosts))


async def until(condition: Callable[[], object]) -> None:
    """Wait at most five seconds for something another task does."""
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


class World:
    """Everything together."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now_ms = 1_800_000_000_000
        self.town = Town(lambda: self.now_ms)
        self.book = Book()
        self.keys = OurKeys()
        self.worker = self.another_worker()

    def another_worker(self, **changed: Any) -> Worker:
        """As a second process would have it."""
        return Worker(
            write=self.database.write,
            read=self.database.read,
            signers=self.keys,
            address_book=self.book,
            client=self.town,
            rules=UrlRules(),
            limits=OutboxLimits(**{"poll_seconds": 0.02, **changed}),
            clock_ms=lambda: self.now_ms,
            random=lambda: 0.5,
        )

    def knows(self, name: str, shared: str | None = None) -> str:
        self.book.known[name] = Mailbox(name, inbox_of(name), shared)
        return name

    def posts(self, number: int, *to: str, **changed: Any) -> int:
        return self.sends(note(number), to=to, **changed)

    def sends(self, activity: Mapping[str, Any], **changed: Any) -> int:
        with self.database.write() as connection:
            return post(connection, Outgoing(activity, **{"actor": ANA, **changed}), self.now_ms)

    def says(self, host: str, *answers: int | Answered | FetchFailed) -> None:
        """The host gives these answers one after the other, and the last one for ever."""
        left = list(answers)

        def script(_: Received) -> Answered | FetchFailed:
            answer = left.pop(0) if len(left) > 1 else left[0]
            return Answered(answer) if isinstance(answer, int) else answer

        self.town.scripts[host] = script

    def drain(self) -> int:
        return asyncio.run(self.worker.drain())

    def later(self, milliseconds: float) -> int:
        """Time passes, then the worker works."""
        self.now_ms += round(milliseconds)
        return self.drain()

    def deliveries(self) -> list[Row[Any]]:
        with self.database.read() as connection:
            return list(connection.execute(select(tables.delivery).order_by(tables.delivery.c.n)))

    def states(self) -> list[str]:
        return [row.state for row in self.deliveries()]

    def host(self, name: str) -> health.HostHealth:
        with self.database.read() as connection:
            found = health.one(connection, name)
        assert found is not None
        return found

    def write(self) -> AbstractContextManager[Connection]:
        return self.database.write()
