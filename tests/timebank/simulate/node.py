"""One simulated instance: the product's commands, units of work and schema on a database in memory that can be copied."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, create_engine, event, update
from sqlalchemy.pool import StaticPool

import outbox.tables
from activitypub.documents import parse_activity
from activitypub.identifiers import UrlRules
from activitypub.signatures.authentic import Proof, restored
from fedaid.foundation.database import Database
from fedaid.foundation.names import Names
from fedaid.foundation.work import UnitsOfWork, Work
from fedaid.timebank import rows, sync, wire
from fedaid.timebank.commands.receive import FindAgreed
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.shown import Page
from inbox.ports import Letter

RULES = UrlRules()


class DiskFull(Exception):
    """The database could not commit; the process goes on."""


class Crash(Exception):
    """The process ended before its transaction was durable."""


class CopiedDatabase(Database, ABC):
    """The product's database, which may be full, and can be copied; ``raw`` is for queries beside the product."""

    raw: Any
    is_full = False

    @property
    @abstractmethod
    def image(self) -> Any:
        """A backup: everything that is durable now."""

    @abstractmethod
    def put_back(self, image: Any) -> None:
        """As if an older backup had been copied here."""

    def _refuse_when_full(self, _connection: Connection) -> None:
        if self.is_full:
            raise DiskFull


class MemoryDatabase(CopiedDatabase):
    """One SQLite connection in memory."""

    def __init__(self) -> None:
        super().__init__("sqlite://")
        self.raw = _connect(None)
        engine = create_engine("sqlite://", creator=lambda: self.raw, poolclass=StaticPool)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        event.listen(engine, "commit", self._refuse_when_full)
        self._writer = self._reader = engine

    @property
    def image(self) -> bytes:
        return self.raw.serialize()  # type: ignore[no-any-return]  # of an sqlite3.Connection

    def put_back(self, image: bytes) -> None:
        self._writer.dispose()
        self.is_full = False
        self.raw = _connect(image)


def _connect(image: bytes | None) -> sqlite3.Connection:
    raw = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    if image is not None:
        raw.deserialize(image)
    raw.execute("PRAGMA foreign_keys=ON")
    return raw


@dataclass
class NodeClock:
    """A clock that is off by ``skew`` from the true time."""

    true: "TrueTime"
    skew: timedelta = timedelta()

    def now(self) -> datetime:
        return self.true.at + self.skew


@dataclass
class TrueTime:
    """The time that nobody's clock shows exactly."""

    at: datetime


@dataclass
class Node:
    """One instance. What is not in the database is lost when it restarts: ``errands`` are syncs under way."""

    names: Names
    database: CopiedDatabase
    clock: NodeClock
    members: tuple[str, ...]
    limits: TimebankLimits
    find_agreed: FindAgreed
    units: UnitsOfWork = field(init=False)
    told: list[object] = field(default_factory=list)
    errands: list[sync.Errand] = field(default_factory=list)
    restores: int = 0
    crashes_at_commit: bool = False

    def __post_init__(self) -> None:
        self.units = UnitsOfWork(self.database, self.clock, self.names, {})

    @property
    def name(self) -> str:
        return self.names.host.partition(".")[0]

    @property
    def ledger(self) -> str:
        return self.names.ledger

    @contextmanager
    def work(self) -> Iterator[Work]:
        """A unit of work as the product opens it; it may end before its commit, or find the disk full."""
        with self.units.begin() as work:
            yield work
            if self.crashes_at_commit:
                raise Crash
        self.told.extend(work.facts)

    def start(self) -> None:
        """What every process does first."""
        self.errands.clear()
        with self.work() as work:
            sync.ask_all(work)

    def restore(self, image: bytes) -> None:
        """Put an older database back, and start."""
        self.database.put_back(image)
        self.restores += 1
        self.start()

    # letters

    def unsent(self) -> list[tuple[int, str, bytes]]:
        """Number, recipient and body of the letters that wait in the outbox, oldest first."""
        query = "SELECT id, recipients, body FROM outbox_activity WHERE NOT fanned_out ORDER BY id"
        return [(row[0], orjson.loads(row[1])[0], row[2].encode()) for row in self.database.raw.execute(query)]

    def mark_sent(self, number: int) -> None:
        """The other side has acknowledged it."""
        with self.database.write() as connection:
            table = outbox.tables.activity
            connection.execute(update(table).where(table.c.id == number).values(fanned_out=True))

    def take(self, sender: str, body: bytes) -> None:
        """A letter whose HTTP signature was verified, as the inbox hands it over. Raises what the handler raises."""
        activity = parse_activity(orjson.loads(body), RULES)
        authentic = restored(RULES.parse(sender), f"{sender}#main-key", Proof.DRAFT_CAVAGE, self.clock.now())
        handler = wire.handlers(RULES, self.limits, self.find_agreed)[activity.type][0]
        with self.work() as work, work.attempt():
            handler.apply(work, Letter(authentic, activity, wire.LEDGER_INBOX), {})

    # syncs

    def look_for_syncs(self) -> int:
        """Begin the syncs that are due."""
        with self.database.read() as connection:
            if not sync.is_any_due(connection, self.limits, self.clock.now()):
                return 0
        with self.work() as work:
            found = sync.set_out(work, self.limits)
        under_way = {errand.peer_id for errand in self.errands}
        self.errands.extend(errand for errand in found if errand.peer_id not in under_way)
        return len(found)

    def show(self, asker: str, after: int) -> Page:
        """The page that the ledger ``asker`` would read here."""
        with self.database.read() as connection:
            peer = rows.peer_by_actor(connection, asker)
            assert peer
            return sync.page_for(connection, self.limits, peer, after)

    def read(self, errand: sync.Errand, page: Page) -> sync.Errand | None:
        """Take a page; where to read on."""
        with self.work() as work:
            return sync.take_page(work, self.limits, errand, page, self.find_agreed)

    # looking

    def peer_status(self, other: "Node") -> str:
        row = self.database.raw.execute("SELECT status FROM peer WHERE actor = ?", (other.ledger,)).fetchone()
        return str(row[0])

    def needs_sync(self) -> bool:
        query = "SELECT 1 FROM peer WHERE sync_asked > sync_done AND status IN ('active', 'suspended', 'closing')"
        return self.database.raw.execute(query).fetchone() is not None

    def transfers(self, condition: str, *values: Any) -> list[str]:
        """Ids of transfers, oldest first."""
        query = f"SELECT id FROM transfer WHERE {condition} ORDER BY created_at, id"  # noqa: S608 - our own words
        return [row[0] for row in self.database.raw.execute(query, values)]
