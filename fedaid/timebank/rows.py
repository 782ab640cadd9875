"""The rows of the books as values, and reading one of each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, bindparam, select

from fedaid.timebank import tables
from fedaid.timebank.rules.books import AccountKind, AccountStatus, fits
from fedaid.timebank.rules.states import (
    FactKind,
    Kind,
    LocalState,
    Mark,
    Paper,
    PayeeState,
    PayerState,
    Side,
    payee_state,
    payer_state,
)
from fedaid.timebank.rules.terms import PeerStatus, PinnedKey

LOCAL = "local"
SPEAKING = frozenset({PeerStatus.ACTIVE, PeerStatus.SUSPENDED, PeerStatus.CLOSING})
State = PayerState | PayeeState | LocalState
_STATES: dict[str, type[PayerState] | type[PayeeState] | type[LocalState]] = {
    Side.PAYER: PayerState,
    Side.PAYEE: PayeeState,
    LOCAL: LocalState,
}


@dataclass(frozen=True)
class Head:
    """The heads of the journal and of the list of signed messages; whoever holds it locked is alone in the books."""

    seq: int
    hash: str
    facts: int


@dataclass(frozen=True)
class Account:
    """One account. ``actor`` is whose it is (people and groups), ``peer_id`` which network's (clearing)."""

    id: int
    kind: AccountKind
    actor: str | None
    peer_id: int | None
    status: AccountStatus
    balance: int
    held: int
    floor: int
    confirms_agreed: bool
    takes_payments: bool
    left_at: datetime | None
    hides_balance: bool = False
    by_coordinator: bool = False

    def has_room_for(self, minutes: int) -> bool:
        """Whether this much may still be given or promised out of it."""
        return self.status is AccountStatus.OPEN and fits(self.balance, self.held, self.floor, minutes)


@dataclass(frozen=True)
class Peer:
    """Another network's ledger and what was agreed with it.

    line           minutes they may owe us at most, which is what we grant
    line_granted   minutes we may owe them at most, which is what they grant
    max_transfer   the smaller of what both sides allow at once
    """

    id: int
    host: str
    origin: str
    actor: str
    status: PeerStatus
    number: int
    key: PinnedKey
    line: int
    line_granted: int
    max_transfer: int
    offer_lifetime_days: int
    terms_digest: str | None
    our_proposal: str | None
    their_proposal: str | None
    out_seq: int
    out_hash: str
    in_seq: int
    in_hash: str
    messages: int
    messages_xor: str
    sync_asked: int
    sync_done: int
    sync_after: int
    sync_whole: bool
    sync_tries: int
    synced_at: datetime | None

    @property
    def needs_sync(self) -> bool:
        """Whether one of us may have forgotten something, and their copy of our messages was not read since."""
        return self.sync_asked > self.sync_done

    @property
    def must_wait(self) -> bool:
        """Whether nothing new is decided towards this peer for now. With one that is lost nobody waits any more."""
        return self.needs_sync and self.status in SPEAKING


@dataclass(frozen=True)
class Transfer:
    """Minutes on their way from one account to another. ``kind``: local, out (we pay a peer's member) or in."""

    id: str
    kind: str
    debit: int
    credit: int
    minutes: int
    peer_id: int | None
    remote_actor: str | None
    state: State
    mark: Mark | None
    held: bool
    engagement: str | None
    proposal: str | None
    reason: str | None
    reverses: str | None
    end_time: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class StoredFact:
    """One signed message as it is kept."""

    n: int
    peer_id: int
    transfer_id: str
    kind: FactKind
    ours: bool
    digest: str
    doc: str
    counts: bool


def _by(*columns: Column[Any]) -> Select[Any]:
    """Whole rows by the values of these columns. Made once: a step of the ledger reads some dozens of rows."""
    return select(columns[0].table).where(*(column == bindparam(column.name) for column in columns))


_ACCOUNT, _ACCOUNT_OF = _by(tables.account.c.id), _by(tables.account.c.actor)
_CLEARING, _CHEST = _by(tables.account.c.peer_id), _by(tables.account.c.kind)
_PEER, _PEER_BY_HOST = _by(tables.peer.c.id), _by(tables.peer.c.host)
_PEER_BY_ACTOR, _PEER_BY_ORIGIN = _by(tables.peer.c.actor), _by(tables.peer.c.origin)
_TRANSFER = _by(tables.transfer.c.id)
_FACT, _FACT_BY_DIGEST = _by(tables.fact.c.n), _by(tables.fact.c.digest)
_FACTS_ABOUT = _by(tables.fact.c.peer_id, tables.fact.c.transfer_id).order_by(tables.fact.c.n)


def account_of_row(row: Row[tuple[object, ...]]) -> Account:
    """A row of accounts as a value."""
    return Account(
        row.id,
        AccountKind(row.kind),
        row.actor,
        row.peer_id,
        AccountStatus(row.status),
        row.balance,
        row.held,
        row.floor,
        row.confirms_agreed,
        row.takes_payments,
        row.left_at,
        row.hides_balance,
        row.by_coordinator,
    )


def _one_account(connection: Connection, query: Select[Any], **values: object) -> Account | None:
    row = connection.execute(query, values).one_or_none()
    return account_of_row(row) if row is not None else None


def account(connection: Connection, account_id: int) -> Account:
    """The account with this row id."""
    return account_of_row(connection.execute(_ACCOUNT, {"id": account_id}).one())


def account_of(connection: Connection, actor: str) -> Account | None:
    """The account of a member or group of ours."""
    return _one_account(connection, _ACCOUNT_OF, actor=actor)


def chest(connection: Connection) -> Account | None:
    """The community chest."""
    return _one_account(connection, _CHEST, kind=AccountKind.CHEST)


def clearing(connection: Connection, peer_id: int) -> Account | None:
    """The account with another network: positive is what we owe it."""
    return _one_account(connection, _CLEARING, peer_id=peer_id)


_PEER_FIELDS = tuple(name for name in Peer.__dataclass_fields__ if name not in ("key", "status"))


def _peer(row: Row[tuple[object, ...]]) -> Peer:
    values = {name: getattr(row, name) for name in _PEER_FIELDS}
    return Peer(**values, status=PeerStatus(row.status), key=PinnedKey(row.key_id, row.key_multibase))


def _one_peer(connection: Connection, query: Select[Any], **values: object) -> Peer | None:
    row = connection.execute(query, values).one_or_none()
    return _peer(row) if row is not None else None


def peer(connection: Connection, peer_id: int) -> Peer:
    """The peer with this row id."""
    return _peer(connection.execute(_PEER, {"id": peer_id}).one())


def peers(connection: Connection) -> list[Peer]:
    """All networks a link of timebanks was ever proposed with, oldest first."""
    return [_peer(row) for row in connection.execute(select(tables.peer).order_by(tables.peer.c.id))]


def keys_of_peer(connection: Connection, peer: Peer) -> list[PinnedKey]:
    """The peer's pinned key, and those before it: what they signed stays signed."""
    return [peer.key, *reversed(pinned_keys(connection, peer.id))]


def pinned_keys(connection: Connection, peer_id: int) -> list[PinnedKey]:
    """Every key that was ever pinned for this peer, oldest first."""
    table = tables.peer_key
    query = select(table.c.key_id, table.c.multibase).where(table.c.peer_id == peer_id).order_by(table.c.n)
    return [PinnedKey(row.key_id, row.multibase) for row in connection.execute(query)]


def retired_keys(connection: Connection) -> list[PinnedKey]:
    """The keys that our own ledger signed with before its present one."""
    query = select(tables.retired_key).order_by(tables.retired_key.c.n)
    return [PinnedKey(row.key_id, row.multibase) for row in connection.execute(query)]


def peer_by_host(connection: Connection, host: str) -> Peer | None:
    """The peer at this host."""
    return _one_peer(connection, _PEER_BY_HOST, host=host.lower())


def peer_by_actor(connection: Connection, ledger_actor: str) -> Peer | None:
    """The peer whose ledger this is."""
    return _one_peer(connection, _PEER_BY_ACTOR, actor=ledger_actor)


def peer_of_person(connection: Connection, actor: str) -> Peer | None:
    """The peer at whose origin this actor lives."""
    return _one_peer(connection, _PEER_BY_ORIGIN, origin=origin_of(actor))


def origin_of(url: str) -> str:
    """The origin of an id that passed the parser of URLs once."""
    return "/".join(url.split("/", 3)[:3])


_TRANSFER_FIELDS = tuple(name for name in Transfer.__dataclass_fields__ if name not in ("state", "mark"))


def transfer_of(row: Row[tuple[object, ...]]) -> Transfer:
    """A row of transfers as a value."""
    values = {name: getattr(row, name) for name in _TRANSFER_FIELDS}
    mark = Mark(row.mark) if row.mark else None
    return Transfer(**values, state=_STATES[row.kind](row.state), mark=mark)


def transfer(connection: Connection, transfer_id: str) -> Transfer | None:
    """The transfer with this id; None also for one of which only a refusal is known."""
    row = connection.execute(_TRANSFER, {"id": transfer_id}).one_or_none()
    return transfer_of(row) if row is not None else None


_ABOUT_TRANSFERS = frozenset(kind.value for kind in Kind)


def is_reversed(connection: Connection, transfer_id: str) -> bool:
    """Whether there is a transfer that gives this one back, in whole or in part."""
    query = select(tables.transfer.c.id).where(tables.transfer.c.reverses == transfer_id)
    return connection.execute(query).first() is not None


def is_settled(connection: Connection, engagement: str) -> bool:
    """Whether hours of this agreement were logged already, and not refused or given up since."""
    query = select(tables.transfer.c.id).where(tables.transfer.c.engagement == engagement, tables.STANDS)
    return connection.execute(query).first() is not None


def fact_of(row: Row[tuple[object, ...]]) -> StoredFact:
    """A row of signed messages as a value."""
    kind: FactKind = Kind(row.kind) if row.kind in _ABOUT_TRANSFERS else Paper(row.kind)
    return StoredFact(row.n, row.peer_id, row.transfer_id, kind, row.ours, row.digest, row.doc, row.counts)


def facts_about(connection: Connection, peer_id: int, transfer_id: str) -> list[StoredFact]:
    """All signed messages about a transfer with a peer, in the order in which we got to know them."""
    found = connection.execute(_FACTS_ABOUT, {"peer_id": peer_id, "transfer_id": transfer_id})
    return [fact_of(row) for row in found]


def fact_by_digest(connection: Connection, digest: str) -> StoredFact | None:
    """The signed message with this digest."""
    row = connection.execute(_FACT_BY_DIGEST, {"digest": digest}).one_or_none()
    return fact_of(row) if row is not None else None


def state_of(side: Side, facts: list[StoredFact], mark: Mark | None) -> PayerState | PayeeState:
    """The state that the counting messages make."""
    known = frozenset(found.kind for found in facts if found.counts)
    return payer_state(known) if side is Side.PAYER else payee_state(known, mark)


def fact(connection: Connection, number: int) -> StoredFact:
    """The signed message with this number."""
    return fact_of(connection.execute(_FACT, {"n": number}).one())


def all_facts(connection: Connection) -> list[StoredFact]:
    """Every signed message, in the order in which we got to know them."""
    return [fact_of(row) for row in connection.execute(select(tables.fact).order_by(tables.fact.c.n))]
