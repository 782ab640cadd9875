"""Two whole instances and a server of another kind in one process, on a network of their own, for true examples.

Everything that could differ from one run to the next is fixed: the clock, the ids and the keys.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import httpx2
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import select
from starlette.types import ASGIApp

import outbox.tables
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey, private_to_pem, public_to_pem
from activitypub.signatures import sign_draft_cavage
from activitypub.vocabulary import AS2
from fedaid import app, settings
from fedaid.actors.commands import ActorKeys
from fedaid.admin import founding
from fedaid.foundation import schema
from fedaid.foundation.database import Database
from fedaid.foundation.viewer import Role, Viewer
from fedaid.members import commands as members
from fedaid.members.queries import viewer_of
from tests.small_house import StillClock

VECTORS = Path(__file__).parents[1] / "vectors"
NORTH, RIVER, SOCIAL = "https://northside.example", "https://riverside.example", "https://social.example"
ACTIVITY = {"Accept": "application/activity+json"}


class CountingIds:
    """Gives ids in their order, so that examples stay the same."""

    def __init__(self, first: int) -> None:
        self._numbers = count(first)

    def next(self) -> int:
        return next(self._numbers)


class Wire(httpx2.AsyncBaseTransport):
    """The network: every host is an application of this process."""

    def __init__(self) -> None:
        self.hosts: dict[str, ASGIApp] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self.hosts[request.url.host])
        return await transport.handle_async_request(request)


@dataclass
class Neighbourhood:
    """One instance with its people."""

    instance: app.Instance
    people: dict[str, Viewer] = field(default_factory=dict)
    _seen: int = 0

    @property
    def origin(self) -> str:
        return self.instance.settings.origin

    async def get(self, url: str, accept: Mapping[str, str] = ACTIVITY) -> httpx2.Response:
        """What anybody reads at an address of ours."""
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.instance.web)) as client:
            return await client.get(url, headers=dict(accept))

    async def document(self, url: str, accept: Mapping[str, str] = ACTIVITY) -> dict[str, Any]:
        """The document that anybody reads at an address of ours."""
        answer = await self.get(url, accept)
        assert answer.status_code in (200, 410), (url, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    async def work(self) -> None:
        """Apply what has come in, and send what has to go out."""
        await self.instance.inbox_worker.drain()
        await self.instance.outbox_worker.drain()
        await self.instance.errands.drain()

    def said(self) -> Sequence[dict[str, Any]]:
        """The activities that were put into the outbox since the last time, oldest first."""
        table = outbox.tables.activity
        with self.instance.database.read() as connection:
            rows = connection.execute(select(table).where(table.c.id > self._seen).order_by(table.c.id)).all()
        self._seen = rows[-1].id if rows else self._seen
        return [orjson.loads(row.body) for row in rows]


class SocialServer:
    """A server of the fediverse that serves what it is told to, takes every letter, and writes letters of its own."""

    def __init__(self, clock: StillClock) -> None:
        self.documents: dict[str, Mapping[str, Any]] = {}
        self._clock = clock
        for path, kind in (("/users/carol", "Person"), ("/groups/commons", "Group"), ("/actor", "Application")):
            self.documents[path] = self._actor(f"{SOCIAL}{path}", kind)

    def _actor(self, uri: str, kind: str) -> Mapping[str, Any]:
        pem = public_to_pem(rsa_key().public_key())
        return {
            "@context": [AS2, "https://w3id.org/security/v1"],
            "id": uri,
            "type": kind,
            "preferredUsername": uri.rpartition("/")[2],
            "name": uri.rpartition("/")[2].title(),
            "inbox": f"{uri}/inbox",
            "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": pem},
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        document = self.documents.get(scope["path"]) if scope["method"] == "GET" else {}
        status = 404 if document is None else 202 if scope["method"] == "POST" else 200
        headers = [(b"content-type", b"application/activity+json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(document or {}).encode()})

    async def write(self, to: Neighbourhood, activity: Mapping[str, Any], inbox: str = "/inbox") -> httpx2.Response:
        """Post a signed letter to an inbox there."""
        url = UrlRules().parse(f"{to.origin}{inbox}")
        body = json.dumps({"@context": AS2, **activity}).encode()
        actor = str(activity["actor"])
        key = SigningKey(f"{actor}#main-key", actor, rsa_key())
        headers = sign_draft_cavage("POST", url, body, key, self._clock.now())
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=to.instance.web)) as client:
            return await client.post(url.text, content=body, headers=headers)


@dataclass
class Region:
    """The two neighbourhoods, the server of another kind, and the clock they all go by."""

    north: Neighbourhood
    river: Neighbourhood
    social: SocialServer
    clock: StillClock

    async def settle(self, rounds: int = 4) -> None:
        """Ten minutes pass, in which letters go to and fro until all is said."""
        self.clock.pass_seconds(600)
        for _ in range(rounds):
            for town in (self.north, self.river):
                await town.work()


@asynccontextmanager
async def region(folder: Path) -> AsyncIterator[Region]:
    """Northside with Nora and Ana, Riverside with Rui and Ben, and social.example."""
    clock, wire = StillClock(), Wire()
    with _fixed_secrets():
        north = _found(folder, NORTH, "Northside", 100, clock, wire, nora=Role.ADMIN, ana=Role.MEMBER)
        river = _found(folder, RIVER, "Riverside", 500, clock, wire, rui=Role.ADMIN, ben=Role.MEMBER)
        social = SocialServer(clock)
        wire.hosts |= {
            "northside.example": north.instance.web,
            "riverside.example": river.instance.web,
            "social.example": social,
        }
        async with _awake(north.instance.web), _awake(river.instance.web):
            yield Region(north, river, social, clock)


def _found(
    folder: Path, origin: str, name: str, first_id: int, clock: StillClock, wire: Wire, **people: Role
) -> Neighbourhood:
    data = folder / name
    data.mkdir()
    chosen = settings.load(data, origin=origin, name=name)
    database = Database(chosen.database)
    schema.upgrade(database)
    database.dispose()
    instance = app.build(chosen, works=False, clock=clock, transport=wire)
    instance.units._ids = CountingIds(first_id)  # type: ignore[assignment]  # the same rows get the same ids each time
    town = Neighbourhood(instance)
    with instance.units.begin() as work:
        founding.found(work, name)
        for handle, role in people.items():
            added = members.add_member(work, handle, "no password", name=handle.title(), role=role)
            town.people[handle] = viewer_of(added)
    return town


def rsa_key() -> Any:
    """A key that everybody knows: test-key-rsa of RFC 9421, appendix B.1.1."""
    pem = json.loads((VECTORS / "rfc9421" / "rfc9421-appendix-b.json").read_text())["keys"]["rsa_test_private_pem"]
    return load_pem_private_key(pem.encode(), None)


@contextmanager
def _fixed_secrets() -> Iterator[None]:
    numbers = count(1)

    def make_keys() -> ActorKeys:
        seed = hashlib.sha256(f"key {next(numbers)} of the examples".encode()).digest()
        return ActorKeys(private_to_pem(rsa_key()), private_to_pem(Ed25519PrivateKey.from_private_bytes(seed)))

    with (
        patch("fedaid.actors.commands.make_keys", make_keys),
        patch("fedaid.timebank.commands.transfers.secrets", SimpleNamespace(token_hex=lambda size: "5a" * size)),
    ):
        yield


@asynccontextmanager
async def _awake(web: ASGIApp) -> AsyncIterator[None]:
    """What a web server says to an application at its start and end (ASGI, lifespan)."""
    told: asyncio.Queue[Any] = asyncio.Queue()
    answered: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(_live(web, told.get, answered.put))
    await told.put({"type": "lifespan.startup"})
    await answered.get()
    try:
        yield
    finally:
        await told.put({"type": "lifespan.shutdown"})
        await life


async def _live(web: ASGIApp, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    await web({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
