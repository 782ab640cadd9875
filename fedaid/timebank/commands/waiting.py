"""Keeps what waits until a peer has shown us our common messages, and drops what was carried out or taken back.

Whoever may have been restored from a backup must not decide anew what it may have decided already. What is pressed or
arrives meanwhile is stored in its own transaction, shown as queued, and carried out once the peer has answered.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import orjson
from sqlalchemy import delete, func, insert, select

from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import Work
from fedaid.timebank import queued, tables
from fedaid.timebank.commands.steps import MustWait
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.queued import Approval, Claim, Payment, Refusal, Step
from fedaid.timebank.rows import Peer


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
        raise Refused(
            "too_many_queued",
            said("Too much waits for %(host)s to answer; please try again later.", host=peer.host),
            503,
        )
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


def is_begun(work: Work, transfer_id: str) -> bool:
    """Whether a claim or payment with this id waits."""
    return any(isinstance(step, Claim | Payment) for step in queued.about(work.connection, transfer_id))


def drop(work: Work, number: int) -> None:
    """It was carried out, or cannot be."""
    work.connection.execute(delete(tables.waiting_step).where(tables.waiting_step.c.n == number))


def take_back(work: Work, transfer_id: str, actor: str) -> bool:
    """Forget a claim or payment of this member that still waits; whether there was one."""
    mine = [one for one in queued.begun_by(work.connection, actor) if one.step.transfer_id == transfer_id]
    for one in mine:
        drop(work, one.n)
    return bool(mine)
