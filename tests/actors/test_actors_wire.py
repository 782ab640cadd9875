"""What others' activities about follows and actors do, refusals first, and what ours say."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from activitypub.capabilities import RFC_9421, implements
from activitypub.documents import parse_activity, parse_actor
from activitypub.identifiers import Url
from activitypub.jsonld import compact, expand
from activitypub.signatures.authentic import Proof, _sealed
from fedaid.actors import commands, queries, wire
from fedaid.actors.rules import FollowState, Kind
from fedaid.foundation.refused import NotFound, Refused
from inbox.ports import Letter
from outbox.tables import activity as outbox_activity
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, remote_actor, remote_document, some_keys, unproved

BEN, EVE, ANA, BOARD = f"{RIVER}/users/ben", f"{RIVER}/users/eve", f"{NORTH}/users/ana", f"{NORTH}/groups/moving"
HANDLERS = wire.handlers(RULES)


@pytest.fixture
def met(house: SmallHouse) -> SmallHouse:
    """Ana and a board here; Ben and Eve of Riverside are known."""
    with house.units.begin() as work:
        commands.create_actor(work, Kind.PERSON, "ana", keys=some_keys())
        commands.create_actor(work, Kind.GROUP, "moving", keys=some_keys())
        for uri in (BEN, EVE):
            commands.remember(work, remote_actor(uri))
    return house


def letter(kind: str, sender: str, about: object, number: int = 1) -> Letter:
    document = {"id": f"{sender}/activities/{number}", "type": kind, "actor": sender, "object": about}
    proved = _sealed(RULES.parse(sender), f"{sender}#main-key", Proof.DRAFT_CAVAGE, START)
    return Letter(proved, parse_activity(document, RULES), "/inbox")


def receive(house: SmallHouse, post: Letter, fetched: Mapping[str, Mapping[str, Any]] | None = None) -> bool:
    with house.units.begin() as work:
        return any(handler.apply(work, post, fetched or {}) for handler in HANDLERS[post.activity.type])


def refusal_of(house: SmallHouse, post: Letter) -> str:
    with pytest.raises(Refused) as refusal:
        receive(house, post)
    return refusal.value.code


def sent(house: SmallHouse) -> list[dict[str, Any]]:
    with house.database.read() as connection:
        bodies = connection.execute(select(outbox_activity.c.body).order_by(outbox_activity.c.id)).scalars()
        return [unproved(body) for body in bodies]


def state(house: SmallHouse, follower: str, followee: str) -> FollowState | None:
    with house.database.read() as connection:
        found = queries.follow_between(connection, follower, followee)
    return found.state if found else None


def ask_ben(house: SmallHouse) -> str:
    with house.units.begin() as work:
        return commands.follow(work, ANA, BEN).activity_id


def followed(house: SmallHouse, follower: str = BEN, number: int = 1) -> str:
    assert receive(house, letter("Follow", follower, BOARD, number))
    return f"{follower}/activities/{number}"


# S43
def test_an_accept_by_somebody_else_leaves_the_follow_waiting(met: SmallHouse) -> None:
    asked = ask_ben(met)
    embedded = {"id": asked, "type": "Follow", "actor": ANA, "object": BEN}
    assert refusal_of(met, letter("Accept", EVE, asked)) == "not_asked"
    assert refusal_of(met, letter("Accept", EVE, embedded)) == "not_asked"
    assert refusal_of(met, letter("Accept", EVE, {"type": "Follow", "actor": ANA, "object": BEN})) == "not_asked"
    assert refusal_of(met, letter("Reject", EVE, asked)) == "not_asked"
    assert state(met, ANA, BEN) is FollowState.ASKED


def test_an_accept_of_a_follow_that_was_never_sent_is_refused(met: SmallHouse) -> None:
    made_up = {"id": f"{NORTH}/activities/1", "type": "Follow", "actor": ANA, "object": EVE}
    assert refusal_of(met, letter("Accept", EVE, made_up)) == "no_such_follow"
    assert state(met, ANA, EVE) is None


def test_nobody_accepts_a_follow_of_one_of_our_actors_in_our_name(met: SmallHouse) -> None:
    theirs = followed(met)
    assert refusal_of(met, letter("Accept", EVE, theirs)) == "not_asked"


def test_an_accept_of_something_else_is_left_to_others(met: SmallHouse) -> None:
    assert receive(met, letter("Accept", BEN, f"{NORTH}/responses/1")) is False


# S44
def test_an_undo_by_somebody_else_leaves_the_follow(met: SmallHouse) -> None:
    theirs = followed(met)
    assert refusal_of(met, letter("Undo", EVE, theirs)) == "not_yours"
    inner = {"id": theirs, "type": "Follow", "actor": BEN, "object": BOARD}
    assert refusal_of(met, letter("Undo", EVE, inner)) == "not_yours"
    assert refusal_of(met, letter("Undo", EVE, {"type": "Follow", "actor": BEN, "object": BOARD})) == "not_yours"
    assert state(met, BEN, BOARD) is FollowState.ACCEPTED


def test_an_undo_is_not_hindered_by_somebody_who_copied_the_id(met: SmallHouse) -> None:
    copied = letter("Follow", EVE, BOARD)
    shared_id = f"{BEN}/activities/1"
    document = dict(copied.activity.raw) | {"id": shared_id}
    assert receive(met, Letter(copied.sender, parse_activity(document, RULES), "/inbox"))
    theirs = followed(met)
    assert receive(met, letter("Undo", BEN, theirs, 2))
    assert (state(met, BEN, BOARD), state(met, EVE, BOARD)) == (None, FollowState.ACCEPTED)


# S42
def test_an_update_does_not_carry_an_inbox_or_a_key_by_itself(met: SmallHouse) -> None:
    pushed = remote_document(BEN, inbox=f"{RIVER}/users/eve/inbox", publicKey=None, assertionMethod=[])
    assert receive(met, letter("Update", BEN, pushed))
    with met.database.read() as connection:
        ben = queries.remote(connection, BEN)
        keys = queries.keys_of(connection, BEN)
    assert ben is not None
    assert (ben.inbox, len(keys)) == (f"{BEN}/inbox", 2)


def test_an_update_is_a_hint_to_fetch_the_actor(met: SmallHouse) -> None:
    post = letter("Update", BEN, remote_document(BEN, name="Somebody else"))
    assert HANDLERS["Update"][0].wants(post.activity) == (BEN,)
    assert receive(met, post, {BEN: remote_document(BEN, name="Benjamin")})
    with met.database.read() as connection:
        found = queries.remote(connection, BEN)
    assert found is not None
    assert found.name == "Benjamin"


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_nobody_updates_or_deletes_another_actor(met: SmallHouse, kind: str) -> None:
    assert refusal_of(met, letter(kind, EVE, remote_document(BEN))) == "not_yours"
    assert refusal_of(met, letter("Delete", EVE, BEN)) == "not_yours"
    assert refusal_of(met, letter("Delete", EVE, ANA)) == "not_yours"
    with met.database.read() as connection:
        found = queries.remote(connection, BEN)
    assert found is not None
    assert found.gone_at is None


@pytest.mark.parametrize("kind", ["Update", "Delete", "Undo", "Follow"])
def test_what_is_not_about_actors_or_us_is_left_to_others(met: SmallHouse, kind: str) -> None:
    assert receive(met, letter(kind, BEN, f"{RIVER}/notes/1")) is False


def test_an_actor_that_deletes_itself_follows_nobody_any_more(met: SmallHouse) -> None:
    followed(met)
    ask_ben(met)
    assert receive(met, letter("Delete", BEN, BEN, 2))
    assert (state(met, BEN, BOARD), state(met, ANA, BEN)) == (None, None)


def test_a_follow_of_nobody_here_is_refused(met: SmallHouse) -> None:
    with pytest.raises(NotFound):
        receive(met, letter("Follow", BEN, f"{NORTH}/users/nobody"))


def test_a_follow_is_answered_each_time_with_the_follow_inside(met: SmallHouse) -> None:
    followed(met, number=1)
    followed(met, number=2)
    first, second = sent(met)
    assert first["type"] == second["type"] == "Accept"
    assert first["id"] != second["id"]
    assert (first["actor"], first["to"]) == (BOARD, [BEN])
    inside = {"id": f"{BEN}/activities/2", "type": "Follow", "actor": BEN, "object": BOARD}
    assert second["object"] == inside


def test_our_follow_is_sent_accepted_and_withdrawn(met: SmallHouse) -> None:
    asked = ask_ben(met)
    assert receive(met, letter("Accept", BEN, {"id": asked, "type": "Follow", "actor": ANA, "object": BEN}))
    assert receive(met, letter("Accept", BEN, asked, 2))
    assert state(met, ANA, BEN) is FollowState.ACCEPTED
    with met.units.begin() as work:
        commands.unfollow(work, ANA, BEN)
        commands.unfollow(work, ANA, BEN)
    follow, undo = sent(met)
    assert (follow["id"], follow["type"], follow["object"]) == (asked, "Follow", BEN)
    assert (undo["type"], undo["object"]["id"]) == ("Undo", asked)


def test_a_rejected_follow_is_gone(met: SmallHouse) -> None:
    assert receive(met, letter("Reject", BEN, ask_ben(met)))
    assert state(met, ANA, BEN) is None


def test_an_undone_follow_can_be_undone_again(met: SmallHouse) -> None:
    theirs = followed(met)
    inner = {"id": theirs, "type": "Follow", "actor": BEN, "object": BOARD}
    assert receive(met, letter("Undo", BEN, inner, 2))
    assert receive(met, letter("Undo", BEN, inner, 3))
    assert state(met, BEN, BOARD) is None


def test_a_changed_description_is_told_to_the_followers(met: SmallHouse) -> None:
    with met.units.begin() as work:
        commands.describe_actor(work, BOARD, "Moving help", "Vans & hands.")
    (update,) = sent(met)
    assert (update["type"], update["object"]["id"], update["object"]["name"]) == ("Update", BOARD, "Moving help")
    assert update["object"]["summary"] == "<p>Vans &amp; hands.</p>"


@pytest.mark.parametrize(
    ("kind", "handle", "wire_type"),
    [
        (Kind.PERSON, "zoe", "Person"),
        (Kind.GROUP, "tools", "Group"),
        (Kind.SERVER, "", "Application"),
        (Kind.LEDGER, "", "Service"),
    ],
)
def test_our_documents_are_what_we_ourselves_would_accept(
    met: SmallHouse, kind: Kind, handle: str, wire_type: str
) -> None:
    with met.units.begin() as work:
        actor = commands.create_actor(work, kind, handle, keys=some_keys())
        document = wire.actor_document(actor, queries.own_keys(work.connection, actor.uri), work.names)
    parsed = parse_actor(document, RULES, START)
    assert (parsed.type, parsed.id.text, len(parsed.keys)) == (wire_type, actor.uri, 2)
    assert parsed.shared_inbox == RULES.parse(f"{NORTH}/inbox")
    assert isinstance(parsed.inbox, Url)


@pytest.mark.parametrize("kind", [Kind.PERSON, Kind.GROUP, Kind.SERVER, Kind.LEDGER])
def test_every_name_in_our_documents_means_something_to_readers_of_json_ld(met: SmallHouse, kind: Kind) -> None:
    """Fedify reads nothing else: a name that no context defines is not there for it."""
    with met.units.begin() as work:
        actor = commands.create_actor(work, kind, f"new-{kind}", keys=some_keys())
        keys = queries.own_keys(work.connection, actor.uri)
        whole, only_keys = wire.actor_document(actor, keys, work.names), wire.key_document(actor, keys)
    for document in (whole, only_keys):
        again = compact(expand(document), document["@context"])
        assert again.keys() == document.keys()
    assert whole["assertionMethod"][0]["controller"] == actor.uri


def test_what_our_server_can_do_is_said_by_each_actor(met: SmallHouse) -> None:
    with met.units.begin() as work:
        actors = [commands.create_actor(work, kind, f"new-{kind}", keys=some_keys()) for kind in Kind]
        documents = [wire.actor_document(one, queries.own_keys(work.connection, one.uri), met.names) for one in actors]
    assert all(implements(document, RFC_9421) for document in documents)


def test_server_and_ledger_name_each_other_and_the_board(met: SmallHouse) -> None:
    documents = {}
    with met.units.begin() as work:
        for kind in (Kind.SERVER, Kind.LEDGER):
            actor = commands.create_actor(work, kind, "", keys=some_keys())
            keys = queries.own_keys(work.connection, actor.uri)
            documents[kind] = wire.actor_document(actor, keys, work.names)
    server, ledger = documents[Kind.SERVER], documents[Kind.LEDGER]
    assert (server["fa:ledger"], server["fa:board"]) == (f"{NORTH}/ledger", f"{NORTH}/groups/board")
    assert (ledger["fa:server"], ledger["fa:board"]) == (f"{NORTH}/actor", f"{NORTH}/groups/board")
    assert ledger["assertionMethod"][0]["id"] == f"{NORTH}/ledger#key-1"


def test_a_board_is_attributed_to_its_moderators_and_found_by_name(met: SmallHouse) -> None:
    with met.database.read() as connection:
        board = queries.by_uri(connection, BOARD)
        assert board is not None
        document = wire.actor_document(board, queries.own_keys(connection, BOARD), met.names)
    assert document["attributedTo"] == f"{BOARD}/moderators"
    assert (document["webfinger"], document["discoverable"]) == ("moving@northside.example", True)
    assert document["url"] == f"{NORTH}/@moving"
