"""Reads about other networks: the account with each, what an admin has to look at, and what both signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from fedaid.timebank import rows, tables
from fedaid.timebank.rules.states import Alarm

ALARMS_MAX = 200


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
    )
