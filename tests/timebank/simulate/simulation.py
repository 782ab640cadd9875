"""One seeded run: members, admins, clocks, the post and misfortune take turns; then all is healed and must agree."""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from activitypub.errors import ProtocolError
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import Work
from fedaid.timebank import commands, peering, rows, sync
from fedaid.timebank.commands import books, steps
from fedaid.timebank.commands.receive import take_shown
from fedaid.timebank.resend import resend_due, state_due
from fedaid.timebank.rules import payee as payee_rules
from fedaid.timebank.rules import payer as payer_rules
from fedaid.timebank.rules.messages import Deal
from fedaid.timebank.rules.reading import read
from fedaid.timebank.rules.shown import Page
from fedaid.timebank.rules.states import Given, Side
from tests.timebank.simulate import liar
from tests.timebank.simulate.auditor import Auditor, Book, Violation, at_rest
from tests.timebank.simulate.cells import Cells
from tests.timebank.simulate.node import Crash, DiskFull, Node, TrueTime
from tests.timebank.simulate.town import HOSTS, LIMITS, START, NewDatabase, seeded, settle_in

STEPS = 200
AUDIT_EVERY_STEPS = 50
REST_ROUNDS_MAX = 60
NIGHT = timedelta(hours=LIMITS.sync_every_hours + 1)
BACKUPS_MAX = 4
Input = payer_rules.Input | payee_rules.Input
POKES: tuple[Input, ...] = (
    payer_rules.Input.ORDER,
    payer_rules.Input.REFUSE,
    payee_rules.Input.CLAIM,
    payee_rules.Input.CANCEL,
    payee_rules.Input.INVITE,
    payee_rules.Input.PAST_END,
    payee_rules.Input.TAKE_LATE,
)
POKES_AT_NOTHING: tuple[Input, ...] = (
    payer_rules.Input.APPROVE,
    payer_rules.Input.REFUSE,
    payee_rules.Input.CANCEL,
    payee_rules.Input.PAST_END,
    payee_rules.Input.PEER_LOST,
    payee_rules.Input.TAKE_LATE,
)
FAULTS = (
    "loss",
    "duplication",
    "reordering",
    "replay",
    "partition",
    "crash",
    "unacknowledged",
    "disk full",
    "restore",
    "skew",
    "admin",
    "byzantine",
)


@dataclass(frozen=True)
class Outcome:
    """What a run came to. ``trace`` is what happened, for a run that broke something."""

    seed: int
    steps: int
    faults: int
    violation: str
    trace: tuple[str, ...]
    cells: frozenset[tuple[str, str, str]]
    sights: Counter[str]


@dataclass
class Letter:
    """A letter under way."""

    sender: str
    to: Node
    body: bytes


@dataclass
class Backup:
    """A copy of a database and of what we know of it."""

    image: Any
    book: Book


@dataclass
class Simulation:
    """Everything of one run. The seed chooses the nodes, the faults that are switched on, and every turn."""

    seed: int
    steps: int = STEPS
    new_database: NewDatabase | None = None  # in memory where none is given
    trace: list[str] = field(default_factory=list)
    sights: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    done: int = 0

    def run(self) -> Outcome:
        cells, violation = Cells(), ""
        with seeded(self.seed), cells.watched():
            try:
                self._begin()
                for _ in range(self.steps):
                    self._turn()
                self._heal()
            except Violation as broken:
                violation = str(broken)
            except Exception as fault:  # noqa: BLE001 - a fault of the product is a violation like any other
                violation = f"fault: {type(fault).__name__}: {fault}"
                self.trace.append(_where(fault))
        return Outcome(
            self.seed, self.done, self.faults, violation, tuple(self.trace), frozenset(cells.hit), self.sights
        )

    def _begin(self) -> None:
        self.chance = random.Random(self.seed)
        self.true = TrueTime(START)
        hosts = HOSTS[: self.chance.choice((2, 2, 2, 3, 3, 4))]
        self.on = frozenset(fault for fault in FAULTS if self.chance.random() < 0.4)
        if self.chance.random() < 0.1:
            self.on = frozenset()
        self.nodes = settle_in(hosts, self.true, self._find_agreed, self.new_database)
        self.liar = self.nodes[-1] if "byzantine" in self.on else None
        self.letters: list[Letter] = []
        self.archive: list[Letter] = []
        self.backups: dict[str, list[Backup]] = {node.name: [] for node in self.nodes}
        self.apart: set[frozenset[str]] = set()
        self.agreements: dict[tuple[str | None, str, str], commands.Agreed] = {}
        self.pressed: list[tuple[Node, Callable[[Work], object], str]] = []
        self.auditor = Auditor(self.nodes, self.liar, {node.name: Book() for node in self.nodes}, self.sights)
        if "skew" in self.on:
            for node in self.nodes:
                node.clock.skew = timedelta(days=self.chance.uniform(-1, 1))
        for node in self.nodes:
            self._arrange(node)
        self._say(f"seed {self.seed}: {', '.join(hosts)}; {', '.join(sorted(self.on)) or 'no faults'}")

    def _arrange(self, node: Node) -> None:
        """What differs between neighbourhoods: lines, and what members want done without being asked."""
        with node.work() as work:
            for other in self.nodes:
                if other is not node and self.chance.random() < 0.5:
                    peering.set_line(work, other.ledger, self.chance.choice((60, 120, 480)))
            for member in node.members:
                account = rows.account_of(work.connection, member)
                assert account
                wants = {"confirms_agreed": self.chance.random() < 0.3, "takes_payments": self.chance.random() < 0.9}
                commands.set_switches(work, account.id, **wants)

    def _say(self, what: str) -> None:
        self.trace.append(what)

    # one turn

    def _turn(self) -> None:
        self.done += 1
        self.true.at += timedelta(seconds=self.chance.choice((1, 5, 30, 120, 900, 3_600, 20_000)))
        acts = list(self._acts())
        act = self.chance.choices([one for _, one in acts], [weight for weight, _ in acts])[0]
        act()
        if self.done % AUDIT_EVERY_STEPS == 0:
            for node in self.nodes:
                self.auditor.full(node)

    def _acts(self) -> Iterator[tuple[int, Callable[[], None]]]:
        yield from ((14, self._claim), (8, self._pay), (20, self._decide), (5, self._withdraw), (4, self._give))
        yield from ((22, self._send), (34, self._deliver), (10, self._look), (12, self._read_page), (8, self._resend))
        yield from ((4, self._press_again), (4, self._poke), (2, self._state), (2, self._renew_key), (2, self._echo))
        if "crash" in self.on:
            yield 4, self._restart
        if "replay" in self.on:
            yield 6, self._replay
        if "partition" in self.on:
            yield 2, self._part_or_join
        if "restore" in self.on:
            yield 5, self._back_up
            yield 3, self._restore
        if "skew" in self.on:
            yield 2, self._jump
        if "admin" in self.on:
            yield 6, self._administer
        if self.liar is not None:
            yield 12, self._lie

    def _at(self, node: Node, what: str, act: Callable[[Work], object], *, by_admin: bool = False) -> bool:
        """One unit of work at a node, perhaps ended by a misfortune; whether it was committed."""
        self._misfortune(node)
        try:
            with node.work() as work:
                act(work)
        except (Refused, NotFound, ProtocolError) as refused:
            self._say(f"{node.name}: {what}: refused, {refused.code}")
            return False
        except Crash:
            self._say(f"{node.name}: {what}: crashed before its commit")
            self._start(node)
            return False
        except DiskFull:
            self._say(f"{node.name}: {what}: disk full")
            return False
        finally:
            node.crashes_at_commit = node.database.is_full = False
        self._say(f"{node.name}: {what}")
        self.auditor.check(node, by_admin=by_admin)
        return True

    def _misfortune(self, node: Node) -> None:
        if "crash" in self.on and self.chance.random() < 0.03:
            node.crashes_at_commit = True
            self._count("crash")
        elif "disk full" in self.on and self.chance.random() < 0.03:
            node.database.is_full = True
            self._count("disk full")

    def _start(self, node: Node) -> None:
        node.crashes_at_commit = node.database.is_full = False
        node.start()
        self.auditor.check(node, by_admin=False)

    # members

    def _any_node(self) -> Node:
        return self.chance.choice(self.nodes)

    def _two(self) -> tuple[Node, Node]:
        first, second = self.chance.sample(self.nodes, 2)
        return first, second

    def _minutes(self) -> int:
        return self.chance.choice((5, 20, 45, 60, 90, 120))

    def _key(self) -> str:
        return str(uuid.UUID(bytes=self.chance.randbytes(16), version=4))

    def _claim(self) -> None:
        node, other = self._two()
        payee, payer = self.chance.choice(node.members), self.chance.choice(other.members)
        minutes, key = self._minutes(), self._key()
        proposal = None
        if self.chance.random() < 0.3:
            proposal = f"{other.names.origin}/listings/{self.chance.randrange(3)}"
            agreed = commands.Agreed(f"{other.names.origin}/agreements/{len(self.agreements)}", self._minutes())
            self.agreements.setdefault((proposal, payee, payer), agreed)

        def act(work: Work) -> None:
            commands.claim(work, LIMITS, key, payee=payee, payer=payer, minutes=minutes, proposal=proposal)

        self._press(node, act, f"claims {minutes} of {_short(payer)} as {key[:8]}")

    def _pay(self) -> None:
        node, other = self._two()
        payer, payee = self.chance.choice(node.members), self.chance.choice(other.members)
        minutes, key = self._minutes(), self._key()
        if self.chance.random() < 0.05:
            payee = f"{other.names.origin}/users/nobody"
        self.auditor.books[node.name].agreed[node.names.transfer(key)] = minutes

        def act(work: Work) -> None:
            commands.pay(work, LIMITS, key, payer=payer, payee=payee, minutes=minutes)

        self._press(node, act, f"pays {minutes} to {_short(payee)} as {key[:8]}")

    def _press(self, node: Node, act: Callable[[Work], object], what: str) -> None:
        """A form is sent; perhaps it is sent again later, as nobody saw the answer."""
        self._at(node, what, act)
        self.pressed.append((node, act, what))

    def _press_again(self) -> None:
        if self.pressed:
            node, act, what = self.chance.choice(self.pressed)
            self._at(node, f"again: {what}", act)

    def _give(self) -> None:
        node = self._any_node()
        payer, payee = self.chance.sample(node.members, 2)
        minutes, key = self._minutes(), self._key()
        at_once = self.chance.random() < 0.5
        transfer = node.names.transfer(key)

        def act(work: Work) -> None:
            if at_once:
                commands.give(work, key, payer=payer, payee=payee, minutes=minutes)
            else:
                commands.claim(work, LIMITS, key, payee=payee, payer=payer, minutes=minutes)
                if minutes > 20:
                    commands.confirm(work, LIMITS, transfer, payer)

        if self._at(node, f"gives {minutes} here as {key[:8]}", act) and (at_once or minutes > 20):
            self.auditor.books[node.name].local[transfer] = (payer, payee, minutes)

    def _decide(self) -> None:
        """A member looks at what waits for them, and answers."""
        node = self._any_node()
        waiting = node.transfers("kind = 'out' AND state IN ('offered', 'invited')")
        transfer = self._one_of(waiting) or self._one_of(node.transfers("kind = 'out'"))
        if transfer is None:
            return
        payer, minutes = self._payer_of(node, transfer)
        if self.chance.random() < 0.7:
            self.auditor.books[node.name].agreed[transfer] = minutes
            self._press(
                node, lambda work: commands.confirm(work, LIMITS, transfer, payer), f"confirms {_short(transfer)}"
            )
        else:
            self._press(
                node, lambda work: commands.refuse(work, LIMITS, transfer, payer), f"refuses {_short(transfer)}"
            )

    def _payer_of(self, node: Node, transfer: str) -> tuple[str, int]:
        query = "SELECT a.actor, t.minutes FROM transfer t JOIN account a ON a.id = t.debit WHERE t.id = ?"
        actor, minutes = node.database.raw.execute(query, (transfer,)).fetchone()
        return str(actor), int(minutes)

    def _withdraw(self) -> None:
        node = self._any_node()
        transfer = self._one_of(node.transfers("kind = 'in'"))
        if transfer is not None:
            query = "SELECT a.actor FROM transfer t JOIN account a ON a.id = t.credit WHERE t.id = ?"
            (payee,) = node.database.raw.execute(query, (transfer,)).fetchone()
            self._press(
                node, lambda work: commands.withdraw(work, LIMITS, transfer, payee), f"withdraws {_short(transfer)}"
            )

    def _one_of(self, found: list[str]) -> str | None:
        return self.chance.choice(found) if found else None

    def _find_agreed(self, _connection: Connection, deal: Deal) -> commands.Agreed | None:
        found = self.agreements.get((deal.proposal, deal.payee, deal.payer))
        if found is not None and deal.minutes <= found.minutes:
            node = next(node for node in self.nodes if node.names.is_ours(deal.payer))
            self._agree_beforehand(node, deal)
        return found

    def _agree_beforehand(self, node: Node, deal: Deal) -> None:
        """Whatever is confirmed by this was agreed to: remember any transfer with these two and these minutes."""
        self.auditor.books[node.name].agreed_beforehand.add((deal.payer, deal.payee, deal.minutes))

    # the post

    def _joined(self, node: Node, other: Node) -> bool:
        return frozenset((node.name, other.name)) not in self.apart

    def _send(self) -> None:
        """The outbox brings its oldest letter to the other's door; it may not learn that it arrived."""
        node = self._any_node()
        waiting = node.unsent()
        if not waiting:
            return
        place = self._place(len(waiting))
        number, recipient, body = waiting[place]
        other = self._node_of(recipient)
        if not self._joined(node, other):
            return
        letter = Letter(node.ledger, other, body)
        self.archive.append(letter)
        if self._strikes("loss", 0.15):
            self._say(f"{node.name}: a letter to {other.name} is lost")
        else:
            self.letters.append(letter)
            if self._strikes("duplication", 0.15):
                self.letters.append(letter)
        if not self._strikes("unacknowledged", 0.2):
            node.mark_sent(number)

    def _node_of(self, ledger: str) -> Node:
        return next(node for node in self.nodes if node.ledger == ledger)

    def _strikes(self, fault: str, chance: float) -> bool:
        strikes = fault in self.on and self.chance.random() < chance
        if strikes:
            self._count(fault)
        return strikes

    def _count(self, fault: str) -> None:
        self.faults += 1
        self.sights[fault] += 1

    def _deliver(self) -> None:
        if self.letters:
            self._take(self.letters.pop(self._place(len(self.letters))))

    def _place(self, letters: int) -> int:
        """Which of them is next: the first, unless letters overtake each other."""
        place = self.chance.randrange(letters) if "reordering" in self.on else 0
        if place:
            self._count("reordering")
        return place

    def _replay(self) -> None:
        """Any letter of any time comes again."""
        if self.archive:
            self._count("replay")
            self._take(self.chance.choice(self.archive))

    def _take(self, letter: Letter) -> None:
        node = letter.to
        self._misfortune(node)
        what = f"takes {_kind(letter.body)}"
        try:
            node.take(letter.sender, letter.body)
        except (Refused, NotFound, ProtocolError) as refused:
            self._say(f"{node.name}: {what}: refused, {refused.code}")
            return
        except Crash:
            self._say(f"{node.name}: {what}: crashed before its commit; the letter comes again")
            self.letters.append(letter)
            self._start(node)
            return
        except DiskFull:
            self._say(f"{node.name}: {what}: disk full; the letter comes again")
            self.letters.append(letter)
            return
        finally:
            node.crashes_at_commit = node.database.is_full = False
        self._say(f"{node.name}: {what}")
        self.auditor.check(node, by_admin=False)
        self.auditor.note_settled()

    # syncs

    def _look(self) -> None:
        node = self._any_node()
        try:
            found = node.look_for_syncs()
        except (Crash, DiskFull):
            return
        if found:
            self._say(f"{node.name}: asks {found} peers")
            self.auditor.check(node, by_admin=False)

    def _read_page(self) -> None:
        node = self._any_node()
        if not node.errands:
            return
        errand = node.errands.pop(0)
        other = self._node_of(errand.collection.partition("/peers/")[0])
        if not self._joined(node, other) or self._strikes("loss", 0.1):
            self._say(f"{node.name}: {other.name} does not answer")
            return
        page = self._page(other, node, errand)
        if page is None:
            return
        self._misfortune(node)
        try:
            left = node.read(errand, page)
        except (Crash, DiskFull) as misfortune:
            self._say(f"{node.name}: reads {other.name}'s copy from {errand.after}: {type(misfortune).__name__}")
            if isinstance(misfortune, Crash):
                self._start(node)
            return
        finally:
            node.crashes_at_commit = node.database.is_full = False
        self._say(f"{node.name}: reads {len(page.items)} of {other.name}'s copy from {errand.after}")
        if left is not None:
            node.errands.insert(0, left)
        self.auditor.check(node, by_admin=False)
        self.auditor.note_settled()

    def _page(self, other: Node, node: Node, errand: sync.Errand) -> Page | None:
        if other is self.liar:
            page = liar.page(self.chance, other, node, errand.after, [one.body for one in self.archive])
            self._count("byzantine")
            return page
        return other.show(node.ledger, errand.after)

    # clocks, restarts, restores

    def _resend(self) -> None:
        node = self._any_node()
        self._at(node, "sends again", lambda work: resend_due(work, LIMITS, self._find_agreed))

    def _state(self) -> None:
        node = self._any_node()
        self._at(node, "states", lambda work: state_due(work, LIMITS))

    def _renew_key(self) -> None:
        if self.chance.random() < 0.15:
            node = self._any_node()
            self._at(node, "renews its key", lambda work: commands.renew_key(work, LIMITS))

    def _restart(self) -> None:
        node = self._any_node()
        self._count("crash")
        self._say(f"{node.name}: starts anew")
        self._start(node)

    def _back_up(self) -> None:
        node = self._any_node()
        kept = self.backups[node.name]
        kept.append(Backup(node.database.image, self.auditor.books[node.name].copy()))
        del kept[:-BACKUPS_MAX]
        self._say(f"{node.name}: is backed up")

    def _restore(self) -> None:
        node = self._any_node()
        if not self.backups[node.name]:
            return
        self._count("restore")
        backup = self.chance.choice(self.backups[node.name])
        self._say(f"{node.name}: is restored")
        node.restore(backup.image)
        self.auditor.note_restore(node, backup.book.copy())
        self.auditor.check(node, by_admin=False)

    def _part_or_join(self) -> None:
        if self.apart:
            self.apart.clear()
            self._say("all networks reach each other")
        else:
            node, other = self._two()
            self.apart.add(frozenset((node.name, other.name)))
            self._count("partition")
            self._say(f"{node.name} and {other.name} do not reach each other")

    def _jump(self) -> None:
        node = self._any_node()
        node.clock.skew += timedelta(days=self.chance.uniform(-2, 3))
        self._count("skew")
        self._say(f"{node.name}: its clock jumps")

    # admins

    def _administer(self) -> None:
        node, other = self._two()
        self._count("admin")
        act, what = self.chance.choice(self._admin_acts(node, other))
        before = {row[0] for row in node.database.raw.execute("SELECT id FROM transfer WHERE kind = 'local'")}
        if self._at(node, f"admin: {what} {other.name}", act, by_admin=True):
            self._note_admin_moves(node, before)

    def _admin_acts(self, node: Node, other: Node) -> list[tuple[Callable[[Work], object], str]]:
        late = self._one_of(node.transfers("kind = 'in' AND state = 'disputed'"))
        member = self.chance.choice(node.members)
        line = self.chance.choice((0, 30, 120, 240, 480))
        floor = -self.chance.choice((0, 60, 240))
        acts: list[tuple[Callable[[Work], object], str]] = [
            (lambda work: peering.set_line(work, other.ledger, line), f"line {line}"),
            (lambda work: commands.set_floor(work, _account(work, member), floor), f"limit {floor}"),
            (lambda work: peering.pause(work, other.ledger, LIMITS), "pause"),
            (lambda work: peering.resume(work, other.ledger), "resume"),
            (lambda work: peering.resume(work, other.ledger), "resume"),
            (lambda work: peering.declare_lost(work, other.ledger, LIMITS), "lost"),
            (lambda work: _give_up(work, other), "lost, and no line any more:"),
            (lambda work: peering.found_again(work, other.ledger), "found again"),
            (lambda work: peering.found_again(work, other.ledger), "found again"),
            (lambda work: peering.write_off(work, other.ledger), "write off"),
        ]
        if late is not None:
            acts += 4 * [(lambda work: commands.take_late(work, LIMITS, late), "takes a late Accept")]
        return acts

    def _note_admin_moves(self, node: Node, before: set[str]) -> None:
        query = (
            "SELECT t.id, coalesce(d.actor, dp.actor, :us), coalesce(c.actor, cp.actor, :us), t.minutes FROM transfer t "
            "JOIN account d ON d.id = t.debit JOIN account c ON c.id = t.credit "
            "LEFT JOIN peer dp ON dp.id = d.peer_id LEFT JOIN peer cp ON cp.id = c.peer_id "
            "WHERE t.kind = 'local' AND t.state = 'posted'"
        )
        for transfer, debit, credit, minutes in node.database.raw.execute(query, {"us": node.ledger}).fetchall():
            if transfer not in before:
                self.auditor.books[node.name].local[transfer] = (debit, credit, minutes)

    def _poke(self) -> None:
        """Anything that can happen, to any transfer in any state, also to one that is not known."""
        node, other = self._two()
        disputed = self._one_of(node.transfers("kind = 'in' AND state = 'disputed'"))
        transfer = disputed or self._one_of(node.transfers("kind != 'local'"))
        if transfer is None or self.chance.random() < 0.1:
            self._poke_at_nothing(node, other)
            return
        happened = self.chance.choice(POKES)
        if "admin" in self.on and self.chance.random() < 0.2:
            happened = payee_rules.Input.PEER_LOST

        def act(work: Work) -> None:
            books.lock(work)
            found = rows.transfer(work.connection, transfer)
            assert found
            given = Given(fits=rows.account(work.connection, found.debit).has_room_for(found.minutes))
            _happens(work, steps.matter_of(work, LIMITS, found), happened, given)

        takes_on = happened is payee_rules.Input.TAKE_LATE  # beyond the line, as only an admin may
        self._at(node, f"{happened.value}: {_short(transfer)}", act, by_admin=takes_on)

    def _poke_at_nothing(self, node: Node, other: Node) -> None:
        """What is pressed, or due, about a transfer of which nothing is known."""
        happened, transfer = self.chance.choice(POKES_AT_NOTHING), node.names.transfer(self._key())
        side = Side.PAYER if isinstance(happened, payer_rules.Input) else Side.PAYEE

        def act(work: Work) -> None:
            books.lock(work)
            peer = rows.peer_by_actor(work.connection, other.ledger)
            assert peer
            _happens(work, steps.Matter(LIMITS, peer, side, transfer), happened, Given())

        self._at(node, f"{happened.value}: unknown", act)

    def _echo(self) -> None:
        """One message of the other's copy is shown by itself, ours or theirs, known or not."""
        node, other = self._two()
        if other is self.liar:
            return
        query = (
            "SELECT f.doc FROM fact f JOIN peer p ON p.id = f.peer_id WHERE p.actor = ? "
            "AND f.kind NOT IN ('statement', 'countersigned', 'differs', 'new_key') ORDER BY f.n"
        )
        shown = [row[0] for row in other.database.raw.execute(query, (node.ledger,))]
        if not shown:
            return
        document = orjson.loads(self.chance.choice(shown))

        def act(work: Work) -> None:
            books.lock(work)
            peer = rows.peer_by_actor(work.connection, other.ledger)
            assert peer
            take_shown(work, LIMITS, peer, read(document), self._find_agreed)

        self._at(node, f"is shown {_kind(orjson.dumps(document))}", act)
        self.auditor.note_settled()

    # a peer that lies

    def _lie(self) -> None:
        assert self.liar is not None
        victim = self.chance.choice([node for node in self.nodes if node is not self.liar])
        for body in liar.letters(self.chance, self.liar, victim, [one.body for one in self.archive]):
            self._count("byzantine")
            letter = Letter(self.liar.ledger, victim, body)
            self.archive.append(letter)
            self._take(letter)

    # the end

    def _heal(self) -> None:
        """No more misfortune; everybody decides what waits, and all must come to rest and agree."""
        self._say("healed")
        self.on = frozenset()
        self.apart.clear()
        confirms = self.chance.random() < 0.5
        for node in self.nodes:
            node.clock.skew = timedelta()
            self._reopen(node)
        self._come_to_rest(confirms=confirms)
        self.true.at += (
            NIGHT  # letters of before a restore may have come after the last sync: each night brings another
        )
        self._come_to_rest(confirms=False)
        for node in self.nodes:
            self.auditor.full(node)
        for wrong in at_rest(self.auditor):
            raise Violation(wrong)

    def _come_to_rest(self, *, confirms: bool) -> None:
        for round_ in range(REST_ROUNDS_MAX):
            before = [_counts(node) for node in self.nodes]
            self._carry_all()
            self._decide_all(confirms=confirms and round_ < REST_ROUNDS_MAX // 3)
            quiet = before == [_counts(node) for node in self.nodes]
            decided = not any(self._undecided(node) for node in self.nodes)
            if quiet and (decided or (self.liar is not None and round_ > REST_ROUNDS_MAX // 2)):
                return
            self.true.at += timedelta(hours=8)
        if self.liar is None:
            raise Violation("Q: it does not come to rest")

    def _undecided(self, node: Node) -> bool:
        states = "('invited', 'offered', 'claimed', 'cancel_asked', 'disputed', 'abandoned', 'accepted')"
        return node is not self.liar and bool(node.transfers(f"kind != 'local' AND state IN {states}"))

    def _reopen(self, node: Node) -> None:
        for other in self.nodes:
            if other is node:
                continue
            status = node.peer_status(other)
            if status == "lost":
                self._at(node, f"finds {other.name} again", lambda work, at=other: peering.found_again(work, at.ledger))
            if status == "suspended" and other is not self.liar:
                self._at(node, f"resumes {other.name}", lambda work, at=other: peering.resume(work, at.ledger))

    def _carry_all(self) -> None:
        for _ in range(12):
            for node in self.nodes:
                self._resend_at(node)
                self._sync_all(node)
            busy = len(self.letters)
            for node in self.nodes:
                for number, recipient, body in node.unsent():
                    node.mark_sent(number)
                    self.letters.append(Letter(node.ledger, self._node_of(recipient), body))
            while self.letters:
                self._take(self.letters.pop(0))
                busy += 1
            if not busy and not any(node.needs_sync() for node in self.nodes):
                return

    def _resend_at(self, node: Node) -> None:
        self._at(node, "sends again", lambda work: resend_due(work, LIMITS, self._find_agreed))
        self._at(node, "states", lambda work: state_due(work, LIMITS))

    def _sync_all(self, node: Node) -> None:
        node.look_for_syncs()
        for _ in range(200):
            if not node.errands:
                return
            self.chance_node(node)

    def chance_node(self, node: Node) -> None:
        """Read the next page of this node's syncs."""
        errand = node.errands.pop(0)
        other = self._node_of(errand.collection.partition("/peers/")[0])
        page = self._page(other, node, errand)
        if page is None:
            return
        left = node.read(errand, page)
        self._say(f"{node.name}: reads {len(page.items)} of {other.name}'s copy from {errand.after}")
        if left is not None:
            node.errands.insert(0, left)
        self.auditor.check(node, by_admin=False)

    def _decide_all(self, *, confirms: bool) -> None:
        for node in self.nodes:
            for transfer in node.transfers("kind = 'in' AND state = 'disputed'"):
                self._at(
                    node,
                    "takes a late Accept",
                    lambda work, it=transfer: commands.take_late(work, LIMITS, it),
                    by_admin=True,
                )
            if confirms:
                for transfer in node.transfers("kind = 'out' AND state = 'offered'"):
                    payer, minutes = self._payer_of(node, transfer)
                    self.auditor.books[node.name].agreed[transfer] = minutes
                    self._at(
                        node,
                        f"confirms {_short(transfer)}",
                        lambda work, it=transfer, by=payer: commands.confirm(work, LIMITS, it, by),
                    )


_COUNTS = (
    "SELECT (SELECT count(*) FROM fact), (SELECT count(*) FROM posting), (SELECT count(*) FROM waiting_step), "
    "(SELECT sum(held) FROM account)"
)


def _counts(node: Node) -> object:
    """What stands still when nothing happens any more."""
    raw = node.database.raw
    return raw.execute(_COUNTS).fetchone(), raw.execute("SELECT state FROM transfer ORDER BY id").fetchall()


def _happens(work: Work, matter: steps.Matter, happened: Input, given: Given) -> None:
    """One row of the table of its side; the other side has no such row."""
    try:
        if isinstance(happened, payer_rules.Input) and matter.side is Side.PAYER:
            steps.at_payer(work, matter, happened, given)
        elif isinstance(happened, payee_rules.Input) and matter.side is Side.PAYEE:
            steps.at_payee(work, matter, happened, given)
    except steps.MustWait:
        raise Refused("must_wait", "It waits.") from None


def _give_up(work: Work, other: Node) -> None:
    """Should it come back, there is no room for what it has accepted meanwhile."""
    peering.declare_lost(work, other.ledger, LIMITS)
    peering.set_line(work, other.ledger, 0)


def _account(work: Work, actor: str) -> int:
    found = rows.account_of(work.connection, actor)
    assert found
    return found.id


def _short(name: str) -> str:
    tail = name.rpartition("/")[2]
    return tail[:8] if len(tail) > 20 else tail


def _kind(body: bytes) -> str:
    document = orjson.loads(body)
    about = document.get("fa:transfer") or document.get("id", "")
    return f"{document.get('type')} {_short(str(about))} of {str(document.get('actor')).partition('//')[2].partition('.')[0]}"


def _where(fault: Exception) -> str:
    import traceback

    return "".join(traceback.format_exception(fault)[-8:])
