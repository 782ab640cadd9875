"""What an admin may see and do about letters: the ones that failed, another try, and forgetting old ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update

from inbox.tables import State, inbox_letter

DAY_MS = 24 * 3600 * 1000
LETTERS_PER_FORGETTING_MAX = 1000
_RETRIABLE = (State.FAILED, State.REFUSED)
_ENDS = (State.DONE.value, State.IGNORED.value, State.REFUSED.value)


@dataclass(frozen=True)
class LetterLine:
    """A letter as an admin's list shows it, without its body; ``received_ms`` is milliseconds since 1970 UTC.

    readable  whether the body is still kept, so that the letter can be tried again
    """

    n: int
    activity_id: str
    sender: str
    host: str
    type: str
    inbox: str
    received_ms: int
    state: State
    code: str
    sentence: str
    tries: int
    readable: bool

    @property
    def can_be_retried(self) -> bool:
        """Whether ``retry`` would take it up again."""
        return self.readable and self.state in _RETRIABLE


_READABLE = func.length(inbox_letter.c.body) > 0
_COLUMNS = [inbox_letter.c[name] for name in LetterLine.__dataclass_fields__ if name != "readable"]


def failed_letters(connection: Connection, limit: int = 50) -> Sequence[LetterLine]:
    """Letters that failed every try through a fault of ours, newest first."""
    return letters(connection, State.FAILED, limit)


def letters(connection: Connection, state: State, limit: int = 50) -> Sequence[LetterLine]:
    """Letters in one state, newest first."""
    columns = (*_COLUMNS, _READABLE.label("readable"))
    query = select(*columns).where(inbox_letter.c.state == state.value).order_by(inbox_letter.c.n.desc()).limit(limit)
    return [
        LetterLine(**{**row._mapping, "state": State(row.state), "readable": bool(row.readable)})
        for row in connection.execute(query)
    ]


def counts(connection: Connection) -> Mapping[State, int]:
    """How many letters there are in each state."""
    query = select(inbox_letter.c.state, func.count()).group_by(inbox_letter.c.state)
    found = {str(state): int(count) for state, count in connection.execute(query)}
    return {state: found.get(state.value, 0) for state in State}


def count(connection: Connection, state: State) -> int:
    """How many letters are in this one state."""
    found = select(func.count()).select_from(inbox_letter).where(inbox_letter.c.state == state.value)
    return int(connection.execute(found).scalar_one())


def overdue_since_ms(connection: Connection, now_ms: int) -> int | None:
    """When the oldest letter came whose turn it is and that no worker holds; None when there is none."""
    due = (inbox_letter.c.state == State.NEW.value) & (inbox_letter.c.next_try_ms <= now_ms)
    query = select(func.min(inbox_letter.c.received_ms)).where(due, inbox_letter.c.lease_until_ms <= now_ms)
    since_ms: int | None = connection.execute(query).scalar_one()
    return since_ms


def retry(connection: Connection, n: int) -> bool:
    """Try a failed or refused letter again, with all its tries before it; False when there is none of this number.

    A refused letter has had no effect, so nothing happens twice: perhaps the rule that it broke is another one now.
    """
    return _try_again(connection, inbox_letter.c.n == n) == 1


def retry_failed(connection: Connection) -> int:
    """Try again every letter that failed through a fault of ours, and say how many."""
    return _try_again(connection, inbox_letter.c.state == State.FAILED.value)


def _try_again(connection: Connection, which: ColumnElement[bool]) -> int:
    ended = which & inbox_letter.c.state.in_([state.value for state in _RETRIABLE]) & _READABLE
    again = {"state": State.NEW.value, "tries": 0, "next_try_ms": 0, "code": "", "sentence": ""}
    return connection.execute(update(inbox_letter).where(ended).values(again)).rowcount


def forget(connection: Connection, now_ms: int, *, keep_settled_days: int, keep_bodies_days: int) -> int:
    """Empty the bodies of letters settled long ago, and drop those so old that no sender repeats them; how many went.

    What failed is kept until an admin has seen to it. Takes a thousand at a time, to keep transactions short.
    """
    emptied = _oldest(now_ms - keep_bodies_days * DAY_MS).where(func.length(inbox_letter.c.body) > 0)
    connection.execute(update(inbox_letter).where(inbox_letter.c.n.in_(emptied)).values(body=b""))
    dropped = _oldest(now_ms - keep_settled_days * DAY_MS)
    return connection.execute(delete(inbox_letter).where(inbox_letter.c.n.in_(dropped))).rowcount


def _oldest(before_ms: int) -> Select[tuple[int]]:
    settled = inbox_letter.c.state.in_(_ENDS) & (inbox_letter.c.received_ms < before_ms)
    return select(inbox_letter.c.n).where(settled).order_by(inbox_letter.c.n).limit(LETTERS_PER_FORGETTING_MAX)
