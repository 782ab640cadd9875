"""Keeps what waits until a peer has shown us our common messages: members' decisions, and letters that ask for one.

Whoever may have been restored from a backup must not decide anew what it may have decided already. What is pressed or
arrives meanwhile is stored in its own transaction, shown as queued, and carried out once the peer has answered.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

import orjson
from sqlalchemy import Connection, delete, func, insert, select

from activitypub.signatures.proofs import digest
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import tables
from fedaid.timebank.commands.steps import MustWait
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Peer


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


@contextmanager
def until_synced(work: Work, limits: TimebankLimits, peer: Peer, step: Step) -> Iterator[None]:
    """Keep the step for later where what is done inside must wait. Raises Refused when too much waits already."""
    try:
        yield
    except MustWait:
        _keep(work, limits, peer, step)


def _keep(work: Work, limits: TimebankLimits, peer: Peer, step: Step) -> None:
    table = tables.waiting_step
    if isinstance(step, Approval | Refusal):  # what was pressed last counts
        work.connection.execute(delete(table).where(table.c.name == step.name))
    elif work.connection.execute(select(table.c.n).where(table.c.name == step.name)).first() is not None:
        return
    waiting = select(func.count()).select_from(table).where(table.c.peer_id == peer.id)
    if work.connection.execute(waiting).scalar_one() >= limits.waiting_steps_max:
        raise Refused("too_many_waiting", f"Too much waits for {peer.host} to answer; please try again later.", 503)
    work.connection.execute(
        insert(table).values(
            n=work.new_id(),
            peer_id=peer.id,
            name=step.name,
            transfer_id=step.transfer_id,
            kind=step.kind,
            doc=orjson.dumps(asdict(step)).decode(),
            at=work.now,
        )
    )


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
    if isinstance(step, Claim):
        return step.payee
    return step.payer if isinstance(step, Payment) else None


def _read(row: Any) -> Waiting:
    return Waiting(row.n, row.peer_id, _KINDS[row.kind](**orjson.loads(row.doc)), row.at)


def is_begun(work: Work, transfer_id: str) -> bool:
    """Whether a claim or payment with this id waits."""
    return any(isinstance(step, Claim | Payment) for step in about(work.connection, transfer_id))


def drop(work: Work, number: int) -> None:
    """It was carried out, or cannot be."""
    work.connection.execute(delete(tables.waiting_step).where(tables.waiting_step.c.n == number))


def take_back(work: Work, transfer_id: str, actor: str) -> bool:
    """Forget a claim or payment of this member that still waits; whether there was one."""
    mine = [one for one in begun_by(work.connection, actor) if one.step.transfer_id == transfer_id]
    for one in mine:
        drop(work, one.n)
    return bool(mine)
