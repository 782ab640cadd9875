"""Two ledgers in memory, moved by the product's own state tables: what one of them knows, promised and posted.

Nothing of the tables is repeated here. A ledger's part in a transfer is a set of messages, a mark, and what the tables'
outcomes did to the books; all of it packed into one small number, so that millions of states fit into memory.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache

from fedaid.timebank.rules import books, payee, payer, states
from fedaid.timebank.rules.states import SIGNED_BY, Alarm, Given, Hold, Kind, Mark, PayeeState, PayerState, Side

KINDS = tuple(Kind)
BIT = {kind: 1 << place for place, kind in enumerate(KINDS)}
MARKS: tuple[Mark | None, ...] = (None, Mark.ABANDONED, Mark.DISPUTED)
KNOWN, MARK_AT, HELD_AT, POSTED_AT, PART_BITS = (1 << len(KINDS)) - 1, 7, 9, 10, 12
PART = (1 << PART_BITS) - 1
HELD, POSTED = 1 << HELD_AT, 1 << POSTED_AT
MINUTES = 60  # of each transfer

Input = payer.Input | payee.Input
ARRIVES: dict[tuple[Side, Kind], Input] = {
    (Side.PAYER, Kind.OFFER): payer.Input.OFFER,
    (Side.PAYER, Kind.UNDO): payer.Input.UNDO,
    (Side.PAYER, Kind.REJECT_INVITE): payer.Input.REJECT_INVITE,
    (Side.PAYER, Kind.RECEIPT): payer.Input.RECEIPT,
    (Side.PAYER, Kind.ACCEPT): payer.Input.OWN_ACCEPT,
    (Side.PAYER, Kind.REJECT): payer.Input.OWN_REJECT,
    (Side.PAYEE, Kind.INVITE): payee.Input.INVITE,
    (Side.PAYEE, Kind.ACCEPT): payee.Input.ACCEPT,
    (Side.PAYEE, Kind.REJECT): payee.Input.REJECT,
}


class Echo(Enum):
    """Messages of ours that come back to us and decide nothing have no row in the tables: the state is what they say."""

    OWN = "own message echoed"


class Violation(Exception):
    """A step broke an invariant; the text begins with its name."""


@dataclass(frozen=True)
class Step:
    """What became of a ledger's part in a transfer, and the messages it sends now, as bits."""

    part: int
    sends: int
    cell: tuple[str, str, str]
    alarms: frozenset[Alarm]


def known(part: int) -> frozenset[Kind]:
    """The messages that a part knows."""
    return _kinds(part & KNOWN)


@cache
def _kinds(bits: int) -> frozenset[Kind]:
    return frozenset(kind for kind, bit in BIT.items() if bits & bit)


def mark_of(part: int) -> Mark | None:
    """The mark beside the messages."""
    return MARKS[part >> MARK_AT & 3]


def state(side: Side, part: int) -> PayerState | PayeeState:
    """What the product makes of these messages."""
    if side is Side.PAYER:
        return states.payer_state(known(part))
    return states.payee_state(known(part), mark_of(part))


def times_posted(part: int) -> int:
    """How often the minutes moved."""
    return part >> POSTED_AT & 3


def take(side: Side, part: int, happened: Input | Echo, came: Kind | None, given: Given) -> Step:
    """One transaction of one ledger. Raises Violation when it breaks what must hold after each of them."""
    before = state(side, part)
    outcome = _decide(side, part, before, happened, came, given)
    messages = part & KNOWN
    if came is not None and outcome.stores:
        messages |= BIT[came]
        if came is Kind.ACCEPT:
            messages |= BIT[Kind.OFFER]  # inside it
    sends = 0
    for kind in outcome.signs:
        messages |= BIT[kind]
        sends |= BIT[kind]
    for kind in outcome.resends:
        sends |= BIT[kind] & messages
    held = {Hold.KEEP: bool(part & HELD), Hold.TAKE: True, Hold.RELEASE: False}[outcome.hold]
    posted = times_posted(part) + outcome.posts
    mark = None if outcome.posts else outcome.mark or mark_of(part)
    made = messages | MARKS.index(mark) << MARK_AT | held << HELD_AT | posted << POSTED_AT
    _check(side, made, outcome, before, given)
    cell = (side.value, happened.value, before.value)
    return Step(made, sends, cell, frozenset(outcome.alarms))


def _decide(
    side: Side, part: int, before: PayerState | PayeeState, happened: Input | Echo, came: Kind | None, given: Given
) -> states.Outcome:
    if isinstance(happened, Echo):
        assert came
        after = state(side, part | BIT[came])
        return states.recalled(before, after)
    if isinstance(before, PayerState):
        assert isinstance(happened, payer.Input)
        return payer.decide(before, happened, given)
    assert isinstance(happened, payee.Input)
    return payee.decide(before, happened, given)


def _check(side: Side, part: int, outcome: states.Outcome, before: PayerState | PayeeState, given: Given) -> None:
    now, holds, moved = state(side, part), bool(part & HELD), times_posted(part)
    if holds != (now in states.HOLDING):
        raise Violation(f"L2: {now} and the hold is {holds}")
    if moved > 1 or bool(moved) != (now in states.POSTED):
        raise Violation(f"L3: {now} and posted {moved} times")
    flagged = Alarm.RECOVERED in outcome.alarms or before is PayeeState.DISPUTED or before in states.HOLDING
    if (outcome.posts or outcome.hold is Hold.TAKE) and not given.fits and not flagged:
        raise Violation(f"{'L4' if side is Side.PAYER else 'L5'}: {now} beyond the limit")


def fits(balance: int, held: int, room: int) -> bool:
    """Whether one more transfer fits, by the product's own rule; all counted in transfers."""
    return books.fits(MINUTES * balance, MINUTES * held, -MINUTES * room, MINUTES)


def signed_here(side: Side, kind: Kind) -> bool:
    """Whether this side signs such messages."""
    return SIGNED_BY[kind] is side
