"""Two neighbourhoods find out by themselves that they remember a follow differently (FEP-8fcf), and agree again."""

from pathlib import Path

from sqlalchemy import delete

from fedaid.actors import commands, queries
from fedaid.actors.rules import FollowState
from fedaid.actors.tables import follow
from fedaid.members import commands as members
from tests.support.towns import Town, settle, towns

NORTH, RIVER = "https://northside.example", "https://riverside.example"
BOARD, ANA, BEA = f"{RIVER}/groups/board", f"{NORTH}/users/ana", f"{NORTH}/users/bea"


def state(town: Town, follower: str) -> FollowState | None:
    with town.instance.database.read() as connection:
        found = queries.follow_between(connection, follower, BOARD)
    return found.state if found else None


def two_followers(north: Town, river: Town) -> None:
    """Ana and Bea of Northside follow Riverside's board."""
    for handle in ("ana", "bea"):
        with north.instance.units.begin() as work:
            commands.follow(work, members.add_member(work, handle, "x").actor, BOARD)
    settle(north, river)
    assert [state(town, who) for town in (north, river) for who in (ANA, BEA)] == [FollowState.ACCEPTED] * 4


def forget(town: Town, follower: str) -> None:
    """As a restored backup would."""
    with town.instance.database.write() as connection:
        connection.execute(delete(follow).where(follow.c.follower == follower))


def say_something(north: Town, river: Town) -> None:
    north.clock.pass_seconds(3600)
    with river.instance.units.begin() as work:
        commands.describe_actor(work, BOARD, "Riverside", f"It is {work.now:%H:%M}.")
    settle(north, river)


def test_nothing_is_looked_up_while_both_agree(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside") as (north, river):
        two_followers(north, river)
        say_something(north, river)
        assert not any("followers_synchronization" in asked for asked in north.roads.asked)


def test_a_follow_that_their_board_forgot_is_over_here_too(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside") as (north, river):
        two_followers(north, river)
        forget(river, BEA)
        say_something(north, river)
        assert [state(north, who) for who in (ANA, BEA)] == [FollowState.ACCEPTED, None]


def test_a_follow_that_we_forgot_is_undone_at_their_board(database_kind: str, tmp_path: Path) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside") as (north, river):
        two_followers(north, river)
        forget(north, BEA)
        say_something(north, river)
        assert [state(river, who) for who in (ANA, BEA)] == [FollowState.ACCEPTED, None]
