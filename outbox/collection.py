"""What others may read of what was sent: activities by id, an actor's public outbox, and how far each has got."""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, not_, select

from outbox.tables import DELIVERED, FAILED, activity, delivery

PAGE_ITEMS_MAX = 100


_deletion = activity.alias("deletion")
# What an actor deleted must not be read in what it said about it before; the Delete itself says nothing of it.
_IS_DELETED = and_(
    activity.c.type != "Delete",
    exists().where(
        _deletion.c.object_id == activity.c.object_id,
        _deletion.c.actor == activity.c.actor,
        _deletion.c.type == "Delete",
    ),
)


@dataclass(frozen=True)
class Stored:
    """An activity as it was sent.

    number        its place in the order
    public        whether it was said to anybody
    deleted       whether its actor has deleted what it is about, so that nobody is to read it any more
    recipients    the ids of the actors it was sent to
    followers_of  and the actor whose followers it was sent to
    """

    number: int
    activity_id: str
    actor: str
    type: str
    body: str
    public: bool
    created_ms: int
    deleted: bool
    recipients: tuple[str, ...]
    followers_of: str | None


@dataclass(frozen=True)
class Page:
    """Some activities, newest first; ``before`` asks for the next page, None on the last one."""

    items: tuple[Stored, ...]
    before: int | None


@dataclass(frozen=True)
class Progress:
    """How far an activity has got. Until ``fanned_out`` the total is not known yet."""

    fanned_out: bool
    delivered: int
    failed: int
    total: int

    @property
    def waiting(self) -> int:
        return self.total - self.delivered - self.failed


def stored(connection: Connection, activity_id: str) -> Stored | None:
    """The activity with this id, or None. The caller decides who may see one that is not public."""
    row = connection.execute(_activities().where(activity.c.activity_id == activity_id)).one_or_none()
    return None if row is None else _stored(row)


def by_number(connection: Connection, number: int) -> Stored | None:
    """The activity with this number, or None."""
    row = connection.execute(_activities().where(activity.c.id == number)).one_or_none()
    return None if row is None else _stored(row)


def page(connection: Connection, actor: str, before: int | None = None, items_max: int = 20) -> Page:
    """The public activities of an actor, newest first, those older than number ``before``."""
    wanted = min(items_max, PAGE_ITEMS_MAX)
    query = _activities().where(*_shown(actor))
    if before is not None:
        query = query.where(activity.c.id < before)
    rows = connection.execute(query.order_by(activity.c.id.desc()).limit(wanted + 1)).all()
    items = tuple(_stored(row) for row in rows[:wanted])
    return Page(items, items[-1].number if len(rows) > wanted else None)


def count(connection: Connection, actor: str) -> int:
    """How many public activities of the actor stand."""
    return connection.execute(select(func.count()).select_from(activity).where(*_shown(actor))).scalar_one()


def _activities() -> Select[Any]:
    return select(activity, _IS_DELETED.label("deleted"))


def _shown(actor: str) -> tuple[ColumnElement[bool], ...]:
    return activity.c.actor == actor, activity.c.public.is_(True), not_(_IS_DELETED)


def latest_about(connection: Connection, object_id: str) -> Stored | None:
    """The last activity sent about an object, or None."""
    about = _activities().where(activity.c.object_id == object_id).order_by(activity.c.id.desc()).limit(1)
    row = connection.execute(about).one_or_none()
    return None if row is None else _stored(row)


def recipients_about(connection: Connection, object_id: str) -> list[str]:
    """The ids of all actors that an activity about this object was ever addressed to by name, oldest first, once each.

    Followers are not among them.
    """
    query = select(activity.c.recipients).where(activity.c.object_id == object_id).order_by(activity.c.id)
    found = (name for named in connection.execute(query).scalars() for name in orjson.loads(named))
    return list(dict.fromkeys(found))


def progress(connection: Connection, activity_id: str) -> Progress | None:
    """ "Delivered to n of m", counted in inboxes; None for an activity that was never posted."""
    row = connection.execute(
        select(activity.c.id, activity.c.fanned_out).where(activity.c.activity_id == activity_id)
    ).one_or_none()
    if row is None:
        return None
    counted = (
        select(delivery.c.state, func.count().label("number"))
        .where(delivery.c.activity == row.id)
        .group_by(delivery.c.state)
    )
    by_state = {row.state: int(row.number) for row in connection.execute(counted)}
    return Progress(row.fanned_out, by_state.get(DELIVERED, 0), by_state.get(FAILED, 0), sum(by_state.values()))


@dataclass(frozen=True)
class Destination:
    """Where one activity goes, and how far it has got there; instants in milliseconds since 1970."""

    activity_id: str
    type: str
    created_ms: int
    host: str
    inbox: str
    state: str
    tries: int
    keep_trying: bool
    last_error: str | None
    next_try_ms: int
    delivered_ms: int | None


def destinations(connection: Connection, activity_id: str) -> list[Destination]:
    """Everywhere an activity goes, by host; nowhere yet until it was fanned out."""
    query = _destinations().where(activity.c.activity_id == activity_id).order_by(delivery.c.host, delivery.c.n)
    return [Destination(**row._mapping) for row in connection.execute(query)]


def undelivered(connection: Connection, host: str, limit: int = PAGE_ITEMS_MAX) -> list[Destination]:
    """What a host has not got, the oldest first: what still waits and what failed."""
    theirs = (delivery.c.host == host) & (delivery.c.state != DELIVERED)
    query = _destinations().where(theirs).order_by(delivery.c.activity, delivery.c.n).limit(limit)
    return [Destination(**row._mapping) for row in connection.execute(query)]


def _destinations() -> Select[Any]:
    theirs = [delivery.c[name] for name in Destination.__dataclass_fields__ if name in delivery.c]
    columns = (activity.c.activity_id, activity.c.type, activity.c.created_ms)
    return select(*columns, *theirs).join(activity, activity.c.id == delivery.c.activity)


def _stored(row: Row[Any]) -> Stored:
    columns = (row.id, row.activity_id, row.actor, row.type, row.body, row.public, row.created_ms)
    return Stored(*columns, bool(row.deleted), tuple(orjson.loads(row.recipients)), row.followers_of)
