"""Both state tables against each other in memory: many disorderly histories, each of which ends in agreement."""

import random
from dataclasses import dataclass, field

import pytest

from fedaid.timebank.rules import payee, payer
from fedaid.timebank.rules.states import (
    HOLDING,
    SIGNED_BY,
    Given,
    Hold,
    Kind,
    Mark,
    Outcome,
    PayeeState,
    PayerState,
    Side,
    payee_state,
    payer_state,
)

MINUTES = 60
LINE = 120  # two transfers of three fit
HISTORIES = 400
STEPS = 60

ARRIVES_AS_PAYER = {
    Kind.OFFER: payer.Input.OFFER,
    Kind.UNDO: payer.Input.UNDO,
    Kind.REJECT_INVITE: payer.Input.REJECT_INVITE,
    Kind.RECEIPT: payer.Input.RECEIPT,
}
ARRIVES_AS_PAYEE = {
    Kind.INVITE: payee.Input.INVITE,
    Kind.ACCEPT: payee.Input.ACCEPT,
    Kind.REJECT: payee.Input.REJECT,
}


@dataclass
class Core:
    """One side's books for several transfers: messages known, minutes on hold and moved."""

    side: Side
    known: dict[int, set[Kind]] = field(default_factory=dict)
    marks: dict[int, Mark | None] = field(default_factory=dict)
    posted: dict[int, int] = field(default_factory=dict)
    held: dict[int, int] = field(default_factory=dict)
    sent: list[tuple[int, Kind]] = field(default_factory=list)
    cells: set[tuple[str, str]] = field(default_factory=set)

    def state(self, transfer: int) -> PayerState | PayeeState:
        known = self.known.get(transfer, set())
        if self.side is Side.PAYER:
            return payer_state(known)
        return payee_state(known, self.marks.get(transfer))

    @property
    def used(self) -> int:
        return MINUTES * (sum(self.posted.values()) + sum(self.held.values()))

    def step(self, transfer: int, happened: payer.Input | payee.Input, came: Kind | None = None) -> None:
        state = self.state(transfer)
        self.cells.add((happened.value, state.value))
        given = Given(fits=self.used + MINUTES <= LINE)
        found = self._decide(state, happened, given)
        known = self.known.setdefault(transfer, set())
        if came is not None and found.stores:
            known.add(came)
        known |= set(found.signs)
        self._carry_out(transfer, found)
        assert self.state(transfer) is found.state or (found.state, self.state(transfer)) == (
            PayerState.ACCEPTED,
            PayerState.SETTLED,
        )

    def _decide(self, state: object, happened: object, given: Given) -> Outcome:
        if isinstance(state, PayerState) and isinstance(happened, payer.Input):
            return payer.decide(state, happened, given)
        assert isinstance(state, PayeeState)
        assert isinstance(happened, payee.Input)
        return payee.decide(state, happened, given)

    def _carry_out(self, transfer: int, found: Outcome) -> None:
        self.held.setdefault(transfer, 0)
        self.held[transfer] += {Hold.KEEP: 0, Hold.TAKE: 1, Hold.RELEASE: -1}[found.hold]
        self.posted[transfer] = self.posted.get(transfer, 0) + found.posts
        self.marks[transfer] = None if found.posts else found.mark or self.marks.get(transfer)
        self.sent += [(transfer, kind) for kind in (*found.signs, *found.resends)]
        assert self.posted[transfer] <= 1  # L3
        assert self.held[transfer] == (self.state(transfer) in HOLDING)  # L2

    def take(self, transfer: int, kind: Kind) -> None:
        arrives = ARRIVES_AS_PAYER if self.side is Side.PAYER else ARRIVES_AS_PAYEE
        self.step(transfer, arrives[kind], kind)


def check_in_between(decider: Core, claimant: Core) -> None:
    """X1, X3: nothing is credited that was not debited, nothing debited is void."""
    for transfer, posted in claimant.posted.items():
        assert posted <= decider.posted.get(transfer, 0)
    for transfer, posted in decider.posted.items():
        assert not (posted and claimant.state(transfer) is PayeeState.VOID)


ORDERS = (payer.Input.ORDER, payer.Input.APPROVE, payer.Input.REFUSE)
CLAIMS = (payee.Input.CLAIM, payee.Input.CANCEL, payee.Input.PAST_END)


def play(chance: random.Random) -> tuple[Core, Core]:
    """Anything, in any order; every message ever sent may arrive at any time, any number of times, or never."""
    decider, claimant = Core(Side.PAYER), Core(Side.PAYEE)
    transfers = {0: CLAIMS, 1: CLAIMS, 2: (payee.Input.CANCEL, payee.Input.PAST_END)}
    for _ in range(STEPS):
        transfer = chance.choice(list(transfers))
        what = chance.random()
        if what < 0.2:
            claimant.step(transfer, chance.choice(transfers[transfer]))
        elif what < 0.4:
            decider.step(transfer, chance.choice(ORDERS if transfer == 2 else ORDERS[1:]))
        else:
            sender, receiver = chance.choice([(decider, claimant), (claimant, decider)])
            if sender.sent:
                receiver.take(*chance.choice(sender.sent))
        check_in_between(decider, claimant)
    return decider, claimant


def finish(decider: Core, claimant: Core) -> None:
    """A fair end: the clock of the decider runs out, and everybody sends again until nothing changes."""
    before: object = None
    while before != (now := (repr(decider.known), repr(claimant.known))):
        before = now
        for transfer in sorted({*decider.known, *claimant.known}):
            send_again(decider, claimant, transfer)
            send_again(claimant, decider, transfer)
            decider.step(transfer, payer.Input.REFUSE)
            check_in_between(decider, claimant)


def send_again(sender: Core, receiver: Core, transfer: int) -> None:
    for kind in Kind:
        if kind in sender.known.get(transfer, set()) and SIGNED_BY[kind] is sender.side:
            receiver.take(transfer, kind)


@pytest.mark.parametrize("seed", range(HISTORIES // 100))
def test_every_history_ends_with_both_sides_in_agreement(seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    chance = random.Random(seed)
    for _ in range(HISTORIES // 4):
        decider, claimant = play(chance)
        finish(decider, claimant)
        for transfer in {*decider.known, *claimant.known}:
            pair = (decider.state(transfer), claimant.state(transfer))
            assert pair in {  # Q2
                (PayerState.SETTLED, PayeeState.CREDITED),
                (PayerState.REJECTED, PayeeState.VOID),
                (PayerState.NONE, PayeeState.NONE),
            }
            settled = pair[0] is PayerState.SETTLED
            assert not settled or {Kind.ACCEPT, Kind.RECEIPT} <= decider.known[transfer]  # Q4
            assert not settled or Kind.ACCEPT in claimant.known[transfer]
        assert sum(decider.posted.values()) == sum(claimant.posted.values())  # Q1
        assert not any(decider.held.values())  # Q3
        assert not any(claimant.held.values())
        assert claimant.used <= LINE  # B2


def test_the_histories_reach_every_cell_that_honest_networks_can_reach() -> None:
    chance = random.Random(7)
    cells: set[tuple[str, str]] = set()
    for _ in range(HISTORIES):
        decider, claimant = play(chance)
        finish(decider, claimant)
        cells |= decider.cells | claimant.cells
    missed = every_cell_of_honest_networks() - cells
    assert not missed


def every_cell_of_honest_networks() -> set[tuple[str, str]]:
    """Cells that need neither a restored database, nor a lost peer, nor a liar, nor the same order given twice."""
    at_payer = {("Offer", state) for state in ("none", "invited", "offered", "accepted", "settled", "rejected")} | {
        ("Undo", state) for state in ("none", "offered", "accepted", "settled", "rejected")
    }
    at_payer |= {("member approves", state) for state in ("none", "offered", "accepted", "settled", "rejected")}
    at_payer |= {("member refuses", state.value) for state in PayerState}
    at_payer |= {("RejectInvite", state) for state in ("invited", "rejected")}
    at_payer |= {("Receipt", state) for state in ("accepted", "settled")}
    at_payee = {("Accept", state) for state in ("claimed", "cancel_asked", "credited")}
    at_payee |= {("Reject", state) for state in ("none", "claimed", "cancel_asked", "void")}
    at_payee |= {("Invite", state) for state in ("none", "claimed", "cancel_asked", "credited", "void")}
    at_payee |= {("member cancels", state) for state in ("none", "claimed", "cancel_asked", "credited", "void")}
    return at_payer | at_payee
