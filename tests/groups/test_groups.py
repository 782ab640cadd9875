"""Groups, who belongs to them, and how the boards of neighbouring networks are linked."""

import json

import pytest
from sqlalchemy import select

from fedaid.actors import queries as actors
from fedaid.actors.commands import agree_on_followers, receive_answer, remember
from fedaid.actors.limits import ActorLimits
from fedaid.foundation.refused import Refused
from fedaid.groups import commands, queries
from fedaid.groups.rules import LINE_CHARACTERS_MAX
from fedaid.members.commands import add_member
from fedaid.network import commands as network
from fedaid.network.queries import NeighbourFacts
from outbox.tables import activity
from tests.small_house import NORTH, RIVER, SmallHouse, remote_actor, some_keys

THEIR_BOARD = f"{RIVER}/groups/board"
FACTS = NeighbourFacts("riverside.example", RIVER, f"{RIVER}/actor", f"{RIVER}/ledger", THEIR_BOARD)


def board(house: SmallHouse) -> queries.Board:
    with house.units.begin() as work:
        return commands.add_default_board(work, "Northside", some_keys())


def join_in(house: SmallHouse, handle: str) -> int:
    with house.units.begin() as work:
        return add_member(work, handle, "no hash", keys=some_keys()).id


def sent_types(house: SmallHouse) -> list[str]:
    with house.database.read() as connection:
        bodies = connection.execute(select(activity.c.body).order_by(activity.c.id)).scalars()
        return [f"{(said := json.loads(body))['type']} {said['actor']}" for body in bodies]


@pytest.mark.parametrize("what", ["topic", "place"])
def test_a_line_too_long_is_refused(house: SmallHouse, what: str) -> None:
    with pytest.raises(Refused) as refusal, house.units.begin() as work:
        commands.add_group(work, "tools", "Tools", keys=some_keys(), **{what: "x" * (LINE_CHARACTERS_MAX + 1)})
    assert refusal.value.code == f"{what}_length"


@pytest.mark.parametrize(("handle", "code"), [("ana", "handle_taken"), ("ledger", "handle_reserved")])
def test_a_board_cannot_have_the_handle_of_a_person_or_the_ledger(house: SmallHouse, handle: str, code: str) -> None:
    join_in(house, "ana")
    with pytest.raises(Refused) as refusal, house.units.begin() as work:
        commands.add_group(work, handle, "Tools", keys=some_keys())
    assert refusal.value.code == code


def test_everybody_belongs_to_the_board_of_the_neighbourhood(house: SmallHouse) -> None:
    before = join_in(house, "ana")
    ours = board(house)
    after = join_in(house, "ben")
    with house.database.read() as connection:
        assert queries.is_member(connection, ours.id, before)
        assert queries.boards_of(connection, after) == [ours]
        assert queries.member_count(connection, ours.id) == 2
    assert ours.is_default
    assert ours.actor == f"{NORTH}/groups/board"


def test_other_groups_are_joined_one_by_one_and_twice_is_once(house: SmallHouse) -> None:
    ana = join_in(house, "ana")
    with house.units.begin() as work:
        tools = commands.add_group(work, "tools", "Tools", topic="Things to  borrow", place="Shed", keys=some_keys())
        assert not queries.is_member(work.connection, tools.id, ana)
        commands.join(work, tools.id, ana)
        commands.join(work, tools.id, ana)
        assert queries.member_count(work.connection, tools.id) == 1
        assert queries.board_by_handle(work.connection, "TOOLS") == tools
        assert queries.board_by_actor(work.connection, tools.actor) == tools
        assert queries.board_by_handle(work.connection, "ana") is None
    assert (tools.topic, tools.place, tools.summary) == ("Things to borrow", "Shed", "Things to borrow")


def test_an_accepted_link_makes_our_board_follow_theirs_and_an_ended_one_stops_it(house: SmallHouse) -> None:
    ours = board(house)
    with house.units.begin() as work:
        network.propose(work, FACTS)
    assert sent_types(house) == []
    with house.units.begin() as work:
        network.accepted(work, "riverside.example")
    assert sent_types(house) == [f"Follow {ours.actor}"]
    with house.units.begin() as work:
        network.pause(work, "riverside.example")
        network.resume(work, "riverside.example")
    with house.units.begin() as work:
        network.ended(work, "riverside.example")
    assert sent_types(house) == [f"Follow {ours.actor}", f"Undo {ours.actor}"]
    with house.database.read() as connection:
        assert actors.follow_between(connection, ours.actor, THEIR_BOARD) is None


@pytest.mark.parametrize("linked", [True, False])
def test_a_neighbour_that_forgot_that_we_follow_its_board_is_asked_again(house: SmallHouse, linked: bool) -> None:
    ours = board(house)
    with house.units.begin() as work:
        remember(work, remote_actor(THEIR_BOARD, "Group"))
        network.propose(work, FACTS)
        network.accepted(work, "riverside.example")
    with house.units.begin() as work:
        asked = actors.follow_between(work.connection, ours.actor, THEIR_BOARD)
        assert asked is not None
        receive_answer(work, asked, THEIR_BOARD, accept=True)
        if not linked:
            network.pause(work, "riverside.example")
    house.clock.pass_seconds(ActorLimits().follow_grace_seconds)
    with house.units.begin() as work:
        agree_on_followers(work, THEIR_BOARD, [], ActorLimits())
    with house.database.read() as connection:
        again = actors.follow_between(connection, ours.actor, THEIR_BOARD)
    assert sent_types(house) == [f"Follow {ours.actor}"] * (2 if linked else 1)
    assert (again is not None) is linked


def test_a_followed_board_is_shown_once_it_has_accepted(house: SmallHouse) -> None:
    ours = board(house)
    with house.units.begin() as work:
        remember(work, remote_actor(THEIR_BOARD, "Group", name="Riverside"))
        commands.link_default_boards(work, network.asked(work, FACTS))
        asked = actors.follow_between(work.connection, ours.actor, THEIR_BOARD)
        assert asked is not None
        assert queries.followed_boards(work.connection, ours, "northside.example") == []
        receive_answer(work, asked, THEIR_BOARD, accept=True)
        (shown,) = queries.followed_boards(work.connection, ours, "northside.example")
    assert (shown.name, shown.handle) == ("Riverside", "@board@riverside.example")
