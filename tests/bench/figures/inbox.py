"""Letters that come in: verified and durable, and then applied."""

import time
from collections.abc import Sequence
from contextlib import ExitStack

from sqlalchemy import func, select

from fedaid.board.tables import listing
from fedaid.foundation.database import Database
from inbox.tables import inbox_letter
from tests.bench.bench import Bench
from tests.bench.measure import ROUNDS, Figure, Load, Requests, in_turns, load, per_cpu_second, waits
from tests.bench.senders import activity_id
from tests.bench.servers import Server, bare_post, found_house

LETTERS = 6_000  # in each round, unless the time is over
SECONDS = 8.0
FIRST_LETTERS = 200  # not counted: every key is looked up once, every statement prepared
SUSTAINED_SECONDS = 60
SUSTAINED_SHARE = 0.6  # of what one CPU could apply
SUSTAINED_LETTERS_MAX = 40_000
STORED_LETTERS = 1_000_000
STORED_WITH_TEXT = 0.08  # the text of settled letters is kept for 7 of the 90 days of which letters are remembered
OVERLOAD = 2.0
OVERLOAD_CONNECTIONS = 3_000
OVERLOAD_LETTERS = 20_000
BARE = "bare uvicorn: signature, and a row in a commit of many"


def sqlite(bench: Bench) -> Figure:
    """One process without the work, SQLite FULL."""
    house = found_house(bench.new_folder() / "house", bench.senders)
    with ExitStack() as stack:
        bare = stack.enter_context(bare_post(bench.new_folder(), bench.senders))
        ours = stack.enter_context(house.served("--no-work"))
        return _against_bare("inbox_sqlite", 4_000, bench, [bare], [ours])


def postgres(bench: Bench) -> Figure:
    """Two processes without the work, one database. The CPU of PostgreSQL itself is not counted, on neither side."""
    with ExitStack() as stack:
        url = stack.enter_context(bench.postgresql_database())
        bare_url = stack.enter_context(bench.postgresql_database())
        house = found_house(bench.new_folder() / "house", bench.senders, url)
        bare = [stack.enter_context(bare_post(bench.new_folder(), bench.senders, bare_url)) for _ in range(2)]
        ours = [stack.enter_context(house.served("--no-work")) for _ in range(2)]
        return _against_bare("inbox_postgres", 4_000, bench, bare, ours)


def _against_bare(name: str, goal: float, bench: Bench, bare: Sequence[Server], ours: Sequence[Server]) -> Figure:
    letters = bench.letters(FIRST_LETTERS + ROUNDS * LETTERS)

    def take(servers: Sequence[Server], number: int) -> Load:
        part = Requests(letters.file, FIRST_LETTERS + number * LETTERS)
        return load(servers, part, LETTERS, "--seconds", str(SECONDS)).expect(202)

    for servers in (bare, ours):
        load(servers, letters, FIRST_LETTERS).expect(202)
    limits, loads = in_turns(lambda number: take(bare, number), lambda number: take(ours, number))
    per_second = max(one.count / one.seconds for one in loads)
    return Figure(
        name,
        per_cpu_second(loads),
        goal,
        limit=per_cpu_second(limits),
        limit_name=BARE,
        ratio_goal=1 / 2.5,
        **waits(loads),
        more={"per_second": round(per_second)},
    )


def applied(bench: Bench) -> Figure:
    """One process with the work: taken in and applied, for a minute, so fast that nothing piles up."""
    house = found_house(bench.new_folder() / "house", bench.senders)
    with house.served() as server, house.database() as database:
        load([server], bench.letters(FIRST_LETTERS + LETTERS), FIRST_LETTERS).expect(202)
        _wait_until_applied(database, FIRST_LETTERS)
        before = server.cpu_seconds
        letters = bench.letters(FIRST_LETTERS + LETTERS)
        load([server], Requests(letters.file, FIRST_LETTERS), LETTERS).expect(202)
        _wait_until_applied(database, FIRST_LETTERS + LETTERS)
        burst = LETTERS / (server.cpu_seconds - before)
        rate = burst * SUSTAINED_SHARE
        count = min(int(rate * SUSTAINED_SECONDS), SUSTAINED_LETTERS_MAX)
        first = FIRST_LETTERS + LETTERS
        letters = bench.letters(first + count)
        before = server.cpu_seconds
        sustained = load(
            [server], Requests(letters.file, first), count, "--rate", str(rate), "--seconds-max", "120"
        ).expect(202)
        left = _count(database, "new")
        _wait_until_applied(database, first + count)
        value = count / (server.cpu_seconds - before)
        shown = _listings(database)
    if shown != first + count:
        raise RuntimeError(f"{first + count} listings were sent, and {shown} are on the board")
    return Figure(
        "inbox_applied",
        value,
        800,
        p50_ms=sustained.p50_ms,
        p99_ms=sustained.p99_ms,
        more={
            "burst": round(burst),
            "offered_per_second": round(rate),
            "seconds": round(sustained.seconds),
            "left_in_queue": left,
        },
    )


def growth(bench: Bench) -> Figure:
    """The rate with a million letters stored, against that of an empty instance in the same run."""
    empty = found_house(bench.new_folder() / "house", bench.senders)
    full = found_house(bench.new_folder() / "house", bench.senders)
    with full.database() as database:
        _store_letters(database)
    letters = bench.letters(FIRST_LETTERS + ROUNDS * LETTERS)
    with empty.served("--no-work") as few, full.served("--no-work") as many:

        def take(server: Server, number: int) -> Load:
            part = Requests(letters.file, FIRST_LETTERS + number * LETTERS)
            return load([server], part, LETTERS, "--seconds", str(SECONDS)).expect(202)

        for server in (few, many):
            load([server], letters, FIRST_LETTERS).expect(202)
        limits, loads = in_turns(lambda number: take(few, number), lambda number: take(many, number))
    value, limit = per_cpu_second(loads), per_cpu_second(limits)
    return Figure(
        "inbox_growth",
        value / limit,
        0.9,
        unit="of the rate when empty",
        **waits(loads),
        more={"full_per_cpu_second": round(value), "empty_per_cpu_second": round(limit), "stored": STORED_LETTERS},
    )


def _store_letters(database: Database) -> None:
    """A million settled letters, as they stand after three months."""
    text = "zeroblob(2048)"
    with database.write() as connection:
        connection.exec_driver_sql(
            f"""
            WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {STORED_LETTERS})
            INSERT INTO inbox_letter (
                activity_id, sender, host, type, inbox, body, key_id, proof, signed_ms, received_ms, state, code,
                sentence, tries, next_try_ms, lease_until_ms, lease_by
            )
            SELECT 'https://old' || (n % 3000) || '.example/users/eva/statuses/' || hex(randomblob(9)) || '/activity',
                'https://old' || (n % 3000) || '.example/users/eva', 'old' || (n % 3000) || '.example', 'Create', '/inbox',
                CASE WHEN n > {STORED_LETTERS * (1 - STORED_WITH_TEXT):.0f} THEN {text} ELSE x'' END,
                'https://old' || (n % 3000) || '.example/users/eva#main-key', 'draft-cavage', 1785000000000 + n * 7000,
                1785000000000 + n * 7000, 'done', '', '', 1, 0, 0, ''
            FROM number
            """  # noqa: S608 - numbers of this module
        )


def overload(bench: Bench) -> Figure:
    """Twice of what it can take, from more connections than it lets in: the rest is told to come back, none is lost."""
    house = found_house(bench.new_folder() / "house", bench.senders)
    letters = bench.letters(FIRST_LETTERS + LETTERS + OVERLOAD_LETTERS)
    with house.served("--no-work") as server, house.database() as database:
        load([server], letters, FIRST_LETTERS).expect(202)
        full = load([server], Requests(letters.file, FIRST_LETTERS), LETTERS).expect(202)
        rate = OVERLOAD * full.count / full.seconds
        options = ("--rate", str(rate), "--accepted")
        first = FIRST_LETTERS + LETTERS
        over = load(
            [server], Requests(letters.file, first), OVERLOAD_LETTERS, *options, connections=OVERLOAD_CONNECTIONS
        )
        lost = _lost(database, bench, over)
        memory = server.memory_mb
    refused = over.statuses.get("503", 0)
    if lost or over.broken or over.retry_after != refused or refused + len(over.accepted) != over.count:
        raise RuntimeError(f"lost {lost}, broken {over.broken}, answers {dict(over.statuses)}")
    return Figure(
        "inbox_overload",
        len(over.accepted) / over.seconds / (full.count / full.seconds),
        0.7,
        unit="of the full rate still taken, by the clock",
        p50_ms=over.p50_ms,
        p99_ms=over.p99_ms,
        more={
            "offered_per_second": round(rate),
            "accepted": len(over.accepted),
            "refused_503": refused,
            "lost": lost,
            "memory_mb": round(memory),
        },
    )


def _lost(database: Database, bench: Bench, over: Load) -> int:
    """How many that were answered 202 are not in the journal."""
    with database.read() as connection:
        stored = set(connection.execute(select(inbox_letter.c.activity_id)).scalars())
    senders = bench.senders
    return sum(activity_id(senders[number % len(senders)], number) not in stored for number in over.accepted)


def _wait_until_applied(database: Database, letters: int) -> None:
    while _count(database, "done") < letters:
        if _count(database, "new") == 0 and _count(database, "done") < letters:
            raise RuntimeError("some letters were not applied")
        time.sleep(0.1)


def _count(database: Database, state: str) -> int:
    with database.read() as connection:
        found = select(func.count()).select_from(inbox_letter).where(inbox_letter.c.state == state)
        return int(connection.execute(found).scalar_one())


def _listings(database: Database) -> int:
    with database.read() as connection:
        found = select(func.count()).select_from(listing).where(listing.c.local.is_(False))
        return int(connection.execute(found).scalar_one())
