"""A ledger's new key: told to every peer in a message signed with the old one; what the old one signed stays signed."""

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from activitypub.keys import public_from_multibase
from fedaid.actors import commands as actors
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, channel
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Peer
from fedaid.timebank.rules import papers
from fedaid.timebank.rules.messages import Document, Envelope
from fedaid.timebank.rules.papers import KeyMessage
from fedaid.timebank.rules.states import Alarm, Paper
from fedaid.timebank.rules.terms import PinnedKey


@dataclass(frozen=True)
class KeyRenewed:
    """Our ledger signs with another key from now on."""

    key_id: str
    peers: int


def renew_key(work: Work, limits: TimebankLimits) -> PinnedKey:
    """Sign with a new key from now on. Every peer is told in the old key's name; a lost key needs a new handshake."""
    books.lock(work)
    old = channel.our_pinned_key(work)
    made = actors.make_ed25519(work.names.ledger, 1 + _highest(work, old))
    new = PinnedKey(made.key_id, made.multibase)

    def write(envelope: Envelope) -> Document:
        return papers.write_new_key(envelope, new)

    peers = [peer for peer in rows.peers(work.connection) if peer.terms_digest is not None]
    for peer in peers:
        channel.sign_paper(work, limits, peer.id, new.id, write)
    actors.use_ed25519(work, work.names.ledger, made)
    _retire(work, old)
    work.record(KeyRenewed(new.id, len(peers)))
    return new


def _highest(work: Work, present: PinnedKey) -> int:
    """The number of the newest key we ever told anybody, also of one that we lost when we were restored."""
    query = select(tables.fact.c.transfer_id).where(tables.fact.c.ours, tables.fact.c.kind == Paper.NEW_KEY)
    return max(int(key_id.rpartition("-")[2]) for key_id in [present.id, *work.connection.execute(query).scalars()])


def recall_new_key(work: Work, limits: TimebankLimits, peer: Peer, message: KeyMessage) -> None:
    """We are shown a key of ours. Where it is not among those we know, it was lost with what the restore took.

    What it has signed we signed, so its public half is kept; we go on with the key we have, until a new one is made.
    """
    channel.keep_ours(work, limits, peer, message)
    if message.key not in [channel.our_pinned_key(work), *rows.retired_keys(work.connection)]:
        _retire(work, message.key)
        channel.alarm(work, peer.id, None, Alarm.KEY_LOST)


def _retire(work: Work, key: PinnedKey) -> None:
    row = {"n": work.new_id(), "key_id": key.id, "multibase": key.multibase, "until": work.now}
    work.connection.execute(insert(tables.retired_key).values(row))


def receive_new_key(work: Work, peer: Peer, message: KeyMessage) -> None:
    """Pin the peer's new key. Its message was verified with a key pinned before."""
    public_from_multibase(message.key.multibase)
    if not channel.keep(work, peer, message):
        return
    pin(work, peer.id, message.key)
    values = {"key_id": message.key.id, "key_multibase": message.key.multibase, "changed_at": work.now}
    work.connection.execute(update(tables.peer).where(tables.peer.c.id == peer.id).values(values))


def pin(work: Work, peer_id: int, key: PinnedKey) -> None:
    """Remember a key for good; the same one is remembered once."""
    if key in rows.pinned_keys(work.connection, peer_id):
        return
    row = {"n": work.new_id(), "peer_id": peer_id, "key_id": key.id, "multibase": key.multibase, "since": work.now}
    work.connection.execute(insert(tables.peer_key).values(row))
