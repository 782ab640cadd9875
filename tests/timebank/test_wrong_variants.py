"""Ten designs that lose, make or double hours, each planted in the product; each must be caught, or the checks are weak.

They are those of other systems and of our own first drafts (design, section 4.4). Where a variant is a wrong cell of a
state table, the exhaustive exploration must find what it does; where it is a wrong command, the simulator must.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from fedaid.foundation.ids import new_key
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import commands, rows
from fedaid.timebank.commands import books, channel
from fedaid.timebank.commands.receive import nothing_agreed
from fedaid.timebank.rows import Peer, Transfer
from fedaid.timebank.rules import payee, payer, states
from fedaid.timebank.rules.reading import Signed
from fedaid.timebank.rules.states import Given, Hold, Kind, Mark, Outcome, PayeeState, PayerState, Side
from tests.timebank.explore import model
from tests.timebank.explore.search import Config, Explorer
from tests.timebank.simulate import simulation
from tests.timebank.simulate.auditor import Auditor, Book, Violation
from tests.timebank.simulate.node import Crash, Node, TrueTime
from tests.timebank.simulate.town import HOSTS, LIMITS, START, seeded, settle_in

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


def no_tombstone(patch: pytest.MonkeyPatch) -> None:
    """An Undo of a claim that has not come yet is answered, and nothing is kept of it."""
    true_take = model.take

    def take(side: Side, part: int, happened: model.Input | model.Echo, came: Kind | None, given: Given) -> model.Step:
        if happened is payer.Input.UNDO and model.state(side, part) is PayerState.NONE:
            cell = (side.value, happened.value, PayerState.NONE.value)
            return model.Step(part, model.BIT[Kind.REJECT], cell, frozenset())
        return true_take(side, part, happened, came, given)

    patch.setattr(model, "take", take)


TABLES = {
    "an Undo is answered without a tombstone": WrongTable(no_tombstone, Config("", ONE), "X3"),
    "the payee's side times out": WrongTable(payee_keeps_a_clock, Config("", ONE), "Q1"),
    "the payee cancels alone": WrongTable(payee_cancels_alone, Config("", ONE), "Q1"),
    "the line is checked only at the Accept": WrongTable(line_checked_at_the_accept, Config("", TWO, floor=2), "Q1"),
    "duplicates are known by the message's id": WrongTable(deduplicated_by_message, Config("", ONE), "L3"),
    "the decider changes its mind after the commit": WrongTable(decider_changes_its_mind, Config("", ONE), "L3"),
    "a sync without echo": WrongTable(sync_without_echo, Config("", ONE, restores=(1, 0)), "Q"),
    "the first decision wins": WrongTable(first_decision_wins, Config("", ONE, restores=(1, 0)), "Q1"),
}


# What no cell of a table can say: wrong commands. The simulator must find what they do.


def two_transactions(patch: pytest.MonkeyPatch) -> None:
    """The posting is committed, then what tells of it: a crash in between leaves the one without the other."""
    moved: list[tuple[str, str]] = []
    true_move, true_work = books.move, Node.work

    def move(work: Work, found: Transfer, evidence: str, *, limited: bool) -> None:
        true_move(work, found, evidence, limited=limited)
        moved.append((found.id, evidence))

    @contextmanager
    def crashing(node: Node) -> Iterator[Work]:
        moved.clear()
        try:
            with true_work(node) as work:
                yield work
        except Crash:
            with node.units.begin() as work:
                for transfer, evidence in moved:
                    found = rows.transfer(work.connection, transfer)
                    if found is not None and found.kind == Side.PAYER:
                        true_move(work, found, evidence, limited=False)
            raise

    patch.setattr(books, "move", move)
    patch.setattr(Node, "work", crashing)


def one_shared_hash(patch: pytest.MonkeyPatch) -> None:
    """As in Credit Commons: whoever does not know my last message is refused, in both directions."""
    true_heard = channel.was_heard

    def was_heard(work: Work, peer: Peer, message: Signed) -> None:
        place = message.envelope.channel
        known = rows.fact_by_digest(work.connection, message.digest) is not None
        if not known and (place.prev, place.seen_head) != (peer.in_hash, peer.out_hash):
            raise Refused("last_hash", "We do not have the same last message.", 409)
        true_heard(work, peer, message)

    patch.setattr(channel, "was_heard", was_heard)


@dataclass
class Scene:
    """Two simulated neighbourhoods without any chance, and the simulator's auditor."""

    north: Node
    river: Node
    auditor: Auditor

    def claim(self) -> str:
        """Somebody in Riverside claims an hour of somebody in Northside."""
        with self.river.work() as work:
            key = new_key()
            payee, payer = self.river.members[0], self.north.members[0]
            return commands.claim(work, LIMITS, key, payee=payee, payer=payer, minutes=60)

    def confirm(self, transfer: str) -> None:
        self.auditor.books[self.north.name].agreed[transfer] = 60
        with self.north.work() as work:
            commands.confirm(work, LIMITS, transfer, self.north.members[0])
        self.auditor.check(self.north, by_admin=False)

    def deliver(self) -> None:
        """Both outboxes, once."""
        for node, other in ((self.river, self.north), (self.north, self.river)):
            for number, _, body in node.unsent():
                other.take(node.ledger, body)
                node.mark_sent(number)
                self.auditor.check(other, by_admin=False)


def crash_at_the_commit(scene: Scene) -> None:
    transfer = scene.claim()
    scene.deliver()
    scene.north.crashes_at_commit = True
    with suppress(Crash):
        scene.confirm(transfer)
    scene.north.crashes_at_commit = False
    scene.auditor.check(scene.north, by_admin=False)
    scene.confirm(transfer)
    scene.deliver()


def two_claims_cross(scene: Scene) -> None:
    """Each side speaks before it has heard the other."""
    transfer = scene.claim()
    with scene.north.work() as work:
        payee, payer = scene.north.members[1], scene.river.members[1]
        commands.claim(work, LIMITS, new_key(), payee=payee, payer=payer, minutes=60)
    scene.deliver()
    scene.confirm(transfer)


@dataclass(frozen=True)
class WrongCommand:
    """What is planted, what happens then, and what notices it: an invariant, or a refusal that nothing can heal."""

    plant: Callable[[pytest.MonkeyPatch], None]
    play: Callable[[Scene], None]
    noticed: str


COMMANDS = {
    "posting and outbox in two transactions": WrongCommand(two_transactions, crash_at_the_commit, "L3"),
    "one last hash for both directions": WrongCommand(one_shared_hash, two_claims_cross, "We do not have the same"),
}


def what_notices(play: Callable[[Scene], None]) -> str:
    """The first thing that is wrong, or an empty text."""
    with seeded(0):
        sights: Counter[str] = Counter()
        north, river = settle_in(HOSTS[:2], TrueTime(START), nothing_agreed)
        auditor = Auditor((north, river), None, {north.name: Book(), river.name: Book()}, sights)
        try:
            play(Scene(north, river, auditor))
        except (Violation, Refused) as noticed:
            return str(noticed)
    return ""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_command_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = COMMANDS[name]
    assert what_notices(wrong.play) == ""
    wrong.plant(monkeypatch)
    assert what_notices(wrong.play).startswith(wrong.noticed)


def test_one_last_hash_leaves_two_books_that_never_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the refusal leads to: a whole run, healed at its end, and the accounts differ for ever."""
    one_shared_hash(monkeypatch)
    monkeypatch.setattr(simulation, "REST_ROUNDS_MAX", 4)
    assert simulation.Simulation(0).run().violation.startswith("Q")


def test_all_ten_are_there() -> None:
    assert len(TABLES) + len(COMMANDS) == 10


@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_table_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = TABLES[name]
    assert Explorer(wrong.config).run().violations == 0
    wrong.plant(monkeypatch)
    found = Explorer(wrong.config).run()
    print(found.first, *found.trace, sep="\n    ")  # noqa: T201 - shown when it fails
    assert found.violations, f"nothing caught it: {name}"
    assert found.first.startswith(wrong.breaks)
