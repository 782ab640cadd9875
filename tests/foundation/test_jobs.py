"""Chores and errands are done again and again, whatever happens to one of them, and end when the house does."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from fedaid.foundation.database import Database
from fedaid.foundation.jobs import Chore, Round, keep_house
from fedaid.foundation.work import Work
from tests.small_house import build


async def _for_a_while(chore: Chore | Round, database: Database, until: Callable[[], bool]) -> None:
    stop = asyncio.Event()
    keeping = asyncio.create_task(keep_house([chore], build(database).units, stop))
    with suppress(TimeoutError):
        async with asyncio.timeout(20):
            while not until():  # noqa: ASYNC110 - chores run in threads and know of no event
                await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(keeping, 20)


def keep(chore: Chore | Round, database: Database, until: Callable[[], bool]) -> None:
    asyncio.run(_for_a_while(chore, database, until))


@pytest.mark.parametrize("fails", [False, True])
def test_a_chore_is_done_again_also_when_it_failed(database: Database, fails: bool) -> None:
    done: list[Work] = []

    def do(work: Work) -> None:
        done.append(work)
        if fails:
            raise RuntimeError("not today")

    keep(Chore("sweep", 0.01, do), database, lambda: len(done) > 2)
    assert len(done) > 2


@pytest.mark.parametrize("fails", [False, True])
def test_an_errand_is_run_again_also_when_it_failed(database: Database, fails: bool) -> None:
    gone: list[int] = []

    async def go() -> None:
        gone.append(1)
        if fails:
            raise RuntimeError("nobody there")

    keep(Round("ask", 0.01, go), database, lambda: len(gone) > 2)
    assert len(gone) > 2


def test_an_errand_that_never_ends_is_called_back_when_the_house_closes(database: Database) -> None:
    under_way: list[str] = []

    async def go() -> None:
        under_way.append("out")
        try:
            await asyncio.Event().wait()
        finally:
            under_way.append("back")

    errand: Callable[[], Awaitable[None]] = go
    keep(Round("wait", 0.01, errand), database, lambda: bool(under_way))
    assert under_way == ["out", "back"]
