"""The row of signed messages to and from one peer: signing ours, keeping both sides', sending until answered."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select, update

from activitypub.keys import SigningKey, VerificationKey, public_from_multibase, public_to_multibase
from activitypub.signatures.proofs import add_proof, canonical, verify_proof
from fedaid.actors import queries as actors
from fedaid.foundation.clock import milliseconds
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands.books import lock
from fedaid.timebank.facts import LedgerAlarm
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Peer, StoredFact
from fedaid.timebank.rules.messages import ANY_TIME, Channel, Document, Envelope
from fedaid.timebank.rules.reading import Message, read
from fedaid.timebank.rules.states import ANSWERED_BY, SUPERSEDED_BY, Alarm, Kind
from fedaid.timebank.rules.terms import PinnedKey
from outbox import queue


def our_key(work: Work) -> SigningKey:
    """The ledger's own key, O/ledger#key-1."""
    return actors.ed25519_key(work.connection, work.names.ledger)


def our_pinned_key(work: Work) -> PinnedKey:
    """Our ledger's key as we tell it to a peer."""
    key = our_key(work)
    return PinnedKey(key.key_id, public_to_multibase(_public(key)))


def _public(key: SigningKey) -> Any:
    if not isinstance(key.private_key, Ed25519PrivateKey):
        raise TypeError("the ledger's key is an Ed25519 key")
    return key.private_key.public_key()


def signed(work: Work, document: Document) -> dict[str, Any]:
    """The document with our ledger's proof."""
    return add_proof(document, our_key(work), work.now)


def check_ours(work: Work, document: Document) -> None:
    """Raises SignatureRefused unless our own ledger signed this document."""
    key = our_key(work)
    verify_proof(document, VerificationKey(key.key_id, key.owner, _public(key), work.now), ANY_TIME)


def check_theirs(work: Work, document: Document, actor: str, key: PinnedKey) -> None:
    """Raises SignatureRefused unless the pinned key of this peer signed this document."""
    verify_proof(document, VerificationKey(key.id, actor, public_from_multibase(key.multibase), work.now), ANY_TIME)


def text_of(document: Document) -> str:
    """A signed document as it is stored: its canonical form."""
    return canonical(document).decode()


def document_of(stored: StoredFact) -> dict[str, Any]:
    """The stored message as a document again."""
    found: dict[str, Any] = orjson.loads(stored.doc)
    return found


def send(work: Work, actor: str, document: Document) -> None:
    """Post a signed message to a peer's ledger, for as long as it takes."""
    queue.post(work.connection, _outgoing(work, actor, document), milliseconds(work.now))


def send_again(work: Work, actor: str, document: Document) -> None:
    """Deliver a message of ours once more, though it was delivered: the peer asks, or does not answer."""
    queue.post_again(work.connection, _outgoing(work, actor, document), milliseconds(work.now))


def _outgoing(work: Work, actor: str, document: Document) -> queue.Outgoing:
    return queue.Outgoing(document, work.names.ledger, to=(actor,), keep_trying=True)


def sign(work: Work, peer_id: int, transfer_id: str, write: Callable[[Envelope], Document]) -> Message:
    """Sign a message about a transfer, keep it, send it, and send it again until it is answered."""
    peer = rows.peer(work.connection, peer_id)  # read anew: each message moves the channel
    channel = Channel(peer.terms_digest or "", peer.out_seq + 1, peer.out_hash, peer.in_seq, peer.in_hash)
    envelope = Envelope(work.names.ledger, peer.actor, work.now, transfer_id, channel)
    message = read(signed(work, write(envelope)))
    number = _store(work, peer_id, message, ours=True, counts=True)
    moved = {"out_seq": channel.seq, "out_hash": message.digest}
    work.connection.execute(update(tables.peer).where(tables.peer.c.id == peer_id).values(moved))
    _settle(work, transfer_id, message.kind, SUPERSEDED_BY)
    if message.kind in ANSWERED_BY:
        _await_answer(work, peer_id, number, message)
    send(work, peer.actor, message.document)
    return message


def _await_answer(work: Work, peer_id: int, number: int, message: Message) -> None:
    row = {"fact_n": number, "peer_id": peer_id, "transfer_id": message.transfer, "kind": message.kind}
    first = work.now + timedelta(seconds=TimebankLimits().resend_first_seconds)
    work.connection.execute(insert(tables.resend).values(**row, next_try=first))


def keep(work: Work, peer: Peer, message: Message, *, ours: bool = False) -> bool:
    """Keep a message of the other side (or one of ours that came back to us); whether it is the one that counts."""
    known = rows.fact_by_digest(work.connection, message.digest)
    if known is not None:
        return known.counts
    others = rows.facts_about(work.connection, peer.id, message.transfer)
    counts = not any(other.counts and other.kind is message.kind for other in others)
    _store(work, peer.id, message, ours=ours, counts=counts)
    if not counts and message.kind in (Kind.OFFER, Kind.ACCEPT):
        alarm(work, peer.id, message.transfer, Alarm.EQUIVOCATION)
    return counts


def _store(work: Work, peer_id: int, message: Message, *, ours: bool, counts: bool) -> int:
    number = lock(work).facts + 1
    work.connection.execute(
        insert(tables.fact).values(
            n=number,
            peer_id=peer_id,
            transfer_id=message.transfer,
            kind=message.kind,
            ours=ours,
            seq=message.envelope.channel.seq,
            digest=message.digest,
            doc=text_of(message.document),
            at=work.now,
            counts=counts,
        )
    )
    work.connection.execute(update(tables.ledger_head).values(facts=number))
    return number


def notice(work: Work, peer: Peer, message: Message) -> None:
    """Compare the numbers in a message with ours: what they show is noted, and the message counts all the same."""
    channel = message.envelope.channel
    for found in _oddities(work, peer, message):
        alarm(work, peer.id, message.transfer, found)
    if channel.seq > peer.in_seq + 1:
        need_sync(work, peer.id)
    if channel.seq > peer.in_seq:
        seen = {"in_seq": channel.seq, "in_hash": message.digest}
        work.connection.execute(update(tables.peer).where(tables.peer.c.id == peer.id).values(seen))


def _oddities(work: Work, peer: Peer, message: Message) -> list[Alarm]:
    channel = message.envelope.channel
    found = [Alarm.FORGOTTEN] if channel.seen > peer.out_seq else []
    if channel.seen and _differs(work, peer.id, True, channel.seen, channel.seen_head):
        found.append(Alarm.FORKED)
    if _differs(work, peer.id, False, channel.seq, message.digest):
        found.append(Alarm.REWOUND)
    return found


def _differs(work: Work, peer_id: int, ours: bool, seq: int, digest: str) -> bool:
    """Whether we know messages under this number, and none of them is this one."""
    at_place = (tables.fact.c.peer_id == peer_id) & (tables.fact.c.ours == ours) & (tables.fact.c.seq == seq)
    known = work.connection.execute(select(tables.fact.c.digest).where(at_place)).scalars().all()
    return bool(known) and digest not in known


_NEEDS_SYNC = frozenset({Alarm.SYNC, Alarm.FORGOTTEN, Alarm.FORKED, Alarm.REWOUND})


def alarm(work: Work, peer_id: int, transfer_id: str | None, what: Alarm) -> None:
    """Tell the admins; what shows that something was forgotten also asks for a sync."""
    work.record(LedgerAlarm(peer_id, transfer_id, what))
    if what in _NEEDS_SYNC:
        need_sync(work, peer_id)


def need_sync(work: Work, peer_id: int) -> None:
    """Something of this peer's messages is missing here, or of ours there."""
    work.connection.execute(update(tables.peer).where(tables.peer.c.id == peer_id).values(needs_sync=True))


def acknowledge(work: Work, transfer_id: str, came: Kind) -> None:
    """The other side answered: what waited for this kind of answer is not sent again."""
    _settle(work, transfer_id, came, ANSWERED_BY)


def _settle(work: Work, transfer_id: str, came: Kind, ended_by: Any) -> None:
    ended = [kind for kind, enders in ended_by.items() if came in enders]
    waiting = (tables.resend.c.transfer_id == transfer_id) & tables.resend.c.kind.in_(ended)
    waiting &= tables.resend.c.acked_at.is_(None)
    work.connection.execute(update(tables.resend).where(waiting).values(acked_at=work.now))


def pause_before(tries: int, limits: TimebankLimits) -> timedelta:
    """How long to wait before a message is sent again: doubled each time, at most an hour, never all at once."""
    seconds = min(limits.resend_first_seconds * 2 ** min(tries, 20), limits.resend_seconds_max)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))
