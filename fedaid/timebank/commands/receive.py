"""Takes a signed message of a peer's ledger: whose it must be, what it must say, and the step it means."""

from collections.abc import Callable, Mapping

from sqlalchemy import select

from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, channel, steps
from fedaid.timebank.commands.steps import Matter
from fedaid.timebank.rows import Peer
from fedaid.timebank.rules import payee, payer
from fedaid.timebank.rules.books import AccountStatus
from fedaid.timebank.rules.messages import Deal, Document
from fedaid.timebank.rules.reading import Message, read
from fedaid.timebank.rules.states import SIGNED_BY, Given, Kind, PayerState, Side
from fedaid.timebank.rules.terms import PeerStatus


def receive(work: Work, sender: str, document: Document) -> Message:
    """Take a message that arrived from ``sender``, whose HTTP signature was verified.

    Order, repetition and loss do not matter: what counts is the set of messages. Raises Refused or ProtocolError for
    one that is misshapen, not signed with the pinned key, or about what is not the sender's.
    """
    books.lock(work)
    message = read(document)
    peer = _peer(work, sender, message)
    channel.check_theirs(work, document, peer.actor, peer.key)
    channel.notice(work, peer, message)
    if SIGNED_BY[message.kind] is Side.PAYEE:
        _AT_PAYER[message.kind](work, peer, message)
    else:
        _AT_PAYEE[message.kind](work, peer, message)
    channel.acknowledge(work, message.transfer, message.kind)
    return message


def _peer(work: Work, sender: str, message: Message) -> Peer:
    peer = rows.peer_by_actor(work.connection, sender)
    if peer is None or peer.terms_digest is None:  # agreed once: what was begun then is answered for ever
        raise Refused("unknown_peer", "There is no agreement between our timebanks.", 403)
    if message.envelope.actor != sender or message.envelope.to != work.names.ledger:
        raise Refused("not_for_us", "A ledger message goes from one ledger to the other.", 403)
    return peer


# at the payer's network


def _offer(work: Work, peer: Peer, message: Message) -> None:
    deal = _deal(message)
    why_not = _why_unacceptable(work, peer, message, deal.payer, deal.payee)
    matter = _matter(work, peer, Side.PAYER, message, deal, why_not or "refused")
    if steps.state(work, matter) is PayerState.INVITED:
        _check_same(work, message)
    given = Given(fits=_has_room(work, deal), acceptable=why_not is None)
    steps.at_payer(work, matter, payer.Input.OFFER, given, message)


def _has_room(work: Work, deal: Deal) -> bool:
    account = rows.account_of(work.connection, deal.payer)
    return account is not None and account.has_room_for(deal.minutes)


def _undo(work: Work, peer: Peer, message: Message) -> None:
    matter = _matter(work, peer, Side.PAYER, message, None, "withdrawn")
    steps.at_payer(work, matter, payer.Input.UNDO, Given(), message)


def _reject_invite(work: Work, peer: Peer, message: Message) -> None:
    matter = _matter(work, peer, Side.PAYER, message, None, message.reason or "refused")
    steps.at_payer(work, matter, payer.Input.REJECT_INVITE, Given(), message)


def _receipt(work: Work, peer: Peer, message: Message) -> None:
    """A Receipt names an Accept that we signed; where we know none at all, we may have forgotten it."""
    facts = rows.facts_about(work.connection, peer.id, message.transfer)
    accepts = [fact.digest for fact in facts if fact.kind is Kind.ACCEPT]
    if accepts and message.accepted not in accepts:
        raise Refused("unknown_accept", "This Receipt is for an Accept that we did not sign.", 409)
    if accepts:
        _check_same(work, message)
    matter = _matter(work, peer, Side.PAYER, message, None, "refused")
    steps.at_payer(work, matter, payer.Input.RECEIPT, Given(), message)


# at the payee's network


def _invite(work: Work, peer: Peer, message: Message) -> None:
    deal = _deal(message)
    why_not = _why_unacceptable(work, peer, message, deal.payee, deal.payer)
    line = rows.clearing(work.connection, peer.id)
    fits = why_not is None and line is not None and line.has_room_for(deal.minutes)
    matter = _matter(work, peer, Side.PAYEE, message, deal, why_not or "no_room")
    _check_same(work, message)
    steps.at_payee(work, matter, payee.Input.INVITE, Given(fits=fits), message)


def _accept(work: Work, peer: Peer, message: Message) -> None:
    """An Accept proves itself: the Offer inside it must bear our own signature, and be the one we made."""
    if message.offered is None or message.deal is None:
        raise Refused("foreign_offer", "This Accept has no Offer of ours inside.")
    channel.check_ours(work, message.offered.document)
    _check_same(work, message)
    line = rows.clearing(work.connection, peer.id)
    fits = line is not None and line.has_room_for(message.deal.minutes)
    matter = _matter(work, peer, Side.PAYEE, message, message.deal, "refused")
    steps.at_payee(work, matter, payee.Input.ACCEPT, Given(fits=fits), message)


def _reject(work: Work, peer: Peer, message: Message) -> None:
    matter = _matter(work, peer, Side.PAYEE, message, None, message.reason or "refused")
    steps.at_payee(work, matter, payee.Input.REJECT, Given(), message)


_AT_PAYER: Mapping[Kind, Callable[[Work, Peer, Message], None]] = {
    Kind.OFFER: _offer,
    Kind.UNDO: _undo,
    Kind.REJECT_INVITE: _reject_invite,
    Kind.RECEIPT: _receipt,
}
_AT_PAYEE: Mapping[Kind, Callable[[Work, Peer, Message], None]] = {
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


def _matter(work: Work, peer: Peer, side: Side, message: Message, deal: Deal | None, reason: str) -> Matter:
    """The matter as its row says; for a transfer that is new here, as the message says."""
    found = rows.transfer(work.connection, message.transfer)
    if found is None:
        return Matter(peer, side, message.transfer, deal, reason, message.end_time)
    if found.peer_id != peer.id or found.kind != side:
        raise Refused("foreign_transfer", "This transfer is not between our two ledgers in this direction.", 403)
    return steps.matter_of(work, found, reason)
