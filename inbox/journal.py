"""Writes letters down before they are acknowledged: each once, many per commit, the commit beside the event loop."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from activitypub.documents import Activity
from activitypub.signatures.authentic import Authentic
from inbox.limits import InboxLimits
from inbox.ports import Clock
from inbox.tables import IS_NEW, State, inbox_letter

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


class Journal:
    """Group commit: letters that arrive while a commit runs are written together in the next one.

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
        self._writing: asyncio.Task[None] | None = None
        # A thread of its own: a commit must not queue behind page views.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox-journal")
        self._backlog = 0
        self._counted_at = 0.0

    @property
    def is_full(self) -> bool:
        """Whether senders should come back later; the backlog behind it is recounted with the commits."""
        return len(self._waiting) >= self._limits.waiting_letters_max or self._backlog >= self._limits.queue_letters_max

    async def append(self, entry: Entry) -> bool:
        """Durable when this returns: True for a new letter, False for one we already had.

        Raises JournalUnavailable when it could not be written.
        """
        waiting = _Waiting(entry, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
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
        finally:
            self._writing = None

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        entries = [waiting.entry for waiting in batch]
        try:
            new = await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, entries)
        except Exception as error:  # noqa: BLE001 - whatever it was, these letters are not durable
            _log.error("inbox.journal_failed", letters=len(batch), error=type(error).__name__)
            for waiting in batch:
                if not waiting.written.done():
                    waiting.written.set_exception(JournalUnavailable(str(type(error).__name__)))
            return
        for waiting in batch:
            if not waiting.written.done():  # its request may have been cancelled meanwhile
                waiting.written.set_result(waiting.entry.activity_id in new)
        self._on_written()

    def _commit(self, entries: Sequence[Entry]) -> set[str]:
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
    """Write the letters that are not there yet, in one statement; the activity ids of the new ones."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(inbox_letter)
        .on_conflict_do_nothing(index_elements=[inbox_letter.c.activity_id])
        .returning(inbox_letter.c.activity_id)
    )
    return set(connection.execute(statement, [_row(entry) for entry in entries]).scalars())


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
