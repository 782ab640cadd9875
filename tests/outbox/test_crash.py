"""A worker that is killed in the middle of a request loses nothing: the mail waits in the database for another one."""

import subprocess
import sys
import time

from sqlalchemy import select

from outbox import tables
from outbox.limits import OutboxLimits
from tests.outbox.world import SECOND, World, actor

BEN = actor("river.example")
HANGING_WORKER = """
import asyncio, sys
from fedaid.foundation.database import Database
from tests.outbox.world import World, actor

world = World(Database(sys.argv[1]))
world.knows(actor("river.example"))
world.town.pauses["river.example"] = 600
asyncio.run(world.another_worker(answer_timeout_seconds=14).drain())
"""


def _is_leased(world: World) -> bool:
    with world.database.read() as connection:
        return connection.execute(select(tables.host.c.lease_by)).scalar_one_or_none() is not None


def test_after_kill_nine_another_process_delivers_everything_in_order(world: World) -> None:
    for number in (1, 2, 3):
        world.posts(number, BEN)
    url = world.database.url.render_as_string(hide_password=False)
    process = subprocess.Popen([sys.executable, "-c", HANGING_WORKER, url])
    try:
        deadline = time.monotonic() + 20
        while not _is_leased(world):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    world.knows(BEN)
    assert world.drain() == 0
    assert world.later(OutboxLimits().lease_seconds * SECOND) == 3
    assert world.town.activities("river.example") == [1, 2, 3]
    assert world.states() == ["delivered"] * 3
