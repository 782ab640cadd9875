"""What was sent can be read again: by id, as the actor's outbox, and with its progress."""

import json
from typing import Any

from activitypub.errors import FetchFailed
from outbox import collection
from outbox.collection import Progress
from tests.outbox.world import ANA, World, actor, note

BEN, DAN = actor("river.example"), actor("sea.example", "dan")
OFFLINE = FetchFailed("unreachable", "Nobody answers.", permanent=False)


def test_an_activity_is_found_by_its_id_with_its_visibility(world: World) -> None:
    world.posts(1, public=True)
    world.posts(2)
    with world.database.read() as connection:
        open_one = collection.stored(connection, note(1)["id"])
        closed_one = collection.stored(connection, note(2)["id"])
        none = collection.stored(connection, "https://north.example/activities/3")
    assert open_one is not None
    assert closed_one is not None
    assert (open_one.public, closed_one.public, none) == (True, False, None)
    assert json.loads(open_one.body) == note(1)
    assert (open_one.actor, open_one.type, open_one.created_ms) == (ANA, "Create", world.now_ms)


def test_the_outbox_shows_only_what_is_public_newest_first_page_by_page(world: World) -> None:
    for number in range(1, 8):
        world.posts(number, public=number != 4)
    shown: list[int] = []
    before: int | None = None
    with world.database.read() as connection:
        while True:
            page = collection.page(connection, ANA, before, items_max=2)
            shown += [int(item.activity_id.rpartition("/")[2]) for item in page.items]
            before = page.before
            if before is None:
                break
        assert collection.count(connection, ANA) == 6
        assert collection.count(connection, BEN) == 0
    assert shown == [7, 6, 5, 3, 2, 1]


def test_a_page_is_never_larger_than_the_maximum(world: World) -> None:
    for number in range(collection.PAGE_ITEMS_MAX + 1):
        world.posts(number, public=True)
    with world.database.read() as connection:
        assert len(collection.page(connection, ANA, items_max=10**6).items) == collection.PAGE_ITEMS_MAX


def test_progress_is_counted_in_inboxes(world: World) -> None:
    world.knows(BEN)
    world.knows(DAN)
    world.says("sea.example", 404)
    world.posts(1, BEN, DAN, actor("lake.example"))
    world.book.strangers[actor("lake.example")] = OFFLINE
    with world.database.read() as connection:
        assert collection.progress(connection, note(1)["id"]) == Progress(False, 0, 0, 0)
    world.drain()
    with world.database.read() as connection:
        progress = collection.progress(connection, note(1)["id"])
        assert collection.progress(connection, "https://north.example/activities/9") is None
    assert progress == Progress(fanned_out=True, delivered=1, failed=1, total=3)
    assert progress.waiting == 1


def test_the_latest_activity_about_an_object_is_found(world: World) -> None:
    world.posts(1)
    with world.database.read() as connection:
        found = collection.latest_about(connection, note(1)["object"]["id"])
        assert collection.latest_about(connection, "https://north.example/notes/9") is None
    assert found is not None
    assert found.activity_id == note(1)["id"]


def deletion(number: int, about: int, by: str = ANA) -> dict[str, Any]:
    tombstone = {"id": note(about)["object"]["id"], "type": "Tombstone"}
    return note(number) | {"type": "Delete", "actor": by, "object": tombstone}


def test_what_was_said_about_a_deleted_object_is_listed_no_more_and_known_as_deleted(world: World) -> None:
    world.posts(1, public=True)
    world.posts(2, public=True)
    world.sends(deletion(3, about=1), public=True)
    with world.database.read() as connection:
        shown = [item.activity_id for item in collection.page(connection, ANA).items]
        first, other, farewell = (collection.stored(connection, note(number)["id"]) for number in (1, 2, 3))
        assert collection.count(connection, ANA) == 2
    assert shown == [note(3)["id"], note(2)["id"]]
    assert first is not None
    assert other is not None
    assert farewell is not None
    assert (first.deleted, other.deleted, farewell.deleted) == (True, False, False)


def test_a_delete_by_another_actor_takes_nothing_away(world: World) -> None:
    world.posts(1, public=True)
    world.sends(deletion(2, about=1, by=BEN), public=True, actor=BEN)
    with world.database.read() as connection:
        found = collection.stored(connection, note(1)["id"])
    assert found is not None
    assert not found.deleted
