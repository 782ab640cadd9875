"""The payer's network decides: its state table, whole, as data."""

from collections.abc import Mapping
from enum import StrEnum

from fedaid.timebank.rules.states import Alarm, Given, Hold, Kind, Outcome, PayerState, Tell

NONE, INVITED, OFFERED = PayerState.NONE, PayerState.INVITED, PayerState.OFFERED
ACCEPTED, SETTLED, REJECTED = PayerState.ACCEPTED, PayerState.SETTLED, PayerState.REJECTED


class Input(StrEnum):
    """What can happen to a transfer at the payer's network.

    REFUSE stands for all that turns a claim down: the member refuses or withdraws, our clock passes its end, the
    link is suspended.
    """

    ORDER = "member orders payment"
    OFFER = "Offer"
    APPROVE = "member approves"
    REFUSE = "member refuses"
    UNDO = "Undo"
    REJECT_INVITE = "RejectInvite"
    RECEIPT = "Receipt"
    OWN_ACCEPT = "own Accept echoed"
    OWN_REJECT = "own Reject echoed"


class Choice(StrEnum):
    """Which of a cell's outcomes it is; the first that applies."""

    UNACCEPTABLE = "unacceptable"
    APPROVED = "approved"
    FITS = "fits"
    ALWAYS = "always"


Cell = Mapping[Choice, Outcome]


def _always(state: PayerState, **what: object) -> Cell:
    return {Choice.ALWAYS: Outcome(state, **what)}  # type: ignore[arg-type]  # Outcome's own fields


def _nothing(state: PayerState) -> Cell:
    """The cell is empty, or says that nothing is to be done: what was asked is done already."""
    return _always(state, stores=False)


_COMMIT = (Kind.ACCEPT,)
_REFUSE_HELD = _always(REJECTED, hold=Hold.RELEASE, signs=(Kind.REJECT,))
_REFUSE = _always(REJECTED, signs=(Kind.REJECT,))


def _answer_again(state: PayerState, kind: Kind) -> Cell:
    """Whoever asks again is told again what was decided; the question is kept."""
    return _always(state, resends=(kind,))


def _keep(state: PayerState) -> Cell:
    return _always(state)


def _odd(state: PayerState) -> Cell:
    return _always(state, alarms=(Alarm.SYNC,))


TABLE: Mapping[Input, Mapping[PayerState, Cell]] = {
    Input.ORDER: {
        NONE: {
            Choice.FITS: Outcome(INVITED, hold=Hold.TAKE, signs=(Kind.INVITE,)),
            Choice.ALWAYS: Outcome(NONE, stores=False, tells=Tell.NO_ROOM),
        },
        **{state: _nothing(state) for state in (INVITED, OFFERED, ACCEPTED, SETTLED, REJECTED)},
    },
    Input.OFFER: {
        NONE: {
            Choice.UNACCEPTABLE: Outcome(REJECTED, signs=(Kind.REJECT,)),
            Choice.APPROVED: Outcome(ACCEPTED, posts=True, signs=_COMMIT),
            Choice.ALWAYS: Outcome(OFFERED),
        },
        INVITED: _always(ACCEPTED, hold=Hold.RELEASE, posts=True, signs=_COMMIT),
        OFFERED: _nothing(OFFERED),
        ACCEPTED: _answer_again(ACCEPTED, Kind.ACCEPT),
        SETTLED: _answer_again(SETTLED, Kind.ACCEPT),
        REJECTED: _answer_again(REJECTED, Kind.REJECT),
    },
    Input.APPROVE: {
        NONE: _nothing(NONE),
        INVITED: _nothing(INVITED),
        OFFERED: {
            Choice.FITS: Outcome(ACCEPTED, posts=True, signs=_COMMIT),
            Choice.ALWAYS: Outcome(OFFERED, stores=False, tells=Tell.NO_ROOM),
        },
        ACCEPTED: _nothing(ACCEPTED),
        SETTLED: _nothing(SETTLED),
        REJECTED: _always(REJECTED, stores=False, tells=Tell.TOO_LATE),
    },
    Input.REFUSE: {
        NONE: _nothing(NONE),
        INVITED: _REFUSE_HELD,
        OFFERED: _REFUSE,
        ACCEPTED: _nothing(ACCEPTED),
        SETTLED: _nothing(SETTLED),
        REJECTED: _nothing(REJECTED),
    },
    Input.UNDO: {
        NONE: _REFUSE,  # a tombstone: should the Offer come later, it is refused
        INVITED: _REFUSE_HELD,
        OFFERED: _REFUSE,
        ACCEPTED: _answer_again(ACCEPTED, Kind.ACCEPT),
        SETTLED: _answer_again(SETTLED, Kind.ACCEPT),
        REJECTED: _answer_again(REJECTED, Kind.REJECT),
    },
    Input.REJECT_INVITE: {
        NONE: _odd(NONE),
        INVITED: _REFUSE_HELD,
        OFFERED: _REFUSE,
        ACCEPTED: _keep(ACCEPTED),
        SETTLED: _keep(SETTLED),
        REJECTED: _keep(REJECTED),
    },
    Input.RECEIPT: {
        NONE: _odd(NONE),
        INVITED: _odd(INVITED),
        OFFERED: _odd(OFFERED),
        ACCEPTED: _keep(SETTLED),
        SETTLED: _nothing(SETTLED),
        REJECTED: _odd(REJECTED),
    },
    Input.OWN_ACCEPT: {
        NONE: _always(ACCEPTED, posts=True, alarms=(Alarm.RECOVERED,)),
        INVITED: _always(ACCEPTED, hold=Hold.RELEASE, posts=True, alarms=(Alarm.RECOVERED,)),
        OFFERED: _always(ACCEPTED, posts=True, alarms=(Alarm.RECOVERED,)),
        ACCEPTED: _nothing(ACCEPTED),
        SETTLED: _nothing(SETTLED),
        REJECTED: _always(ACCEPTED, posts=True, alarms=(Alarm.RECOVERED, Alarm.CONTRADICTION)),
    },
    Input.OWN_REJECT: {
        NONE: _keep(REJECTED),
        INVITED: _always(REJECTED, hold=Hold.RELEASE),
        OFFERED: _keep(REJECTED),
        ACCEPTED: _always(ACCEPTED, alarms=(Alarm.CONTRADICTION,)),
        SETTLED: _always(SETTLED, alarms=(Alarm.CONTRADICTION,)),
        REJECTED: _nothing(REJECTED),
    },
}


def decide(state: PayerState, happened: Input, given: Given) -> Outcome:
    """What to do at the payer's network when this happens to a transfer in this state."""
    cell = TABLE[happened][state]
    applies = {
        Choice.UNACCEPTABLE: not given.acceptable,
        Choice.APPROVED: given.approved and given.fits,
        Choice.FITS: given.fits,
        Choice.ALWAYS: True,
    }
    return next(outcome for choice, outcome in cell.items() if applies[choice])
