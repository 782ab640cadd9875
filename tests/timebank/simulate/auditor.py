"""Looks into the databases after every step, without the product's code, and keeps a model of its own of the books."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fedaid.timebank.audit import verify_ledger
from fedaid.timebank.facts import LedgerAlarm
from fedaid.timebank.rules.states import Alarm
from tests.timebank.simulate.node import Node

PAYER_DECIDED = ("accepted", "settled")
UNDECIDED = ("invited", "offered", "claimed", "cancel_asked")
HOLDING = ("invited", "claimed", "cancel_asked")
AGREED = {
    ("settled", "credited"),
    ("rejected", "void"),
    ("rejected", None),
    (None, None),
}
# A debit below a limit is right only when it had been decided before a restore, or an admin decided it.
EXCUSES = frozenset({Alarm.RECOVERED})


class Violation(Exception):
    """An invariant does not hold; the text begins with its name."""


@dataclass
class Book:
    """What we know of one node without asking its own tables, and how far we have looked.

    local      hours that were given here: id -> (payer, payee, minutes); the chest is named by the ledger
    agreed     what members here ordered or confirmed: id -> minutes
    agreed_beforehand  claims covered by an agreement on the board: (payer, payee, minutes)
    rooms      of each account, how much room was left when we last looked
    """

    local: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    agreed: dict[str, int] = field(default_factory=dict)
    agreed_beforehand: set[tuple[str, str, int]] = field(default_factory=set)
    rooms: dict[int, int] = field(default_factory=dict)
    facts: int = 0
    last_fact: str = ""
    postings: int = 0
    last_posting: str = ""

    def copy(self) -> "Book":
        return Book(
            dict(self.local),
            dict(self.agreed),
            set(self.agreed_beforehand),
            {},
            self.facts,
            self.last_fact,
            self.postings,
            self.last_posting,
        )


@dataclass
class Auditor:
    """Checks L1-L8 and B1-B3 at one node after each of its steps, X1-X4 between two that were never restored."""

    nodes: Sequence[Node]
    liar: Node | None
    books: dict[str, Book]
    sights: Counter[str]
    settled_at: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)

    def check(self, node: Node, *, by_admin: bool) -> None:
        """After a step of this node. ``by_admin``: an admin may go beyond limits."""
        if node is self.liar:
            node.told.clear()
            return
        book = self.books[node.name]
        self.sights.update(f"alarm: {one.alarm}" for one in node.told if isinstance(one, LedgerAlarm))
        flagged = by_admin or any(isinstance(one, LedgerAlarm) and one.alarm in EXCUSES for one in node.told)
        node.told.clear()
        for wrong in _look(node, book, flagged):
            raise Violation(f"{wrong} at {node.name}")
        for other in self.nodes:
            if other is not node and self.liar not in (node, other):
                self._between(node, other)

    def note_restore(self, node: Node, book: Book) -> None:
        """An older backup was put back: what we know of the node is as old."""
        book.agreed.update(self.books[node.name].agreed)  # people do not forget what they agreed to
        book.agreed_beforehand.update(self.books[node.name].agreed_beforehand)
        self.books[node.name] = book

    def _between(self, node: Node, other: Node) -> None:
        if node.restores or other.restores:
            return
        for wrong in _in_between(node, other):
            raise Violation(wrong)

    def note_settled(self) -> None:
        """Remember what is posted on both sides now: a restore of one side must not undo it (R1)."""
        for node in self.nodes:
            for other in self.nodes:
                if node is other or self.liar in (node, other):
                    continue
                for transfer in _posted(node, "out", other) & _posted(other, "in", node):
                    restores = node.restores, other.restores
                    self.settled_at[node.name, other.name, transfer] = restores

    def full(self, node: Node) -> None:
        """Recompute everything: by the product's own audit, and by the model from what was signed and given."""
        if node is self.liar:
            return
        with node.database.read() as connection:
            for finding in verify_ledger(connection).findings:
                raise Violation(f"L: {finding} at {node.name}")
        for wrong in self._against_the_model(node):
            raise Violation(f"{wrong} at {node.name}")

    def _against_the_model(self, node: Node) -> Iterator[str]:
        """Balances by the signed Accepts, word by word, and the hours given here; nothing of the product computes it."""
        balances: Counter[str] = Counter()
        for payer, payee, minutes in self.books[node.name].local.values():
            balances[payer] -= minutes
            balances[payee] += minutes
        for transfer, document, disputed in _accepts(node):
            if disputed:
                continue
            moved = document["result"]["stipulatesReciprocal"]
            minutes = int(moved["resourceQuantity"]["hasNumericalValue"])
            ours, theirs = _sides(node, document)
            debit, credit = (ours, theirs) if document["actor"] == node.ledger else (theirs, ours)
            balances[debit] -= minutes
            balances[credit] += minutes
            if document["fa:minutes"] != minutes or document["fa:transfer"] != transfer:
                yield f"model: the Accept of {transfer} says two things"
        shown = _balances(node)
        for name in sorted(balances.keys() | shown.keys()):
            if balances[name] != shown.get(name, 0):
                yield f"model: {name} has {shown.get(name, 0)} minutes and should have {balances[name]}"


# one node


def _look(node: Node, book: Book, flagged: bool) -> Iterator[str]:
    raw = node.database.raw
    (total,) = raw.execute("SELECT coalesce(sum(balance), 0) FROM account").fetchone()
    if total != 0:
        yield f"L1: balances add up to {total}"
    yield from _holds_and_balances(raw)
    yield from _postings(node, book)
    yield from _facts(node, book)
    yield from _rooms(raw, book, flagged)


def _holds_and_balances(raw: Any) -> Iterator[str]:
    moved: Counter[int] = Counter()
    for debit, credit, minutes in raw.execute("SELECT debit, credit, minutes FROM posting"):
        moved[debit] -= minutes
        moved[credit] += minutes
    held: Counter[int] = Counter()
    for debit, minutes, state in raw.execute("SELECT debit, minutes, state FROM transfer WHERE held"):
        held[debit] += minutes
        if state not in HOLDING:
            yield f"L2: a transfer is {state} and holds"
    for number, balance, holds in raw.execute("SELECT id, balance, held FROM account"):
        if balance != moved[number] or holds != held[number]:
            yield f"L2: account {number} says {balance}/{holds}, its rows say {moved[number]}/{held[number]}"


_NEW_POSTINGS = """
SELECT p.seq, p.transfer_id, p.minutes, p.prev, p.hash, p.evidence, t.kind, t.state, a.actor, t.remote_actor,
       (SELECT count(*) FROM posting q WHERE q.transfer_id = p.transfer_id),
       (SELECT f.digest FROM fact f WHERE f.transfer_id = p.transfer_id AND f.kind = 'accept' AND f.counts)
FROM posting p JOIN transfer t ON t.id = p.transfer_id JOIN account a ON a.id = p.debit WHERE p.seq > ? ORDER BY p.seq
"""


def _postings(node: Node, book: Book) -> Iterator[str]:
    raw = node.database.raw
    kept = raw.execute("SELECT hash FROM posting WHERE seq = ?", (book.postings,)).fetchone()
    if book.postings and (kept is None or kept[0] != book.last_posting):
        yield "L6: a posting went away or changed"
    for seq, transfer, minutes, prev, hash_, evidence, kind, state, payer, payee, times, accept in raw.execute(
        _NEW_POSTINGS, (book.postings,)
    ):
        if times != 1:
            yield f"L3: {transfer} is posted {times} times"
        if seq != book.postings + 1 or (book.postings and prev != book.last_posting):
            yield f"L6: posting {seq} does not follow on the one before"
        if kind != "local" and (accept is None or evidence != accept):
            yield f"L3: {transfer} is {state} and posted without a counting Accept"
        beforehand = (payer, payee, minutes) in book.agreed_beforehand
        if kind == "out" and book.agreed.get(transfer) != minutes and not beforehand:
            yield f"B1: {transfer} took {minutes} minutes that nobody here agreed to"
        book.postings, book.last_posting = seq, hash_
    head = raw.execute("SELECT seq, hash, facts FROM ledger_head").fetchone()
    if head[0] != book.postings or (book.postings and head[1] != book.last_posting):
        yield "L6: the head is not the last posting"


_BOTH = """
SELECT a.transfer_id FROM fact a JOIN fact r ON r.transfer_id = a.transfer_id AND r.kind = 'reject' AND r.ours
WHERE a.kind = 'accept' AND a.ours
"""
_UNPOSTED = """
SELECT f.transfer_id FROM fact f JOIN transfer t ON t.id = f.transfer_id
LEFT JOIN posting p ON p.transfer_id = f.transfer_id
WHERE f.kind = 'accept' AND f.counts AND p.seq IS NULL AND t.state != 'disputed'
"""


def _facts(node: Node, book: Book) -> Iterator[str]:
    raw = node.database.raw
    kept = raw.execute("SELECT digest FROM fact WHERE n = ?", (book.facts,)).fetchone()
    if book.facts and (kept is None or kept[0] != book.last_fact):
        yield "L7: a message went away or changed"
    newest = raw.execute("SELECT n, digest FROM fact ORDER BY n DESC LIMIT 1").fetchone()
    if newest is None or newest[0] == book.facts:
        return
    touched = [row[0] for row in raw.execute("SELECT DISTINCT transfer_id FROM fact WHERE n > ?", (book.facts,))]
    book.facts, book.last_fact = newest
    for transfer in touched:
        yield from _state(raw, transfer)
    if not node.restores:
        for (transfer,) in raw.execute(_BOTH):
            yield f"L8: {transfer} was both accepted and refused"
    for (transfer,) in raw.execute(_UNPOSTED):
        yield f"L3: {transfer} is accepted and not posted"


def _state(raw: Any, transfer: str) -> Iterator[str]:
    """L7, spelled anew: Accept on top, then refusals, then marks, then claims."""
    row = raw.execute("SELECT kind, state, mark FROM transfer WHERE id = ?", (transfer,)).fetchone()
    if row is None:
        return
    side, state, mark = row
    known = {one[0] for one in raw.execute("SELECT kind FROM fact WHERE transfer_id = ? AND counts", (transfer,))}
    if side == "out":
        meant = (
            ("settled" if "receipt" in known else "accepted")
            if "accept" in known
            else "rejected"
            if "reject" in known
            else "offered"
            if "offer" in known
            else "invited"
            if "invite" in known
            else "none"
        )
    else:
        meant = (
            ("disputed" if mark == "disputed" else "credited")
            if "accept" in known
            else "void"
            if known & {"reject", "reject_invite"}
            else "abandoned"
            if mark == "abandoned"
            else ("cancel_asked" if "undo" in known else "claimed")
            if "offer" in known
            else "none"
        )
    if state != meant:
        yield f"L7: {transfer} is {state}, its messages say {meant}"


def _rooms(raw: Any, book: Book, flagged: bool) -> Iterator[str]:
    """L4, L5, B2: no account goes below its limit, nor further below, unless the step was flagged."""
    rows = raw.execute("SELECT id, kind, balance - held - floor FROM account").fetchall()
    for number, kind, room in rows:
        before = book.rooms.get(number)
        if room < 0 and before is not None and room < before and not flagged:
            yield f"{'L5' if kind == 'clearing' else 'L4'}: a {kind} account went {-room} minutes below its limit"
    book.rooms = {number: room for number, _, room in rows}


# between two nodes


def _transfers(node: Node, kind: str, other: Node) -> dict[str, tuple[str, int]]:
    query = "SELECT t.id, t.state, t.minutes FROM transfer t JOIN peer p ON p.id = t.peer_id WHERE t.kind = ? AND p.actor = ?"
    return {row[0]: (row[1], row[2]) for row in node.database.raw.execute(query, (kind, other.ledger))}


def _posted(node: Node, kind: str, other: Node) -> set[str]:
    query = (
        "SELECT t.id FROM posting q JOIN transfer t ON t.id = q.transfer_id JOIN peer p ON p.id = t.peer_id "
        "WHERE t.kind = ? AND p.actor = ?"
    )
    return {row[0] for row in node.database.raw.execute(query, (kind, other.ledger))}


def _in_between(node: Node, other: Node) -> Iterator[str]:
    in_flight = 0
    for payer, payee in ((node, other), (other, node)):
        decided, claimed = _transfers(payer, "out", payee), _transfers(payee, "in", payer)
        debited, credited = _posted(payer, "out", payee), _posted(payee, "in", payer)
        for transfer in sorted(credited - debited):
            yield f"X1: {transfer} is credited at {payee.name} and not debited at {payer.name}"
        for transfer in sorted(debited - credited):
            if claimed.get(transfer, ("none", 0))[0] == "void":
                yield f"X3: {transfer} is void at {payee.name} and debited at {payer.name}"
            if decided[transfer][0] != "accepted":
                yield f"X4: {transfer} is on its way, and {payer.name} does not list it"
            in_flight += decided[transfer][1]
    if _clearing(node, other) + _clearing(other, node) != in_flight:
        yield f"X2: the two accounts of {node.name} and {other.name} differ by other than what is on its way"


def _clearing(node: Node, other: Node) -> int:
    """What we owe the other, as far as it was signed: write-offs are a matter of our own."""
    query = "SELECT a.id, a.balance FROM account a JOIN peer p ON p.id = a.peer_id WHERE p.actor = ?"
    number, balance = node.database.raw.execute(query, (other.ledger,)).fetchone()
    written_off = node.database.raw.execute(
        "SELECT coalesce(sum(CASE WHEN credit = :it THEN minutes ELSE -minutes END), 0) FROM posting "
        "WHERE evidence = 'admin' AND :it IN (debit, credit)",
        {"it": number},
    ).fetchone()[0]
    return int(balance - written_off)


# the model


def _accepts(node: Node) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """The first Accept of each transfer that we hold, and whether it waits for an admin."""
    query = (
        "SELECT f.transfer_id, f.doc, coalesce(t.mark, '') FROM fact f LEFT JOIN transfer t ON t.id = f.transfer_id "
        "WHERE f.kind = 'accept' ORDER BY f.n"
    )
    seen: set[str] = set()
    for transfer, document, mark in node.database.raw.execute(query).fetchall():
        if transfer not in seen:
            seen.add(transfer)
            yield transfer, json.loads(document), mark == "disputed"


def _sides(node: Node, accept: dict[str, Any]) -> tuple[str, str]:
    """Who of ours it moves hours of, and the ledger at the other end."""
    moved = accept["result"]["stipulatesReciprocal"]
    ours = moved["provider"] if accept["actor"] == node.ledger else moved["receiver"]
    theirs = accept["to"][0] if accept["actor"] == node.ledger else accept["actor"]
    return ours if _has_account(node, ours) else node.ledger, theirs


def _has_account(node: Node, actor: str) -> bool:
    return node.database.raw.execute("SELECT 1 FROM account WHERE actor = ?", (actor,)).fetchone() is not None


def _balances(node: Node) -> dict[str, int]:
    """By actor; the chest by our ledger, the account with a peer by its ledger."""
    query = "SELECT coalesce(a.actor, p.actor, ?), a.balance FROM account a LEFT JOIN peer p ON p.id = a.peer_id"
    return {name: balance for name, balance in node.database.raw.execute(query, (node.ledger,)) if balance}


# at rest


def at_rest(auditor: Auditor) -> Iterator[str]:
    """Q1-Q5 and R1, between all that are honest."""
    honest = [node for node in auditor.nodes if node is not auditor.liar]
    for place, node in enumerate(honest):
        for other in honest[place + 1 :]:
            yield from _agree(node, other)
    for node in honest:
        (held,) = node.database.raw.execute("SELECT coalesce(sum(held), 0) FROM account").fetchone()
        if held and auditor.liar is None:
            yield f"Q3: {node.name} still holds {held} minutes"
    yield from _survivors(auditor)


def _agree(node: Node, other: Node) -> Iterator[str]:
    if _clearing(node, other) != -_clearing(other, node):
        yield f"Q1: {node.name} owes {other.name} {_clearing(node, other)}, which says {-_clearing(other, node)}"
    for payer, payee in ((node, other), (other, node)):
        decided, claimed = _transfers(payer, "out", payee), _transfers(payee, "in", payer)
        for transfer in sorted(decided.keys() | claimed.keys()):
            pair = _state_of(decided, payer, transfer, "rejected"), _state_of(claimed, payee, transfer, "void")
            if pair not in AGREED:
                yield f"Q2: {transfer} is {pair[0]} at {payer.name} and {pair[1]} at {payee.name}"
            if pair[0] == "settled" and not (
                _proofs(payer, transfer) >= {"accept", "receipt"} and "accept" in _proofs(payee, transfer)
            ):
                yield f"Q4: {transfer} is settled and not proved"
    if _messages(node, other) != _messages(other, node):
        yield f"R2: {node.name} and {other.name} do not hold the same messages"
    yield from _statements(node, other)


def _messages(node: Node, other: Node) -> Any:
    return node.database.raw.execute(
        "SELECT messages, messages_xor FROM peer WHERE actor = ?", (other.ledger,)
    ).fetchone()


def _state_of(rows: dict[str, tuple[str, int]], node: Node, transfer: str, refused: str) -> str | None:
    """Of which only a refusal is known has no row."""
    if transfer in rows:
        return None if rows[transfer][0] == "none" else rows[transfer][0]
    return refused if _proofs(node, transfer) & {"reject", "reject_invite"} else None


def _proofs(node: Node, transfer: str) -> set[str]:
    query = "SELECT kind FROM fact WHERE transfer_id = ? AND counts"
    return {row[0] for row in node.database.raw.execute(query, (transfer,))}


def _statements(node: Node, other: Node) -> Iterator[str]:
    """Q5: both have signed the same sums, and would write the same next statement."""
    ours, theirs = _stated(node, other), _stated(other, node)
    if ours[0] != -theirs[0]:
        yield f"Q5: {node.name} and {other.name} state {ours[0]} and {theirs[0]}"
    if ours[1] != theirs[1]:
        yield f"Q5: {node.name} and {other.name} would state other transfers: {sorted(ours[1] ^ theirs[1])}"


def _stated(node: Node, other: Node) -> tuple[int, frozenset[str]]:
    raw = node.database.raw
    (peer,) = raw.execute("SELECT id FROM peer WHERE actor = ?", (other.ledger,)).fetchone()
    last = raw.execute(
        "SELECT closing FROM statement WHERE peer_id = ? AND countersigned IS NOT NULL ORDER BY number DESC LIMIT 1",
        (peer,),
    ).fetchone()
    unstated = raw.execute(
        "SELECT id FROM transfer WHERE peer_id = ? AND state IN ('settled', 'credited') "
        "AND id NOT IN (SELECT transfer_id FROM statement_line)",
        (peer,),
    )
    return (last[0] if last else 0), frozenset(row[0] for row in unstated)


def _survivors(auditor: Auditor) -> Iterator[str]:
    """R1: what was posted on both sides is posted on both sides, unless both were restored since."""
    nodes = {node.name: node for node in auditor.nodes}
    posted = {
        name: {row[0] for row in node.database.raw.execute("SELECT transfer_id FROM posting")}
        for name, node in nodes.items()
    }
    for (payer, payee, transfer), restores in auditor.settled_at.items():
        one_kept = nodes[payer].restores == restores[0] or nodes[payee].restores == restores[1]
        holders = [name for name in (payer, payee) if transfer in posted[name]]
        if one_kept and len(holders) != 2:
            yield f"R1: {transfer} was posted at {payer} and {payee}, and is now at {holders}"
