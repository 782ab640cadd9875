"""Breadth-first search through everything two ledgers can come to, with the invariants checked at every state.

Every message ever sent may arrive in any order, any number of times, or never. A ledger that may be restored sends what
it signed in a step of its own, and a restore to any earlier moment takes what was not sent. At every state both a fair
end in which payers confirm and one in which they refuse must bring both ledgers into agreement, from what is durable
alone.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fedaid.timebank.rules import payee, payer
from fedaid.timebank.rules.states import (
    ANSWERED_BY,
    SUPERSEDED_BY,
    Given,
    Kind,
    PayeeState,
    PayerState,
    Side,
)
from tests.timebank.explore import model
from tests.timebank.explore.model import ARRIVES, BIT, KINDS, PART, PART_BITS, Echo, Input, Violation

MEMBERS: dict[Side, tuple[Input, ...]] = {
    Side.PAYER: (payer.Input.ORDER, payer.Input.APPROVE, payer.Input.REFUSE),
    Side.PAYEE: (
        payee.Input.CLAIM,
        payee.Input.CANCEL,
        payee.Input.PAST_END,
        payee.Input.PEER_LOST,
        payee.Input.TAKE_LATE,
    ),
}
EVERY = frozenset(MEMBERS[Side.PAYER] + MEMBERS[Side.PAYEE])
CLAIM_AND_CANCEL = frozenset({payer.Input.APPROVE, payer.Input.REFUSE, payee.Input.CLAIM, payee.Input.CANCEL})
ROUNDS_MAX = 60
AGREED = frozenset(
    {
        (PayerState.SETTLED, PayeeState.CREDITED),
        (PayerState.REJECTED, PayeeState.VOID),
        (PayerState.REJECTED, PayeeState.NONE),
        (PayerState.NONE, PayeeState.NONE),
    }
)


@dataclass(frozen=True)
class Config:
    """What is explored.

    sides     the side of the first ledger in each transfer; the second has the other
    actions   what members and admins do, and the clocks
    restores  how often each ledger may be restored
    line      how many transfers the line of the other ledger has room for
    floor     how many transfers the member's own limit has room for
    liar      the ledger that signs whatever it likes, if any
    """

    name: str
    sides: tuple[Side, ...]
    actions: frozenset[Input] = EVERY
    restores: tuple[int, int] = (0, 0)
    line: int = 1
    floor: int = 1
    liar: int | None = None


@dataclass
class Found:
    """What the exploration came to. ``trace`` leads to the first violation."""

    config: Config
    states: int = 0
    transitions: int = 0
    violations: int = 0
    first: str = ""
    trace: tuple[str, ...] = ()
    cells: set[tuple[str, str, str]] = field(default_factory=set)
    sights: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        told = f"  first: {self.first}" if self.violations else ""
        figures = f"{self.states:>9,} states  {self.transitions:>10,} transitions  {self.violations} violations"
        return f"{self.config.name:<62} {figures}{told}"


# Both ledgers' parts in all transfers, packed; the messages ever sent, one group of bits per transfer; what each ledger
# can be put back to, None before there is one or when it is not used any more; how often each may still be restored.
Key = tuple[tuple[int, int], int, tuple[int | None, int | None], tuple[int, int]]


@dataclass(frozen=True)
class Change:
    """What one transaction of a ledger does: the ledger afterwards, and the messages that it sends now."""

    label: str
    ledger: int
    sends: int


@dataclass(frozen=True)
class Ways:
    """All that can happen to a ledger as it is and changes anything; messages by their bit among those sent.

    acts        by members, admins and the clock
    arrivals    of the other's messages
    echoes      of our own messages that we have forgotten
    own         our own messages that we know
    knows       all messages that we know
    unanswered  our own messages that we go on sending
    """

    acts: tuple[Change, ...]
    arrivals: Mapping[int, Change]
    echoes: Mapping[int, Change]
    own: int
    knows: int
    unanswered: int


class Explorer:
    """Explores one configuration. Steps of a ledger are computed by the product's tables once and remembered."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.found = Found(config)
        self._sides = (config.sides, _others(config.sides))
        self._ways: tuple[dict[int, Ways], dict[int, Ways]] = ({}, {})
        self._changes: dict[object, Change] = {}
        self._ends: dict[tuple[tuple[int, int], bool], str] = {}
        self._sights: dict[tuple[int, int], Counter[str]] = {}

    def run(self, states_max: int | None = None) -> Found:
        """Explore to the end, to the first violation, or to so many states."""
        start: Key = ((0, 0), 0, (None, None), self.config.restores)
        before: dict[Key, tuple[Key, str] | None] = {start: None}
        waiting = deque([start])
        here = start
        try:
            while waiting and (states_max is None or len(before) < states_max):
                here = waiting.popleft()
                self._check(here)
                for label, there in self._moves(here):
                    self.found.transitions += 1
                    if there not in before:
                        before[there] = (here, label)
                        waiting.append(there)
        except Violation as violation:
            self.found.violations, self.found.first = 1, str(violation)
            self.found.trace = _trace(before, here)
        self.found.states = len(before)
        return self.found

    # moves

    def _moves(self, key: Key) -> Iterator[tuple[str, Key]]:
        ledgers, sent, backups, left = key
        for who in (0, 1):
            if who == self.config.liar:
                yield from self._lies(key, who)
                continue
            ways = self._ways_of(who, ledgers[who])
            for act in ways.acts:
                yield act.label, self._changed(key, who, act)
            for bit, arrival in ways.arrivals.items():
                if sent & bit and (arrival.ledger != ledgers[who] or arrival.sends & ~sent):
                    yield arrival.label, self._changed(key, who, arrival)
            if not self.config.restores[who]:
                continue
            yield from self._send(key, who, ways.own & ~sent)
            if left[who] < self.config.restores[who]:
                shown = self._ways_of(1 - who, ledgers[1 - who]).knows
                for bit, echo in ways.echoes.items():
                    if shown & bit:
                        yield echo.label, self._changed(key, who, echo)
            if left[who]:
                if backups[who] is None or (self.config.restores[who] > 1 and backups[who] != ledgers[who]):
                    yield f"back up {who}", (ledgers, sent, _with(backups, who, ledgers[who]), left)
                if backups[who] is not None and backups[who] != ledgers[who]:
                    yield f"restore {who}", self._restored(key, who)

    def _send(self, key: Key, who: int, unsent: int) -> Iterator[tuple[str, Key]]:
        ledgers, sent, backups, left = key
        while unsent:
            bit = unsent & -unsent
            unsent -= bit
            yield f"{who} sends {bit:#x}", (ledgers, sent | bit, backups, left)

    def _changed(self, key: Key, who: int, change: Change) -> Key:
        ledgers, sent, backups, left = key
        if not left[who]:  # nothing can take it any more, so it may as well be sent at once
            sent |= change.sends
        return _with(ledgers, who, change.ledger), sent, backups, left

    def _restored(self, key: Key, who: int) -> Key:
        ledgers, sent, backups, left = key
        saved = backups[who]
        assert saved is not None
        remaining = left[who] - 1
        if not remaining:  # what it had signed by then is sent by and by, and nothing takes it any more
            sent |= self._ways_of(who, saved).own
        kept = saved if remaining else None
        return _with(ledgers, who, saved), sent, _with(backups, who, kept), _with(left, who, remaining)

    def _lies(self, key: Key, who: int) -> Iterator[tuple[str, Key]]:
        """Whatever its key can sign. An Accept needs the other's true Offer inside, a Receipt the other's true Accept."""
        ledgers, sent, backups, left = key
        for transfer, side in enumerate(self._sides[who]):
            for kind in KINDS:
                bit = BIT[kind] << 7 * transfer
                needs = {Kind.ACCEPT: Kind.OFFER, Kind.RECEIPT: Kind.ACCEPT}.get(kind)
                if not model.signed_here(side, kind) or sent & bit:
                    continue
                if needs is None or sent & BIT[needs] << 7 * transfer:
                    yield f"{who} lies {kind} {transfer}", (ledgers, sent | bit, backups, left)

    # one ledger's step

    def _ways_of(self, who: int, ledger: int) -> Ways:
        known = self._ways[who].get(ledger)
        if known is None:
            known = self._ways[who][ledger] = self._find_ways(who, ledger)
        return known

    def _find_ways(self, who: int, ledger: int) -> Ways:
        acts: list[Change] = []
        arrivals: dict[int, Change] = {}
        echoes: dict[int, Change] = {}
        own = knows = unanswered = 0
        for transfer, side in enumerate(self._sides[who]):
            wanted = [act for act in MEMBERS[side] if act in self.config.actions]
            acts += [self.change(who, ledger, transfer, act, None) for act in wanted]
            for kind in KINDS:
                bit, is_known = BIT[kind] << 7 * transfer, _part(ledger, transfer) & BIT[kind]
                knows |= bit if is_known else 0
                if not model.signed_here(side, kind):
                    arrivals[bit] = self.change(who, ledger, transfer, ARRIVES[side, kind], kind)
                    continue
                own |= bit if is_known else 0
                echoes[bit] = self.change(who, ledger, transfer, ARRIVES.get((side, kind), Echo.OWN), kind)
            unanswered |= _unanswered(side, _part(ledger, transfer)) << 7 * transfer
        effective = [
            {bit: change for bit, change in changes.items() if change.ledger != ledger or change.sends}
            for changes in (arrivals, echoes)
        ]
        moved = tuple(act for act in acts if act.ledger != ledger or act.sends)
        return Ways(moved, *effective, own, knows, unanswered)

    def change(self, who: int, ledger: int, transfer: int, happened: Input | Echo, came: Kind | None) -> Change:
        """What this does to the ledger; computed by the product's tables once."""
        name = (who, ledger, transfer, happened, came)
        known = self._changes.get(name)
        if known is None:
            side, part = self._sides[who][transfer], _part(ledger, transfer)
            step = model.take(side, part, happened, came, Given(fits=self._fits(who, ledger, side)))
            self.found.cells.add(step.cell)
            shift = PART_BITS * transfer
            label = f"{who}: {happened.value}{f' ({came})' if came else ''} {transfer}"
            made = ledger & ~(PART << shift) | step.part << shift
            known = self._changes[name] = Change(label, made, step.sends << 7 * transfer)
        return known

    def _fits(self, who: int, ledger: int, side: Side) -> bool:
        """Whether the member's floor, or the other network's line, has room for one more."""
        balance = held = 0
        for transfer, other in enumerate(self._sides[who]):
            part = _part(ledger, transfer)
            moved = model.times_posted(part)
            balance += -moved if other is side else moved
            held += bool(part & model.HELD) and other is side
        return model.fits(balance, held, self.config.floor if side is Side.PAYER else self.config.line)

    # what must hold

    def _check(self, key: Key) -> None:
        ledgers, _, _, left = key
        restored = left != self.config.restores
        pairs = [self._pair(ledgers, transfer) for transfer in range(len(self.config.sides))]
        for transfer, (payer_part, payee_part, decider) in enumerate(pairs):
            if decider != self.config.liar:
                self._check_decider(payer_part, left[decider] == self.config.restores[decider], transfer)
            if not restored and self.config.liar is None:
                _check_between(payer_part, payee_part, transfer)
        self._look(ledgers, pairs)
        if self.config.liar is None:
            self._check_ends(ledgers)
        else:
            self._check_exposure(ledgers[1 - self.config.liar])

    def _pair(self, ledgers: Sequence[int], transfer: int) -> tuple[int, int, int]:
        decider = 0 if self.config.sides[transfer] is Side.PAYER else 1
        return _part(ledgers[decider], transfer), _part(ledgers[1 - decider], transfer), decider

    def _check_decider(self, part: int, never_restored: bool, transfer: int) -> None:
        both = BIT[Kind.ACCEPT] | BIT[Kind.REJECT]
        if never_restored and part & both == both:
            raise Violation(f"L8: {transfer} was both accepted and refused")

    def _check_exposure(self, ledger: int) -> None:
        """B2: what the liar owes the honest side stays within its line; an admin may take on more."""
        owed = 0
        for transfer, side in enumerate(self._sides[1 - (self.config.liar or 0)]):
            part = _part(ledger, transfer)
            moved, held = model.times_posted(part), bool(part & model.HELD)
            owed += moved + held if side is Side.PAYEE else -moved
        if owed > self.config.line and payee.Input.TAKE_LATE not in self.config.actions:
            raise Violation(f"B2: {owed} transfers on a line for {self.config.line}")

    def _look(self, ledgers: tuple[int, int], pairs: list[tuple[int, int, int]]) -> None:
        """Not vacuous: what the proof is about does occur, in so many states."""
        known = self._sights.get(ledgers)
        if known is None:
            known = self._sights[ledgers] = Counter()
            for payer_part, payee_part, _ in pairs:
                known.update(_sights_of(payer_part, payee_part))
        self.found.sights.update(known.keys())

    # fair ends

    def _check_ends(self, ledgers: tuple[int, int]) -> None:
        for confirms in (True, False):
            wrong = self._end(ledgers, confirms)
            if wrong:
                raise Violation(f"{wrong} when payers {'confirm' if confirms else 'refuse'}")

    def _end(self, ledgers: tuple[int, int], confirms: bool) -> str:
        """Play on from what is durable, with nothing lost any more, until nothing changes; what is wrong then."""
        passed = []
        while (ledgers, confirms) not in self._ends:
            passed.append(ledgers)
            if len(passed) > ROUNDS_MAX:
                raise Violation("Q: it never comes to rest")
            later = self._round(ledgers, confirms)
            if later == ledgers:
                self._ends[ledgers, confirms] = self._wrong(ledgers)
            ledgers = later
        wrong = self._ends[ledgers, confirms]
        self._ends.update({(one, confirms): wrong for one in passed})
        return wrong

    def _round(self, ledgers: tuple[int, int], confirms: bool) -> tuple[int, int]:
        """Each sends again what is unanswered, shows all it knows, and decides what waits for it."""
        now = list(ledgers)
        for who in (0, 1):
            for bits in (self._ways_of(who, now[who]).unanswered, self._ways_of(who, now[who]).knows):
                self._arrive_all(now, 1 - who, bits)
            for transfer, side in enumerate(self._sides[who]):
                for act in _ACTS_AT_THE_END[side, confirms]:
                    self._apply(now, who, self.change(who, now[who], transfer, act, None))
        return now[0], now[1]

    def _arrive_all(self, now: list[int], who: int, bits: int) -> None:
        while bits:
            bit = bits & -bits
            bits -= bit
            ways = self._ways_of(who, now[who])
            change = ways.arrivals.get(bit) or ways.echoes.get(bit)
            if change is not None:
                self._apply(now, who, change)

    def _apply(self, now: list[int], who: int, change: Change) -> None:
        now[who] = change.ledger
        self._arrive_all(now, 1 - who, change.sends)

    def _wrong(self, ledgers: tuple[int, int]) -> str:
        for transfer in range(len(self.config.sides)):
            payer_part, payee_part, _ = self._pair(ledgers, transfer)
            pair = model.state(Side.PAYER, payer_part), model.state(Side.PAYEE, payee_part)
            if model.times_posted(payer_part) != model.times_posted(payee_part):
                return f"Q1: {transfer} ends {pair[0]}/{pair[1]}"
            if pair not in AGREED:
                return f"Q2: {transfer} ends {pair[0]}/{pair[1]}"
            if (payer_part | payee_part) & model.HELD:
                return f"Q3: {transfer} ends with a hold"
            settled = pair[0] is PayerState.SETTLED
            if settled and not (payer_part & BIT[Kind.RECEIPT] and payer_part & payee_part & BIT[Kind.ACCEPT]):
                return f"Q4: {transfer} ends without its proofs"
        return ""


# What does not fit expires in the end, by the decider's clock; what came too late an admin takes.
_ACTS_AT_THE_END: Mapping[tuple[Side, bool], tuple[Input, ...]] = {
    (Side.PAYER, True): (payer.Input.APPROVE, payer.Input.REFUSE),
    (Side.PAYER, False): (payer.Input.REFUSE,),
    (Side.PAYEE, True): (payee.Input.TAKE_LATE,),
    (Side.PAYEE, False): (payee.Input.TAKE_LATE,),
}


def _unanswered(side: Side, part: int) -> int:
    known, bits = model.known(part), 0
    for kind in ANSWERED_BY:
        answers = ANSWERED_BY[kind] | SUPERSEDED_BY.get(kind, frozenset())
        if isinstance(kind, Kind) and kind in known and model.signed_here(side, kind) and not answers & known:
            bits |= BIT[kind]
    return bits


def _check_between(payer_part: int, payee_part: int, transfer: int) -> None:
    if model.times_posted(payee_part) > model.times_posted(payer_part):
        raise Violation(f"X1: {transfer} is credited and not debited")
    if model.state(Side.PAYEE, payee_part) is PayeeState.VOID and model.times_posted(payer_part):
        raise Violation(f"X3: {transfer} is debited and void")


def _sights_of(payer_part: int, payee_part: int) -> Iterator[str]:
    decider, claimant = model.state(Side.PAYER, payer_part), model.state(Side.PAYEE, payee_part)
    both = BIT[Kind.ACCEPT] | BIT[Kind.REJECT]
    if payer_part & both == both:
        yield "the decider contradicts itself"
    if decider is PayerState.ACCEPTED and claimant is not PayeeState.CREDITED:
        yield "in flight"
    if decider is PayerState.ACCEPTED and claimant is PayeeState.CANCEL_ASKED:
        yield "accept beats cancel"
    if decider is PayerState.NONE and claimant is PayeeState.CREDITED:
        yield "credited while the payer's side has forgotten"
    if claimant is PayeeState.CREDITED and payee_part & (BIT[Kind.REJECT] | BIT[Kind.REJECT_INVITE]):
        yield "void, then credited"
    if claimant is PayeeState.DISPUTED:
        yield "waits for an admin"


def _part(ledger: int, transfer: int) -> int:
    return ledger >> PART_BITS * transfer & PART


def _with(pair: tuple, who: int, value: object) -> tuple:  # type: ignore[type-arg]  # of any two of a kind
    return (value, pair[1]) if who == 0 else (pair[0], value)


def _others(sides: tuple[Side, ...]) -> tuple[Side, ...]:
    return tuple(Side.PAYEE if side is Side.PAYER else Side.PAYER for side in sides)


def _trace(before: dict[Key, tuple[Key, str] | None], key: Key) -> tuple[str, ...]:
    labels: list[str] = []
    while (step := before[key]) is not None:
        key, label = step
        labels.append(label)
    return tuple(reversed(labels))
