"""Makes the ids of rows, 63-bit integers that sort by time, as Mastodon's clients need them; and the keys of forms."""

import secrets
import threading
import uuid

from fedaid.foundation.clock import Clock, milliseconds
from fedaid.foundation.refused import NotFound, Refused

ROW_ID_MAX = 2**63 - 1  # more no row can have, on either database
EPOCH_MS = 1_704_067_200_000  # 2024-01-01 UTC; 41 bits of milliseconds last until 2093
SEQUENCE_BITS = 22


class IdSource:
    """Hands out increasing ids; the low bits start at random each millisecond, so two processes rarely meet.

    Where they do meet, the primary key refuses the second row and nothing is overwritten.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        with self._lock:
            timed = (milliseconds(self._clock.now()) - EPOCH_MS) << SEQUENCE_BITS
            candidate = timed | secrets.randbelow(1 << (SEQUENCE_BITS - 1))
            self._last = max(candidate, self._last + 1)
            return self._last


def new_key() -> str:
    """A key for what a form is going to make; the form carries it, so that pressing twice makes one."""
    return str(uuid.uuid4())


def checked_key(typed: str) -> str:
    """The key that came with a form, in its one spelling. Raises Refused."""
    try:
        return str(uuid.UUID(typed))
    except ValueError:
        raise Refused("form_key", "This form is broken; please open the page again.") from None


def row_id(typed: str) -> int:
    """The id of a row out of an address or a form. Raises NotFound for what no row can have."""
    found = row_id_or_none(typed)
    if found is None:
        raise NotFound
    return found


def row_id_or_none(typed: str) -> int | None:
    """The same where nonsense is left out; the length is looked at first, as Python refuses to read 5,000 digits."""
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= len(str(ROW_ID_MAX))
    return int(typed) if is_number and int(typed) <= ROW_ID_MAX else None
