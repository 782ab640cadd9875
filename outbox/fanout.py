"""Turns the recipients of an activity into deliveries, one per inbox, a shared inbox serving all its actors at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from sqlalchemy import Connection, Row, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from activitypub.errors import MalformedUrl
from activitypub.identifiers import Origin, UrlRules
from outbox import tables
from outbox.limits import OutboxLimits
from outbox.ports import AddressBook, Mailbox

ROWS_PER_INSERT_MAX = 500  # SQLite takes at most 32,766 values in one statement
_EVERYBODY = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})  # has no inbox

log = structlog.get_logger()


@dataclass(frozen=True)
class Addressee:
    """One inbox to deliver to, or an actor that has to be met first (then ``inbox`` is this actor's id)."""

    host: str
    inbox: str
    unmet: str | None = None


class Fanout:
    """Works through new activities in their order. Nothing here touches the network."""

    def __init__(self, address_book: AddressBook, rules: UrlRules, limits: OutboxLimits) -> None:
        self._address_book = address_book
        self._rules = rules
        self._limits = limits

    def step(self, connection: Connection, now_ms: int) -> int:
        """Fan out the next activities and return how many there were.

        A second worker waits for the first here instead of going on with the next: otherwise a later activity
        could reach a host before an earlier one.
        """
        activities = connection.execute(
            select(tables.activity)
            .where(tables.activity.c.fanned_out.is_(False))
            .order_by(tables.activity.c.id)
            .limit(self._limits.fan_out_activities_max)
            .with_for_update()
        ).all()
        is_blocked = _remembered(self._address_book.is_blocked)
        rows = [row for activity in activities for row in self._rows(connection, activity, is_blocked, now_ms)]
        _insert_deliveries(connection, rows)
        _set_due(connection, {str(row["host"]) for row in rows}, now_ms)
        _mark(connection, [activity.id for activity in activities])
        return len(activities)

    def _rows(
        self, connection: Connection, activity: Row[Any], is_blocked: Callable[[str], bool], now_ms: int
    ) -> Iterator[dict[str, object]]:
        for addressee in self.addressees(connection, activity):
            if not is_blocked(addressee.host):
                yield {
                    "activity": activity.id,
                    "host": addressee.host,
                    "inbox": addressee.inbox,
                    "unmet": addressee.unmet,
                    "actor": activity.actor,
                    "keep_trying": activity.keep_trying,
                    "next_try_ms": now_ms,
                }

    def addressees(self, connection: Connection, activity: Row[Any]) -> list[Addressee]:
        """Where an activity goes; our own actors, who share the sender's origin, are left out."""
        ours = self._rules.parse(activity.actor).origin
        named = [name for name in orjson.loads(activity.recipients) if self._is_foreign(name, ours)]
        met = {box.actor: box for box in self._address_book.mailboxes(connection, named)} if named else {}
        unmet = [name for name in named if name not in met]
        for followed in (activity.followers_of, activity.and_followers_of):
            if followed is not None:
                met |= {box.actor: box for box in self._address_book.followers(connection, followed)}
        inboxes = [self._addressee(inbox) for inbox in shared(met.values(), public=activity.public)]
        return [found for found in inboxes if found] + [self._stranger(name) for name in unmet]

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


def shared(mailboxes: Iterable[Mailbox], *, public: bool) -> list[str]:
    """The inboxes that reach all of them. What is not public and has one reader at a server goes to the reader's."""
    readers: dict[str, list[Mailbox]] = {}
    for mailbox in mailboxes:
        readers.setdefault(mailbox.shared_inbox or mailbox.inbox, []).append(mailbox)
    return [own[0].inbox if len(own) == 1 and not public else inbox for inbox, own in readers.items()]


def _remembered(is_blocked: Callable[[str], bool]) -> Callable[[str], bool]:
    """Asks once per host within a batch."""
    known: dict[str, bool] = {}

    def ask(host: str) -> bool:
        if host not in known:
            known[host] = is_blocked(host)
        return known[host]

    return ask


def _insert_deliveries(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    for start in range(0, len(rows), ROWS_PER_INSERT_MAX):
        chunk = rows[start : start + ROWS_PER_INSERT_MAX]
        if connection.dialect.name == "postgresql":
            connection.execute(postgresql.insert(tables.delivery).values(chunk).on_conflict_do_nothing())
        else:
            connection.execute(sqlite.insert(tables.delivery).values(chunk).on_conflict_do_nothing())


def _set_due(connection: Connection, hosts: Iterable[str], now_ms: int) -> None:
    """Say that something waits for these hosts, without shortening their rest."""
    quiet = tables.host.c.quiet_until_ms
    due = {"due_ms": case((quiet > now_ms, quiet), else_=now_ms)}
    rows = [{"host": host, "due_ms": now_ms} for host in sorted(hosts)]  # in one order, so that nobody deadlocks
    for start in range(0, len(rows), ROWS_PER_INSERT_MAX):
        chunk = rows[start : start + ROWS_PER_INSERT_MAX]
        if connection.dialect.name == "postgresql":
            upsert = postgresql.insert(tables.host).values(chunk)
            connection.execute(upsert.on_conflict_do_update(index_elements=["host"], set_=due))
        else:
            sqlite_upsert = sqlite.insert(tables.host).values(chunk)
            connection.execute(sqlite_upsert.on_conflict_do_update(index_elements=["host"], set_=due))


def _mark(connection: Connection, numbers: Sequence[int]) -> None:
    if numbers:
        connection.execute(update(tables.activity).where(tables.activity.c.id.in_(numbers)).values(fanned_out=True))
