"""Moves (S49): a hijack moves nobody, a true one moves ours who followed, and our own actors move likewise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from activitypub.documents import parse_activity
from activitypub.signatures.authentic import Proof, restored
from fedaid.actors import commands, moves, queries, wire
from fedaid.actors.limits import ActorLimits
from fedaid.actors.rules import FollowState, Kind
from fedaid.foundation.refused import NotFound, Refused
from inbox.ports import Letter
from outbox.tables import activity as outbox_activity
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, remote_actor, remote_document, some_keys, unproved

HILL = "https://hillside.example"
BEN, NEW_BEN, EVE = f"{RIVER}/users/ben", f"{HILL}/users/ben", "https://evil.example/users/eve"
ANA, BEA, BOARD = f"{NORTH}/users/ana", f"{NORTH}/users/bea", f"{NORTH}/groups/moving"
LIMITS = ActorLimits()
DAY = 24 * 3600


@dataclass
class Town:
    house: SmallHouse

    def handler(self) -> Any:
        (found,) = wire.handlers(RULES, LIMITS)["Move"]
        return found

    def receive(self, move: Mapping[str, Any], sender: str = BEN, *documents: Mapping[str, Any]) -> bool:
        """As the inbox's worker does it: what the handler wants is fetched, if it is there."""
        activity = parse_activity(move, RULES)
        web = {str(document["id"]): document for document in documents}
        fetched = {url: web[url] for url in self.handler().wants(activity) if url in web}
        proved = restored(RULES.parse(sender), f"{sender}#main-key", Proof.DRAFT_CAVAGE, START)
        with self.house.units.begin() as work, work.attempt():
            return bool(self.handler().apply(work, Letter(proved, activity, "/inbox"), fetched))

    def refused(self, move: Mapping[str, Any], *documents: Mapping[str, Any]) -> str:
        with pytest.raises(Refused) as refusal:
            self.receive(move, BEN, *documents)
        assert self.follows() == {(ANA, BEN): "accepted", (BOARD, BEN): "asked"}
        return refusal.value.code

    def follows(self) -> dict[tuple[str, str], FollowState]:
        with self.house.database.read() as connection:
            targets = (BEN, NEW_BEN, ANA, BEA)
            found = [one for target in targets for one in queries.follows_to(connection, target)]
        return {(one.follower, one.followee): one.state for one in found if one.follower.startswith(NORTH)}

    def sent(self) -> list[dict[str, Any]]:
        with self.house.database.read() as connection:
            bodies = connection.execute(select(outbox_activity.c.body).order_by(outbox_activity.c.id)).scalars()
            return [unproved(body) for body in bodies]


@pytest.fixture
def town(house: SmallHouse) -> Town:
    """Ana follows Ben of Riverside; the board has asked to."""
    with house.units.begin() as work:
        commands.create_actor(work, Kind.GROUP, "moving", keys=some_keys())
        for handle in ("ana", "bea"):
            commands.create_actor(work, Kind.PERSON, handle, keys=some_keys())
        commands.remember(work, remote_actor(BEN))
        for follower in (ANA, BOARD):
            known = commands.follow(work, follower, BEN)
            if follower == ANA:
                commands.receive_answer(work, known, BEN, accept=True)
    return Town(house)


def move(target: object = NEW_BEN, actor: str = BEN, number: int = 1, **changes: Any) -> dict[str, Any]:
    made = {"id": f"{actor}/moves/{number}", "type": "Move", "actor": actor, "object": actor, "target": target}
    return {**made, **changes}


def new_ben(*aliases: str, **changes: Any) -> dict[str, Any]:
    elsewhere = {"endpoints": {"sharedInbox": f"{HILL}/inbox"}, "alsoKnownAs": list(aliases)}
    return remote_document(NEW_BEN, **{**elsewhere, **changes})


# S49: who moves nobody


@pytest.mark.attack("S49")
def test_s49_a_target_that_does_not_know_of_the_move_gets_nobody(town: Town) -> None:
    assert town.refused(move(), new_ben()) == "not_known_as"
    assert town.refused(move(), new_ben(EVE, f"{BEN}/", BEN.upper())) == "not_known_as"


@pytest.mark.attack("S49")
def test_s49_nobody_is_moved_by_another(town: Town) -> None:
    by_eve = move(actor=EVE, object=BEN)
    with pytest.raises(Refused) as refusal:
        town.receive(by_eve, EVE, new_ben(BEN))
    assert refusal.value.code == "not_yours"
    assert town.refused(move(object=f"{RIVER}/users/carl"), new_ben(BEN)) == "not_yours"


@pytest.mark.attack("S49")
def test_s49_a_target_that_cannot_be_asked_gets_nobody(town: Town) -> None:
    assert town.refused(move()) == "target_unknown"
    assert town.refused(move("javascript:alert(1)"), new_ben(BEN)) == "target_unknown"
    assert town.refused(move(None), new_ben(BEN)) == "no_target"


@pytest.mark.attack("S49")
def test_s49_a_target_that_answers_with_another_id_gets_nobody(town: Town) -> None:
    lies = {**new_ben(BEN), "id": EVE, "inbox": f"{EVE}/inbox"}
    activity = parse_activity(move(), RULES)
    proved = restored(RULES.parse(BEN), f"{BEN}#main-key", Proof.DRAFT_CAVAGE, START)
    with pytest.raises(Refused) as refusal, town.house.units.begin() as work:
        town.handler().apply(work, Letter(proved, activity, "/inbox"), {NEW_BEN: lies})
    assert refusal.value.code == "target_differs"


@pytest.mark.attack("S49")
def test_s49_who_moved_stays_there_for_a_week(town: Town) -> None:
    assert town.receive(move(), BEN, new_ben(BEN))
    before = town.follows()
    town.house.clock.pass_seconds(7 * DAY - 1)
    elsewhere = remote_document(EVE, endpoints={}, alsoKnownAs=[BEN])
    with pytest.raises(Refused) as refusal:
        town.receive(move(EVE, number=2), BEN, elsewhere)
    assert (refusal.value.code, town.follows()) == ("moved_lately", before)
    town.house.clock.pass_seconds(1)
    assert town.receive(move(EVE, number=2), BEN, elsewhere)


def test_a_move_of_somebody_we_never_met_is_left_alone(town: Town) -> None:
    assert not town.receive(move(actor=EVE), EVE, new_ben(EVE))


# who does


def test_ours_follow_the_new_one_and_no_longer_the_old(town: Town) -> None:
    assert town.receive(move(), BEN, new_ben(BEN))
    assert town.follows() == {(ANA, NEW_BEN): "asked", (BOARD, NEW_BEN): "asked"}
    told = {(said["type"], said["actor"], said["to"][0]) for said in town.sent()[2:]}
    assert told == {("Follow", who, NEW_BEN) for who in (ANA, BOARD)} | {("Undo", who, BEN) for who in (ANA, BOARD)}


def test_the_same_move_again_changes_nothing(town: Town) -> None:
    assert town.receive(move(), BEN, new_ben(BEN))
    sent = town.sent()
    assert town.receive(move(number=2), BEN, new_ben(BEN))
    assert town.sent() == sent


def test_somebody_elsewhere_moves_to_one_of_ours_only_if_ours_says_so(town: Town) -> None:
    assert town.refused(move(BEA)) == "not_known_as"
    with pytest.raises(NotFound):
        town.receive(move(f"{NORTH}/users/nobody"))
    with town.house.units.begin() as work:
        moves.add_alias(work, BEA, BEN)
    assert town.receive(move(BEA))
    assert town.follows() == {(ANA, BEA): "accepted", (BOARD, BEA): "accepted"}


# ours


def test_an_alias_is_shown_and_told_and_taken_back(town: Town) -> None:
    with town.house.units.begin() as work:
        moves.add_alias(work, ANA, BEN)
        moves.add_alias(work, ANA, BEN)
    assert [said["object"]["alsoKnownAs"] for said in town.sent() if said["type"] == "Update"] == [[BEN]]
    with town.house.units.begin() as work:
        moves.drop_alias(work, ANA, BEN)
    assert "alsoKnownAs" not in town.sent()[-1]["object"]


def test_an_alias_is_somebody_else_and_there_are_few(town: Town) -> None:
    with town.house.units.begin() as work:
        with pytest.raises(Refused):
            moves.add_alias(work, ANA, ANA)
        for number in range(moves.ALIASES_MAX):
            moves.add_alias(work, ANA, f"{BEN}{number}")
        with pytest.raises(Refused) as refusal:
            moves.add_alias(work, ANA, BEN)
    assert refusal.value.code == "alias_count"


def leave(town: Town, *aliases: str) -> None:
    with town.house.units.begin() as work:
        target = remote_actor(NEW_BEN, endpoints={}, alsoKnownAs=list(aliases))
        moves.move_away(work, ANA, target, LIMITS)


def test_one_of_ours_moves_only_to_who_says_that_it_is_the_same(town: Town) -> None:
    with pytest.raises(Refused) as refusal:
        leave(town, BEN)
    assert refusal.value.code == "not_known_as"
    with town.house.database.read() as connection:
        found = queries.by_uri(connection, ANA)
    assert found is not None
    assert found.moved_to is None


def test_the_followers_of_one_of_ours_are_told_that_it_moved(town: Town) -> None:
    with town.house.units.begin() as work:
        commands.receive_follow(work, BEN, ANA, f"{BEN}/follows/1")
        commands.follow(work, BEA, ANA)
    leave(town, ANA)
    told, changed, *_ = [said for said in town.sent() if said["type"] in ("Move", "Update")]
    assert (told["actor"], told["object"], told["target"]) == (ANA, ANA, NEW_BEN)
    assert told["to"] == [f"{ANA}/followers"]
    assert changed["object"]["movedTo"] == NEW_BEN
    assert town.follows()[(BEA, NEW_BEN)] is FollowState.ASKED
    with town.house.database.read() as connection:
        rows = connection.execute(select(outbox_activity.c.followers_of).where(outbox_activity.c.type == "Move"))
        assert rows.scalars().all() == [ANA]


def test_one_of_ours_moves_once_a_week_and_the_same_move_is_one(town: Town) -> None:
    leave(town, ANA)
    sent = town.sent()
    leave(town, ANA)
    assert town.sent() == sent
    town.house.clock.pass_seconds(7 * DAY - 1)
    with pytest.raises(Refused) as refusal, town.house.units.begin() as work:
        moves.move_away(work, ANA, remote_actor(EVE, endpoints={}, alsoKnownAs=[ANA]), LIMITS)
    assert refusal.value.code == "moved_lately"


def test_the_server_and_the_ledger_stay(town: Town) -> None:
    with town.house.units.begin() as work:
        for kind in (Kind.SERVER, Kind.LEDGER):
            actor = commands.create_actor(work, kind, "", keys=some_keys())
            with pytest.raises(Refused):
                moves.add_alias(work, actor.uri, BEN)
        with pytest.raises(NotFound):
            moves.add_alias(work, f"{NORTH}/users/nobody", BEN)
