"""How a host falls asleep, is probed, wakes and is given up, and what an admin can do."""

import pytest

from outbox import health
from outbox.limits import OutboxLimits
from tests.outbox.world import DAY, HOUR, SECOND, SILENCE, World, actor

BEN = actor("river.example")
RIVER = "river.example"


@pytest.fixture
def silent(world: World) -> World:
    """Ben's host does not answer."""
    world.knows(BEN)
    world.says(RIVER, SILENCE)
    world.posts(1, BEN)
    world.drain()
    return world


def _exhaust(world: World) -> None:
    """Let time run to the end of the schedule."""
    while not world.host(RIVER).asleep:
        found = world.host(RIVER).next_try_ms
        assert found is not None
        world.later(found - world.now_ms)


def test_a_host_that_never_answers_falls_asleep_after_the_whole_schedule(silent: World) -> None:
    silent.posts(2, BEN)
    _exhaust(silent)
    assert silent.town.activities(RIVER) == [1] * 14
    found = silent.host(RIVER)
    assert (found.asleep_since_ms, found.failures, found.waiting) == (silent.now_ms, 14, 2)
    assert found.last_error == "Nobody answers."


def test_a_sleeping_host_is_probed_daily_and_gets_everything_in_order_when_it_answers(silent: World) -> None:
    _exhaust(silent)
    silent.posts(2, BEN)
    assert silent.drain() == 0
    before = len(silent.town.received)
    for _ in range(3):
        silent.later(DAY)
    assert len(silent.town.received) == before + 3
    silent.says(RIVER, 202)
    silent.later(DAY)
    assert silent.town.activities(RIVER)[-2:] == [1, 2]
    found = silent.host(RIVER)
    assert (found.asleep, found.failures, found.waiting, found.asleep_since_ms) == (False, 0, 0, None)
    assert found.last_success_ms == silent.now_ms


def test_after_thirty_days_of_sleep_everything_is_given_up_but_the_ledgers_mail(silent: World) -> None:
    _exhaust(silent)
    silent.posts(2, BEN)
    for _ in range(31):
        silent.later(DAY)
    assert silent.states() == ["failed", "failed"]
    silent.posts(3, BEN, keep_trying=True)
    silent.posts(4, BEN)
    for _ in range(2):
        silent.later(DAY)
    assert silent.states() == ["failed", "failed", "waiting", "waiting"]
    silent.says(RIVER, 202)
    silent.later(HOUR)
    assert silent.states() == ["failed", "failed", "delivered", "delivered"]


def test_verified_mail_from_a_sleeping_host_wakes_it(silent: World) -> None:
    _exhaust(silent)
    silent.says(RIVER, 202)
    silent.now_ms += HOUR
    with silent.write() as connection:
        health.wake(connection, RIVER, silent.now_ms, OutboxLimits())
    assert not silent.host(RIVER).asleep
    assert silent.drain() == 1
    assert silent.states() == ["delivered"]


def test_mail_from_a_host_that_could_not_be_reached_ends_the_wait(silent: World) -> None:
    silent.says(RIVER, 202)
    with silent.write() as connection:
        health.wake(connection, RIVER, silent.now_ms + 9 * SECOND, OutboxLimits())
    assert silent.drain() == 0  # not for each of its letters
    with silent.write() as connection:
        health.wake(connection, RIVER, silent.now_ms + 10 * SECOND, OutboxLimits())
    assert silent.later(10 * SECOND) == 1


def test_a_host_that_asked_for_patience_is_not_woken(world: World) -> None:
    world.knows(BEN)
    world.says(RIVER, 429)
    world.posts(1, BEN)
    world.drain()
    world.now_ms += 30 * SECOND
    with world.write() as connection:
        health.wake(connection, RIVER, world.now_ms, OutboxLimits())
    assert world.drain() == 0


def test_waking_a_host_we_never_wrote_to_is_nothing(world: World) -> None:
    with world.write() as connection:
        health.wake(connection, "unknown.example", world.now_ms, OutboxLimits())
        assert health.hosts(connection) == []
        assert health.one(connection, "unknown.example") is None


def test_mail_that_a_living_host_never_takes_is_given_up_and_the_next_goes_through(world: World) -> None:
    world.knows(BEN)
    world.says(RIVER, *[500] * 14, 202)
    world.posts(1, BEN)
    world.posts(2, BEN)
    world.drain()
    _exhaust(world)
    assert world.states() == ["failed", "waiting"]
    world.later(60 * SECOND)
    assert world.states() == ["failed", "delivered"]
    assert not world.host(RIVER).asleep


def test_an_admin_resumes_a_host(silent: World) -> None:
    _exhaust(silent)
    silent.says(RIVER, 202)
    with silent.write() as connection:
        health.resume(connection, RIVER, silent.now_ms)
    assert silent.drain() == 1


def test_an_admin_tries_failed_mail_again(world: World) -> None:
    world.knows(BEN)
    world.says(RIVER, 404)
    world.posts(1, BEN)
    world.posts(2, BEN)
    world.drain()
    assert (world.host(RIVER).failed, world.host(RIVER).last_error) == (2, "answered 404")
    world.says(RIVER, 202)
    with world.write() as connection:
        assert health.retry(connection, RIVER, world.now_ms) == 2
    world.drain()
    assert world.town.activities(RIVER)[-2:] == [1, 2]
    assert world.states() == ["delivered", "delivered"]


def test_forgetting_a_host_does_not_give_up_the_ledgers_mail_by_the_way(silent: World) -> None:
    silent.posts(2, BEN, keep_trying=True)
    silent.drain()
    with silent.write() as connection:
        assert health.forget(connection, RIVER) == health.Forgotten(given_up=1, kept=1)
    assert (silent.host(RIVER).waiting, silent.host(RIVER).kept) == (1, 1)
    silent.says(RIVER, 202)
    silent.later(DAY)
    assert silent.states() == ["failed", "delivered"]


def test_an_admin_forgets_a_host(silent: World) -> None:
    silent.posts(2, BEN, keep_trying=True)
    silent.drain()
    with silent.write() as connection:
        assert health.forget(connection, RIVER, also_kept=True) == health.Forgotten(given_up=2, kept=0)
        assert health.one(connection, RIVER) is None
    assert silent.later(DAY) == 0
    silent.says(RIVER, 202)
    silent.posts(3, BEN)
    silent.drain()
    assert silent.states() == ["failed", "failed", "delivered"]


def test_what_was_forgotten_can_still_be_tried_again(silent: World) -> None:
    with silent.write() as connection:
        health.forget(connection, RIVER)
        assert health.retry(connection, RIVER, silent.now_ms) == 1
    silent.says(RIVER, 202)
    silent.drain()
    assert silent.states() == ["delivered"]
    with silent.write() as connection:
        assert health.retry(connection, "unknown.example", silent.now_ms) == 0
        assert health.one(connection, "unknown.example") is None


def test_the_admin_sees_since_when_mail_waits(silent: World) -> None:
    began = silent.now_ms
    silent.now_ms += SECOND
    silent.posts(2, BEN)
    silent.drain()
    with silent.database.read() as connection:
        (found,) = health.hosts(connection)
    assert (found.host, found.waiting, found.failed, found.waiting_since_ms) == (RIVER, 2, 0, began)
    assert (found.last_failure_ms, found.next_try_ms) == (began, began + 60 * SECOND)
