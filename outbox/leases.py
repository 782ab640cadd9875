"""Lends out the queues of hosts, each to one worker at a time, and writes back what became of the mail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from outbox.backoff import Answer, Outcome, Step, Verdict
from outbox.given import as_rows, given
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
    """A look that takes no lock: whether mail waits for a host that nobody holds."""
    return bool(connection.execute(select(exists().where(_free_and_due(now_ms)))).scalar_one())


def claim(connection: Connection, token: str, now_ms: int, hosts_max: int, limits: OutboxLimits) -> list[Lease]:
    """Take the queues of some hosts that have mail due and that nobody holds."""
    rows = connection.execute(
        select(host)
        .where(_free_and_due(now_ms))
        .order_by(host.c.due_ms)
        .limit(hosts_max)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return []
    until_ms = now_ms + round(limits.lease_seconds * 1000)
    names = [row.host for row in rows]
    connection.execute(update(host).where(host.c.host.in_(names)).values(lease_by=token, lease_until_ms=until_ms))
    parcels = _parcels(connection, names, now_ms, limits.deliveries_per_lease_max)
    return [_lease(connection, row, token, until_ms, parcels.get(row.host, ()), limits) for row in rows]


def _free_and_due(now_ms: int) -> Any:
    return and_(host.c.due_ms <= now_ms, host.c.lease_until_ms <= now_ms)


def _lease(
    connection: Connection,
    row: Row[Any],
    token: str,
    until_ms: int,
    parcels: Sequence[Parcel],
    limits: OutboxLimits,
) -> Lease:
    # Only how long a host sleeps depends on it, and looking for it costs as much as the queue is long.
    may_sleep = row.asleep_since_ms is not None or any(one.tries + 1 >= limits.tries_max for one in parcels)
    return Lease(
        token=token,
        host=row.host,
        until_ms=until_ms,
        dialect=row.dialect,
        asleep_since_ms=row.asleep_since_ms,
        urgent=may_sleep and _has_urgent(connection, row.host),
        parcels=tuple(parcels),
    )


def _has_urgent(connection: Connection, name: str) -> bool:
    urgent = exists().where(delivery.c.host == name, delivery.c.state == WAITING, delivery.c.keep_trying)
    return bool(connection.execute(select(urgent)).scalar_one())


def _parcels(
    connection: Connection, names: Sequence[str], now_ms: int, parcels_max: int
) -> Mapping[str, Sequence[Parcel]]:
    """The first that wait for each of the hosts, in their order. What many of them carry is read once."""
    query = _FIRST_WAITING["sqlite" if connection.dialect.name == "sqlite" else "postgresql"]
    asked = {"names": names, "now_ms": now_ms, "parcels_max": parcels_max}
    rows = connection.execute(query, asked).all()
    numbers = list({row.activity for row in rows})
    said: dict[int, Row[Any]] = {}
    if numbers:
        said = {row.id: row for row in connection.execute(_SAID, {"numbers": numbers})}
    bodies = {number: row.body.encode("utf-8") for number, row in said.items()}
    found: dict[str, list[Parcel]] = {}
    for row in rows:
        found.setdefault(row.host, []).append(_parcel(row, said[row.activity], bodies[row.activity]))
    return found


def _parcel(row: Row[Any], said: Row[Any], body: bytes) -> Parcel:
    return Parcel(
        n=row.n,
        activity=row.activity,
        activity_id=said.activity_id,
        object_id=said.object_id,
        actor=row.actor,
        inbox=row.inbox,
        unmet=row.unmet,
        body=body,
        public=said.public,
        keep_trying=row.keep_trying,
        tries=row.tries,
        followers_of=said.followers_of,
    )


_SAID: Select[Any] = select(
    activity.c.id,
    activity.c.activity_id,
    activity.c.object_id,
    activity.c.body,
    activity.c.public,
    activity.c.followers_of,
).where(activity.c.id.in_(bindparam("numbers", expanding=True)))


def _first_waiting(*, is_sqlite: bool) -> Select[Any]:
    """So many of each host, whatever else waits there: SQLite joins by a list, PostgreSQL by a lateral table."""
    its = delivery.alias("its")
    due = or_(its.c.holds, its.c.next_try_ms <= bindparam("now_ms", type_=BigInteger))
    first = (
        select(its.c.n)
        .where(its.c.host == host.c.host, its.c.state == WAITING, due)
        .order_by(its.c.activity, its.c.n)
        .limit(bindparam("parcels_max", type_=Integer))
        .correlate(host)
    )
    names = ("n", "activity", "host", "inbox", "unmet", "actor", "keep_trying", "tries")
    query = select(*(delivery.c[name] for name in names)).where(host.c.host.in_(bindparam("names", expanding=True)))
    if is_sqlite:
        joined = query.select_from(host).join(delivery, delivery.c.n.in_(first))
    else:
        lateral = first.lateral("first")
        joined = query.select_from(host).join(lateral, true()).join(delivery, delivery.c.n == lateral.c.n)
    return joined.order_by(delivery.c.host, delivery.c.activity, delivery.c.n)


_FIRST_WAITING = {"sqlite": _first_waiting(is_sqlite=True), "postgresql": _first_waiting(is_sqlite=False)}


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
        connection.execute(_acknowledgement(connection), as_rows(values))
    settled = {}
    for report in reports:
        row = rows.get(report.lease.host)
        if row is not None and row.lease_by == report.lease.token:  # otherwise its new holder knows better
            settled[row.host] = _settled(connection, row, report)
    if settled:
        connection.execute(_settlement(connection), {**as_rows(list(settled.values())), "now_ms": now_ms})


def _acknowledgement(connection: Connection) -> Update:
    one = given(connection, **{name: delivery.c[name].type for name in ("n", *_TOLD)}).c
    values = {name: one[name] for name in _TOLD} | {"holds": and_(delivery.c.holds, one.holds)}
    return update(delivery).where(delivery.c.n == one.n, delivery.c.state == WAITING).values(values)


_TOLD = ("state", "holds", "tries", "next_try_ms", "last_status", "last_error", "delivered_ms")
_STATES = {Step.ARRIVED: DELIVERED, Step.FAILED: FAILED, Step.GONE: FAILED}


def _delivery_values(tried: Tried) -> dict[str, object]:
    return {
        "n": tried.parcel.n,
        "state": _STATES.get(tried.verdict.step, WAITING),
        "holds": tried.verdict.step is not Step.SET_ASIDE,
        "tries": tried.parcel.tries + 1,
        "next_try_ms": tried.verdict.next_try_ms or tried.at_ms,
        "last_status": tried.outcome.status,
        "last_error": tried.outcome.error,
        "delivered_ms": tried.at_ms if tried.verdict.step is Step.ARRIVED else None,
    }


_LEARNT = (
    "state",
    "dialect",
    "failures",
    "unreachable",
    "last_success_ms",
    "last_failure_ms",
    "last_error",
    "asleep_since_ms",
    "quiet_until_ms",
)


def _settled(connection: Connection, row: Row[Any], report: Report) -> dict[str, object]:
    values = {"host": row.host, **{name: row._mapping[name] for name in _LEARNT}}
    for tried in report.tried:
        values |= _host_values(values, tried)
        if tried.verdict.step is Step.GONE:
            _give_up(connection, row.host, tried)
    return values | {"dialect": report.dialect}


def _settlement(connection: Connection) -> Update:
    """What was learnt of the hosts, when there is next something to send to them, and their leases given back."""
    one = given(connection, **{name: host.c[name].type for name in ("host", *_LEARNT)}).c
    due = next_due(host.c.host, one.quiet_until_ms, bindparam("now_ms", type_=BigInteger))
    values = {name: one[name] for name in _LEARNT} | {"due_ms": due, "lease_by": None, "lease_until_ms": 0}
    return update(host).where(host.c.host == one.host).values(values)


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
    due = next_due(literal(name), literal(quiet_until_ms, BigInteger), literal(now_ms, BigInteger))
    return connection.execute(select(due)).scalar_one()


def next_due(
    name: ColumnElement[str], quiet_until_ms: ColumnElement[int], now_ms: ColumnElement[int]
) -> ColumnElement[int | None]:
    """The same as a value of a statement."""
    waiting = and_(delivery.c.host == name, delivery.c.state == WAITING)
    held = exists(select(delivery.c.n).where(waiting, delivery.c.holds).correlate_except(delivery))
    earliest = select(func.min(delivery.c.next_try_ms)).where(waiting).correlate_except(delivery).scalar_subquery()

    def after_rest(instant: ColumnElement[int]) -> ColumnElement[int]:
        return case((quiet_until_ms > instant, quiet_until_ms), else_=instant)

    return case((held, after_rest(now_ms)), else_=after_rest(earliest))


def release(connection: Connection, tokens: Sequence[str]) -> None:
    """Give leases back without a report, as when the worker stops in the middle."""
    if tokens:
        connection.execute(update(host).where(host.c.lease_by.in_(tokens)).values(lease_by=None, lease_until_ms=0))
