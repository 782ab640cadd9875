"""Sends requests that are ready, over kept connections, as cheaply as Python can: a program of its own.

Prints one line of JSON: how many were sent, what was answered, how long it took, and the waiting times.
"""

import argparse
import asyncio
import json
import pickle
import statistics
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop

TICK_SECONDS = 0.002


@dataclass
class Tally:
    """What came back. ``accepted`` are the numbers of the requests that were answered 202."""

    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    retry_after: int = 0
    broken: int = 0


class Line(asyncio.Protocol):
    """One connection: sends a request, reads its answer, and asks for the next."""

    def __init__(self, sending: "Sending") -> None:
        self._sending = sending
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._number = -1
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by descent
        self._sending.is_idle(self)

    def send(self, number: int, request: bytes) -> None:
        assert self._transport is not None
        self._number, self._began = number, time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].lower()
        _, _, rest = head.partition(b"content-length:")
        length = int(rest.partition(b"\r\n")[0] or 0)
        if len(self._received) < end + 4 + length:
            return
        self._received = b""
        self._sending.answered(self, self._number, int(head[9:12]), b"retry-after:" in head, self._began)

    def connection_lost(self, _error: Exception | None) -> None:
        self._sending.lost(self, self._number)


class Sending:
    """Everything that is to be sent: as soon as a connection is free, or at a rate, whatever the answers say."""

    def __init__(self, requests: list[bytes], first: int, count: int, rate: float) -> None:
        self.tally = Tally()
        self.done = asyncio.Event()
        self._requests = requests
        self._next, self._end = first, first + count
        self._first, self._count, self._rate = first, count, rate
        self._idle: deque[Line] = deque()
        self._under_way = 0
        self._again: deque[int] = deque()
        self._hung_up_on: set[int] = set()

    def is_idle(self, line: Line) -> None:
        if (self._rate and not self._again) or not self._send(line):
            self._idle.append(line)

    def _send(self, line: Line) -> bool:
        if self._again:
            number = self._again.popleft()
        elif self._next < self._end:
            number, self._next = self._next, self._next + 1
        else:
            return False
        self._under_way += 1
        line.send(number, self._requests[number % len(self._requests)])
        return True

    def answered(self, line: Line, number: int, status: int, says_when: bool, began: float) -> None:
        tally = self.tally
        tally.statuses[status] += 1
        tally.waits.append(time.perf_counter() - began)
        if status == 202:
            tally.accepted.append(number)
        tally.retry_after += says_when
        self._under_way -= 1
        self.is_idle(line)
        self._end_if_done()

    def lost(self, line: Line, number: int) -> None:
        """A server may end a connection that was idle for long, also while a request is on its way: that one is sent
        again, once, as every client does. What is hung up on twice is broken."""
        if self.done.is_set():
            return
        if line in self._idle:
            self._idle.remove(line)
            return
        self._under_way -= 1
        if number in self._hung_up_on:
            self.tally.broken += 1
        else:
            self._hung_up_on.add(number)
            self._again.append(number)
            if self._idle:
                self._send(self._idle.popleft())
        self._end_if_done()

    def stop(self) -> None:
        """Send no more; what is under way is waited for."""
        self._end = self._next
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._next >= self._end and not self._under_way and not self._again:
            self.done.set()

    async def keep_pace(self) -> None:
        """Send what is due by the clock, as far as a connection is free; what is not goes later."""
        began = time.perf_counter()
        while self._next < self._end:
            due = min(int((time.perf_counter() - began) * self._rate), self._count) - (self._next - self._first)
            for _ in range(min(due, len(self._idle))):
                self._send(self._idle.popleft())
            await asyncio.sleep(TICK_SECONDS)


async def send(requests: list[bytes], asked: argparse.Namespace) -> dict[str, Any]:
    """Send all that is asked for; what is to be printed."""
    sending = Sending(requests, asked.first, asked.count, asked.rate)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for number in range(asked.connections):
        await loop.create_connection(lambda: Line(sending), "127.0.0.1", asked.ports[number % len(asked.ports)])
    loop.call_later(asked.seconds, sending.stop)
    if asked.rate:
        await sending.keep_pace()
    with suppress(TimeoutError):
        await asyncio.wait_for(sending.done.wait(), asked.seconds)
    async with asyncio.timeout(asked.seconds_max):
        await sending.done.wait()
    seconds = time.perf_counter() - began
    tally = sending.tally
    hundredths = statistics.quantiles(tally.waits, n=100)
    return {
        "count": sum(tally.statuses.values()),
        "statuses": dict(tally.statuses),
        "seconds": seconds,
        "p50_ms": hundredths[49] * 1000,
        "p99_ms": hundredths[98] * 1000,
        "retry_after": tally.retry_after,
        "broken": tally.broken,
        "accepted": tally.accepted if asked.accepted else [],
    }


def main() -> None:
    """The program."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("requests")
    asked.add_argument("--ports", type=int, nargs="+", required=True)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--count", type=int, required=True)
    asked.add_argument("--connections", type=int, default=64)
    asked.add_argument("--rate", type=float, default=0.0)
    asked.add_argument("--seconds", type=float, default=3600.0, help="after which no more is sent")
    asked.add_argument("--seconds-max", type=float, default=60.0, help="for the last answers after that")
    asked.add_argument("--accepted", action="store_true")
    given = asked.parse_args()
    requests = pickle.loads(Path(given.requests).read_bytes())  # noqa: S301 - our own
    print(json.dumps(uvloop.run(send(requests, given))))  # noqa: T201 - what the program is for


if __name__ == "__main__":
    main()
