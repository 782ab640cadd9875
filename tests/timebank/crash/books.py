"""Reads what stands in a town's database: its transfers, its balances, and whether anything is still on its way."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from fedaid.timebank.audit import verify_ledger
from fedaid.timebank.tables import account, peer, posting, resend, transfer, waiting_step
from inbox.tables import State, inbox_letter
from tests.support.databases import opened

OVER = {"settled", "credited", "rejected", "void", "posted", "refused", "withdrawn", "none"}


@dataclass(frozen=True)
class Hours:
    """A transfer as one of the two books has it; ``posted`` says how many times."""

    kind: str
    state: str
    minutes: int
    posted: int


@dataclass(frozen=True)
class Book:
    """What stands in one town's database."""

    hours: Mapping[str, Hours]
    balances: int
    clearing: int
    held: int
    findings: Sequence[str]


def book_of(database_url: str) -> Book:
    """Everything that counts, read in one transaction."""
    with opened(database_url) as database, database.read() as connection:
        times = Counter(connection.execute(select(posting.c.transfer_id)).scalars())
        rows = connection.execute(select(transfer.c.id, transfer.c.kind, transfer.c.state, transfer.c.minutes)).all()
        hours = {row.id: Hours(row.kind, row.state, row.minutes, times[row.id]) for row in rows}
        return Book(
            hours,
            _sum(connection, account.c.balance),
            int(connection.execute(select(account.c.balance).where(account.c.kind == "clearing")).scalar_one()),
            _sum(connection, account.c.held),
            verify_ledger(connection).findings,
        )


def _sum(connection: Connection, column: object) -> int:
    return int(connection.execute(select(func.coalesce(func.sum(column), 0))).scalar_one())


def sum_now(database_url: str) -> int:
    """All balances together, in one reading while everything goes on: zero, always."""
    with opened(database_url) as database, database.read() as connection:
        return _sum(connection, account.c.balance)


def is_quiet(database_url: str) -> bool:
    """Whether nothing is on its way or undecided, and nobody has to be asked."""
    with opened(database_url) as database, database.read() as connection:
        open_ones = select(transfer.c.id).where(transfer.c.state.not_in(OVER))
        unanswered = select(resend.c.fact_n).where(resend.c.acked_at.is_(None))
        unsynced = select(peer.c.id).where(peer.c.sync_asked > peer.c.sync_done)
        letters = select(inbox_letter.c.activity_id).where(inbox_letter.c.state == State.NEW)
        queries = (open_ones, unanswered, unsynced, letters, select(waiting_step.c.n))
        return not any(connection.execute(query.limit(1)).first() for query in queries)
