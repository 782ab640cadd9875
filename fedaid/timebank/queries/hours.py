"""Reads of hours as the people at both ends see them: what waits, what is on the way, and the statement."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from fedaid.actors import queries as actors
from fedaid.actors.queries import Card
from fedaid.foundation.refused import NotFound
from fedaid.foundation.said import said
from fedaid.timebank import queued, rows, tables
from fedaid.timebank.rows import LOCAL, Account, State, Transfer
from fedaid.timebank.rules.states import LocalState, PayeeState, PayerState, Side

LINES_MAX = 200
IDS_PER_QUERY = 500  # SQLite's parameters have a limit
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
_QUEUED = "queued until %(host)s answers"
_TO_CONFIRM = (LocalState.PENDING.value, PayerState.OFFERED.value)
_CLAIMED = (LocalState.PENDING.value, PayeeState.CLAIMED.value, PayeeState.CANCEL_ASKED.value)
_CAN_WITHDRAW = frozenset({LocalState.PENDING, PayeeState.CLAIMED, PayerState.INVITED})


@dataclass(frozen=True)
class Question:
    """What somebody who has to confirm asked about a claim, and the answer, empty until there is one."""

    transfer_id: str
    asked_by: Card
    reason: str
    at: datetime
    answer: str
    answered_by: Card | None


@dataclass(frozen=True)
class Hour:
    """A transfer as one of its two people sees it.

    other         the one at the other end
    given         whether the viewer gave the help, so that the hours come to them
    engagement    the agreement on the board, where this side knows it
    proposal      the listing that was answered, where the claim named one
    entered_by    who entered it for somebody without internet, or spent from a shared account
    corrects      the earlier transfer that it corrects
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
    entered_by: Card | None = None
    corrects: str | None = None
    question: Question | None = None
    kind: str = LOCAL

    @property
    def name(self) -> str:
        """The last part of its id, which stands in addresses of ours."""
        return self.id.rpartition("/")[2]


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
    entered_by: Card | None = None
    corrects: str | None = None

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


def account_of(connection: Connection, actor: str) -> Account | None:
    """The account of a member or group of ours; the chest has none to name it but our ledger, at ``…/ledger``."""
    return rows.chest(connection) if actor.endswith("/ledger") else rows.account_of(connection, actor)


def waiting_for(connection: Connection, actor: str, host: str = "") -> Sequence[Hour]:
    """Claims that this member of ours has to confirm or refuse, oldest first; ``host`` is ours, for showing handles."""
    account = account_of(connection, actor)
    if account is None:
        return ()
    wanted = (tables.transfer.c.debit == account.id) & tables.transfer.c.state.in_(_TO_CONFIRM)
    return _hours(connection, account, wanted & (tables.transfer.c.kind != Side.PAYEE), host)


def under_way(connection: Connection, actor: str, host: str = "") -> Sequence[Hour]:
    """What this member claimed or paid and is not decided, oldest first."""
    account = account_of(connection, actor)
    if account is None:
        return ()
    table = tables.transfer
    claimed = (table.c.credit == account.id) & table.c.state.in_(_CLAIMED)
    paid = (table.c.debit == account.id) & (table.c.state == PayerState.INVITED)
    return [*_hours(connection, account, or_(claimed, paid), host), *_queued(connection, actor, host)]


def _queued(connection: Connection, actor: str, host: str) -> list[Hour]:
    """What this member claimed or paid while the other network has to be asked first what we may have forgotten."""
    found = []
    begun = queued.begun_by(connection, actor)
    beside = _beside(connection, [one.step.transfer_id for one in begun], host)
    for one in begun:
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
                state_in_words=said(_QUEUED, host=rows.peer(connection, one.peer_id).host),
                since=one.at,
                note=step.note,
                engagement=step.engagement,
                proposal=step.proposal if isinstance(step, queued.Claim) else None,
                can_withdraw=True,
                entered_by=beside.entered_by.get(step.transfer_id),
                corrects=beside.corrects.get(step.transfer_id),
            )
        )
    return found


def waits_for(connection: Connection, transfer_id: str) -> str | None:
    """The host that has to answer before what somebody here decided about this transfer is carried out."""
    table = tables.waiting_step
    query = select(tables.peer.c.host).join(table, table.c.peer_id == tables.peer.c.id)
    decided = (table.c.transfer_id == transfer_id) & (table.c.kind != queued.Letter.kind)
    return connection.execute(query.where(decided).limit(1)).scalar_one_or_none()


def for_engagement(connection: Connection, engagement: str, actor: str, host: str = "") -> Hour | None:
    """The newest transfer that settles this agreement, as this member sees it; None before any was logged."""
    account = account_of(connection, actor)
    if account is None:
        return None
    mine = or_(tables.transfer.c.debit == account.id, tables.transfer.c.credit == account.id)
    found = _hours(connection, account, (tables.transfer.c.engagement == engagement) & mine, host)
    return found[-1] if found else None


def transfer_for(connection: Connection, transfer_id: str, actor: str, host: str = "") -> Hour | None:
    """One transfer as this member sees it; None when it is not theirs to see."""
    account = account_of(connection, actor)
    if account is None:
        return None
    mine = or_(tables.transfer.c.debit == account.id, tables.transfer.c.credit == account.id)
    found = _hours(connection, account, (tables.transfer.c.id == transfer_id) & mine, host)
    return found[0] if found else None


def count_by_state(connection: Connection) -> Mapping[tuple[str, ...], int]:
    """How many transfers there are of each kind in each state."""
    which = (tables.transfer.c.kind, tables.transfer.c.state)
    found = select(*which, func.count()).group_by(*which)
    return {(str(kind), str(state)): int(count) for kind, state, count in connection.execute(found)}


def statement(connection: Connection, actor: str, host: str = "", *, lines_max: int = LINES_MAX) -> Statement:
    """The account of a member or group of ours, with its newest movements; all zero where there is none."""
    account = account_of(connection, actor)
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
    newest = select(table.c.transfer_id).where(mine).order_by(table.c.seq.desc()).limit(lines_max)
    return lines_of(connection, account, newest, host)


@dataclass(frozen=True)
class StatementPage:
    """Some movements on an account, the newest first; ``next_before`` is the last transfer, where there are more."""

    lines: Sequence[StatementLine]
    next_before: str | None


def statement_page(connection: Connection, actor: str, host: str, rows_max: int, before: str = "") -> StatementPage:
    """The movements on an account before a transfer on it. Raises NotFound where there is no such transfer on it."""
    account = account_of(connection, actor)
    if account is None:
        return StatementPage((), None)
    table = tables.posting
    mine = or_(table.c.debit == account.id, table.c.credit == account.id)
    newest = select(table.c.transfer_id).where(mine).order_by(table.c.seq.desc()).limit(rows_max + 1)
    if before:
        begins = select(table.c.seq).where(mine, table.c.transfer_id == before)
        seq = connection.execute(begins).scalar_one_or_none()
        if seq is None:
            raise NotFound
        newest = newest.where(table.c.seq < seq)
    found = lines_of(connection, account, newest, host)[::-1]
    shown = found[:rows_max]
    return StatementPage(shown, shown[-1].transfer_id if len(found) > rows_max else None)


def lines_of(
    connection: Connection, account: Account, posted: Select[tuple[str]], host: str
) -> tuple[StatementLine, ...]:
    """The movements on an account of these transfers (a query for their ids), oldest first."""
    table, wanted = tables.posting, posted.subquery()
    query = select(table.c.transfer_id, table.c.posted_at, table.c.seq).order_by(table.c.seq)
    found = connection.execute(query.where(table.c.transfer_id.in_(select(wanted)))).all()
    hours = {one.id: one for one in _hours(connection, account, tables.transfer.c.id.in_(select(wanted)), host)}
    return tuple(_line(hours[row.transfer_id], row.posted_at) for row in found)


def _line(hour: Hour, at: datetime) -> StatementLine:
    signed = hour.minutes if hour.given else -hour.minutes
    state = hour.state.value
    more = (hour.entered_by, hour.corrects)
    return StatementLine(at, hour.id, hour.other, hour.note, state, hour.state_in_words, signed, *more)


def _hours(connection: Connection, account: Account, wanted: ColumnElement[bool], host: str) -> list[Hour]:
    table = tables.transfer
    query = select(table, tables.note.c.text.label("note")).outerjoin(
        tables.note, tables.note.c.transfer_id == table.c.id
    )
    found = connection.execute(query.where(wanted).order_by(table.c.created_at, table.c.id)).all()
    others = _others(connection, [rows.transfer_of(row) for row in found], account)
    cards = actors.cards(connection, list(others.values()), host)
    beside = _beside(connection, [row.id for row in found], host)
    return [_hour(connection, row, account, others[row.id], cards, beside, host) for row in found]


def _others(connection: Connection, found: Sequence[Transfer], account: Account) -> dict[str, str]:
    """The actor at the other end of each; for the chest and for accounts that are gone, our ledger."""
    at = {one.id: one.credit if one.debit == account.id else one.debit for one in found}
    people: dict[int, str | None] = {}
    for part in _parts(sorted(set(at.values()))):
        query = select(tables.account.c.id, tables.account.c.actor).where(tables.account.c.id.in_(part))
        people |= {row.id: row.actor for row in connection.execute(query)}
    return {one.id: one.remote_actor or people[at[one.id]] or one.id.partition("/transfers/")[0] for one in found}


T = TypeVar("T")


def _parts(whole: Sequence[T]) -> Iterator[Sequence[T]]:
    """So many at once as a query may name."""
    return (whole[start : start + IDS_PER_QUERY] for start in range(0, len(whole), IDS_PER_QUERY))


@dataclass(frozen=True)
class _Beside:
    """What is noted beside transfers, by their ids."""

    entered_by: dict[str, Card]
    corrects: dict[str, str]
    questions: dict[str, Question]


def _beside(connection: Connection, ids: Sequence[str], host: str) -> _Beside:
    entered: dict[str, str] = {}
    corrects: dict[str, str] = {}
    asked: dict[str, Question] = {}
    for part in _parts(ids):
        query = select(tables.entry).where(tables.entry.c.transfer_id.in_(part))
        for row in connection.execute(query):
            if row.entered_by is not None:
                entered[row.transfer_id] = row.entered_by
            if row.corrects is not None:
                corrects[row.transfer_id] = row.corrects
        asked |= {one.transfer_id: one for one in _questions(connection, host, tables.question.c.transfer_id.in_(part))}
    cards = actors.cards(connection, list(entered.values()), host)
    known = {one: cards.get(actor) or actors.card(connection, actor, host) for one, actor in entered.items()}
    return _Beside(known, corrects, asked)


def questions(connection: Connection, host: str) -> Sequence[Question]:
    """What was asked about claims that are not decided yet, oldest first; for coordinators."""
    return _questions(connection, host, tables.transfer.c.state.in_(_TO_CONFIRM))


def _questions(connection: Connection, host: str, wanted: ColumnElement[bool]) -> list[Question]:
    table = tables.question
    query = select(table).join(tables.transfer, tables.transfer.c.id == table.c.transfer_id).where(wanted)
    return [
        Question(
            row.transfer_id,
            actors.card(connection, row.asked_by, host),
            row.reason,
            row.at,
            row.answer,
            actors.card(connection, row.answered_by, host) if row.answered_by else None,
        )
        for row in connection.execute(query.order_by(table.c.at, table.c.transfer_id))
    ]


def _shown(card: Card, found: Transfer) -> Card:
    """The chest is called by its own name; it stands in the books under our ledger."""
    is_chest = found.remote_actor is None and card.uri.endswith("/ledger")
    return replace(card, name="the community chest", handle="chest") if is_chest else card


def _hour(
    connection: Connection,
    row: Row[tuple[object, ...]],
    account: Account,
    other: str,
    cards: dict[str, Card],
    beside: _Beside,
    host: str,
) -> Hour:
    found = rows.transfer_of(row)
    waits = waits_for(connection, found.id) if found.peer_id is not None else None
    return Hour(
        id=found.id,
        minutes=found.minutes,
        other=_shown(cards.get(other) or actors.card(connection, other, host), found),
        given=found.credit == account.id,
        state=found.state,
        state_in_words=said(_QUEUED, host=waits) if waits else _WORDS.get(found.state, found.state.value),
        since=found.created_at,
        note=row.note or "",
        engagement=found.engagement,
        proposal=found.proposal,
        can_withdraw=found.state in _CAN_WITHDRAW and (found.kind != LOCAL or found.credit == account.id),
        entered_by=beside.entered_by.get(found.id),
        corrects=beside.corrects.get(found.id) or found.reverses,
        question=beside.questions.get(found.id),
        kind=found.kind,
    )
