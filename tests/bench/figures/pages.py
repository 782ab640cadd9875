"""The board with 50,000 listings, as strangers and as members see it: kept ready, and made anew."""

import pickle
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http.client import HTTPConnection

from sqlalchemy import select

from fedaid import app
from fedaid.foundation.clock import SystemClock
from fedaid.members import commands as members
from fedaid.members.tables import member
from tests.bench.bench import Bench
from tests.bench.measure import CONNECTIONS, Figure, Load, Requests, in_turns, load, per_cpu_second, waits
from tests.bench.senders import HOST
from tests.bench.servers import House, Server, bare_get, found_house
from tests.big.town import Size, fill

SIZE = Size()  # 10,000 members, 50,000 listings
SEED = 7
READERS = 64  # members, each with a session of their own
READERS_AT_ONCE = 16  # more only wait for each other, until the server closes what is idle
REQUESTS = 20_000  # in each round, unless the time is over
SECONDS = 5.0
FIRST_REQUESTS = 200
ANEW = 500  # each at an address that nobody asked for before
BARE = "bare uvicorn: the same bytes"
NOBODY_COUNTS = {
    "FEDAID_WEB__REQUESTS_PER_ADDRESS_MAX": "1000000000",
    "FEDAID_WEB__REQUESTS_PER_ACCOUNT_MAX": "1000000000",
}


@dataclass(frozen=True)
class _Town:
    """As ``tests.big`` wants it."""

    instance: app.Instance
    clock: SystemClock


def public(bench: Bench) -> Figure:
    """For somebody who is signed out: the same for all of them, until anything is committed."""
    house, _ = _filled(bench)
    return _reading("get_board_public", 8_000, house, bench, [_request()], CONNECTIONS)


def personal(bench: Bench) -> Figure:
    """For members, each of whom sees a board of their own, which is kept ready for them until anything is committed."""
    house, cookies = _filled(bench)
    found = _reading("get_board", 1_000, house, bench, [_request(one) for one in cookies], READERS_AT_ONCE)
    return replace(found, more={**found.more, "made_anew": _made_anew(house, bench, cookies)})


def _made_anew(house: House, bench: Bench, cookies: Sequence[str]) -> int:
    """Pages per CPU second where none of them is kept."""
    file = bench.new_folder() / "requests"
    addresses = [f"/board?n={number}" for number in range(FIRST_REQUESTS + ANEW)]
    file.write_bytes(pickle.dumps([_request(cookies[n % READERS], path) for n, path in enumerate(addresses)]))
    with house.served("--no-work", environment=NOBODY_COUNTS) as ours:
        load([ours], Requests(file), FIRST_REQUESTS, connections=READERS_AT_ONCE).expect(200)
        new, words = Requests(file, FIRST_REQUESTS), ("--seconds", str(2 * SECONDS))
        made = load([ours], new, ANEW, *words, connections=READERS_AT_ONCE).expect(200)
    return round(made.per_cpu_second)


_known: dict[int, tuple[House, Sequence[str]]] = {}


def _filled(bench: Bench) -> tuple[House, Sequence[str]]:
    """The same for both figures of a run, as it takes long to make; and the cookies of some members."""
    if id(bench) not in _known:
        house = found_house(bench.new_folder() / "house", [])
        instance = app.build(house.settings, works=False)
        fill(_Town(instance, SystemClock()), SIZE, SEED)  # type: ignore[arg-type]
        with instance.units.begin() as work:
            ids = work.connection.execute(select(member.c.id).order_by(member.c.id).offset(5).limit(READERS)).scalars()
            secrets = [members.sign_in(work, number, "bench", house.settings.members) for number in ids.all()]
        instance.database.dispose()
        name = f"__Host-fedaid-{HOST.replace('.', '-')}"
        _known[id(bench)] = house, [f"{name}={secret}" for secret in secrets]
    return _known[id(bench)]


def _request(cookie: str = "", path: str = "/board") -> bytes:
    more = f"cookie: {cookie}\r\n" if cookie else ""
    return f"GET {path} HTTP/1.1\r\nhost: {HOST}\r\naccept: text/html\r\n{more}\r\n".encode()


def _reading(name: str, goal: float, house: House, bench: Bench, requests: Sequence[bytes], connections: int) -> Figure:
    file = bench.new_folder() / "requests"
    file.write_bytes(pickle.dumps(list(requests)))
    with ExitStack() as stack:
        ours = stack.enter_context(house.served("--no-work", environment=NOBODY_COUNTS))
        body = _body(ours, requests[0])
        bare = stack.enter_context(bare_get(bench.new_folder(), body))

        def get(server: Server, count: int = REQUESTS) -> Load:
            words = ("--seconds", str(SECONDS))
            return load([server], Requests(file), count, *words, connections=connections).expect(200)

        for server in (bare, ours):
            get(server, FIRST_REQUESTS)
        limits, loads = in_turns(lambda _: get(bare), lambda _: get(ours))
    return Figure(
        name,
        per_cpu_second(loads),
        goal,
        limit=per_cpu_second(limits),
        limit_name=BARE,
        **waits(loads),
        more={"bytes": len(body), "listings": SIZE.listings},
    )


def _body(server: Server, request: bytes) -> bytes:
    headers = dict(line.split(": ", 1) for line in request.decode().split("\r\n")[1:] if line)
    line = HTTPConnection("127.0.0.1", server.port)
    line.request("GET", "/board", headers=headers)
    answer = line.getresponse()
    body = answer.read()
    line.close()
    if answer.status != 200 or body.count(b'class="card') < 10:
        raise RuntimeError(f"no board: {answer.status}")
    if (b"/sign-out" in body) is not ("cookie" in headers):
        raise RuntimeError("somebody else's board")
    return body
