"""Looks again until something is there: two servers take their time."""

import time
from collections.abc import Callable
from typing import TypeVar

SEEN_SECONDS_MAX = 60  # much, as a busy machine takes its time; it is waited for in vain only where something is wrong
LOOK_AGAIN_SECONDS = 0.1

T = TypeVar("T")


class NotSeen(Exception):
    """It did not come in time."""


def wait_for(what: str, look: Callable[[], T | None]) -> T:
    """What ``look`` finds, as soon as it finds something. Raises NotSeen, which names ``what`` was waited for."""
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(LOOK_AGAIN_SECONDS)
    raise NotSeen(f"{what}: not seen within {SEEN_SECONDS_MAX} seconds")
