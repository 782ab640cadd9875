"""Sends the mail of one host in its order, signed in the dialect that the host understands."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from activitypub.errors import FetchFailed, ProtocolError
from activitypub.signatures import Dialect
from outbox import leases
from outbox.backoff import Answer, Outcome, Step, Trial, decide, judge, reason_in
from outbox.desk import REFUSED_HERE, Desk, Ready, Wanted
from outbox.fanout import shared
from outbox.leases import Lease, Parcel, Report, Tried
from outbox.limits import OutboxLimits
from outbox.ordering import stride
from outbox.ports import House, Mailbox

log = structlog.get_logger()


# Codes of FetchFailed for a host that does not answer, as opposed to one that answers with a failure.
_NOBODY_THERE = frozenset({"timeout", "no_connection", "no_address"})


class _OutOfTime(Exception):
    """The lease is about to end; nothing was sent, so nothing is to be reported."""


@dataclass
class _Route:
    """One lease on its way: what is learnt of the host while its mail is sent."""

    lease: Lease
    dialect: Dialect | None
    asleep_since_ms: int | None
    is_over: bool = False


class Deliverer:
    """Works off leases. No transaction is open while the network is waited for."""

    def __init__(self, house: House, limits: OutboxLimits) -> None:
        self._house = house
        self._limits = limits
        self._desk = Desk(house, limits)
        self.stopping = False  # finish the request in flight, then come home

    async def run(self, lease: Lease) -> Report:
        """Send the parcels in order until one has to wait, the time is up or all are gone."""
        route = _Route(lease, Dialect(lease.dialect) if lease.dialect else None, lease.asleep_since_ms)
        tried: list[Tried] = []
        waiting = lease.parcels
        while waiting and not self.stopping and self._has_time(lease, self._limits.try_seconds_max):
            count = stride(waiting, self._together_max(route))
            together, waiting = waiting[:count], waiting[count:]
            tried += await self._try(together, route)
            if route.is_over:
                break
        return Report(lease, tuple(tried), route.dialect)

    def _together_max(self, route: _Route) -> int:
        """One by one until it is known that the host answers, and in which dialect it is to be written to."""
        well = route.dialect is not None and route.asleep_since_ms is None
        return self._limits.public_in_flight_per_host_max if well else 1

    async def _try(self, parcels: Sequence[Parcel], route: _Route) -> Sequence[Tried]:
        """Send these at the same time. What failed is reported last, so that the host's patience counts from it."""
        if len(parcels) == 1:
            outcomes = [await self._outcome(parcels[0], route)]
        else:
            outcomes = await asyncio.gather(*(self._outcome(parcel, route) for parcel in parcels))
        tried = []
        for parcel, outcome in zip(parcels, outcomes, strict=True):
            if outcome is not None:
                trial = Trial(parcel.tries + 1, parcel.keep_trying, route.asleep_since_ms, route.lease.urgent)
                tried.append(self._tried(parcel, trial, outcome))
        if any(one.verdict.quiet_until_ms is not None for one in tried):
            route.is_over = True
        elif any(one.outcome.status is not None for one in tried):
            route.asleep_since_ms = None
        return sorted(tried, key=lambda one: one.verdict.quiet_until_ms is not None)

    async def _outcome(self, parcel: Parcel, route: _Route) -> Outcome | None:
        """What came of one; None when nothing was sent: out of time, or another of its parcels reaches the inbox."""
        try:
            outcome, route.dialect = await self._send(parcel, route.lease, route.dialect)
        except _OutOfTime:
            route.is_over = True
            return None
        return outcome

    async def _send(
        self, parcel: Parcel, lease: Lease, dialect: Dialect | None
    ) -> tuple[Outcome | None, Dialect | None]:
        """One try. Returns what came of it and the dialect to remember."""
        met = await self._met(parcel)
        if isinstance(met, Parcel):
            return await self._knock(met, lease, dialect)
        return met, dialect

    def _has_time(self, lease: Lease, seconds: float) -> bool:
        """Whether what takes so long surely ends within the lease; after it another worker may be sending already."""
        return self._house.clock_ms() + seconds * 1000 <= lease.until_ms

    def _tried(self, parcel: Parcel, trial: Trial, outcome: Outcome) -> Tried:
        now_ms = self._house.clock_ms()
        verdict = decide(trial, outcome, now_ms, self._limits, self._house.chance())
        if verdict.step is not Step.ARRIVED:
            log.info(
                "delivery_failed",
                activity=parcel.activity_id,
                inbox=parcel.inbox,
                tries=trial.tries,
                error=outcome.error,
                next=verdict.step.name.lower(),
            )
        return Tried(parcel, outcome, verdict, now_ms)

    # the actor that was not known at the time of the fan-out

    async def _met(self, parcel: Parcel) -> Parcel | Outcome | None:
        """The parcel with its inbox; an outcome if its actor cannot be met; None if it need not be sent."""
        if parcel.unmet is None:
            return parcel
        if await asyncio.to_thread(self._is_refused, parcel, parcel.unmet):
            return REFUSED_HERE
        inbox = await asyncio.to_thread(self._look_up, parcel, parcel.unmet)
        if inbox is None:
            failure = await self._meet(parcel.unmet)
            if failure is not None:
                return failure
            inbox = await asyncio.to_thread(self._look_up, parcel, parcel.unmet)
        if inbox is None or self._host_of(inbox) != self._host_of(parcel.unmet):  # attack S12
            return Outcome(Answer.REFUSED, error="this actor has no inbox at its own host")
        return await asyncio.to_thread(self._address, parcel, inbox)

    async def _meet(self, actor: str) -> Outcome | None:
        try:
            async with asyncio.timeout(self._limits.answer_timeout_seconds):
                await self._house.address_book.meet(actor)
        except TimeoutError:
            return self._silence("the actor's document did not come in time")
        except ProtocolError as refused:
            later = Answer.SILENT if refused.code in _NOBODY_THERE else Answer.BUSY
            return self._failure(refused, later)
        return None

    def _host_of(self, url: str) -> str:
        return self._house.rules.parse(url).origin.netloc

    def _is_refused(self, parcel: Parcel, actor: str) -> bool:
        """Since the fan-out, somebody not yet met may have been shut out; of an inbox, the desk finds out."""
        with self._house.read() as connection:
            return bool(self._house.address_book.refused(connection, parcel.actor, [actor]))

    def _look_up(self, parcel: Parcel, actor: str) -> str | None:
        with self._house.read() as connection:
            found: list[Mailbox] = list(self._house.address_book.mailboxes(connection, [actor]))
        return next(iter(shared(found, public=parcel.public)), None)

    def _address(self, parcel: Parcel, inbox: str) -> Parcel | None:
        with self._house.write() as connection:
            return replace(parcel, inbox=inbox) if leases.address(connection, parcel, inbox) else None

    # the request itself

    async def _knock(self, parcel: Parcel, lease: Lease, known: Dialect | None) -> tuple[Outcome, Dialect | None]:
        """Send it; where the signature may have been the trouble, once more in the other dialect.

        The second answer counts only if it is a yes: a server that does not read the other dialect at all says
        something about the dialect, not about the mail.
        """
        first, dialect = await self._post(Wanted(parcel, lease.host, known), lease)
        if first.answer is Answer.ACCEPTED:
            return first, dialect
        if dialect is not None and first.status in (400, 401):
            second, _ = await self._post(Wanted(parcel, lease.host, dialect.other), lease)
            if second.answer is Answer.ACCEPTED:
                return second, dialect.other
            third = await self._post_with_former_key(parcel, lease, dialect)
            if third is not None and third.answer is Answer.ACCEPTED:
                return third, known
        return first, known

    async def _post_with_former_key(self, parcel: Parcel, lease: Lease, dialect: Dialect) -> Outcome | None:
        """Where a server still goes by the key that was replaced lately; None when there is none."""
        try:
            key = await asyncio.to_thread(self._house.signers.former_signer, parcel.actor)
        except LookupError:
            return None
        if key is None:
            return None
        outcome, _ = await self._post(Wanted(parcel, lease.host, dialect, key), lease)
        return outcome

    async def _post(self, wanted: Wanted, lease: Lease) -> tuple[Outcome, Dialect | None]:
        """One request, and the dialect in which it was signed; without one, nothing was sent."""
        parcel = wanted.parcel
        ready = await self._desk.ready(wanted)
        if not isinstance(ready, Ready):
            return ready, wanted.dialect
        if not self._has_time(lease, self._limits.answer_timeout_seconds):  # the database kept us waiting
            raise _OutOfTime
        try:
            async with asyncio.timeout(self._limits.answer_timeout_seconds):
                answer = await self._house.postman.post(parcel.inbox, parcel.body, ready.headers)
        except TimeoutError:
            return self._silence("no answer in time"), ready.dialect
        except ProtocolError as refused:
            return self._failure(refused, Answer.SILENT), ready.dialect
        said = reason_in(answer.text, self._limits.error_characters_max) if answer.status >= 300 else ""
        return judge(answer.status, answer.retry_after_seconds, said), ready.dialect

    def _silence(self, error: str) -> Outcome:
        return Outcome(Answer.SILENT, error=error)

    def _failure(self, refused: ProtocolError, later: Answer) -> Outcome:
        final = not isinstance(refused, FetchFailed) or refused.permanent
        return Outcome(Answer.REFUSED if final else later, error=refused.sentence[: self._limits.error_characters_max])
