"""How many transfers of hours a second, each durable by itself: by the clock, as the disk is what it waits for."""

import json
import pickle
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg

from fedaid import app
from fedaid.foundation.work import Work
from fedaid.members import commands as members
from tests.bench.bench import Bench
from tests.bench.measure import Figure, Load, Requests, in_turns, load, waits
from tests.bench.senders import HOST
from tests.bench.servers import House, found_house

CLIENTS = 8
TRANSFERS = 2_000  # in each round, unless the time is over
FIRST_TRANSFERS = 100
ROUNDS = 3
SECONDS = 5.0
BARE_SECONDS = 2.0
BARE = "bare one-row commits, by as many clients"
# All requests come from eight tokens and one address here, which would be told to come back later.
NOBODY_COUNTS = {
    "FEDAID_API__REQUESTS_PER_TOKEN_MAX": "1000000000",
    "FEDAID_WEB__REQUESTS_PER_ADDRESS_MAX": "1000000000",
    "FEDAID_WEB__REQUESTS_PER_ACCOUNT_MAX": "1000000000",
}


def sqlite(bench: Bench) -> Figure:
    """On SQLite with ``synchronous=FULL``."""
    house = found_house(bench.new_folder() / "house", [])
    file = bench.new_folder() / "bare.sqlite3"
    return _transfers("ledger_sqlite", 500, house, bench, lambda: _rows_per_second(lambda: _sqlite_row(file)))


def postgres(bench: Bench) -> Figure:
    """On a PostgreSQL that forces every commit onto the disk."""
    with ExitStack() as stack:
        url = stack.enter_context(bench.postgresql_database())
        bare = stack.enter_context(bench.postgresql_database())
        with psycopg.connect(bare, autocommit=True) as connection:
            connection.execute("CREATE TABLE hours (n BIGSERIAL PRIMARY KEY, minutes INTEGER NOT NULL)")
        house = found_house(bench.new_folder() / "house", [], url)
        return _transfers("ledger_postgres", 400, house, bench, lambda: _rows_per_second(lambda: _postgres_row(bare)))


def _transfers(name: str, goal: float, house: House, bench: Bench, bare: Callable[[], float]) -> Figure:
    requests = _requests(house, bench.new_folder() / "transfers", FIRST_TRANSFERS + ROUNDS * TRANSFERS)
    limits: list[float] = []
    with house.served("--no-work", environment=NOBODY_COUNTS) as server:

        def give(number: int) -> Load:
            limits.append(bare())
            part = Requests(requests.file, FIRST_TRANSFERS + number * TRANSFERS)
            return load([server], part, TRANSFERS, "--seconds", str(SECONDS), connections=CLIENTS).expect(201)

        load([server], requests, FIRST_TRANSFERS, connections=CLIENTS).expect(201)
        (loads,) = in_turns(give, rounds=ROUNDS)
    return Figure(
        name,
        statistics.median(one.count / one.seconds for one in loads),
        goal,
        unit="a second, by the clock",
        limit=statistics.median(limits),
        limit_name=BARE,
        ratio_goal=0.7,
        either=True,
        **waits(loads),
        more={"per_cpu_second": round(statistics.median(one.per_cpu_second for one in loads))},
    )


def _requests(house: House, file: Path, count: int) -> Requests:
    """Everybody gives a minute to the next one, round and round, so that nobody's account runs low."""
    instance = app.build(house.settings, works=False)
    with instance.units.begin() as work:
        tokens = [_member_with_token(work, f"giver{number}") for number in range(CLIENTS)]
    instance.database.dispose()
    file.write_bytes(pickle.dumps([_request(tokens, number) for number in range(count)]))
    return Requests(file)


def _member_with_token(work: Work, handle: str) -> str:
    added = members.add_member(work, handle, "no password fits this")
    return members.issue_token(work, added.id, "hours:read hours:write")


def _request(tokens: Sequence[str], number: int) -> bytes:
    giver, taker = number % CLIENTS, (number + 1) % CLIENTS
    body = json.dumps({"minutes": 1, "to": f"giver{taker}"})
    lines = [
        "POST /api/fedaid/v1/hours/give HTTP/1.1",
        f"host: {HOST}",
        f"authorization: Bearer {tokens[giver]}",
        f"idempotency-key: transfer-{number}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    return ("\r\n".join(lines) + f"\r\n\r\n{body}").encode()


def _rows_per_second(open_one: Callable[[], Callable[[], None]]) -> float:
    """As many clients, each with a connection and a row in each commit."""
    written, end = [0] * CLIENTS, time.monotonic() + BARE_SECONDS

    def write(client: int) -> None:
        commit_row = open_one()
        while time.monotonic() < end:
            commit_row()
            written[client] += 1

    threads = [threading.Thread(target=write, args=(client,)) for client in range(CLIENTS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(written) / BARE_SECONDS


def _sqlite_row(file: Path) -> Callable[[], None]:
    connection = sqlite3.connect(file, isolation_level=None, timeout=60)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS hours (n INTEGER PRIMARY KEY, minutes INTEGER NOT NULL)")
    return lambda: connection.execute("INSERT INTO hours (minutes) VALUES (1)") and None


def _postgres_row(url: str) -> Callable[[], None]:
    connection = psycopg.connect(url, autocommit=True)
    return lambda: connection.execute("INSERT INTO hours (minutes) VALUES (1)") and None
