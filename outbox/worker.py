"""The postman's day: fan out what is new, deliver what is due to many hosts at once, and leave no lock behind."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from activitypub.identifiers import UrlRules
from outbox import leases
from outbox.deliver import Deliverer, House
from outbox.fanout import Fanout
from outbox.leases import Lease, Report
from outbox.limits import OutboxLimits
from outbox.ports import AddressBook, Postman, Signers, Transaction

log = structlog.get_logger()


class Worker:
    """Several may run on one database, in one process or many: every host's queue is leased to one of them.

    ``count_try`` is told what followed each try of a delivery, the name of a ``Step`` in small letters.
    """

    def __init__(
        self,
        write: Transaction,
        read: Transaction,
        signers: Signers,
        address_book: AddressBook,
        client: Postman,
        rules: UrlRules,
        limits: OutboxLimits,
        clock_ms: Callable[[], int],
        random: Callable[[], float],
        count_try: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self._house = House(write, read, signers, address_book, client, rules, clock_ms, random)
        self._limits = limits
        self._count_try = count_try
        self._fanout = Fanout(address_book, rules, limits)
        self._deliverer = Deliverer(self._house, limits)
        self._reports: list[Report] = []
        self._at_work: dict[asyncio.Task[int], Lease] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._committing = asyncio.Lock()

    def wake(self) -> None:
        """There may be new mail. May be called from any thread, and when the worker does not run."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then let the requests in flight end and give every lease back."""
        self._settle_in()
        try:
            while not stop.is_set():
                self._woken.clear()
                if not await self._round():
                    await self._rest(stop)
        finally:
            await self._go_home()

    async def drain(self) -> int:
        """Work until nothing is due and return how many deliveries were tried; for tests and the command line."""
        self._settle_in()
        tried = 0
        while True:
            fanned_out = await asyncio.to_thread(self._fan_out)
            borrowed = await asyncio.to_thread(self._claim, self._limits.in_flight_max)
            if not fanned_out and not borrowed:
                return tried
            tried += sum(await asyncio.gather(*(self._serve(lease) for lease in borrowed)))

    def _settle_in(self) -> None:
        """Events and locks belong to one event loop; a test may drain in several, one after the other."""
        self._deliverer.stopping = False
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._woken, self._committing = loop, asyncio.Event(), asyncio.Lock()

    async def _round(self) -> bool:
        """One look at the database; whether there was anything to begin."""
        try:
            if not await asyncio.to_thread(self._is_anything_due):
                return False
            fanned_out = await asyncio.to_thread(self._fan_out)
            free = self._limits.in_flight_max - len(self._at_work)
            borrowed = await asyncio.to_thread(self._claim, free) if free else []
        except SQLAlchemyError as failure:  # the database is busy or away; it will come back
            log.error("outbox_database_failed", error=type(failure).__name__)
            return False
        for lease in borrowed:
            self._begin(lease)
        return bool(fanned_out or borrowed)

    def _begin(self, lease: Lease) -> None:
        task = asyncio.create_task(self._serve(lease), name=f"outbox {lease.host}")
        self._at_work[task] = lease
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[int]) -> None:
        """After a failure the lease stays until it runs out, which keeps a fault from becoming a storm."""
        lease = self._at_work.pop(task)
        self._woken.set()
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("outbox_host_failed", host=lease.host, exc_info=failure)

    async def _serve(self, lease: Lease) -> int:
        report = await self._deliverer.run(lease)
        await self._acknowledge(report)
        return len(report.tried)

    async def _acknowledge(self, report: Report) -> None:
        """Group commit: whatever comes home while one commit runs shares the next one."""
        self._reports.append(report)
        async with self._committing:
            batch, self._reports = self._reports, []
            if batch:  # otherwise somebody's earlier commit had ours in it
                await asyncio.to_thread(self._write_down, batch)

    async def _rest(self, stop: asyncio.Event) -> None:
        """Until somebody wakes us, a host is done, we must stop, or it is time to look again."""
        waits = [asyncio.create_task(self._woken.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=self._limits.poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _go_home(self) -> None:
        self._deliverer.stopping = True
        borrowed = [lease.token for lease in self._at_work.values()]
        if self._at_work:
            _, late = await asyncio.wait(tuple(self._at_work), timeout=self._limits.stop_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await asyncio.to_thread(self._release, borrowed)

    # what is done in a thread, each in one transaction

    def _is_anything_due(self) -> bool:
        with self._house.read() as connection:
            return leases.is_anything_due(connection, self._house.clock_ms())

    def _fan_out(self) -> int:
        with self._house.write() as connection:
            return self._fanout.step(connection, self._house.clock_ms())

    def _claim(self, hosts_max: int) -> list[Lease]:
        with self._house.write() as connection:
            token = secrets.token_hex(16)
            return leases.claim(connection, token, self._house.clock_ms(), hosts_max, self._limits)

    def _write_down(self, reports: list[Report]) -> None:
        with self._house.write() as connection:
            leases.acknowledge(connection, reports, self._house.clock_ms())
        for report in reports:
            for tried in report.tried:
                self._count_try(tried.verdict.step.name.lower())

    def _release(self, tokens: list[str]) -> None:
        with self._house.write() as connection:
            leases.release(connection, tokens)
