"""The accounts of members who have left: frozen until all is decided, then what remains goes to the community chest."""

from sqlalchemy import ColumnElement, Select, or_, select, update

from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, transfers
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import LOCAL, Account
from fedaid.timebank.rules.books import AccountStatus
from fedaid.timebank.rules.states import UNDECIDED, LocalState


def leave(work: Work, limits: TimebankLimits, actor: str) -> None:
    """Freeze the account of somebody who leaves. Open claims are still decided; nobody has to confirm here any more."""
    books.lock(work)
    found = rows.account_of(work.connection, actor)
    if found is None or found.left_at is not None:
        return
    for row in work.connection.execute(_undecided(found, (tables.transfer.c.kind == LOCAL))).all():
        transfers.close_local(work, rows.transfer_of(row), LocalState.WITHDRAWN)
    values = {"left_at": work.now, "status": AccountStatus.FROZEN}
    work.connection.execute(update(tables.account).where(tables.account.c.id == found.id).values(values))
    sweep_leavers(work, limits)


def sweep_leavers(work: Work, limits: TimebankLimits) -> int:
    """Even out and close the accounts of leavers for whom nothing is undecided any more; how many it were."""
    books.lock(work)
    table = tables.account
    gone = table.c.left_at.is_not(None) & (table.c.status == AccountStatus.FROZEN)
    query = select(table).where(gone).order_by(table.c.left_at).limit(limits.resend_rows_max)
    accounts = [rows.account_of_row(row) for row in work.connection.execute(query)]
    even = [one for one in accounts if work.connection.execute(_undecided(one).limit(1)).first() is None]
    for one in even:
        _sweep(work, one)
    return len(even)


def _undecided(account: Account, more: ColumnElement[bool] | None = None) -> Select[tuple[object, ...]]:
    table = tables.transfer
    mine = or_(table.c.debit == account.id, table.c.credit == account.id)
    waiting = table.c.state.in_([LocalState.PENDING.value, *(state.value for state in UNDECIDED)])
    query = select(table).where(mine, waiting)
    return query if more is None else query.where(more)


def _sweep(work: Work, account: Account) -> None:
    chest = books.open_chest(work)
    if account.balance:
        gives, takes = (account.id, chest) if account.balance > 0 else (chest, account.id)
        transfers.move_by_admin(work, debit=gives, credit=takes, minutes=abs(account.balance))
    books.set_status(work, account.id, AccountStatus.CLOSED)
