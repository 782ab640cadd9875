"""Turns the recipients of an activity into deliveries, one per inbox, a shared inbox serving all its actors at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from sqlalchemy import BigInteger, Connection, Row, Select, bindparam, case, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from activitypub.errors import MalformedUrl
from activitypub.identifiers import Origin, UrlRules
from outbox import tables
from outbox.given import as_rows, given
from outbox.limits import OutboxLimits
from outbox.ports import AddressBook, Mailbox

_EVERYBODY = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})  # has no inbox

log = structlog.get_logger()


@dataclass(frozen=True)
class Addressee:
    """One inbox to deliver to, or an actor that has to be met first (then ``inbox`` is this actor's id)."""

    host: str
    inbox: str
    unmet: str | None = None


@dataclass(frozen=True)
class _Part:
    """How far the deliveries of an activity are written: up to ``end``, of which the last goes to ``last_inbox``."""

    activity: int
    end: int
    last_inbox: str


class Fanout:
    """Works through new activities in their order. Nothing here touches the network.

    What goes to ten thousand servers is written in parts, so that nobody waits long for the database. An activity
    counts as fanned out when its last part is written, and only then does the next begin: nothing overtakes it. Whoever
    begins anew, after a crash for example, writes nothing twice.
    """

    def __init__(self, address_book: AddressBook, rules: UrlRules, limits: OutboxLimits) -> None:
        self._address_book = address_book
        self._rules = rules
        self._limits = limits
        self._ahead: dict[int, Sequence[Addressee]] = {}
        self._part: _Part | None = None

    def look_ahead(self, connection: Connection) -> bool:
        """Find out where the next activities go, while nobody has to wait for us; whether there are any."""
        known, self._ahead = self._ahead, {}
        deliveries = 0
        activities = connection.execute(self._next()).all()
        for activity in activities:
            if deliveries < self._limits.fan_out_deliveries_max:
                found = known.get(activity.id) or self.addressees(connection, activity)
                self._ahead[activity.id] = found
                deliveries += len(found)
        return bool(activities)

    def step(self, connection: Connection, now_ms: int) -> int:
        """Fan out the next activities, the last of them perhaps in part, and return how many there were.

        A second worker waits for the first here instead of going on with the next: otherwise a later activity
        could reach a host before an earlier one.
        """
        activities = connection.execute(self._next().with_for_update()).all()
        rows: list[dict[str, object]] = []
        done: list[int] = []
        for activity in activities:
            found = self._ahead.get(activity.id) or self.addressees(connection, activity)
            start = self._written(connection, activity.id)
            end = start + self._limits.fan_out_deliveries_max - len(rows)
            rows += (_row(activity, addressee, now_ms) for addressee in found[start:end])
            if end < len(found):
                self._ahead[activity.id] = found
                if end > start:
                    self._part = _Part(activity.id, end, found[end - 1].inbox)
                break
            self._ahead.pop(activity.id, None)
            done.append(activity.id)
        _insert_deliveries(connection, rows)
        _set_due(connection, {str(row["host"]) for row in rows}, now_ms)
        _mark(connection, done)
        return len(done) + (len(done) < len(activities))

    def _next(self) -> Select[Any]:
        new = select(tables.activity).where(tables.activity.c.fanned_out.is_(False))
        return new.order_by(tables.activity.c.id).limit(self._limits.fan_out_activities_max)

    def _written(self, connection: Connection, number: int) -> int:
        """How far the last part went, if it was committed and is one of this activity."""
        part = self._part
        if part is None or part.activity != number:
            return 0
        last = (tables.delivery.c.activity == number) & (tables.delivery.c.inbox == part.last_inbox)
        return part.end if connection.execute(select(tables.delivery.c.n).where(last)).first() else 0

    def addressees(self, connection: Connection, activity: Row[Any]) -> list[Addressee]:
        """Where an activity goes; our own actors, who share the sender's origin, and those refused are left out."""
        ours = self._rules.parse(activity.actor).origin
        named = [name for name in orjson.loads(activity.recipients) if self._is_foreign(name, ours)]
        met = {box.actor: box for box in self._address_book.mailboxes(connection, named)} if named else {}
        unmet = [name for name in named if name not in met]
        for followed in (activity.followers_of, activity.and_followers_of):
            if followed is not None:
                met |= {box.actor: box for box in self._address_book.followers(connection, followed)}
        written_to = _written_to(connection, activity)
        refused = self._address_book.refused(connection, activity.actor, [*met, *unmet, *written_to])
        wanted = [box for name, box in met.items() if name not in refused]
        inboxes = [*shared(wanted, public=activity.public), *(inbox for inbox in written_to if inbox not in refused)]
        found = [self._addressee(inbox) for inbox in dict.fromkeys(inboxes)]
        return [one for one in found if one] + [self._stranger(name) for name in unmet if name not in refused]

    def _is_foreign(self, name: str, ours: Origin) -> bool:
        if name in _EVERYBODY:
            return False
        try:
            return self._rules.parse(name).origin != ours
        except MalformedUrl:
            log.warning("outbox_recipient_unusable", recipient=name)
            return False

    def _addressee(self, inbox: str) -> Addressee | None:
        try:
            return Addressee(self._rules.parse(inbox).origin.netloc, inbox)
        except MalformedUrl:
            log.warning("outbox_inbox_unusable", inbox=inbox)
            return None

    def _stranger(self, name: str) -> Addressee:
        return Addressee(self._rules.parse(name).origin.netloc, name, unmet=name)


def _written_to(connection: Connection, activity: Row[Any]) -> Sequence[str]:
    """Every inbox that was ever sent something by the sender, for its last word."""
    if not activity.everywhere:
        return []
    sent = (tables.delivery.c.actor == activity.actor) & tables.delivery.c.unmet.is_(None)
    return connection.execute(select(tables.delivery.c.inbox).where(sent).distinct()).scalars().all()


def shared(mailboxes: Iterable[Mailbox], *, public: bool) -> list[str]:
    """The inboxes that reach all of them. What is not public and has one reader at a server goes to the reader's."""
    readers: dict[str, list[Mailbox]] = {}
    for mailbox in mailboxes:
        readers.setdefault(mailbox.shared_inbox or mailbox.inbox, []).append(mailbox)
    return [own[0].inbox if len(own) == 1 and not public else inbox for inbox, own in readers.items()]


def _row(activity: Row[Any], addressee: Addressee, now_ms: int) -> dict[str, object]:
    return {
        "activity": activity.id,
        "host": addressee.host,
        "inbox": addressee.inbox,
        "unmet": addressee.unmet,
        "actor": activity.actor,
        "keep_trying": activity.keep_trying,
        "next_try_ms": now_ms,
    }


_NEW = ("activity", "host", "inbox", "unmet", "actor", "keep_trying", "next_try_ms")


def _insert_deliveries(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    if not rows:
        return
    new = given(connection, **{name: tables.delivery.c[name].type for name in _NEW})
    if connection.dialect.name == "postgresql":
        insert = postgresql.insert(tables.delivery).from_select(_NEW, select(new))
        connection.execute(insert.on_conflict_do_nothing(), as_rows(rows))
    else:
        sqlite_insert = sqlite.insert(tables.delivery).from_select(_NEW, select(new).where(literal_column("true")))
        connection.execute(sqlite_insert.on_conflict_do_nothing(), as_rows(rows))


def _set_due(connection: Connection, hosts: Iterable[str], now_ms: int) -> None:
    """Say that something waits for these hosts, without shortening their rest."""
    quiet, now = tables.host.c.quiet_until_ms, bindparam("now_ms", type_=BigInteger)
    due = {"due_ms": case((quiet > now, quiet), else_=now)}
    rows = [{"host": host, "due_ms": now_ms} for host in sorted(hosts)]  # in one order, so that nobody deadlocks
    if not rows:
        return
    new = given(connection, host=tables.host.c.host.type, due_ms=tables.host.c.due_ms.type)
    named, values = ("host", "due_ms"), {**as_rows(rows), "now_ms": now_ms}
    if connection.dialect.name == "postgresql":
        upsert = postgresql.insert(tables.host).from_select(named, select(new))
        connection.execute(upsert.on_conflict_do_update(index_elements=["host"], set_=due), values)
    else:  # SQLite reads ON CONFLICT after a SELECT as the beginning of a join, unless a WHERE stands between
        sqlite_upsert = sqlite.insert(tables.host).from_select(named, select(new).where(literal_column("true")))
        connection.execute(sqlite_upsert.on_conflict_do_update(index_elements=["host"], set_=due), values)


def _mark(connection: Connection, numbers: Sequence[int]) -> None:
    if numbers:
        connection.execute(update(tables.activity).where(tables.activity.c.id.in_(numbers)).values(fanned_out=True))
