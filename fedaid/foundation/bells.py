"""Wakes whoever waits for work: in this process at once, in all others over PostgreSQL (LISTEN and NOTIFY).

A bell is a courtesy: it is rung after the commit, so that no commit waits for it, and whoever misses it finds the work
when they look the next time. On SQLite the processes only look.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog

from fedaid.foundation.database import Database

if TYPE_CHECKING:
    from psycopg import AsyncConnection

CHANNEL = "fedaid"

_log = structlog.get_logger()


class Bell(StrEnum):
    """What there may be now."""

    LETTERS = "letters"  # in the journal of the inbox
    WORK = "work"  # whatever a unit of work may have left: something to send, an errand, a notice


_WORDS = frozenset(bell.value for bell in Bell)


@dataclass(frozen=True)
class BellLimits:
    """How often other processes are told that there is work; only where they share a PostgreSQL.

    gather_seconds  between two times; what is stored meanwhile is told together
    retry_seconds   after the connection for this was lost, before another one is made
    check_seconds   after which a connection on which nothing was heard is tried
    """

    gather_seconds: float = 0.05
    retry_seconds: float = 5.0
    check_seconds: float = 60.0


class Bells:
    """All bells of one process. Two connections more to PostgreSQL: one to listen, one to tell."""

    def __init__(self, database: Database, limits: BellLimits) -> None:
        self._database = database
        self._limits = limits
        self._me = secrets.token_hex(8)
        self._answers: dict[Bell, list[Callable[[], None]]] = {bell: [] for bell in Bell}
        self._to_tell: set[Bell] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()

    def answer(self, bell: Bell, answer: Callable[[], None]) -> None:
        """Have this done whenever the bell rings, here or elsewhere; it must be quick, and bear any thread."""
        self._answers[bell].append(answer)

    def ring(self, bell: Bell) -> None:
        """Something was committed. From any thread; elsewhere it is heard if ``run`` runs."""
        self._ring_here(bell)
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(self._is_to_be_told, bell)

    def _is_to_be_told(self, bell: Bell) -> None:
        self._to_tell.add(bell)
        self._rung.set()

    def _ring_here(self, bell: Bell) -> None:
        for answer in self._answers[bell]:
            answer()

    async def run(self, stop: asyncio.Event) -> None:
        """Listen and tell until ``stop`` is set, again and again where the connection is lost."""
        if self._database.is_sqlite:
            return
        self._loop, self._rung = asyncio.get_running_loop(), asyncio.Event()
        both = [asyncio.create_task(self._again_and_again(do)) for do in (self._listen, self._tell)]
        try:
            await stop.wait()
        finally:
            self._loop = None
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _again_and_again(self, do: Callable[["AsyncConnection"], Awaitable[None]]) -> None:
        while True:
            try:
                async with await self._database.connect_beside() as connection:
                    await do(connection)
            except (self._database.driver_error, OSError) as failure:
                _log.warning("bells_lost", error=type(failure).__name__)
            await asyncio.sleep(self._limits.retry_seconds)

    async def _listen(self, connection: "AsyncConnection") -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        for bell in Bell:  # whatever rang while nobody listened
            self._ring_here(bell)
        while True:
            async for heard in connection.notifies(timeout=self._limits.check_seconds):
                self._hear(heard.payload)
            await connection.execute("SELECT 1")

    def _hear(self, payload: str) -> None:
        who, _, word = payload.partition(" ")
        if who != self._me and word in _WORDS:  # a newer version may have bells that we do not know
            self._ring_here(Bell(word))

    async def _tell(self, connection: "AsyncConnection") -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            bells, self._to_tell = self._to_tell, set()
            for bell in bells:
                await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{self._me} {bell}"))
            await asyncio.sleep(self._limits.gather_seconds)
