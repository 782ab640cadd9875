"""Errands: what must be read elsewhere because of something that happened here; written with the fact, done beside it.

An errand first goes to the network with no transaction open, then writes what it found in one unit of work.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from activitypub.errors import FetchFailed, ProtocolError
from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import UnitsOfWork, Work

ABOUT_CHARACTERS_MAX = 2048

# One of a kind about a thing: asking again only renews it.
errand = Table(
    "errand",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(40), nullable=False),
    Column("about", String(ABOUT_CHARACTERS_MAX), nullable=False),
    Column("note", Text, nullable=False),  # what else there is to know
    Column("tries", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False, index=True),
    Column("lease_until", UtcDateTime),
    UniqueConstraint("kind", "about"),
)

log = structlog.get_logger()

Write = Callable[[Work], object]
Errand = Callable[
    [str, str], Awaitable[Write]
]  # about, note -> what to write; raises FetchFailed, ProtocolError, Refused


@dataclass(frozen=True)
class ErrandLimits:
    """How patient and how parallel errands are.

    tries_max            tries before an errand is given up
    first_retry_seconds  the wait after the first failure; each further wait is three times longer
    errand_seconds_max   how long one may take on the network
    lease_seconds        how long it is one worker's; after a crash another one goes on then
    at_once_max          how many are done at the same time
    poll_seconds         how often it is looked for new ones
    """

    tries_max: int = 6
    first_retry_seconds: float = 60.0
    errand_seconds_max: float = 60.0
    lease_seconds: float = 120.0
    at_once_max: int = 4
    poll_seconds: float = 2.0

    def __post_init__(self) -> None:
        if self.lease_seconds <= self.errand_seconds_max:
            raise ValueError("lease_seconds must be longer than errand_seconds_max")


def send_on(work: Work, kind: str, about: str, note: str = "") -> None:
    """Have an errand done after the commit; one that is waiting already is renewed."""
    row = {"note": note, "tries": 0, "due_at": work.now, "lease_until": None}
    same = (errand.c.kind == kind) & (errand.c.about == about)
    if work.connection.execute(update(errand).where(same).values(row)).rowcount:
        return
    with suppress(IntegrityError), work.attempt():  # somebody else was quicker
        work.connection.execute(insert(errand).values(id=work.new_id(), kind=kind, about=about, **row))


def count(connection: Connection) -> int:
    """How many are to be done, now or later."""
    return int(connection.execute(select(func.count()).select_from(errand)).scalar_one())


@dataclass(frozen=True)
class Given:
    """An errand that is ours until the lease ends."""

    id: int
    kind: str
    about: str
    note: str
    tries: int
    lease_until: datetime


class Errands:
    """Does them, on any number of processes; ``kinds`` says how each kind is done.

    ``ended`` is told of each try: the kind, and ``done``, ``put_off`` or ``given_up``.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        kinds: Mapping[str, Errand],
        limits: ErrandLimits,
        ended: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._units = units
        self._kinds = kinds
        self._limits = limits
        self._ended = ended
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be a new one. May be called from any thread, and when nothing runs."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Do errands until ``stop`` is set; those under way are finished first."""
        self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
        while not stop.is_set():
            self._woken.clear()
            if not await self._round_or_log():
                await self._rest(stop)

    async def _rest(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(self._woken.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=self._limits.poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def drain(self) -> int:
        """Do what is due and return how many that were; for tests and the command line."""
        done = 0
        while taken := await self._round():
            done += taken
        return done

    async def _round_or_log(self) -> int:
        try:
            return await self._round()
        except SQLAlchemyError as failure:  # the database is busy or away; it will come back
            log.error("errands_database_failed", error=type(failure).__name__)
            return 0

    async def _round(self) -> int:
        given = await asyncio.to_thread(self._claim)
        await asyncio.gather(*(self._do(one) for one in given))
        return len(given)

    def _claim(self) -> Sequence[Given]:
        if not self._is_anything_due():
            return []
        now = self._units.clock.now()
        until = now + timedelta(seconds=self._limits.lease_seconds)
        with self._units.database.write() as connection:
            due = select(errand).where(_due(now)).order_by(errand.c.due_at).limit(self._limits.at_once_max)
            rows = connection.execute(due.with_for_update(skip_locked=True)).all()
            mine = errand.c.id.in_([row.id for row in rows])
            connection.execute(update(errand).where(mine).values(lease_until=until))
        return [Given(row.id, row.kind, row.about, row.note, row.tries, until) for row in rows]

    def _is_anything_due(self) -> bool:
        with self._units.database.read() as connection:
            return (
                connection.execute(select(errand.c.id).where(_due(self._units.clock.now())).limit(1)).first()
                is not None
            )

    async def _do(self, given: Given) -> None:
        do = self._kinds.get(given.kind)
        if do is None:  # written by a newer version
            await asyncio.to_thread(self._put_off, given, "nobody here knows this kind")
            return
        try:
            async with asyncio.timeout(self._limits.errand_seconds_max):
                write = await do(given.about, given.note)
            await asyncio.to_thread(self._finish, given, write)
        except (ProtocolError, Refused) as refused:
            for_good = not isinstance(refused, FetchFailed) or refused.permanent
            await asyncio.to_thread(self._give_up if for_good else self._put_off, given, str(refused))
        except TimeoutError:
            await asyncio.to_thread(self._put_off, given, "it took too long")
        except Exception as error:
            log.error("errand_failed", kind=given.kind, about=given.about, exc_info=error)
            await asyncio.to_thread(self._put_off, given, type(error).__name__)

    def _finish(self, given: Given, write: Write) -> None:
        """What was found and the end of the errand in one transaction; nothing when it is another's by now."""
        with self._units.begin() as work:
            if work.connection.execute(delete(errand).where(_ours(given))).rowcount:
                write(work)
        self._ended(given.kind, "done")

    def _give_up(self, given: Given, why: str) -> None:
        log.info("errand_given_up", kind=given.kind, about=given.about, why=why)
        with self._units.database.write() as connection:
            connection.execute(delete(errand).where(_ours(given)))
        self._ended(given.kind, "given_up")

    def _put_off(self, given: Given, why: str) -> None:
        tries = given.tries + 1
        if tries >= self._limits.tries_max:
            self._give_up(given, why)
            return
        wait = timedelta(seconds=self._limits.first_retry_seconds * 3 ** (tries - 1))
        later = {"tries": tries, "due_at": self._units.clock.now() + wait, "lease_until": None}
        with self._units.database.write() as connection:
            connection.execute(update(errand).where(_ours(given)).values(later))
        self._ended(given.kind, "put_off")


def _due(now: datetime) -> ColumnElement[bool]:
    return (errand.c.due_at <= now) & (errand.c.lease_until.is_(None) | (errand.c.lease_until <= now))


def _ours(given: Given) -> ColumnElement[bool]:
    return (errand.c.id == given.id) & (errand.c.lease_until == given.lease_until)
