"""A peer with a true key of its own that says whatever it likes: in letters, in its answers to a sync, in statements."""

import copy
import random
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub.keys import SigningKey
from activitypub.signatures.proofs import add_proof
from fedaid.actors import queries as actors
from fedaid.timebank.rules import messages, papers
from fedaid.timebank.rules.books import GENESIS
from fedaid.timebank.rules.messages import Channel, Deal, Document, Envelope, message_id
from fedaid.timebank.rules.shown import Page
from fedaid.timebank.rules.states import Kind
from tests.timebank.simulate.node import Node

OVERSIZE_CHARACTERS = 40_000


def letters(chance: random.Random, liar: Node, victim: Node, archive: list[bytes]) -> list[bytes]:
    """Some letters with one kind of lie in them."""
    lie = chance.choice(
        (
            _two_offers,
            _changed,
            _changed,
            _accept_alone,
            _foreign_offer,
            _receipt_alone,
            _contradiction,
            _refused_after_all,
            _readdressed,
            _oversize,
            _wrong_statement,
            _seen_much,
        )
    )
    return [orjson.dumps(document) for document in lie(chance, liar, victim, [orjson.loads(one) for one in archive])]


def page(chance: random.Random, liar: Node, victim: Node, after: int, archive: list[bytes]) -> Page:
    """What the liar shows as the messages in common."""
    true = liar.show(victim.ledger, after)
    items = [dict(item) for item in true.items]
    kind = chance.randrange(5)
    if kind == 0:  # everything is fine
        return true
    if kind == 1:  # there is nothing
        return Page((), 0, "0" * 64, None)
    if kind == 2 and items:  # something is missing, though it says all is there
        return Page(tuple(items[1:]), true.total, true.xor, true.next)
    if kind == 3:  # pages without end
        return Page(tuple(items) or ({"id": "x"},), true.total + 1, "1" * 64, after + 1)
    forged = [_retold(chance, item) for item in items]
    foreign = [document for document in map(orjson.loads, archive[-6:]) if isinstance(document, dict)]
    return Page((*forged, *foreign, *items, {"id": "nothing"}), true.total + 3, "2" * 64, None)


def _retold(chance: random.Random, item: dict[str, Any]) -> dict[str, Any]:
    """The message with other minutes and its old signature."""
    changed = copy.deepcopy(item)
    if "fa:minutes" in changed:
        changed["fa:minutes"] = chance.randrange(1, 200)
    return changed


def _key(liar: Node) -> SigningKey:
    with liar.database.read() as connection:
        return actors.ed25519_key(connection, liar.ledger)


def _signed(liar: Node, document: dict[str, Any]) -> dict[str, Any]:
    bare = {name: value for name, value in document.items() if name != "proof"}
    key = _key(liar)
    assert isinstance(key.private_key, Ed25519PrivateKey)
    return add_proof(bare, key, liar.clock.now())


def _envelope(chance: random.Random, liar: Node, victim: Node, transfer: str) -> Envelope:
    terms, seq = liar.database.raw.execute(
        "SELECT terms_digest, out_seq FROM peer WHERE actor = ?", (victim.ledger,)
    ).fetchone()
    channel = (
        Channel(terms, seq + chance.randrange(3), GENESIS, 0, GENESIS)
        if seq
        else Channel(terms, 1, GENESIS, 0, GENESIS)
    )
    return Envelope(liar.ledger, victim.ledger, liar.clock.now(), transfer, channel)


def _own(liar: Node, victim: Node, archive: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    """What was truly sent to the victim."""
    return [
        one
        for one in archive
        if one.get("actor") == liar.ledger
        and one.get("to") == [victim.ledger]
        and one.get("type") in kinds
        and "fa:transfer" in one
    ]


def _theirs(liar: Node, victim: Node, archive: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [
        one
        for one in archive
        if one.get("actor") == victim.ledger
        and one.get("to") == [liar.ledger]
        and one.get("type") in kinds
        and "fa:transfer" in one
    ]


def _new_transfer(chance: random.Random, liar: Node) -> str:
    import uuid

    return liar.names.transfer(str(uuid.UUID(bytes=chance.randbytes(16), version=4)))


def _deal(chance: random.Random, liar: Node, victim: Node, *, victim_pays: bool) -> Deal:
    ours, theirs = chance.choice(liar.members), chance.choice(victim.members)
    minutes = chance.choice((1, 30, 60, 119))
    return Deal(theirs, ours, minutes) if victim_pays else Deal(ours, theirs, minutes)


Documents = list[dict[str, Any]]


def _two_offers(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    transfer, deal = _new_transfer(chance, liar), _deal(chance, liar, victim, victim_pays=True)
    more = Deal(deal.payer, deal.payee, deal.minutes + 1)
    ends = liar.clock.now().replace(year=2030)
    envelope = _envelope(chance, liar, victim, transfer)
    return [_signed(liar, dict(messages.offer(envelope, one, ends, None))) for one in (deal, more)]


def _changed(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    """A true message of its own, with other minutes, signed anew."""
    found = _own(liar, victim, archive, "Offer", "Accept", "Invite", "Create")
    if not found:
        return []
    document = copy.deepcopy(chance.choice(found))
    minutes = chance.randrange(1, 300)
    _set_minutes(document, minutes)
    if chance.random() < 0.3 and "fa:offer" in document:
        _set_minutes(document["fa:offer"], minutes)
    return [_signed(liar, document)]


def _set_minutes(document: dict[str, Any], minutes: int) -> None:
    document["fa:minutes"] = minutes
    for part in (document.get("object"), document.get("result")):
        if isinstance(part, dict):
            for commitment in (part, part.get("stipulates"), part.get("stipulatesReciprocal")):
                if isinstance(commitment, dict) and "resourceQuantity" in commitment:
                    commitment["resourceQuantity"]["hasNumericalValue"] = str(minutes)


def _accept_alone(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    """An Accept without any Offer of the victim's: inside is one that the liar signed itself."""
    transfer = victim.names.transfer(_new_transfer(chance, liar).rpartition("/")[2])
    deal = _deal(chance, liar, victim, victim_pays=False)
    theirs = Envelope(
        victim.ledger, liar.ledger, liar.clock.now(), transfer, _envelope(chance, liar, victim, transfer).channel
    )
    offered = _signed(liar, dict(messages.offer(theirs, deal, liar.clock.now().replace(year=2030), None)))
    return [_signed(liar, dict(messages.accept(_envelope(chance, liar, victim, transfer), deal, offered)))]


def _foreign_offer(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    """An Accept with a true Offer of somebody else's inside, or of another transfer."""
    offers = [one for one in archive if one.get("type") == "Offer" and "fa:transfer" in one]
    if not offers:
        return []
    offered = chance.choice(offers)
    transfer = str(offered["fa:transfer"])
    deal = _deal(chance, liar, victim, victim_pays=False)
    return [_signed(liar, dict(messages.accept(_envelope(chance, liar, victim, transfer), deal, offered)))]


def _receipt_alone(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    """A Receipt for an Accept that was never made."""
    offers = _own(liar, victim, archive, "Offer")
    transfer = str(chance.choice(offers)["fa:transfer"]) if offers else _new_transfer(chance, liar)
    deal = _deal(chance, liar, victim, victim_pays=True)
    digest = f"sha256:{chance.randbytes(32).hex()}"
    return [_signed(liar, dict(messages.receipt(_envelope(chance, liar, victim, transfer), deal, digest)))]


def _contradiction(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    """A true Offer of the victim's is both accepted and refused, in either order."""
    offers = _theirs(liar, victim, archive, "Offer")
    if not offers:
        return []
    offered = chance.choice(offers)
    transfer = str(offered["fa:transfer"])
    commitment = offered["object"]["stipulatesReciprocal"]
    deal = Deal(commitment["provider"], commitment["receiver"], offered["fa:minutes"], _proposal(commitment))
    accept = messages.accept(_envelope(chance, liar, victim, transfer), deal, offered)
    reject = messages.reject(_envelope(chance, liar, victim, transfer), str(offered["id"]), "refused")
    both = [_signed(liar, dict(accept)), _signed(liar, dict(reject))]
    chance.shuffle(both)
    return both


def _refused_after_all(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    """What it claimed or was credited it says that it will never claim."""
    offers = _own(liar, victim, archive, "Offer")
    if not offers:
        return []
    transfer = str(chance.choice(offers)["fa:transfer"])
    invite = message_id(Kind.INVITE, victim.ledger, transfer)
    refusal = messages.reject_invite(_envelope(chance, liar, victim, transfer), invite, "refused")
    return [_signed(liar, dict(refusal))]


def _proposal(commitment: dict[str, Any]) -> str | None:
    satisfies = commitment.get("satisfies")
    return satisfies.removesuffix("#reciprocal") if isinstance(satisfies, str) else None


def _readdressed(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    """What others wrote to each other, or to the liar, brought to the victim."""
    return [chance.choice(archive)] if archive else []


def _oversize(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    [offer, _] = _two_offers(chance, liar, victim, archive)
    return [_signed(liar, {**offer, "fa:extra": "x" * OVERSIZE_CHARACTERS})]


def _seen_much(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    """It says that it has seen more of the victim's messages than there are."""
    [offer, _] = _two_offers(chance, liar, victim, archive)
    offer["fa:channel"] = {
        **offer["fa:channel"],
        "fa:seen": 10_000,
        "fa:seenHead": f"sha256:{chance.randbytes(32).hex()}",
    }
    return [_signed(liar, offer)]


def _wrong_statement(chance: random.Random, liar: Node, victim: Node, archive: Documents) -> Documents:
    """A statement in which something was changed; also one that nobody owes it."""
    found = [
        one
        for one in archive
        if one.get("actor") == liar.ledger and one.get("to") == [victim.ledger] and _is_statement(one)
    ]
    if not found or chance.random() < 0.5:
        return [_signed(liar, dict(_made_up_statement(chance, liar, victim)))]
    document = copy.deepcopy(chance.choice(found))
    inner = document["object"]
    inner[chance.choice(("fa:opening", "fa:closing"))] += chance.choice((1, 60))
    if inner["fa:transfers"] and chance.random() < 0.5:
        inner["fa:transfers"][0]["fa:minutes"] += 1
        inner["fa:closing"] += 1
    return [_signed(liar, document)]


def _made_up_statement(chance: random.Random, liar: Node, victim: Node) -> Document:
    number, owed = chance.randrange(1, 5), chance.choice((0, 60))
    identity = papers.statement_id(liar.ledger, 1, number)
    envelope = _envelope(chance, liar, victim, identity)
    terms, head = envelope.channel.terms, papers.LedgerHead(0, GENESIS)
    statement = papers.Statement(
        number, GENESIS, terms, victim.ledger, liar.ledger, owed, (), owed + chance.choice((0, 60)), (), (), head
    )
    return papers.write_statement(envelope, statement)


def _is_statement(document: dict[str, Any]) -> bool:
    inner = document.get("object")
    return isinstance(inner, dict) and inner.get("type") == "fa:Statement"
