"""Writes in the books: every one locks the head first, moves by conditional updates, and seals what it posted."""

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.rows import Account, Head, Transfer
from fedaid.timebank.rules.books import GENESIS, AccountKind, AccountStatus, Posting, no_room, seal

BY_HAND = "local"  # the evidence of a posting that needed no other network
BY_ADMIN = "admin"  # of one that an admin made, which no limit holds back


def lock(work: Work) -> Head:
    """Be alone in the books until the transaction ends. On SQLite BEGIN IMMEDIATE has seen to it already."""
    query = select(tables.ledger_head).where(tables.ledger_head.c.id == tables.HEAD).with_for_update()
    row = work.connection.execute(query).one_or_none()
    if row is None:
        _insert_head(work)
        row = work.connection.execute(query).one()
    return Head(row.seq, row.hash, row.facts)


def _insert_head(work: Work) -> None:
    values = {"id": tables.HEAD, "seq": 0, "hash": GENESIS, "facts": 0}
    dialect = postgresql if work.connection.dialect.name == "postgresql" else sqlite
    work.connection.execute(dialect.insert(tables.ledger_head).values(values).on_conflict_do_nothing())


def open_account(work: Work, kind: AccountKind, actor: str | None = None, *, floor_minutes: int = 0) -> int:
    """A new account, and its id; of a member or group that has one already, that one's.

    ``floor_minutes`` is at most 0: how low it may go.
    """
    if actor is not None:
        known = rows.account_of(work.connection, actor)
        if known is not None:
            return known.id
    try:
        with work.attempt():
            return _insert_account(work, kind, actor, None, floor_minutes)
    except IntegrityError:  # opened by another at the same moment
        known = rows.account_of(work.connection, actor) if actor is not None else rows.chest(work.connection)
        if known is None:
            raise
        return known.id


def open_chest(work: Work) -> int:
    """The community chest; opened once, then only found. It gives nothing that was not given to it."""
    lock(work)
    known = rows.chest(work.connection)
    return known.id if known is not None else open_account(work, AccountKind.CHEST)


def open_clearing(work: Work, peer_id: int, line_minutes: int) -> int:
    """The account with another network, opened or opened again; the line we grant is its floor."""
    known = rows.clearing(work.connection, peer_id)
    if known is None:
        return _insert_account(work, AccountKind.CLEARING, None, peer_id, -line_minutes)
    values = {"floor": -line_minutes, "status": AccountStatus.OPEN}
    work.connection.execute(update(tables.account).where(tables.account.c.id == known.id).values(values))
    return known.id


def _insert_account(work: Work, kind: AccountKind, actor: str | None, peer_id: int | None, floor: int) -> int:
    if floor > 0:
        raise Refused("floor", "A gentle limit is 0 or below.")
    account_id = work.new_id()
    work.connection.execute(
        insert(tables.account).values(
            id=account_id,
            kind=kind,
            actor=actor,
            peer_id=peer_id,
            status=AccountStatus.OPEN,
            balance=0,
            held=0,
            floor=floor,
            last_seq=0,
            created_at=work.now,
        )
    )
    return account_id


def set_floor(work: Work, account_id: int, floor_minutes: int) -> None:
    """How low an account may go from now on. Below its balance it only stops further giving."""
    lock(work)
    if floor_minutes > 0:
        raise Refused("floor", "A gentle limit is 0 or below.")
    changed = update(tables.account).where(tables.account.c.id == account_id).values(floor=floor_minutes)
    work.connection.execute(changed)


def set_status(work: Work, account_id: int, status: AccountStatus) -> None:
    """Freeze, open or close an account. Raises Refused for closing one that is not even."""
    lock(work)
    found = rows.account(work.connection, account_id)
    if status is AccountStatus.CLOSED and (found.balance or found.held):
        raise Refused("account_not_even", "An account can be closed once nothing is owed or promised.", 409)
    work.connection.execute(update(tables.account).where(tables.account.c.id == account_id).values(status=status))


def set_switches(
    work: Work,
    account_id: int,
    *,
    confirms_agreed: bool | None = None,
    takes_payments: bool | None = None,
    hides_balance: bool | None = None,
    by_coordinator: bool | None = None,
) -> None:
    """What a member wants done without being asked; None leaves it.

    confirms_agreed  claims from neighbours up to the hours agreed on the board are confirmed at once (default: no)
    takes_payments   hours that somebody in a neighbouring network gives are taken (default: yes)
    hides_balance    other members do not see how many hours were given and received (default: no)
    by_coordinator   coordinators may enter hours for them, as for somebody without internet (default: no)
    """
    chosen = {
        "confirms_agreed": confirms_agreed,
        "takes_payments": takes_payments,
        "hides_balance": hides_balance,
        "by_coordinator": by_coordinator,
    }
    values = {name: value for name, value in chosen.items() if value is not None}
    if values:
        work.connection.execute(update(tables.account).where(tables.account.c.id == account_id).values(values))


def hold(work: Work, account_id: int, minutes: int, *, limited: bool = True) -> None:
    """Promise minutes out of an account. Raises Refused when that would go below its floor.

    Not ``limited``: they had been promised before we were restored.
    """
    table = tables.account
    room = table.c.id == account_id
    if limited:
        room &= table.c.status == AccountStatus.OPEN
        room &= table.c.balance - table.c.held - minutes >= table.c.floor
    done = work.connection.execute(update(table).where(room).values(held=table.c.held + minutes))
    if done.rowcount != 1:
        raise no_room(minutes)


def release(work: Work, account_id: int, minutes: int) -> None:
    """Take a promise back."""
    table = tables.account
    work.connection.execute(update(table).where(table.c.id == account_id).values(held=table.c.held - minutes))


def move(work: Work, found: Transfer, evidence: str, *, limited: bool) -> None:
    """Post a transfer: minutes leave one account and reach the other, for good.

    ``limited``: the debit has to respect the floor (Refused if it does not). It has not when the minutes were on
    hold until now, or when the decision was made long ago and is only being recovered.
    """
    head = lock(work)
    seq = head.seq + 1
    changes = {found.debit: -found.minutes, found.credit: found.minutes}
    for account_id in sorted(changes):
        _change(work, rows.account(work.connection, account_id), changes[account_id], seq, limited=limited)
    made = Posting(seq, found.id, found.debit, found.credit, found.minutes, work.now, evidence, head.hash)
    sealed = seal(made)
    work.connection.execute(insert(tables.posting).values(**vars(made), hash=sealed))
    work.connection.execute(update(tables.ledger_head).values(seq=seq, hash=sealed))


def _change(work: Work, account: Account, minutes: int, seq: int, *, limited: bool) -> None:
    table = tables.account
    condition = table.c.id == account.id
    if minutes < 0 and limited:
        condition &= table.c.status == AccountStatus.OPEN
        condition &= table.c.balance - table.c.held + minutes >= table.c.floor
    status = AccountStatus.FROZEN if account.status is AccountStatus.CLOSED else account.status
    values = {"balance": table.c.balance + minutes, "last_seq": seq, "status": status}
    if work.connection.execute(update(table).where(condition).values(values)).rowcount != 1:
        raise no_room(abs(minutes))
