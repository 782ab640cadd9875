"""No update is lost when two processes read and write one row; what the drivers do by themselves loses every second."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Select, Table, create_engine, insert, select, update

from fedaid.foundation.clock import SystemClock
from fedaid.foundation.database import Database
from fedaid.foundation.names import Names
from fedaid.foundation.work import UnitsOfWork
from tests.support.databases import create_tables

END_SECONDS_MAX = 120

metadata = MetaData()
counter = Table("counter", metadata, Column("n", Integer, nullable=False))
Opening = tuple[Callable[[], AbstractContextManager[Connection]], Select[Any]]
_spawn = multiprocessing.get_context("spawn")


@pytest.fixture
def counted(database: Database) -> Database:
    create_tables(database, metadata)
    with database.write() as connection:
        connection.execute(insert(counter).values(n=0))
    return database


def count(counted: Database) -> int:
    with counted.read() as connection:
        return connection.execute(select(counter.c.n)).scalar_one()


def as_we_do(url: str) -> Opening:
    """A unit of work, and a read of what must not be stale."""
    units = UnitsOfWork(Database(url), SystemClock(), Names("https://northside.example"), {})

    @contextmanager
    def opened() -> Iterator[Connection]:
        with units.begin() as work:
            yield work.connection

    return opened, select(counter.c.n).with_for_update()


def as_the_drivers_come(url: str) -> Opening:
    """An engine with its driver's defaults, and a plain read."""
    return create_engine(url).begin, select(counter.c.n)


def count_up(
    url: str, opening: Callable[[str], Opening], rounds: int, meeting: Barrier, meet_seconds_max: float
) -> None:
    """Read the number, wait until the other process has read it as well, and write one more.

    If the other cannot read before we have written, it does not come; then nobody waits for it any more.
    """
    opened, read = opening(url)
    meeting.wait(END_SECONDS_MAX)
    for _ in range(rounds):
        with opened() as connection:
            n = connection.execute(read).scalar_one()
            with suppress(BrokenBarrierError):
                meeting.wait(meet_seconds_max)
            connection.execute(update(counter).values(n=n + 1))


def by_two_processes(
    counted: Database, opening: Callable[[str], Opening], *, rounds: int, meet_seconds_max: float
) -> None:
    url = counted.url.render_as_string(hide_password=False)
    args = (url, opening, rounds, _spawn.Barrier(2), meet_seconds_max)
    processes = [_spawn.Process(target=count_up, args=args) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(END_SECONDS_MAX)
    assert [process.exitcode for process in processes] == [0, 0]


def test_no_update_is_lost(counted: Database) -> None:
    by_two_processes(counted, as_we_do, rounds=200, meet_seconds_max=0.5)
    assert count(counted) == 400


def test_as_the_drivers_come_every_second_update_is_lost(counted: Database) -> None:
    """So the test above would notice: both read one number, and both write the next one."""
    by_two_processes(counted, as_the_drivers_come, rounds=20, meet_seconds_max=END_SECONDS_MAX)
    assert count(counted) == 20
