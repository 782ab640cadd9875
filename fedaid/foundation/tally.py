"""Counts what happens in this process, cheaply enough for every request; ``admin.metrics`` shows it."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

KINDS_MAX = 200  # of things in one count; what more there is, is counted as OTHER: words may come from outside (S90)
OTHER = "other"
# Upper bounds in seconds: from a document that is ready to what nobody waits for.
BOUNDS: Sequence[float] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

Labels = tuple[str, ...]


class Count:
    """How often each kind of thing happened; a kind is told by its labels. From any thread."""

    def __init__(self) -> None:
        self._found: dict[Labels, int] = {}
        self._adding = Lock()

    def add(self, *labels: str) -> None:
        """Once more."""
        with self._adding:
            known = labels if labels in self._found or len(self._found) < KINDS_MAX else (OTHER,) * len(labels)
            self._found[known] = self._found.get(known, 0) + 1

    def read(self) -> Mapping[Labels, int]:
        """What was counted so far."""
        with self._adding:
            return dict(self._found)


@dataclass
class Spread:
    """How long things of one kind took; ``counts`` has a place for each of BOUNDS, and one for what is longer."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class Durations:
    """How long each kind of thing took. From any thread."""

    def __init__(self) -> None:
        self._found: dict[Labels, Spread] = {}
        self._adding = Lock()

    def add(self, seconds: float, *labels: str) -> None:
        """Once more, so long."""
        place = bisect_left(BOUNDS, seconds)
        with self._adding:
            spread = self._found.get(labels)
            if spread is None:
                known = labels if len(self._found) < KINDS_MAX else (OTHER,) * len(labels)
                spread = self._found.setdefault(known, Spread())
            spread.counts[place] += 1
            spread.seconds += seconds

    def read(self) -> Mapping[Labels, Spread]:
        """What was measured so far."""
        with self._adding:
            return {labels: Spread(list(one.counts), one.seconds) for labels, one in self._found.items()}
