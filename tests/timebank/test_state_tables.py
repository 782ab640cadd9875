"""Every cell of both state tables, as a sentence: what happens, in which state, what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import pytest

from fedaid.timebank.rules import payee, payer
from fedaid.timebank.rules.states import (
    HOLDING,
    POSTED,
    SIGNED_BY,
    Alarm,
    Given,
    Hold,
    Kind,
    Mark,
    Outcome,
    PayeeState,
    PayerState,
    Side,
    Tell,
    payee_state,
    payer_state,
)

FITS, FULL = Given(fits=True), Given(fits=False)
UNACCEPTABLE, APPROVED = Given(acceptable=False), Given(approved=True)


@dataclass(frozen=True)
class Case:
    """One cell; ``comes_of_it``: the state, then hold, release, post, sign X, resend X, keep, alarm X, tell X, mark."""

    happened: str
    state: str
    comes_of_it: str
    given: Given = FITS
    when: str = ""

    def __str__(self) -> str:
        when = f" ({self.when})" if self.when else ""
        return f"{self.happened} in {self.state.upper()}{when}: {self.comes_of_it}"


def outcome(text: str, states: type[PayerState] | type[PayeeState]) -> Outcome:
    """The outcome that a sentence describes."""
    state, *parts = [part.strip() for part in text.split(",")]
    found = {"hold": Hold.KEEP, "posts": False, "stores": False}
    listed: dict[str, list[object]] = {"signs": [], "resends": [], "alarms": []}
    for part in parts:
        word, _, rest = part.partition(" ")
        if word == "hold":
            found["hold"] = Hold.TAKE
        elif word == "release":
            found["hold"] = Hold.RELEASE
        elif word == "post":
            found["posts"] = True
        elif word == "keep":
            found["stores"] = True
        elif word in ("sign", "resend"):
            listed[f"{word}s"].append(Kind(rest))
        elif word == "alarm":
            listed["alarms"].append(Alarm(rest))
        elif word == "tell":
            found["tells"] = Tell(rest)  # type: ignore[assignment]
        else:
            found["mark"] = Mark(rest)  # type: ignore[assignment]
    lists = {name: tuple(values) for name, values in listed.items()}
    return Outcome(states(state), **found, **lists)  # type: ignore[arg-type]


def row(happened: str, cells: str) -> list[Case]:
    """A row of a table whose cells do not ask anything: ``state: what comes of it`` each on a line."""
    pairs = (line.strip().split(": ", 1) for line in cells.strip().splitlines())
    return [Case(happened, state, comes_of_it) for state, comes_of_it in pairs]


PAYER = [
    Case("member orders payment", "none", "invited, hold, sign invite, keep", FITS, "limit ok"),
    Case("member orders payment", "none", "none, tell no_room", FULL, "over the limit"),
    *row(
        "member orders payment",
        """
        invited: invited
        offered: offered
        accepted: accepted
        settled: settled
        rejected: rejected
        """,
    ),
    Case("Offer", "none", "offered, keep"),
    Case("Offer", "none", "accepted, post, sign accept, keep", APPROVED, "approved beforehand"),
    Case("Offer", "none", "offered, keep", Given(fits=False, approved=True), "approved beforehand, over the limit"),
    Case("Offer", "none", "rejected, sign reject, keep", UNACCEPTABLE, "unacceptable"),
    Case("Offer", "none", "rejected, sign reject, keep", Given(acceptable=False, approved=True), "unacceptable"),
    *row(
        "Offer",
        """
        invited: accepted, release, post, sign accept, keep
        offered: offered
        accepted: accepted, resend accept, keep
        settled: settled, resend accept, keep
        rejected: rejected, resend reject, keep
        """,
    ),
    Case("member approves", "offered", "accepted, post, sign accept, keep", FITS, "limit ok"),
    Case("member approves", "offered", "offered, tell no_room", FULL, "over the limit"),
    *row(
        "member approves",
        """
        none: none
        invited: invited
        accepted: accepted
        settled: settled
        rejected: rejected, tell too_late
        """,
    ),
    *row(
        "member refuses",
        """
        none: none
        invited: rejected, release, sign reject, keep
        offered: rejected, sign reject, keep
        accepted: accepted
        settled: settled
        rejected: rejected
        """,
    ),
    *row(
        "Undo",
        """
        none: rejected, sign reject, keep
        invited: rejected, release, sign reject, keep
        offered: rejected, sign reject, keep
        accepted: accepted, resend accept, keep
        settled: settled, resend accept, keep
        rejected: rejected, resend reject, keep
        """,
    ),
    *row(
        "RejectInvite",
        """
        none: none, keep, alarm sync
        invited: rejected, release, sign reject, keep
        offered: rejected, sign reject, keep
        accepted: accepted, keep
        settled: settled, keep
        rejected: rejected, keep
        """,
    ),
    *row(
        "Receipt",
        """
        none: none, keep, alarm sync
        invited: invited, keep, alarm sync
        offered: offered, keep, alarm sync
        accepted: settled, keep
        settled: settled
        rejected: rejected, keep, alarm sync
        """,
    ),
    *row(
        "own Accept echoed",
        """
        none: accepted, post, keep, alarm recovered
        invited: accepted, release, post, keep, alarm recovered
        offered: accepted, post, keep, alarm recovered
        accepted: accepted
        settled: settled
        rejected: accepted, post, keep, alarm recovered, alarm contradiction
        """,
    ),
    *row(
        "own Reject echoed",
        """
        none: rejected, keep
        invited: rejected, release, keep
        offered: rejected, keep
        accepted: accepted, keep, alarm contradiction
        settled: settled, keep, alarm contradiction
        rejected: rejected
        """,
    ),
]

PAYEE = [
    Case("member claims", "none", "claimed, hold, sign offer, keep", FITS, "line ok"),
    Case("member claims", "none", "none, tell no_room", FULL, "over the line"),
    *row(
        "member claims",
        """
        claimed: claimed
        cancel_asked: cancel_asked
        credited: credited
        void: void
        abandoned: abandoned
        disputed: disputed
        """,
    ),
    Case("Invite", "none", "claimed, hold, sign offer, keep", FITS, "line ok"),
    Case("Invite", "none", "void, sign reject_invite, keep", FULL, "over the line"),
    *row(
        "Invite",
        """
        claimed: claimed, resend offer, keep
        cancel_asked: cancel_asked, resend offer, resend undo, keep
        credited: credited, resend receipt, keep
        void: void, resend reject_invite, keep
        abandoned: abandoned, resend offer, keep
        disputed: disputed, resend offer, keep
        """,
    ),
    *row(
        "member cancels",
        """
        none: none
        claimed: cancel_asked, sign undo, keep
        cancel_asked: cancel_asked
        credited: credited, tell ask_reversal
        void: void
        abandoned: abandoned
        disputed: disputed
        """,
    ),
    *row(
        "Accept",
        """
        none: credited, post, sign receipt, keep, alarm recovered
        claimed: credited, release, post, sign receipt, keep
        cancel_asked: credited, release, post, sign receipt, keep
        credited: credited, resend receipt, keep
        disputed: disputed
        """,
    ),
    *(
        case
        for state in ("void", "abandoned")
        for case in (
            Case("Accept", state, "credited, post, sign receipt, keep, alarm late", FITS, "late, line ok"),
            Case("Accept", state, "disputed, keep, alarm disputed, mark disputed", FULL, "late, over the line"),
        )
    ),
    *row(
        "Reject",
        """
        none: void, keep
        claimed: void, release, keep
        cancel_asked: void, release, keep
        credited: credited, keep, alarm contradiction
        void: void, keep
        abandoned: void, keep
        disputed: disputed, keep, alarm contradiction
        """,
    ),
    *row(
        "own clock past endTime",
        """
        none: none
        claimed: claimed, resend offer
        cancel_asked: cancel_asked, resend offer, resend undo
        credited: credited
        void: void
        abandoned: abandoned
        disputed: disputed
        """,
    ),
    *row(
        "admin declares peer lost",
        """
        none: none
        claimed: abandoned, release, mark abandoned
        cancel_asked: abandoned, release, mark abandoned
        credited: credited
        void: void
        abandoned: abandoned
        disputed: disputed
        """,
    ),
    *row(
        "admin takes a late Accept",
        """
        none: none
        claimed: claimed
        cancel_asked: cancel_asked
        credited: credited
        void: void
        abandoned: abandoned
        disputed: credited, post, sign receipt
        """,
    ),
]


@pytest.mark.parametrize("case", PAYER, ids=str)
def test_at_the_payers_network(case: Case) -> None:
    found = payer.decide(PayerState(case.state), payer.Input(case.happened), case.given)
    assert found == outcome(case.comes_of_it, PayerState)


@pytest.mark.parametrize("case", PAYEE, ids=str)
def test_at_the_payees_network(case: Case) -> None:
    found = payee.decide(PayeeState(case.state), payee.Input(case.happened), case.given)
    assert found == outcome(case.comes_of_it, PayeeState)


def test_no_cell_is_left_out() -> None:
    assert {(case.happened, case.state) for case in PAYER} == {
        (happened.value, state.value) for happened in payer.Input for state in PayerState
    }
    assert {(case.happened, case.state) for case in PAYEE} == {
        (happened.value, state.value) for happened in payee.Input for state in PayeeState
    }


# The tables and the function of the set of messages are two ways of saying the same.

COMES_WITH = {
    payer.Input.ORDER: None,
    payer.Input.OFFER: Kind.OFFER,
    payer.Input.APPROVE: None,
    payer.Input.REFUSE: None,
    payer.Input.UNDO: Kind.UNDO,
    payer.Input.REJECT_INVITE: Kind.REJECT_INVITE,
    payer.Input.RECEIPT: Kind.RECEIPT,
    payer.Input.OWN_ACCEPT: Kind.ACCEPT,
    payer.Input.OWN_REJECT: Kind.REJECT,
    payee.Input.CLAIM: None,
    payee.Input.INVITE: Kind.INVITE,
    payee.Input.CANCEL: None,
    payee.Input.ACCEPT: Kind.ACCEPT,
    payee.Input.REJECT: Kind.REJECT,
    payee.Input.PAST_END: None,
    payee.Input.PEER_LOST: None,
    payee.Input.TAKE_LATE: None,
}
EVERYTHING_GIVEN = [
    Given(fits, ok, approved) for fits in (True, False) for ok in (True, False) for approved in (True, False)
]


def every_set_of_messages() -> Sequence[frozenset[Kind]]:
    kinds = tuple(Kind)
    return [frozenset(chosen) for size in range(len(kinds) + 1) for chosen in combinations(kinds, size)]


def afterwards(known: frozenset[Kind], came: Kind | None, found: Outcome) -> frozenset[Kind]:
    kept = {came} if came is not None and found.stores else set()
    return known | kept | set(found.signs)


@pytest.mark.parametrize("happened", payer.Input, ids=str)
def test_the_payers_state_afterwards_is_that_of_the_messages_known_then(happened: payer.Input) -> None:
    for known in every_set_of_messages():
        if happened in (payer.Input.ORDER,) and known:
            continue
        state = payer_state(known)
        for given in EVERYTHING_GIVEN:
            found = payer.decide(state, happened, given)
            then = payer_state(afterwards(known, COMES_WITH[happened], found))
            # An Accept that comes back to us meets a Receipt that came before it: settled at once.
            early_receipt = found.state is PayerState.ACCEPTED and Kind.RECEIPT in known
            assert then is (PayerState.SETTLED if early_receipt else found.state)


@pytest.mark.parametrize("happened", payee.Input, ids=str)
def test_the_payees_state_afterwards_is_that_of_the_messages_known_then(happened: payee.Input) -> None:
    for known, mark in chain.from_iterable(
        [(known, mark) for mark in (None, *Mark)] for known in every_set_of_messages()
    ):
        if not is_possible_at_the_payee(known, mark):
            continue
        state = payee_state(known, mark)
        for given in EVERYTHING_GIVEN:
            found = payee.decide(state, happened, given)
            marked = None if found.posts else found.mark or mark
            assert payee_state(afterwards(known, COMES_WITH[happened], found), marked) is found.state


def is_possible_at_the_payee(known: frozenset[Kind], mark: Mark | None) -> bool:
    """An Undo follows our Offer, a dispute is about an Accept, what is given up was claimed."""
    if Kind.UNDO in known and Kind.OFFER not in known:
        return False
    if mark is Mark.DISPUTED:
        return Kind.ACCEPT in known
    return mark is None or Kind.OFFER in known


def test_minutes_are_promised_exactly_in_the_holding_states() -> None:
    for decide, inputs, states in ((payer.decide, payer.Input, PayerState), (payee.decide, payee.Input, PayeeState)):
        for happened, state, given in ((h, s, g) for h in inputs for s in states for g in EVERYTHING_GIVEN):
            found = decide(state, happened, given)  # type: ignore[operator]
            change = {Hold.KEEP: 0, Hold.TAKE: 1, Hold.RELEASE: -1}[found.hold]
            assert (state in HOLDING) + change == (found.state in HOLDING)


def test_minutes_move_exactly_on_the_way_into_a_posted_state() -> None:
    for decide, inputs, states in ((payer.decide, payer.Input, PayerState), (payee.decide, payee.Input, PayeeState)):
        for happened, state, given in ((h, s, g) for h in inputs for s in states for g in EVERYTHING_GIVEN):
            found = decide(state, happened, given)  # type: ignore[operator]
            assert found.posts == (found.state in POSTED and state not in POSTED)
            assert not (state in POSTED and found.state not in POSTED)


def test_each_side_signs_only_its_own_messages() -> None:
    assert all(SIGNED_BY[kind] is Side.PAYER for row in payer.TABLE.values() for kind in signed(row.values()))
    assert all(SIGNED_BY[kind] is Side.PAYEE for row in payee.TABLE.values() for kind in signed(row.values()))


def signed(cells: object) -> list[Kind]:
    outcomes = chain.from_iterable(cell.values() for cell in cells)  # type: ignore[attr-defined]
    return [kind for found in outcomes for kind in (*found.signs, *found.resends)]


def test_the_payers_network_never_signs_an_accept_and_a_reject_of_one_transfer() -> None:
    for cells in payer.TABLE.values():
        for state, cell in cells.items():
            for found in cell.values():
                assert len({Kind.ACCEPT, Kind.REJECT} & set(found.signs)) < 2
                decided = state in (PayerState.ACCEPTED, PayerState.SETTLED, PayerState.REJECTED)
                assert not (decided and found.signs)
