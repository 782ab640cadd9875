"""Opens the database, SQLite or PostgreSQL, with the settings under which no update is lost."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from psycopg import AsyncConnection

SQLITE_BUSY_TIMEOUT_MS = 15_000
SQLITE_SWITCH_PAUSE_S = 0.01
RANDOM_PAGE_COST = 1.1  # of one page anywhere, measured in pages read in a row; what lies in memory or on an SSD
_GENERATION = {True: "PRAGMA data_version", False: "SELECT pg_current_snapshot()::text"}  # by whether it is SQLite

# Names make constraints droppable on both databases (Alembic's batch mode needs them).
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: always aware and in UTC in Python; refuses a naive one rather than guess its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """Two engines over one database: one that writes, one that can only read.

    SQLite: WAL, ``synchronous=FULL`` (NORMAL may lose the last commits when the power fails), and every write
    transaction begins with ``BEGIN IMMEDIATE``: with the driver's defaults 603 of 800 concurrent
    read-modify-writes were lost without an error. PostgreSQL: psycopg 3, READ COMMITTED; what must not be
    read stale is read with ``FOR UPDATE``. Who only reads has one snapshot on both: a page, or an audit of the
    books, must not see the half of what is posted meanwhile.

    ``committed`` is told after each commit how many seconds it took.
    """

    def __init__(
        self, url: str, *, pool_size: int = 10, committed: Callable[[float], None] = lambda _seconds: None
    ) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._writer = _engine(url, pool_size, read_only=False)
        self._reader = _engine(url, pool_size, read_only=True)
        self._committed = committed
        self._turns = threading.Lock() if self.is_sqlite else None
        self._watching = threading.Lock()
        self._watcher: Any = None  # one connection for ``generation``, as SQLite counts for each what others commit

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        with self._turn(), self._writer.begin() as connection:
            yield connection
            began = time.perf_counter()
        self._committed(time.perf_counter() - began)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The threads of this process write to SQLite one after the other, each woken when the one before is done.

        SQLite itself lets who waits sleep, longer and longer, up to 100 ms; it still decides, also between processes.
        """
        if self._turns is None:
            yield
            return
        is_ours = self._turns.acquire(timeout=SQLITE_BUSY_TIMEOUT_MS / 1000)
        try:
            yield
        finally:
            if is_ours:
                self._turns.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view for a page; an attempt to write raises."""
        with self._reader.begin() as connection:
            yield connection

    @property
    def driver_error(self) -> type[Exception]:
        """What its driver raises where SQLAlchemy does not stand between."""
        found: type[Exception] = self._reader.dialect.loaded_dbapi.Error
        return found

    async def connect_beside(self) -> "AsyncConnection":
        """A connection of its own to PostgreSQL, outside of the pools and without transactions: for bells."""
        from psycopg import AsyncConnection  # 8 MB, which nobody on SQLite needs

        words, options = self._reader.dialect.create_connect_args(self.url)
        return await AsyncConnection.connect(*words, autocommit=True, **options)

    def generation(self) -> object:
        """Equal to an earlier one only if nothing was committed in between, by whatever process; not the other way.

        SQLite looks into the memory that its connections share, which takes microseconds. PostgreSQL is asked which
        transactions are over. Where it cannot be asked, the answer is equal to none.
        """
        with self._watching:
            try:
                if self._watcher is None:
                    self._watcher = self._reader.raw_connection()
                    if not self.is_sqlite:
                        self._watcher.driver_connection.autocommit = True
                cursor = self._watcher.driver_connection.execute(_GENERATION[self.is_sqlite])
                return cursor.fetchone()[0]
            except self.driver_error:
                self._look_away()
                return object()

    def _look_away(self) -> None:
        if self._watcher is not None:
            self._watcher.invalidate()
            self._watcher = None

    def dispose(self) -> None:
        """Close every connection."""
        with self._watching:
            self._look_away()
        self._writer.dispose()
        self._reader.dispose()


def _engine(url: str, pool_size: int, *, read_only: bool) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url, pool_size, read_only=read_only)
    engine = create_engine(url, pool_size=pool_size, pool_pre_ping=True, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connect(driver_connection: Any, _record: Any) -> None:
        # PostgreSQL's own 4 is that of a spinning disk, for which it reads a whole table rather than an index of words.
        driver_connection.execute(f"SET random_page_cost = {RANDOM_PAGE_COST}")
        driver_connection.commit()

    if read_only:

        @event.listens_for(engine, "begin")
        def _begin_read_only(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine


def _sqlite_engine(url: str, pool_size: int, *, read_only: bool) -> Engine:
    # Values stay out of error texts: they may be private, and errors are logged.
    engine = create_engine(url, pool_size=pool_size, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connect(driver_connection: Any, _record: Any) -> None:
        driver_connection.isolation_level = None  # we say BEGIN ourselves, the driver says it too late
        cursor = driver_connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT_MS}")
        _write_ahead(cursor)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL, which the file then remembers.

    Of several processes that switch a new file at once, SQLite tells all but one that it is locked, without the wait
    of ``busy_timeout`` (both hold what the other needs), so the wait is here.
    """
    give_up = time.monotonic() + SQLITE_BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(SQLITE_SWITCH_PAUSE_S)
