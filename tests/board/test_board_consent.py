"""Search finds what its author or its board agrees to have found (FEP-5feb), and nothing of who said nothing."""

from typing import Any

import pytest

from fedaid.actors import commands as actors
from fedaid.board import queries
from fedaid.board.queries import Filters
from fedaid.foundation.viewer import SIGNED_OUT
from tests.board.world import BEN, RIVER_BOARD, World, activity, foreign_note
from tests.small_house import remote_actor

YES = {"indexable": True, "discoverable": True}


def say(world: World, actor: str, **consents: Any) -> None:
    with world.units.begin() as work:
        actors.remember(work, remote_actor(actor, "Person" if actor == BEN else "Group", **consents))


def found(world: World, who: Any, text: str = "Spanish") -> int:
    with world.house.database.read() as connection:
        page = queries.board(connection, who, Filters(text=text), world.now, world.house.names.host)
    return len(page.listings)


@pytest.mark.parametrize(
    ("board", "author", "by_members", "by_strangers"),
    [
        ({}, {}, 0, 0),
        (YES, {}, 1, 1),
        ({}, YES, 1, 1),
        ({"indexable": True}, {}, 1, 0),
        ({"discoverable": True}, {}, 0, 0),
        ({"toot:indexable": True, "toot:discoverable": True}, {}, 1, 1),  # as Takahe writes it
        ({"indexable": "yes", "discoverable": 1}, {"indexable": None}, 0, 0),
    ],
)
def test_a_neighbours_listing_is_found_by_consent(
    world: World, board: dict[str, Any], author: dict[str, Any], by_members: int, by_strangers: int
) -> None:
    say(world, RIVER_BOARD, **board)
    say(world, BEN, **author)
    note = foreign_note(attributedTo=BEN)
    world.receive(activity("Announce", RIVER_BOARD, note["id"]), {note["id"]: note})
    assert (found(world, world.bea), found(world, SIGNED_OUT)) == (by_members, by_strangers)
    assert (found(world, world.bea, ""), found(world, SIGNED_OUT, "")) == (1, 1)  # it stands on the board all the same


def test_what_is_ours_is_found(world: World) -> None:
    world.post(description="Spanish lessons")
    assert (found(world, world.bea), found(world, SIGNED_OUT)) == (1, 1)


def test_who_takes_consent_back_is_found_no_more(world: World) -> None:
    say(world, RIVER_BOARD, **YES)
    world.receive(activity("Create", RIVER_BOARD, foreign_note()))
    assert found(world, world.bea) == 1
    say(world, RIVER_BOARD)
    assert found(world, world.bea) == 0
