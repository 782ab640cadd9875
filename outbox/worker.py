"""The postman's day: fan out what is new, deliver what is due to many hosts at once, and leave no lock behind."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from activitypub.identifiers import UrlRules
from outbox import leases
from outbox.deliver import Deliverer
from outbox.fanout import Fanout
from outbox.leases import Lease, Report
from outbox.limits import OutboxLimits
from outbox.ports import AddressBook, House, Postman, Signers, Transaction

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
        self._at_work: dict[asyncio.Task[None], Lease] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

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
                if await self._round():
                    await asyncio.sleep(self._limits.gather_seconds if self._at_work else 0)
                else:
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
            ended = await asyncio.gather(*(self._deliverer.run(lease) for lease in borrowed), return_exceptions=True)
            reports = [one for one in ended if isinstance(one, Report)]
            await asyncio.to_thread(self._exchange, reports, 0)
            tried += sum(len(report.tried) for report in reports)
            for fault in ended:
                if isinstance(fault, BaseException):
                    raise fault

    def _settle_in(self) -> None:
        """Events and locks belong to one event loop; a test may drain in several, one after the other."""
        self._deliverer.stopping = False
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._woken = loop, asyncio.Event()

    async def _round(self) -> bool:
        """One exchange with the database: what came home is written down, what is due is taken up.

        Whether there was anything to do. What comes home meanwhile shares the next exchange.
        """
        reports, self._reports = self._reports, []
        free = self._limits.in_flight_max - len(self._at_work)
        try:
            is_new, is_due = await asyncio.to_thread(self._look)
            fanned_out = await asyncio.to_thread(self._fan_out) if is_new else 0
            is_wanted = bool(free) and (is_due or bool(fanned_out) or bool(reports))
            borrowed = await asyncio.to_thread(self._exchange, reports, free) if reports or is_wanted else []
        except SQLAlchemyError as failure:  # the database is busy or away; it will come back
            log.error("outbox_database_failed", error=type(failure).__name__)
            self._reports = reports + self._reports
            return False
        for lease in borrowed:
            self._begin(lease)
        return bool(reports or fanned_out or borrowed)

    def _begin(self, lease: Lease) -> None:
        task = asyncio.create_task(self._serve(lease), name=f"outbox {lease.host}")
        self._at_work[task] = lease
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """After a failure the lease stays until it runs out, which keeps a fault from becoming a storm."""
        lease = self._at_work.pop(task)
        self._woken.set()
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("outbox_host_failed", host=lease.host, exc_info=failure)

    async def _serve(self, lease: Lease) -> None:
        report = await self._deliverer.run(lease)
        self._reports.append(report)  # to the list as it is now: while it was under way, others went home with theirs

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
        reports, self._reports = self._reports, []
        await asyncio.to_thread(self._exchange, reports, 0)
        await asyncio.to_thread(self._release, borrowed)

    # what is done in a thread, each in one transaction

    def _look(self) -> tuple[bool, bool]:
        """Whether an activity is to be fanned out, and whether a host's mail is due. Takes no lock."""
        with self._house.read() as connection:
            is_new = self._fanout.look_ahead(connection)
            return is_new, leases.is_anything_due(connection, self._house.clock_ms())

    def _fan_out(self) -> int:
        with self._house.write() as connection:
            return self._fanout.step(connection, self._house.clock_ms())

    def _claim(self, hosts_max: int) -> list[Lease]:
        return self._exchange([], hosts_max)

    def _exchange(self, reports: list[Report], hosts_max: int) -> list[Lease]:
        """Give leases back and take others, in one commit."""
        if not reports and not hosts_max:
            return []
        with self._house.write() as connection:
            now_ms = self._house.clock_ms()
            if reports:
                leases.acknowledge(connection, reports, now_ms)
            token = secrets.token_hex(16)
            borrowed = leases.claim(connection, token, now_ms, hosts_max, self._limits) if hosts_max else []
        for report in reports:
            for tried in report.tried:
                self._count_try(tried.verdict.step.name.lower())
        return borrowed

    def _release(self, tokens: list[str]) -> None:
        with self._house.write() as connection:
            leases.release(connection, tokens)
