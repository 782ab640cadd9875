"""What the timebank does by the clock: carry out, send again, let expire, state, and even out what leavers left."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from fedaid.foundation.work import Work
from fedaid.timebank import peering, rows, tables
from fedaid.timebank.commands import books, channel, steps
from fedaid.timebank.commands.carry_out import carry_out_waiting
from fedaid.timebank.commands.leaving import sweep_leavers
from fedaid.timebank.commands.receive import FindAgreed, nothing_agreed
from fedaid.timebank.commands.statements import make_due
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import StoredFact
from fedaid.timebank.rules import payer
from fedaid.timebank.rules.states import Given, PayerState, Side
from fedaid.timebank.rules.terms import PeerStatus


def resend_due(work: Work, limits: TimebankLimits, find_agreed: FindAgreed = nothing_agreed) -> int:
    """Do what is due by our clock: send again what waits for its answer too long, expire what is over; how many it was.

    Only the payer's network lets a claim expire: whoever claimed goes on asking until it is told.
    """
    done = carry_out_waiting(work, limits, find_agreed) + expire_due(work, limits)
    for peer in rows.peers(work.connection):
        if peer.status in _RESTING:
            steps.refuse_undecided(work, limits, peer)
        if peer.status is PeerStatus.CLOSING:
            peering.close_even(work, peer.id)
    due = _due(work, work.now, limits.resend_rows_max)
    for number, tries in due:
        _send_again(work, number, tries, limits)
    sweep_leavers(work, limits)
    return done + len(due)


def state_due(work: Work, limits: TimebankLimits) -> int:
    """Make the statements that are due; how many."""
    books.lock(work)
    before, table = work.now - timedelta(hours=limits.statement_every_hours), tables.peer
    is_due = (table.c.statement_at.is_(None) | (table.c.statement_at <= before)) & table.c.terms_digest.is_not(None)
    found = work.connection.execute(select(table.c.id).where(is_due).order_by(table.c.id)).scalars().all()
    return sum(make_due(work, limits, peer_id) is not None for peer_id in found)


_RESTING = (PeerStatus.SUSPENDED, PeerStatus.CLOSING, PeerStatus.LOST)


def expire_due(work: Work, limits: TimebankLimits) -> int:
    """Refuse the claims, and take back the payments, whose end has passed by our clock; how many."""
    books.lock(work)
    table, peer = tables.transfer, tables.peer
    over = (table.c.kind == Side.PAYER) & table.c.state.in_([PayerState.INVITED, PayerState.OFFERED])
    # Where a peer has to be asked first, what seems undecided may have been decided already.
    may_decide = (peer.c.sync_done >= peer.c.sync_asked) | (peer.c.status == PeerStatus.LOST)
    query = select(table).join(peer, peer.c.id == table.c.peer_id).where(over, may_decide, table.c.end_time < work.now)
    found = work.connection.execute(query.order_by(table.c.end_time).limit(limits.resend_rows_max)).all()
    for row in found:
        matter = steps.matter_of(work, limits, rows.transfer_of(row), "expired")
        steps.at_payer(work, matter, payer.Input.REFUSE, Given())
    return len(found)


def _due(work: Work, now: datetime, rows_max: int) -> list[tuple[int, int]]:
    table = tables.resend
    query = select(table.c.fact_n, table.c.tries).join(tables.peer, tables.peer.c.id == table.c.peer_id)
    speaking = tables.peer.c.status.in_([status.value for status in rows.SPEAKING])
    query = query.where(table.c.acked_at.is_(None), table.c.next_try <= now, speaking)
    found = work.connection.execute(query.order_by(table.c.fact_n).limit(rows_max))
    return [(row.fact_n, row.tries) for row in found]


def _send_again(work: Work, number: int, tries: int, limits: TimebankLimits) -> None:
    fact: StoredFact = rows.fact(work.connection, number)
    peer = rows.peer(work.connection, fact.peer_id)
    channel.send_again(work, peer.actor, channel.document_of(fact))
    pause = channel.pause_before(tries + 1, limits.resend_first_seconds, limits)
    values = {"tries": tries + 1, "next_try": work.now + pause}
    work.connection.execute(update(tables.resend).where(tables.resend.c.fact_n == number).values(values))
