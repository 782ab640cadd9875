"""Reads of the timebank for pages and scripts: a member's hours, what waits for them, the account with each peer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from fedaid.actors import queries as actors
from fedaid.actors.queries import Card
from fedaid.timebank import queued, rows, tables
from fedaid.timebank.audit import LedgerReport, verify_ledger
from fedaid.timebank.rows import LOCAL, Account, State, Transfer
from fedaid.timebank.rules.states import Alarm, LocalState, PayeeState, PayerState, Side

__all__ = [
    "Account",
    "AlarmRow",
    "Hour",
    "LedgerReport",
    "PeerAccount",
    "Statement",
    "StatementLine",
    "Waiting",
    "account_of",
    "agreed_ledger_at",
    "alarms",
    "for_engagement",
    "peer_by_actor",
    "peer_by_host",
    "peers",
    "statement",
    "transfer_for",
    "under_way",
    "verify_ledger",
    "waiting_for",
    "waits_for",
]

LINES_MAX = 200
_WORDS: dict[State, str] = {
    LocalState.PENDING: "waiting for them to confirm",
    LocalState.POSTED: "done",
    LocalState.REFUSED: "refused",
    LocalState.WITHDRAWN: "taken back",
    PayerState.INVITED: "on hold until their network has taken them up",
    PayerState.OFFERED: "waiting to be confirmed",
    PayerState.ACCEPTED: "confirmed, on the way to their network",
    PayerState.SETTLED: "done, with their receipt",
    PayerState.REJECTED: "refused",
    PayeeState.CLAIMED: "waiting for them to confirm",
    PayeeState.CANCEL_ASKED: "being taken back",
    PayeeState.CREDITED: "done",
    PayeeState.VOID: "refused",
    PayeeState.ABANDONED: "their network is gone",
    PayeeState.DISPUTED: "confirmed late; the admin has to decide",
}
_QUEUED = "queued until {host} answers"
_TO_CONFIRM = (LocalState.PENDING.value, PayerState.OFFERED.value)
_CLAIMED = (LocalState.PENDING.value, PayeeState.CLAIMED.value, PayeeState.CANCEL_ASKED.value)
_CAN_WITHDRAW = frozenset({LocalState.PENDING, PayeeState.CLAIMED, PayerState.INVITED})


@dataclass(frozen=True)
class Hour:
    """A transfer as one of its two people sees it.

    other         the one at the other end
    given         whether the viewer gave the help, so that the hours come to them
    engagement    the agreement on the board, where this side knows it
    proposal      the listing that was answered, where the claim named one
    """

    id: str
    minutes: int
    other: Card
    given: bool
    state: State
    state_in_words: str
    since: datetime
    note: str
    engagement: str | None
    proposal: str | None
    can_withdraw: bool


Waiting = Hour


@dataclass(frozen=True)
class StatementLine:
    """One movement on an account: ``signed_minutes`` is positive for hours that came in."""

    at: datetime
    transfer_id: str
    other: Card
    note: str
    state: str
    state_in_words: str
    signed_minutes: int

    @property
    def what(self) -> str:
        """For a line of plain text."""
        word = "from" if self.signed_minutes > 0 else "to"
        return f"{word} {self.other.handle}" + (f": {self.note}" if self.note else "")


@dataclass(frozen=True)
class Statement:
    """A member's account: given is what came in for help they gave, received what went out; newest line last."""

    balance_minutes: int
    given_minutes: int
    received_minutes: int
    held_minutes: int
    floor_minutes: int
    lines: tuple[StatementLine, ...]


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


def account_of(connection: Connection, actor: str) -> Account | None:
    """The account of a member or group of ours."""
    return rows.account_of(connection, actor)


def waiting_for(connection: Connection, actor: str, host: str = "") -> Sequence[Hour]:
    """Claims that this member of ours has to confirm or refuse, oldest first; ``host`` is ours, for showing handles."""
    account = rows.account_of(connection, actor)
    if account is None:
        return ()
    wanted = (tables.transfer.c.debit == account.id) & tables.transfer.c.state.in_(_TO_CONFIRM)
    return _hours(connection, account, wanted & (tables.transfer.c.kind != Side.PAYEE), host)


def under_way(connection: Connection, actor: str, host: str = "") -> Sequence[Hour]:
    """What this member claimed or paid and is not decided, oldest first."""
    account = rows.account_of(connection, actor)
    if account is None:
        return ()
    table = tables.transfer
    claimed = (table.c.credit == account.id) & table.c.state.in_(_CLAIMED)
    paid = (table.c.debit == account.id) & (table.c.state == PayerState.INVITED)
    return [*_hours(connection, account, or_(claimed, paid), host), *_queued(connection, actor, host)]


def _queued(connection: Connection, actor: str, host: str) -> list[Hour]:
    """What this member claimed or paid while the other network has to be asked first what we may have forgotten."""
    found = []
    for one in queued.begun_by(connection, actor):
        step = one.step
        assert isinstance(step, queued.Claim | queued.Payment)  # noqa: S101 - what is begun is one of these
        gives = isinstance(step, queued.Claim)
        found.append(
            Hour(
                id=step.transfer_id,
                minutes=step.minutes,
                other=actors.card(connection, step.payer if gives else step.payee, host),
                given=gives,
                state=PayeeState.NONE if gives else PayerState.NONE,
                state_in_words=_QUEUED.format(host=rows.peer(connection, one.peer_id).host),
                since=one.at,
                note=step.note,
                engagement=step.engagement,
                proposal=step.proposal if isinstance(step, queued.Claim) else None,
                can_withdraw=True,
            )
        )
    return found


def waits_for(connection: Connection, transfer_id: str) -> str | None:
    """The host that has to answer before what somebody here decided about this transfer is carried out."""
    table = tables.waiting_step
    query = select(tables.peer.c.host).join(table, table.c.peer_id == tables.peer.c.id)
    decided = (table.c.transfer_id == transfer_id) & (table.c.kind != queued.Letter.kind)
    return connection.execute(query.where(decided).limit(1)).scalar_one_or_none()


@dataclass(frozen=True)
class AlarmRow:
    """Something an admin has to look at; ``alarm`` is one word, see fedaid.timebank.rules.states.Alarm."""

    number: int
    host: str
    transfer_id: str | None
    alarm: Alarm
    at: datetime


def alarms(connection: Connection, rows_max: int = LINES_MAX) -> Sequence[AlarmRow]:
    """What no admin has looked at yet, newest first."""
    table = tables.alarm
    query = select(table, tables.peer.c.host).join(tables.peer, tables.peer.c.id == table.c.peer_id)
    found = connection.execute(query.where(table.c.seen_at.is_(None)).order_by(table.c.n.desc()).limit(rows_max))
    return [AlarmRow(row.n, row.host, row.transfer_id, Alarm(row.alarm), row.at) for row in found]


def for_engagement(connection: Connection, engagement: str, actor: str, host: str = "") -> Hour | None:
    """The newest transfer that settles this agreement, as this member sees it; None before any was logged."""
    account = rows.account_of(connection, actor)
    if account is None:
        return None
    mine = or_(tables.transfer.c.debit == account.id, tables.transfer.c.credit == account.id)
    found = _hours(connection, account, (tables.transfer.c.engagement == engagement) & mine, host)
    return found[-1] if found else None


def transfer_for(connection: Connection, transfer_id: str, actor: str, host: str = "") -> Hour | None:
    """One transfer as this member sees it; None when it is not theirs to see."""
    account = rows.account_of(connection, actor)
    if account is None:
        return None
    mine = or_(tables.transfer.c.debit == account.id, tables.transfer.c.credit == account.id)
    found = _hours(connection, account, (tables.transfer.c.id == transfer_id) & mine, host)
    return found[0] if found else None


def statement(connection: Connection, actor: str, host: str = "", *, lines_max: int = LINES_MAX) -> Statement:
    """The account of a member or group of ours, with its newest movements; all zero where there is none."""
    account = rows.account_of(connection, actor)
    if account is None:
        return Statement(0, 0, 0, 0, 0, ())
    given = _sum(connection, tables.posting.c.credit == account.id)
    received = _sum(connection, tables.posting.c.debit == account.id)
    lines = _lines(connection, account, host, lines_max) if lines_max else ()
    return Statement(account.balance, given, received, account.held, account.floor, lines)


def _sum(connection: Connection, side: ColumnElement[bool]) -> int:
    return int(
        connection.execute(select(func.coalesce(func.sum(tables.posting.c.minutes), 0)).where(side)).scalar_one()
    )


def _lines(connection: Connection, account: Account, host: str, lines_max: int) -> tuple[StatementLine, ...]:
    table = tables.posting
    mine = or_(table.c.debit == account.id, table.c.credit == account.id)
    query = select(table.c.transfer_id, table.c.posted_at).where(mine).order_by(table.c.seq.desc()).limit(lines_max)
    posted = {row.transfer_id: row.posted_at for row in connection.execute(query)}
    hours = _hours(connection, account, tables.transfer.c.id.in_(list(posted)), host)
    lines = [_line(hour, posted[hour.id]) for hour in hours]
    return tuple(sorted(lines, key=lambda line: line.at))


def _line(hour: Hour, at: datetime) -> StatementLine:
    signed = hour.minutes if hour.given else -hour.minutes
    state = hour.state.value
    return StatementLine(at, hour.id, hour.other, hour.note, state, hour.state_in_words, signed)


def _hours(connection: Connection, account: Account, wanted: ColumnElement[bool], host: str) -> list[Hour]:
    table = tables.transfer
    query = select(table, tables.note.c.text.label("note")).outerjoin(
        tables.note, tables.note.c.transfer_id == table.c.id
    )
    found = connection.execute(query.where(wanted).order_by(table.c.created_at, table.c.id)).all()
    others = {row.id: _other(connection, rows.transfer_of(row), account) for row in found}
    cards = actors.cards(connection, list(others.values()), host)
    return [_hour(connection, row, account, others[row.id], cards, host) for row in found]


def _other(connection: Connection, found: Transfer, account: Account) -> str:
    """The actor at the other end; for the chest and for accounts that are gone, our ledger."""
    if found.remote_actor is not None:
        return found.remote_actor
    other = rows.account(connection, found.credit if found.debit == account.id else found.debit)
    return other.actor or found.id.partition("/transfers/")[0]


def _hour(
    connection: Connection,
    row: Row[tuple[object, ...]],
    account: Account,
    other: str,
    cards: dict[str, Card],
    host: str,
) -> Hour:
    found = rows.transfer_of(row)
    waits = waits_for(connection, found.id) if found.peer_id is not None else None
    return Hour(
        id=found.id,
        minutes=found.minutes,
        other=cards.get(other) or actors.card(connection, other, host),
        given=found.credit == account.id,
        state=found.state,
        state_in_words=_QUEUED.format(host=waits) if waits else _WORDS.get(found.state, found.state.value),
        since=found.created_at,
        note=row.note or "",
        engagement=found.engagement,
        proposal=found.proposal,
        can_withdraw=found.state in _CAN_WITHDRAW and (found.kind != LOCAL or found.credit == account.id),
    )


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
    )
