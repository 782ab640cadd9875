"""Two neighbourhoods that both insist on signatures for everything they are asked still come to speak to each other."""

from pathlib import Path

import pytest

from fedaid.actors import commands, queries
from fedaid.actors.rules import FollowState
from tests.support.towns import Town, settle, towns

RIVER_BOARD = "https://riverside.example/groups/board"
NORTH_BOARD = "https://northside.example/groups/board"


def follow(town: Town) -> None:
    with town.instance.units.begin() as work:
        commands.follow(work, NORTH_BOARD, RIVER_BOARD)


def state(town: Town) -> FollowState | None:
    with town.instance.database.read() as connection:
        found = queries.follow_between(connection, NORTH_BOARD, RIVER_BOARD)
    return found.state if found else None


@pytest.mark.parametrize("secure_mode", [False, True])
def test_a_follow_is_accepted_between_strangers(database_kind: str, tmp_path: Path, secure_mode: bool) -> None:
    with towns(database_kind, tmp_path, "northside", "riverside", secure_mode=secure_mode) as (north, river):
        follow(north)
        settle(north, river)
        assert state(north) is state(river) is FollowState.ACCEPTED
        roads = north.roads
        posts = [request for request in roads.asked if request.startswith("POST")]
        assert len(posts) == 2
        assert len(roads.asked) <= 8  # each looks at the actors it has to do with, and nobody asks in circles


def test_in_secure_mode_nobody_looks_at_the_board_from_outside_without_saying_who_they_are(
    database_kind: str, tmp_path: Path
) -> None:
    with towns(database_kind, tmp_path, "northside", secure_mode=True) as (north,):
        answers = {path: north.get(path) for path in ("/groups/board", "/groups/board/outbox", "/actor")}
        assert "name" not in answers["/groups/board"].json()
        assert answers["/groups/board/outbox"].status_code == 401
        assert answers["/actor"].json()["type"] == "Application"
