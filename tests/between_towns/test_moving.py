"""A member moves from one neighbourhood to another, found by handle, and takes the followers along (S49)."""

import asyncio
from pathlib import Path

import pytest

from activitypub.errors import FetchFailed
from fedaid.actors import commands, queries
from fedaid.actors.rules import FollowState, Kind
from fedaid.foundation.refused import NotFound, Refused
from fedaid.members import commands as members
from tests.support.towns import Town, settle, towns

OLD, NEW = "https://northside.example/users/ana", "https://riverside.example/users/ana"
FOLLOWER = "https://hillside.example/users/cy"


def join_in(town: Town, handle: str) -> None:
    with town.instance.units.begin() as work:
        members.add_member(work, handle, "x")


def state(town: Town, followee: str) -> FollowState | None:
    with town.instance.database.read() as connection:
        found = queries.follow_between(connection, FOLLOWER, followee)
    return found.state if found else None


def test_followers_come_along_once_both_sides_say_so(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside", "hillside") as (north, river, hill):
        for town, handle in ((north, "ana"), (river, "ana"), (hill, "cy")):
            join_in(town, handle)
        with hill.instance.units.begin() as work:
            commands.follow(work, FOLLOWER, OLD)
        settle(north, hill)

        async def move() -> None:
            await north.instance.moving.move(Kind.PERSON, "ana", "@ana@riverside.example")

        with pytest.raises(Refused) as refusal:
            asyncio.run(move())
        assert refusal.value.code == "not_known_as"

        asyncio.run(river.instance.moving.add_alias(Kind.PERSON, "ana", "@ana@northside.example"))
        asyncio.run(move())
        settle(north, river, hill)
        assert (state(hill, OLD), state(hill, NEW)) == (None, FollowState.ACCEPTED)
        assert north.get("/users/ana").json()["movedTo"] == NEW
        assert river.get("/users/ana").json()["alsoKnownAs"] == [OLD]


def test_who_cannot_be_found_or_is_one_of_ours_is_no_place_to_move_to(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside") as (north, river):
        join_in(north, "ana")
        moving = north.instance.moving
        with pytest.raises(FetchFailed):
            asyncio.run(moving.add_alias(Kind.PERSON, "ana", "@nobody@riverside.example"))
        with pytest.raises(Refused) as refusal:
            asyncio.run(moving.add_alias(Kind.PERSON, "ana", "@board@northside.example"))
        assert refusal.value.code == "not_elsewhere"
        for kind, handle in ((Kind.PERSON, "nobody"), (Kind.GROUP, "ana")):
            with pytest.raises(NotFound):
                asyncio.run(moving.add_alias(kind, handle, "@board@riverside.example"))
        asyncio.run(moving.add_alias(Kind.PERSON, "ana", "https://riverside.example/groups/board"))
        asyncio.run(moving.drop_alias(Kind.PERSON, "ana", "@board@riverside.example"))
        assert "alsoKnownAs" not in north.get("/users/ana").json()
        assert river.host == "riverside.example"
