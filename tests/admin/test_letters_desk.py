"""The desk for incoming mail: what failed or was refused, with the reason, and another try."""

import pytest

from fedaid.actors import commands
from fedaid.foundation.work import Work
from inbox import queries
from inbox.journal import Entry, write_down
from inbox.tables import State
from tests.admin.test_deliveries_desk import opened, pressed
from tests.towns import Town

pytestmark = pytest.mark.anyio
BEN = "https://riverside.example/users/ben"


def letter(town: Town, number: int, kind: str = "Undo", body: bytes | None = None) -> None:
    """A letter as the door wrote it down."""
    text = f'{{"id": "{BEN}/{number}", "type": "{kind}", "actor": "{BEN}", "object": "{town.names.group("board")}"}}'
    entry = Entry(
        f"{BEN}/{number}", BEN, "riverside.example", kind, "/inbox", body or text.encode(), BEN, "rfc9421", 0, 0
    )
    with town.instance.database.write() as connection:
        write_down(connection, [entry])


async def test_a_refused_letter_stands_there_with_its_reason_and_can_be_tried_again(north: Town) -> None:
    letter(north, 1, body=b'{"id": "x"}')
    await north.instance.inbox_worker.drain()
    page = (await opened(north, "/letters?state=refused")).text
    assert "Try again" in page
    answer = await pressed(north, "/letters/retry", number="1")
    assert answer.headers["location"] == "/letters?said=letters_retried"
    with north.instance.database.read() as connection:
        assert queries.counts(connection)[State.NEW] == 1


@pytest.mark.parametrize("number", ["7", "x", "-1", "9" * 30])
async def test_a_letter_that_is_not_there_cannot_be_tried_again(north: Town, number: str) -> None:
    assert (await pressed(north, "/letters/retry", number=number)).status_code == 404


async def test_a_letter_that_was_applied_is_not_applied_twice(north: Town) -> None:
    letter(north, 1, "Follow")
    await north.instance.inbox_worker.drain()
    with north.instance.database.read() as connection:
        assert queries.counts(connection)[State.DONE] == 1
    assert (await pressed(north, "/letters/retry", number="1")).status_code == 404


async def test_all_that_failed_here_is_tried_again_at_once(north: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(work: Work, *_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(commands, "receive_follow", stumble)
        for number in (1, 2):
            letter(north, number, "Follow")
        for _ in range(north.instance.settings.inbox.tries_max):
            await north.instance.inbox_worker.drain()
            north.clock.pass_seconds(north.instance.settings.inbox.retry_longest_seconds)
    page = (await opened(north, "/letters")).text
    assert "OSError: the disk is full" in page
    assert "Try all of them again" in page
    await pressed(north, "/letters/retry")
    await north.instance.inbox_worker.drain()
    with north.instance.database.read() as connection:
        assert queries.counts(connection)[State.DONE] == 2
