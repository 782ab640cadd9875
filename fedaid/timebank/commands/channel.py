"""The row of signed messages to and from one peer: signing ours, keeping both sides', sending until answered."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, or_, select, update

from activitypub.keys import SigningKey, public_to_multibase
from activitypub.signatures.proofs import add_proof, canonical
from fedaid.actors import queries as actors
from fedaid.foundation.clock import milliseconds
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands.books import lock
from fedaid.timebank.facts import LedgerAlarm
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Peer, StoredFact
from fedaid.timebank.rules.messages import Channel, Document, Envelope
from fedaid.timebank.rules.papers import PaperMessage, read_paper
from fedaid.timebank.rules.proofs import check_signed
from fedaid.timebank.rules.reading import Message, Signed, read
from fedaid.timebank.rules.shown import xor
from fedaid.timebank.rules.states import ANSWERED_BY, SUPERSEDED_BY, Alarm, FactKind, Kind
from fedaid.timebank.rules.terms import PeerStatus, PinnedKey
from outbox import queue

DOUBLED_MAX = 20  # beyond this the pause is the longest one anyway
S = TypeVar("S", bound=Signed)


# keys


def our_key(work: Work) -> SigningKey:
    """The ledger's own key, O/ledger#key-1, or a later one."""
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
    """Raises SignatureRefused unless our own ledger signed this document, with its key or an earlier one."""
    check_signed(document, work.names.ledger, [our_pinned_key(work), *rows.retired_keys(work.connection)])


def check_theirs(work: Work, document: Document, peer: Peer) -> None:
    """Raises SignatureRefused unless a key that was ever pinned for this peer signed this document."""
    check_signed(document, peer.actor, rows.keys_of_peer(work.connection, peer))


# sending


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


def sign(
    work: Work, limits: TimebankLimits, peer_id: int, transfer_id: str, write: Callable[[Envelope], Document]
) -> Message:
    """Sign a message about a transfer, keep it, send it, and send it again until it is answered."""
    return _sign(work, limits, peer_id, transfer_id, write, read)


def sign_paper(
    work: Work, limits: TimebankLimits, peer_id: int, about: str, write: Callable[[Envelope], Document]
) -> PaperMessage:
    """The same with a statement, an answer to one, or a new key."""
    return _sign(work, limits, peer_id, about, write, read_paper)


def _sign(
    work: Work,
    limits: TimebankLimits,
    peer_id: int,
    about: str,
    write: Callable[[Envelope], Document],
    read_again: Callable[[Document], S],
) -> S:
    peer = rows.peer(work.connection, peer_id)  # read anew: each message moves the channel
    channel = Channel(peer.terms_digest or "", peer.out_seq + 1, peer.out_hash, peer.in_seq, peer.in_hash)
    envelope = Envelope(work.names.ledger, peer.actor, work.now, about, channel)
    message = read_again(signed(work, write(envelope)))
    number = _store(work, peer_id, message, ours=True, counts=True)
    _was_said(work, peer, message)
    _settle(work, about, message.kind, SUPERSEDED_BY)
    _await_answer(work, limits, peer_id, number, message)
    send(work, peer.actor, message.document)
    return message


def _was_said(work: Work, peer: Peer, message: Signed) -> None:
    """Our row goes on after this message; also after one that we had forgotten and were shown again."""
    seq = message.envelope.channel.seq
    if seq > peer.out_seq:
        moved = {"out_seq": seq, "out_hash": message.digest}
        work.connection.execute(update(tables.peer).where(tables.peer.c.id == peer.id).values(moved))


def _await_answer(work: Work, limits: TimebankLimits, peer_id: int, number: int, message: Signed) -> None:
    if message.kind in ANSWERED_BY:
        row = {"fact_n": number, "peer_id": peer_id, "transfer_id": message.transfer, "kind": message.kind}
        first = work.now + timedelta(seconds=limits.resend_first_seconds)
        work.connection.execute(insert(tables.resend).values(**row, next_try=first))


def acknowledge(work: Work, transfer_id: str, came: FactKind) -> None:
    """The other side answered: what waited for this kind of answer is not sent again."""
    _settle(work, transfer_id, came, ANSWERED_BY)


def _settle(work: Work, transfer_id: str, came: FactKind, ended_by: Mapping[FactKind, frozenset[FactKind]]) -> None:
    ended = [kind for kind, enders in ended_by.items() if came in enders]
    waiting = (tables.resend.c.transfer_id == transfer_id) & tables.resend.c.kind.in_(ended)
    waiting &= tables.resend.c.acked_at.is_(None)
    work.connection.execute(update(tables.resend).where(waiting).values(acked_at=work.now))


def pause_before(tries: int, first_seconds: int, limits: TimebankLimits) -> timedelta:
    """How long to wait before the next try: doubled each time, at most an hour, never all at once."""
    seconds = min(first_seconds * 2 ** min(tries, DOUBLED_MAX), limits.resend_seconds_max)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))


# keeping


def keep(work: Work, peer: Peer, message: Signed) -> bool:
    """Keep a message of the other side; whether it is the one that counts."""
    return _keep(work, peer, message, ours=False)


def keep_ours(work: Work, limits: TimebankLimits, peer: Peer, message: Signed) -> bool:
    """Keep a message of ours that we had forgotten, and send it again where it still wants an answer."""
    counts = _keep(work, peer, message, ours=True)
    _was_said(work, rows.peer(work.connection, peer.id), message)
    facts = rows.facts_about(work.connection, peer.id, message.transfer)
    number = next(fact.n for fact in facts if fact.digest == message.digest)
    enders = ANSWERED_BY.get(message.kind, frozenset()) | SUPERSEDED_BY.get(message.kind, frozenset())
    known = work.connection.execute(select(tables.resend.c.fact_n).where(tables.resend.c.fact_n == number)).first()
    if counts and known is None and not any(fact.counts and fact.kind in enders for fact in facts):
        _await_answer(work, limits, peer.id, number, message)
    return counts


def _keep(work: Work, peer: Peer, message: Signed, *, ours: bool) -> bool:
    known = rows.fact_by_digest(work.connection, message.digest)
    if known is not None:
        return known.counts
    others = rows.facts_about(work.connection, peer.id, message.transfer)
    first = next((other for other in others if other.counts and other.kind is message.kind), None)
    _store(work, peer.id, message, ours=ours, counts=first is None)
    if first is not None and message.kind in (Kind.OFFER, Kind.ACCEPT):
        _note_second(work, peer, message, read(document_of(first)), ours=ours)
    return first is None


def _note_second(work: Work, peer: Peer, message: Signed, first: Message, *, ours: bool) -> None:
    """Two Offers or Accepts of one transfer. Who says two different things of one transfer is not to be dealt with."""
    if isinstance(message, Message) and message.deal == first.deal:
        alarm(work, peer.id, message.transfer, Alarm.REPEATED)
        return
    alarm(work, peer.id, message.transfer, Alarm.CONTRADICTION if ours else Alarm.EQUIVOCATION)
    if not ours:
        table = tables.peer
        active = (table.c.id == peer.id) & (table.c.status == PeerStatus.ACTIVE)
        values = {"status": PeerStatus.SUSPENDED, "changed_at": work.now}
        work.connection.execute(update(table).where(active).values(values))


def _store(work: Work, peer_id: int, message: Signed, *, ours: bool, counts: bool) -> int:
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
    _count(work, peer_id, message.digest, ours=ours)
    return number


def _count(work: Work, peer_id: int, digest: str, *, ours: bool) -> None:
    table = tables.peer
    columns = (table.c.messages, table.c.messages_xor, table.c.messages_day, table.c.messages_taken)
    row = work.connection.execute(select(*columns).where(table.c.id == peer_id)).one()
    values: dict[str, object] = {"messages": row.messages + 1, "messages_xor": xor(row.messages_xor, digest)}
    if not ours:
        today = _day(work.now)
        values |= {
            "messages_day": today,
            "messages_taken": 1 + (row.messages_taken if row.messages_day == today else 0),
        }
    work.connection.execute(update(table).where(table.c.id == peer_id).values(values))


def _day(now: datetime) -> int:
    return (now.astimezone(UTC).date() - date(1970, 1, 1)).days


def check_rate(work: Work, limits: TimebankLimits, peer: Peer) -> None:
    """Raises Refused when this peer has sent more than a neighbour would, today."""
    table = tables.peer
    row = work.connection.execute(
        select(table.c.messages_day, table.c.messages_taken).where(table.c.id == peer.id)
    ).one()
    if row.messages_day == _day(work.now) and row.messages_taken >= limits.messages_per_day_max:
        raise Refused("too_many_messages", "Your ledger has sent too many messages today; please go on tomorrow.", 429)


# noticing


def notice(work: Work, peer: Peer, message: Signed) -> None:
    """Compare the numbers in a message with ours: what they show is noted, and the message counts all the same."""
    channel = message.envelope.channel
    for found in _oddities(work, peer, message):
        alarm(work, peer.id, message.transfer, found)
    if channel.seq > peer.in_seq + 1:
        need_sync(work, peer.id)
    was_heard(work, peer, message)


def was_heard(work: Work, peer: Peer, message: Signed) -> None:
    """Their row has come this far."""
    table, seq = tables.peer, message.envelope.channel.seq
    if seq > peer.in_seq:
        seen = {"in_seq": seq, "in_hash": message.digest}
        work.connection.execute(update(table).where(table.c.id == peer.id).values(seen))


def _oddities(work: Work, peer: Peer, message: Signed) -> list[Alarm]:
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


def alarm(work: Work, peer_id: int, transfer_id: str | None, what: Alarm, *, asks: bool = True) -> None:
    """Tell the admins; what shows that something was forgotten also asks for a sync, unless we are at it (``asks``)."""
    work.record(LedgerAlarm(peer_id, transfer_id, what))
    _write_down(work, peer_id, transfer_id, what)
    if asks and what in _NEEDS_SYNC:
        need_sync(work, peer_id)


def _write_down(work: Work, peer_id: int, transfer_id: str | None, what: Alarm) -> None:
    """Once, until somebody has seen it."""
    table = tables.alarm
    same = (table.c.peer_id == peer_id) & (table.c.alarm == what) & table.c.seen_at.is_(None)
    same &= table.c.transfer_id.is_(None) if transfer_id is None else table.c.transfer_id == transfer_id
    if work.connection.execute(select(table.c.n).where(same)).first() is None:
        row = {"n": work.new_id(), "peer_id": peer_id, "transfer_id": transfer_id, "alarm": what, "at": work.now}
        work.connection.execute(insert(table).values(row))


def need_sync(work: Work, peer_id: int) -> None:
    """Something of this peer's messages is missing here, or of ours there: their copy is read soon."""
    table = tables.peer
    soon = or_(table.c.sync_next.is_(None), table.c.sync_done >= table.c.sync_asked)  # else it is being tried
    asked = update(table).where(table.c.id == peer_id)
    work.connection.execute(asked.where(soon).values(sync_next=None, sync_tries=0))
    work.connection.execute(asked.values(sync_asked=table.c.sync_asked + 1))


def ask_soon(work: Work, limits: TimebankLimits, peer_id: int) -> None:
    """Somebody we wait for has just spoken: no need to wait out a long pause. Yet nobody makes us ask all the time."""
    table, soon = tables.peer, work.now + timedelta(seconds=limits.sync_first_seconds)
    late = (table.c.id == peer_id) & (table.c.sync_asked > table.c.sync_done) & (table.c.sync_next > soon)
    work.connection.execute(update(table).where(late).values(sync_next=soon))
