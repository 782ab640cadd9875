"""Whoever begins to follow a board sees what already stands open there, and no more than that."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fedaid.actors import commands as actors
from fedaid.board import commands as board
from fedaid.board import queries
from fedaid.board.limits import BoardLimits
from fedaid.board.rules import Kind, Mode, Posting
from fedaid.foundation.viewer import Role, Viewer
from fedaid.members import commands as members
from tests.support.towns import Town, settle, towns

NORTH_BOARD, RIVER_BOARD = "https://northside.example/groups/board", "https://riverside.example/groups/board"


def member(town: Town, handle: str) -> Viewer:
    with town.instance.units.begin() as work:
        added = members.add_member(work, handle, "x")
    return Viewer(added.id, added.handle, added.name, added.actor, Role.MEMBER, "UTC")


def posting(town: Town, title: str, **changes: Any) -> Posting:
    until = town.clock.now() + timedelta(days=7)
    return Posting(
        **{"kind": Kind.REQUEST, "title": title, "mode": Mode.GIFT, "time_zone": "UTC", "expires_at": until, **changes}
    )


def post(town: Town, author: Viewer, title: str, **changes: Any) -> int:
    with town.instance.units.begin() as work:
        return board.post_listing(work, author, RIVER_BOARD, posting(town, title, **changes))


def follow(north: Town, *others: Town) -> None:
    with north.instance.units.begin() as work:
        actors.follow(work, NORTH_BOARD, RIVER_BOARD)
    settle(north, *others)


def shown(town: Town) -> list[str]:
    """The titles on the board, newest first."""
    with town.instance.database.read() as connection:
        page = queries.board(connection, Viewer(), queries.Filters(), town.clock.now(), town.host)
    return [one.listing.title for one in page.listings]


@pytest.mark.parametrize("secure_mode", [False, True])
def test_what_stands_open_appears_at_the_first_follow_as_it_reads_now(
    database_kind: str, tmp_path: Path, secure_mode: bool
) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside", secure_mode=secure_mode) as (north, river):
        ana = member(river, "ana")
        ladder, piano, bread = (post(river, ana, title) for title in ("A ladder", "Tune a piano", "Bread"))
        post(river, ana, "Only today", expires_at=river.clock.now() + timedelta(hours=1))
        with river.instance.units.begin() as work:
            board.edit_listing(work, ana, ladder, posting(river, "A long ladder"))
            board.withdraw_listing(work, ana, bread)
        river.clock.pass_seconds(2 * 3600)
        assert shown(north) == []
        follow(north, river)
        assert shown(north) == ["A long ladder", "Tune a piano"]
        assert piano


def test_catching_up_twice_changes_nothing(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside") as (north, river):
        post(river, member(river, "ana"), "A ladder")
        follow(north, river)
        with north.instance.units.begin() as work:
            actors.unfollow(work, NORTH_BOARD, RIVER_BOARD)
        settle(north, river)
        follow(north, river)
        assert shown(north) == ["A ladder"]


@pytest.mark.attack("S14")
def test_s14_only_so_much_of_a_long_outbox_is_read(database_kind: str, tmp_path: Path) -> None:
    limits = BoardLimits(catch_up_pages_max=3, catch_up_activities_max=30)
    with towns(database_kind, tmp_path, "northside", "riverside", board=limits) as (north, river):
        ana = member(river, "ana")
        for number in range(50):
            post(river, ana, f"Errand {number}")
        follow(north, river)
        pages = [asked for asked in north.roads.asked if "/outbox" in asked]
        assert len(pages) == 3
        assert shown(north)[0] == "Errand 49"


def test_an_outbox_that_cannot_be_read_now_is_read_later(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside") as (north, river):
        post(river, member(river, "ana"), "A ladder")
        north.roads.broken.add("/outbox")
        follow(north, river)
        assert shown(north) == []
        north.roads.broken.clear()
        north.clock.pass_seconds(120)
        settle(north, river)
        assert shown(north) == ["A ladder"]
