"""One instance among two servers of others, all of them real, and what a stranger can do to it with requests.

Before anything is tried, our board follows the boards of both servers, and we know a person of one of them: so their
keys are there, and what a refused request leaves behind can be told from what was there.
"""

import asyncio
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select

import inbox.tables
import outbox.tables
from activitypub.keys import SigningKey
from fedaid import app, settings
from fedaid.actors import commands as actors
from fedaid.foundation.database import Database, metadata
from fedaid.foundation.errands import errand
from inbox.tables import State, inbox_letter
from tests.inbox.post import Post, draft_post, rfc9421_post
from tests.support.elsewhere import Elsewhere
from tests.support.sockets import Answer, exchange, head

SETTLE_SECONDS_MAX = 20
SECRET = "what only the addressee should read"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
_TABLES = [
    *metadata.sorted_tables,
    *inbox.tables.metadata.sorted_tables,
    *outbox.tables.metadata.sorted_tables,
]
_numbers = count(1)


@dataclass(frozen=True)
class Outcome:
    """What became of a request: its answer's status, and of a letter that was taken, its end; the code of a refusal."""

    status: int
    code: str = ""
    state: str = ""


@dataclass
class Scene:
    """The instance at ``origin``, and two other servers: ``river``, an honest one, and ``sea``, which is not."""

    origin: str
    data: Path
    database: Database
    river: Elsewhere
    sea: Elsewhere

    @property
    def host(self) -> str:
        return self.origin.removeprefix("http://")

    @property
    def board(self) -> str:
        return f"{self.origin}/groups/board"

    @property
    def carol(self) -> str:
        """A person of river whom we know; she has no say over its board."""
        return self.river.person("carol")

    def key(self, actor: str) -> SigningKey:
        place = self.river if actor.startswith(self.river.origin) else self.sea
        return place.key(actor)

    # letters

    def activity(self, kind: str, actor: str, about: object, **changes: object) -> dict[str, Any]:
        """An activity with an id of its own."""
        origin = "/".join(actor.split("/")[:3])
        made = {"id": f"{origin}/activities/{next(_numbers)}", "type": kind, "actor": actor, "object": about}
        return {**made, "to": [PUBLIC], "summary": SECRET, **changes}

    def follow(self, actor: str) -> dict[str, Any]:
        """An activity whose effect is easy to see: the actor is among our board's followers."""
        return self.activity("Follow", actor, self.board)

    def note(self, author: str, uri: str, **changes: object) -> dict[str, Any]:
        """A listing of elsewhere."""
        made = {"id": uri, "type": "Note", "attributedTo": author, "to": [PUBLIC], "name": "Reading", "url": uri}
        intent = {"id": f"{uri}#primary", "type": "Intent", "action": "deliverService", "receiver": author}
        return {**made, "purpose": "request", "content": "<p>Reading</p>", "publishes": intent, **changes}

    def new_listing(self, place: Elsewhere) -> str:
        """An id for a listing that nobody has seen."""
        return f"{place.origin}/listings/{next(_numbers)}"

    def stranger(self, place: Elsewhere) -> str:
        """Somebody we have not met."""
        return place.person(f"stranger{next(_numbers)}")

    def known_listing(self) -> str:
        """A new listing of river's board that has reached us."""
        uri = self.new_listing(self.river)
        create = self.activity("Create", self.river.board, self.note(self.river.board, uri))
        assert self.outcome(wire(self.draft(create, self.river.board))) == Outcome(202, "", "done")
        return uri

    def draft(self, activity: Mapping[str, Any] | bytes, signer: str, **how: Any) -> Post:
        """The letter, signed by draft-cavage with the key of ``signer``."""
        return draft_post(activity, self.key(signer), **{"at": datetime.now(UTC), "host": self.host, **how})

    def rfc9421(self, activity: Mapping[str, Any], signer: str, **how: Any) -> Post:
        """The letter, signed by RFC 9421 with the key of ``signer``."""
        return rfc9421_post(
            activity, self.key(signer), **{"at": datetime.now(UTC), "host": self.host, "scheme": "http", **how}
        )

    # what happens

    def send(self, *parts: bytes) -> Answer:
        """One request, byte for byte."""
        return exchange(self.origin, *parts)

    def outcome(self, *parts: bytes) -> Outcome:
        """What becomes of a request, and of the letter it brought, once it was looked at."""
        newest = self._newest_letter()
        answer = self.send(*parts)
        assert SECRET.encode() not in answer.body
        if answer.status != 202:
            return Outcome(answer.status, answer.code)
        self.wait_until(lambda: not self._letters(inbox_letter.c.state == State.NEW.value))
        (letter,) = self._letters(inbox_letter.c.n > newest)
        return Outcome(answer.status, letter.code, letter.state)

    def rows(self, *, but: Collection[str] = ()) -> Mapping[str, list[str]]:
        """Everything in the database, table by table, but for some of them."""
        with self.database.read() as connection:
            return {
                table.name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
                for table in _TABLES
                if table.name not in but
            }

    def answers_to(self, follow_id: str) -> list[dict[str, Any]]:
        """The Accepts that reached river for one Follow."""
        accepts = [letter for letter in self.river.received if letter["type"] == "Accept"]
        return [letter for letter in accepts if follow_id in json.dumps(letter["object"])]

    def log_since(self, size: int) -> list[dict[str, Any]]:
        """What the server process said after its log had the given size."""
        with (self.data / "server.log").open("rb") as log:
            log.seek(size)
            text = log.read().decode()
        assert SECRET not in text
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    @property
    def log_size(self) -> int:
        return (self.data / "server.log").stat().st_size

    def wait_until(self, happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while not happened():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.02)

    def wait_until_quiet(self) -> None:
        """Until every letter is settled, everything is delivered, and every errand was tried."""
        table = outbox.tables
        unsent = select(table.delivery.c.n).where(table.delivery.c.state == table.WAITING)
        unread = select(table.activity.c.id).where(table.activity.c.fanned_out.is_(False))
        new = select(inbox_letter.c.n).where(inbox_letter.c.state == State.NEW.value)
        untried = select(errand.c.id).where(errand.c.tries == 0)

        def is_quiet() -> bool:
            with self.database.read() as connection:
                return not any(connection.execute(query).first() for query in (unsent, unread, new, untried))

        self.wait_until(is_quiet)

    def _newest_letter(self) -> int:
        with self.database.read() as connection:
            return int(connection.execute(select(func.coalesce(func.max(inbox_letter.c.n), 0))).scalar_one())

    def _letters(self, condition: Any) -> list[Row[Any]]:
        with self.database.read() as connection:
            return list(connection.execute(select(inbox_letter).where(condition)))


def wire(post: Post) -> bytes:
    """A letter as it goes over the socket."""
    headers = {"host": post.headers["host"], **post.headers, "content-length": str(len(post.body))}
    return head(post.method, post.path, headers) + post.body


def ask_to_follow(data: Path, scene: Scene) -> None:
    """Before the instance runs: its board asks both others whether it may follow them."""
    instance = app.build(settings.load(data), works=False)
    with instance.units.begin() as work:
        for place in (scene.river, scene.sea):
            actors.follow(work, scene.board, place.board)
    asyncio.run(instance.close())


def get_acquainted(scene: Scene) -> None:
    """Both boards say yes, and carol says hello."""
    for place in (scene.river, scene.sea):
        scene.wait_until(place.received.__len__)
        (asked,) = place.received
        accept = scene.activity("Accept", place.board, asked["id"])
        assert scene.outcome(wire(scene.draft(accept, place.board))) == Outcome(202, "", "done")
    hello = scene.activity("Like", scene.carol, scene.board)
    assert scene.outcome(wire(scene.draft(hello, scene.carol))).status == 202
    scene.wait_until_quiet()


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """A database of a running instance, looked at from beside."""
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()
