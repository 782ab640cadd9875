"""Bells wake who waits in other processes over PostgreSQL; where they are not heard, the work is found by looking."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from fedaid.foundation.bells import Bell, BellLimits, Bells
from fedaid.foundation.database import Database

pytestmark = pytest.mark.anyio
SECONDS_MAX = 30.0
LIMITS = BellLimits(gather_seconds=0.01, retry_seconds=0.05, check_seconds=0.2)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Waiting:
    """A process that counts how often each bell woke it."""

    def __init__(self, database: Database) -> None:
        self.bells = Bells(database, LIMITS)
        self.woken = dict.fromkeys(Bell, 0)
        for bell in Bell:
            self.bells.answer(bell, lambda bell=bell: self._wake(bell))

    def _wake(self, bell: Bell) -> None:
        self.woken[bell] += 1


async def until(happened: Callable[[], object]) -> None:
    for _ in range(round(SECONDS_MAX * 100)):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


@asynccontextmanager
async def running(*processes: Waiting) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(one.bells.run(stop)) for one in processes]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def listen(database: Database, *processes: Waiting) -> None:
    """Until all listen: on PostgreSQL each bell rings once then, as something may have been missed."""
    if not database.is_sqlite:
        await until(lambda: all(one.woken[Bell.LETTERS] and one.woken[Bell.WORK] for one in processes))
    for one in processes:
        one.woken = dict.fromkeys(Bell, 0)


async def test_a_bell_wakes_whoever_waits_in_the_same_process_at_once(database: Database) -> None:
    one = Waiting(database)
    one.bells.ring(Bell.WORK)
    assert one.woken == {Bell.LETTERS: 0, Bell.WORK: 1}


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_bell_wakes_all_other_processes_and_this_one_only_once(database: Database) -> None:
    one, other, third = (Waiting(database) for _ in range(3))
    async with running(one, other, third):
        await listen(database, one, other, third)
        await asyncio.to_thread(one.bells.ring, Bell.LETTERS)
        await until(lambda: other.woken[Bell.LETTERS] and third.woken[Bell.LETTERS])
        other.bells.ring(Bell.WORK)
        await until(lambda: one.woken[Bell.WORK] and third.woken[Bell.WORK])
    assert (one.woken, other.woken) == ({Bell.LETTERS: 1, Bell.WORK: 1}, {Bell.LETTERS: 1, Bell.WORK: 1})


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_what_rings_often_is_told_together(database: Database) -> None:
    one, other = Waiting(database), Waiting(database)
    async with running(one, other):
        await listen(database, one, other)
        for _ in range(500):
            one.bells.ring(Bell.WORK)
        await until(lambda: other.woken[Bell.WORK])
        one.bells.ring(Bell.LETTERS)
        await until(lambda: other.woken[Bell.LETTERS])
    assert other.woken[Bell.WORK] <= 3
    assert one.woken[Bell.WORK] == 500


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_lost_connection_is_made_again_and_what_was_missed_is_looked_for(database: Database) -> None:
    one, other = Waiting(database), Waiting(database)
    async with running(one, other):
        await listen(database, one, other)
        with database.write() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND (query LIKE 'LISTEN%%' OR query LIKE 'SELECT pg_notify%%'"
                " OR query = 'SELECT 1')"
            )
        await listen(database, one, other)

        async def rings() -> None:
            while not other.woken[Bell.WORK]:
                one.bells.ring(Bell.WORK)
                await asyncio.sleep(0.05)

        await asyncio.wait_for(rings(), SECONDS_MAX)


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_word_of_a_newer_version_is_passed_over(database: Database) -> None:
    one = Waiting(database)
    async with running(one):
        await listen(database, one)
        with database.write() as connection:
            for payload in ("", "somebody", "somebody tomorrow", "somebody letters"):
                connection.exec_driver_sql("SELECT pg_notify('fedaid', %s)", (payload,))
        await until(lambda: one.woken[Bell.LETTERS])
    assert one.woken == {Bell.LETTERS: 1, Bell.WORK: 0}


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_on_sqlite_nobody_is_told_and_the_end_is_at_once(database: Database) -> None:
    one = Waiting(database)
    async with running(one):
        one.bells.ring(Bell.WORK)
    assert one.woken[Bell.WORK] == 1
