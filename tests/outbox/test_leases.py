"""Whoever holds a host's lease is the only one who sends to it, and a crash costs time but no mail."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from outbox import leases, tables
from outbox.backoff import Answer, Outcome, Step, Verdict
from outbox.leases import Report, Tried
from outbox.limits import OutboxLimits
from tests.outbox.world import SECOND, Answered, Town, World, actor, rsa_key, until

LIMITS = OutboxLimits()
BEN, DAN = actor("river.example"), actor("sea.example", "dan")


def _claim(world: World, token: str) -> list[leases.Lease]:
    with world.write() as connection:
        return leases.claim(connection, token, world.now_ms, 10, LIMITS)


@pytest.fixture
def fanned_out(world: World) -> World:
    """Three activities wait for Ben."""
    world.knows(BEN)
    for number in (1, 2, 3):
        world.posts(number, BEN)
    with world.write() as connection:
        world.worker._fanout.step(connection, world.now_ms)
    return world


def test_a_queue_is_lent_to_one_only(fanned_out: World) -> None:
    (lease,) = _claim(fanned_out, "first")
    assert [parcel.activity_id.rpartition("/")[2] for parcel in lease.parcels] == ["1", "2", "3"]
    assert _claim(fanned_out, "second") == []


def test_after_a_crash_another_worker_goes_on_when_the_lease_has_run_out(fanned_out: World) -> None:
    _claim(fanned_out, "killed")
    assert fanned_out.later(LIMITS.lease_seconds * SECOND - 1) == 0
    assert fanned_out.later(1) == 3
    assert fanned_out.town.activities("river.example") == [1, 2, 3]


def test_a_report_that_comes_after_the_lease_ran_out_does_not_disturb_the_new_holder(fanned_out: World) -> None:
    (late,) = _claim(fanned_out, "late")
    fanned_out.now_ms += round(LIMITS.lease_seconds * SECOND)
    _claim(fanned_out, "new")
    first = Tried(late.parcels[0], Outcome(Answer.ACCEPTED, 202), Verdict(Step.ARRIVED), fanned_out.now_ms)
    with fanned_out.write() as connection:
        leases.acknowledge(connection, [Report(late, (first,), None)], fanned_out.now_ms)
    assert fanned_out.states() == ["delivered", "waiting", "waiting"]  # what arrived has arrived
    assert fanned_out.drain() == 0  # but the queue is still the new holder's
    with fanned_out.database.read() as connection:
        assert connection.execute(select(tables.host.c.lease_by)).scalar_one() == "new"


def test_no_try_is_begun_that_might_outlive_the_lease(fanned_out: World) -> None:
    def slow(_: Any) -> Any:
        fanned_out.now_ms += 15 * SECOND
        return fanned_out.town.scripts["sea.example"](_)

    fanned_out.says("sea.example", 202)
    fanned_out.town.scripts["river.example"] = slow
    (lease,) = _claim(fanned_out, "slow")
    report = asyncio.run(fanned_out.worker._deliverer.run(lease))
    assert len(report.tried) == 2  # the third could end after 30 + 40 seconds, the lease ends after 60
    with fanned_out.write() as connection:
        leases.acknowledge(connection, [report], fanned_out.now_ms)
    assert fanned_out.drain() == 1


def test_nothing_is_sent_when_getting_ready_took_too_long(fanned_out: World) -> None:
    class SlowKeys:
        def signer(self, name: str) -> Any:
            fanned_out.now_ms += 51 * SECOND
            return rsa_key()

    worker = fanned_out.another_worker()
    object.__setattr__(worker._house, "signers", SlowKeys())
    (lease,) = _claim(fanned_out, "slow")
    assert asyncio.run(worker._deliverer.run(lease)) == Report(lease, (), None)
    assert fanned_out.town.received == []


def test_a_long_queue_is_worked_off_in_several_leases(world: World) -> None:
    world.knows(BEN)
    for number in range(1, 2 * LIMITS.deliveries_per_lease_max + 2):
        world.posts(number, BEN)
    assert world.drain() == 41
    assert world.town.activities("river.example") == list(range(1, 42))


def test_two_workers_share_the_work_and_never_send_the_same_twice(world: World) -> None:
    hosts = [f"s{number}.example" for number in range(6)]
    names = [world.knows(actor(host)) for host in hosts]
    world.town.pauses = dict.fromkeys(hosts, 0.002)
    for number in range(1, 16):
        world.posts(number, *names)

    async def both() -> list[int]:
        workers = (world.worker, world.another_worker(in_flight_max=2, deliveries_per_lease_max=3))
        return await asyncio.gather(*(worker.drain() for worker in workers))

    tried = asyncio.run(both())
    world.drain()
    assert sum(tried) <= 90
    assert {host: world.town.activities(host) for host in hosts} == {host: list(range(1, 16)) for host in hosts}
    assert set(world.town.in_flight_max.values()) == {1}


def test_a_worker_that_is_stopped_lets_requests_end_and_keeps_no_lease(fanned_out: World) -> None:
    async def story() -> None:
        fanned_out.town.pauses["river.example"] = 0.2
        stop = asyncio.Event()
        running = asyncio.create_task(fanned_out.worker.run(stop))
        await until(lambda: fanned_out.town.in_flight.get("river.example"))
        stop.set()
        await running

    asyncio.run(story())
    assert fanned_out.states() == ["delivered", "waiting", "waiting"]
    assert fanned_out.drain() == 2


def test_a_request_that_hangs_when_the_worker_stops_is_sent_again_by_the_next(fanned_out: World) -> None:
    async def story() -> None:
        fanned_out.town.pauses["river.example"] = 60
        worker = fanned_out.another_worker(stop_seconds=0.01)
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: fanned_out.town.in_flight.get("river.example"))
        stop.set()
        await running

    asyncio.run(story())
    fanned_out.town.pauses.clear()
    assert fanned_out.drain() == 3


def test_what_comes_home_while_others_are_written_down_is_written_down_next(world: World) -> None:
    async def story() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(world.worker.run(stop))
        await until(lambda: world.states().count("delivered") == 1)
        dan_is_home.set()
        await until(lambda: world.states().count("delivered") == 2)
        stop.set()
        await running

    class Waits(Town):
        async def post(self, url: str, body: bytes, headers: Any) -> Answered:
            answer = await super().post(url, body, headers)
            if "sea.example" in url:
                await dan_is_home.wait()
            return answer

    dan_is_home = asyncio.Event()
    world.town = Waits(lambda: world.now_ms)
    world.worker = world.another_worker()
    world.knows(BEN)
    world.knows(DAN)
    world.posts(1, BEN, DAN)
    asyncio.run(story())
    assert len(world.town.received) == 2


def test_what_could_not_be_written_down_is_written_down_later_and_not_sent_again(fanned_out: World) -> None:
    failures = iter([OperationalError("UPDATE", {}, Exception("away"))] * 2)

    def unreliable() -> Any:
        if fanned_out.town.received and (failure := next(failures, None)) is not None:
            raise failure
        return fanned_out.database.write()

    async def story() -> None:
        stop = asyncio.Event()
        worker = fanned_out.another_worker()
        object.__setattr__(worker._house, "write", unreliable)
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: fanned_out.states() == ["delivered"] * 3)
        stop.set()
        await running

    asyncio.run(story())
    assert fanned_out.town.activities("river.example") == [1, 2, 3]


def test_the_worker_is_woken_from_another_thread(world: World) -> None:
    async def story() -> None:
        stop = asyncio.Event()
        worker = world.another_worker(poll_seconds=60)
        running = asyncio.create_task(worker.run(stop))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(world.posts, 1, BEN)
        await asyncio.to_thread(worker.wake)
        await until(lambda: world.town.received)
        stop.set()
        await running

    world.knows(BEN)
    world.worker.wake()  # before it runs this is harmless
    asyncio.run(story())
    assert world.states() == ["delivered"]


def test_the_worker_survives_a_database_that_is_away_for_a_while(world: World) -> None:
    async def story() -> None:
        failures = iter([OperationalError("SELECT", {}, Exception("away"))] * 3)

        def unreliable() -> Any:
            if (failure := next(failures, None)) is not None:
                raise failure
            return world.database.read()

        worker = world.another_worker()
        object.__setattr__(worker._house, "read", unreliable)
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: world.town.received)
        stop.set()
        await running

    world.knows(BEN)
    world.posts(1, BEN)
    asyncio.run(story())
    assert world.states() == ["delivered"]


def test_a_fault_in_one_hosts_mail_leaves_the_others_alone(world: World) -> None:
    def broken(_: Any) -> Any:
        raise ZeroDivisionError

    async def story() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(world.worker.run(stop))
        await until(lambda: len(world.town.received) == 2)
        await asyncio.sleep(0.05)
        stop.set()
        await running

    world.knows(BEN)
    world.knows(DAN)
    world.town.scripts["river.example"] = broken
    world.posts(1, BEN, DAN)
    asyncio.run(story())
    assert sorted(world.states()) == ["delivered", "waiting"]


def test_an_empty_queue_that_looks_due_is_put_to_rest(world: World) -> None:
    world.knows(BEN)
    world.posts(1, BEN)
    world.drain()
    with world.write() as connection:
        connection.execute(update(tables.host).values(due_ms=world.now_ms))
    assert world.drain() == 0
    assert world.host("river.example").next_try_ms is None
