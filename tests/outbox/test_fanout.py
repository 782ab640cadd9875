"""Recipients become deliveries: one per inbox, shared ones serving a whole server."""

import pytest
from sqlalchemy import select

from activitypub.identifiers import UrlRules
from outbox import tables
from outbox.fanout import Fanout, shared
from outbox.limits import OutboxLimits
from outbox.ports import Mailbox
from tests.outbox.world import ANA, World, actor, inbox_of

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
