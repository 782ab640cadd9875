"""Carries out what the state tables say about a transfer with a peer: the only place where their cells take effect."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, select, update

from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, channel
from fedaid.timebank.facts import Hours, HoursClaimed, HoursConfirmed, HoursCredited, HoursRefused
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Account, Peer, Transfer
from fedaid.timebank.rules import messages, payee, payer
from fedaid.timebank.rules.books import no_room
from fedaid.timebank.rules.messages import Deal, Envelope, message_id
from fedaid.timebank.rules.reading import Message, read
from fedaid.timebank.rules.states import (
    DECISIONS,
    HOLDING,
    UNDECIDED,
    Alarm,
    Given,
    Hold,
    Kind,
    Outcome,
    PayeeState,
    PayerState,
    Side,
    Tell,
    recalled,
)

_TELLS = {
    Tell.TOO_LATE: "This claim has been refused or withdrawn already.",
    Tell.ASK_REVERSAL: "These hours are on your account already. You can give them back.",
}


@dataclass(frozen=True)
class Matter:
    """One transfer with one peer, as it is being worked on.

    deal      what is moved; None where only a refusal of something unknown is known
    reason    one word, sent along with a refusal
    end_time  until when the Invite or Offer is good; the payer's network's clock decides
    shown     the message that came is one of those that the peer shows us in a sync, its own or ours
    """

    limits: TimebankLimits
    peer: Peer
    side: Side
    transfer_id: str
    deal: Deal | None = None
    reason: str = "refused"
    end_time: datetime | None = None
    engagement: str | None = None
    note_digest: str | None = None
    shown: bool = False


class MustWait(Exception):
    """What is to be decided has to wait until the peer has shown us our common messages. Nothing was decided."""


def state(work: Work, matter: Matter) -> PayerState | PayeeState:
    """The state as the kept messages say it."""
    found = rows.transfer(work.connection, matter.transfer_id)
    facts = rows.facts_about(work.connection, matter.peer.id, matter.transfer_id)
    return rows.state_of(matter.side, facts, found.mark if found else None)


def at_payer(work: Work, matter: Matter, happened: payer.Input, given: Given, came: Message | None = None) -> Outcome:
    """One step at the payer's network."""
    before = state(work, matter)
    assert isinstance(before, PayerState)  # noqa: S101 - by the side
    return _carry_out(work, matter, before, payer.decide(before, happened, given), came)


def at_payee(work: Work, matter: Matter, happened: payee.Input, given: Given, came: Message | None = None) -> Outcome:
    """One step at the payee's network."""
    before = state(work, matter)
    assert isinstance(before, PayeeState)  # noqa: S101 - by the side
    return _carry_out(work, matter, before, payee.decide(before, happened, given), came)


def _carry_out(
    work: Work, matter: Matter, before: PayerState | PayeeState, outcome: Outcome, came: Message | None
) -> Outcome:
    if matter.peer.must_wait and DECISIONS.intersection(outcome.signs):
        raise MustWait
    if outcome.tells is not None:
        raise _refusal(matter, outcome.tells)
    _keep(work, matter, outcome, came)
    found = _row(work, matter, before, outcome)
    if found is not None:
        _hold_or_release(work, found, outcome)
    if came is not None and found is not None:
        matter = _as_accepted(work, matter, found, came)
    for kind in outcome.signs:
        _sign(work, matter, kind)
    if outcome.posts:
        _post(work, matter, before, outcome)
    for kind in outcome.resends:
        _resend(work, matter, kind)
    _note_state(work, matter, outcome)
    for what in outcome.alarms:
        channel.alarm(work, matter.peer.id, matter.transfer_id, what, asks=not matter.shown)
    _tell(work, matter, before, outcome)
    return outcome


def _refusal(matter: Matter, tells: Tell) -> Refused:
    if tells is Tell.NO_ROOM:
        return no_room(matter.deal.minutes if matter.deal else 0)
    return Refused("too_late", _TELLS[tells], 409)


def _keep(work: Work, matter: Matter, outcome: Outcome, came: Message | None) -> None:
    """A message to store, and any second, different one, which is kept without counting."""
    if came is None:
        return
    facts = rows.facts_about(work.connection, matter.peer.id, matter.transfer_id)
    if outcome.stores or any(fact.kind is came.kind and fact.digest != came.digest for fact in facts):
        _keep_one(work, matter, came)
    if came.kind is Kind.ACCEPT and came.offered is not None and outcome.stores:
        _keep_offer(work, matter, came.offered)


def _keep_one(work: Work, matter: Matter, message: Message) -> None:
    if message.envelope.actor == work.names.ledger:
        channel.keep_ours(work, matter.limits, matter.peer, message)
    else:
        channel.keep(work, matter.peer, message)


def _keep_offer(work: Work, matter: Matter, offered: Message) -> None:
    """The Offer inside an Accept, where it was forgotten here: a payee's network's own, or what a payer's had got."""
    facts = rows.facts_about(work.connection, matter.peer.id, matter.transfer_id)
    if not any(fact.digest == offered.digest for fact in facts):
        _keep_one(work, matter, offered)


def remember(work: Work, matter: Matter, message: Message) -> None:
    """Take back a message of ours, not a decision, that we had forgotten: the state is what the messages make it.

    Minutes that it promises are promised again, also beyond the limit, as they were when it was signed.
    """
    before = state(work, matter)
    channel.keep_ours(work, matter.limits, matter.peer, message)
    _row(work, matter, before, Outcome(before))
    found = rows.transfer(work.connection, matter.transfer_id)
    outcome = recalled(before, state(work, matter))
    if found is None or outcome.state is before:
        return
    if outcome.hold is Hold.TAKE:
        books.hold(work, found.debit, found.minutes, limited=False)
    elif outcome.hold is Hold.RELEASE:
        books.release(work, found.debit, found.minutes)
    _note_state(work, matter, outcome)
    for what in outcome.alarms:
        channel.alarm(work, matter.peer.id, matter.transfer_id, what, asks=False)


# the row of the transfer


def _row(work: Work, matter: Matter, before: PayerState | PayeeState, outcome: Outcome) -> Transfer | None:
    """The transfer's row, made with its first step where we know what is moved."""
    found = rows.transfer(work.connection, matter.transfer_id)
    if found is not None or matter.deal is None:
        return found
    accounts = _accounts(work, matter, must_exist=outcome.posts)
    if accounts is None:
        return None
    debit, credit = accounts
    deal, remote = matter.deal, matter.deal.payee if matter.side is Side.PAYER else matter.deal.payer
    work.connection.execute(
        insert(tables.transfer).values(
            id=matter.transfer_id,
            kind=matter.side,
            debit=debit.id,
            credit=credit.id,
            minutes=deal.minutes,
            peer_id=matter.peer.id,
            remote_actor=remote,
            state=before,
            held=before in HOLDING,
            engagement=matter.engagement,
            proposal=deal.proposal,
            end_time=matter.end_time,
            created_at=work.now,
            changed_at=work.now,
        )
    )
    return rows.transfer(work.connection, matter.transfer_id)


def _accounts(work: Work, matter: Matter, *, must_exist: bool) -> tuple[Account, Account] | None:
    """Debit and credit. What was decided finds an account always: the chest's, should the member's be gone."""
    clearing = rows.clearing(work.connection, matter.peer.id)
    deal = matter.deal
    if clearing is None or deal is None:
        return None
    local = rows.account_of(work.connection, deal.payer if matter.side is Side.PAYER else deal.payee)
    if local is None and must_exist:
        local = rows.account(work.connection, books.open_chest(work))
    if local is None:
        return None
    return (local, clearing) if matter.side is Side.PAYER else (clearing, local)


def _as_accepted(work: Work, matter: Matter, found: Transfer, came: Message) -> Matter:
    """Where the Accept that counts is about other hours than our row says, it and the Offer inside it decide.

    So it can be after a restore: the same form was sent again with another figure, and the first Offer was accepted.
    """
    deal = came.deal
    if came.kind is not Kind.ACCEPT or deal is None or _counting(work, matter, Kind.ACCEPT).digest != came.digest:
        return matter
    agreed = replace(matter, deal=deal)
    accounts = _accounts(work, agreed, must_exist=True)
    remote = deal.payee if matter.side is Side.PAYER else deal.payer
    if accounts is not None and (found.minutes, found.remote_actor) != (deal.minutes, remote):
        debit, credit = accounts
        values = {"minutes": deal.minutes, "debit": debit.id, "credit": credit.id, "remote_actor": remote}
        work.connection.execute(update(tables.transfer).where(tables.transfer.c.id == found.id).values(values))
    return agreed


def _hold_or_release(work: Work, found: Transfer, outcome: Outcome) -> None:
    if outcome.hold is Hold.TAKE:
        books.hold(work, found.debit, found.minutes)
    elif outcome.hold is Hold.RELEASE and found.held:
        books.release(work, found.debit, found.minutes)


def _note_state(work: Work, matter: Matter, outcome: Outcome) -> None:
    """Copy what the messages now say into the row."""
    found = rows.transfer(work.connection, matter.transfer_id)
    if found is None:
        return
    mark = None if outcome.posts else outcome.mark or found.mark
    facts = rows.facts_about(work.connection, matter.peer.id, matter.transfer_id)
    now = rows.state_of(matter.side, facts, mark)
    values: dict[str, object] = {"state": now, "mark": mark, "held": now in HOLDING}
    if now is not found.state:
        values["changed_at"] = work.now
    if now in (PayerState.REJECTED, PayeeState.VOID) and found.state is not now:
        values["reason"] = matter.reason
    offers = [fact.digest for fact in facts if fact.kind is Kind.OFFER and fact.counts]
    values["offer_digest"] = offers[0] if offers else None
    if outcome.posts and _engagement_is_taken(work, found):
        values["engagement"] = None  # claimed anew meanwhile; what was decided is decided
    work.connection.execute(update(tables.transfer).where(tables.transfer.c.id == found.id).values(values))


def _engagement_is_taken(work: Work, found: Transfer) -> bool:
    if found.engagement is None:
        return False
    table = tables.transfer
    same = (table.c.engagement == found.engagement) & (table.c.id != found.id) & tables.STANDS
    return work.connection.execute(select(table.c.id).where(same)).first() is not None


# what is signed


def _sign(work: Work, matter: Matter, kind: Kind) -> None:
    def write(envelope: Envelope) -> messages.Document:
        return _written(work, matter, kind, envelope)

    facts = rows.facts_about(work.connection, matter.peer.id, matter.transfer_id)
    known = next((fact for fact in facts if fact.ours and fact.counts and fact.kind is kind), None)
    if known is not None:  # we were shown it again before what it answers
        channel.send_again(work, matter.peer.actor, channel.document_of(known))
        return
    channel.sign(work, matter.limits, matter.peer.id, matter.transfer_id, write)


def _written(work: Work, matter: Matter, kind: Kind, envelope: Envelope) -> messages.Document:
    if kind is Kind.UNDO:
        return messages.undo(envelope, message_id(Kind.OFFER, envelope.actor, envelope.transfer))
    if kind is Kind.REJECT:
        return messages.reject(envelope, message_id(Kind.OFFER, envelope.to, envelope.transfer), matter.reason)
    if kind is Kind.REJECT_INVITE:
        invite_id = message_id(Kind.INVITE, envelope.to, envelope.transfer)
        return messages.reject_invite(envelope, invite_id, matter.reason)
    deal = matter.deal
    if deal is None:
        raise ValueError("only refusals and requests to cancel are about something unknown")
    ends = matter.end_time or work.now
    if kind is Kind.INVITE:
        return messages.invite(envelope, deal, ends)
    if kind is Kind.OFFER:
        return messages.offer(envelope, deal, ends, matter.note_digest)
    if kind is Kind.ACCEPT:
        offered = _counting(work, matter, Kind.OFFER)
        return messages.accept(envelope, deal, offered.document)
    return messages.receipt(envelope, deal, _counting(work, matter, Kind.ACCEPT).digest)


def _counting(work: Work, matter: Matter, kind: Kind) -> Message:
    """The message of this kind that counts."""
    facts = rows.facts_about(work.connection, matter.peer.id, matter.transfer_id)
    return next(read(channel.document_of(fact)) for fact in facts if fact.kind is kind and fact.counts)


def _resend(work: Work, matter: Matter, kind: Kind) -> None:
    facts = rows.facts_about(work.connection, matter.peer.id, matter.transfer_id)
    for fact in facts:
        if fact.kind is kind and fact.ours and fact.counts:
            channel.send_again(work, matter.peer.actor, channel.document_of(fact))


# what is moved, and who is told


def _post(work: Work, matter: Matter, before: PayerState | PayeeState, outcome: Outcome) -> None:
    found = rows.transfer(work.connection, matter.transfer_id)
    assert found is not None  # noqa: S101 - _row makes one for whatever is posted
    is_free = before in HOLDING or Alarm.RECOVERED in outcome.alarms or before is PayeeState.DISPUTED
    books.move(work, found, _counting(work, matter, Kind.ACCEPT).digest, limited=not is_free)


def hours_of(work: Work, transfer_id: str) -> Hours | None:
    """What the rooms above are told of a transfer."""
    found = rows.transfer(work.connection, transfer_id)
    if found is None:
        return None
    debit, credit = (rows.account(work.connection, number) for number in (found.debit, found.credit))
    other = found.remote_actor or work.names.ledger  # the chest speaks as the ledger
    payer_actor, payee_actor = debit.actor or other, credit.actor or other
    return Hours(found.id, payer_actor, payee_actor, found.minutes, found.proposal, found.engagement)


def _tell(work: Work, matter: Matter, before: PayerState | PayeeState, outcome: Outcome) -> None:
    hours = hours_of(work, matter.transfer_id)
    if hours is None:
        return
    if outcome.posts:
        work.record(HoursConfirmed(hours) if matter.side is Side.PAYER else HoursCredited(hours))
    elif before is PayerState.NONE and outcome.state is PayerState.OFFERED:
        work.record(HoursClaimed(hours))
    elif before in UNDECIDED and outcome.state is PayeeState.VOID:
        work.record(HoursRefused(hours, matter.reason))


def matter_of(work: Work, limits: TimebankLimits, found: Transfer, reason: str = "refused") -> Matter:
    """The matter of a transfer that has a row already."""
    hours = hours_of(work, found.id)
    if found.peer_id is None or hours is None:
        raise ValueError("a local transfer is no matter between networks")
    deal = Deal(hours.payer, hours.payee, found.minutes, found.proposal)
    peer = rows.peer(work.connection, found.peer_id)
    return Matter(limits, peer, Side(found.kind), found.id, deal, reason, found.end_time, found.engagement)


def refuse_undecided(work: Work, limits: TimebankLimits, peer: Peer) -> None:
    """Turn down, as the payer's network, what is not decided yet: the link rests. Our own claims wait for them."""
    if peer.must_wait:  # done once they have shown us what we may have decided
        return
    table = tables.transfer
    undecided = (table.c.peer_id == peer.id) & (table.c.kind == Side.PAYER)
    undecided &= table.c.state.in_([PayerState.INVITED, PayerState.OFFERED])
    query = select(table).where(undecided).order_by(table.c.created_at).limit(limits.resend_rows_max)
    for row in work.connection.execute(query).all():
        matter = matter_of(work, limits, rows.transfer_of(row), "suspended")
        at_payer(work, matter, payer.Input.REFUSE, Given())
