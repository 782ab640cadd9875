"""The statement of one account over a time, line by line, and as a document signed by our ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from activitypub.signatures.proofs import add_proof
from fedaid.actors import queries as actors
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.timebank import tables
from fedaid.timebank.queries.hours import StatementLine, account_of, lines_of
from fedaid.timebank.rows import Account
from fedaid.timebank.rules.account_statement import AccountStatement, Movement, write_account_statement
from fedaid.timebank.rules.books import GENESIS

STATEMENT_LINES_MAX = 5_000  # more than anybody's year has; a shorter time can be chosen


@dataclass(frozen=True)
class DatedLine:
    """A movement, and what the balance was after it."""

    line: StatementLine
    balance: int


@dataclass(frozen=True)
class DatedStatement:
    """An account over a time; ``given`` is what came in then, ``received`` what went out, in minutes."""

    start: datetime | None
    end: datetime
    opening: int
    closing: int
    given: int
    received: int
    lines: Sequence[DatedLine]


def dated(connection: Connection, actor: str, host: str, start: datetime | None, end: datetime) -> DatedStatement:
    """The account from ``start`` on and before ``end``. Raises Refused when it has too many lines for one."""
    account = account_of(connection, actor)
    if account is None:
        return DatedStatement(start, end, 0, 0, 0, 0, ())
    table = tables.posting
    within = table.c.posted_at < end
    opening = 0
    if start is not None:
        within &= table.c.posted_at >= start
        opening = _balance(connection, account, table.c.posted_at < start)
    mine = or_(table.c.debit == account.id, table.c.credit == account.id) & within
    count = connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
    if count > STATEMENT_LINES_MAX:
        raise Refused(
            "too_many_lines",
            said("These are more than %(count)s lines; choose a shorter time.", count=STATEMENT_LINES_MAX),
        )
    lines = _running(lines_of(connection, account, select(table.c.transfer_id).where(mine), host), opening)
    given = sum(one.line.signed_minutes for one in lines if one.line.signed_minutes > 0)
    received = -sum(one.line.signed_minutes for one in lines if one.line.signed_minutes < 0)
    return DatedStatement(start, end, opening, opening + given - received, given, received, lines)


def _running(lines: Sequence[StatementLine], balance: int) -> list[DatedLine]:
    found = []
    for line in lines:
        balance += line.signed_minutes
        found.append(DatedLine(line, balance))
    return found


def _balance(connection: Connection, account: Account, when: ColumnElement[bool]) -> int:
    table = tables.posting
    total = select(func.coalesce(func.sum(table.c.minutes), 0)).where(when)
    came = connection.execute(total.where(table.c.credit == account.id)).scalar_one()
    went = connection.execute(total.where(table.c.debit == account.id)).scalar_one()
    return int(came) - int(went)


def signed_statement(
    connection: Connection, ledger: str, actor: str, found: DatedStatement, now: datetime
) -> dict[str, Any]:
    """The statement as a document with our ledger's proof (FEP-8b32): ids and minutes, no names and no notes."""
    head = connection.execute(select(tables.ledger_head)).one_or_none()
    document = write_account_statement(
        AccountStatement(
            ledger,
            actor,
            found.start,
            found.end,
            found.opening,
            [Movement(one.line.transfer_id, one.line.at, one.line.signed_minutes) for one in found.lines],
            found.closing,
            found.given,
            found.received,
            head.seq if head is not None else 0,
            head.hash if head is not None else GENESIS,
        ),
        now,
    )
    return add_proof(document, actors.ed25519_key(connection, ledger), now)
