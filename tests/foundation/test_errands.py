"""Errands: done once, put off and given up as told, taken over after a crash; what they write ends them or does not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from activitypub.errors import FetchFailed, MalformedDocument
from fedaid.foundation.database import Database
from fedaid.foundation.errands import Errand, ErrandLimits, Errands, Write, errand, send_on
from fedaid.foundation.names import Names
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import UnitsOfWork, Work
from tests.small_house import StillClock

RIVER = "https://riverside.example/groups/board"
LIMITS = ErrandLimits(tries_max=3)


@dataclass
class Boy:
    """Runs errands as told; ``written`` is what was committed of them."""

    database: Database
    clock: StillClock = field(default_factory=StillClock)
    did: list[tuple[str, str]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    answer: Exception | Write | None = None

    def __post_init__(self) -> None:
        errand.create(self.database.engine)
        self.units = UnitsOfWork(self.database, self.clock, Names("https://northside.example"), {})

    async def look(self, about: str, note: str) -> Write:
        self.did.append((about, note))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or (lambda work: self.written.append(about))

    def send(self, about: str = RIVER, note: str = "", kind: str = "look") -> None:
        with self.units.begin() as work:
            send_on(work, kind, about, note)

    def run(self, do: Errand | None = None) -> int:
        return asyncio.run(Errands(self.units, {"look": do or self.look}, LIMITS).drain())

    def waiting(self) -> list[tuple[str, int]]:
        with self.database.read() as connection:
            query = select(errand.c.about, errand.c.tries).order_by(errand.c.id)
            return [(row.about, row.tries) for row in connection.execute(query)]


@pytest.fixture
def boy(database: Database) -> Boy:
    return Boy(database)


def test_an_errand_is_done_once(boy: Boy) -> None:
    boy.send(note="page 1")
    assert (boy.run(), boy.run()) == (1, 0)
    assert (boy.did, boy.written, boy.waiting()) == ([(RIVER, "page 1")], [RIVER], [])


def test_asking_again_before_it_is_done_renews_it(boy: Boy) -> None:
    boy.send(note="page 1")
    boy.send(note="page 2")
    assert boy.run() == 1
    assert boy.did == [(RIVER, "page 2")]


def test_what_was_rolled_back_sends_nobody(boy: Boy) -> None:
    with pytest.raises(ZeroDivisionError), boy.units.begin() as work:
        send_on(work, "look", RIVER)
        _ = 1 / 0
    assert boy.run() == 0


@pytest.mark.parametrize(
    "refusal",
    [
        FetchFailed("gone", "It is gone.", permanent=True),
        MalformedDocument("not_a_collection", "It is no collection."),
        Refused("not_theirs", "It is not theirs."),
    ],
)
def test_what_will_not_change_ends_an_errand(boy: Boy, refusal: Exception) -> None:
    boy.send()
    boy.answer = refusal
    assert boy.run() == 1
    assert (boy.written, boy.waiting()) == ([], [])


@pytest.mark.parametrize("trouble", [FetchFailed("timeout", "No answer.", permanent=False), OSError(), TimeoutError()])
def test_what_may_change_is_tried_again_later_and_later_then_given_up(boy: Boy, trouble: Exception) -> None:
    boy.send()
    boy.answer = trouble
    tried = []
    for _ in range(10):
        tried.append(boy.run())
        boy.clock.pass_seconds(60)
    assert tried == [1, 1, 0, 0, 1, 0, 0, 0, 0, 0]
    assert boy.waiting() == []


def test_what_cannot_be_written_is_tried_again_and_nothing_of_it_stays(boy: Boy) -> None:
    def half(work: Work) -> None:
        send_on(work, "look", "https://other.example/")
        raise RuntimeError

    boy.send()
    boy.answer = half
    boy.run()
    assert boy.waiting() == [(RIVER, 1)]
    boy.answer = None
    boy.clock.pass_seconds(61)
    boy.run()
    assert boy.written == [RIVER]


def test_an_errand_of_a_worker_that_died_is_taken_over_when_its_lease_ends(boy: Boy) -> None:
    boy.send()
    Errands(boy.units, {"look": boy.look}, LIMITS)._claim()
    assert boy.run() == 0
    boy.clock.pass_seconds(LIMITS.lease_seconds + 1)
    assert boy.run() == 1


def test_a_worker_that_comes_home_after_its_lease_writes_nothing(boy: Boy) -> None:
    async def slow(about: str, note: str) -> Write:
        boy.clock.pass_seconds(LIMITS.lease_seconds + 1)
        await Errands(boy.units, {"look": boy.look}, LIMITS).drain()
        return lambda work: boy.written.append("too late")

    boy.send()
    boy.run(slow)
    assert boy.written == [RIVER]


def test_an_errand_of_an_unknown_kind_waits_for_somebody_who_knows(boy: Boy) -> None:
    boy.send(kind="of a newer version")
    boy.send()
    assert boy.run() == 2
    assert boy.written == [RIVER]
    assert boy.waiting() == [(RIVER, 1)]


def test_an_errand_that_takes_too_long_is_put_off(boy: Boy) -> None:
    limits = ErrandLimits(errand_seconds_max=0.05)

    async def forever(about: str, note: str) -> Write:
        await asyncio.sleep(60)
        raise AssertionError

    boy.send()
    asyncio.run(Errands(boy.units, {"look": forever}, limits).drain())
    assert boy.waiting() == [(RIVER, 1)]


def test_running_ends_when_told(boy: Boy) -> None:
    async def story() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(Errands(boy.units, {"look": boy.look}, ErrandLimits(poll_seconds=0.01)).run(stop))
        await until(lambda: boy.written)
        stop.set()
        await running

    async def until(condition: Callable[[], object]) -> None:
        for _ in range(500):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not happen")

    boy.send()
    asyncio.run(story())
    assert boy.written == [RIVER]


def test_a_lease_must_outlast_the_errand() -> None:
    with pytest.raises(ValueError, match="lease_seconds"):
        ErrandLimits(lease_seconds=10)
