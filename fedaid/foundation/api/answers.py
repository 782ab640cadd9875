"""Answers to requests with an Idempotency-Key, kept with what they did, so that asking twice does it once.

As draft-ietf-httpapi-idempotency-key-header has it. The answer is stored in the transaction of the effect: a process
that is killed leaves both or neither.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, delete, insert, select

from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work

KEY_CHARACTERS_MAX = 128
SHA256_HEX_CHARACTERS = 64

# member_id is who asked. fingerprint: of what was asked, so that a key that is used for something else is noticed.
kept_answer = Table(
    "kept_answer",
    metadata,
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String(KEY_CHARACTERS_MAX), primary_key=True),
    Column("fingerprint", String(SHA256_HEX_CHARACTERS), nullable=False),
    Column("status", Integer, nullable=False),
    Column("location", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False, index=True),
)


@dataclass(frozen=True)
class Answer:
    """What was answered, as it goes out."""

    status: int
    body: str
    location: str = ""


def fingerprint(method: str, path: str, query: str, body: str) -> str:
    """What was asked, as a digest; ``body`` as it was understood, so that spaces make no difference."""
    return hashlib.sha256("\n".join((method, path, query, body)).encode()).hexdigest()


def kept(work: Work, member_id: int, key: str, asked: str) -> Answer | None:
    """The answer that was given to this key before; None when it is new. Raises Refused (422) for another request."""
    mine = (kept_answer.c.member_id == member_id) & (kept_answer.c.key == key)
    row = work.connection.execute(select(kept_answer).where(mine)).one_or_none()
    if row is None:
        return None
    if row.fingerprint != asked:
        raise Refused("key_reused", "This Idempotency-Key was used for another request. Please choose a new one.")
    return Answer(row.status, row.body, row.location)


def keep(work: Work, member_id: int, key: str, asked: str, answer: Answer) -> None:
    """From now on this is the answer to this key. Raises IntegrityError when another process was quicker."""
    row = {
        "member_id": member_id,
        "key": key,
        "fingerprint": asked,
        "status": answer.status,
        "location": answer.location,
        "body": answer.body,
        "kept_at": work.now,
    }
    work.connection.execute(insert(kept_answer).values(row))


def forget_old(work: Work, hours: int) -> int:
    """Forget answers that were kept long enough; how many."""
    before: datetime = work.now - timedelta(hours=hours)
    return work.connection.execute(delete(kept_answer).where(kept_answer.c.kept_at <= before)).rowcount


def forget_of(work: Work, member_id: int) -> None:
    """Nothing of what was answered to this member is kept any more."""
    work.connection.execute(delete(kept_answer).where(kept_answer.c.member_id == member_id))


class Running:
    """The keys whose requests this process is carrying out; between processes the database keeps the second back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: set[tuple[int, str]] = set()

    @contextmanager
    def hold(self, member_id: int, key: str) -> Iterator[None]:
        """Hold a key for a block. Raises Refused (409) when the first request with it is still under way."""
        asked = (member_id, key)
        with self._lock:
            if asked in self._keys:
                raise Refused(
                    "still_running",
                    "The first request with this Idempotency-Key is still being carried out. Please ask again.",
                    409,
                    {"Retry-After": "1"},
                )
            self._keys.add(asked)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(asked)
