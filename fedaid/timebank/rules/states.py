"""What is known of a transfer is a set of signed messages; its state is a function of this set, in whatever order."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The signed messages about one transfer between two networks."""

    INVITE = "invite"
    OFFER = "offer"
    UNDO = "undo"
    ACCEPT = "accept"
    REJECT = "reject"
    REJECT_INVITE = "reject_invite"
    RECEIPT = "receipt"


class Paper(StrEnum):
    """The signed messages between two ledgers that are about no single transfer."""

    STATEMENT = "statement"
    COUNTERSIGNED = "countersigned"
    DIFFERS = "differs"
    NEW_KEY = "new_key"


FactKind = Kind | Paper


class Side(StrEnum):
    """Which side of a transfer we are on: the payer's decides, the payee's claims."""

    PAYER = "out"
    PAYEE = "in"


# Who signs what; the same message from the other side is forged.
SIGNED_BY: Mapping[Kind, Side] = {
    Kind.INVITE: Side.PAYER,
    Kind.ACCEPT: Side.PAYER,
    Kind.REJECT: Side.PAYER,
    Kind.OFFER: Side.PAYEE,
    Kind.UNDO: Side.PAYEE,
    Kind.REJECT_INVITE: Side.PAYEE,
    Kind.RECEIPT: Side.PAYEE,
}

# Which answer of the other side ends the resending of a message of ours. The others are sent again when asked for.
ANSWERED_BY: Mapping[FactKind, frozenset[FactKind]] = {
    Kind.INVITE: frozenset({Kind.OFFER, Kind.REJECT_INVITE}),
    Kind.OFFER: frozenset({Kind.ACCEPT, Kind.REJECT}),
    Kind.UNDO: frozenset({Kind.ACCEPT, Kind.REJECT}),
    Kind.REJECT_INVITE: frozenset({Kind.ACCEPT, Kind.REJECT}),
    Kind.ACCEPT: frozenset({Kind.RECEIPT}),
    Paper.STATEMENT: frozenset({Paper.COUNTERSIGNED, Paper.DIFFERS}),
}

# New decisions. Whoever may have forgotten what it decided signs none of these before it has asked the other side.
DECISIONS: frozenset[Kind] = frozenset({Kind.INVITE, Kind.OFFER, Kind.ACCEPT, Kind.REJECT, Kind.REJECT_INVITE})

# A message of ours that makes another one of ours pointless to repeat: a decision ends the invitation.
SUPERSEDED_BY: Mapping[FactKind, frozenset[FactKind]] = {Kind.INVITE: frozenset({Kind.ACCEPT, Kind.REJECT})}


class PayerState(StrEnum):
    """How far a transfer is at the payer's network, which decides."""

    NONE = "none"
    INVITED = "invited"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    REJECTED = "rejected"


class PayeeState(StrEnum):
    """How far a transfer is at the payee's network, which claims."""

    NONE = "none"
    CLAIMED = "claimed"
    CANCEL_ASKED = "cancel_asked"
    CREDITED = "credited"
    VOID = "void"
    ABANDONED = "abandoned"
    DISPUTED = "disputed"


class LocalState(StrEnum):
    """How far a transfer between two accounts of this network is."""

    PENDING = "pending"
    POSTED = "posted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Mark(StrEnum):
    """What an admin, or a full line, adds to the messages at the payee's network; never sent."""

    ABANDONED = "abandoned"
    DISPUTED = "disputed"


def payer_state(known: Set[FactKind]) -> PayerState:
    """The state at the payer's network. Accept wins over everything."""
    if Kind.ACCEPT in known:
        return PayerState.SETTLED if Kind.RECEIPT in known else PayerState.ACCEPTED
    if Kind.REJECT in known:
        return PayerState.REJECTED
    if Kind.OFFER in known:
        return PayerState.OFFERED
    return PayerState.INVITED if Kind.INVITE in known else PayerState.NONE


def payee_state(known: Set[FactKind], mark: Mark | None = None) -> PayeeState:
    """The state at the payee's network. Accept wins, unless it came too late for the line and waits for an admin."""
    if Kind.ACCEPT in known:
        return PayeeState.DISPUTED if mark is Mark.DISPUTED else PayeeState.CREDITED
    if Kind.REJECT in known or Kind.REJECT_INVITE in known:
        return PayeeState.VOID
    if mark is Mark.ABANDONED:
        return PayeeState.ABANDONED
    if Kind.OFFER in known:
        return PayeeState.CANCEL_ASKED if Kind.UNDO in known else PayeeState.CLAIMED
    return PayeeState.NONE


# While a transfer is in one of these states, its minutes are promised: out of the member's account at the payer's
# network, out of the peer's line at the payee's.
HOLDING: frozenset[PayerState | PayeeState] = frozenset(
    {PayerState.INVITED, PayeeState.CLAIMED, PayeeState.CANCEL_ASKED}
)
UNDECIDED: frozenset[PayerState | PayeeState] = HOLDING | {PayerState.OFFERED}
POSTED: frozenset[PayerState | PayeeState] = frozenset({PayerState.ACCEPTED, PayerState.SETTLED, PayeeState.CREDITED})


class Hold(StrEnum):
    """What happens to the promise of minutes."""

    KEEP = "keep"
    TAKE = "take"
    RELEASE = "release"


class Alarm(StrEnum):
    """Why people must be told, or the other side's messages must be fetched."""

    RECOVERED = "recovered"  # posted below a limit because it had been decided before we were restored
    SYNC = "sync"  # a message that makes no sense with what we know: we or they have forgotten something
    LATE = "late"  # accepted after it was given up, credited within the line
    DISPUTED = "disputed"  # accepted after it was given up, beyond the line: an admin decides
    CONTRADICTION = "contradiction"  # both a Reject and an Accept exist; kept as evidence
    REPEATED = "repeated"  # a second Offer or Accept that says the same: its signer had forgotten the first
    EQUIVOCATION = "equivocation"  # a second Offer or Accept of one transfer that says something else: nothing new goes
    FORGOTTEN = "forgotten"  # the peer has seen messages of ours that we no longer have
    FORKED = "forked"  # the peer has seen another message of ours under the same number
    REWOUND = "rewound"  # the peer gave a number again: it was restored
    DIFFERS = "differs"  # the two networks do not agree on a statement
    KEY_LOST = "key_lost"  # we were restored and no longer have the key that we told the peer to expect
    JUNK = "junk"  # what the peer shows as our common messages is not what it says it is


class Tell(StrEnum):
    """What a member is told in answer to what they pressed."""

    NO_ROOM = "no_room"
    TOO_LATE = "too_late"
    ASK_REVERSAL = "ask_reversal"


@dataclass(frozen=True)
class Outcome:
    """What one cell of a state table says.

    state     the state afterwards
    hold      what happens to the promised minutes
    posts     whether the minutes move, for good
    signs     messages to sign and send now, in this order
    resends   messages of ours to send once more, where we have them
    stores    whether the message that came is one to keep
    alarms    what admins are told
    tells     what the member is told who asked for it
    mark      what is noted beside the messages; None leaves it, and minutes that move take it away
    """

    state: PayerState | PayeeState
    hold: Hold = Hold.KEEP
    posts: bool = False
    signs: tuple[Kind, ...] = ()
    resends: tuple[Kind, ...] = ()
    stores: bool = True
    alarms: tuple[Alarm, ...] = ()
    tells: Tell | None = None
    mark: Mark | None = None


def recalled(before: PayerState | PayeeState, after: PayerState | PayeeState) -> Outcome:
    """What it means that a message of ours which decides nothing comes back to us after we had forgotten it.

    The state is what the messages make it; what had been promised is promised again, whether it fits or not.
    """
    held, holds = before in HOLDING, after in HOLDING
    hold = Hold.KEEP if held == holds else Hold.TAKE if holds else Hold.RELEASE
    return Outcome(after, hold=hold, alarms=() if after is before else (Alarm.RECOVERED,))


@dataclass(frozen=True)
class Given:
    """What a cell may ask about besides the state.

    fits        whether the debit or hold respects the account's floor (the line, on a clearing account)
    acceptable  whether an Offer is one we would ever accept: known parties, size, terms, link not suspended
    approved    whether the member has agreed to such a claim beforehand
    """

    fits: bool = True
    acceptable: bool = True
    approved: bool = False
