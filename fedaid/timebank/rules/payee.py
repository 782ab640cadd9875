"""The payee's network claims and waits: its state table, whole, as data."""

from collections.abc import Mapping
from enum import StrEnum

from fedaid.timebank.rules.states import Alarm, Given, Hold, Kind, Mark, Outcome, PayeeState, Tell

NONE, CLAIMED, CANCEL_ASKED = PayeeState.NONE, PayeeState.CLAIMED, PayeeState.CANCEL_ASKED
CREDITED, VOID = PayeeState.CREDITED, PayeeState.VOID
ABANDONED, DISPUTED = PayeeState.ABANDONED, PayeeState.DISPUTED


class Input(StrEnum):
    """What can happen to a transfer at the payee's network."""

    CLAIM = "member claims"
    INVITE = "Invite"
    CANCEL = "member cancels"
    ACCEPT = "Accept"
    REJECT = "Reject"
    PAST_END = "own clock past endTime"
    PEER_LOST = "admin declares peer lost"
    TAKE_LATE = "admin takes a late Accept"


class Choice(StrEnum):
    """Which of a cell's outcomes it is; the first that applies."""

    FITS = "fits"
    ALWAYS = "always"


Cell = Mapping[Choice, Outcome]
_ALL = tuple(PayeeState)


def _always(state: PayeeState, **what: object) -> Cell:
    return {Choice.ALWAYS: Outcome(state, **what)}  # type: ignore[arg-type]  # Outcome's own fields


def _nothing(state: PayeeState) -> Cell:
    """The cell is empty: nothing is to be done."""
    return _always(state, stores=False)


def _nothing_but(cells: Mapping[PayeeState, Cell]) -> Mapping[PayeeState, Cell]:
    return {state: cells.get(state, _nothing(state)) for state in _ALL}


_RECEIPT = (Kind.RECEIPT,)
_CREDIT_HELD = _always(CREDITED, hold=Hold.RELEASE, posts=True, signs=_RECEIPT)
_CREDIT_LATE: Cell = {
    Choice.FITS: Outcome(CREDITED, posts=True, signs=_RECEIPT, alarms=(Alarm.LATE,)),
    Choice.ALWAYS: Outcome(DISPUTED, alarms=(Alarm.DISPUTED,), mark=Mark.DISPUTED),
}
_ABANDON = _always(ABANDONED, hold=Hold.RELEASE, stores=False, mark=Mark.ABANDONED)

TABLE: Mapping[Input, Mapping[PayeeState, Cell]] = {
    Input.CLAIM: _nothing_but(
        {
            NONE: {
                Choice.FITS: Outcome(CLAIMED, hold=Hold.TAKE, signs=(Kind.OFFER,)),
                Choice.ALWAYS: Outcome(NONE, stores=False, tells=Tell.NO_ROOM),
            }
        }
    ),
    Input.INVITE: {
        NONE: {
            Choice.FITS: Outcome(CLAIMED, hold=Hold.TAKE, signs=(Kind.OFFER,)),
            Choice.ALWAYS: Outcome(VOID, signs=(Kind.REJECT_INVITE,)),
        },
        CLAIMED: _always(CLAIMED, resends=(Kind.OFFER,)),
        CANCEL_ASKED: _always(CANCEL_ASKED, resends=(Kind.OFFER, Kind.UNDO)),
        CREDITED: _always(CREDITED, resends=_RECEIPT),
        VOID: _always(VOID, resends=(Kind.REJECT_INVITE,)),
        ABANDONED: _always(ABANDONED, resends=(Kind.OFFER,)),
        DISPUTED: _always(DISPUTED, resends=(Kind.OFFER,)),
    },
    Input.CANCEL: _nothing_but(
        {
            CLAIMED: _always(CANCEL_ASKED, signs=(Kind.UNDO,)),  # only a request: the hold stays until the answer
            CREDITED: _always(CREDITED, stores=False, tells=Tell.ASK_REVERSAL),
        }
    ),
    Input.ACCEPT: {
        NONE: _always(CREDITED, posts=True, signs=_RECEIPT, alarms=(Alarm.RECOVERED,)),
        CLAIMED: _CREDIT_HELD,
        CANCEL_ASKED: _CREDIT_HELD,
        CREDITED: _always(CREDITED, resends=_RECEIPT),
        VOID: _CREDIT_LATE,
        ABANDONED: _CREDIT_LATE,
        DISPUTED: _nothing(DISPUTED),
    },
    Input.REJECT: {
        NONE: _always(VOID),
        CLAIMED: _always(VOID, hold=Hold.RELEASE),
        CANCEL_ASKED: _always(VOID, hold=Hold.RELEASE),
        CREDITED: _always(CREDITED, alarms=(Alarm.CONTRADICTION,)),
        VOID: _always(VOID),  # nothing is to be done, but both sides keep the same messages
        ABANDONED: _always(VOID),
        DISPUTED: _always(DISPUTED, alarms=(Alarm.CONTRADICTION,)),
    },
    Input.PAST_END: _nothing_but(
        {
            CLAIMED: _always(CLAIMED, stores=False, resends=(Kind.OFFER,)),  # a question; only the other clock decides
            CANCEL_ASKED: _always(CANCEL_ASKED, stores=False, resends=(Kind.OFFER, Kind.UNDO)),
        }
    ),
    Input.PEER_LOST: _nothing_but({CLAIMED: _ABANDON, CANCEL_ASKED: _ABANDON}),
    Input.TAKE_LATE: _nothing_but({DISPUTED: _always(CREDITED, stores=False, posts=True, signs=_RECEIPT)}),
}


def decide(state: PayeeState, happened: Input, given: Given) -> Outcome:
    """What to do at the payee's network when this happens to a transfer in this state."""
    cell = TABLE[happened][state]
    applies = {Choice.FITS: given.fits, Choice.ALWAYS: True}
    return next(outcome for choice, outcome in cell.items() if applies[choice])
