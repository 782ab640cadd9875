"""The arithmetic of the books: who may still give how much, and the chain that seals every posting."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from activitypub.signatures.proofs import canonical
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said

MINUTES_MAX = 60_000
GENESIS = "sha256:" + 64 * "0"  # what the first link of every chain refers to
NOTE_CHARACTERS_MAX = 500
REASON_CHARACTERS_MAX = 500


class AccountKind(StrEnum):
    """Whose account it is. Every remote network has one, ``clearing``: positive is what we owe it."""

    MEMBER = "member"
    GROUP = "group"
    CHEST = "chest"
    CLEARING = "clearing"


class AccountStatus(StrEnum):
    """A frozen account can receive but not give; a closed one is even and stays so."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


@dataclass(frozen=True)
class Posting:
    """One movement of minutes, for good. ``evidence`` is the digest of the Accept, or ``local``."""

    seq: int
    transfer_id: str
    debit: int
    credit: int
    minutes: int
    posted_at: datetime
    evidence: str
    prev: str


def fits(balance: int, held: int, floor: int, minutes: int) -> bool:
    """The one rule everywhere: balance less promises may go as low as the floor, which is never positive."""
    return balance - held - minutes >= floor


def seal(posting: Posting) -> str:
    """The posting's link in the chain: SHA-256 over the previous link and the posting's JCS form (RFC 8785)."""
    fields = {
        "seq": posting.seq,
        "transfer": posting.transfer_id,
        "debit": str(posting.debit),  # row ids go beyond what a JSON number holds
        "credit": str(posting.credit),
        "minutes": posting.minutes,
        "posted_at": posting.posted_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "evidence": posting.evidence,
        "prev": posting.prev,
    }
    return "sha256:" + hashlib.sha256(posting.prev.encode() + b"|" + canonical(fields)).hexdigest()


def note_digest(salt: str, note: str) -> str:
    """What the signed messages carry of a note; without the salt nobody can guess the note from it."""
    return "sha256:" + hashlib.sha256(f"{salt}|{note}".encode()).hexdigest()


def checked_minutes(minutes: int, largest: int = MINUTES_MAX) -> int:
    """A number of minutes that can be moved at once. Raises Refused."""
    if not 1 <= minutes <= largest:
        raise Refused(
            "minutes",
            said(
                "At least 1 minute and at most %(value)s h %(value2)s can go at once.",
                value=largest // 60,
                value2=f"{largest % 60:02d}",
            ),
        )
    return minutes


def checked_note(note: str) -> str:
    """A note as it is kept. Raises Refused when it is too long."""
    if len(note) > NOTE_CHARACTERS_MAX:
        raise Refused("note_length", said("A note has at most %(count)s characters.", count=NOTE_CHARACTERS_MAX))
    return note.strip()


def no_room(minutes: int) -> Refused:
    """The answer when an account would go below its gentle limit."""
    return Refused(
        "over_limit",
        said(
            "There is no room for %(value)s h %(value2)s on this account.",
            value=minutes // 60,
            value2=f"{minutes % 60:02d}",
        ),
        409,
    )


def checked_reason(text: str) -> str:
    """What somebody asks or answers about a claim. Raises Refused when there is none, or it is too long."""
    reason = text.strip()
    if not reason:
        raise Refused("no_reason", "Please say in a few words what is not clear.")
    if len(reason) > REASON_CHARACTERS_MAX:
        raise Refused("note_length", said("A note has at most %(count)s characters.", count=REASON_CHARACTERS_MAX))
    return reason
