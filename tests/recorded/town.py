"""Northside as a whole instance in this process, and the servers of others, which send what is written in the files.

Each file beside this one holds the actor and the request bodies of one server in its own exact shape. Only the keys
are ours, so the signatures are made here, over the headers that this server signs.
"""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import select

import outbox.tables
from activitypub.keys import SigningKey, VerificationKey, private_from_pem, public_to_multibase, public_to_pem
from activitypub.signatures.proofs import add_proof, verify_proof
from fedaid.actors import queries as actors
from fedaid.admin.founding import found
from fedaid.app import Instance, build
from fedaid.board import commands, queries
from fedaid.board.queries import Listing, Response
from fedaid.foundation.viewer import Role, Viewer
from fedaid.members import commands as members
from fedaid.members.limits import MemberLimits
from fedaid.settings import Settings
from inbox.tables import inbox_letter
from tests.board.world import a_posting
from tests.inbox.post import sha256
from tests.small_house import NORTH, StillClock, some_keys

HERE = Path(__file__).parent
SERVERS = ("mastodon_4_5", "gotosocial", "lemmy", "mitra", "takahe")
BOARD = f"{NORTH}/groups/board"
ACTIVITY = "application/activity+json"
MASTODON_ACCEPT = (
    'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams", text/html;q=0.1'
)


@dataclass(frozen=True)
class Server:
    """One server of somebody else: what it signs, who speaks there, and what they send."""

    name: str
    host: str
    signature: Mapping[str, str]
    actor: Mapping[str, Any]
    documents: Mapping[str, Mapping[str, Any]]
    requests: Mapping[str, Mapping[str, Any]]
    proves: bool

    @property
    def person(self) -> str:
        return str(self.actor["id"])

    @property
    def handle(self) -> str:
        return f"@{self.actor['preferredUsername']}@{self.host}"


def recorded(name: str) -> Server:
    """The server of this name as its file describes it."""
    keys = some_keys()
    pem = public_to_pem(private_from_pem(keys.rsa_pem).public_key())
    ed25519 = public_to_multibase(private_from_pem(keys.ed25519_pem).public_key())  # type: ignore[arg-type]
    text = (HERE / f"{name}.json").read_text(encoding="utf-8")
    filled = text.replace('"{{pem}}"', json.dumps(pem)).replace('"{{ed25519}}"', json.dumps(ed25519))
    read = json.loads(filled.replace("{{board}}", BOARD).replace("{{origin}}", NORTH))
    actor, key_document = read["actor"], read.get("key_document")
    documents = {actor["id"]: actor}
    if key_document is not None:
        documents[key_document["publicKey"]["id"]] = key_document
    return Server(name, read["host"], read["signature"], actor, documents, read["requests"], bool(read.get("proof")))


class _Content(httpx2.AsyncByteStream):
    """The body of an answer, as it comes over a network: read once, part by part."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def _answer(kind: str, content: bytes) -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": kind}, stream=_Content(content))


@dataclass
class Network(httpx2.AsyncBaseTransport):
    """Everybody else's servers: they answer with their documents and keep what is posted to them."""

    documents: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = str(request.url)
        if request.method == "POST":
            self.posted.append((url, json.loads(await request.aread())))
            return httpx2.Response(202, stream=_Content(b""))
        self.asked.append(url)
        if url in self.files:
            kind, content = self.files[url]
            return _answer(kind, content)
        if url not in self.documents:
            return httpx2.Response(404, stream=_Content(b""))
        return _answer(ACTIVITY, orjson.dumps(self.documents[url]))


class Town:
    """One instance with Ana, Bea and Cora the coordinator, and the rest of the network around it."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.clock = StillClock()
        self.network = Network()
        settings = Settings(data=folder, origin=NORTH, name="Northside", database_url=database_url)
        self.instance: Instance = build(settings, works=False, clock=self.clock, transport=self.network)
        with self.instance.units.begin() as work:
            found(work, "Northside")
            self.ana = self._member(work, "ana", "Ana Nightingale", Role.MEMBER)
            self.bea = self._member(work, "bea", "Bea Bright", Role.MEMBER)
            self.cora = self._member(work, "cora", "Cora Cole", Role.COORDINATOR)
        self.servers = {name: recorded(name) for name in SERVERS}
        for server in self.servers.values():
            self.network.documents.update(server.documents)

    def _member(self, work: Any, handle: str, name: str, role: Role) -> Viewer:
        email, zone = f"{handle}@mail.example", "Europe/London"
        added = members.add_member(
            work, handle, "x", name=name, email=email, role=role, time_zone=zone, keys=some_keys()
        )
        return Viewer(added.id, added.handle, added.name, added.actor, role, zone)

    def visit(self, who: Viewer | None = None) -> httpx2.AsyncClient:
        """A browser at the instance's door, signed in as somebody; or a server's client."""
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.instance.web), base_url=NORTH, headers={"accept": "text/html"}
        )
        if who is not None and who.member_id is not None:
            with self.instance.units.begin() as work:
                secret = members.sign_in(work, who.member_id, "test", MemberLimits())
            client.cookies.set("__Host-fedaid-northside-example", secret)
        return client

    async def get(self, path: str, accept: str = MASTODON_ACCEPT) -> httpx2.Response:
        """What a server gets at an address of ours."""
        async with self.visit() as client:
            return await client.get(path.removeprefix(NORTH), headers={"accept": accept})

    async def bring(self, server: Server, request: str, listing: Listing | None = None, **changes: Any) -> int:
        """Post a recorded request, signed as this server signs, have it applied, and send what we answer.

        The status; ``changes`` are made to the body, for refusals.
        """
        found = server.requests[request]
        text = json.dumps(found["body"]).replace("{{listing}}", listing.uri if listing is not None else "")
        return await self.post(server, found["inbox"], {**json.loads(text), **changes})

    async def post(self, server: Server, inbox: str, document: Mapping[str, Any]) -> int:
        """Post a document as this server posts. The status."""
        body = orjson.dumps(self._proved(server, document))
        async with self.visit() as client:
            answer = await client.post(inbox, content=body, headers=self._signed(server, inbox, body))
        await self.settle()
        return answer.status_code

    def _proved(self, server: Server, document: Mapping[str, Any]) -> Mapping[str, Any]:
        if not server.proves:
            return document
        private = private_from_pem(some_keys().ed25519_pem)
        return add_proof(document, SigningKey(f"{server.person}#ed25519-key", server.person, private), self.clock.now())

    def _signed(self, server: Server, inbox: str, body: bytes) -> dict[str, str]:
        headers = {
            "host": urlsplit(NORTH).netloc,
            "date": format_datetime(self.clock.now(), usegmt=True),
            "digest": f"SHA-256={sha256(body)}",
            "content-type": server.signature["content-type"],
        }
        lines = {"(request-target)": f"post {urlsplit(inbox).path}", **headers}
        covered = server.signature["headers"]
        base = "\n".join(f"{name}: {lines[name]}" for name in covered.split())
        private = private_from_pem(some_keys().rsa_pem)
        assert isinstance(private, rsa.RSAPrivateKey)
        signature = b64encode(private.sign(base.encode("ascii"), padding.PKCS1v15(), hashes.SHA256())).decode()
        key_id, algorithm = server.actor["publicKey"]["id"], server.signature["algorithm"]
        headers["signature"] = f'keyId="{key_id}",algorithm="{algorithm}",headers="{covered}",signature="{signature}"'
        return headers

    async def settle(self) -> None:
        """Apply what came in, and deliver what goes out."""
        await self.instance.inbox_worker.drain()
        await self.instance.outbox_worker.drain()

    async def close(self) -> None:
        await self.instance.close()

    # what stands in the instance

    async def list_something(self, **changes: Any) -> Listing:
        """Ana's request for help with a sofa, delivered to whoever follows."""
        with self.instance.units.begin() as work:
            listing_id = commands.post_listing(work, self.ana, BOARD, a_posting(**changes))
        await self.settle()
        return self.listing(listing_id)

    def listing(self, listing_id: int) -> Listing:
        with self.instance.database.read() as connection:
            found = queries.any_listing(connection, listing_id)
        assert found is not None
        return found

    def answers(self, listing: Listing) -> list[Response]:
        with self.instance.database.read() as connection:
            return [one.response for one in queries.responses(connection, self.ana, listing)]

    def letters(self) -> list[tuple[str, str, str]]:
        """Type, state and reason of each letter that came, oldest first."""
        with self.instance.database.read() as connection:
            rows = connection.execute(select(inbox_letter).order_by(inbox_letter.c.n))
            return [(row.type, row.state, row.code) for row in rows]

    def sent_to(self, server: Server) -> list[dict[str, Any]]:
        """What reached an inbox of the server, oldest first, without the proofs, which are right."""
        return [self.unproved(body) for url, body in self.network.posted if urlsplit(url).netloc == server.host]

    def in_outbox(self) -> list[dict[str, Any]]:
        """What our actors said, oldest first, without the proofs, which are right."""
        with self.instance.database.read() as connection:
            table = outbox.tables.activity
            return [
                self.unproved(orjson.loads(body))
                for body in connection.execute(select(table.c.body).order_by(table.c.id)).scalars()
            ]

    def unproved(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A document of ours without its proof (FEP-8b32), which must be there and right."""
        actor = document.get("actor") or document.get("attributedTo")
        with self.instance.database.read() as connection:
            signs = actors.ed25519_key(connection, str(actor))
        key = VerificationKey(signs.key_id, signs.owner, signs.private_key.public_key(), self.clock.now())
        assert verify_proof(dict(document), key, datetime.max.replace(tzinfo=UTC)).actor.text == actor
        return {name: value for name, value in document.items() if name != "proof"}
