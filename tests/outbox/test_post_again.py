"""What was delivered once can be delivered again: the ledger repeats its messages until they are answered."""

import pytest

from outbox.queue import Outgoing, post_again
from tests.outbox.world import ANA, DAY, World, actor, note

BEN = actor("river.example", "ben")


@pytest.fixture
def ben(world: World) -> str:
    return world.knows(BEN)


def again(world: World, number: int, to: str) -> None:
    with world.database.write() as connection:
        post_again(connection, Outgoing(note(number), ANA, to=(to,), keep_trying=True), world.now_ms)


def test_what_was_delivered_is_delivered_once_more_with_the_same_bytes(world: World, ben: str) -> None:
    world.posts(1, ben)
    world.drain()
    again(world, 1, ben)
    assert world.later(DAY) == 1
    first, second = world.town.received
    assert (first.activity, first.body) == (second.activity, second.body)
    assert world.states() == ["delivered"]


def test_what_still_waits_is_sent_once(world: World, ben: str) -> None:
    world.posts(1, ben)
    again(world, 1, ben)
    again(world, 1, ben)
    world.drain()
    assert world.town.activities("river.example") == [1]


def test_what_was_never_posted_is_posted(world: World, ben: str) -> None:
    again(world, 1, ben)
    world.drain()
    assert world.town.activities("river.example") == [1]


def test_what_is_sent_again_keeps_back_nothing_that_was_never_sent(world: World, ben: str) -> None:
    world.posts(1, ben)
    world.drain()
    world.posts(2, ben)
    again(world, 1, ben)
    world.posts(3, ben)
    world.drain()
    assert world.town.activities("river.example") == [1, 2, 1, 3]
