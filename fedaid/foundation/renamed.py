"""What the neighbourhood is called since it was founded: kept for some seconds, as every page shows it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from fedaid.foundation.clock import Clock

KEPT_SECONDS = 5  # so late does another process see a new name; the one that changed it sees it at once


class Renamed:
    """Reads the name anew when it is old. One thread does at a time, and the others take what is known meanwhile:
    a page that is being made has a connection already, and must not wait for another.
    """

    def __init__(self, read: Callable[[], str], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._reading = Lock()
        self._name = ""
        self._read_at: datetime | None = None

    def __call__(self) -> str:
        """The name; empty where it is still the one of the founding."""
        if self._is_old() and self._reading.acquire(blocking=False):
            try:
                self._name, self._read_at = self._read(), self._clock.now()
            finally:
                self._reading.release()
        return self._name

    def forget(self) -> None:
        """It has just been changed here."""
        self._read_at = None

    def _is_old(self) -> bool:
        return self._read_at is None or self._clock.now() - self._read_at > timedelta(seconds=KEPT_SECONDS)
