"""The signed messages that are about no single transfer: statements with their answers, and a ledger's new key."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from activitypub.signatures.proofs import digest
from activitypub.vocabulary import TIMEBANK_CONTEXT
from fedaid.timebank.rules.books import MINUTES_MAX
from fedaid.timebank.rules.fields import (
    NUMBER_MAX,
    channel,
    check_exact,
    misshapen,
    number,
    part,
    recipient,
    sha256,
    text,
    time,
)
from fedaid.timebank.rules.messages import Document, Envelope, channel_fields, wire_time
from fedaid.timebank.rules.reading import Signed
from fedaid.timebank.rules.states import Paper
from fedaid.timebank.rules.terms import PinnedKey

STATEMENT = "fa:Statement"
SUM_MINUTES_MAX = 10**12
IDS_MAX = 200  # named in one list; more than 32 KiB hold is refused anyway
_STATEMENT_ID = re.compile(r"/peerings/[0-9]{1,20}/statements/([0-9]{1,16})")
_KEY_ID = re.compile(r"#key-[0-9]{1,6}")


@dataclass(frozen=True)
class Line:
    """One settled transfer on a statement.

    minutes  what it adds to what the debtor owes the creditor; less than nothing where it went the other way
    accept, receipt  the digests of the two messages that prove it
    """

    transfer: str
    minutes: int
    accept: str
    receipt: str


@dataclass(frozen=True)
class LedgerHead:
    """The last link of a journal: whoever holds it can tell later whether the journal was rewritten."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Statement:
    """What two networks owe each other, in words both can check. All amounts: what ``debtor`` owes ``creditor``.

    number      counts up; a number whose statement was not countersigned is not used again
    previous    digest of the last statement that was countersigned, or GENESIS
    terms       digest of the agreement between the two networks
    lines       transfers settled and on no earlier statement
    in_flight   transfers that were decided here and are not known to have arrived
    undecided   transfers that nobody has decided yet
    head        the journal of whoever wrote it
    """

    number: int
    previous: str
    terms: str
    debtor: str
    creditor: str
    opening: int
    lines: tuple[Line, ...]
    closing: int
    in_flight: tuple[str, ...]
    undecided: tuple[str, ...]
    head: LedgerHead


@dataclass(frozen=True)
class StatementMessage(Signed):
    """ "This is how we stand." """

    statement: Statement


@dataclass(frozen=True)
class AnswerMessage(Signed):
    """ "So it is", with the journal of whoever says so, or "These transfers differ" with a word why.

    about      id of the Offer of the statement
    statement  digest of that signed Offer
    """

    about: str
    statement: str
    head: LedgerHead | None = None
    differs: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class KeyMessage(Signed):
    """ "From now on I sign with this key", signed with the one before."""

    key: PinnedKey


PaperMessage = StatementMessage | AnswerMessage | KeyMessage


def statement_id(actor: str, peering: int, number: int) -> str:
    """Where a statement stands under the ledger that makes it."""
    return f"{actor}/peerings/{peering}/statements/{number}"


def write_statement(envelope: Envelope, statement: Statement) -> Document:
    """The statement, to be signed; the envelope's ``transfer`` is its id."""
    identity = envelope.transfer
    return {
        **_head(f"{identity}/offer", "Offer", envelope),
        "object": {
            "type": STATEMENT,
            "id": identity,
            "attributedTo": envelope.actor,
            "fa:number": statement.number,
            "fa:previous": statement.previous,
            "fa:terms": statement.terms,
            "fa:debtor": statement.debtor,
            "fa:creditor": statement.creditor,
            "fa:opening": statement.opening,
            "fa:transfers": [_line(line) for line in statement.lines],
            "fa:closing": statement.closing,
            "fa:inFlight": list(statement.in_flight),
            "fa:undecided": list(statement.undecided),
            "fa:ledgerHead": _ledger_head(statement.head),
        },
        "fa:channel": channel_fields(envelope.channel),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "fa:transfer": line.transfer,
        "fa:minutes": line.minutes,
        "fa:accept": line.accept,
        "fa:receipt": line.receipt,
    }


def _ledger_head(head: LedgerHead) -> dict[str, Any]:
    return {"fa:seq": head.seq, "fa:hash": head.hash}


def write_countersignature(envelope: Envelope, about: str, statement: str, head: LedgerHead) -> Document:
    """ "So it is." The envelope's ``transfer`` is the statement's id under the answering ledger."""
    return {
        **_head(f"{envelope.transfer}/accept", "Accept", envelope),
        "object": about,
        "fa:statement": statement,
        "fa:ledgerHead": _ledger_head(head),
        "fa:channel": channel_fields(envelope.channel),
    }


def write_difference(envelope: Envelope, about: str, statement: str, differs: tuple[str, ...], reason: str) -> Document:
    """ "These transfers differ." """
    return {
        **_head(f"{envelope.transfer}/reject", "Reject", envelope),
        "object": about,
        "fa:statement": statement,
        "fa:differs": list(differs),
        "fa:reason": reason,
        "fa:channel": channel_fields(envelope.channel),
    }


def write_new_key(envelope: Envelope, key: PinnedKey) -> Document:
    """The new key, to be signed with the old one. The envelope's ``transfer`` is the new key's id."""
    return {
        **_head(envelope.transfer.replace("#", "/keys/"), "Update", envelope),
        "object": {
            "id": key.id,
            "type": "Multikey",
            "attributedTo": envelope.actor,
            "controller": envelope.actor,
            "publicKeyMultibase": key.multibase,
        },
        "fa:channel": channel_fields(envelope.channel),
    }


def _head(identity: str, verb: str, envelope: Envelope) -> dict[str, Any]:
    return {
        "@context": TIMEBANK_CONTEXT,
        "id": identity,
        "type": verb,
        "actor": envelope.actor,
        "to": [envelope.to],
        "published": wire_time(envelope.published),
    }


def read_paper(document: Document) -> PaperMessage:
    """The paper in a document. Raises MalformedDocument for anything but its exact shape, or over 32 KiB."""
    read = _READERS.get(text(document, "type"))
    if read is None:
        raise misshapen("type")
    message, rebuilt = read(document)
    check_exact(document, rebuilt)
    return message


def _read_statement(document: Document) -> tuple[PaperMessage, Document]:
    inner = part(document, "object")
    identity = text(inner, "id")
    envelope = _envelope(document, identity)
    statement = Statement(
        number(inner, "fa:number", 1, NUMBER_MAX),
        sha256(inner, "fa:previous"),
        sha256(inner, "fa:terms"),
        text(inner, "fa:debtor"),
        text(inner, "fa:creditor"),
        number(inner, "fa:opening", -SUM_MINUTES_MAX, SUM_MINUTES_MAX),
        tuple(_read_line(one) for one in _list(inner, "fa:transfers")),
        number(inner, "fa:closing", 0, SUM_MINUTES_MAX),
        _ids(inner, "fa:inFlight"),
        _ids(inner, "fa:undecided"),
        _read_ledger_head(inner),
    )
    _check_statement_id(envelope.actor, identity, statement.number)
    if {statement.debtor, statement.creditor} != {envelope.actor, envelope.to}:
        raise misshapen("fa:debtor")
    message = StatementMessage(Paper.STATEMENT, envelope, digest(document), document, statement)
    return message, write_statement(envelope, statement)


def _check_statement_id(actor: str, identity: str, count: int | None = None) -> None:
    found = _STATEMENT_ID.fullmatch(identity.removeprefix(actor)) if identity.startswith(actor) else None
    if found is None or (count is not None and int(found[1]) != count):
        raise misshapen("id")


def _read_line(line: object) -> Line:
    if not isinstance(line, Mapping):
        raise misshapen("fa:transfers")
    minutes = number(line, "fa:minutes", -MINUTES_MAX, MINUTES_MAX)
    return Line(text(line, "fa:transfer"), minutes, sha256(line, "fa:accept"), sha256(line, "fa:receipt"))


def _read_ledger_head(document: Document) -> LedgerHead:
    head = part(document, "fa:ledgerHead")
    return LedgerHead(number(head, "fa:seq", 0, NUMBER_MAX), sha256(head, "fa:hash"))


def _read_countersignature(document: Document) -> tuple[PaperMessage, Document]:
    identity = text(document, "id").removesuffix("/accept")
    envelope, about, signed = _envelope(document, identity), text(document, "object"), sha256(document, "fa:statement")
    _check_statement_id(envelope.actor, identity)
    head = _read_ledger_head(document)
    message = AnswerMessage(Paper.COUNTERSIGNED, envelope, digest(document), document, about, signed, head)
    return message, write_countersignature(envelope, about, signed, head)


def _read_difference(document: Document) -> tuple[PaperMessage, Document]:
    identity = text(document, "id").removesuffix("/reject")
    envelope, about, signed = _envelope(document, identity), text(document, "object"), sha256(document, "fa:statement")
    _check_statement_id(envelope.actor, identity)
    differs, reason = _ids(document, "fa:differs"), text(document, "fa:reason")
    message = AnswerMessage(
        Paper.DIFFERS, envelope, digest(document), document, about, signed, differs=differs, reason=reason
    )
    return message, write_difference(envelope, about, signed, differs, reason)


def _read_new_key(document: Document) -> tuple[PaperMessage, Document]:
    inner = part(document, "object")
    key = PinnedKey(text(inner, "id"), text(inner, "publicKeyMultibase"))
    envelope = _envelope(document, key.id)
    if not key.id.startswith(envelope.actor) or not _KEY_ID.fullmatch(key.id.removeprefix(envelope.actor)):
        raise misshapen("id")
    message = KeyMessage(Paper.NEW_KEY, envelope, digest(document), document, key)
    return message, write_new_key(envelope, key)


_READERS: Mapping[str, Callable[[Document], tuple[PaperMessage, Document]]] = {
    "Offer": _read_statement,
    "Accept": _read_countersignature,
    "Reject": _read_difference,
    "Update": _read_new_key,
}


def _envelope(document: Document, about: str) -> Envelope:
    place = channel(part(document, "fa:channel"))
    return Envelope(text(document, "actor"), recipient(document), time(document, "published"), about, place)


def _list(document: Document, name: str) -> list[Any]:
    found = document.get(name)
    if not isinstance(found, list) or len(found) > IDS_MAX:
        raise misshapen(name)
    return found


def _ids(document: Document, name: str) -> tuple[str, ...]:
    found = _list(document, name)
    if not all(isinstance(one, str) and 0 < len(one) <= 2048 for one in found):
        raise misshapen(name)
    return tuple(found)
