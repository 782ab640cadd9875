"""The signed messages between two ledgers, each written in exactly one way; reading.py takes no other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from activitypub.vocabulary import FEDAID, TIMEBANK_CONTEXT
from fedaid.timebank.rules.states import Kind

TIME_CREDIT = f"{FEDAID}TimeCredit"
UNIT = "minute"
VERSION = 1

# A ledger's message is true whenever it was signed, so a peer's clock that runs ahead is no reason to refuse it.
ANY_TIME = datetime(9999, 1, 1, tzinfo=UTC)

Document = Mapping[str, Any]

# Where a message stands under its signer's ledger; the key is the transfer's last segment, the same on both sides.
_SUFFIX: Mapping[Kind, str] = {
    Kind.INVITE: "invite",
    Kind.OFFER: "offer",
    Kind.UNDO: "undo",
    Kind.ACCEPT: "accept",
    Kind.REJECT: "reject",
    Kind.REJECT_INVITE: "reject",
    Kind.RECEIPT: "receipt/create",
}


@dataclass(frozen=True)
class Channel:
    """Where a message stands in the signer's row of messages to this peer; it only serves to notice what was lost.

    terms           digest of the agreement between the two networks that holds
    seq, prev       this message's number and the digest of the one before
    seen, seen_head the highest number of the other side that the signer knew, and that message's digest
    """

    terms: str
    seq: int
    prev: str
    seen: int
    seen_head: str


@dataclass(frozen=True)
class Envelope:
    """What every message says: who to whom, when, about what (a transfer's id), at which place of the channel."""

    actor: str
    to: str
    published: datetime
    transfer: str
    channel: Channel


@dataclass(frozen=True)
class Deal:
    """What is moved: from whom to whom, how much, and which proposal it answers, if any."""

    payer: str
    payee: str
    minutes: int
    proposal: str | None = None


def key_of(transfer: str) -> str:
    """The part of a transfer's id that both sides use in the names of their messages."""
    return transfer.rpartition("/")[2]


def message_id(kind: Kind, actor: str, transfer: str) -> str:
    """The id of the message of this kind that this ledger signs about this transfer."""
    return f"{actor}/transfers/{key_of(transfer)}/{_SUFFIX[kind]}"


def agreement_id(actor: str, transfer: str) -> str:
    """The id of the agreement that an Accept of this ledger makes."""
    return f"{actor}/agreements/{key_of(transfer)}"


def wire_time(moment: datetime) -> str:
    """An instant as it stands in every message: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def invite(envelope: Envelope, deal: Deal, end_time: datetime) -> Document:
    """ "Claim these minutes; they are on hold." """
    document = _head(Kind.INVITE, "Invite", envelope, end_time)
    document["object"] = {"type": "Agreement", "stipulatesReciprocal": _transfer_commitment(deal)}
    return document | _tail(envelope, deal.minutes)


def offer(envelope: Envelope, deal: Deal, end_time: datetime, note_digest: str | None) -> Document:
    """The claim, with its reservation of the line; ``end_time`` is for the payer's network's clock."""
    document = _head(Kind.OFFER, "Offer", envelope, end_time)
    document["object"] = {"type": "Agreement", **_commitments(deal)}
    noted = {} if note_digest is None else {"fa:noteDigest": note_digest}
    return document | _tail(envelope, deal.minutes, noted)


def undo(envelope: Envelope, offer_id: str) -> Document:
    """ "Please do not accept any more." """
    document = _head(Kind.UNDO, "Undo", envelope)
    document["object"] = offer_id
    return document | _tail(envelope)


def accept(envelope: Envelope, deal: Deal, offered: Document) -> Document:
    """The commit. It carries the whole signed Offer, so that a payee's network that forgot it can still credit it."""
    document = _head(Kind.ACCEPT, "Accept", envelope)
    agreement = agreement_id(envelope.actor, envelope.transfer)
    document["object"] = offered["id"]
    document["result"] = {
        "type": "Agreement",
        "id": agreement,
        "attributedTo": envelope.actor,
        **_commitments(deal, agreement),
    }
    return document | _tail(envelope, deal.minutes, {"fa:offer": offered})


def reject(envelope: Envelope, offer_id: str, reason: str) -> Document:
    """ "Will never be accepted." """
    document = _head(Kind.REJECT, "Reject", envelope)
    document["object"] = offer_id
    return document | _tail(envelope, None, {"fa:reason": reason})


def reject_invite(envelope: Envelope, invite_id: str, reason: str) -> Document:
    """ "Will never be claimed." """
    document = _head(Kind.REJECT_INVITE, "Reject", envelope)
    document["object"] = invite_id
    return document | _tail(envelope, None, {"fa:reason": reason})


def receipt(envelope: Envelope, deal: Deal, accept_digest: str) -> Document:
    """ "Credited." It names the Accept by its digest."""
    document = _head(Kind.RECEIPT, "Create", envelope)
    agreement = agreement_id(envelope.to, envelope.transfer)
    document["object"] = {
        "type": "EconomicEvent",
        "id": document["id"].removesuffix("/create"),
        "attributedTo": envelope.actor,
        "context": agreement,
        "action": "transfer",
        "provider": deal.payer,
        "receiver": deal.payee,
        "fulfills": f"{agreement}#reciprocal",
        "resourceConformsTo": TIME_CREDIT,
        "resourceQuantity": _quantity(deal.minutes),
        "published": wire_time(envelope.published),
    }
    return document | _tail(envelope, deal.minutes, {"fa:accept": accept_digest})


def _head(kind: Kind, verb: str, envelope: Envelope, end_time: datetime | None = None) -> dict[str, Any]:
    ends = {} if end_time is None else {"endTime": wire_time(end_time)}
    return {
        "@context": TIMEBANK_CONTEXT,
        "id": message_id(kind, envelope.actor, envelope.transfer),
        "type": verb,
        "actor": envelope.actor,
        "to": [envelope.to],
        "published": wire_time(envelope.published),
        **ends,
    }


def _tail(envelope: Envelope, minutes: int | None = None, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    sized = {} if minutes is None else {"fa:minutes": minutes}
    return {
        "fa:transfer": envelope.transfer,
        **sized,
        **(more or {}),
        "fa:channel": channel_fields(envelope.channel),
    }


def channel_fields(channel: Channel) -> dict[str, Any]:
    """The place of a message in its signer's row, as it stands in every message."""
    return {
        "fa:terms": channel.terms,
        "fa:seq": channel.seq,
        "fa:prev": channel.prev,
        "fa:seen": channel.seen,
        "fa:seenHead": channel.seen_head,
    }


def _commitments(deal: Deal, agreement: str | None = None) -> dict[str, Any]:
    """Help from the payee to the payer, and for it minutes from the payer to the payee (FEP-0837)."""
    help_given = {
        "type": "Commitment",
        "action": "deliverService",
        "provider": deal.payee,
        "receiver": deal.payer,
        **_satisfies(deal, "primary"),
        "resourceQuantity": _quantity(deal.minutes),
        **_named(agreement, "primary"),
    }
    minutes_moved = {**_transfer_commitment(deal), **_named(agreement, "reciprocal")}
    return {"stipulates": help_given, "stipulatesReciprocal": minutes_moved}


def _transfer_commitment(deal: Deal) -> dict[str, Any]:
    return {
        "type": "Commitment",
        "action": "transfer",
        "provider": deal.payer,
        "receiver": deal.payee,
        **_satisfies(deal, "reciprocal"),
        "resourceConformsTo": TIME_CREDIT,
        "resourceQuantity": _quantity(deal.minutes),
    }


def _satisfies(deal: Deal, part: str) -> dict[str, str]:
    return {} if deal.proposal is None else {"satisfies": f"{deal.proposal}#{part}"}


def _named(agreement: str | None, part: str) -> dict[str, str]:
    return {} if agreement is None else {"id": f"{agreement}#{part}"}


def _quantity(minutes: int) -> dict[str, str]:
    return {"hasUnit": UNIT, "hasNumericalValue": str(minutes)}
