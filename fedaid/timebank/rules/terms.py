"""The agreement between two networks: messages in which each says its line and its key, and the link's status."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from activitypub.signatures.proofs import digest
from activitypub.vocabulary import TIMEBANK_CONTEXT
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.timebank.rules.books import MINUTES_MAX
from fedaid.timebank.rules.fields import check_exact, misshapen, number, part, recipient, text, time
from fedaid.timebank.rules.messages import UNIT, VERSION, Document, wire_time

CLEARING_AGREEMENT = "fa:ClearingAgreement"
LINE_MINUTES_MAX = 600_000
OFFER_LIFETIME_DAYS_MAX = 90


class PeerStatus(StrEnum):
    """How far the agreement with another network is; ``proposed`` by us, ``asked`` by them."""

    PROPOSED = "proposed"
    ASKED = "asked"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSING = "closing"
    CLOSED = "closed"
    LOST = "lost"


@dataclass(frozen=True)
class PinnedKey:
    """The key a peer's messages are verified with, as it was when the admins agreed; never fetched again."""

    id: str
    multibase: str


@dataclass(frozen=True)
class Grant:
    """What one side grants: the most the other network may owe it, and how much may go at once, in minutes."""

    line: int
    max_transfer: int


@dataclass(frozen=True)
class Proposal:
    """ "Let our timebanks trust each other this far", signed by the ledger that proposes."""

    id: str
    actor: str
    to: str
    published: datetime
    grant: Grant
    offer_lifetime_days: int
    key: PinnedKey
    document: Document | None = None


@dataclass(frozen=True)
class Agreement:
    """The answer with the other side's own figures; the digest of this signed message is what all later ones quote."""

    id: str
    actor: str
    to: str
    published: datetime
    grant: Grant
    key: PinnedKey
    proposed: Document
    document: Document | None = None

    @property
    def digest(self) -> str:
        return digest(self.document or {})


@dataclass(frozen=True)
class Farewell:
    """ "No" to a proposal (``Reject``), or the end of what was proposed or agreed (``Undo``)."""

    id: str
    verb: str
    actor: str
    to: str
    published: datetime
    about: str


def proposal_id(actor: str, number: int) -> str:
    """Where a proposal stands under the ledger that makes it."""
    return f"{actor}/peerings/{number}/offer"


def agreement_id(actor: str, number: int) -> str:
    """Where the answer stands under the ledger that gives it."""
    return f"{actor}/peerings/{number}/accept"


def write_proposal(proposal: Proposal) -> dict[str, Any]:
    """The proposal, to be signed."""
    return {
        **_head(proposal.id, "Offer", proposal.actor, proposal.to, proposal.published),
        "object": {
            "type": ["Agreement", CLEARING_AGREEMENT],
            **_figures(proposal.grant),
            "fa:offerLifetime": f"P{proposal.offer_lifetime_days}D",
            "fa:key": _key(proposal.key, proposal.actor),
            "fa:termsOfTrade": f"{proposal.actor.removesuffix('/ledger')}/about/trade",
        },
    }


def write_agreement(agreement: Agreement) -> dict[str, Any]:
    """The answer, to be signed; it carries the whole signed proposal."""
    return {
        **_head(agreement.id, "Accept", agreement.actor, agreement.to, agreement.published),
        "object": agreement.proposed["id"],
        "result": {
            "type": ["Agreement", CLEARING_AGREEMENT],
            "id": agreement.id.removesuffix("/accept"),
            "attributedTo": agreement.actor,
            **_figures(agreement.grant),
            "fa:key": _key(agreement.key, agreement.actor),
        },
        "fa:offer": agreement.proposed,
    }


def write_farewell(farewell: Farewell) -> dict[str, Any]:
    """The refusal or the end, to be signed."""
    head = _head(farewell.id, farewell.verb, farewell.actor, farewell.to, farewell.published)
    return {**head, "object": farewell.about}


def read_proposal(document: Document) -> Proposal:
    """The proposal in a document. Raises MalformedDocument for anything but its exact shape."""
    inner = part(document, "object")
    found = Proposal(
        text(document, "id"),
        text(document, "actor"),
        recipient(document),
        time(document, "published"),
        _grant(inner),
        _lifetime(inner),
        _pinned(inner),
        document,
    )
    _check(document, write_proposal(found), found.id, found.actor)
    return found


def read_agreement(document: Document) -> Agreement:
    """The answer in a document. Raises MalformedDocument for anything but its exact shape."""
    inner = part(document, "result")
    found = Agreement(
        text(document, "id"),
        text(document, "actor"),
        recipient(document),
        time(document, "published"),
        _grant(inner),
        _pinned(inner),
        part(document, "fa:offer"),
        document,
    )
    if "id" not in found.proposed:
        raise misshapen("fa:offer")
    _check(document, write_agreement(found), found.id, found.actor)
    return found


def read_farewell(document: Document) -> Farewell:
    """The refusal or end in a document. Raises MalformedDocument for anything but its exact shape."""
    verb = text(document, "type")
    if verb not in ("Reject", "Undo"):
        raise misshapen("type")
    values = (text(document, "actor"), recipient(document), time(document, "published"), text(document, "object"))
    found = Farewell(text(document, "id"), verb, *values)
    _check(document, write_farewell(found), found.id, found.actor)
    return found


def checked_line(minutes: int) -> int:
    """A line as an admin may set it. Raises Refused."""
    if not 0 <= minutes <= LINE_MINUTES_MAX:
        raise Refused("line", said("A line has 0 to %(value)s hours.", value=LINE_MINUTES_MAX // 60))
    return minutes


def _head(identity: str, verb: str, actor: str, to: str, published: datetime) -> dict[str, Any]:
    return {
        "@context": TIMEBANK_CONTEXT,
        "id": identity,
        "type": verb,
        "actor": actor,
        "to": [to],
        "published": wire_time(published),
    }


def _figures(grant: Grant) -> dict[str, Any]:
    return {
        "fa:version": VERSION,
        "fa:unit": UNIT,
        "fa:creditLine": grant.line,
        "fa:maxTransfer": grant.max_transfer,
    }


def _key(key: PinnedKey, owner: str) -> dict[str, Any]:
    return {"id": key.id, "type": "Multikey", "controller": owner, "publicKeyMultibase": key.multibase}


def _check(document: Document, rebuilt: Document, identity: str, actor: str) -> None:
    check_exact(document, rebuilt)
    if not identity.startswith(f"{actor}/peerings/"):
        raise misshapen("id")


def _grant(inner: Document) -> Grant:
    return Grant(number(inner, "fa:creditLine", 0, LINE_MINUTES_MAX), number(inner, "fa:maxTransfer", 1, MINUTES_MAX))


def _pinned(inner: Document) -> PinnedKey:
    key = part(inner, "fa:key")
    return PinnedKey(text(key, "id"), text(key, "publicKeyMultibase"))


def _lifetime(inner: Document) -> int:
    digits = text(inner, "fa:offerLifetime")[1:-1]
    if not digits.isdecimal() or len(digits) > 3 or not 1 <= int(digits) <= OFFER_LIFETIME_DAYS_MAX:
        raise misshapen("fa:offerLifetime")
    return int(digits)
