"""One whole instance under attack: Northside with its members, an honest peer at b.example, and everybody at evil.example.

Nothing of the instance is replaced. Strangers send it requests, signed as they like; what it asks of others, and what
stands in its database afterwards, can be seen.
"""

import asyncio
import json
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import httpx2
from sqlalchemy import func, select
from starlette.routing import BaseRoute

import inbox.tables
import outbox.tables
from activitypub.client import FetchLimits, Guard, GuardedTransport
from activitypub.identifiers import UrlRules
from activitypub.keys import PrivateKey, SigningKey, generate_ed25519, generate_rsa
from fedaid import app, settings
from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.actors.tables import follow
from fedaid.admin import founding
from fedaid.board import commands, queries
from fedaid.board.queries import Listing
from fedaid.foundation.database import Database, metadata
from fedaid.foundation.viewer import Role, Viewer
from fedaid.members import commands as members
from fedaid.members import queries as member_queries
from inbox.tables import inbox_letter
from tests.attacks.internet import Internet, Unencrypted
from tests.board.world import a_posting
from tests.inbox.post import Post, draft_post, rfc9421_post
from tests.inbox.world import actor_document, assertion_method
from tests.small_house import NORTH, StillClock, some_keys
from tests.support.databases import migrated_database_url

HOST = "northside.example"
BOARD = f"{NORTH}/groups/board"
BOB, BOBS_BOARD = "https://b.example/users/bob", "https://b.example/groups/board"
EVE, EVES_BOARD = "https://evil.example/users/eve", "https://evil.example/groups/board"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
SESSIONS = ("session",)
JOURNAL = ("inbox_letter",)  # a letter that is refused when it is read stays there, with the reason
ADDRESS_BOOK = ("remote_actor", "remote_key")  # whoever proves who they are is known from then on
BETWEEN_TESTS_SECONDS = 2 * 3600  # after which no counter of one test bothers the next
SHOWN_CHARACTERS = 300
_TABLES = [*metadata.sorted_tables, *inbox.tables.metadata.sorted_tables, *outbox.tables.metadata.sorted_tables]
_numbers = count(1)
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What became of a request: its answer's status, and of a letter that was taken, its end; the code of a refusal."""

    status: int
    code: str = ""
    state: str = ""


@cache
def _pair(whose: str) -> tuple[PrivateKey, PrivateKey]:
    """An RSA and an Ed25519 key; making them takes long."""
    return generate_rsa(), generate_ed25519()


def _pair_of(actor: str) -> tuple[PrivateKey, PrivateKey]:
    """Bob's, eve's, or that of all others."""
    host = actor.split("/")[2]
    return _pair(host if host in ("b.example", "evil.example") else "")


def key(actor: str) -> SigningKey:
    """The key with which an actor elsewhere signs requests."""
    return SigningKey(f"{actor}#main-key", actor, _pair_of(actor)[0])


def proof_key(actor: str) -> SigningKey:
    """The key with which it signs documents."""
    return SigningKey(f"{actor}#ed25519-key", actor, _pair_of(actor)[1])


def person(actor: str, **changes: Any) -> dict[str, Any]:
    """The document of somebody elsewhere, with both keys."""
    kind = "Group" if "/groups/" in actor else "Person"
    proofs = [assertion_method(proof_key(actor))]
    return {**actor_document(actor, key(actor), type=kind, assertionMethod=proofs), **changes}


def new_id(host: str, kind: str = "notes") -> str:
    """An id at a host that nobody has seen."""
    return f"https://{host}/{kind}/{next(_numbers)}"


def activity(kind: str, actor: str, about: object, **changes: Any) -> dict[str, Any]:
    """An activity with an id of its own, for everybody."""
    made = {"@context": "https://www.w3.org/ns/activitystreams", "id": new_id(actor.split("/")[2], "activities")}
    return {**made, "type": kind, "actor": actor, "object": about, "to": [PUBLIC], **changes}


def note(author: str, uri: str, **changes: Any) -> dict[str, Any]:
    """A listing of elsewhere, which a board that we follow may bring us."""
    made = {"id": uri, "type": "Note", "attributedTo": author, "to": [PUBLIC], "name": "Reading", "url": uri}
    intent = {"id": f"{uri}#primary", "type": "Intent", "action": "deliverService", "receiver": author}
    return {**made, "purpose": "request", "content": "<p>Reading</p>", "publishes": intent, **changes}


def reply(author: str, to: str, **changes: Any) -> dict[str, Any]:
    """What somebody writes below a listing of ours."""
    made = {"id": new_id(author.split("/")[2]), "type": "Note", "attributedTo": author, "to": [PUBLIC]}
    return {**made, "inReplyTo": to, "content": "<p>I can help</p>", **changes}


class Siege:
    """The instance, its clock, and the scripted Internet. All its calls come from outside, one after another."""

    def __init__(self, folder: Path, url: str, runner: asyncio.Runner, **chosen: Any) -> None:
        self.runner = runner
        self.clock = StillClock()
        self.internet = Internet()
        limits = chosen.get("fetch", FetchLimits())
        guard = Guard(UrlRules(), limits, self.internet.resolve, self.internet, self.internet.dial)
        # The sockets are scripted, so connections are encrypted by nobody: pool and lines are the real ones otherwise.
        transport = GuardedTransport(guard, limits, Unencrypted())  # type: ignore[arg-type]
        loaded = settings.load(folder, origin=NORTH, name="Northside", database_url=url, **chosen)
        self.instance = app.build(
            loaded, works=False, clock=self.clock, transport=transport, resolver=self.internet.resolve
        )
        self.people = self._found()
        for actor in (BOB, BOBS_BOARD, EVE, EVES_BOARD):
            self.internet.serve(person(actor))

    def _found(self) -> Mapping[str, Viewer]:
        with patch("fedaid.actors.commands.make_keys", some_keys), self.instance.units.begin() as work:
            founding.found(work, "Northside")
            for handle, role in (
                ("nora", Role.ADMIN),
                ("cora", Role.COORDINATOR),
                ("ana", Role.MEMBER),
                ("bea", Role.MEMBER),
            ):
                members.add_member(work, handle, "x", name=handle.title(), role=role, keys=some_keys())
            found = {one: member_queries.by_handle(work.connection, one) for one in ("nora", "cora", "ana", "bea")}
        return {handle: member_queries.viewer_of(one) for handle, one in found.items() if one is not None}

    @property
    def database(self) -> Database:
        return self.instance.database

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def rest(self) -> None:
        """Between two tests: time passes, everything is delivered, and what was seen so far is forgotten."""
        self.settle()
        self.clock.pass_seconds(BETWEEN_TESTS_SECONDS)
        seen = self.internet
        for one in (seen.looked_up, seen.connected, seen.asked, seen.posted):
            one.clear()
        seen.read = 0

    # letters

    def draft(self, letter: Mapping[str, Any] | bytes, signer: str | SigningKey, **how: Any) -> Post:
        """The letter, signed by draft-cavage."""
        signing = key(signer) if isinstance(signer, str) else signer
        return draft_post(letter, signing, **{"at": self.clock.now(), "host": HOST, **how})

    def rfc9421(self, letter: Mapping[str, Any], signer: str | SigningKey, **how: Any) -> Post:
        """The letter, signed by RFC 9421."""
        signing = key(signer) if isinstance(signer, str) else signer
        return rfc9421_post(letter, signing, **{"at": self.clock.now(), "host": HOST, **how})

    def follow(self, actor: str) -> dict[str, Any]:
        """A letter with an effect that is easy to see: whoever sends it follows our board."""
        return activity("Follow", actor, BOARD)

    def send(self, post: Post, **more: Any) -> httpx2.Response:
        """Bring a letter to the door; nothing is read yet."""
        headers = [
            (name.encode(), value.encode("latin-1")) for name, value in (*post.headers.items(), *post.more_headers)
        ]

        async def bring() -> httpx2.Response:
            async with self.visitor(**more) as client:
                return await client.request(post.method, post.path, content=post.body, headers=headers)

        return self.run(bring())

    def outcome(self, post: Post) -> Outcome:
        """Bring a letter and let it be read."""
        newest = self.newest_letter()
        answer = self.send(post)
        self.settle()
        if answer.status_code != 202:
            return Outcome(answer.status_code, code_of(answer))
        arrived = self.letters(newest)
        return Outcome(202, arrived[0].code, arrived[0].state) if arrived else Outcome(202)

    def bring(self, letter: Mapping[str, Any], signer: str | None = None, **how: Any) -> Outcome:
        """The letter, signed by its actor unless somebody else is named."""
        return self.outcome(self.draft(letter, signer or str(letter["actor"]), **how))

    def newest_letter(self) -> int:
        with self.database.read() as connection:
            return connection.execute(select(func.coalesce(func.max(inbox_letter.c.n), 0))).scalar_one()

    def letters(self, after: int = 0) -> Sequence[Any]:
        with self.database.read() as connection:
            return connection.execute(select(inbox_letter).where(inbox_letter.c.n > after)).all()

    def settle(self) -> None:
        """Apply what came in, deliver what goes out, run the errands."""

        async def work() -> None:
            while (
                await self.instance.inbox_worker.drain()
                + await self.instance.outbox_worker.drain()
                + await self.instance.errands.drain()
            ):
                pass

        self.run(work())

    # pages

    def ask(
        self, path: str, who: str = "", method: str = "GET", address: str = "203.0.113.1", **how: Any
    ) -> httpx2.Response:
        """What somebody's browser, or a server, gets; no redirect is followed."""
        headers = {"accept": "text/html", **how.pop("headers", {})}
        if who:
            headers["cookie"] = self.session(who)

        async def get() -> httpx2.Response:
            async with self.visitor(address) as client:
                return await client.request(method, path, headers=headers, **how)

        return self.run(get())

    def routes(self) -> Sequence[BaseRoute]:
        """Every address of the pages."""
        our = self.instance
        return app.routes(our.settings, our.desk, our.patient, None, None, our.live, our.postman)  # type: ignore[arg-type]

    def visitor(self, address: str = "203.0.113.1") -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=self.instance.web, client=(address, 50_000))
        return httpx2.AsyncClient(transport=transport, base_url=NORTH, follow_redirects=False)

    def session(self, handle: str) -> str:
        """The cookie of a member who has signed in."""
        with self.instance.units.begin() as work:
            member_id = self.people[handle].member_id or 0
            return f"__Host-fedaid-northside-example={members.sign_in(work, member_id, 'test', self.instance.settings.members)}"

    # what stands there

    def rows(self, *, but: Sequence[str] = ()) -> Mapping[str, list[str]]:
        """Everything in the database, table by table, but for some of them, and for when a key was last looked at."""
        with self.database.read() as connection:
            return {
                table.name: sorted(
                    repr(tuple(row))
                    for row in connection.execute(select(*(one for one in table.c if one.name != "fetched_at")))
                )
                for table in _TABLES
                if table.name not in but
            }

    @contextmanager
    def nothing_changes(self, *, but: Sequence[str] = ()) -> Iterator[None]:
        """Whatever the block does leaves the database as it was."""
        before = self.rows(but=but)
        yield
        after = self.rows(but=but)
        changed = {name: sorted(set(rows).symmetric_difference(before[name])) for name, rows in after.items()}
        assert after == before, {
            name: [row[:SHOWN_CHARACTERS] for row in rows] for name, rows in changed.items() if rows
        }

    def post_listing(self, who: str = "ana", **changes: Any) -> Listing:
        """A request for help with a sofa, seen by everybody."""
        posting = replace(a_posting(**changes), starts_at=None, ends_at=None)
        posting = replace(posting, expires_at=self.clock.now() + timedelta(days=14))
        with self.instance.units.begin() as work:
            listing_id = commands.post_listing(work, self.people[who], BOARD, posting)
        self.settle()
        with self.database.read() as connection:
            found = queries.any_listing(connection, listing_id)
        assert found is not None
        return found

    def listing_at(self, uri: str) -> Listing | None:
        with self.database.read() as connection:
            return queries.listing_by_uri(connection, uri)

    def followers(self) -> set[str]:
        """Who follows our board."""
        with self.database.read() as connection:
            return {one.follower for one in actor_queries.follows_to(connection, BOARD)}

    def ask_to_follow(self, board: str) -> str:
        """Our board asks another whether it may follow; the id of the Follow."""
        with self.instance.units.begin() as work:
            asked = actors.follow(work, BOARD, board)
        self.settle()
        return asked.activity_id

    def follow_board(self, board: str) -> None:
        """Our board follows another, which said yes."""
        accept = activity("Accept", board, self.ask_to_follow(board))
        assert self.bring(accept) == Outcome(202, "", "done")

    def followed(self) -> dict[str, str]:
        """Whom our board follows or has asked, with how it stands."""
        with self.database.read() as connection:
            rows = connection.execute(select(follow).where(follow.c.follower == BOARD))
            return {row.followee: str(row.state) for row in rows}


def code_of(answer: httpx2.Response) -> str:
    """The stable word of problem details (RFC 9457), empty where there are none."""
    if answer.headers.get("content-type") != "application/problem+json":
        return ""
    return str(json.loads(answer.content)["code"])


@contextmanager
def besieged(kind: str, folder: Path, **chosen: Any) -> Iterator[Siege]:
    """A town under attack, on a database of a kind; ``chosen`` are settings that differ from their defaults."""
    with migrated_database_url(kind, folder) as url, asyncio.Runner() as runner:
        siege = Siege(folder, url, runner, **chosen)
        try:
            yield siege
        finally:
            siege.run(siege.instance.close())
