"""SIGKILL at any moment: what was acknowledged is there, and every letter takes effect exactly once."""

import asyncio
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, insert, select

from fedaid.foundation.database import Database
from fedaid.foundation.work import Work
from inbox.journal import Journal, write_down
from inbox.limits import InboxLimits
from inbox.ports import Letter
from tests.inbox.world import Scripted, World, entry

KILLS = 4
LETTERS = 200
MILLISECOND = 0.001
_effects = MetaData()
effect = Table("effect", _effects, Column("n", BigInteger, primary_key=True), Column("what", Text, nullable=False))
_spawn = multiprocessing.get_context("spawn")


def slow_effect(work: Work, letter: Letter, _fetched: Mapping[str, Mapping[str, Any]]) -> bool:
    time.sleep(MILLISECOND)
    work.connection.execute(insert(effect).values(n=work.new_id(), what=letter.activity.id.text))
    return True


def _work(url: str, kills: int, pipe: Pipe) -> None:
    world = World(Database(url))
    world.clock.advance(kills * world.limits.lease_seconds)
    pipe.send(None)
    limits = InboxLimits(claim_letters_max=20, unit_letters_max=7)
    asyncio.run(world.worker({"Like": [Scripted(slow_effect)]}, limits).drain())


def _acknowledge(url: str, pipe: Pipe) -> None:
    async def receive() -> None:
        world = World(Database(url))
        journal = Journal(world.database.write, world.clock)

        async def one(number: int) -> None:
            await journal.append(entry(number))
            pipe.send(number)

        for start in range(0, 10_000, 10):
            await asyncio.gather(*(one(start + number) for number in range(10)))

    asyncio.run(receive())


def _stop_before_the_commit(url: str, pipe: Pipe) -> None:
    """A group of letters is in the database, but for the commit, which never comes."""

    async def receive() -> None:
        world = World(Database(url))

        @contextmanager
        def stuck() -> Iterator[Connection]:
            with world.database.write() as connection:
                yield connection
                pipe.send("written")
                time.sleep(60)

        journal = Journal(stuck, world.clock)

        async def one(number: int) -> None:
            await journal.append(entry(number))
            pipe.send("acknowledged")

        await asyncio.gather(*(one(number) for number in range(10)))

    asyncio.run(receive())


def _url(world: World) -> str:
    return world.database.url.render_as_string(hide_password=False)


def _kill_after(process: Any, seconds: float) -> None:
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)


def test_workers_killed_at_any_moment_apply_each_letter_once(world: World) -> None:
    _effects.create_all(world.database.engine)
    with world.database.write() as connection:
        write_down(connection, [entry(number) for number in range(LETTERS)])
    chance = random.Random(20260905)
    for kills in range(KILLS):
        here, there = _spawn.Pipe()
        process = _spawn.Process(target=_work, args=(_url(world), kills, there))
        process.start()
        here.recv()
        _kill_after(process, chance.uniform(0.01, 0.12))
    world.clock.advance(KILLS * world.limits.lease_seconds)
    asyncio.run(world.worker({"Like": [Scripted(slow_effect)]}).drain())
    with world.database.read() as connection:
        applied = list(connection.execute(select(effect.c.what).order_by(effect.c.n)).scalars())
    assert sorted(applied) == sorted(entry(number).activity_id for number in range(LETTERS))
    assert set(world.states()) == {"done"}


def test_of_a_group_killed_before_its_commit_nothing_was_acknowledged_and_nothing_is_there(world: World) -> None:
    here, there = _spawn.Pipe()
    process = _spawn.Process(target=_stop_before_the_commit, args=(_url(world), there))
    process.start()
    assert here.recv() == "written"
    _kill_after(process, 0.02)
    assert not here.poll()
    assert world.letters() == []


def test_what_was_acknowledged_before_a_kill_is_in_the_journal(world: World) -> None:
    here, there = _spawn.Pipe()
    process = _spawn.Process(target=_acknowledge, args=(_url(world), there))
    process.start()
    acknowledged = [here.recv() for _ in range(20)]
    _kill_after(process, 0.05)
    while here.poll():
        acknowledged.append(here.recv())
    stored = {letter.activity_id for letter in world.letters()}
    assert {entry(number).activity_id for number in acknowledged} <= stored
