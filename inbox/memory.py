"""A memory that forgets: of bounded size and age, so that strangers cannot fill it (attack S90)."""

import math
from collections import OrderedDict
from typing import Generic, TypeVar

from inbox.ports import Clock

V = TypeVar("V")


class Memory(Generic[V]):
    """What was learnt about a name. An entry lasts ``seconds``; when full, the one longest unused goes first."""

    def __init__(self, clock: Clock, *, seconds: float, entries_max: int) -> None:
        self._clock = clock
        self._seconds = seconds
        self._entries_max = entries_max
        self._entries: OrderedDict[str, tuple[float, V]] = OrderedDict()

    def get(self, name: str) -> V | None:
        """What is known of the name, or None."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        ends_at, value = entry
        if ends_at <= self._now():
            del self._entries[name]
            return None
        self._entries.move_to_end(name)
        return value

    def put(self, name: str, value: V) -> None:
        """Remember, from now on for ``seconds``."""
        self._entries[name] = (self._now() + self._seconds, value)
        self._entries.move_to_end(name)
        while len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)

    def seconds_left(self, name: str) -> float:
        """How long what is known of the name still lasts; 0 when nothing is."""
        entry = self._entries.get(name)
        return max(0.0, entry[0] - self._now()) if entry is not None else 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def _now(self) -> float:
        return self._clock.now().timestamp()


class Counter:
    """Counts events per name in a window that starts with the first of them and lasts ``seconds``."""

    def __init__(self, clock: Clock, *, seconds: float, entries_max: int) -> None:
        self._memory: Memory[list[int]] = Memory(clock, seconds=seconds, entries_max=entries_max)

    def add(self, name: str) -> int:
        """One more; the number in the current window, this one included."""
        box = self._memory.get(name)
        if box is None:
            box = [0]
            self._memory.put(name, box)
        box[0] += 1
        return box[0]

    def count(self, name: str) -> int:
        """How many there were in the current window."""
        box = self._memory.get(name)
        return box[0] if box is not None else 0

    def seconds_left(self, name: str) -> int:
        """How long the current window still lasts, in whole seconds, rounded up; 0 without one."""
        return math.ceil(self._memory.seconds_left(name))

    def __len__(self) -> int:
        return len(self._memory)
