"""Letters that go out: signed, over connections that are kept or new, and acknowledged in the database."""

import statistics
from collections.abc import Mapping
from contextlib import ExitStack

from tests.bench import post_office
from tests.bench.bench import Bench
from tests.bench.measure import ROUNDS, Figure
from tests.bench.post_office import PostOffice, bare_signatures, memory_peak_mb
from tests.bench.takers import SLOW_SECONDS

HTTP_SERVERS, HTTP_POSTS = 100, 30
HTTPS_SERVERS, HTTPS_POSTS = 1_000, 3
MANY_SERVERS = 10_000
SLOW_SERVERS = 10
PATIENT_SERVERS, PAUSE_SECONDS, PATIENT_POSTS = 200, 0.2, 5  # whose answers take their time
HOSTS_AT_ONCE = 20  # of one worker, so that it waits more than it works and the machine bears two
LINES_PER_SERVER = 2  # as many public letters are on the way to one at the same time
FIRST_POSTS = 2  # not counted: every host is new once, and every statement is prepared
SECONDS_MAX = 120.0
BARE = "bare RSA-2048 signatures"


def http_kept(bench: Bench) -> Figure:
    """A hundred servers over http, whose connections stand."""
    with post_office.opened(bench.new_folder(), HTTP_SERVERS) as office:
        return _kept("deliver_http_kept", 1_500, 0.5, office, HTTP_POSTS)


def https_kept(bench: Bench) -> Figure:
    """A thousand servers over https, whose certificates were verified and whose connections stand."""
    with post_office.opened(bench.new_folder(), HTTPS_SERVERS, secure=True) as office:
        return _kept("deliver_https_kept", 1_000, None, office, HTTPS_POSTS)


def _kept(name: str, goal: float, ratio_goal: float | None, office: PostOffice, posts: int) -> Figure:
    values, limits, waits = [], [], []
    with office.works(FETCH__KEPT_LINES_MAX=LINES_PER_SERVER * office.followed) as server:
        office.post(FIRST_POSTS)
        done = FIRST_POSTS * office.followed
        office.wait(done, SECONDS_MAX)
        for _ in range(ROUNDS):
            limits.append(bare_signatures())
            before = server.cpu_seconds
            office.post(posts)
            done += posts * office.followed
            waits.append(office.wait(done, SECONDS_MAX))
            values.append(posts * office.followed / (server.cpu_seconds - before))
        memory = memory_peak_mb(server)
    office.expect_all()
    return Figure(
        name,
        statistics.median(values),
        goal,
        limit=statistics.median(limits),
        limit_name=BARE,
        ratio_goal=ratio_goal,
        more={
            "hosts": office.followed,
            "per_second": round(posts * office.followed / min(waits)),
            "memory_mb": round(memory),
        },
    )


def fanout(bench: Bench) -> Figure:
    """One post to ten thousand servers that were never spoken to: from its commit to the last acknowledgement."""
    with (
        post_office.opened(bench.new_folder(), MANY_SERVERS, secure=True) as office,
        office.works(FETCH__KEPT_LINES_MAX=MANY_SERVERS) as server,
    ):
        office.wait(0, SECONDS_MAX)
        before = server.cpu_seconds
        (enqueued,) = office.post(1)
        seconds = office.wait(office.followed, SECONDS_MAX)
        value = server.cpu_seconds - before
        more: Mapping[str, object] = {
            "enqueue_ms": round(enqueued * 1000, 1),
            "memory_mb": round(memory_peak_mb(server)),
            "seconds": round(seconds, 1),
        }
        office.expect_all()
    return Figure("fanout_10000_cpu_s", value, 15, unit="CPU seconds", less_is_better=True, more=more)


def slow(bench: Bench) -> Figure:
    """How fast ninety servers get their mail beside ten that answer after ten seconds, of how fast all hundred quick."""
    seconds: dict[int, list[float]] = {0: [], SLOW_SERVERS: []}
    for _ in range(ROUNDS):
        for number, found in seconds.items():
            with post_office.opened(bench.new_folder(), HTTP_SERVERS, slow=number) as office:
                found.append(_seconds_of_quick(office, number))
    without, beside = (statistics.median(found) for found in seconds.values())
    share = 1 - SLOW_SERVERS / HTTP_SERVERS  # so many fewer letters are waited for
    return Figure(
        "deliver_beside_slow",
        share * without / beside,
        0.8,
        unit="of the rate without slow hosts, by the clock",
        more={"slow_hosts": SLOW_SERVERS, "their_seconds": SLOW_SECONDS, "quick_hosts": HTTP_SERVERS - SLOW_SERVERS},
    )


def two_workers(bench: Bench) -> Figure:
    """How much sooner two workers on one PostgreSQL have delivered than one, to servers that take their time."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with (
        bench.postgresql_database() as url,
        post_office.opened(
            bench.new_folder(), PATIENT_SERVERS, slow=PATIENT_SERVERS, pause=PAUSE_SECONDS, database_url=url
        ) as office,
    ):
        done = 0
        for _ in range(ROUNDS):
            for number, found in seconds.items():
                with ExitStack() as workers:
                    for _worker in range(number):
                        workers.enter_context(office.works(OUTBOX__IN_FLIGHT_MAX=HOSTS_AT_ONCE))
                    for posts in (FIRST_POSTS, PATIENT_POSTS):
                        office.post(posts)
                        done += posts * PATIENT_SERVERS
                        waited = office.wait(done, SECONDS_MAX)
                    found.append(waited)
        office.expect_all()
    one, two = (statistics.median(found) for found in seconds.values())
    return Figure(
        "deliver_two_workers",
        one / two,
        1.7,
        unit="of the rate of one, by the clock",
        more={
            "hosts": PATIENT_SERVERS,
            "their_seconds": PAUSE_SECONDS,
            "per_second_of_one": round(PATIENT_POSTS * PATIENT_SERVERS / one),
        },
    )


def _seconds_of_quick(office: PostOffice, slow_servers: int) -> float:
    """How long it takes until all but the slow ones have everything, from when they have the first letter."""
    with office.works():
        office.post(1)
        office.wait_for_quick(office.followed - slow_servers, SECONDS_MAX)
        office.post(HTTP_POSTS)
        return office.wait_for_quick((1 + HTTP_POSTS) * (office.followed - slow_servers), SECONDS_MAX)
