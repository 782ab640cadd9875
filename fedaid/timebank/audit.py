"""Recomputes the whole ledger from its postings and signed messages, and says where the books differ."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from activitypub.errors import ProtocolError
from activitypub.keys import public_to_multibase
from activitypub.signatures.proofs import digest
from fedaid.actors import queries as actors
from fedaid.actors.rules import Kind as ActorKind
from fedaid.timebank import rows, tables
from fedaid.timebank.rows import LOCAL, StoredFact
from fedaid.timebank.rules.books import GENESIS, Posting, seal
from fedaid.timebank.rules.papers import read_paper
from fedaid.timebank.rules.proofs import check_signed
from fedaid.timebank.rules.reading import Signed, read
from fedaid.timebank.rules.shown import xor
from fedaid.timebank.rules.states import HOLDING, POSTED, Kind, LocalState, Side
from fedaid.timebank.rules.terms import PinnedKey


@dataclass(frozen=True)
class LedgerReport:
    """What was looked through, and a sentence for everything that is not as it must be."""

    accounts: int
    postings: int
    facts: int
    findings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the ledger agrees with itself."""
        return not self.findings


def verify_ledger(connection: Connection) -> LedgerReport:
    """Check sums and holds (L1, L2), single postings (L3), the sealed chain (L6), signatures and states (L7)."""
    books = _Books(connection)
    checks = (
        books.sums,
        books.holds,
        books.chain,
        books.single_postings,
        books.signatures,
        books.states,
        books.counts,
    )
    findings = tuple(finding for check in checks for finding in check())
    return LedgerReport(len(books.accounts), len(books.postings), len(books.facts), findings)


class _Books:
    """Everything of the ledger, read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.accounts = connection.execute(select(tables.account).order_by(tables.account.c.id)).all()
        self.postings = connection.execute(select(tables.posting).order_by(tables.posting.c.seq)).all()
        found = connection.execute(select(tables.transfer)).all()
        self.transfers = {row.id: rows.transfer_of(row) for row in found}
        self.facts = rows.all_facts(connection)
        self.keys = {peer.id: rows.keys_of_peer(connection, peer) for peer in rows.peers(connection)}

    def sums(self) -> Iterator[str]:
        """L1: minutes come from somewhere. L2: a balance is the sum of its postings."""
        if sum(row.balance for row in self.accounts) != 0:
            yield "The balances of all accounts do not add up to zero."
        moved: Counter[int] = Counter()
        for row in self.postings:
            moved[row.debit] -= row.minutes
            moved[row.credit] += row.minutes
        for row in self.accounts:
            if row.balance != moved[row.id]:
                yield f"Account {row.id} says {row.balance} minutes, its postings say {moved[row.id]}."

    def holds(self) -> Iterator[str]:
        """L2: what is held is what undecided transfers have promised."""
        held: Counter[int] = Counter()
        for found in self.transfers.values():
            if found.held != (found.state in HOLDING):
                yield f"Transfer {found.id} is {found.state}, but its hold does not fit that."
            held[found.debit] += found.minutes if found.held else 0
        for row in self.accounts:
            if row.held != held[row.id]:
                yield f"Account {row.id} holds {row.held} minutes, its transfers hold {held[row.id]}."

    def chain(self) -> Iterator[str]:
        """L6: each posting seals the one before, and the head is the last."""
        prev = GENESIS
        for place, row in enumerate(self.postings, start=1):
            made = Posting(
                row.seq, row.transfer_id, row.debit, row.credit, row.minutes, row.posted_at, row.evidence, row.prev
            )
            if (row.seq, row.prev, row.hash) != (place, prev, seal(made)):
                yield f"Posting {row.seq} does not fit its seal or the posting before it."
            prev = row.hash
        head = self._connection.execute(select(tables.ledger_head)).one_or_none()
        said = (head.seq, head.hash, head.facts) if head is not None else (0, GENESIS, 0)
        if said != (len(self.postings), prev, max((fact.n for fact in self.facts), default=0)):
            yield "The head of the ledger is not its last posting and its last message."

    def single_postings(self) -> Iterator[str]:
        """L3: what is posted has a transfer of the same minutes; between networks exactly where there is an Accept."""
        accepted = {fact.transfer_id: fact for fact in self.facts if fact.kind is Kind.ACCEPT and fact.counts}
        for row in self.postings:
            found = self.transfers[row.transfer_id]
            if (row.debit, row.credit, row.minutes) != (found.debit, found.credit, found.minutes):
                yield f"Posting {row.seq} is not what its transfer says."
            if found.kind != LOCAL and (found.id not in accepted or row.evidence != accepted[found.id].digest):
                yield f"Posting {row.seq} has no signed Accept as its evidence."
        posted = {row.transfer_id for row in self.postings}
        for found in self.transfers.values():
            is_posted = found.state in POSTED or found.state is LocalState.POSTED
            if is_posted != (found.id in posted):
                moved = "did not move" if is_posted else "moved"
                yield f"Transfer {found.id} is {found.state}, but its minutes {moved}."

    def signatures(self) -> Iterator[str]:
        """L7: every message is signed by the side it is said to be from, and is the one its digest names."""
        ours = _our_keys(self._connection)
        for fact in self.facts:
            try:
                _check_signature(fact, ours if fact.ours else self.keys[fact.peer_id])
            except (ProtocolError, ValueError) as error:
                yield f"Message {fact.n} ({fact.kind} about {fact.transfer_id}) does not verify: {error}"

    def states(self) -> Iterator[str]:
        """L7: a state is what the messages make it, nothing else."""
        about: dict[tuple[int, str], list[StoredFact]] = {}
        for fact in self.facts:
            about.setdefault((fact.peer_id, fact.transfer_id), []).append(fact)
        for found in self.transfers.values():
            if found.peer_id is None:
                continue
            meant = rows.state_of(Side(found.kind), about.get((found.peer_id, found.id), []), found.mark)
            if meant is not found.state:
                yield f"Transfer {found.id} is {found.state}, its messages say {meant}."

    def counts(self) -> Iterator[str]:
        """What is said to a peer of all our common messages: how many they are, and the XOR of their digests."""
        for peer in rows.peers(self._connection):
            known, sum_ = 0, tables.NOTHING_XOR
            for fact in self.facts:
                if fact.peer_id == peer.id:
                    known, sum_ = known + 1, xor(sum_, fact.digest)
            if (known, sum_) != (peer.messages, peer.messages_xor):
                yield f"What is counted of the messages with {peer.host} is not what there is."


def _our_keys(connection: Connection) -> list[PinnedKey]:
    found = rows.retired_keys(connection)
    for ledger in actors.of_kind(connection, ActorKind.LEDGER):
        key = actors.ed25519_key(connection, ledger.uri)
        assert isinstance(key.private_key, Ed25519PrivateKey)  # noqa: S101 - the ledger's is
        found.append(PinnedKey(key.key_id, public_to_multibase(key.private_key.public_key())))
    return found


def _check_signature(fact: StoredFact, keys: Sequence[PinnedKey]) -> None:
    document = orjson.loads(fact.doc)
    message: Signed = read(document) if "fa:transfer" in document else read_paper(document)
    if digest(document) != fact.digest or message.kind is not fact.kind or message.transfer != fact.transfer_id:
        raise ValueError("it is not the message that was stored")
    check_signed(document, message.envelope.actor, keys)
