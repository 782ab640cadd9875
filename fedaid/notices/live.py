"""Tells open pages how many notices are new: one question to the database for all pages of this process at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from fedaid.foundation.clock import Clock
from fedaid.foundation.database import Database
from fedaid.foundation.refused import Refused
from fedaid.members import queries as members
from fedaid.notices import queries
from fedaid.notices.limits import NoticeLimits

_log = structlog.get_logger()


@dataclass(eq=False)
class Line:
    """The way to one open page. ``session`` names the session whose end ends it."""

    member_id: int
    session: str
    unread: int | None = None  # what was found last
    said: int | None = None
    has_ended: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def find(self, unread: int) -> None:
        self.unread = unread
        if unread != self.said:
            self.news.set()

    def end(self) -> None:
        self.has_ended = True
        self.news.set()

    async def events(self, heartbeat_seconds: float) -> AsyncIterator[str]:
        """Server-Sent Events (WHATWG HTML, section 9.2): ``unread`` with a number, comments to stay open."""
        while not self.has_ended:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), heartbeat_seconds)
            yield self._next()

    def _next(self) -> str:
        self.news.clear()
        if self.has_ended or self.unread is None or self.unread == self.said:
            return ": still here\n\n"
        self.said = self.unread
        return f"event: unread\ndata: {self.said}\n\n"


class Live:
    """All open pages of this process. It looks only while there is one; several processes each look for their own.

    ``is_stopping`` is asked at every look: a server that waits for its pages to end could not stop otherwise.
    """

    def __init__(self, database: Database, clock: Clock, limits: NoticeLimits) -> None:
        self.limits = limits
        self.is_stopping: Callable[[], bool] = lambda: False
        self._database = database
        self._clock = clock
        self._lines: set[Line] = set()
        self._looking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be news. May be called from any thread, and when nobody listens."""
        if self._lines and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._woken.set)

    def join(self, member_id: int, session: str) -> Line:
        """A page that wants to be told. Raises Refused when there are as many as may be."""
        mine = sum(one.member_id == member_id for one in self._lines)
        if mine >= self.limits.live_pages_per_member_max:
            raise Refused(
                "live_pages", "Enough of your pages are kept up to date; this one is when you reload it.", 429
            )
        if len(self._lines) >= self.limits.live_pages_max or self.is_stopping():
            raise Refused("live_full", "Pages are not kept up to date just now; reload them to see what is new.", 503)
        line = Line(member_id, session)
        self._lines.add(line)
        if self._looking is None or self._looking.done():
            self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
            self._looking = asyncio.create_task(self._look_on())
        return line

    def leave(self, line: Line) -> None:
        """The page was closed."""
        self._lines.discard(line)

    def end(self) -> None:
        """Every page is told that nothing more comes."""
        for line in self._lines:
            line.end()

    async def _look_on(self) -> None:
        while self._lines:
            if self.is_stopping():
                self.end()
                return
            self._woken.clear()
            await self._look()
            await asyncio.sleep(self.limits.live_pause_seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self.limits.live_look_seconds)

    async def _look(self) -> None:
        lines = list(self._lines)
        try:
            alive, counts = await asyncio.to_thread(
                self._read, {one.session for one in lines}, {one.member_id for one in lines}
            )
        except SQLAlchemyError as failure:  # busy or away; it will come back
            _log.warning("live_database_failed", error=type(failure).__name__)
            return
        for line in lines:
            if line.session in alive:
                line.find(counts.get(line.member_id, 0))
            else:
                line.end()

    def _read(
        self, sessions: Collection[str], member_ids: Collection[int]
    ) -> tuple[Collection[str], Mapping[int, int]]:
        with self._database.read() as connection:
            alive = members.sessions_alive(connection, sessions, self._clock.now())
            return alive, queries.counts_unread(connection, member_ids)
