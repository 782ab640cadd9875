"""Who may work on a letter now: leases, so that each letter is applied by one worker, and marks, which end it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, select, text, update

from inbox.limits import InboxLimits
from inbox.tables import State, inbox_letter

_CLAIMING = text("SELECT pg_advisory_xact_lock(5134792006412)")  # any number, as long as all workers use the same
_LEASED = inbox_letter.alias("leased")


@dataclass(frozen=True)
class Claimed:
    """A letter leased to us, as it stands in the journal."""

    n: int
    lease: str
    activity_id: str
    sender: str
    host: str
    type: str
    inbox: str
    body: bytes
    key_id: str
    proof: str
    signed_ms: int
    tries: int


@dataclass(frozen=True)
class Mark:
    """How one try ended. ``next_try_ms`` counts only while the state is new."""

    n: int
    state: State
    tries: int
    code: str = ""
    sentence: str = ""
    next_try_ms: int = 0


_COLUMNS = [inbox_letter.c[name] for name in Claimed.__dataclass_fields__ if name != "lease"]


def claim(connection: Connection, now_ms: int, limits: InboxLimits) -> Sequence[Claimed]:
    """Lease the oldest letters that are due, in the order they came.

    A host whose earlier letters are leased is left out, so that letters of one host are applied in their order;
    one that waits for another try does not hold up those behind it. The lock makes PostgreSQL's workers
    claim one after another, else each would overlook the lease the other is about to write.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_CLAIMING)
    lease = secrets.token_hex(8)
    due = _due(now_ms).limit(limits.claim_letters_max).with_for_update(skip_locked=True, of=inbox_letter)
    letters = [Claimed(lease=lease, **row._mapping) for row in connection.execute(due)]
    if letters:
        mine = inbox_letter.c.n.in_([letter.n for letter in letters])
        until = now_ms + limits.lease_seconds * 1000
        connection.execute(update(inbox_letter).where(mine).values(lease_by=lease, lease_until_ms=until))
    return letters


def _due(now_ms: int) -> Select[Any]:
    leased = select(_LEASED.c.host).where(text("leased.state = 'new'"), _LEASED.c.lease_until_ms > now_ms)
    return (
        select(*_COLUMNS)
        .where(text("inbox_letter.state = 'new'"), inbox_letter.c.next_try_ms <= now_ms)
        .where(inbox_letter.c.host.not_in(leased))
        .order_by(inbox_letter.c.n)
    )


def hold(connection: Connection, letters: Sequence[Claimed]) -> Sequence[Claimed]:
    """Those of the letters whose lease is still ours, locked until this transaction ends.

    What a worker does after its lease ran out and another took over must have no effect.
    """
    ours = {letter.n: letter for letter in letters}
    query = (
        select(inbox_letter.c.n, inbox_letter.c.lease_by)
        .where(inbox_letter.c.n.in_(ours), inbox_letter.c.state == State.NEW.value)
        .order_by(inbox_letter.c.n)
        .with_for_update()
    )
    return [ours[row.n] for row in connection.execute(query) if row.lease_by == ours[row.n].lease]


def mark(connection: Connection, marks: Sequence[Mark]) -> None:
    """Write how the tries ended, in the transaction of their effects, and give the leases back.

    Letters that ended alike, and that is nearly all, are marked by one statement.
    """
    alike: dict[Mark, list[int]] = {}
    for one in marks:
        alike.setdefault(replace(one, n=0), []).append(one.n)
    for end, letters in alike.items():
        connection.execute(update(inbox_letter).where(inbox_letter.c.n.in_(letters)).values(_columns_of(end)))


def _columns_of(end: Mark) -> dict[str, object]:
    return {
        "state": end.state.value,
        "code": end.code,
        "sentence": end.sentence,
        "tries": end.tries,
        "next_try_ms": end.next_try_ms,
        "lease_until_ms": 0,
        "lease_by": "",
    }
