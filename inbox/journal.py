"""Writes letters down before they are acknowledged: each once, many per commit, the commit beside the event loop."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter

import structlog
from sqlalchemy import Connection, func, literal_column, select, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.sql.schema import ScalarElementColumnDefault as ScalarDefault

from activitypub.documents import Activity
from activitypub.signatures.authentic import Authentic
from inbox.limits import InboxLimits
from inbox.ports import Clock
from inbox.tables import IS_NEW, State, inbox_letter

STATEMENTS_MAX = 1024  # remembered, one for each number of letters in a commit
WRITE_TRIES_MAX = 2  # PostgreSQL may end one of two batches that bring the same letters in another order

_log = structlog.get_logger()


@dataclass(frozen=True)
class Entry:
    """A letter as it is written down: what came in, and what was proved about its sender."""

    activity_id: str
    sender: str
    host: str
    type: str
    inbox: str
    body: bytes
    key_id: str
    proof: str
    signed_ms: int
    received_ms: int


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return int(moment.timestamp() * 1000)


def entry_of(activity: Activity, sender: Authentic, inbox: str, body: bytes, received_at: datetime) -> Entry:
    """What to write down of an authenticated activity."""
    return Entry(
        activity_id=activity.id.text,
        sender=sender.actor.text,
        host=sender.actor.origin.netloc,
        type=activity.type,
        inbox=inbox,
        body=body,
        key_id=sender.key_id,
        proof=sender.proof.value,
        signed_ms=milliseconds(sender.signed_at),
        received_ms=milliseconds(received_at),
    )


class JournalUnavailable(Exception):
    """The letter could not be made durable, so it must not be acknowledged."""


@dataclass
class _Waiting:
    entry: Entry
    written: "asyncio.Future[bool]"


Outcome = bool | Exception  # of one letter: whether it is new; or why it is not written down


class Journal:
    """Group commit: letters that arrive while a commit runs are written together in the next one.

    Where letters come without a pause, the next one begins a moment later: on a quick disk few come during a commit,
    and each costs the processor as much as ten letters. A letter that comes alone waits for nothing.

    ``write`` opens a transaction that is durable when its block ends. ``on_written`` is called on the event
    loop after each commit; it wakes the worker. One journal serves one event loop. ``repeatable`` are the paths of
    inboxes whose owner answers a letter each time it comes (the ledger's): there a letter that was settled is
    applied again when its sender posts it again, and the owner sees to it that nothing happens twice.
    """

    def __init__(
        self,
        write: Callable[[], AbstractContextManager[Connection]],
        clock: Clock,
        limits: InboxLimits | None = None,
        on_written: Callable[[], None] = lambda: None,
        repeatable: Collection[str] = (),
    ) -> None:
        self._write = write
        self._repeatable = frozenset(repeatable)
        self._clock = clock
        self._limits = limits or InboxLimits()
        self._on_written = on_written
        self._waiting: list[_Waiting] = []
        self._in_hand = 0  # waiting, or in the commit that runs
        self._writing: asyncio.Task[None] | None = None
        # A thread of its own: a commit must not queue behind page views.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox-journal")
        self._backlog = 0
        self._counted_at = 0.0

    @property
    def is_full(self) -> bool:
        """Whether senders should come back later; the backlog behind it is recounted with the commits."""
        return self._in_hand >= self._limits.waiting_letters_max or self._backlog >= self._limits.queue_letters_max

    async def append(self, entry: Entry) -> bool:
        """Durable when this returns: True for a new letter, False for one we already had.

        Raises JournalUnavailable when it could not be written.
        """
        waiting = _Waiting(entry, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._in_hand += 1
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting())
        return await waiting.written

    async def close(self) -> None:
        """Write what is waiting and end the thread."""
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()

    async def refresh(self) -> None:
        """Count the backlog again, for when no commit does it because letters are being refused."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._recount)

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._limits.commit_letters_max]
                del self._waiting[: len(batch)]
                await self._write_batch(batch)
                if self._waiting:
                    await asyncio.sleep(self._limits.commit_gather_seconds)
        finally:
            self._writing = None

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        entries = [waiting.entry for waiting in batch]
        outcomes = await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, entries)
        self._in_hand -= len(batch)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.written.done():  # its request was cancelled meanwhile
                continue
            if isinstance(outcome, Exception):
                waiting.written.set_exception(JournalUnavailable(type(outcome).__name__))
            else:
                waiting.written.set_result(outcome)
        self._on_written()

    def _commit(self, entries: Sequence[Entry]) -> Sequence[Outcome]:
        """Written down together; where that fails, but not for want of a database, in halves: one that cannot be
        written must not take the others with it."""
        try:
            new = self._commit_together(entries)
        except Exception as error:  # noqa: BLE001 - whatever it was, these letters are not durable
            if len(entries) > 1 and not isinstance(error, OperationalError | InterfaceError):
                middle = len(entries) // 2
                return [*self._commit(entries[:middle]), *self._commit(entries[middle:])]
            _log.error("inbox.journal_failed", letters=len(entries), error=type(error).__name__)
            return [error] * len(entries)
        return [entry.activity_id in new for entry in entries]

    def _commit_together(self, entries: Sequence[Entry]) -> set[str]:
        for left in reversed(range(WRITE_TRIES_MAX)):
            try:
                with self._write() as connection:
                    new = write_down(connection, entries)
                    self._reopen(connection, [entry for entry in entries if entry.activity_id not in new])
                    if self._count_is_due():
                        self._count(connection)
                return new
            except DBAPIError:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _reopen(self, connection: Connection, known: Sequence[Entry]) -> None:
        for entry in known:
            if entry.inbox in self._repeatable:
                reopen(connection, entry)

    def _recount(self) -> None:
        if self._count_is_due():
            with self._write() as connection:
                self._count(connection)

    def _count_is_due(self) -> bool:
        return self._now() - self._counted_at >= self._limits.queue_count_seconds

    def _count(self, connection: Connection) -> None:
        self._backlog = backlog(connection, self._limits.queue_letters_max)
        self._counted_at = self._now()

    def _now(self) -> float:
        return self._clock.now().timestamp()


def write_down(connection: Connection, entries: Sequence[Entry]) -> set[str]:
    """Write the letters that are not there yet, in one statement; the activity ids of the new ones.

    One call into the driver for all of them: beside a busy event loop each return from it waits for the interpreter,
    so a call per row (executemany, or RETURNING on SQLite) writes a tenth.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    values = tuple([value for entry in entries for value in _values_of(entry)])
    done = connection.exec_driver_sql(_insertion(len(entries), is_sqlite=is_sqlite), values)
    if not is_sqlite:
        return set(done.scalars())
    written: int = done.rowcount
    if written == len(entries):
        return {entry.activity_id for entry in entries}
    # Rows of one statement get the numbers that follow each other, up to the last.
    last = done.lastrowid if written > 0 else 0
    new = select(inbox_letter.c.activity_id).where(inbox_letter.c.n > last - written, inbox_letter.c.n <= last)
    return set(connection.execute(new).scalars())


_values_of = attrgetter(*Entry.__dataclass_fields__)


@lru_cache(STATEMENTS_MAX)
def _insertion(rows: int, *, is_sqlite: bool) -> str:
    """Written by hand, as SQLAlchemy would compile it anew for each number of rows."""
    given = list(Entry.__dataclass_fields__)
    fixed = {column.name: column.default.arg for column in inbox_letter.c if isinstance(column.default, ScalarDefault)}
    literals = [f"'{value}'" if isinstance(value, str) else str(value) for value in fixed.values()]
    row = f"({', '.join(['?' if is_sqlite else '%s'] * len(given) + literals)})"
    columns = ", ".join([*given, *fixed])
    # Only names and defaults of our own table are put together here.
    statement = f"INSERT INTO inbox_letter ({columns}) VALUES {', '.join([row] * rows)}"  # noqa: S608
    ending = "" if is_sqlite else " RETURNING activity_id"
    return f"{statement} ON CONFLICT (activity_id) DO NOTHING{ending}"


def reopen(connection: Connection, entry: Entry) -> None:
    """Let a settled letter that its sender posted again be applied again, as it came now."""
    settled = (inbox_letter.c.activity_id == entry.activity_id) & (inbox_letter.c.sender == entry.sender)
    settled &= inbox_letter.c.state.in_([State.DONE.value, State.IGNORED.value, State.REFUSED.value])
    anew = {"state": State.NEW.value, "tries": 0, "next_try_ms": 0, "code": "", "sentence": ""}
    connection.execute(update(inbox_letter).where(settled).values(**_row(entry), **anew))


def _row(entry: Entry) -> dict[str, object]:
    return dict(vars(entry))


def backlog(connection: Connection, letters_max: int) -> int:
    """How many letters are not applied yet, counted no further than ``letters_max``."""
    first = select(literal_column("1")).select_from(inbox_letter).where(IS_NEW).limit(letters_max).subquery()
    return int(connection.execute(select(func.count()).select_from(first)).scalar_one())
