"""How a figure is measured: load from another process, CPU of the servers alone, its limit in between."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.servers import ROOT, Server

CONNECTIONS = 64
ROUNDS = 3


@dataclass(frozen=True)
class Figure:
    """One line of the result.

    value       per CPU second (user and system) of our processes, unless ``unit`` says otherwise
    limit       what the same machine did in the same run without us, in the same unit; None where there is none
    goal        what ``value`` should be, at least (at most, where ``less_is_better``)
    ratio_goal  what ``value`` should be of ``limit``, at least
    either      whether one of the two goals is enough
    more        whatever else was seen
    """

    name: str
    value: float
    goal: float
    unit: str = "per CPU second"
    limit: float | None = None
    limit_name: str = ""
    ratio_goal: float | None = None
    either: bool = False
    p50_ms: float | None = None
    p99_ms: float | None = None
    less_is_better: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """``value`` of ``limit``."""
        return self.value / self.limit if self.limit else None

    @property
    def is_reached(self) -> bool:
        """Whether the goal, and that of the ratio where it has one, is reached; one of them where ``either`` will do."""
        enough = self.value <= self.goal if self.less_is_better else self.value >= self.goal
        if self.ratio_goal is None:
            return enough
        near_enough = (self.ratio or 0) >= self.ratio_goal
        return enough or near_enough if self.either else enough and near_enough

    def line(self) -> str:
        """As one line of JSON."""
        rounded = {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "limit": _rounded(self.limit),
            "limit_name": self.limit_name,
            "ratio": _rounded(self.ratio),
            "p50_ms": _rounded(self.p50_ms),
            "p99_ms": _rounded(self.p99_ms),
            "goal": self.goal,
            "ratio_goal": self.ratio_goal,
            "reached": self.is_reached,
            **self.more,
        }
        return json.dumps({name: value for name, value in rounded.items() if value not in (None, "")})


def _rounded(value: float | None) -> float | None:
    if value is None:
        return None
    return round(value) if abs(value) >= 100 else round(value, 3)


@dataclass(frozen=True)
class Load:
    """What came of one load: how many were answered, how long each waited, and what it cost the servers."""

    count: int
    statuses: Mapping[str, int]
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float
    retry_after: int
    broken: int
    accepted: Sequence[int]

    @property
    def per_cpu_second(self) -> float:
        """How many a second of CPU was enough for."""
        return self.count / self.cpu_seconds

    def expect(self, status: int) -> "Load":
        """The same. Raises RuntimeError when anything was answered otherwise, as then something else was measured."""
        if self.statuses != {str(status): self.count} or self.broken:
            raise RuntimeError(f"expected {status} only: {dict(self.statuses)}, {self.broken} broken")
        return self


@dataclass(frozen=True)
class Requests:
    """A file of requests that are ready; those from ``first`` on were not sent yet."""

    file: Path
    first: int = 0


def load(
    servers: Sequence[Server], requests: Requests, count: int, *options: str, connections: int = CONNECTIONS
) -> Load:
    """Send ``count`` of the requests to the servers in turn, as fast as they are answered."""
    ports = [str(server.port) for server in servers]
    words = [str(requests.file), "--first", str(requests.first), "--count", str(count), "--ports", *ports]
    before = sum(server.cpu_seconds for server in servers)
    finished = subprocess.run(
        [sys.executable, "-m", "tests.bench.load", *words, "--connections", str(connections), *options],
        cwd=ROOT,
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(finished.stderr.decode()[-2000:])
    cpu_seconds = sum(server.cpu_seconds for server in servers) - before
    return Load(**json.loads(finished.stdout), cpu_seconds=cpu_seconds)


def in_turns(*kinds: Callable[[int], Load], rounds: int = ROUNDS) -> Sequence[Sequence[Load]]:
    """Each kind once in each round, as the machine is not always equally fast; the rounds of each kind."""
    loads: list[list[Load]] = [[] for _ in kinds]
    for number in range(rounds):
        for kind, found in zip(kinds, loads, strict=True):
            found.append(kind(number))
    return loads


def per_cpu_second(loads: Sequence[Load]) -> float:
    """The median of the rounds."""
    return statistics.median(one.per_cpu_second for one in loads)


def waits(loads: Sequence[Load]) -> Mapping[str, float]:
    """Half of the answers came within the one, and 99 of 100 within the other; the median of the rounds."""
    return {
        "p50_ms": statistics.median(one.p50_ms for one in loads),
        "p99_ms": statistics.median(one.p99_ms for one in loads),
    }
