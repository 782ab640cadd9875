"""What is for linked networks only: whom it reaches, whose answers are taken, and how fewer are let see it."""

import json
from typing import Any

import pytest
from sqlalchemy import insert, update

from fedaid.actors.rules import FollowState
from fedaid.actors.tables import follow
from fedaid.board import commands, queries
from fedaid.board.queries import Listing
from fedaid.board.rules import Mode, Visibility
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import SIGNED_OUT, Viewer
from fedaid.network.rules import Status
from fedaid.network.tables import neighbour
from tests.board.world import BEN, BOARD, CAROL, PUBLIC, RIVER_BOARD, World, activity, foreign_note
from tests.small_house import NORTH, RIVER

FEW: dict[str, Any] = {"visibility": Visibility.NEIGHBOURS, "mode": Mode.GIFT, "minutes": None}


@pytest.fixture
def linked(world: World) -> World:
    """Riverside is linked with us, its board follows ours, and so does carol."""
    network = {"server_actor": f"{RIVER}/actor", "ledger_actor": f"{RIVER}/ledger", "board_actor": RIVER_BOARD}
    with world.units.begin() as work:
        since = {"created_at": work.now, "changed_at": work.now}
        row = {"id": work.new_id(), "host": "riverside.example", "origin": RIVER, "status": Status.ACCEPTED}
        work.connection.execute(insert(neighbour).values(**row, **network, **since))
        for number, actor in enumerate((RIVER_BOARD, CAROL)):
            asked = {"follower": actor, "followee": BOARD, "activity_id": f"{actor}/follows/{number}"}
            row = {"id": work.new_id(), "state": FollowState.ACCEPTED, "created_at": work.now}
            work.connection.execute(insert(follow).values(**row, **asked))
    return world


def set_link(world: World, status: Status) -> None:
    with world.units.begin() as work:
        work.connection.execute(update(neighbour).values(status=status))


def let_see(world: World, found: Listing, visibility: Visibility) -> None:
    world.house.clock.pass_seconds(60)
    with world.units.begin() as work:
        commands.edit_listing(work, world.ana, found.id, world.posting(**{**FEW, "visibility": visibility}))


def offer(found: Listing, helper: str) -> dict[str, Any]:
    promised = {"type": "Commitment", "satisfies": f"{found.uri}#primary"}
    return activity("Offer", helper, {"type": "Agreement", "stipulates": promised})


def shown(world: World, viewer: Viewer) -> list[str]:
    with world.house.database.read() as connection:
        page = queries.board(connection, viewer, queries.Filters(), world.now, "northside.example")
    return [one.listing.title for one in page.listings]


def test_it_is_addressed_to_the_boards_of_linked_networks_and_to_nobody_else(linked: World) -> None:
    linked.post(**FEW)
    (create,) = linked.sent()
    assert (create["to"], create["cc"]) == ([RIVER_BOARD], [])
    assert (create["object"]["to"], create["object"]["cc"]) == ([RIVER_BOARD], [])
    assert {"context", "replies", "attachment"}.isdisjoint(create["object"])
    (row,) = linked.posted()
    assert (row.public, row.followers_of, row.recipients) == (False, None, f'["{RIVER_BOARD}"]')
    assert shown(linked, linked.bea) == ["Help moving furniture"]
    assert shown(linked, SIGNED_OUT) == []


@pytest.mark.parametrize("status", [Status.PROPOSED, Status.ASKED, Status.PAUSED, Status.ENDED])
def test_it_is_sent_nowhere_while_there_is_no_link(linked: World, status: Status) -> None:
    set_link(linked, status)
    linked.post(**FEW)
    assert linked.sent() == []


def test_in_a_members_own_name_the_board_names_it_to_the_same_boards(linked: World) -> None:
    found = linked.post(**FEW, own_name=True)
    create, announced = linked.sent()
    assert (create["actor"], create["to"], create["cc"]) == (linked.ana.actor, [RIVER_BOARD], [])
    assert (announced["actor"], announced["object"]) == (BOARD, found.uri)
    assert (announced["to"], announced["cc"]) == ([RIVER_BOARD], [])


def test_only_people_of_linked_networks_answer_it(linked: World) -> None:
    found = linked.post(**FEW)
    with pytest.raises(NotFound):
        linked.receive(offer(found, CAROL))
    assert linked.receive(offer(found, BEN))
    set_link(linked, Status.ENDED)
    with pytest.raises(NotFound):
        linked.receive({**offer(found, f"{RIVER}/users/bea"), "id": f"{RIVER}/activities/2"})


def test_what_a_linked_network_tells_us_alone_is_for_members_while_the_link_stands(linked: World) -> None:
    note = foreign_note(to=[BOARD], cc=[])
    assert linked.receive(activity("Create", RIVER_BOARD, note, to=[BOARD]))
    found = linked.listing_at(note["id"])
    assert found is not None
    assert found.visibility is Visibility.NEIGHBOURS
    assert shown(linked, linked.bea) == ["Someone to read with my son"]
    assert shown(linked, SIGNED_OUT) == []
    set_link(linked, Status.ENDED)
    assert shown(linked, linked.bea) == []


@pytest.mark.parametrize("to", [[f"{RIVER}/groups/other"], [f"{RIVER_BOARD}/followers"], [f"{NORTH}/users/ana"], []])
def test_what_is_not_addressed_to_a_board_of_ours_is_forgotten(linked: World, to: list[str]) -> None:
    assert not linked.receive(activity("Create", RIVER_BOARD, foreign_note(to=to, cc=[]), to=to))


def test_a_board_that_is_followed_and_not_linked_cannot_tell_us_alone(world: World) -> None:
    assert not world.receive(activity("Create", RIVER_BOARD, foreign_note(to=[BOARD], cc=[]), to=[BOARD]))


def test_a_neighbour_may_let_fewer_see_what_all_saw(linked: World) -> None:
    linked.receive(activity("Create", RIVER_BOARD, foreign_note()))
    assert shown(linked, SIGNED_OUT) == ["Someone to read with my son"]
    linked.receive(activity("Update", RIVER_BOARD, foreign_note(to=[BOARD], cc=[]), 2, to=[BOARD]))
    assert shown(linked, SIGNED_OUT) == []
    assert shown(linked, linked.bea) == ["Someone to read with my son"]


def test_from_all_to_neighbours_others_are_told_to_forget_it_and_neighbours_how_it_reads(linked: World) -> None:
    found = linked.post(**{**FEW, "visibility": Visibility.EVERYBODY})
    let_see(linked, found, Visibility.NEIGHBOURS)
    _, delete, update_ = linked.sent()
    assert (delete["type"], delete["object"]["id"]) == ("Delete", found.uri)
    assert CAROL not in str(delete)  # who follows whom is nobody else's to know
    assert linked.posted()[1].recipients == f'["{CAROL}"]'
    assert (update_["type"], update_["to"], update_["cc"]) == ("Update", [RIVER_BOARD], [])


def test_in_a_members_own_name_nobody_learns_who_followed_them(linked: World) -> None:
    found = linked.post(**{**FEW, "visibility": Visibility.EVERYBODY}, own_name=True)
    let_see(linked, found, Visibility.MEMBERS)
    row = linked.posted()[-1]
    assert (row.type, row.actor) == ("Delete", linked.ana.actor)
    assert set(json.loads(row.recipients)) == {RIVER_BOARD, CAROL}
    assert CAROL not in row.body


def test_what_all_saw_is_gone_from_the_outbox_though_nobody_had_it(world: World) -> None:
    found = world.post(**{**FEW, "visibility": Visibility.EVERYBODY})
    let_see(world, found, Visibility.NEIGHBOURS)
    create, delete = world.posted()
    with world.house.database.read() as connection:
        assert [one.type for one in queries.sent.page(connection, BOARD).items] == ["Delete"]
    assert (create.type, delete.type, delete.recipients) == ("Create", "Delete", "[]")


def test_from_neighbours_to_members_those_who_had_it_are_told_to_forget_it(linked: World) -> None:
    found = linked.post(**FEW)
    let_see(linked, found, Visibility.MEMBERS)
    _, delete = linked.sent()
    assert (delete["type"], delete["object"]["id"], delete["to"], delete["cc"]) == (
        "Delete",
        found.uri,
        [RIVER_BOARD],
        [],
    )


def test_a_network_that_is_no_longer_linked_is_told_to_forget_what_it_had(linked: World) -> None:
    found = linked.post(**FEW)
    set_link(linked, Status.PAUSED)
    with linked.units.begin() as work:
        commands.withdraw_listing(work, linked.ana, found.id)
    assert [(one["type"], one["to"]) for one in linked.sent()][1:] == [("Delete", [RIVER_BOARD])]


def test_more_are_not_let_see_it_later(linked: World) -> None:
    found = linked.post(**FEW)
    with pytest.raises(Refused) as refused:
        let_see(linked, found, Visibility.EVERYBODY)
    assert refused.value.code == "wider"


def test_nobody_who_is_to_help_loses_it(linked: World) -> None:
    found = linked.post(**{**FEW, "visibility": Visibility.EVERYBODY})
    linked.receive(offer(found, CAROL))
    linked.receive(offer(found, BEN))
    with pytest.raises(Refused) as refused:
        let_see(linked, found, Visibility.NEIGHBOURS)
    assert refused.value.code == "answered_elsewhere"
    for helper, may in ((CAROL, Visibility.NEIGHBOURS), (BEN, Visibility.MEMBERS)):
        answer = linked.response_at(f"{'/'.join(helper.split('/')[:3])}/activities/1")
        assert answer is not None
        with linked.units.begin() as work:
            commands.decline_response(work, linked.ana, answer.id)
        let_see(linked, found, may)
    assert linked.listing(found.id).visibility is Visibility.MEMBERS


def test_whoever_is_to_come_from_elsewhere_is_told_the_new_place(linked: World) -> None:
    found = linked.post(**FEW, exact_place="12 Rose Street", contact="020 7946 0001")
    linked.receive(offer(found, BEN))
    answer = linked.response_at(f"{RIVER}/activities/1")
    assert answer is not None
    linked.accept(answer)
    before = len(linked.sent())
    moved = linked.posting(**FEW, exact_place="14 Rose Street", contact="020 7946 0001")
    for _ in range(2):  # the second time nothing is new
        with linked.units.begin() as work:
            commands.edit_listing(work, linked.ana, found.id, moved)
    notes = [one for one in linked.sent()[before:] if one["type"] == "Create"]
    (told,) = notes
    assert told["to"] == told["object"]["to"] == [BEN]
    assert "14 Rose Street" in told["object"]["content"]
    assert "020 7946 0001" in told["object"]["content"]
    assert PUBLIC not in str(told)
