"""Mail reaches each host in order, as it was stored, and again after what may pass."""

import asyncio
from dataclasses import replace

import pytest

from activitypub.errors import FetchFailed
from outbox.ports import Mailbox
from outbox.queue import Outgoing, post
from tests.outbox.world import (
    ANA,
    DAY,
    HOUR,
    SECOND,
    SILENCE,
    Answered,
    Received,
    Script,
    World,
    actor,
    inbox_of,
    note,
    rsa_key,
    until,
)

BEN, CAT, DAN = actor("river.example", "ben"), actor("river.example", "cat"), actor("sea.example", "dan")
MINUTE = 60 * SECOND


@pytest.fixture
def ben(world: World) -> str:
    return world.knows(BEN)


def test_the_stored_bytes_are_sent_signed_and_marked_delivered(world: World, ben: str) -> None:
    with world.write() as connection:
        post(connection, Outgoing(note(1), ANA, to=(ben,)), world.now_ms)
    assert world.drain() == 1
    (request,) = world.town.received
    assert request.url == inbox_of(ben)
    assert "schönes Brot €".encode() in request.body
    assert request.headers["content-type"] == "application/activity+json"
    assert "signature" in request.headers
    (row,) = world.deliveries()
    assert (row.state, row.tries, row.last_status, row.delivered_ms) == ("delivered", 1, 202, world.now_ms)
    assert world.drain() == 0


# order


def test_each_host_gets_its_mail_in_order(world: World, ben: str) -> None:
    world.knows(CAT)
    for number in range(1, 51):
        world.posts(number, ben if number % 2 else CAT)
    assert world.drain() == 50
    assert world.town.activities("river.example") == list(range(1, 51))
    assert world.town.in_flight_max["river.example"] == 1


def test_what_waits_holds_back_what_comes_after(world: World, ben: str) -> None:
    world.says("river.example", 503, 202)
    for number in (1, 2, 3):
        world.posts(number, ben)
    world.drain()
    assert world.town.activities("river.example") == [1]
    world.later(MINUTE - 1)
    assert world.town.activities("river.example") == [1]
    world.later(1)
    assert world.town.activities("river.example") == [1, 1, 2, 3]


def test_what_is_refused_for_good_holds_nothing_back(world: World, ben: str) -> None:
    world.says("river.example", 404, 202)
    world.posts(1, ben)
    world.posts(2, ben)
    world.drain()
    assert world.states() == ["failed", "delivered"]


def test_a_host_in_trouble_does_not_touch_the_others(world: World, ben: str) -> None:
    world.knows(DAN)
    world.says("river.example", SILENCE)
    for number in (1, 2, 3):
        world.posts(number, ben, DAN)
    world.drain()
    assert world.town.activities("sea.example") == [1, 2, 3]
    assert world.town.activities("river.example") == [1]


# two at a time


def note_about(number: int, **more: object) -> dict[str, object]:
    """The announcement of a note that names something else as well."""
    announced = note(number)
    return {**announced, "object": {**announced["object"], **more}}


def test_public_mail_goes_to_one_host_two_at_a_time_once_it_is_known_to_answer(world: World, ben: str) -> None:
    world.town.pauses["river.example"] = 0.01
    for number in range(1, 8):
        world.posts(number, ben, public=True)
    world.drain()
    assert world.town.activities("river.example")[0] == 1
    assert sorted(world.town.activities("river.example")) == [1, 2, 3, 4, 5, 6, 7]
    assert world.town.in_flight_max["river.example"] == 2


def test_how_many_go_at_a_time_is_a_setting(world: World, ben: str) -> None:
    world.town.pauses["river.example"] = 0.01
    world.worker = world.another_worker(public_in_flight_per_host_max=1)
    for number in range(1, 8):
        world.posts(number, ben, public=True)
    world.drain()
    assert world.town.in_flight_max["river.example"] == 1


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({**note(2), "id": "https://north.example/activities/3", "type": "Update"}, id="a change"),
        pytest.param(
            {**note(3), "type": "Delete", "object": "https://north.example/notes/2"}, id="the end of what came before"
        ),
        pytest.param(note_about(3, inReplyTo="https://north.example/notes/2"), id="an answer"),
        pytest.param({**note(3), "type": "Undo", "object": "https://north.example/activities/2"}, id="an undoing"),
        pytest.param({**note(3), "type": "Update", "object": ANA}, id="what the sender says of itself"),
    ],
)
def test_what_rests_on_mail_before_it_never_overtakes_it(world: World, ben: str, second: dict[str, object]) -> None:
    world.posts(1, ben, public=True)
    world.drain()
    world.town.pauses["river.example"] = 0.01
    world.sends(note(2), to=(ben,), public=True)
    world.sends(second, to=(ben,), public=True)
    world.drain()
    assert world.town.activities("river.example") == [1, 2, 3]
    assert world.town.in_flight_max["river.example"] == 1


def test_private_mail_and_the_ledgers_go_one_by_one(world: World, ben: str) -> None:
    world.town.pauses["river.example"] = 0.01
    world.posts(1, ben, public=True)
    world.posts(2, ben)
    world.posts(3, ben, public=True, keep_trying=True)
    world.posts(4, ben)
    world.drain()
    assert world.town.activities("river.example") == [1, 2, 3, 4]
    assert world.town.in_flight_max["river.example"] == 1


def test_when_one_of_two_must_wait_so_does_what_comes_after_both(world: World, ben: str) -> None:
    def script(request: Received) -> Answered:
        return Answered(503 if request.activity == 2 and request.at_ms < busy_until_ms else 202)

    world.posts(1, ben, public=True)
    world.drain()
    busy_until_ms = world.now_ms + MINUTE
    world.town.scripts["river.example"] = script
    for number in (2, 3, 4):
        world.posts(number, ben, public=True)
    world.drain()
    assert sorted(world.town.activities("river.example")) == [1, 2, 3]
    assert world.drain() == 0
    world.later(MINUTE - 1)
    assert sorted(world.town.activities("river.example")) == [1, 2, 3]
    world.later(1)
    assert sorted(world.town.activities("river.example")) == [1, 2, 2, 3, 4]
    assert world.states() == ["delivered"] * 4


# dialects


def _only(dialect: str, otherwise: int) -> Script:
    def script(request: Received) -> Answered:
        return Answered(202 if request.dialect == dialect else otherwise)

    return script


@pytest.mark.parametrize("refusal", [400, 401])
def test_a_host_that_reads_only_rfc_9421_is_knocked_at_twice_the_first_time(
    world: World, ben: str, refusal: int
) -> None:
    world.town.scripts["river.example"] = _only("rfc9421", refusal)
    world.posts(1, ben)
    world.posts(2, ben)
    world.drain()
    assert [request.dialect for request in world.town.received] == ["draft-cavage", "rfc9421", "rfc9421"]
    assert world.states() == ["delivered", "delivered"]
    assert world.host("river.example").dialect == "rfc9421"
    world.posts(3, ben)
    world.drain()
    assert world.town.received[-1].dialect == "rfc9421"
    assert len(world.town.received) == 4


def test_a_host_that_says_that_it_reads_rfc_9421_is_written_to_so_at_once(world: World, ben: str) -> None:
    world.book.modern.add("river.example")
    world.posts(1, ben)
    world.drain()
    assert [request.dialect for request in world.town.received] == ["rfc9421"]
    assert world.host("river.example").dialect == "rfc9421"


def test_what_a_host_says_of_itself_does_not_count_against_what_it_takes(world: World, ben: str) -> None:
    world.book.modern.add("river.example")
    world.town.scripts["river.example"] = _only("draft-cavage", 401)
    world.posts(1, ben)
    world.posts(2, ben)
    world.drain()
    assert [request.dialect for request in world.town.received] == ["rfc9421", "draft-cavage", "draft-cavage"]


def test_a_host_that_goes_back_to_the_old_dialect_is_followed(world: World, ben: str) -> None:
    world.town.scripts["river.example"] = _only("rfc9421", 401)
    world.posts(1, ben)
    world.drain()
    world.town.scripts["river.example"] = _only("draft-cavage", 401)
    world.posts(2, ben)
    world.drain()
    assert world.states() == ["delivered", "delivered"]
    assert world.host("river.example").dialect == "draft-cavage"


def test_a_host_that_still_goes_by_the_key_before_is_written_to_with_it(world: World, ben: str) -> None:
    former = replace(rsa_key(), key_id=f"{ANA}#old-key")
    world.keys.former = former
    world.town.scripts["river.example"] = lambda request: Answered(
        202 if former.key_id in request.headers["signature"] else 401
    )
    world.posts(1, ben)
    world.posts(2, ben)
    world.drain()
    assert world.states() == ["delivered", "delivered"]
    assert [request.dialect for request in world.town.received] == ["draft-cavage", "rfc9421", "draft-cavage"] * 2
    assert world.host("river.example").dialect is None


def test_a_host_that_refuses_every_key_has_refused(world: World, ben: str) -> None:
    world.keys.former = rsa_key()
    world.says("river.example", 401)
    world.posts(1, ben)
    world.drain()
    assert len(world.town.received) == 3
    assert world.states() == ["waiting"]


@pytest.mark.parametrize(
    ("first", "second", "state"), [(400, 401, "failed"), (401, 400, "waiting"), (401, 403, "waiting")]
)
def test_when_both_dialects_are_refused_the_first_answer_counts(
    world: World, ben: str, first: int, second: int, state: str
) -> None:
    world.says("river.example", first, second)
    world.posts(1, ben)
    world.drain()
    assert world.states() == [state]
    assert world.host("river.example").dialect is None


# what passes and what does not


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 413, 415, 422])
def test_a_final_answer_is_not_asked_for_again(world: World, ben: str, status: int) -> None:
    world.says("river.example", status)
    world.posts(1, ben)
    world.drain()
    asked = len(world.town.received)
    world.later(40 * DAY)
    assert (len(world.town.received), world.states()) == (asked, ["failed"])
    assert world.deliveries()[0].last_status == status


@pytest.mark.parametrize("answer", [401, 408, 429, 500, 502, 503, 302, SILENCE])
def test_what_may_pass_is_tried_again(world: World, ben: str, answer: int | FetchFailed) -> None:
    world.says("river.example", answer)
    world.posts(1, ben)
    world.drain()
    world.says("river.example", 200)
    assert world.later(MINUTE) == 1
    assert world.states() == ["delivered"]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(world: World, ben: str, status: int) -> None:
    world.says("river.example", Answered(status, 1800), 202)
    world.posts(1, ben)
    world.drain()
    assert world.host("river.example").next_try_ms == world.now_ms + 1800 * SECOND
    assert world.later(1799 * SECOND) == 0
    assert world.later(SECOND) == 1
    assert world.states() == ["delivered"]


def test_an_address_that_may_never_be_posted_to_is_given_up(world: World, ben: str) -> None:
    world.says("river.example", FetchFailed("address", "This host is at a private address.", permanent=True))
    world.posts(1, ben)
    world.drain()
    assert world.states() == ["failed"]
    assert world.deliveries()[0].last_error == "This host is at a private address."


def test_a_sender_that_is_no_longer_ours_cannot_sign(world: World, ben: str) -> None:
    with world.write() as connection:
        post(connection, Outgoing(note(1), "https://north.example/users/gone", to=(ben,)), world.now_ms)
    world.posts(2, ben)
    world.drain()
    assert world.states() == ["failed", "delivered"]
    assert world.deliveries()[0].last_error == "the sender is no longer here"


def test_a_host_blocked_after_the_fan_out_gets_nothing_more(world: World, ben: str) -> None:
    world.says("river.example", 503, 202)
    world.posts(1, ben)
    world.drain()
    world.book.blocked.add("river.example")
    world.later(HOUR)
    assert len(world.town.received) == 1
    assert world.states() == ["failed"]


def test_no_answer_in_time_counts_as_no_answer(world: World, ben: str) -> None:
    world.town.pauses["river.example"] = 5
    world.worker = world.another_worker(answer_timeout_seconds=0.02)
    world.posts(1, ben)
    world.drain()
    assert world.states() == ["waiting"]
    assert world.host("river.example").last_error == "no answer in time"


# mail that is never given up


@pytest.mark.parametrize("status", [400, 403, 404, 410, 422])
def test_the_ledgers_mail_is_tried_on_after_a_final_answer_and_holds_nothing_back(
    world: World, ben: str, status: int
) -> None:
    world.town.scripts["river.example"] = lambda request: Answered(status if request.activity == 1 else 202)
    world.posts(1, ben, keep_trying=True)
    world.posts(2, ben)
    world.drain()
    assert world.states() == ["waiting", "delivered"]
    for _ in range(16):
        world.later(HOUR)
    world.later(40 * DAY)
    assert world.states()[0] == "waiting"
    world.posts(3, ben)
    world.drain()
    assert world.states()[2] == "delivered"
    world.says("river.example", 202)
    world.later(HOUR)
    assert world.states() == ["delivered"] * 3


def test_the_ledgers_mail_is_tried_at_least_hourly_for_ever(world: World, ben: str) -> None:
    world.says("river.example", SILENCE)
    world.posts(1, ben, keep_trying=True)
    world.drain()
    for _ in range(32):
        world.later(HOUR)
    assert len(world.town.received) > 32
    for _ in range(40):
        world.later(DAY)
    assert world.states() == ["waiting"]
    assert world.host("river.example").next_try_ms == world.now_ms + HOUR
    world.says("river.example", 202)
    world.later(HOUR)
    assert world.states() == ["delivered"]


# actors that have to be met first


def test_an_unknown_actor_is_met_and_then_written_to(world: World) -> None:
    world.book.strangers[DAN] = Mailbox(DAN, inbox_of(DAN), "https://sea.example/inbox")
    world.posts(1, DAN)
    world.posts(2, DAN, public=True)
    assert world.drain() == 2
    assert [request.url for request in world.town.received] == [inbox_of(DAN), "https://sea.example/inbox"]
    assert world.book.meetings == [DAN]


def test_two_strangers_behind_one_shared_inbox_get_one_letter(world: World) -> None:
    eve = actor("sea.example", "eve")
    for name in (DAN, eve):
        world.book.strangers[name] = Mailbox(name, inbox_of(name), "https://sea.example/inbox")
    world.posts(1, DAN, eve, public=True)
    world.drain()
    assert [request.url for request in world.town.received] == ["https://sea.example/inbox"]
    assert world.states() == ["delivered"]


def test_an_actor_that_cannot_be_met_now_is_tried_again_and_holds_back_later_mail(world: World) -> None:
    world.book.strangers[DAN] = FetchFailed("status", "The server answered 503.", permanent=False)
    world.knows(eve := actor("sea.example", "eve"))
    world.posts(1, DAN)
    world.posts(2, eve)
    world.drain()
    assert (world.states(), world.town.received) == (["waiting", "waiting"], [])
    world.book.strangers[DAN] = Mailbox(DAN, inbox_of(DAN), None)
    world.later(MINUTE)
    assert world.town.activities("sea.example") == [1, 2]


@pytest.mark.parametrize(("code", "kept"), [("no_connection", True), ("timeout", True), ("status", False)])
def test_mail_to_an_actor_that_cannot_be_met_is_kept_only_while_its_host_is_silent(
    world: World, code: str, kept: bool
) -> None:
    world.book.strangers[DAN] = FetchFailed(code, "Not now.", permanent=False)
    world.posts(1, DAN)
    world.drain()
    for _ in range(13):
        world.later(6 * HOUR)
    assert world.host("sea.example").asleep
    assert world.states() == (["waiting"] if kept else ["failed"])


def test_an_actor_that_does_not_exist_is_recorded_as_failed(world: World) -> None:
    world.book.strangers[DAN] = FetchFailed("gone", "This actor is gone.", permanent=True)
    world.posts(1, DAN)
    world.drain()
    (row,) = world.deliveries()
    assert (row.state, row.last_error) == ("failed", "This actor is gone.")


def test_an_actor_whose_inbox_stands_on_another_host_is_not_written_to(world: World) -> None:
    world.book.strangers[DAN] = Mailbox(DAN, "https://victim.example/inbox", None)
    world.posts(1, DAN)
    world.drain()
    assert (world.states(), world.town.received) == (["failed"], [])


# crowds


def test_a_slow_host_does_not_hold_up_the_others(world: World, ben: str) -> None:
    async def story() -> list[str]:
        world.town.pauses["river.example"] = 0.5
        stop = asyncio.Event()
        running = asyncio.create_task(world.worker.run(stop))
        world.posts(1, ben)
        world.worker.wake()
        await until(lambda: world.town.in_flight.get("river.example"))
        for number in range(2, 12):
            world.posts(number, DAN)
        world.worker.wake()
        await until(lambda: len(world.town.received) == 11)
        stop.set()
        await running
        return [request.url.split("/")[2] for request in world.town.received]

    world.knows(DAN)
    assert asyncio.run(story()) == ["sea.example"] * 10 + ["river.example"]
    assert set(world.states()) == {"delivered"}


def test_many_hosts_are_sent_to_at_once(world: World) -> None:
    names = [world.knows(actor(f"s{number}.example")) for number in range(20)]
    world.town.pauses = {f"s{number}.example": 0.2 for number in range(20)}
    world.posts(1, *names)

    async def timed() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await world.worker.drain()
        return loop.time() - began

    assert asyncio.run(timed()) < 2  # one after the other would take four seconds
