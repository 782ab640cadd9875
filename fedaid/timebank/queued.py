"""What waits until a peer has shown us our common messages: members' decisions, and letters that ask for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import orjson
from sqlalchemy import Connection, select

from activitypub.signatures.proofs import digest
from fedaid.timebank import tables


@dataclass(frozen=True)
class Claim:
    """A member claims hours."""

    kind: ClassVar[str] = "claim"
    transfer_id: str
    key: str
    payee: str
    payer: str
    minutes: int
    engagement: str | None
    proposal: str | None
    note: str

    @property
    def name(self) -> str:
        return f"begin {self.transfer_id}"


@dataclass(frozen=True)
class Payment:
    """A member pays hours."""

    kind: ClassVar[str] = "pay"
    transfer_id: str
    key: str
    payer: str
    payee: str
    minutes: int
    engagement: str | None
    note: str

    @property
    def name(self) -> str:
        return f"begin {self.transfer_id}"


@dataclass(frozen=True)
class Approval:
    """A member confirms a claim."""

    kind: ClassVar[str] = "confirm"
    transfer_id: str
    actor: str
    engagement: str | None

    @property
    def name(self) -> str:
        return f"decide {self.transfer_id}"


@dataclass(frozen=True)
class Refusal:
    """A member refuses a claim, or takes a payment back."""

    kind: ClassVar[str] = "refuse"
    transfer_id: str
    actor: str

    @property
    def name(self) -> str:
        return f"decide {self.transfer_id}"


@dataclass(frozen=True)
class Letter:
    """A signed message of the peer's, as it came."""

    kind: ClassVar[str] = "letter"
    transfer_id: str
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"letter {digest(self.document)}"


Step = Claim | Payment | Approval | Refusal | Letter
_KINDS: Mapping[str, type[Step]] = {kind.kind: kind for kind in (Claim, Payment, Approval, Refusal, Letter)}


@dataclass(frozen=True)
class Waiting:
    """A step that waits, under its number, since ``at``."""

    n: int
    peer_id: int
    step: Step
    at: datetime


def of_peer(connection: Connection, peer_id: int, rows_max: int) -> list[Waiting]:
    """What waits for this peer, oldest first."""
    table = tables.waiting_step
    query = select(table).where(table.c.peer_id == peer_id).order_by(table.c.n).limit(rows_max)
    return [_read(row) for row in connection.execute(query)]


def about(connection: Connection, transfer_id: str) -> list[Step]:
    """What waits about this transfer."""
    table = tables.waiting_step
    query = select(table).where(table.c.transfer_id == transfer_id).order_by(table.c.n)
    return [_read(row).step for row in connection.execute(query)]


def begun_by(connection: Connection, actor: str) -> list[Waiting]:
    """The claims and payments of this member that wait, oldest first."""
    table = tables.waiting_step
    query = select(table).where(table.c.kind.in_([Claim.kind, Payment.kind])).order_by(table.c.n)
    found = [_read(row) for row in connection.execute(query)]
    return [one for one in found if _beginner(one.step) == actor]


def _beginner(step: Step) -> str | None:
    return decided_by(step) if isinstance(step, Claim | Payment) else None


def decided_by(step: Claim | Payment | Approval | Refusal) -> str:
    """The member whose decision it is."""
    if isinstance(step, Claim):
        return step.payee
    return step.payer if isinstance(step, Payment) else step.actor


def _read(row: Any) -> Waiting:
    return Waiting(row.n, row.peer_id, _KINDS[row.kind](**orjson.loads(row.doc)), row.at)
