"""Chores of the house: small jobs done again and again, on any number of processes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
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


@dataclass(frozen=True)
class Round:
    """A chore that has to wait for other servers. It opens its own units of work, none of them while it waits."""

    name: str
    every_seconds: float
    go: Callable[[], Awaitable[object]]


Ended = Callable[[str, str], None]  # the name of a chore, and ``done`` or ``failed``


async def keep_house(
    chores: Sequence[Chore | Round], units: UnitsOfWork, stop: asyncio.Event, ended: Ended = lambda *_: None
) -> None:
    """Do all chores until ``stop`` is set. One that fails is logged and done again when its time comes.

    A round under way when ``stop`` is set is called back: whatever it has not committed is done another time.
    """
    await asyncio.gather(*(_repeat(chore, units, stop, ended) for chore in chores))


async def _repeat(chore: Chore | Round, units: UnitsOfWork, stop: asyncio.Event, ended: Ended) -> None:
    while not stop.is_set():
        if isinstance(chore, Round):
            is_done = await _go(chore, stop)
        else:
            is_done = await asyncio.to_thread(_do, chore, units)
        ended(chore.name, "done" if is_done else "failed")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), chore.every_seconds)


def _do(chore: Chore, units: UnitsOfWork) -> bool:
    """Whether it went well."""
    try:
        with units.begin() as work:
            chore.do(work)
    except Exception as error:  # noqa: BLE001 - whatever it was, the next time comes
        _log(chore, error)
        return False
    return True


async def _go(chore: Round, stop: asyncio.Event) -> bool:
    """Whether it went well, as far as it went."""
    going, stopping = asyncio.ensure_future(chore.go()), asyncio.create_task(stop.wait())
    await asyncio.wait([going, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not going.done():
        going.cancel()
    try:
        await going
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
    except Exception as error:  # noqa: BLE001 - as above
        _log(chore, error)
        return False
    return True


def _log(chore: Chore | Round, error: Exception) -> None:
    log.error("chore_failed", chore=chore.name, error=type(error).__name__, exc_info=error)
