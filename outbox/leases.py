"""Lends out the queues of hosts, each to one worker at a time, and writes back what became of the mail."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Connection, Row, and_, bindparam, delete, exists, func, or_, select, update

from outbox.backoff import Answer, Outcome, Step, Verdict
from outbox.limits import OutboxLimits
from outbox.tables import ASLEEP, AWAKE, DELIVERED, FAILED, WAITING, activity, delivery, host


@dataclass(frozen=True)
class Parcel:
    """One delivery, ready to be sent."""

    n: int
    activity: int
    activity_id: str
    object_id: str | None
    actor: str
    inbox: str
    unmet: str | None
    body: bytes
    public: bool
    keep_trying: bool
    tries: int
    followers_of: str | None = None


@dataclass(frozen=True)
class Lease:
    """The right to send to one host until an instant, with the next parcels in their order."""

    token: str
    host: str
    until_ms: int
    dialect: str | None
    asleep_since_ms: int | None
    urgent: bool
    parcels: tuple[Parcel, ...]


@dataclass(frozen=True)
class Tried:
    """What became of one parcel."""

    parcel: Parcel
    outcome: Outcome
    verdict: Verdict
    at_ms: int


@dataclass(frozen=True)
class Report:
    """What a worker did with its lease; it ends the lease."""

    lease: Lease
    tried: tuple[Tried, ...]
    dialect: str | None


def is_anything_due(connection: Connection, now_ms: int) -> bool:
    """A look that takes no lock: whether an activity waits for its fan-out or a host for its mail."""
    new = exists().where(activity.c.fanned_out.is_(False))
    return bool(connection.execute(select(or_(new, exists().where(_free_and_due(now_ms))))).scalar_one())


def claim(connection: Connection, token: str, now_ms: int, hosts_max: int, limits: OutboxLimits) -> list[Lease]:
    """Take the queues of some hosts that have mail due and that nobody holds."""
    rows = connection.execute(
        select(host)
        .where(_free_and_due(now_ms))
        .order_by(host.c.due_ms)
        .limit(hosts_max)
        .with_for_update(skip_locked=True)
    ).all()
    until_ms = now_ms + round(limits.lease_seconds * 1000)
    if rows:
        mine = host.c.host.in_([row.host for row in rows])
        connection.execute(update(host).where(mine).values(lease_by=token, lease_until_ms=until_ms))
    return [_lease(connection, row, token, until_ms, now_ms, limits) for row in rows]


def _free_and_due(now_ms: int) -> Any:
    return and_(host.c.due_ms <= now_ms, host.c.lease_until_ms <= now_ms)


def _lease(
    connection: Connection, row: Row[Any], token: str, until_ms: int, now_ms: int, limits: OutboxLimits
) -> Lease:
    urgent = exists().where(delivery.c.host == row.host, delivery.c.state == WAITING, delivery.c.keep_trying)
    return Lease(
        token=token,
        host=row.host,
        until_ms=until_ms,
        dialect=row.dialect,
        asleep_since_ms=row.asleep_since_ms,
        urgent=bool(connection.execute(select(urgent)).scalar_one()),
        parcels=tuple(_parcels(connection, row.host, now_ms, limits.deliveries_per_lease_max)),
    )


def _parcels(connection: Connection, name: str, now_ms: int, parcels_max: int) -> Iterable[Parcel]:
    said = activity.c
    columns = (delivery, said.activity_id, said.object_id, said.body, said.public, said.followers_of)
    due = or_(delivery.c.holds, delivery.c.next_try_ms <= now_ms)
    rows = connection.execute(
        select(*columns)
        .join(activity, activity.c.id == delivery.c.activity)
        .where(delivery.c.host == name, delivery.c.state == WAITING, due)
        .order_by(delivery.c.activity, delivery.c.n)
        .limit(parcels_max)
    )
    for row in rows:
        yield Parcel(
            n=row.n,
            activity=row.activity,
            activity_id=row.activity_id,
            object_id=row.object_id,
            actor=row.actor,
            inbox=row.inbox,
            unmet=row.unmet,
            body=row.body.encode("utf-8"),
            public=row.public,
            keep_trying=row.keep_trying,
            tries=row.tries,
            followers_of=row.followers_of,
        )


def address(connection: Connection, parcel: Parcel, inbox: str) -> bool:
    """Write the inbox on a parcel whose actor has now been met; False when the same inbox gets it anyway."""
    same = exists().where(delivery.c.activity == parcel.activity, delivery.c.inbox == inbox)
    if connection.execute(select(same)).scalar_one():
        connection.execute(delete(delivery).where(delivery.c.n == parcel.n))
        return False
    connection.execute(update(delivery).where(delivery.c.n == parcel.n).values(inbox=inbox, unmet=None))
    return True


def acknowledge(connection: Connection, reports: Sequence[Report], now_ms: int) -> None:
    """Write down what became of the parcels and hosts, and give the leases back. Several reports, one commit.

    Hosts are locked first and by name, here and in ``health``, so that no two of us wait for each other.
    """
    names = [report.lease.host for report in reports]
    locked = select(host).where(host.c.host.in_(names)).order_by(host.c.host).with_for_update()
    rows = {row.host: row for row in connection.execute(locked)}
    values = [_delivery_values(tried) for report in reports for tried in report.tried]
    if values:
        connection.execute(_ACKNOWLEDGE, values)
    for report in reports:
        row = rows.get(report.lease.host)
        if row is not None and row.lease_by == report.lease.token:  # otherwise its new holder knows better
            _settle(connection, row, report, now_ms)


_ACKNOWLEDGE = (
    update(delivery)
    .where(delivery.c.n == bindparam("which"), delivery.c.state == WAITING)
    .values(
        state=bindparam("new_state"),
        holds=and_(delivery.c.holds, bindparam("still_holds", type_=Boolean)),
        tries=bindparam("new_tries"),
        next_try_ms=bindparam("new_next_try_ms"),
        last_status=bindparam("new_status"),
        last_error=bindparam("new_error"),
        delivered_ms=bindparam("new_delivered_ms"),
    )
)
_STATES = {Step.ARRIVED: DELIVERED, Step.FAILED: FAILED, Step.GONE: FAILED}


def _delivery_values(tried: Tried) -> dict[str, object]:
    return {
        "which": tried.parcel.n,
        "new_state": _STATES.get(tried.verdict.step, WAITING),
        "still_holds": tried.verdict.step is not Step.SET_ASIDE,
        "new_tries": tried.parcel.tries + 1,
        "new_next_try_ms": tried.verdict.next_try_ms or tried.at_ms,
        "new_status": tried.outcome.status,
        "new_error": tried.outcome.error,
        "new_delivered_ms": tried.at_ms if tried.verdict.step is Step.ARRIVED else None,
    }


def _settle(connection: Connection, row: Row[Any], report: Report, now_ms: int) -> None:
    values = dict(row._mapping)
    for tried in report.tried:
        values |= _host_values(values, tried)
        if tried.verdict.step is Step.GONE:
            _give_up(connection, row.host, tried)
    values |= {"dialect": report.dialect, "lease_by": None, "lease_until_ms": 0}
    values["due_ms"] = next_due_ms(connection, row.host, values["quiet_until_ms"], now_ms)
    connection.execute(update(host).where(host.c.host == row.host).values(values))


def _host_values(before: Mapping[str, Any], tried: Tried) -> Mapping[str, Any]:
    awake = {"state": AWAKE, "failures": 0, "unreachable": False, "asleep_since_ms": None, "quiet_until_ms": 0}
    if tried.outcome.answer is Answer.ACCEPTED:
        return {**awake, "last_success_ms": tried.at_ms, "last_error": None}
    if tried.outcome.answer is Answer.REFUSED:  # with a status the host itself answered, so it is well
        alive = awake if tried.outcome.status is not None else {}
        return {**alive, "last_failure_ms": tried.at_ms, "last_error": tried.outcome.error}
    return {
        "state": ASLEEP if tried.verdict.asleep else AWAKE,
        "failures": before["failures"] + 1,
        "unreachable": tried.outcome.answer is Answer.SILENT,
        "last_failure_ms": tried.at_ms,
        "last_error": tried.outcome.error,
        "asleep_since_ms": (before["asleep_since_ms"] or tried.at_ms) if tried.verdict.asleep else None,
        "quiet_until_ms": tried.verdict.quiet_until_ms or 0,
    }


def _give_up(connection: Connection, name: str, tried: Tried) -> None:
    """The host has slept too long: nothing waits for it any more but what may never be given up."""
    lost = and_(delivery.c.host == name, delivery.c.state == WAITING, delivery.c.keep_trying.is_(False))
    connection.execute(update(delivery).where(lost).values(state=FAILED, last_error=tried.outcome.error))


def next_due_ms(connection: Connection, name: str, quiet_until_ms: int, now_ms: int) -> int | None:
    """When there is next something to send to the host, or None."""
    waiting = and_(delivery.c.host == name, delivery.c.state == WAITING)
    if connection.execute(select(exists().where(waiting, delivery.c.holds))).scalar_one():
        return max(quiet_until_ms, now_ms)
    earliest = connection.execute(select(func.min(delivery.c.next_try_ms)).where(waiting)).scalar_one()
    return None if earliest is None else max(quiet_until_ms, int(earliest))


def release(connection: Connection, tokens: Sequence[str]) -> None:
    """Give leases back without a report, as when the worker stops in the middle."""
    if tokens:
        connection.execute(update(host).where(host.c.lease_by.in_(tokens)).values(lease_by=None, lease_until_ms=0))
