"""Linking our timebank with another network's: both admins agree on lines, keys are pinned, and links rest or end."""

from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import insert, select, update

from activitypub.documents import Actor
from activitypub.keys import VerificationKey, public_from_multibase, public_to_multibase
from fedaid.actors import queries as actors
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, channel, keys, steps, transfers
from fedaid.timebank.facts import PeeringActivated, PeeringAsked, PeeringEnded
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Peer
from fedaid.timebank.rules import payee, terms
from fedaid.timebank.rules.books import GENESIS, AccountStatus
from fedaid.timebank.rules.messages import Document
from fedaid.timebank.rules.proofs import check_signed
from fedaid.timebank.rules.states import UNDECIDED, Given, PayeeState, Side
from fedaid.timebank.rules.terms import Agreement, Farewell, Grant, PeerStatus, PinnedKey, Proposal

_BEGUN = (PeerStatus.PROPOSED, PeerStatus.ASKED)
_OVER = (PeerStatus.CLOSING, PeerStatus.CLOSED, PeerStatus.LOST)


@dataclass(frozen=True)
class PeerFacts:
    """What was found out about another network's ledger before we speak to it."""

    host: str
    origin: str
    ledger_actor: str
    key: PinnedKey

    @classmethod
    def of(cls, host: str, origin: str, ledger: Actor) -> "PeerFacts":
        """From the ledger's own document. Raises Refused when it shows no Ed25519 key."""
        return cls(host, origin, ledger.id.text, _ledger_key(ledger.keys))


def _ledger_key(keys: Any) -> PinnedKey:
    found: list[VerificationKey] = [key for key in keys if isinstance(key.public_key, Ed25519PublicKey)]
    if not found:
        raise Refused("no_ledger_key", "The ledger of this network shows no Ed25519 key.")
    key = found[0].public_key
    assert isinstance(key, Ed25519PublicKey)  # noqa: S101 - chosen so
    return PinnedKey(found[0].key_id, public_to_multibase(key))


# what our admin does


def propose(work: Work, facts: PeerFacts, limits: TimebankLimits, *, line_minutes: int) -> Peer:
    """Propose a link: they may owe us at most ``line_minutes``. Raises Refused when there is a link already."""
    books.lock(work)
    known = rows.peer_by_actor(work.connection, facts.ledger_actor) or rows.peer_by_host(work.connection, facts.host)
    if known is not None and known.status not in _OVER and known.status is not PeerStatus.PROPOSED:
        raise Refused("peer_exists", "There is a link with this network already.", 409)
    grant = Grant(terms.checked_line(line_minutes), limits.max_transfer_minutes)
    peer = _begin(work, facts, grant, limits, PeerStatus.PROPOSED)
    document = _signed_proposal(work, peer, grant, limits)
    _change(work, peer, our_proposal=channel.text_of(document), their_proposal=None)
    channel.send(work, peer.actor, document)
    return rows.peer(work.connection, peer.id)


def _signed_proposal(work: Work, peer: Peer, grant: Grant, limits: TimebankLimits) -> Document:
    ours = work.names.ledger
    proposal = Proposal(
        terms.proposal_id(ours, peer.number),
        ours,
        peer.actor,
        work.now,
        grant,
        limits.offer_lifetime_days,
        channel.our_pinned_key(work),
    )
    return channel.signed(work, terms.write_proposal(proposal))


def accept(work: Work, ledger_actor: str, limits: TimebankLimits, *, line_minutes: int) -> Peer:
    """Accept what the other network proposed; it may owe us at most ``line_minutes``. Raises NotFound, Refused."""
    books.lock(work)
    peer = _peer(work, ledger_actor)
    if peer.status is not PeerStatus.ASKED or peer.their_proposal is None:
        raise Refused("peer_not_asking", "This network is not waiting for our answer.", 409)
    theirs = _theirs(peer)
    ours, number = work.names.ledger, work.new_id()
    grant = Grant(terms.checked_line(line_minutes), limits.max_transfer_minutes)
    answer = Agreement(
        terms.agreement_id(ours, number),
        ours,
        peer.actor,
        work.now,
        grant,
        channel.our_pinned_key(work),
        theirs.document or {},
    )
    document = channel.signed(work, terms.write_agreement(answer))
    _change(work, peer, number=number)
    _activate(work, peer, document, grant, theirs.grant, theirs.offer_lifetime_days, theirs.key)
    channel.send(work, peer.actor, document)
    work.record(PeeringActivated(peer.id, peer.host, peer.actor, by_us=True))
    return rows.peer(work.connection, peer.id)


def pause(work: Work, ledger_actor: str, limits: TimebankLimits) -> Peer:
    """Nothing new begins between us; what their members claim of ours and is not confirmed yet is refused."""
    peer = _step(work, ledger_actor, (PeerStatus.ACTIVE,), PeerStatus.SUSPENDED)
    steps.refuse_undecided(work, limits, peer)
    return rows.peer(work.connection, peer.id)


def resume(work: Work, ledger_actor: str) -> Peer:
    """The link works again."""
    return _step(work, ledger_actor, (PeerStatus.SUSPENDED,), PeerStatus.ACTIVE)


def end(work: Work, ledger_actor: str, limits: TimebankLimits) -> Peer:
    """Decline, take back or end the link. What is owed stays owed: the account is closed once it is even."""
    books.lock(work)
    peer = _peer(work, ledger_actor)
    if peer.status in _OVER:
        raise Refused("peer_over", "This link has ended already.", 409)
    document = channel.signed(work, terms.write_farewell(_farewell(work, peer)))
    channel.send(work, peer.actor, document)
    _end(work, peer, limits)
    work.record(PeeringEnded(peer.id, peer.host, peer.actor, by_us=True))
    return rows.peer(work.connection, peer.id)


def _farewell(work: Work, peer: Peer) -> Farewell:
    """A Reject of what they proposed; an Undo of what we proposed or both agreed."""
    ours, number = work.names.ledger, work.new_id()
    declines = peer.status is PeerStatus.ASKED
    about = _theirs(peer).id if declines else f"{ours}/peerings/{peer.number}"
    return Farewell(
        f"{ours}/peerings/{number}/end", "Reject" if declines else "Undo", ours, peer.actor, work.now, about
    )


def _theirs(peer: Peer) -> Proposal:
    return terms.read_proposal(orjson.loads(peer.their_proposal or "{}"))


def _speaking_key(peer: Peer) -> PinnedKey:
    """The key of the handshake under way, else the pinned one; a new key is pinned only once both admins agreed."""
    return _theirs(peer).key if peer.their_proposal is not None else peer.key


def declare_lost(work: Work, ledger_actor: str, limits: TimebankLimits) -> Peer:
    """The other network is gone for good: what it claims of ours is refused, what we claimed of it is given up.

    Nobody's hours were locked by our claims, only its line. What is owed is written off in a step of its own.
    """
    books.lock(work)
    found = _peer(work, ledger_actor)
    if found.status not in rows.SPEAKING:
        raise Refused(
            "peer_status",
            "As the link stands now, this cannot be done with it.",
            409,
        )
    _change(work, found, status=PeerStatus.LOST)
    peer = rows.peer(work.connection, found.id)
    table = tables.transfer
    claimed = (table.c.peer_id == peer.id) & (table.c.kind == Side.PAYEE)
    claimed &= table.c.state.in_([PayeeState.CLAIMED, PayeeState.CANCEL_ASKED])
    for row in work.connection.execute(select(table).where(claimed)).all():
        matter = steps.matter_of(work, limits, rows.transfer_of(row), "lost")
        steps.at_payee(work, matter, payee.Input.PEER_LOST, Given())
    steps.refuse_undecided(work, limits, peer)
    return peer


def found_again(work: Work, ledger_actor: str) -> Peer:
    """A network that was given up answers again. What it decided meanwhile counts; a write-off stays to be undone."""
    peer = _step(work, ledger_actor, (PeerStatus.LOST,), PeerStatus.ACTIVE)
    channel.need_sync(work, peer.id)
    return rows.peer(work.connection, peer.id)


def write_off(work: Work, ledger_actor: str) -> list[str]:
    """Even out the account with a network that is lost or leaves, against the community chest; the transfers' ids.

    What they owed us the chest loses, what we owed them it gets.
    """
    books.lock(work)
    peer = _peer(work, ledger_actor)
    if peer.status not in (PeerStatus.LOST, PeerStatus.CLOSING):
        raise Refused("peer_status", "Only with a network that is lost or leaves can an account be written off.", 409)
    account, chest = rows.clearing(work.connection, peer.id), books.open_chest(work)
    if account is None or not account.balance:
        return []
    gives, takes = (account.id, chest) if account.balance > 0 else (chest, account.id)
    made = transfers.move_by_admin(work, debit=gives, credit=takes, minutes=abs(account.balance))
    close_even(work, peer.id)
    return made


def undo_write_off(work: Work, transfer_id: str) -> None:
    """Owe again what was written off, because the other network has come back. Raises NotFound, Refused."""
    books.lock(work)
    found = rows.transfer(work.connection, transfer_id)
    accounts = [rows.account(work.connection, one) for one in (found.debit, found.credit)] if found else []
    if found is None or found.peer_id is not None or not any(one.peer_id for one in accounts):
        raise NotFound
    if rows.is_reversed(work.connection, transfer_id):
        raise Refused("reversed_already", "This write-off has been undone already.", 409)
    transfers.move_by_admin(work, debit=found.credit, credit=found.debit, minutes=found.minutes, reverses=transfer_id)


def set_line(work: Work, ledger_actor: str, line_minutes: int) -> None:
    """Grant another line than was agreed on; a smaller one than is owed only stops more."""
    books.lock(work)
    peer, line = _peer(work, ledger_actor), terms.checked_line(line_minutes)
    found = rows.clearing(work.connection, peer.id)
    if found is not None:
        books.set_floor(work, found.id, -line)
    _change(work, peer, line=line)


# what the other network says


def receive_proposal(work: Work, sender: str, document: Document, limits: TimebankLimits) -> None:
    """Their admin proposes a link; ours is told. The key must be the one that their ledger shows (FEP-521a).

    Raises Refused or ProtocolError when it is not.
    """
    books.lock(work)
    proposal = terms.read_proposal(document)
    _check_parties(work, sender, proposal.actor, proposal.to)
    if proposal.key not in [_pinned(key) for key in actors.keys_of(work.connection, sender)]:
        raise Refused("ledger_key", "Your ledger does not show this key as its own.", 403)
    check_signed(document, sender, [proposal.key])
    known = rows.peer_by_actor(work.connection, sender)
    if known is not None and known.their_proposal == channel.text_of(document):
        return
    if known is not None and known.status not in (*_BEGUN, *_OVER):
        raise Refused("peer_exists", "There is a link between our timebanks already; end it first.", 409)
    host = rows.origin_of(sender).partition("://")[2]
    facts = PeerFacts(host, rows.origin_of(sender), sender, proposal.key)
    ours = Grant(known.line if known else limits.line_minutes, limits.max_transfer_minutes)
    peer = _begin(work, facts, ours, limits, PeerStatus.ASKED)
    _change(work, peer, their_proposal=channel.text_of(document), line_granted=proposal.grant.line)
    work.record(PeeringAsked(peer.id, host, sender, proposal.grant.line))


def _pinned(key: VerificationKey) -> PinnedKey:
    public = key.public_key
    return PinnedKey(key.key_id, public_to_multibase(public) if isinstance(public, Ed25519PublicKey) else "")


def receive_agreement(work: Work, sender: str, document: Document) -> None:
    """Their admin accepted what ours proposed: hours may go from now on. Raises Refused or ProtocolError."""
    books.lock(work)
    answer = terms.read_agreement(document)
    _check_parties(work, sender, answer.actor, answer.to)
    peer = _peer(work, sender)
    if _is_known_agreement(work, answer.digest):
        return
    if answer.key != peer.key:
        raise Refused("ledger_key", "This is not the key that your ledger showed when we proposed.", 403)
    check_signed(document, sender, [peer.key])
    channel.check_ours(work, answer.proposed)
    if peer.our_proposal != channel.text_of(answer.proposed) or peer.status in _OVER:
        raise Refused("not_proposed", "This is not what our network proposed, or it took it back.", 409)
    ours = terms.read_proposal(answer.proposed)
    was_new = peer.status in _BEGUN
    _activate(work, peer, document, ours.grant, answer.grant, ours.offer_lifetime_days, answer.key)
    if was_new:
        work.record(PeeringActivated(peer.id, peer.host, peer.actor, by_us=False))


def receive_farewell(work: Work, sender: str, document: Document, limits: TimebankLimits) -> None:
    """Their admin declined, took back or ended the link. Raises Refused or ProtocolError."""
    books.lock(work)
    farewell = terms.read_farewell(document)
    _check_parties(work, sender, farewell.actor, farewell.to)
    peer = _peer(work, sender)
    check_signed(document, sender, [_speaking_key(peer)])
    if peer.status in _OVER or not _is_about_us(work, peer, farewell):
        return
    _end(work, peer, limits)
    work.record(PeeringEnded(peer.id, peer.host, peer.actor, by_us=False))


def _is_about_us(work: Work, peer: Peer, farewell: Farewell) -> bool:
    """Whether it is about the present handshake: an old goodbye must not end a link that was made anew."""
    declined = farewell.verb == "Reject" and peer.status in _BEGUN
    if declined:
        return farewell.about == terms.proposal_id(work.names.ledger, peer.number)
    theirs = [peer.their_proposal] if peer.their_proposal else []
    table = tables.peer_terms
    agreed = select(table.c.doc).where(table.c.peer_id == peer.id, table.c.digest == peer.terms_digest)
    theirs += work.connection.execute(agreed).scalars()
    ids = {part for text in theirs for part in _ids(orjson.loads(text))}
    return farewell.verb == "Undo" and farewell.about in ids


def _ids(document: Document) -> list[str]:
    """The handshakes that a message is of: its own, and that of the proposal inside it."""
    own = [document["id"].removesuffix("/offer").removesuffix("/accept")]
    inner = document.get("fa:offer")
    return own + (_ids(inner) if inner else [])


# the row of a peer


def _check_parties(work: Work, sender: str, actor: str, to: str) -> None:
    if actor != sender or to != work.names.ledger:
        raise Refused("not_for_us", "A ledger message goes from one ledger to the other.", 403)


def _peer(work: Work, ledger_actor: str) -> Peer:
    found = rows.peer_by_actor(work.connection, ledger_actor)
    if found is None:
        raise NotFound("There is no link between the timebanks of this network and ours.")
    return found


def _begin(work: Work, facts: PeerFacts, grant: Grant, limits: TimebankLimits, status: PeerStatus) -> Peer:
    """The peer at the start of a handshake. Its channel goes on where an earlier link left it."""
    values: dict[str, Any] = {
        "host": facts.host,
        "origin": facts.origin,
        "actor": facts.ledger_actor,
        "status": status,
        "number": work.new_id(),
        "line": grant.line,
        "max_transfer": grant.max_transfer,
        "offer_lifetime_days": limits.offer_lifetime_days,
        "changed_at": work.now,
    }
    pinned = {"key_id": facts.key.id, "key_multibase": facts.key.multibase}
    public_from_multibase(facts.key.multibase)
    known = rows.peer_by_actor(work.connection, facts.ledger_actor) or rows.peer_by_host(work.connection, facts.host)
    if known is None:
        start = {"out_seq": 0, "out_hash": GENESIS, "in_seq": 0, "in_hash": GENESIS}
        made = {"id": work.new_id(), "line_granted": 0, "created_at": work.now, **start}
        work.connection.execute(insert(tables.peer).values(**values, **pinned, **made))
    else:
        if known.terms_digest is None or status is PeerStatus.PROPOSED:
            values |= pinned
        if known.our_proposal is not None and status is PeerStatus.ASKED:
            values["number"] = known.number  # ours is still on its way: both proposed at once
        work.connection.execute(update(tables.peer).where(tables.peer.c.id == known.id).values(values))
    return _peer(work, facts.ledger_actor)


def _change(work: Work, peer: Peer, **values: object) -> None:
    changed = update(tables.peer).where(tables.peer.c.id == peer.id).values(changed_at=work.now, **values)
    work.connection.execute(changed)


def _activate(
    work: Work, peer: Peer, agreement: Document, ours: Grant, theirs: Grant, lifetime_days: int, key: PinnedKey
) -> None:
    """Both sides have signed: the agreement's digest is quoted from now on, and the account between us is open."""
    digest = terms.read_agreement(agreement).digest
    row = {"digest": digest, "peer_id": peer.id, "doc": channel.text_of(agreement), "at": work.now}
    work.connection.execute(insert(tables.peer_terms).values(row))
    books.open_clearing(work, peer.id, ours.line)
    keys.pin(work, peer.id, key)
    if peer.terms_digest is not None:  # there was a link before: one of us may have lost what it knew of it
        channel.need_sync(work, peer.id)
    _change(
        work,
        peer,
        status=PeerStatus.SUSPENDED if peer.status is PeerStatus.SUSPENDED else PeerStatus.ACTIVE,
        terms_digest=digest,
        line=ours.line,
        line_granted=theirs.line,
        max_transfer=min(ours.max_transfer, theirs.max_transfer),
        offer_lifetime_days=lifetime_days,
        key_id=key.id,
        key_multibase=key.multibase,
    )


def _is_known_agreement(work: Work, digest: str) -> bool:
    table = tables.peer_terms
    return work.connection.execute(select(table.c.digest).where(table.c.digest == digest)).first() is not None


def _step(work: Work, ledger_actor: str, from_: tuple[PeerStatus, ...], to: PeerStatus) -> Peer:
    books.lock(work)
    peer = _peer(work, ledger_actor)
    if peer.status not in from_:
        raise Refused(
            "peer_status",
            "As the link stands now, this cannot be done with it.",
            409,
        )
    _change(work, peer, status=to)
    return rows.peer(work.connection, peer.id)


def _end(work: Work, peer: Peer, limits: TimebankLimits) -> None:
    if peer.status in _BEGUN:
        _change(work, peer, status=PeerStatus.CLOSED, our_proposal=None, their_proposal=None)
        return
    _change(work, peer, status=PeerStatus.CLOSING, our_proposal=None, their_proposal=None)
    steps.refuse_undecided(work, limits, rows.peer(work.connection, peer.id))
    close_even(work, peer.id)


def close_even(work: Work, peer_id: int) -> None:
    """Close a link that has ended, once nothing is owed and nothing is under way."""
    peer, account = rows.peer(work.connection, peer_id), rows.clearing(work.connection, peer_id)
    if peer.status is not PeerStatus.CLOSING or account is None or account.balance or account.held:
        return
    table = tables.transfer
    open_ones = (table.c.peer_id == peer_id) & table.c.state.in_([state.value for state in UNDECIDED])
    if work.connection.execute(select(table.c.id).where(open_ones)).first() is None:
        books.set_status(work, account.id, AccountStatus.CLOSED)
        _change(work, peer, status=PeerStatus.CLOSED)
