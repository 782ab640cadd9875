"""Reads the other ledger's messages: what is read is written again, and must come out exactly as it came in."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from activitypub.errors import MalformedDocument
from activitypub.signatures.proofs import digest
from fedaid.timebank.rules import messages
from fedaid.timebank.rules.books import MINUTES_MAX
from fedaid.timebank.rules.fields import channel, check_exact, misshapen, number, part, recipient, sha256, text, time
from fedaid.timebank.rules.messages import Deal, Document, Envelope, message_id
from fedaid.timebank.rules.states import FactKind, Kind

_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REASON = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True)
class Signed:
    """A message of one ledger to another, in its exact shape; whose signature it is has still to be verified.

    document  the whole, with its proof
    """

    kind: FactKind
    envelope: Envelope
    digest: str
    document: Document

    @property
    def transfer(self) -> str:
        """What it is about: a transfer's id; of a paper, the id of the statement or key."""
        return self.envelope.transfer


@dataclass(frozen=True)
class Message(Signed):
    """A message about a transfer.

    deal         what is moved; None for an Undo and both kinds of Reject, which name only the transfer
    end_time     of an Invite or Offer
    note_digest  of an Offer whose claimant wrote a note
    offered      the Offer inside an Accept
    accepted     of a Receipt: the digest of the Accept it answers
    reason       of a Reject
    """

    kind: Kind
    deal: Deal | None = None
    end_time: datetime | None = None
    note_digest: str | None = None
    offered: "Message | None" = None
    accepted: str | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        return message_id(self.kind, self.envelope.actor, self.transfer)


def read(document: Document) -> Message:
    """The message in a document. Raises MalformedDocument for anything but the exact shape, or over 32 KiB."""
    read_it = _READERS.get(text(document, "type"))
    if read_it is None:
        raise misshapen("type")
    message, rebuilt = read_it(document)
    check_exact(document, rebuilt)
    return message


def _invite(document: Document) -> tuple[Message, Document]:
    envelope, end_time = _envelope(document), time(document, "endTime")
    promised = part(part(document, "object"), "stipulatesReciprocal")
    deal = _deal(document, promised)
    message = Message(Kind.INVITE, envelope, digest(document), document, deal, end_time)
    return message, messages.invite(envelope, deal, end_time)


def _offer(document: Document) -> tuple[Message, Document]:
    envelope, end_time = _envelope(document), time(document, "endTime")
    deal = _deal(document, part(part(document, "object"), "stipulatesReciprocal"))
    noted = sha256(document, "fa:noteDigest") if "fa:noteDigest" in document else None
    message = Message(Kind.OFFER, envelope, digest(document), document, deal, end_time, noted)
    return message, messages.offer(envelope, deal, end_time, noted)


def _undo(document: Document) -> tuple[Message, Document]:
    envelope = _envelope(document)
    offer_id = message_id(Kind.OFFER, envelope.actor, envelope.transfer)
    return Message(Kind.UNDO, envelope, digest(document), document), messages.undo(envelope, offer_id)


def _accept(document: Document) -> tuple[Message, Document]:
    envelope = _envelope(document)
    offered = read(part(document, "fa:offer"))
    if offered.kind is not Kind.OFFER or offered.deal is None:
        raise misshapen("fa:offer")
    if (offered.transfer, offered.envelope.actor, offered.envelope.to) != (
        envelope.transfer,
        envelope.to,
        envelope.actor,
    ):
        raise MalformedDocument("foreign_offer", "The Offer inside this Accept is about something else.")
    message = Message(Kind.ACCEPT, envelope, digest(document), document, offered.deal, offered=offered)
    return message, messages.accept(envelope, offered.deal, offered.document)


def _reject(document: Document) -> tuple[Message, Document]:
    """Both kinds: of an Offer that the other side made, or of its Invite."""
    envelope, reason = _envelope(document), text(document, "fa:reason")
    if not _REASON.fullmatch(reason):
        raise misshapen("fa:reason")
    invite_id = message_id(Kind.INVITE, envelope.to, envelope.transfer)
    if document.get("object") == invite_id:
        refused = Message(Kind.REJECT_INVITE, envelope, digest(document), document, reason=reason)
        return refused, messages.reject_invite(envelope, invite_id, reason)
    offer_id = message_id(Kind.OFFER, envelope.to, envelope.transfer)
    message = Message(Kind.REJECT, envelope, digest(document), document, reason=reason)
    return message, messages.reject(envelope, offer_id, reason)


def _receipt(document: Document) -> tuple[Message, Document]:
    envelope, accepted = _envelope(document), sha256(document, "fa:accept")
    deal = _deal(document, part(document, "object"))
    message = Message(Kind.RECEIPT, envelope, digest(document), document, deal, accepted=accepted)
    return message, messages.receipt(envelope, deal, accepted)


_READERS: Mapping[str, Callable[[Document], tuple[Message, Document]]] = {
    "Invite": _invite,
    "Offer": _offer,
    "Undo": _undo,
    "Accept": _accept,
    "Reject": _reject,
    "Create": _receipt,
}


def _envelope(document: Document) -> Envelope:
    to, transfer, actor = recipient(document), text(document, "fa:transfer"), text(document, "actor")
    if not _KEY.fullmatch(messages.key_of(transfer)) or transfer not in (
        _transfer_at(actor, transfer),
        _transfer_at(to, transfer),
    ):
        raise MalformedDocument("transfer_id", "The transfer's id is not one of the two ledgers'.")
    return Envelope(actor, to, time(document, "published"), transfer, channel(part(document, "fa:channel")))


def _transfer_at(actor: str, transfer: str) -> str:
    return f"{actor}/transfers/{messages.key_of(transfer)}"


def _deal(document: Document, commitment: Document) -> Deal:
    proposal = None
    if "satisfies" in commitment:
        proposal = text(commitment, "satisfies").removesuffix("#reciprocal")
    minutes = number(document, "fa:minutes", 1, MINUTES_MAX)
    return Deal(text(commitment, "provider"), text(commitment, "receiver"), minutes, proposal)
