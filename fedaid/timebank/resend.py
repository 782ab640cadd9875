"""What the timebank does by the clock: send again what was not answered, let claims expire that nobody confirmed."""

from datetime import datetime

from sqlalchemy import select, update

from fedaid.foundation.work import Work
from fedaid.timebank import peering, rows, tables
from fedaid.timebank.commands import books, channel, steps
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import StoredFact
from fedaid.timebank.rules import payer
from fedaid.timebank.rules.states import Given, PayerState, Side
from fedaid.timebank.rules.terms import PeerStatus

_SPEAKING = (PeerStatus.ACTIVE, PeerStatus.SUSPENDED, PeerStatus.CLOSING)


def resend_due(work: Work, limits: TimebankLimits | None = None) -> int:
    """Send again what waits for its answer too long, expire what our clock says is over; how many it was.

    Only the payer's network lets a claim expire: whoever claimed goes on asking until it is told.
    """
    chosen = limits or TimebankLimits()
    expired = expire_due(work, chosen)
    books.lock(work)
    due = _due(work, work.now, chosen.resend_rows_max)
    for number, tries in due:
        _send_again(work, number, tries, chosen)
    for peer in rows.peers(work.connection):
        if peer.status is PeerStatus.CLOSING:
            peering.close_even(work, peer.id)
    return expired + len(due)


def expire_due(work: Work, limits: TimebankLimits) -> int:
    """Refuse the claims, and take back the payments, whose end has passed by our clock; how many."""
    books.lock(work)
    table = tables.transfer
    over = (table.c.kind == Side.PAYER) & table.c.state.in_([PayerState.INVITED, PayerState.OFFERED])
    query = select(table).where(over, table.c.end_time < work.now).order_by(table.c.end_time)
    found = work.connection.execute(query.limit(limits.resend_rows_max)).all()
    for row in found:
        matter = steps.matter_of(work, rows.transfer_of(row), "expired")
        steps.at_payer(work, matter, payer.Input.REFUSE, Given())
    return len(found)


def _due(work: Work, now: datetime, rows_max: int) -> list[tuple[int, int]]:
    table = tables.resend
    query = select(table.c.fact_n, table.c.tries).join(tables.peer, tables.peer.c.id == table.c.peer_id)
    query = query.where(table.c.acked_at.is_(None), table.c.next_try <= now, tables.peer.c.status.in_(_SPEAKING))
    found = work.connection.execute(query.order_by(table.c.fact_n).limit(rows_max))
    return [(row.fact_n, row.tries) for row in found]


def _send_again(work: Work, number: int, tries: int, limits: TimebankLimits) -> None:
    fact: StoredFact = rows.fact(work.connection, number)
    peer = rows.peer(work.connection, fact.peer_id)
    channel.send_again(work, peer.actor, channel.document_of(fact))
    values = {"tries": tries + 1, "next_try": work.now + channel.pause_before(tries + 1, limits)}
    work.connection.execute(update(tables.resend).where(tables.resend.c.fact_n == number).values(values))
