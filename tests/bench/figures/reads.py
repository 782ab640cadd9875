"""What other servers read, and what an instance needs that does nothing."""

import time
from contextlib import ExitStack
from http.client import HTTPConnection

from tests.bench.bench import Bench
from tests.bench.measure import Figure, Load, in_turns, load, per_cpu_second, waits
from tests.bench.senders import HOST
from tests.bench.servers import House, Server, bare_get, found_house

REQUESTS = 20_000  # in each round, unless the time is over
SECONDS = 5.0
FIRST_REQUESTS = 500
IDLE_SECONDS = 5
BARE = "bare uvicorn: the same bytes"


def actor(bench: Bench) -> Figure:
    """A board's actor, as every server that hears from it fetches it."""
    house = found_house(bench.new_folder() / "house", [])
    return _reading("get_actor", house.board, house, bench)


def note(bench: Bench) -> Figure:
    """A listing of ours as a Note."""
    house = found_house(bench.new_folder() / "house", [])
    return _reading("get_note", house.listing, house, bench)


def _reading(name: str, path: str, house: House, bench: Bench) -> Figure:
    head = f"GET {path} HTTP/1.1\r\nhost: {HOST}\r\naccept: application/activity+json\r\n\r\n"
    request = bench.request(head.encode())
    with ExitStack() as stack:
        ours = stack.enter_context(house.served("--no-work", environment=NOBODY_COUNTS))
        bare = stack.enter_context(bare_get(bench.new_folder(), _body(ours, path)))

        def get(server: Server, count: int = REQUESTS) -> Load:
            return load([server], request, count, "--seconds", str(SECONDS)).expect(200)

        for server in (bare, ours):
            get(server, FIRST_REQUESTS)
        limits, loads = in_turns(lambda _: get(bare), lambda _: get(ours))
    return Figure(
        name,
        per_cpu_second(loads),
        10_000,
        limit=per_cpu_second(limits),
        limit_name=BARE,
        ratio_goal=0.35,
        **waits(loads),
    )


# All requests come from one address here, which would be told to come back later.
NOBODY_COUNTS = {"FEDAID_WEB__REQUESTS_PER_ADDRESS_MAX": "1000000000"}


def _body(server: Server, path: str) -> bytes:
    line = HTTPConnection("127.0.0.1", server.port)
    line.request("GET", path, headers={"Host": HOST, "Accept": "application/activity+json"})
    answer = line.getresponse()
    body = answer.read()
    line.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return body


def idle_memory(bench: Bench) -> Figure:
    """``fedaid serve`` with everything in one process, when nobody asks."""
    house = found_house(bench.new_folder() / "house", [])
    with house.served() as server:
        time.sleep(IDLE_SECONDS)
        memory = server.memory_mb
    return Figure("idle_memory_mb", memory, 120, unit="MB", less_is_better=True)
