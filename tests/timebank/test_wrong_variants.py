"""Ten designs that lose, make or double hours, each planted in the product; each must be caught, or the checks are weak.

They are those of other systems and of our own first drafts (design, section 4.4). Where a variant is a wrong cell of a
state table, the exhaustive exploration must find what it does; where it is a wrong command, the simulator must.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fedaid.timebank.rules import payee, payer, states
from fedaid.timebank.rules.states import Hold, Kind, Mark, Outcome, PayeeState, PayerState, Side
from tests.timebank.explore.search import Config, Explorer

ONE, TWO = (Side.PAYER,), (Side.PAYER, Side.PAYER)


@dataclass(frozen=True)
class WrongTable:
    """A wrong cell or two, what to explore, and the invariant that it breaks."""

    plant: Callable[[pytest.MonkeyPatch], None]
    config: Config
    breaks: str


def at_payer(patch: pytest.MonkeyPatch, happened: payer.Input, state: PayerState, outcome: Outcome) -> None:
    patch.setitem(payer.TABLE[happened], state, {payer.Choice.ALWAYS: outcome})  # type: ignore[arg-type]  # dicts, all


def at_payee(patch: pytest.MonkeyPatch, happened: payee.Input, state: PayeeState, outcome: Outcome) -> None:
    patch.setitem(payee.TABLE[happened], state, {payee.Choice.ALWAYS: outcome})  # type: ignore[arg-type]  # dicts, all


def ignore(state: PayerState | PayeeState) -> Outcome:
    return Outcome(state, stores=False)


GIVEN_UP = Outcome(PayeeState.ABANDONED, hold=Hold.RELEASE, stores=False, mark=Mark.ABANDONED)


def payee_keeps_a_clock(patch: pytest.MonkeyPatch) -> None:
    """As in ILP: the claimant gives up by its own clock, and what is decided afterwards comes too late."""
    at_payee(patch, payee.Input.PAST_END, PayeeState.CLAIMED, GIVEN_UP)
    at_payee(patch, payee.Input.ACCEPT, PayeeState.ABANDONED, ignore(PayeeState.ABANDONED))


def payee_cancels_alone(patch: pytest.MonkeyPatch) -> None:
    """The claimant takes its claim back without waiting for an answer."""
    at_payee(patch, payee.Input.CANCEL, PayeeState.CLAIMED, GIVEN_UP)
    at_payee(patch, payee.Input.ACCEPT, PayeeState.ABANDONED, ignore(PayeeState.ABANDONED))


def line_checked_at_the_accept(patch: pytest.MonkeyPatch) -> None:
    """As in ilp-connector before PR 493: nothing is reserved when the claim is made."""
    patch.setattr(states, "HOLDING", frozenset({PayerState.INVITED}))
    for begun in (payee.Input.CLAIM, payee.Input.INVITE):
        at_payee(patch, begun, PayeeState.NONE, Outcome(PayeeState.CLAIMED, signs=(Kind.OFFER,)))
    late = {
        payee.Choice.FITS: Outcome(PayeeState.CREDITED, posts=True, signs=(Kind.RECEIPT,)),
        payee.Choice.ALWAYS: ignore(PayeeState.CLAIMED),
    }
    patch.setitem(payee.TABLE[payee.Input.ACCEPT], PayeeState.CLAIMED, late)  # type: ignore[arg-type]  # a dict


def deduplicated_by_message(patch: pytest.MonkeyPatch) -> None:
    """Each message is taken once, instead of each transfer being posted once."""
    again = Outcome(PayeeState.CREDITED, posts=True, resends=(Kind.RECEIPT,))
    at_payee(patch, payee.Input.ACCEPT, PayeeState.CREDITED, again)


def decider_changes_its_mind(patch: pytest.MonkeyPatch) -> None:
    """A commit can be taken back."""
    at_payer(patch, payer.Input.REFUSE, PayerState.ACCEPTED, Outcome(PayerState.REJECTED, signs=(Kind.REJECT,)))
    true_state = states.payer_state

    def reject_wins(known: frozenset[Kind]) -> PayerState:
        return PayerState.REJECTED if Kind.REJECT in known else true_state(known)

    patch.setattr(states, "payer_state", reject_wins)


def sync_without_echo(patch: pytest.MonkeyPatch) -> None:
    """Each side shows the other only what it has signed itself."""
    for happened in (payer.Input.OWN_ACCEPT, payer.Input.OWN_REJECT):
        for state in PayerState:
            at_payer(patch, happened, state, ignore(state))
    patch.setattr(states, "recalled", lambda before, _after: ignore(before))


def first_decision_wins(patch: pytest.MonkeyPatch) -> None:
    """Whatever was decided first stands, also after a restore."""
    at_payee(patch, payee.Input.ACCEPT, PayeeState.VOID, ignore(PayeeState.VOID))
    at_payer(patch, payer.Input.OWN_ACCEPT, PayerState.REJECTED, ignore(PayerState.REJECTED))


TABLES = {
    "the payee's side times out": WrongTable(payee_keeps_a_clock, Config("", ONE), "Q1"),
    "the payee cancels alone": WrongTable(payee_cancels_alone, Config("", ONE), "Q1"),
    "the line is checked only at the Accept": WrongTable(line_checked_at_the_accept, Config("", TWO, floor=2), "Q1"),
    "duplicates are known by the message's id": WrongTable(deduplicated_by_message, Config("", ONE), "L3"),
    "the decider changes its mind after the commit": WrongTable(decider_changes_its_mind, Config("", ONE), "L3"),
    "a sync without echo": WrongTable(sync_without_echo, Config("", ONE, restores=(1, 0)), "Q"),
    "the first decision wins": WrongTable(first_decision_wins, Config("", ONE, restores=(1, 0)), "Q1"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_table_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = TABLES[name]
    assert Explorer(wrong.config).run().violations == 0
    wrong.plant(monkeypatch)
    found = Explorer(wrong.config).run()
    print(found.first, *found.trace, sep="\n    ")  # noqa: T201 - shown when it fails
    assert found.violations, f"nothing caught it: {name}"
    assert found.first.startswith(wrong.breaks)
