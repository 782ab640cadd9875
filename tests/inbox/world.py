"""A small town around the incoming mail room: a clock set by hand, senders with keys, a scripted network."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Row, select

from activitypub.documents import Activity
from activitypub.errors import FetchFailed
from activitypub.identifiers import Origin, UrlRules
from activitypub.keys import (
    SigningKey,
    VerificationKey,
    generate_ed25519,
    generate_rsa,
    public_to_multibase,
    public_to_pem,
)
from fedaid.foundation.database import Database
from fedaid.foundation.names import Names
from fedaid.foundation.work import Announcers, UnitsOfWork, Work
from inbox import tables
from inbox.endpoint import InboxApp, InboxRoom, inbox_app
from inbox.journal import Entry, Journal
from inbox.limits import InboxLimits
from inbox.ports import Letter, Unwelcome
from inbox.worker import Worker

OUR_HOST = "north.example"
BEN = "https://river.example/users/ben"
EVE = "https://evil.example/users/eve"
START = datetime(2026, 9, 5, 10, 0, tzinfo=UTC)
RULES = UrlRules()


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@cache
def signing_key(actor: str, name: str = "main-key") -> SigningKey:
    """One key per actor and name for the whole run, as making RSA keys takes long."""
    private = generate_ed25519() if name.startswith("ed25519") else generate_rsa()
    return SigningKey(f"{actor}#{name}", actor, private)


def verification_key(key: SigningKey, fetched_at: datetime = START) -> VerificationKey:
    return VerificationKey(key.key_id, key.owner, key.private_key.public_key(), fetched_at)


def actor_document(actor: str, key: SigningKey | None = None, **more: object) -> dict[str, Any]:
    """What the actor's own server serves."""
    key = key or signing_key(actor)
    public = {"id": key.key_id, "owner": actor, "publicKeyPem": public_to_pem(key.private_key.public_key())}
    return {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": actor,
        "type": "Person",
        "preferredUsername": actor.rpartition("/")[2],
        "inbox": f"{actor}/inbox",
        "publicKey": public,
        **more,
    }


def assertion_method(key: SigningKey) -> dict[str, str]:
    multibase = public_to_multibase(key.private_key.public_key())  # type: ignore[arg-type]
    return {"id": key.key_id, "type": "Multikey", "controller": key.owner, "publicKeyMultibase": multibase}


def like(number: int, actor: str = BEN) -> dict[str, Any]:
    """An activity that needs nothing else."""
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor}/likes/{number}",
        "type": "Like",
        "actor": actor,
        "object": f"https://{OUR_HOST}/listings/{number}",
    }


def as_bytes(activity: Mapping[str, Any]) -> bytes:
    return json.dumps(activity, ensure_ascii=False).encode("utf-8")


def entry(number: int, actor: str = BEN, activity: Mapping[str, Any] | None = None) -> Entry:
    """A letter as the endpoint would write it down."""
    activity = activity or like(number, actor)
    return Entry(
        activity_id=str(activity["id"]),
        sender=actor,
        host=actor.split("/")[2],
        type=str(activity["type"]),
        inbox="/inbox",
        body=as_bytes(activity),
        key_id=f"{actor}#main-key",
        proof="draft-cavage",
        signed_ms=int(START.timestamp() * 1000),
        received_ms=int(START.timestamp() * 1000),
    )


@dataclass
class Directory:
    """The actors we met, scripted: what is stored, which hosts and actors are blocked, and what was said to it."""

    keys: dict[str, VerificationKey] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    excepted: set[str] = field(default_factory=set)
    remembered: list[Mapping[str, Any]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    followers: list[tuple[str, str]] = field(default_factory=list)

    def meet(self, actor: str, fetched_at: datetime = START) -> SigningKey:
        key = signing_key(actor)
        self.keys[key.key_id] = verification_key(key, fetched_at)
        return key

    def key(self, key_id: str) -> VerificationKey | None:
        return self.keys.get(key_id)

    def remember(self, actor_document: Mapping[str, Any]) -> None:
        self.remembered.append(actor_document)

    def unwelcome(self, who: str, inbox: str) -> Unwelcome | None:
        host = who.split("/")[2]
        if any(host == blocked or host.endswith(f".{blocked}") for blocked in self.blocked):
            return None if who in self.excepted else Unwelcome("blocked", f"{host} is blocked here.")
        return Unwelcome("blocked", "You are.", silent=True) if who in self.blocked else None

    def unwelcome_letters(self, letters: Sequence[Letter]) -> Sequence[Unwelcome | None]:
        return [self._unwelcome_letter(one) for one in letters]

    def _unwelcome_letter(self, letter: Letter) -> Unwelcome | None:
        about = letter.activity.object_id
        refused = self.unwelcome(letter.sender.actor.text, letter.inbox)
        return refused or (self.unwelcome(about, letter.inbox) if about else None)

    def heard_from(self, host: str) -> None:
        self.heard.append(host)

    def told(self, actor: str, header: str) -> None:
        self.followers.append((actor, header))

    def has_inbox(self, path: str) -> bool:
        return path in ("/inbox", "/users/ana/inbox")


@dataclass(frozen=True)
class Page:
    document: Mapping[str, Any]


@dataclass
class Web:
    """The network, scripted: documents by address; what is missing cannot be fetched. ``asked`` is in order."""

    documents: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str, signer: SigningKey | None = None) -> Page:
        assert signer is not None
        self.asked.append(url)
        if url in self.down:
            raise FetchFailed("timeout", "No answer.", permanent=False)
        if url not in self.documents:
            raise FetchFailed("gone", "Not there.", permanent=True)
        return Page(self.documents[url])


Apply = Callable[[Work, Letter, Mapping[str, Mapping[str, Any]]], bool]


@dataclass
class Scripted:
    """A handler that does as it is told."""

    do: Apply
    wanted: Sequence[str] = ()

    def wants(self, activity: Activity) -> Sequence[str]:
        return self.wanted

    def apply(self, work: Work, letter: Letter, fetched: Mapping[str, Mapping[str, Any]]) -> bool:
        return self.do(work, letter, fetched)


async def until(condition: Callable[[], object]) -> None:
    """Wait at most ten seconds for something another task does."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


class World:
    """Everything a test of the inbox needs, on one database."""

    def __init__(self, database: Database, limits: InboxLimits | None = None) -> None:
        self.database = database
        self.clock = HandClock()
        self.limits = limits or InboxLimits()
        self.directory = Directory()
        self.web = Web()
        self.announced: list[object] = []
        announcers: Announcers = {str: [lambda _work, fact: self.announced.append(fact)]}
        self.units = UnitsOfWork(database, self.clock, Names(f"https://{OUR_HOST}"), announcers)

    @property
    def now_ms(self) -> int:
        return int(self.clock.now().timestamp() * 1000)

    def server_signer(self) -> SigningKey:
        return signing_key(f"https://{OUR_HOST}/actor")

    def worker(self, handlers: Mapping[str, Sequence[Scripted]], limits: InboxLimits | None = None) -> Worker[Work]:
        return Worker(
            write=self.database.write,
            units=self.units,
            handlers=handlers,
            correspondents=self.directory,
            client=self.web,
            signer=self.server_signer,
            rules=RULES,
            clock=self.clock,
            limits=limits or self.limits,
        )

    def app(self, limits: InboxLimits | None = None, journal: Journal | None = None) -> InboxApp:
        limits = limits or self.limits
        return inbox_app(
            InboxRoom(
                origin=Origin("https", OUR_HOST, 443),
                rules=RULES,
                limits=limits,
                journal=journal or Journal(self.database.write, self.clock, limits),
                correspondents=self.directory,
                recipients=self.directory,
                client=self.web,
                server_signer=self.server_signer,
                clock=self.clock,
                followers=self.directory,
            )
        )

    def letters(self) -> Sequence[Row[Any]]:
        with self.database.read() as connection:
            return connection.execute(select(tables.inbox_letter).order_by(tables.inbox_letter.c.n)).all()

    def states(self) -> Sequence[str]:
        return [letter.state for letter in self.letters()]
