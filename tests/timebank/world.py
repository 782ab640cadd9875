"""Two neighbourhoods' ledgers on real databases, and the post between them, which repeats, reorders and loses."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select

import fedaid.network.tables  # noqa: F401 - defines tables
import outbox.tables
from activitypub.documents import parse_activity, parse_actor
from activitypub.identifiers import UrlRules
from activitypub.keys import generate_ed25519, private_to_pem
from activitypub.signatures.authentic import Authentic, Proof, restored
from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.actors.rules import Kind
from fedaid.actors.wire import actor_document
from fedaid.foundation.database import Database, metadata
from fedaid.foundation.ids import new_key
from fedaid.foundation.names import Names
from fedaid.foundation.work import UnitsOfWork, Work
from fedaid.timebank import commands, peering, rows, sync, tables, wire
from fedaid.timebank.audit import verify_ledger
from fedaid.timebank.commands.carry_out import carry_out_waiting
from fedaid.timebank.commands.receive import nothing_agreed
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.books import AccountKind
from inbox.ports import Letter
from tests.small_house import StillClock, some_keys

RULES = UrlRules()
LIMITS = TimebankLimits()
NORTH, RIVER = "https://northside.example", "https://riverside.example"
ANA, KIM = f"{NORTH}/users/ana", f"{NORTH}/users/kim"
BEN, EVE = f"{RIVER}/users/ben", f"{RIVER}/users/eve"
LINE_MINUTES = 1_200
TABLES = [*metadata.sorted_tables, *outbox.tables.metadata.sorted_tables]


@dataclass
class Town:
    """One instance, as far as its ledger goes. ``facts`` is what its rooms were told, newest last."""

    database: Database
    clock: StillClock
    names: Names
    units: UnitsOfWork
    facts: list[object] = field(default_factory=list)
    sent: int = 0

    @contextmanager
    def work(self) -> Iterator[Work]:
        with self.units.begin() as work:
            yield work
            self.facts.extend(work.facts)

    def account(self, actor: str) -> rows.Account:
        with self.database.read() as connection:
            found = rows.account_of(connection, actor)
        assert found
        return found

    def clearing(self, other: "Town") -> rows.Account:
        with self.database.read() as connection:
            peer = rows.peer_by_actor(connection, other.names.ledger)
            assert peer
            found = rows.clearing(connection, peer.id)
        assert found
        return found

    def peer(self, other: "Town") -> rows.Peer:
        with self.database.read() as connection:
            found = rows.peer_by_actor(connection, other.names.ledger)
        assert found
        return found

    def state(self, transfer_id: str) -> str:
        with self.database.read() as connection:
            found = rows.transfer(connection, transfer_id)
        return found.state.value if found else "none"

    def told(self, kind: type) -> list[Any]:
        return [fact for fact in self.facts if type(fact) is kind]

    def findings(self) -> tuple[str, ...]:
        with self.database.read() as connection:
            return verify_ledger(connection).findings

    def outgoing(self) -> list[dict[str, Any]]:
        """What was posted since the last time, oldest first."""
        table = outbox.tables.activity
        with self.database.read() as connection:
            found = connection.execute(select(table).where(table.c.id > self.sent).order_by(table.c.id)).all()
        self.sent = max((row.id for row in found), default=self.sent)
        return [orjson.loads(row.body) for row in found]

    def everything_sent(self) -> list[dict[str, Any]]:
        table = outbox.tables.activity
        with self.database.read() as connection:
            return [orjson.loads(row.body) for row in connection.execute(select(table).order_by(table.c.id))]

    def take(self, document: Mapping[str, Any], sender: str | None = None) -> bool:
        """The letter as the inbox worker hands it over. Raises what the handler raises."""
        activity = parse_activity(document, RULES)
        authentic = proved(sender or activity.actor.text, self.clock)
        handler = wire.handlers(RULES, LIMITS)[activity.type][0]
        with self.work() as work:
            return handler.apply(work, Letter(authentic, activity, "/ledger/inbox"), {})


def proved(actor: str, clock: StillClock) -> Authentic:
    return restored(RULES.parse(actor), f"{actor}#main-key", Proof.DRAFT_CAVAGE, clock.now())


def found_town(database: Database, origin: str, *members: str) -> Town:
    clock, names = StillClock(), Names(origin)
    town = Town(database, clock, names, UnitsOfWork(database, clock, names, {}))
    keys = actors.ActorKeys(some_keys().rsa_pem, private_to_pem(generate_ed25519()))
    with town.work() as work:
        actors.create_actor(work, Kind.LEDGER, "", name="hours", keys=keys)
        commands.open_chest(work)
        for member in members:
            commands.open_account(work, AccountKind.MEMBER, member, floor_minutes=LIMITS.member_floor_minutes)
    return town


def meet(town: Town, other: Town) -> None:
    """Remember the other's ledger actor as its own document shows it."""
    with other.database.read() as connection:
        ledger = actor_queries.by_handle(connection, "ledger")
        assert ledger
        document = actor_document(ledger, actor_queries.own_keys(connection, ledger.uri), other.names)
    with town.work() as work:
        actors.remember(work, parse_actor(document, RULES, town.clock.now()))


def peer_facts(town: Town, other: Town) -> peering.PeerFacts:
    with other.database.read() as connection:
        ledger = actor_queries.by_handle(connection, "ledger")
        assert ledger
        document = actor_document(ledger, actor_queries.own_keys(connection, ledger.uri), other.names)
    actor = parse_actor(document, RULES, town.clock.now())
    return peering.PeerFacts.of(other.names.host, other.names.origin, actor)


def link(first: Town, second: Town, line_minutes: int = LINE_MINUTES) -> None:
    """The whole handshake, proposed by the first."""
    meet(first, second)
    meet(second, first)
    with first.work() as work:
        peering.propose(work, peer_facts(first, second), LIMITS, line_minutes=line_minutes)
    deliver(first, second)
    with second.work() as work:
        peering.accept(work, first.names.ledger, LIMITS, line_minutes=line_minutes)
    deliver(first, second)


def deliver(first: Town, second: Town) -> None:
    """Carry letters both ways, and show what is asked for, until nobody says or asks anything more."""
    while True:
        letters = [(second, one) for one in first.outgoing()] + [(first, one) for one in second.outgoing()]
        for town, document in letters:
            assert town.take(document)
        asked = [ask(town, other) for town, other in ((first, second), (second, first)) if needs_sync(town, other)]
        if not letters and not asked:
            return


def needs_sync(town: Town, other: Town) -> bool:
    with town.database.read() as connection:
        peer = rows.peer_by_actor(connection, other.names.ledger)
    return peer is not None and peer.needs_sync


def ask(town: Town, other: Town, limits: TimebankLimits = LIMITS) -> None:
    """One town reads the other's copy of their common messages, page by page, then carries out what waited."""
    with town.work() as work:
        errands = sync.set_out(work, limits)
    for errand in errands:
        left: sync.Errand | None = errand
        while left is not None:
            with other.database.read() as connection:
                peer = rows.peer_by_actor(connection, town.names.ledger)
                assert peer
                page = sync.page_for(connection, limits, peer, left.after)
            with town.work() as work:
                left = sync.take_page(work, limits, left, page)
    with town.work() as work:
        carry_out_waiting(work, limits, nothing_agreed)


@dataclass(frozen=True)
class Backup:
    """Everything a town's database held at one moment."""

    rows: Mapping[str, list[dict[str, Any]]]
    sent: int


def back_up(town: Town) -> Backup:
    with town.database.read() as connection:
        rows_of = {table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in TABLES}
    return Backup(rows_of, town.sent)


def restore(town: Town, backup: Backup) -> None:
    """Put the database back to where it was; what happened since is forgotten, and the process starts anew."""
    with town.database.write() as connection:
        _set_guards(connection, town, on=False)
        for table in reversed(TABLES):
            connection.execute(delete(table))
        for table in TABLES:
            if backup.rows[table.name]:
                connection.execute(insert(table), backup.rows[table.name])
        _set_guards(connection, town, on=True)
    town.sent = backup.sent
    start_anew(town)


def _set_guards(connection: Connection, town: Town, *, on: bool) -> None:
    for table in tables.APPEND_ONLY:
        if not town.database.is_sqlite:
            connection.exec_driver_sql(f"ALTER TABLE {table.name} {'ENABLE' if on else 'DISABLE'} TRIGGER USER")
        elif not on:
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {table.name}_no_{verb}")
    if on and town.database.is_sqlite:
        tables.create_triggers(connection)


def start_anew(town: Town) -> None:
    """What every process does first."""
    with town.work() as work:
        sync.ask_all(work)


def claim(town: Town, *, payee: str, payer: str, minutes: int, key: str | None = None, **more: Any) -> str:
    with town.work() as work:
        return commands.claim(work, LIMITS, key or new_key(), payee=payee, payer=payer, minutes=minutes, **more)


def confirm(town: Town, transfer_id: str, actor: str, **more: Any) -> None:
    with town.work() as work:
        commands.confirm(work, LIMITS, transfer_id, actor, **more)


def refuse(town: Town, transfer_id: str, actor: str) -> None:
    with town.work() as work:
        commands.refuse(work, LIMITS, transfer_id, actor)


def withdraw(town: Town, transfer_id: str, actor: str) -> None:
    with town.work() as work:
        commands.withdraw(work, LIMITS, transfer_id, actor)


def pass_time(*towns: Town, days: float = 0, seconds: float = 0) -> None:
    for town in towns:
        town.clock.at += timedelta(days=days, seconds=seconds)


def assert_at_rest(first: Town, second: Town) -> None:
    """Q1, Q3 and what each ledger says of itself."""
    assert first.clearing(second).balance == -second.clearing(first).balance
    assert first.clearing(second).held == second.clearing(first).held == 0
    assert first.findings() == second.findings() == ()
