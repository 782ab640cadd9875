"""Recipients become deliveries: one per inbox, shared ones serving a whole server."""

import asyncio

import pytest
from sqlalchemy import select, update

from activitypub.identifiers import UrlRules
from outbox import collection, tables
from outbox.fanout import Fanout, shared
from outbox.limits import OutboxLimits
from outbox.ports import Mailbox
from tests.outbox.world import ANA, World, actor, inbox_of, note

SHARED = "https://river.example/inbox"
BEN, CAT, DAN = actor("river.example", "ben"), actor("river.example", "cat"), actor("sea.example", "dan")


def _box(name: str, shared_inbox: str | None = None) -> Mailbox:
    return Mailbox(name, inbox_of(name), shared_inbox)


@pytest.mark.parametrize(
    ("mailboxes", "public", "inboxes"),
    [
        ([], True, []),
        ([_box(BEN)], True, [inbox_of(BEN)]),
        ([_box(BEN, SHARED)], True, [SHARED]),
        ([_box(BEN, SHARED)], False, [inbox_of(BEN)]),
        ([_box(BEN, SHARED), _box(CAT, SHARED)], False, [SHARED]),
        ([_box(BEN, SHARED), _box(CAT, SHARED), _box(DAN)], True, [SHARED, inbox_of(DAN)]),
        ([_box(BEN), _box(CAT)], True, [inbox_of(BEN), inbox_of(CAT)]),
    ],
)
def test_which_inboxes_reach_everybody(mailboxes: list[Mailbox], public: bool, inboxes: list[str]) -> None:
    assert shared(mailboxes, public=public) == inboxes


def _fan_out(world: World, limits: OutboxLimits | None = None) -> int:
    fanout = Fanout(world.book, UrlRules(), limits or OutboxLimits())
    with world.write() as connection:
        return fanout.step(connection, world.now_ms)


def _inboxes(world: World) -> list[str]:
    return [row.inbox for row in world.deliveries()]


def test_a_thousand_followers_on_one_server_are_one_delivery(world: World) -> None:
    followers = [world.knows(actor("river.example", f"u{n}"), SHARED) for n in range(1000)]
    world.book.following[ANA] = followers
    world.posts(1, followers_of=ANA, public=True)
    assert _fan_out(world) == 1
    assert _inboxes(world) == [SHARED]


def test_more_servers_than_fit_in_one_statement_all_get_it(world: World) -> None:
    world.book.following[ANA] = [world.knows(actor(f"s{n}.example")) for n in range(1234)]
    world.posts(1, followers_of=ANA, public=True)
    _fan_out(world)
    assert len(set(_inboxes(world))) == 1234
    with world.write() as connection:
        hosts = connection.execute(select(tables.host.c.due_ms)).scalars().all()
    assert hosts == [world.now_ms] * 1234


def test_a_recipient_who_also_follows_gets_it_once(world: World) -> None:
    world.book.following[ANA] = [world.knows(BEN)]
    world.posts(1, BEN, followers_of=ANA)
    _fan_out(world)
    assert _inboxes(world) == [inbox_of(BEN)]


def test_the_followers_of_two_actors_get_it_once_each(world: World) -> None:
    world.book.following[ANA] = [world.knows(BEN), world.knows(DAN)]
    world.book.following["https://north.example/groups/board"] = [world.knows(DAN), world.knows(CAT)]
    world.posts(1, followers_of=ANA, and_followers_of="https://north.example/groups/board")
    _fan_out(world)
    assert sorted(_inboxes(world)) == sorted([inbox_of(BEN), inbox_of(DAN), inbox_of(CAT)])


def test_our_own_actors_and_the_public_get_no_delivery(world: World) -> None:
    world.posts(1, "https://north.example/groups/board", "https://www.w3.org/ns/activitystreams#Public", "nonsense")
    assert _fan_out(world) == 1
    assert world.deliveries() == []
    assert world.drain() == 0


def test_blocked_hosts_are_left_out(world: World) -> None:
    world.book.blocked.add("river.example")
    world.book.following[ANA] = [world.knows(BEN), world.knows(DAN)]
    world.posts(1, actor("river.example", "stranger"), followers_of=ANA)
    _fan_out(world)
    assert _inboxes(world) == [inbox_of(DAN)]


def test_activities_are_fanned_out_in_their_order_and_once(world: World) -> None:
    world.knows(DAN)
    numbers = [world.posts(n, DAN) for n in range(1, 6)]
    few = OutboxLimits(fan_out_activities_max=2)
    assert [_fan_out(world, few) for _ in range(4)] == [2, 2, 1, 0]
    assert [row.activity for row in world.deliveries()] == numbers


def _hosts(world: World, number: int) -> list[str]:
    return [row.host for row in world.deliveries() if row.activity == number]


def test_what_goes_to_many_is_written_in_parts_and_nothing_begins_before_its_end(world: World) -> None:
    world.book.following[ANA] = [world.knows(actor(f"s{n}.example")) for n in range(7)]
    first, second = world.posts(1, followers_of=ANA, public=True), world.posts(2, followers_of=ANA, public=True)
    fanout = Fanout(world.book, UrlRules(), OutboxLimits(fan_out_deliveries_max=3))
    written = []
    while True:
        with world.database.read() as connection:
            fanout.look_ahead(connection)
        with world.write() as connection:
            if not fanout.step(connection, world.now_ms):
                break
        written.append((len(_hosts(world, first)), len(_hosts(world, second))))
    assert written == [(3, 0), (6, 0), (7, 2), (7, 5), (7, 7)]
    assert len(set(_inboxes(world))) == 7


def test_until_its_last_part_is_written_an_activity_does_not_count_as_fanned_out(world: World) -> None:
    world.book.following[ANA] = [world.knows(actor(f"s{n}.example")) for n in range(3)]
    world.posts(1, followers_of=ANA, public=True)
    few = OutboxLimits(fan_out_deliveries_max=2)
    assert _fan_out(world, few) == 1
    with world.database.read() as connection:
        assert collection.progress(connection, note(1)["id"]) == collection.Progress(False, 0, 0, 2)


def test_whoever_goes_on_after_a_crash_writes_nothing_twice_and_leaves_nothing_out(world: World) -> None:
    world.book.following[ANA] = [world.knows(actor(f"s{n}.example")) for n in range(7)]
    world.posts(1, followers_of=ANA, public=True)
    limits = OutboxLimits(fan_out_deliveries_max=3)
    _fan_out(world, limits)  # and never again by this one
    another = world.another_worker(fan_out_deliveries_max=3)
    assert asyncio.run(another.drain()) == 7
    assert sorted(_inboxes(world)) == sorted(inbox_of(name) for name in world.book.following[ANA])
    assert [len(world.town.activities(f"s{n}.example")) for n in range(7)] == [1] * 7


def test_a_part_that_was_rolled_back_is_written_again(world: World) -> None:
    world.book.following[ANA] = [world.knows(actor(f"s{n}.example")) for n in range(5)]
    world.posts(1, followers_of=ANA, public=True)
    fanout = Fanout(world.book, UrlRules(), OutboxLimits(fan_out_deliveries_max=2))
    with pytest.raises(ZeroDivisionError), world.write() as connection:
        fanout.step(connection, world.now_ms)
        raise ZeroDivisionError
    for _ in range(3):
        with world.write() as connection:
            assert fanout.step(connection, world.now_ms) == 1
    assert len(set(_inboxes(world))) == 5


def test_an_actor_we_never_met_is_no_reason_to_wait_for_the_network(world: World) -> None:
    world.posts(1, DAN)
    _fan_out(world)
    (row,) = world.deliveries()
    assert (row.host, row.unmet, world.book.meetings) == ("sea.example", DAN, [])


def test_a_resting_host_is_not_disturbed_by_new_mail(world: World) -> None:
    world.knows(DAN)
    world.says("sea.example", 503)
    world.posts(1, DAN)
    world.drain()
    world.posts(2, DAN)
    assert world.drain() == 0
    assert world.town.activities("sea.example") == [1]


def test_an_actors_last_word_goes_to_every_inbox_that_had_something_of_it_and_once(world: World) -> None:
    world.knows(BEN, SHARED)
    world.knows(DAN)
    world.posts(1, BEN, public=True)
    world.posts(2, BEN)
    world.posts(3, DAN)
    _fan_out(world)
    before = len(_inboxes(world))
    world.posts(4, BEN, everywhere=True)
    _fan_out(world)
    assert sorted(_inboxes(world)[before:]) == sorted([SHARED, inbox_of(BEN), inbox_of(DAN)])


def test_an_actors_last_word_does_not_go_where_only_others_wrote(world: World) -> None:
    world.knows(BEN)
    world.posts(1, BEN)
    _fan_out(world)
    with world.write() as connection:
        connection.execute(update(tables.delivery).values(actor=f"{ANA}-bea"))
    world.posts(2, everywhere=True)
    _fan_out(world)
    assert _inboxes(world) == [inbox_of(BEN)]
