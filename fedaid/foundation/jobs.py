"""Chores of the house: small jobs done again and again, each in its own unit of work, on any number of processes."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from fedaid.foundation.work import UnitsOfWork, Work

log = structlog.get_logger()


@dataclass(frozen=True)
class Chore:
    """Something to do every so often; must be harmless when two processes do it at the same time.

    name           for the log
    every_seconds  how long to wait between two times
    do             the job, in one transaction
    """

    name: str
    every_seconds: float
    do: Callable[[Work], object]


async def keep_house(chores: Sequence[Chore], units: UnitsOfWork, stop: asyncio.Event) -> None:
    """Do all chores until ``stop`` is set. A chore that fails is logged and done again when its time comes."""
    await asyncio.gather(*(_repeat(chore, units, stop) for chore in chores))


async def _repeat(chore: Chore, units: UnitsOfWork, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await asyncio.to_thread(_do, chore, units)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), chore.every_seconds)


def _do(chore: Chore, units: UnitsOfWork) -> None:
    try:
        with units.begin() as work:
            chore.do(work)
    except Exception as error:
        log.error("chore_failed", chore=chore.name, error=type(error).__name__, exc_info=error)
