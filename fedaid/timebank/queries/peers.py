"""Reads about other networks: the account with each, what an admin has to look at, and what both signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson
from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from fedaid.timebank import rows, tables
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.states import Alarm, Paper, PayeeState, PayerState, Side

ALARMS_MAX = 200
STATEMENTS_MAX = 12


@dataclass(frozen=True)
class PeerAccount:
    """The account with another network: ``balance`` is what we owe them, ``line_minutes`` the most they may owe us."""

    peer_id: int
    host: str
    ledger_actor: str
    status: str
    balance: int
    held: int
    line_minutes: int
    their_line_minutes: int
    max_transfer_minutes: int
    needs_sync: bool
    offer_lifetime_days: int
    synced_at: datetime | None


@dataclass(frozen=True)
class AlarmRow:
    """Something an admin has to look at; ``alarm`` is one word, see fedaid.timebank.rules.states.Alarm."""

    number: int
    host: str
    transfer_id: str | None
    alarm: Alarm
    at: datetime


def alarms(connection: Connection, rows_max: int = ALARMS_MAX) -> Sequence[AlarmRow]:
    """What no admin has looked at yet, newest first."""
    table = tables.alarm
    query = select(table, tables.peer.c.host).join(tables.peer, tables.peer.c.id == table.c.peer_id)
    found = connection.execute(query.where(table.c.seen_at.is_(None)).order_by(table.c.n.desc()).limit(rows_max))
    return [AlarmRow(row.n, row.host, row.transfer_id, Alarm(row.alarm), row.at) for row in found]


def peers(connection: Connection) -> Sequence[PeerAccount]:
    """The accounts with all networks a link was ever proposed with, oldest first."""
    return [_peer_account(connection, peer) for peer in rows.peers(connection)]


def peer_by_host(connection: Connection, host: str) -> PeerAccount | None:
    """The account with the network at this host."""
    found = rows.peer_by_host(connection, host)
    return _peer_account(connection, found) if found else None


def peer_by_actor(connection: Connection, ledger_actor: str) -> PeerAccount | None:
    """The account with the network whose ledger this is."""
    found = rows.peer_by_actor(connection, ledger_actor)
    return _peer_account(connection, found) if found else None


def agreed_ledger_at(connection: Connection, host: str) -> str | None:
    """The ledger actor of the network at this host, if its timebank and ours ever agreed: that is settled for ever."""
    found = rows.peer_by_host(connection, host) if host.isprintable() else None
    return found.actor if found is not None and found.terms_digest is not None else None


def _peer_account(connection: Connection, peer: rows.Peer) -> PeerAccount:
    account = rows.clearing(connection, peer.id)
    return PeerAccount(
        peer.id,
        peer.host,
        peer.actor,
        peer.status.value,
        account.balance if account else 0,
        account.held if account else 0,
        peer.line,
        peer.line_granted,
        peer.max_transfer,
        peer.needs_sync,
        peer.offer_lifetime_days,
        peer.synced_at,
    )


@dataclass(frozen=True)
class Exposure:
    """What all networks together owe us and we them, what is promised included, and how much they and we may."""

    owed_to_us: int
    owed_to_us_max: int
    owed_by_us: int
    owed_by_us_max: int


def exposure(connection: Connection, limits: TimebankLimits) -> Exposure:
    """The sums that the instance-wide caps are about."""
    lines = [rows.clearing(connection, peer.id) for peer in rows.peers(connection)]
    table = tables.transfer
    paid = select(table.c.peer_id, func.sum(table.c.minutes).label("minutes")).group_by(table.c.peer_id)
    paid = paid.where(table.c.kind == Side.PAYER, table.c.state == PayerState.INVITED)
    on_its_way = {row.peer_id: int(row.minutes) for row in connection.execute(paid)}
    known = [line for line in lines if line is not None]
    return Exposure(
        sum(max(line.held - line.balance, 0) for line in known),
        limits.owed_to_us_minutes_max,
        sum(max(line.balance + on_its_way.get(line.peer_id or 0, 0), 0) for line in known),
        limits.owed_by_us_minutes_max,
    )


class Agreed(StrEnum):
    """How far a statement is."""

    WAITING = "waiting"
    COUNTERSIGNED = "countersigned"
    DIFFERS = "differs"


@dataclass(frozen=True)
class PeerStatement:
    """A statement with a peer; ``opening`` and ``closing`` are what we owed them."""

    number: int
    opening: int
    closing: int
    transfers: int
    agreed: Agreed
    ours: bool


def statements_with(connection: Connection, peer_id: int, rows_max: int = STATEMENTS_MAX) -> Sequence[PeerStatement]:
    """The statements with a peer, newest first."""
    table = tables.statement
    query = select(table).where(table.c.peer_id == peer_id).order_by(table.c.number.desc()).limit(rows_max)
    actor = rows.peer(connection, peer_id).actor
    return [_peer_statement(row, actor) for row in connection.execute(query)]


def _peer_statement(row: Row[tuple[object, ...]], actor: str) -> PeerStatement:
    document = orjson.loads(row.doc)
    agreed = Agreed.COUNTERSIGNED if row.countersigned else Agreed.DIFFERS if row.differs else Agreed.WAITING
    transfers = len(document["object"]["fa:transfers"])
    return PeerStatement(row.number, row.opening, row.closing, transfers, agreed, document["actor"] != actor)


def statement_papers(connection: Connection, peer_id: int, number: int) -> Sequence[str]:
    """The signed documents of a statement: what was proposed, and the answer where there is one; JSON texts."""
    table = tables.statement
    mine = (table.c.peer_id == peer_id) & (table.c.number == number)
    row = connection.execute(select(table).where(mine)).one_or_none()
    return [text for text in (row.doc, row.countersigned, row.differs) if text] if row is not None else []


@dataclass(frozen=True)
class Difference:
    """One side did not sign a statement: the transfers that differ by id, one word why, and whether it was us."""

    by_us: bool
    reason: str
    transfers: Sequence[str]
    at: datetime


def differences(connection: Connection, peer_id: int, rows_max: int = STATEMENTS_MAX) -> Sequence[Difference]:
    """What was found to differ from a peer, newest first."""
    table = tables.fact
    query = select(table).where(table.c.peer_id == peer_id, table.c.kind == Paper.DIFFERS)
    found = connection.execute(query.order_by(table.c.n.desc()).limit(rows_max)).all()
    papers = [(row, orjson.loads(row.doc)) for row in found]
    return [Difference(row.ours, doc["fa:reason"], doc["fa:differs"], row.at) for row, doc in papers]


@dataclass(frozen=True)
class Settling:
    """A transfer with a peer that an admin may have to look at; ``minutes`` as it says."""

    transfer_id: str
    host: str
    minutes: int
    state: str
    since: datetime


def late(connection: Connection) -> Sequence[Settling]:
    """Hours that were confirmed after they had been given up, and beyond the line: an admin takes them, or not."""
    return _settling(connection, tables.transfer.c.state == PayeeState.DISPUTED)


def in_flight(connection: Connection, peer_id: int) -> Sequence[Settling]:
    """Hours that have left an account here, and whose receipt has not come yet: what our two books differ by."""
    table = tables.transfer
    return _settling(connection, (table.c.peer_id == peer_id) & (table.c.state == PayerState.ACCEPTED))


def _settling(connection: Connection, wanted: ColumnElement[bool]) -> Sequence[Settling]:
    table, peer = tables.transfer, tables.peer
    query = select(table, peer.c.host).join(peer, peer.c.id == table.c.peer_id).where(wanted)
    found = connection.execute(query.order_by(table.c.created_at, table.c.id).limit(ALARMS_MAX))
    return [Settling(row.id, row.host, row.minutes, row.state, row.changed_at) for row in found]


def write_offs(connection: Connection, peer_id: int) -> Sequence[Settling]:
    """What was written off with a peer and not undone."""
    account, peer = rows.clearing(connection, peer_id), rows.peer(connection, peer_id)
    if account is None:
        return []
    table = tables.transfer
    mine = or_(table.c.debit == account.id, table.c.credit == account.id) & (table.c.kind == rows.LOCAL)
    query = select(table).where(mine, table.c.reverses.is_(None)).order_by(table.c.created_at, table.c.id)
    found = [row for row in connection.execute(query).all() if not rows.is_reversed(connection, row.id)]
    return [Settling(row.id, peer.host, row.minutes, row.state, row.changed_at) for row in found]
