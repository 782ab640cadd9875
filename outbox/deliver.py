"""Sends the mail of one host in its order, signed in the dialect that the host understands."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from activitypub import synchronization
from activitypub.errors import FetchFailed, ProtocolError
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey
from activitypub.signatures import FIRST, Dialect, sign_request
from outbox import leases
from outbox.backoff import Answer, Outcome, Step, Trial, decide, judge, reason_in
from outbox.fanout import shared
from outbox.leases import Lease, Parcel, Report, Tried
from outbox.limits import OutboxLimits
from outbox.ordering import stride
from outbox.ports import AddressBook, Mailbox, Postman, Signers, Transaction

CONTENT_TYPE = "application/activity+json"

log = structlog.get_logger()


# Codes of FetchFailed for a host that does not answer, as opposed to one that answers with a failure.
_NOBODY_THERE = frozenset({"timeout", "no_connection", "no_address"})
_REFUSED_HERE = Outcome(Answer.REFUSED, error="nothing is sent there: it is shut out here")


class _OutOfTime(Exception):
    """The lease is about to end; nothing was sent, so nothing is to be reported."""


@dataclass(frozen=True)
class House:
    """What delivering needs from outside.

    write, read   open a transaction on the database; the second one cannot write
    signers       keys of our own actors
    address_book  inboxes of other servers' actors
    postman       the network
    rules         which URLs may be posted to
    clock_ms      milliseconds since 1970 UTC
    chance        a random number from 0 up to 1, for jitter
    """

    write: Transaction
    read: Transaction
    signers: Signers
    address_book: AddressBook
    postman: Postman
    rules: UrlRules
    clock_ms: Callable[[], int]
    chance: Callable[[], float]


@dataclass
class _Route:
    """One lease on its way: what is learnt of the host while its mail is sent."""

    lease: Lease
    refused: frozenset[int]
    dialect: Dialect | None
    asleep_since_ms: int | None
    is_over: bool = False


class Deliverer:
    """Works off leases. No transaction is open while the network is waited for."""

    def __init__(self, house: House, limits: OutboxLimits) -> None:
        self._house = house
        self._limits = limits
        self.stopping = False  # finish the request in flight, then come home

    async def run(self, lease: Lease) -> Report:
        """Send the parcels in order until one has to wait, the time is up or all are gone."""
        refused = await asyncio.to_thread(self._refused, lease)
        route = _Route(lease, refused, Dialect(lease.dialect) if lease.dialect else None, lease.asleep_since_ms)
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
        if parcel.n in route.refused:
            return _REFUSED_HERE
        try:
            outcome, route.dialect = await self._send(parcel, route.lease, route.dialect)
        except _OutOfTime:
            route.is_over = True
            return None
        return outcome

    def _refused(self, lease: Lease) -> frozenset[int]:
        """The parcels that are not sent after all: since the fan-out, their recipient may have been shut out."""
        with self._house.read() as connection:
            by_sender = {
                sender: self._house.address_book.refused(connection, sender, [*recipients])
                for sender, recipients in _recipients(lease).items()
            }
        return frozenset(parcel.n for parcel in lease.parcels if _recipient(parcel) in by_sender[parcel.actor])

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
        dialect = await asyncio.to_thread(self._first_dialect, lease.host) if known is None else known
        first = await self._post(parcel, lease, dialect)
        if first.answer is Answer.ACCEPTED:
            return first, dialect
        if first.status in (400, 401):
            second = await self._post(parcel, lease, dialect.other)
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
        return None if key is None else await self._post(parcel, lease, dialect, key)

    def _first_dialect(self, host: str) -> Dialect:
        return Dialect.RFC_9421 if self._house.address_book.reads_rfc9421(host) else FIRST

    async def _post(self, parcel: Parcel, lease: Lease, dialect: Dialect, key: SigningKey | None = None) -> Outcome:
        try:
            headers = await asyncio.to_thread(self._headers, parcel, dialect, key)
            if not self._has_time(lease, self._limits.answer_timeout_seconds):  # the database kept us waiting
                raise _OutOfTime
            async with asyncio.timeout(self._limits.answer_timeout_seconds):
                answer = await self._house.postman.post(parcel.inbox, parcel.body, headers)
        except LookupError:
            return Outcome(Answer.REFUSED, error="the sender is no longer here")
        except TimeoutError:
            return self._silence("no answer in time")
        except ProtocolError as refused:
            return self._failure(refused, Answer.SILENT)
        said = reason_in(answer.text, self._limits.error_characters_max) if answer.status >= 300 else ""
        return judge(answer.status, answer.retry_after_seconds, said)

    def _headers(self, parcel: Parcel, dialect: Dialect, key: SigningKey | None) -> dict[str, str]:
        """Signed at the last moment, as dates may be off by little only; in a thread, as RSA takes 0.3 ms."""
        key = key or self._house.signers.signer(parcel.actor)
        now = datetime.fromtimestamp(self._house.clock_ms() / 1000, UTC)
        url, more = self._house.rules.parse(parcel.inbox), self._synchronization(parcel)
        signed = sign_request(dialect, "POST", url, parcel.body, key, now, more)
        return {"content-type": CONTENT_TYPE, **signed}  # where it was signed, as it was signed

    def _synchronization(self, parcel: Parcel) -> dict[str, str]:
        """Mail to the sender's followers says how many of them we believe to be there (FEP-8fcf)."""
        if parcel.followers_of != parcel.actor:
            return {}
        return {synchronization.HEADER: self._house.address_book.synchronization(parcel.actor, parcel.inbox)}

    def _silence(self, error: str) -> Outcome:
        return Outcome(Answer.SILENT, error=error)

    def _failure(self, refused: ProtocolError, later: Answer) -> Outcome:
        final = not isinstance(refused, FetchFailed) or refused.permanent
        return Outcome(Answer.REFUSED if final else later, error=refused.sentence[: self._limits.error_characters_max])


def _recipient(parcel: Parcel) -> str:
    return parcel.unmet or parcel.inbox


def _recipients(lease: Lease) -> Mapping[str, frozenset[str]]:
    """Who is written to by whom, once each."""
    senders = {parcel.actor for parcel in lease.parcels}
    return {
        sender: frozenset(_recipient(parcel) for parcel in lease.parcels if parcel.actor == sender)
        for sender in senders
    }
