"""Actors of ours that leave: nothing speaks for them or follows, and where they were stands that they are gone (410)."""

import json

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from activitypub.vocabulary import PUBLIC
from fedaid.actors import commands, leaving, pages, queries, wire
from fedaid.actors.rules import Kind
from fedaid.foundation.refused import NotFound, Refused
from outbox.queue import RECIPIENTS_MAX, Outgoing
from outbox.tables import activity as outbox_activity
from tests.actors.test_actors_pages import ABOVE, AP
from tests.small_house import NORTH, RIVER, SmallHouse, browser, remote_actor, some_keys, unproved

ANA, BEA, BOARD = f"{NORTH}/users/ana", f"{NORTH}/users/bea", f"{NORTH}/groups/moving"
BEN, CARL = f"{RIVER}/users/ben", f"{RIVER}/users/carl"


@pytest.fixture
def town(house: SmallHouse) -> SmallHouse:
    """Ben follows Ana, who follows Carl and Bea, and said something to all and something to Ben."""
    with house.units.begin() as work:
        for kind, handle in ((Kind.GROUP, "moving"), (Kind.PERSON, "ana"), (Kind.PERSON, "bea"), (Kind.LEDGER, "")):
            commands.create_actor(work, kind, handle, name="Ana Nightingale", summary="I garden.", keys=some_keys())
        for uri in (BEN, CARL):
            commands.remember(work, remote_actor(uri))
        commands.receive_follow(work, BEN, ANA, f"{BEN}/follows/1")
        for followee in (CARL, BEA):
            commands.follow(work, ANA, followee)
        for number, public in ((41, True), (42, False)):
            body = {"@context": "x", "id": work.names.activity(number), "type": "Create", "actor": ANA, "object": {}}
            wire.say(work, Outgoing(body, ANA, to=(BEN,), public=public))
    return house


def leave(house: SmallHouse, uri: str = ANA) -> None:
    with house.units.begin() as work:
        leaving.leave(work, uri)


def farewells(house: SmallHouse) -> list[tuple[str, list[str], bool]]:
    table = outbox_activity.c
    with house.database.read() as connection:
        rows = connection.execute(select(outbox_activity).where(table.type == "Delete").order_by(table.id)).all()
    for row in rows:
        said = unproved(row.body)
        assert (said["actor"], said["object"], said["to"]) == (row.actor, row.actor, [PUBLIC])
    return [(row.actor, json.loads(row.recipients), row.everywhere) for row in rows]


def server(house: SmallHouse) -> TestClient:
    return browser(house, [*pages.routes(ABOVE), pages.by_handle({})])


def test_whoever_has_something_of_it_is_told_once(town: SmallHouse) -> None:
    leave(town)
    leave(town)
    assert farewells(town) == [(ANA, [BEN, CARL], True)]


def test_nobody_follows_it_and_it_follows_nobody(town: SmallHouse) -> None:
    leave(town)
    with town.database.read() as connection:
        assert queries.follows_to(connection, ANA) == queries.follows_by(connection, ANA) == []
        found = queries.by_uri(connection, ANA)
    assert found is not None
    assert (found.name, found.summary, found.gone_at) == ("ana", "", town.clock.now())


def test_its_handle_is_not_given_to_anybody_else(town: SmallHouse) -> None:
    leave(town)
    with pytest.raises(Refused) as refusal, town.units.begin() as work:
        commands.create_actor(work, Kind.PERSON, "Ana", keys=some_keys())
    assert refusal.value.code == "handle_taken"


def test_where_it_was_stands_a_tombstone(town: SmallHouse) -> None:
    leave(town)
    answer = server(town).get("/users/ana", headers=AP)
    assert answer.status_code == 410
    assert answer.headers["content-type"] == "application/activity+json"
    told = answer.json()
    assert (told["id"], told["type"], told["formerType"]) == (ANA, "Tombstone", "Person")
    assert told["deleted"] == "2026-09-01T00:00:00Z"
    assert "publicKey" not in told


@pytest.mark.parametrize("path", ["/users/ana/outbox", "/users/ana/followers", "/users/ana/featured", "/@ana"])
def test_what_belonged_to_it_is_gone(town: SmallHouse, path: str) -> None:
    leave(town)
    assert server(town).get(path, headers=AP).status_code == 410


def test_webfinger_says_that_it_is_gone(town: SmallHouse) -> None:
    leave(town)
    resource = {"resource": "acct:ana@northside.example"}
    assert server(town).get("/.well-known/webfinger", params=resource).status_code == 410


def test_what_it_said_is_gone_and_what_was_private_is_not_there(town: SmallHouse) -> None:
    leave(town)
    said = server(town).get("/activities/41", headers=AP)
    assert (said.status_code, said.json()["type"], said.json()["formerType"]) == (410, "Tombstone", "Create")
    assert server(town).get("/activities/42", headers=AP).status_code == 404


def test_a_board_leaves_likewise(town: SmallHouse) -> None:
    leave(town, BOARD)
    assert farewells(town) == [(BOARD, [], True)]
    assert server(town).get("/groups/moving", headers=AP).json()["formerType"] == "Group"


def test_only_so_many_are_told_by_name_and_the_rest_by_where_it_wrote(town: SmallHouse) -> None:
    with town.units.begin() as work:
        for number in range(RECIPIENTS_MAX + 5):
            commands.receive_follow(work, f"{RIVER}/users/u{number}", BOARD, f"{RIVER}/follows/{number}")
    leave(town, BOARD)
    ((_, named, everywhere),) = farewells(town)
    assert (len(named), everywhere) == (RECIPIENTS_MAX, True)


def test_the_ledger_cannot_leave_and_nobody_else_than_ours_can(town: SmallHouse) -> None:
    with pytest.raises(Refused):
        leave(town, f"{NORTH}/ledger")
    with pytest.raises(NotFound):
        leave(town, BEN)
