"""The worker: effect and mark together or not at all, once, in order, and past any fault."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, insert, select

from activitypub.errors import MalformedDocument, OriginMismatch
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from inbox import claims, queries
from inbox.journal import write_down
from inbox.limits import InboxLimits, retry_seconds
from inbox.ports import Letter, Unwelcome
from tests.inbox.world import BEN, EVE, Scripted, World, as_bytes, entry, like, until

pytestmark = pytest.mark.anyio

CAT = "https://sea.example/users/cat"
NOTE = "https://river.example/notes/1"
_effects = MetaData()
effect = Table("effect", _effects, Column("n", BigInteger, primary_key=True), Column("what", Text, nullable=False))


@pytest.fixture(autouse=True)
def _effect_table(world: World) -> None:
    _effects.create_all(world.database.engine)


def write_effect(work: Work, letter: Letter, _fetched: Mapping[str, Mapping[str, Any]]) -> bool:
    work.connection.execute(insert(effect).values(n=work.new_id(), what=letter.activity.id.text))
    work.record(f"took {letter.activity.id}")
    return True


def effects(world: World) -> Sequence[str]:
    with world.database.read() as connection:
        return list(connection.execute(select(effect.c.what).order_by(effect.c.n)).scalars())


def receive(world: World, *entries: Any) -> None:
    with world.database.write() as connection:
        write_down(connection, entries)


async def test_a_letter_is_applied_and_marked_done(world: World) -> None:
    receive(world, entry(1))
    worker = world.worker({"Like": [Scripted(write_effect)]})
    assert await worker.drain() == 1
    assert world.states() == ["done"]
    assert effects(world) == [entry(1).activity_id]
    assert world.announced == [f"took {entry(1).activity_id}"]
    assert await worker.drain() == 0


async def test_the_handler_gets_the_proved_sender_and_the_inbox(world: World) -> None:
    got: list[Letter] = []

    def keep(_work: Work, letter: Letter, _fetched: Mapping[str, Mapping[str, Any]]) -> bool:
        got.append(letter)
        return True

    receive(world, entry(1))
    await world.worker({"Like": [Scripted(keep)]}).drain()
    (letter,) = got
    assert letter.sender.actor == letter.activity.actor
    assert (letter.sender.key_id, letter.sender.proof, letter.inbox) == (f"{BEN}#main-key", "draft-cavage", "/inbox")
    assert letter.sender.signed_at == world.clock.now()


async def test_the_first_handler_that_takes_a_letter_ends_its_round(world: World) -> None:
    seen: list[str] = []

    def note(name: str, taken: bool) -> Scripted:
        return Scripted(lambda *_: bool(seen.append(name)) or taken)

    receive(world, entry(1))
    await world.worker({"Like": [note("a", False), note("b", True), note("c", True)]}).drain()
    assert seen == ["a", "b"]


async def test_a_letter_about_which_nobody_can_be_asked_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = world.directory.unwelcome_letters

    def judge_or_fail(letters: Sequence[Letter]) -> Sequence[Unwelcome | None]:
        if any(letter.activity.id.text == entry(2).activity_id for letter in letters):
            raise MalformedDocument("wrong_type", "A link must be text or an object with an id.")
        return judge(letters)

    monkeypatch.setattr(world.directory, "unwelcome_letters", judge_or_fail)
    receive(world, entry(1), entry(2), entry(3))
    await world.worker({"Like": [Scripted(write_effect)]}).drain()
    assert [(letter.state, letter.code) for letter in world.letters()] == [
        ("done", ""),
        ("refused", "wrong_type"),
        ("done", ""),
    ]
    assert effects(world) == [entry(1).activity_id, entry(3).activity_id]


async def test_a_letter_nobody_takes_is_ignored_with_a_reason(world: World) -> None:
    receive(world, entry(1), entry(2, activity={**like(2), "type": "Listen"}))
    await world.worker({"Like": [Scripted(lambda *_: False)]}).drain()
    assert [(letter.state, letter.code) for letter in world.letters()] == [("ignored", "not_taken")] * 2


async def test_a_refusal_undoes_the_effect_and_its_facts_and_marks_the_letter(world: World) -> None:
    def refuse(work: Work, letter: Letter, fetched: Mapping[str, Mapping[str, Any]]) -> bool:
        write_effect(work, letter, fetched)
        if letter.activity.id.text == entry(2).activity_id:
            raise Refused("over_limit", "That is more than agreed.")
        return True

    receive(world, entry(1), entry(2), entry(3))
    await world.worker({"Like": [Scripted(refuse)]}).drain()
    assert [(letter.state, letter.code, letter.sentence) for letter in world.letters()] == [
        ("done", "", ""),
        ("refused", "over_limit", "That is more than agreed."),
        ("done", "", ""),
    ]
    assert effects(world) == [entry(1).activity_id, entry(3).activity_id]
    assert world.announced == [f"took {entry(1).activity_id}", f"took {entry(3).activity_id}"]


async def test_a_refusal_by_the_language_counts_as_one(world: World) -> None:
    def refuse(*_: object) -> bool:
        raise OriginMismatch("not_the_owner", "This is not yours.")

    receive(world, entry(1))
    await world.worker({"Like": [Scripted(refuse)]}).drain()
    assert [(letter.state, letter.code) for letter in world.letters()] == [("refused", "not_the_owner")]


async def test_a_fault_is_tried_again_later_and_others_go_on(world: World) -> None:
    broken = [True]

    def stumble(work: Work, letter: Letter, fetched: Mapping[str, Mapping[str, Any]]) -> bool:
        write_effect(work, letter, fetched)
        if broken and letter.activity.id.text == entry(1).activity_id:
            raise KeyError("oops")
        return True

    receive(world, entry(1), entry(2))
    worker = world.worker({"Like": [Scripted(stumble)]})
    await worker.drain()
    first, second = world.letters()
    assert (first.state, first.tries, second.state) == ("new", 1, "done")
    assert first.sentence == "KeyError: 'oops'"
    assert effects(world) == [entry(2).activity_id]
    broken.clear()
    assert await worker.drain() == 0  # not yet due
    world.clock.advance(retry_seconds(world.limits, 1))
    assert await worker.drain() == 1
    assert world.states() == ["done", "done"]


async def test_a_letter_that_fails_every_try_waits_for_the_admin_who_may_retry_it(world: World) -> None:
    broken = [True]

    def stumble(*given: Any) -> bool:
        if broken:
            raise KeyError("oops")
        return write_effect(*given)

    receive(world, entry(1))
    worker = world.worker({"Like": [Scripted(stumble)]})
    for _ in range(world.limits.tries_max):
        await worker.drain()
        world.clock.advance(world.limits.retry_longest_seconds)
    assert world.states() == ["failed"]
    assert await worker.drain() == 0
    with world.database.write() as connection:
        (failed,) = queries.failed_letters(connection)
        assert (failed.sender, failed.tries) == (BEN, world.limits.tries_max)
        assert queries.retry(connection, failed.n)
        assert not queries.retry(connection, failed.n)
    broken.clear()
    await worker.drain()
    assert world.states() == ["done"]


async def test_a_fault_while_announcing_spoils_only_its_own_letter(world: World) -> None:
    def announce(_work: Work, fact: object) -> None:
        if fact == f"took {entry(2).activity_id}":
            raise RuntimeError("cannot say this")

    world.units._announcers = {str: [announce]}
    receive(world, entry(1), entry(2), entry(3))
    await world.worker({"Like": [Scripted(write_effect)]}).drain()
    assert world.states() == ["done", "new", "done"]
    assert effects(world) == [entry(1).activity_id, entry(3).activity_id]


async def test_a_commit_that_fails_leaves_neither_effect_nor_mark(world: World) -> None:
    class Stumbling:
        failures = 2

        @contextmanager
        def begin(self) -> Iterator[Work]:
            with world.units.begin() as work:
                yield work
                if self.failures:
                    self.failures -= 1
                    raise OSError("disk full")

    receive(world, entry(1))
    worker = world.worker({"Like": [Scripted(write_effect)]})
    worker._units = Stumbling()
    await worker.drain()
    assert (world.states(), effects(world)) == (["new"], [])
    world.clock.advance(3600)
    await worker.drain()
    assert (world.states(), effects(world)) == (["new"], [])
    world.clock.advance(3600)
    await worker.drain()
    assert (world.states(), effects(world)) == (["done"], [entry(1).activity_id])


async def test_letters_of_one_host_are_applied_in_the_order_they_came(world: World) -> None:
    receive(world, *(entry(number, BEN if number % 2 else CAT) for number in range(30)))
    await world.worker({"Like": [Scripted(write_effect)]}, InboxLimits(claim_letters_max=7, unit_letters_max=3)).drain()
    assert effects(world) == [entry(number, BEN if number % 2 else CAT).activity_id for number in range(30)]


async def test_a_leased_host_is_left_to_the_worker_that_leased_it(world: World) -> None:
    receive(world, entry(1), entry(2), entry(3, CAT))
    with world.database.write() as connection:
        first = claims.claim(connection, world.now_ms, InboxLimits(claim_letters_max=1))
    with world.database.write() as connection:
        second = claims.claim(connection, world.now_ms, world.limits)
    assert [one.activity_id for one in first] == [entry(1).activity_id]
    assert [one.activity_id for one in second] == [entry(3, CAT).activity_id]


async def test_the_letters_of_a_worker_that_died_are_taken_over_after_the_lease(world: World) -> None:
    receive(world, entry(1))
    with world.database.write() as connection:
        claims.claim(connection, world.now_ms, world.limits)  # and dies
    worker = world.worker({"Like": [Scripted(write_effect)]})
    assert await worker.drain() == 0
    world.clock.advance(world.limits.lease_seconds)
    assert await worker.drain() == 1
    assert (world.states(), effects(world)) == (["done"], [entry(1).activity_id])


async def test_a_worker_that_lost_its_lease_has_no_effect(world: World) -> None:
    receive(world, entry(1))
    with world.database.write() as connection:
        late = claims.claim(connection, world.now_ms, world.limits)
    world.clock.advance(world.limits.lease_seconds)
    with world.database.write() as connection:
        (mine,) = claims.claim(connection, world.now_ms, world.limits)
    with world.database.write() as connection:
        assert claims.hold(connection, late) == []
        assert claims.hold(connection, [mine]) == [mine]


async def test_a_letter_taken_over_while_its_worker_waited_takes_effect_once(world: World) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    class Slow:
        async def fetch(self, url: str, signer: object = None) -> Any:
            started.set()
            await release.wait()
            return await world.web.fetch(url, world.server_signer())

    receive(world, entry(1))
    late = world.worker({"Like": [Scripted(write_effect, [NOTE])]})
    late._client = Slow()
    waiting = asyncio.create_task(late.drain())
    await started.wait()
    world.clock.advance(world.limits.lease_seconds)
    assert await world.worker({"Like": [Scripted(write_effect)]}).drain() == 1
    release.set()
    await waiting
    assert (world.states(), effects(world)) == (["done"], [entry(1).activity_id])


async def test_two_workers_at_once_apply_each_letter_once(world: World) -> None:
    hosts = [f"https://h{number}.example/users/x" for number in range(5)]
    receive(world, *(entry(number, hosts[number % 5]) for number in range(60)))
    limits = InboxLimits(claim_letters_max=5)
    workers = [world.worker({"Like": [Scripted(write_effect)]}, limits) for _ in range(3)]
    await asyncio.gather(*(worker.drain() for worker in workers))
    while "new" in world.states():
        await workers[0].drain()
    assert len(effects(world)) == 60
    assert len(set(effects(world))) == 60


async def test_wanted_documents_are_fetched_signed_and_given_to_the_handler(world: World) -> None:
    got: list[Mapping[str, Any]] = []

    def keep(_work: Work, _letter: Letter, fetched: Mapping[str, Mapping[str, Any]]) -> bool:
        got.append(dict(fetched))
        return True

    world.web.documents[NOTE] = {"id": NOTE}
    receive(world, entry(1))
    missing = "https://river.example/notes/2"
    await world.worker({"Like": [Scripted(keep, [NOTE, missing])]}).drain()
    assert got == [{NOTE: {"id": NOTE}}]
    assert sorted(world.web.asked) == [NOTE, missing]


async def test_a_letter_whose_document_does_not_answer_waits_and_then_goes_without(world: World) -> None:
    got: list[Mapping[str, Any]] = []

    def keep(_work: Work, _letter: Letter, fetched: Mapping[str, Mapping[str, Any]]) -> bool:
        got.append(dict(fetched))
        return True

    world.web.down.add(NOTE)
    receive(world, entry(1))
    worker = world.worker({"Like": [Scripted(keep, [NOTE])]})
    await worker.drain()
    assert (got, world.letters()[0].code) == ([], "unanswered")
    for _ in range(world.limits.fetch_tries_max):
        world.clock.advance(3600)
        await worker.drain()
    assert (got, len(world.web.asked), world.states()) == ([{}], world.limits.fetch_tries_max, ["done"])


async def test_no_letter_makes_us_fetch_without_end(world: World) -> None:
    receive(world, entry(1))
    wanted = [f"https://h{number}.example/n" for number in range(500)]
    await world.worker({"Like": [Scripted(lambda *_: True, wanted)]}).drain()
    assert len(world.web.asked) == world.limits.fetches_per_letter_max


async def test_a_slow_host_does_not_hold_up_the_others(world: World) -> None:
    started = asyncio.Event()
    release = asyncio.Event()

    class Slow:
        async def fetch(self, url: str, signer: object = None) -> Any:
            started.set()
            await release.wait()
            return await world.web.fetch(url, world.server_signer())

    class WantsOfBen(Scripted):
        def wants(self, activity: Any) -> Sequence[str]:
            return [NOTE] if activity.actor.text == BEN else []

    receive(world, entry(1), entry(2, CAT))
    worker = world.worker({"Like": [WantsOfBen(write_effect)]})
    worker._client = Slow()
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await started.wait()
    await until(lambda: effects(world))
    assert effects(world) == [entry(2, CAT).activity_id]
    receive(world, entry(3, CAT), entry(4, BEN))
    worker.wake()
    await until(lambda: len(effects(world)) == 2)
    assert effects(world)[1] == entry(3, CAT).activity_id  # and ben's second letter waits for the first
    release.set()
    await until(lambda: len(effects(world)) == 4)
    assert effects(world)[2:] == [entry(1).activity_id, entry(4).activity_id]
    stop.set()
    await running


async def test_a_foreign_object_in_a_create_is_refused(world: World) -> None:
    forged = {
        "id": f"{EVE}/creates/1",
        "type": "Create",
        "actor": EVE,
        "object": {"id": NOTE, "type": "Note", "attributedTo": BEN, "content": "forged"},
    }
    receive(world, entry(1, EVE, forged))
    await world.worker({"Create": [Scripted(write_effect)]}).drain()
    assert (world.states(), effects(world)) == (["refused"], [])


async def test_a_letter_whose_actor_is_not_its_sender_is_refused(world: World) -> None:
    receive(world, entry(1, EVE, like(1, BEN)))
    await world.worker({"Like": [Scripted(write_effect)]}).drain()
    assert (world.states(), effects(world)) == (["refused"], [])


async def test_a_letter_of_a_host_blocked_since_is_refused(world: World) -> None:
    receive(world, entry(1), entry(2, CAT))
    world.directory.blocked.add("river.example")
    await world.worker({"Like": [Scripted(write_effect)]}).drain()
    assert world.states() == ["refused", "done"]


@pytest.mark.attack("S48")
async def test_a_letter_about_somebody_blocked_is_refused_before_anything_is_fetched_for_it(world: World) -> None:
    """S48."""
    world.directory.blocked.add("evil.example")
    announce = {**like(1), "type": "Announce", "object": f"{EVE}/notes/1"}
    receive(world, entry(1, BEN, announce))
    await world.worker({"Announce": [Scripted(write_effect, [f"{EVE}/notes/1"])]}).drain()
    (letter,) = world.letters()
    assert (letter.state, letter.code, letter.sentence) == ("refused", "blocked", "evil.example is blocked here.")
    assert world.web.asked == []


async def test_hosts_that_write_are_known_to_be_awake_said_once_a_while(world: World) -> None:
    worker = world.worker({"Like": [Scripted(write_effect)]})
    receive(world, entry(1), entry(2))
    await worker.drain()
    receive(world, entry(3))
    await worker.drain()
    assert world.directory.heard == ["river.example"]
    world.clock.advance(world.limits.awake_seconds)
    receive(world, entry(4))
    await worker.drain()
    assert world.directory.heard == ["river.example"] * 2


async def test_a_database_that_is_away_for_a_while_does_not_end_the_worker(world: World) -> None:
    receive(world, entry(1))
    worker = world.worker({"Like": [Scripted(write_effect)]}, InboxLimits(poll_seconds=0.01))
    failures = [True] * 3

    @contextmanager
    def away() -> Iterator[Any]:
        if failures:
            failures.pop()
            raise OSError("no database")
        with world.database.write() as connection:
            yield connection

    worker._write = away
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await until(lambda: world.states() == ["done"])
    stop.set()
    await running


async def test_a_worker_that_has_caught_up_lets_letters_gather_and_one_that_has_not_goes_on(world: World) -> None:
    receive(world, entry(1), entry(2), entry(3))
    limits = InboxLimits(claim_letters_max=2, apply_gather_seconds=3600)
    worker = world.worker({"Like": [Scripted(write_effect)]}, limits)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await until(lambda: len(effects(world)) == 3)  # no pause behind the first two: they were as many as are leased
    receive(world, entry(4), entry(5))
    worker.wake()
    for _ in range(100):
        await asyncio.to_thread(world.states)  # a worker that did not wait would have taken them by now
    assert world.states() == ["done", "done", "done", "new", "new"]
    stop.set()  # heard at once
    await running


async def test_old_letters_lose_their_bodies_and_later_go_but_failed_ones_stay(world: World) -> None:
    receive(world, entry(1), entry(2), entry(3))
    await world.worker({"Like": [Scripted(write_effect)]}).drain()
    with world.database.write() as connection:
        connection.exec_driver_sql("UPDATE inbox_letter SET state = 'failed' WHERE n = 2")
    day_ms = 24 * 3600 * 1000
    with world.database.write() as connection:
        queries.forget(connection, world.now_ms + 8 * day_ms, keep_settled_days=90, keep_bodies_days=7)
    assert [letter.body for letter in world.letters()] == [b"", as_bytes(like(2)), b""]
    with world.database.write() as connection:
        assert queries.forget(connection, world.now_ms + 91 * day_ms, keep_settled_days=90, keep_bodies_days=7) == 2
        assert queries.counts(connection)[queries.State.FAILED] == 1


@pytest.mark.parametrize(("tries", "seconds"), [(1, 5), (2, 20), (3, 80), (7, 20_480), (8, 21_600), (100, 21_600)])
def test_each_wait_is_four_times_the_last_up_to_six_hours(tries: int, seconds: int) -> None:
    assert retry_seconds(InboxLimits(), tries) == seconds
