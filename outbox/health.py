"""How other servers are doing, as an admin sees it, and the few things to be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, delete, func, insert, or_, select, update

from outbox.leases import next_due_ms
from outbox.limits import OutboxLimits
from outbox.tables import ASLEEP, AWAKE, FAILED, WAITING, activity, delivery, host


@dataclass(frozen=True)
class HostHealth:
    """One host as the admin's page shows it. All instants in milliseconds since 1970.

    failures          tries in a row that did not succeed
    dialect           the kind of signature it accepted last: draft-cavage or rfc9421
    waiting, failed   deliveries
    kept              those of the waiting that may never be given up (the ledger's mail)
    waiting_since_ms  when the oldest waiting activity was posted
    next_try_ms       when something is sent to it next; None when nothing waits
    """

    host: str
    asleep: bool
    asleep_since_ms: int | None
    failures: int
    dialect: str | None
    last_success_ms: int | None
    last_failure_ms: int | None
    last_error: str | None
    waiting: int
    kept: int
    failed: int
    waiting_since_ms: int | None
    next_try_ms: int | None


def hosts(connection: Connection) -> list[HostHealth]:
    """Every host that we ever had mail for, by name."""
    return [_health(row) for row in connection.execute(_summary().order_by(host.c.host))]


def one(connection: Connection, name: str) -> HostHealth | None:
    """One host, or None if we never had mail for it."""
    row = connection.execute(_summary().where(host.c.host == name)).one_or_none()
    return None if row is None else _health(row)


def count_waiting(connection: Connection) -> int:
    """How many deliveries wait, for hosts that are awake or asleep; only queues that are not empty are looked at."""
    query = select(func.count()).select_from(host).join(delivery, delivery.c.host == host.c.host)
    return int(connection.execute(query.where(host.c.due_ms.is_not(None), delivery.c.state == WAITING)).scalar_one())


def count_hosts(connection: Connection) -> Mapping[str, int]:
    """How many hosts are awake, and how many are asleep."""
    found = {state: int(count) for state, count in connection.execute(_COUNT_HOSTS)}
    return {state: found.get(state, 0) for state in (AWAKE, ASLEEP)}


_COUNT_HOSTS = select(host.c.state, func.count()).group_by(host.c.state)


def overdue_since_ms(connection: Connection, now_ms: int) -> int | None:
    """Since when something should have been fanned out or sent that no worker has taken up; None when nothing is."""
    new = select(func.min(activity.c.created_ms)).where(activity.c.fanned_out.is_(False))
    due = select(func.min(host.c.due_ms)).where(host.c.due_ms <= now_ms, host.c.lease_until_ms <= now_ms)
    found = [connection.execute(query).scalar_one() for query in (new, due)]
    return min((since for since in found if since is not None), default=None)


def would_wake(connection: Connection, name: str, now_ms: int, limits: OutboxLimits) -> bool:
    """Whether hearing from this host changes anything; a look without a lock, cheap enough for every letter.

    A host that sends but never answers is not tried for each of its letters.
    """
    unwell = or_(host.c.state == ASLEEP, host.c.unreachable)
    tried_before_ms = now_ms - round(limits.wake_pause_seconds * 1000)
    rested = or_(host.c.last_failure_ms.is_(None), host.c.last_failure_ms <= tried_before_ms)
    return connection.execute(select(host.c.host).where(host.c.host == name, unwell, rested)).first() is not None


def wake(connection: Connection, name: str, now_ms: int, limits: OutboxLimits) -> None:
    """Verified mail came from this host, so it is up: try it now if it slept or could not be reached.

    A host that asked for patience (429, 503) is left alone.
    """
    if would_wake(connection, name, now_ms, limits):
        resume(connection, name, now_ms)


def resume(connection: Connection, name: str, now_ms: int) -> None:
    """Try the host now, with its patience renewed, whatever it did before."""
    _lock(connection, name)
    connection.execute(update(delivery).where(_waiting(name)).values(next_try_ms=now_ms, tries=0))
    _renew(connection, name, now_ms)


def retry(connection: Connection, name: str, now_ms: int) -> int:
    """Try again everything that failed for this host, oldest first, and return how many that is."""
    _lock(connection, name)
    failed = and_(delivery.c.host == name, delivery.c.state == FAILED)
    again = update(delivery).where(failed).values(state=WAITING, holds=True, tries=0, next_try_ms=now_ms)
    count = connection.execute(again).rowcount
    if count and connection.execute(select(host.c.host).where(host.c.host == name)).first() is None:
        connection.execute(insert(host).values(host=name))  # it was forgotten meanwhile
    _renew(connection, name, now_ms)
    return count


@dataclass(frozen=True)
class Forgotten:
    """How many deliveries were given up, and how many still wait because they may never be."""

    given_up: int
    kept: int


def forget(connection: Connection, name: str, *, also_kept: bool = False) -> Forgotten:
    """Give up all that waits for this host, for good; its history goes with it.

    Mail that may never be given up goes on waiting, unless somebody says of that too that it shall go (``also_kept``).
    """
    _lock(connection, name)
    lost = _waiting(name) if also_kept else _waiting(name) & delivery.c.keep_trying.is_(False)
    given_up = connection.execute(update(delivery).where(lost).values(state=FAILED, last_error="given up by an admin"))
    kept = connection.execute(select(func.count()).select_from(delivery).where(_waiting(name))).scalar_one()
    if not kept:
        connection.execute(delete(host).where(host.c.host == name))
    return Forgotten(given_up.rowcount, kept)


def _lock(connection: Connection, name: str) -> None:
    connection.execute(select(host.c.host).where(host.c.host == name).with_for_update())


def _waiting(name: str) -> ColumnElement[bool]:
    return and_(delivery.c.host == name, delivery.c.state == WAITING)


def _renew(connection: Connection, name: str, now_ms: int) -> None:
    awake = {"state": AWAKE, "failures": 0, "unreachable": False, "asleep_since_ms": None, "quiet_until_ms": 0}
    due_ms = next_due_ms(connection, name, 0, now_ms)
    connection.execute(update(host).where(host.c.host == name).values(due_ms=due_ms, **awake))


def _summary() -> Select[Any]:
    waiting = case((delivery.c.state == WAITING, 1), else_=0)
    kept = case((and_(delivery.c.state == WAITING, delivery.c.keep_trying), 1), else_=0)
    failed = case((delivery.c.state == FAILED, 1), else_=0)
    since = case((delivery.c.state == WAITING, activity.c.created_ms), else_=None)
    counts = (
        select(
            delivery.c.host,
            func.sum(waiting).label("waiting"),
            func.sum(kept).label("kept"),
            func.sum(failed).label("failed"),
            func.min(since).label("waiting_since_ms"),
        )
        .join(activity, activity.c.id == delivery.c.activity)
        .group_by(delivery.c.host)
        .subquery()
    )
    columns = (counts.c.waiting, counts.c.kept, counts.c.failed, counts.c.waiting_since_ms)
    return select(host, *columns).outerjoin(counts, counts.c.host == host.c.host)


def _health(row: Row[Any]) -> HostHealth:
    return HostHealth(
        host=row.host,
        asleep=row.state == ASLEEP,
        asleep_since_ms=row.asleep_since_ms,
        failures=row.failures,
        dialect=row.dialect,
        last_success_ms=row.last_success_ms,
        last_failure_ms=row.last_failure_ms,
        last_error=row.last_error,
        waiting=int(row.waiting or 0),
        kept=int(row.kept or 0),
        failed=int(row.failed or 0),
        waiting_since_ms=row.waiting_since_ms,
        next_try_ms=row.due_ms,
    )
