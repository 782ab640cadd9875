"""Takes a signed message of a peer's ledger: whose it must be, what it must say, and the step it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, channel, exposure, steps, waiting
from fedaid.timebank.commands.steps import Matter
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.queued import Letter
from fedaid.timebank.rows import Peer
from fedaid.timebank.rules import payee, payer
from fedaid.timebank.rules.books import AccountStatus
from fedaid.timebank.rules.messages import Deal, Document
from fedaid.timebank.rules.reading import Message, Signed, read
from fedaid.timebank.rules.states import SIGNED_BY, Alarm, Given, Kind, PayerState, Side
from fedaid.timebank.rules.terms import PeerStatus


@dataclass(frozen=True)
class Agreed:
    """What the two members of a claim agreed on the board: its id there, and the hours in minutes."""

    engagement: str
    minutes: int


FindAgreed = Callable[[Connection, Deal], Agreed | None]


def nothing_agreed(_connection: Connection, _deal: Deal) -> Agreed | None:
    """For a timebank that stands alone."""
    return None


def receive(
    work: Work,
    limits: TimebankLimits,
    sender: str,
    document: Document,
    find_agreed: FindAgreed = nothing_agreed,
) -> Message:
    """Take a message that arrived from ``sender``, whose HTTP signature was verified.

    Order, repetition and loss do not matter: what counts is the set of messages. Raises Refused or ProtocolError for
    one that is misshapen, not signed with a pinned key, or about what is not the sender's.
    """
    books.lock(work)
    message = read(document)
    peer = peer_of(work, sender, message)
    channel.check_theirs(work, document, peer)
    take_new(work, limits, peer, message)
    step = Letter(message.transfer, document)
    with waiting.until_synced(work, limits, peer, step):
        take(work, _Taking(limits, rows.peer(work.connection, peer.id), find_agreed), message)
    return message


def peer_of(work: Work, sender: str, message: Signed) -> Peer:
    """The peer whose ledger this is. Raises Refused for somebody we never agreed with, or a message between others."""
    peer = rows.peer_by_actor(work.connection, sender)
    if peer is None or peer.terms_digest is None:  # agreed once: what was begun then is answered for ever
        raise Refused("unknown_peer", "There is no agreement between our timebanks.", 403)
    if message.envelope.actor != sender or message.envelope.to != work.names.ledger:
        raise Refused("not_for_us", "A ledger message goes from one ledger to the other.", 403)
    return peer


def take_new(work: Work, limits: TimebankLimits, peer: Peer, message: Signed) -> None:
    """What goes for every letter: not too many of them, and what their numbers show. Raises Refused."""
    if rows.fact_by_digest(work.connection, message.digest) is None:
        channel.check_rate(work, limits, peer)
    channel.notice(work, peer, message)
    channel.ask_soon(work, limits, peer.id)


@dataclass(frozen=True)
class _Taking:
    """How a message is taken. ``shown``: it is one of those that the peer shows us in a sync."""

    limits: TimebankLimits
    peer: Peer
    find_agreed: FindAgreed = nothing_agreed
    shown: bool = False


def take(work: Work, how: _Taking, message: Message) -> None:
    """The step that a message of the peer's means. Raises Refused, or MustWait before anything was changed."""
    if SIGNED_BY[message.kind] is Side.PAYEE:
        _AT_PAYER[message.kind](work, how, message)
    else:
        _AT_PAYEE[message.kind](work, how, message)
    channel.acknowledge(work, message.transfer, message.kind)
    now = rows.peer(work.connection, how.peer.id)
    if now.status is PeerStatus.SUSPENDED and how.peer.status is PeerStatus.ACTIVE:  # it said two different things
        steps.refuse_undecided(work, how.limits, now)


def take_shown(
    work: Work, limits: TimebankLimits, peer: Peer, message: Message, find_agreed: FindAgreed = nothing_agreed
) -> None:
    """A message that the peer shows us among our common ones: its own, or one of ours that we may have forgotten.

    Raises Refused or ProtocolError when it is not what it is said to be.
    """
    how = _Taking(limits, rows.peer(work.connection, peer.id), find_agreed, shown=True)
    if message.envelope.actor == work.names.ledger and message.envelope.to == peer.actor:
        channel.check_ours(work, message.document)
        _recall(work, how, message)
        return
    peer_of(work, peer.actor, message)
    if rows.fact_by_digest(work.connection, message.digest) is not None:
        return
    channel.check_theirs(work, message.document, peer)
    channel.check_rate(work, limits, peer)
    channel.was_heard(work, peer, message)
    with waiting.until_synced(work, limits, peer, Letter(message.transfer, message.document)):
        take(work, how, message)


def take_waiting(work: Work, limits: TimebankLimits, peer: Peer, document: Document, find_agreed: FindAgreed) -> None:
    """A letter that was checked when it came, and had to wait. Raises Refused, or MustWait."""
    take(work, _Taking(limits, peer, find_agreed), read(document))


def _recall(work: Work, how: _Taking, message: Message) -> None:
    """One of ours comes back to us: decisions by their own rows of the table, the others as what they were."""
    side = SIGNED_BY[message.kind]
    knows = message.deal if message.kind in (Kind.INVITE, Kind.OFFER, Kind.ACCEPT) else None
    matter = _matter(work, how, side, message, knows, message.reason or "refused")
    if message.kind is Kind.ACCEPT:
        steps.at_payer(work, matter, payer.Input.OWN_ACCEPT, Given(), message)
    elif message.kind is Kind.REJECT:
        steps.at_payer(work, matter, payer.Input.OWN_REJECT, Given(), message)
    else:
        steps.remember(work, matter, message)


# at the payer's network


def _offer(work: Work, how: _Taking, message: Message) -> None:
    deal = _deal(message)
    why_not = _why_unacceptable(work, how.peer, message, deal.payer, deal.payee)
    matter = _matter(work, how, Side.PAYER, message, deal, why_not or "refused")
    if steps.state(work, matter) is PayerState.INVITED:
        _check_same(work, message)
    fits = _has_room(work, deal) and exposure.may_owe(work, how.limits, how.peer.id, deal.minutes)
    agreed = _agreed_before(work, how, deal)
    if agreed is not None and matter.engagement is None:
        matter = replace(matter, engagement=agreed.engagement)
    given = Given(fits=fits, acceptable=why_not is None, approved=agreed is not None)
    steps.at_payer(work, matter, payer.Input.OFFER, given, message)


def _has_room(work: Work, deal: Deal) -> bool:
    account = rows.account_of(work.connection, deal.payer)
    return account is not None and account.has_room_for(deal.minutes)


def _agreed_before(work: Work, how: _Taking, deal: Deal) -> Agreed | None:
    """What the payer has agreed to, if it covers this claim, was not settled yet, and they want it confirmed so."""
    account = rows.account_of(work.connection, deal.payer)
    if account is None or not account.confirms_agreed:
        return None
    found = how.find_agreed(work.connection, deal)
    if found is None or deal.minutes > found.minutes or rows.is_settled(work.connection, found.engagement):
        return None
    return found


def _undo(work: Work, how: _Taking, message: Message) -> None:
    matter = _matter(work, how, Side.PAYER, message, None, "withdrawn")
    steps.at_payer(work, matter, payer.Input.UNDO, Given(), message)


def _reject_invite(work: Work, how: _Taking, message: Message) -> None:
    matter = _matter(work, how, Side.PAYER, message, None, message.reason or "refused")
    steps.at_payer(work, matter, payer.Input.REJECT_INVITE, Given(), message)


def _receipt(work: Work, how: _Taking, message: Message) -> None:
    """A Receipt names an Accept that we signed. One that we do not know we may have forgotten, so we ask for it."""
    facts = rows.facts_about(work.connection, how.peer.id, message.transfer)
    accepts = [fact.digest for fact in facts if fact.kind is Kind.ACCEPT]
    if accepts and message.accepted not in accepts:
        channel.alarm(work, how.peer.id, message.transfer, Alarm.SYNC, asks=not how.shown)
        return
    if accepts:
        _check_same(work, message)
    matter = _matter(work, how, Side.PAYER, message, None, "refused")
    steps.at_payer(work, matter, payer.Input.RECEIPT, Given(), message)


# at the payee's network


def _invite(work: Work, how: _Taking, message: Message) -> None:
    deal = _deal(message)
    why_not = _why_unacceptable(work, how.peer, message, deal.payee, deal.payer)
    fits = why_not is None and exposure.takes_on(work, how.limits, how.peer.id, deal.minutes)
    matter = _matter(work, how, Side.PAYEE, message, deal, why_not or "no_room")
    _check_same(work, message)
    steps.at_payee(work, matter, payee.Input.INVITE, Given(fits=fits), message)


def _accept(work: Work, how: _Taking, message: Message) -> None:
    """An Accept proves itself: the Offer inside it must bear our own signature."""
    if message.offered is None or message.deal is None:
        raise Refused("foreign_offer", "This Accept has no Offer of ours inside.")
    channel.check_ours(work, message.offered.document)
    fits = exposure.takes_on(work, how.limits, how.peer.id, message.deal.minutes)
    matter = _matter(work, how, Side.PAYEE, message, message.deal, "refused")
    steps.at_payee(work, matter, payee.Input.ACCEPT, Given(fits=fits), message)


def _reject(work: Work, how: _Taking, message: Message) -> None:
    matter = _matter(work, how, Side.PAYEE, message, None, message.reason or "refused")
    steps.at_payee(work, matter, payee.Input.REJECT, Given(), message)


_AT_PAYER: Mapping[Kind, Callable[[Work, _Taking, Message], None]] = {
    Kind.OFFER: _offer,
    Kind.UNDO: _undo,
    Kind.REJECT_INVITE: _reject_invite,
    Kind.RECEIPT: _receipt,
}
_AT_PAYEE: Mapping[Kind, Callable[[Work, _Taking, Message], None]] = {
    Kind.INVITE: _invite,
    Kind.ACCEPT: _accept,
    Kind.REJECT: _reject,
}

# what is checked


def _why_unacceptable(work: Work, peer: Peer, message: Message, ours: str, theirs: str) -> str | None:
    """Why a new claim or payment would never be accepted, in one word that is sent back; None for a good one."""
    account = rows.account_of(work.connection, ours)
    if peer.status is not PeerStatus.ACTIVE:
        return "suspended"
    if not _are_known_terms(work, peer, message):
        return "unknown_terms"
    if account is None or account.status is not AccountStatus.OPEN:
        return "unknown_member"
    if rows.origin_of(theirs) != peer.origin:
        return "foreign_party"
    if message.kind is Kind.INVITE and not account.takes_payments:
        return "not_wanted"
    if message.deal is not None and message.deal.minutes > peer.max_transfer:
        return "too_much"
    if message.end_time is not None and message.end_time <= work.now:
        return "expired"
    return None


def _are_known_terms(work: Work, peer: Peer, message: Message) -> bool:
    table = tables.peer_terms
    known = (table.c.peer_id == peer.id) & (table.c.digest == message.envelope.channel.terms)
    return work.connection.execute(select(table.c.digest).where(known)).first() is not None


def _check_same(work: Work, message: Message) -> None:
    """A message about a transfer we know moves the same minutes between the same two."""
    found, deal = rows.transfer(work.connection, message.transfer), _deal(message)
    if found is None:
        return
    hours = steps.hours_of(work, found.id)
    if hours is None or (hours.payer, hours.payee, hours.minutes) != (deal.payer, deal.payee, deal.minutes):
        raise Refused("another_deal", "This transfer was about other hours or other people.", 409)


def _deal(message: Message) -> Deal:
    if message.deal is None:
        raise Refused("message_shape", "This message does not say what is moved.")
    return message.deal


def _matter(work: Work, how: _Taking, side: Side, message: Message, deal: Deal | None, reason: str) -> Matter:
    """The matter as its row says; for a transfer that is new here, as the message says."""
    found = rows.transfer(work.connection, message.transfer)
    if found is None:
        end_time = message.end_time or (message.offered.end_time if message.offered else None)
        return Matter(how.limits, how.peer, side, message.transfer, deal, reason, end_time, shown=how.shown)
    if found.peer_id != how.peer.id or found.kind != side:
        raise Refused("foreign_transfer", "This transfer is not between our two ledgers in this direction.", 403)
    return replace(steps.matter_of(work, how.limits, found, reason), shown=how.shown)
