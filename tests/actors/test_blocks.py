"""One person blocks another, here or elsewhere: refusals first, then what ends, what is said, and what is not sent."""

from typing import Any

import orjson
import pytest
from sqlalchemy import select

from activitypub.documents import parse_activity
from activitypub.signatures.authentic import Proof, restored
from fedaid.actors import commands, queries
from fedaid.actors.rules import Kind
from fedaid.actors.wire import handlers
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.network.ports import Doorkeeper, LedgerPassage
from inbox.ports import Letter
from outbox import tables
from outbox.queue import Outgoing, post
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, remote_actor, some_keys

ANA, BEA, BOARD = f"{NORTH}/users/ana", f"{NORTH}/users/bea", f"{NORTH}/groups/board"
BEN, EVE = f"{RIVER}/users/ben", f"{RIVER}/users/eve"


@pytest.fixture
def founded(house: SmallHouse) -> SmallHouse:
    people = ((Kind.PERSON, "ana"), (Kind.PERSON, "bea"), (Kind.GROUP, "board"), (Kind.SERVER, ""), (Kind.LEDGER, ""))
    with house.units.begin() as work:
        for kind, handle in people:
            commands.create_actor(work, kind, handle, keys=some_keys())
        for uri in (BEN, EVE):
            commands.remember(work, remote_actor(uri))
    return house


def receive(house: SmallHouse, kind: str, about: object, actor: str = BEN, number: int = 1) -> bool:
    document = {"id": f"{RIVER}/activities/{number}", "type": kind, "actor": actor, "object": about}
    activity = parse_activity(document, RULES)
    letter = Letter(restored(activity.actor, f"{actor}#main-key", Proof.DRAFT_CAVAGE, START), activity, "/inbox")
    with house.units.begin() as work:
        return any(one.apply(work, letter, {}) for one in handlers(RULES)[kind])


def sent(house: SmallHouse) -> list[dict[str, Any]]:
    with house.database.read() as connection:
        return [orjson.loads(body) for body in connection.execute(select(tables.activity.c.body)).scalars()]


def blocks(house: SmallHouse, blocker: str, blocked: str) -> bool:
    with house.database.read() as connection:
        return queries.block_between(connection, blocker, blocked) is not None


def follows(house: SmallHouse, one: str, other: str) -> bool:
    with house.database.read() as connection:
        return queries.follow_between(connection, one, other) is not None


@pytest.mark.parametrize(
    ("blocker", "blocked", "error"),
    [
        (ANA, ANA, "block_self"),
        (ANA, BOARD, "block_board"),
        (ANA, f"{NORTH}/actor", "block_board"),
        (ANA, f"{NORTH}/users/nobody", "not_found"),
        (BEN, ANA, "not_found"),
    ],
)
def test_whom_one_cannot_block(founded: SmallHouse, blocker: str, blocked: str, error: str) -> None:
    with pytest.raises(Refused) as refusal, founded.units.begin() as work:
        commands.block(work, blocker, blocked)
    assert refusal.value.code == error


@pytest.mark.parametrize("target", [f"{NORTH}/ledger", f"{NORTH}/actor"])
def test_nobody_elsewhere_blocks_our_ledger_or_our_server(founded: SmallHouse, target: str) -> None:
    with pytest.raises(Refused) as refusal:
        receive(founded, "Block", target)
    assert refusal.value.code == "not_blockable"


def test_a_block_of_somebody_who_is_not_ours_is_not_taken(founded: SmallHouse) -> None:
    assert not receive(founded, "Block", EVE)
    with pytest.raises(NotFound):
        receive(founded, "Block", f"{NORTH}/users/nobody")


def test_a_block_ends_both_follows_and_lets_none_begin(founded: SmallHouse) -> None:
    with founded.units.begin() as work:
        commands.receive_follow(work, BEN, ANA, f"{BEN}/follows/1")
        commands.follow(work, ANA, BEN)
        commands.block(work, ANA, BEN)
    assert not follows(founded, ANA, BEN)
    assert not follows(founded, BEN, ANA)
    with pytest.raises(NotAllowed):
        receive(founded, "Follow", ANA)
    with pytest.raises(NotAllowed), founded.units.begin() as work:
        commands.follow(work, ANA, BEN)


def test_somebody_elsewhere_is_told_of_the_block_and_of_its_end_and_a_neighbour_is_not(founded: SmallHouse) -> None:
    with founded.units.begin() as work:
        commands.block(work, ANA, BEA)
        commands.block(work, ANA, BEN)
        commands.block(work, ANA, BEN)
        commands.unblock(work, ANA, BEN)
        commands.unblock(work, ANA, BEN)
        commands.unblock(work, ANA, BEA)
    block, undo = sent(founded)
    assert (block["type"], block["actor"], block["object"], block["to"]) == ("Block", ANA, BEN, [BEN])
    assert (undo["type"], undo["actor"], undo["to"]) == ("Undo", ANA, [BEN])
    assert undo["object"] == {key: block[key] for key in ("id", "type", "actor", "object")}
    assert not blocks(founded, ANA, BEN)


@pytest.mark.parametrize("target", [ANA, BOARD])
def test_a_block_from_elsewhere_ends_their_follow(founded: SmallHouse, target: str) -> None:
    with founded.units.begin() as work:
        commands.receive_follow(work, BEN, target, f"{BEN}/follows/1")
    assert receive(founded, "Block", target)
    assert receive(founded, "Block", target)
    assert blocks(founded, BEN, target)
    assert not follows(founded, BEN, target)


def test_nothing_is_sent_to_somebody_who_blocks_the_sender(founded: SmallHouse) -> None:
    receive(founded, "Block", BOARD)
    passage = LedgerPassage("/ledger/inbox", frozenset(), lambda connection, host: None)
    doors = Doorkeeper(founded.database, founded.names, Federation.OPEN, passage)
    with founded.database.read() as connection:
        assert doors.refused(connection, BOARD, [BEN, EVE]) == {BEN}
        assert doors.refused(connection, ANA, [BEN, EVE]) == frozenset()


def test_what_waits_for_somebody_who_blocks_the_sender_is_given_up(founded: SmallHouse) -> None:
    with founded.units.begin() as work:
        for number, sender in ((1, ANA), (2, BEA)):
            letter = {"id": f"{NORTH}/activities/{number}", "type": "Offer"}
            activity = post(work.connection, Outgoing(letter, sender), 0)
            row = {"activity": activity, "host": "riverside.example", "inbox": f"{BEN}/inbox", "actor": sender}
            work.connection.execute(tables.delivery.insert().values(**row, keep_trying=False, next_try_ms=0))
    receive(founded, "Block", ANA)
    with founded.database.read() as connection:
        found = connection.execute(select(tables.delivery.c.actor, tables.delivery.c.state)).all()
    assert sorted(map(tuple, found)) == [(ANA, "failed"), (BEA, "waiting")]


@pytest.mark.attack("S44")
@pytest.mark.parametrize("by_id", [True, False])
def test_a_block_is_taken_back_by_the_one_who_made_it_alone(founded: SmallHouse, by_id: bool) -> None:
    """S44."""
    receive(founded, "Block", ANA)
    block_id = f"{RIVER}/activities/1"
    undone = block_id if by_id else {"id": f"{RIVER}/x", "type": "Block", "actor": BEN, "object": ANA}
    if by_id:
        assert not receive(founded, "Undo", undone, EVE, 2)
    else:
        with pytest.raises(Refused):
            receive(founded, "Undo", undone, EVE, 2)
    assert blocks(founded, BEN, ANA)
    assert receive(founded, "Undo", undone, BEN, 3)
    assert not blocks(founded, BEN, ANA)
