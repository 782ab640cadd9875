"""The journal: what is acknowledged is on the disk, once."""

import asyncio
import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from fedaid.foundation.database import Database
from inbox.journal import Journal, JournalUnavailable, backlog, write_down
from inbox.limits import InboxLimits
from tests.inbox.world import World, entry

pytestmark = pytest.mark.anyio
SENDERS = 4
LETTERS = 25


async def test_a_letter_is_committed_before_append_returns(world: World) -> None:
    journal = Journal(world.database.write, world.clock)
    assert await journal.append(entry(1))
    (letter,) = world.letters()  # read through another connection
    assert (letter.activity_id, letter.body, letter.state) == (entry(1).activity_id, entry(1).body, "new")
    await journal.close()


async def test_a_repeated_letter_is_accepted_and_written_once(world: World) -> None:
    journal = Journal(world.database.write, world.clock)
    assert [await journal.append(entry(1)), await journal.append(entry(1))] == [True, False]
    assert len(world.letters()) == 1
    await journal.close()


async def test_letters_that_arrive_during_a_commit_share_the_next_one(world: World) -> None:
    commits = []

    @contextmanager
    def counted() -> Iterator[Connection]:
        with world.database.write() as connection:
            yield connection
        commits.append(1)

    journal = Journal(counted, world.clock)
    assert all(await asyncio.gather(*(journal.append(entry(number)) for number in range(100))))
    assert len(world.letters()) == 100
    assert len(commits) <= 3
    await journal.close()


async def test_letters_keep_the_order_in_which_they_came(world: World) -> None:
    journal = Journal(world.database.write, world.clock)
    await asyncio.gather(*(journal.append(entry(number)) for number in range(50)))
    assert [letter.activity_id for letter in world.letters()] == [entry(number).activity_id for number in range(50)]
    await journal.close()


async def test_the_same_letter_many_times_at_once_is_written_once(world: World) -> None:
    journal = Journal(world.database.write, world.clock)
    await asyncio.gather(*(journal.append(entry(1)) for _ in range(20)))
    assert len(world.letters()) == 1
    await journal.close()


async def test_a_letter_that_cannot_be_written_is_not_acknowledged(world: World) -> None:
    @contextmanager
    def broken() -> Iterator[Connection]:
        raise OperationalError("", {}, Exception("disk full"))
        yield

    journal = Journal(broken, world.clock)
    with pytest.raises(JournalUnavailable):
        await journal.append(entry(1))
    await journal.close()


async def test_a_commit_that_fails_acknowledges_nothing_and_the_journal_goes_on(world: World) -> None:
    failures = [True, True]  # both tries of the first batch

    @contextmanager
    def fails_at_commit() -> Iterator[Connection]:
        with world.database.write() as connection:
            yield connection
            if failures:
                failures.pop()
                raise OperationalError("", {}, Exception("disk full"))

    journal = Journal(fails_at_commit, world.clock)
    with pytest.raises(JournalUnavailable):
        await journal.append(entry(1))
    assert world.letters() == []
    assert await journal.append(entry(1))
    await journal.close()


async def test_one_letter_that_cannot_be_written_takes_no_other_with_it(world: World) -> None:
    journal = Journal(world.database.write, world.clock)
    bad = replace(entry(7), activity_id=None)  # type: ignore[arg-type]
    entries = [bad if number == 7 else entry(number) for number in range(20)]
    outcomes = await asyncio.gather(*(journal.append(one) for one in entries), return_exceptions=True)
    assert isinstance(outcomes[7], JournalUnavailable)
    assert [outcome for number, outcome in enumerate(outcomes) if number != 7] == [True] * 19
    assert len(world.letters()) == 19
    await journal.close()


async def test_new_and_known_letters_in_one_commit_are_told_apart(world: World) -> None:
    journal = Journal(world.database.write, world.clock)
    for known in (2, 5):
        await journal.append(entry(known))
    outcomes = await asyncio.gather(*(journal.append(entry(number)) for number in range(8)))
    assert [number for number, is_new in enumerate(outcomes) if not is_new] == [2, 5]
    assert await asyncio.gather(*(journal.append(entry(number)) for number in range(8))) == [False] * 8
    await journal.close()


async def test_where_letters_come_without_a_pause_more_of_them_share_a_commit(world: World) -> None:
    commits: list[int] = []
    pauses: list[float] = []
    arrived: list[asyncio.Task[bool]] = []
    loop, sleep = asyncio.get_running_loop(), asyncio.sleep

    def arrive(*numbers: int) -> None:
        arrived.extend(loop.create_task(journal.append(entry(number))) for number in numbers)

    @contextmanager
    def counted() -> Iterator[Connection]:
        commits.append(1)
        if len(commits) == 1:
            asyncio.run_coroutine_threadsafe(during_the_commit(), loop).result(10)
        with world.database.write() as connection:
            yield connection

    async def during_the_commit() -> None:
        arrive(1)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        arrive(*range(2, 40))
        await sleep(0)

    journal = Journal(counted, world.clock, InboxLimits(commit_gather_seconds=0.2))
    with patch("inbox.journal.asyncio.sleep", pause):
        arrive(0)
        async with asyncio.timeout(30):
            while len(arrived) < 40 or not all(one.done() for one in arrived):
                await sleep(0.001)
    assert len(world.letters()) == 40
    assert (len(commits), pauses) == (2, [0.2])
    await journal.close()


async def test_beyond_what_may_wait_for_the_disk_the_journal_is_full_until_it_is_there(world: World) -> None:
    going_on = threading.Event()

    @contextmanager
    def slow() -> Iterator[Connection]:
        with world.database.write() as connection:
            yield connection
            going_on.wait(10)

    journal = Journal(slow, world.clock, InboxLimits(waiting_letters_max=3))
    waiting = [asyncio.create_task(journal.append(entry(number))) for number in range(3)]
    await asyncio.sleep(0.05)  # one is being committed, and counts like those that wait
    assert journal.is_full
    going_on.set()
    assert await asyncio.gather(*waiting) == [True] * 3
    assert not journal.is_full
    await journal.close()


async def test_a_sender_that_hangs_up_does_not_disturb_the_others(world: World) -> None:
    journal = Journal(world.database.write, world.clock)
    hung_up = asyncio.create_task(journal.append(entry(1)))
    staying = asyncio.create_task(journal.append(entry(2)))
    await asyncio.sleep(0)
    hung_up.cancel()
    assert await staying
    await journal.close()
    assert entry(2).activity_id in [letter.activity_id for letter in world.letters()]


async def test_the_worker_is_woken_after_the_commit(world: World) -> None:
    seen: list[int] = []
    journal = Journal(world.database.write, world.clock, on_written=lambda: seen.append(len(world.letters())))
    await journal.append(entry(1))
    assert seen == [1]
    await journal.close()


async def test_the_journal_is_full_beyond_its_backlog_and_empties_again(world: World) -> None:
    journal = Journal(world.database.write, world.clock, InboxLimits(queue_letters_max=2))
    for number in range(2):
        await journal.append(entry(number))
        world.clock.advance(10)
    assert journal.is_full
    with world.database.write() as connection:
        assert backlog(connection, 10) == 2
        connection.exec_driver_sql("UPDATE inbox_letter SET state = 'done'")
    await journal.refresh()
    assert not journal.is_full
    await journal.close()


def test_two_threads_with_the_same_letters_write_each_once(world: World) -> None:
    barrier = threading.Barrier(SENDERS)
    written: list[int] = []

    def bring() -> None:
        barrier.wait()
        with world.database.write() as connection:
            written.append(len(write_down(connection, [entry(number) for number in range(LETTERS)])))

    threads = [threading.Thread(target=bring) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(written) == LETTERS == len(world.letters())


def _bring_all(url: str, barrier: "threading.Barrier") -> None:
    database = Database(url)
    barrier.wait()
    for number in range(LETTERS):
        with database.write() as connection:
            write_down(connection, [entry(number)])
    database.dispose()


def test_two_processes_with_the_same_letters_write_each_once(world: World) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(2)
    url = world.database.url.render_as_string(hide_password=False)
    processes = [spawn.Process(target=_bring_all, args=(url, barrier)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(world.letters()) == LETTERS
