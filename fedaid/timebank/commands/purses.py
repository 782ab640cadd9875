"""Accounts that several people share: a group's or organisation's, who may spend from it, and the community chest."""

from sqlalchemy import delete, insert, select

from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import Work
from fedaid.timebank import queries, rows, tables
from fedaid.timebank.commands import books
from fedaid.timebank.rows import Account
from fedaid.timebank.rules.books import AccountKind


def open_purse(work: Work, actor: str, *, floor_minutes: int = 0) -> int:
    """An account for a group or organisation of ours; opened once, then only found."""
    books.lock(work)
    return books.open_account(work, AccountKind.GROUP, actor, floor_minutes=floor_minutes)


def let_spend(work: Work, actor: str, member: str) -> None:
    """This member may give hours from the account of this group; harmless when they may already."""
    found, table = _purse(work, actor), tables.spender
    mine = (table.c.account_id == found.id) & (table.c.actor == member)
    if rows.account_of(work.connection, member) is None:
        raise Refused("no_member", "Nobody here has this handle.", 404)
    if work.connection.execute(select(table.c.actor).where(mine)).first() is None:
        work.connection.execute(insert(table).values(account_id=found.id, actor=member, since=work.now))


def stop_spending(work: Work, actor: str, member: str) -> None:
    """This member may no longer; harmless when they might not."""
    found, table = _purse(work, actor), tables.spender
    mine = (table.c.account_id == found.id) & (table.c.actor == member)
    work.connection.execute(delete(table).where(mine))


def _purse(work: Work, actor: str) -> Account:
    found = rows.account_of(work.connection, actor)
    if found is None or found.kind is not AccountKind.GROUP:
        raise NotFound("This group has no account of hours.")
    return found


def make_room(work: Work, actor: str, minutes: int, first_minutes_max: int) -> None:
    """The first help that somebody ever gets does not fail for lack of hours, up to so many minutes.

    Whoever has received nothing yet may go so far below zero, what is promised included, however their limit was set.
    """
    books.lock(work)
    found = rows.account_of(work.connection, actor)
    if found is None or found.kind is not AccountKind.MEMBER or found.has_room_for(minutes):
        return
    received = select(tables.posting.c.seq).where(tables.posting.c.debit == found.id).limit(1)
    needed = found.balance - found.held - minutes
    if needed >= -first_minutes_max and work.connection.execute(received).first() is None:
        books.set_floor(work, found.id, needed)


def make_room_for(work: Work, actor: str, transfer_id: str, first_minutes_max: int) -> None:
    """The same where somebody confirms a claim: the first help that they get never fails for lack of hours."""
    found = queries.transfer_for(work.connection, transfer_id, actor)
    if found is not None and not found.given:
        make_room(work, actor, found.minutes, first_minutes_max)
