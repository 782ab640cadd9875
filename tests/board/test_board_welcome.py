"""What the board shows of people and networks that are not welcome: nothing, or only to those who follow (S48)."""

from collections.abc import Sequence

import pytest
from sqlalchemy import update

from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.board import commands, queries
from fedaid.board.queries import Filters
from fedaid.board.tables import listing
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotAllowed, NotFound
from fedaid.foundation.viewer import SIGNED_OUT, Role, Viewer
from fedaid.network import commands as network
from fedaid.network.rules.restrictions import Severity, Terms, chosen_target
from tests.board.test_board_inbound import arrived
from tests.board.test_board_shapes import offer_of_ben
from tests.board.world import BEN, RIVER_BOARD, World
from tests.small_house import RIVER

ALL_OF_RIVER = ("riverside.example", RIVER_BOARD)


def lay(world: World, name: str, severity: Severity = Severity.BLOCK) -> None:
    with world.units.begin() as work:
        network.restrict(work, chosen_target(name), Terms(severity))


def titles(world: World, viewer: Viewer, federation: Federation = Federation.OPEN, text: str = "") -> Sequence[str]:
    with world.house.database.read() as connection:
        page = queries.board(connection, viewer, Filters(text=text), world.now, world.house.names.host, federation)
    return [one.listing.title for one in page.listings]


@pytest.mark.parametrize("name", ALL_OF_RIVER)
def test_a_listing_of_somebody_blocked_stands_on_no_page_and_comes_back_when_the_block_is_lifted(
    world: World, name: str
) -> None:
    found = arrived(world)
    lay(world, name)
    assert titles(world, world.ana) == titles(world, SIGNED_OUT) == titles(world, world.ana, text="read") == []
    with world.house.database.read() as connection:
        for viewer in (world.ana, SIGNED_OUT):
            with pytest.raises(NotFound):
                queries.listing(connection, viewer, found.id)
    with world.units.begin() as work:
        network.lift(work, chosen_target(name))
    assert titles(world, SIGNED_OUT) == [found.title]


def test_a_coordinator_can_open_what_is_blocked_to_judge_it(world: World) -> None:
    found = arrived(world)
    lay(world, RIVER_BOARD)
    with world.house.database.read() as connection:
        assert queries.listing(connection, Viewer(7, role=Role.COORDINATOR), found.id) == found


def test_nobody_answers_a_listing_of_somebody_blocked(world: World) -> None:
    found = arrived(world)
    lay(world, "riverside.example")
    with pytest.raises(NotFound), world.units.begin() as work:
        commands.respond(work, world.ana, found.id, "I can come.")


def test_a_network_of_neighbours_shows_nothing_it_still_has_of_strangers(world: World) -> None:
    arrived(world)
    ours = world.post()
    assert titles(world, world.ana, Federation.NEIGHBOURS) == [ours.title]
    assert len(titles(world, world.ana)) == 2


@pytest.mark.parametrize("name", ALL_OF_RIVER)
def test_a_listing_of_somebody_limited_is_seen_by_followers_and_opened_by_members(world: World, name: str) -> None:
    found = arrived(world)
    lay(world, name, Severity.LIMIT)
    assert titles(world, world.ana) == titles(world, SIGNED_OUT) == []
    with world.house.database.read() as connection:
        assert queries.listing(connection, world.ana, found.id) == found
        with pytest.raises(NotFound):
            queries.listing(connection, SIGNED_OUT, found.id)
    with world.units.begin() as work:
        actors.follow(work, world.bea.actor, RIVER_BOARD)
        asked = actor_queries.follow_between(work.connection, world.bea.actor, RIVER_BOARD)
        assert asked is not None
    assert titles(world, world.bea) == []
    with world.units.begin() as work:
        actors.receive_answer(work, asked, RIVER_BOARD, accept=True)
    assert (titles(world, world.bea), titles(world, world.ana)) == ([found.title], [])


def waiting(world: World, federation: Federation = Federation.OPEN) -> int:
    with world.house.database.read() as connection:
        return len(queries.next_actions(connection, world.ana, federation))


def answers(world: World, listing: queries.Listing, federation: Federation = Federation.OPEN) -> int:
    with world.house.database.read() as connection:
        return len(queries.responses(connection, world.ana, listing, federation))


@pytest.mark.parametrize("name", ["riverside.example", BEN])
def test_an_answer_of_somebody_blocked_is_not_shown_and_one_of_somebody_limited_calls_nobody(
    world: World, name: str
) -> None:
    posted = world.post()
    world.receive(offer_of_ben(world, posted.id))
    assert (waiting(world), answers(world, posted)) == (1, 1)
    lay(world, name, Severity.LIMIT)
    assert (waiting(world), answers(world, posted)) == (0, 1)
    lay(world, name)
    assert (waiting(world), answers(world, posted)) == (0, 0)


def test_what_was_agreed_with_somebody_stays_though_they_are_blocked_since(world: World) -> None:
    posted = world.post()
    world.receive(offer_of_ben(world, posted.id))
    response = world.response_at(f"{RIVER}/responses/31")
    assert response is not None
    world.accept(response)
    lay(world, BEN)
    assert (waiting(world), answers(world, posted)) == (0, 1)
    assert answers(world, posted, Federation.NEIGHBOURS) == 1


# between two people


def block(world: World, blocker: str, blocked: str) -> None:
    with world.units.begin() as work:
        actors.block(work, blocker, blocked)


def test_two_neighbours_of_whom_one_blocks_the_other_see_and_answer_nothing_of_each_other(world: World) -> None:
    ours, hers = world.post(), world.post(title="A ladder")
    with world.units.begin() as work:
        values = {"author_member_id": world.bea.member_id, "member_actor": world.bea.actor}
        work.connection.execute(update(listing).where(listing.c.id == hers.id).values(values))
    block(world, world.ana.actor, world.bea.actor)
    assert (titles(world, world.ana), titles(world, world.bea)) == ([ours.title], ["A ladder"])
    assert sorted(titles(world, SIGNED_OUT)) == sorted(["A ladder", ours.title])
    with world.house.database.read() as connection:
        for viewer, theirs in ((world.ana, hers), (world.bea, ours)):
            with pytest.raises(NotFound):
                queries.listing(connection, viewer, theirs.id)
    for viewer, theirs in ((world.ana, hers), (world.bea, ours)):
        with pytest.raises(NotAllowed), world.units.begin() as work:
            commands.respond(work, viewer, theirs.id, "I can come.")


def test_somebody_elsewhere_whom_the_author_blocks_does_not_reach_her(world: World) -> None:
    listing_of_ana = world.post()
    world.receive(offer_of_ben(world, listing_of_ana.id))
    block(world, world.ana.actor, BEN)
    assert (waiting(world), answers(world, listing_of_ana)) == (0, 0)
    with pytest.raises(NotAllowed):
        world.receive(offer_of_ben(world, world.post().id, id=f"{RIVER}/responses/32"))


@pytest.mark.parametrize("blocked", [RIVER_BOARD, BEN])
def test_a_member_does_not_see_what_somebody_she_blocks_wrote_elsewhere(world: World, blocked: str) -> None:
    found = arrived(world)
    if blocked == BEN:
        with world.units.begin() as work:
            work.connection.execute(update(listing).where(listing.c.id == found.id).values(author_actor=BEN))
    block(world, world.ana.actor, blocked)
    assert (titles(world, world.ana), titles(world, world.bea)) == ([], [found.title])
