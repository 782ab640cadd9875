"""Our actors, the actors we met, and follows: what is refused, then what is done."""

import pytest

from fedaid.actors import commands, queries
from fedaid.actors.rules import HANDLE_CHARACTERS_MAX, FollowState, Kind
from fedaid.foundation.refused import NotFound, Refused
from tests.small_house import RIVER, SmallHouse, key_ids, remote_actor, remote_document, some_keys

BEN = f"{RIVER}/users/ben"


def add(house: SmallHouse, handle: str = "ana", kind: Kind = Kind.PERSON, **more: bool) -> queries.LocalActor:
    with house.units.begin() as work:
        return commands.create_actor(work, kind, handle, keys=some_keys(), **more)  # type: ignore[arg-type]


def met(house: SmallHouse, uri: str = BEN) -> None:
    with house.units.begin() as work:
        commands.remember(work, remote_actor(uri))


def test_an_actor_that_goes_by_no_name_is_shown_with_its_id(house: SmallHouse) -> None:
    with house.units.begin() as work:
        commands.remember(work, remote_actor(BEN, preferredUsername=None, name=None))
    with house.database.read() as connection:
        shown = queries.card(connection, BEN, "northside.example")
    assert (shown.handle, shown.name) == (BEN.removeprefix("https://"), RIVER.removeprefix("https://"))


@pytest.mark.parametrize(
    "handle", ["", "a b", "ana@", "-ana", "ana.", "anä", "аna", "a" * (HANDLE_CHARACTERS_MAX + 1), "a/b", "a\x00b"]
)
def test_a_handle_that_is_no_name_is_refused(house: SmallHouse, handle: str) -> None:
    with pytest.raises(Refused) as refusal:
        add(house, handle)
    assert refusal.value.code == "handle_form"


@pytest.mark.parametrize("handle", ["ledger", "Actor", "inbox", "board", "northside.example", "everyone"])
def test_a_handle_kept_for_the_neighbourhood_is_refused(house: SmallHouse, handle: str) -> None:
    with pytest.raises(Refused) as refusal:
        add(house, handle)
    assert refusal.value.code == "handle_reserved"


def test_a_handle_is_given_once_whatever_its_case_and_kind(house: SmallHouse) -> None:
    add(house, "Ana")
    for kind in (Kind.PERSON, Kind.GROUP):
        with pytest.raises(Refused) as refusal:
            add(house, "aNA", kind)
        assert (refusal.value.code, refusal.value.status) == ("handle_taken", 409)


def test_an_actor_has_two_keys_under_its_own_id(house: SmallHouse) -> None:
    ana = add(house, "Ana")
    with house.database.read() as connection:
        keys = queries.own_keys(connection, ana.uri)
        ledger_missing = queries.by_handle(connection, "ledger")
        with pytest.raises(LookupError):
            queries.signing_key(connection, BEN)
    assert ana.uri == "https://northside.example/users/ana"
    assert (keys.main.key_id, keys.assertion.key_id) == (f"{ana.uri}#main-key", f"{ana.uri}#ed25519-key")
    assert ledger_missing is None


def test_server_and_ledger_have_fixed_names_and_the_pinned_key_is_key_1(house: SmallHouse) -> None:
    server, ledger = add(house, "x", Kind.SERVER), add(house, "y", Kind.LEDGER)
    with house.database.read() as connection:
        assertion = queries.ed25519_key(connection, ledger.uri)
    assert (server.handle, server.uri) == ("northside.example", "https://northside.example/actor")
    assert (ledger.handle, ledger.uri) == ("ledger", "https://northside.example/ledger")
    assert assertion.key_id == "https://northside.example/ledger#key-1"


def test_a_name_is_one_line_without_marks_that_turn_it_around(house: SmallHouse) -> None:
    with house.units.begin() as work:
        eve = commands.create_actor(work, Kind.PERSON, "eve", name=" Eve\x00\u202e\r\n Evil ", keys=some_keys())
    assert eve.name == "Eve Evil"


def test_keys_never_stand_in_what_pages_see(house: SmallHouse) -> None:
    assert "PRIVATE" not in repr(add(house))


def test_an_actor_that_claims_our_origin_is_not_stored(house: SmallHouse) -> None:
    foreign = remote_actor()
    ours = remote_actor("https://northside.example/users/zoe", endpoints=None)
    with pytest.raises(Refused), house.units.begin() as work:
        commands.remember(work, ours)
    met(house)
    with house.database.read() as connection:
        assert queries.remote(connection, ours.id.text) is None
        assert queries.remote(connection, foreign.id.text) is not None


def test_remembering_again_replaces_the_keys(house: SmallHouse) -> None:
    met(house)
    with house.units.begin() as work:
        renamed = remote_document()["publicKey"] | {"id": f"{BEN}#new-key"}
        commands.remember(work, remote_actor(publicKey=renamed, assertionMethod=[], name="Benjamin"))
    with house.database.read() as connection:
        assert key_ids(queries.keys_of(connection, BEN)) == [f"{BEN}#new-key"]
        assert queries.key(connection, f"{BEN}#main-key") is None
        found = queries.remote(connection, BEN)
    assert found is not None
    assert (found.name, found.host, found.handle) == ("Benjamin", "riverside.example", "ben")


def test_a_key_of_one_actor_cannot_be_taken_by_another_of_the_same_host(house: SmallHouse) -> None:
    met(house)
    eve = f"{RIVER}/users/eve"
    stolen = remote_document(eve)["publicKey"] | {"id": f"{BEN}#main-key"}
    with house.units.begin() as work:
        commands.remember(work, remote_actor(eve, publicKey=stolen))
    with house.database.read() as connection:
        key = queries.key(connection, f"{BEN}#main-key")
    assert key is not None
    assert key.owner == BEN


def test_a_server_names_only_a_ledger_and_a_board_of_its_own_origin(house: SmallHouse) -> None:
    uri = f"{RIVER}/actor"
    with house.units.begin() as work:
        server = {"fa:ledger": f"{RIVER}/ledger", "fa:board": "https://riverside.example.evil.example/groups/board"}
        commands.remember(work, remote_actor(uri, "Application", **server))
    with house.database.read() as connection:
        found = queries.remote(connection, uri)
    assert found is not None
    assert (found.ledger, found.board) == (f"{RIVER}/ledger", None)


def test_only_our_actors_can_follow_and_not_themselves(house: SmallHouse) -> None:
    ana = add(house)
    with pytest.raises(NotFound), house.units.begin() as work:
        commands.follow(work, BEN, ana.uri)
    with pytest.raises(Refused) as refusal, house.units.begin() as work:
        commands.follow(work, ana.uri, ana.uri)
    assert refusal.value.code == "follow_self"


def test_following_elsewhere_waits_for_the_answer_and_here_does_not(house: SmallHouse) -> None:
    ana, moving = add(house), add(house, "moving", Kind.GROUP)
    with house.units.begin() as work:
        there = commands.follow(work, ana.uri, BEN)
        again = commands.follow(work, ana.uri, BEN)
        here = commands.follow(work, ana.uri, moving.uri)
    assert (there.state, here.state) == (FollowState.ASKED, FollowState.ACCEPTED)
    assert again == there


@pytest.mark.parametrize("kind", [Kind.SERVER, Kind.LEDGER])
def test_nobody_follows_the_server_or_the_ledger(house: SmallHouse, kind: Kind) -> None:
    actor = add(house, "", kind)
    with pytest.raises(Refused) as refusal, house.units.begin() as work:
        commands.receive_follow(work, BEN, actor.uri, f"{BEN}/follows/1")
    assert refusal.value.code == "not_followable"


def test_whoever_approves_by_hand_is_followed_only_after_saying_so(house: SmallHouse) -> None:
    ana = add(house, manually_approves=True)
    with house.units.begin() as work:
        asked = commands.receive_follow(work, BEN, ana.uri, f"{BEN}/follows/1")
    assert asked.state is FollowState.ASKED
    with house.units.begin() as work:
        commands.answer_follow(work, ana.uri, BEN, accept=True)
    with house.database.read() as connection:
        assert queries.is_following(connection, BEN, ana.uri)
    with house.units.begin() as work:
        commands.answer_follow(work, ana.uri, BEN, accept=False)
    with house.database.read() as connection:
        assert queries.follow_between(connection, BEN, ana.uri) is None
    with pytest.raises(NotFound), house.units.begin() as work:
        commands.answer_follow(work, ana.uri, BEN, accept=True)


def test_mail_goes_to_accepted_followers_that_we_know_and_that_are_not_gone(house: SmallHouse) -> None:
    board = add(house, "moving", Kind.GROUP)
    carl = f"{RIVER}/users/carl"
    met(house)
    met(house, carl)
    with house.units.begin() as work:
        for follower in (BEN, carl, f"{RIVER}/users/stranger"):
            commands.receive_follow(work, follower, board.uri, f"{follower}/follows/1")
        commands.forget_gone(work, carl)
    with house.database.read() as connection:
        boxes = queries.follower_mailboxes(connection, board.uri)
        known = queries.mailboxes(connection, [BEN, carl, board.uri])
    assert [(box.actor, box.inbox, box.shared_inbox) for box in boxes] == [(BEN, f"{BEN}/inbox", f"{RIVER}/inbox")]
    assert [box.actor for box in known] == [BEN]


def test_an_actor_we_fetch_again_is_no_longer_gone(house: SmallHouse) -> None:
    met(house)
    with house.units.begin() as work:
        commands.forget_gone(work, BEN)
    with house.database.read() as connection:
        assert queries.keys_of(connection, BEN) == []
    met(house)
    with house.database.read() as connection:
        assert [box.actor for box in queries.mailboxes(connection, [BEN])] == [BEN]


def test_a_card_shows_anybody_whether_met_or_not(house: SmallHouse) -> None:
    ana = add(house)
    met(house)
    with house.database.read() as connection:
        ours = queries.card(connection, ana.uri, house.names.host)
        theirs = queries.card(connection, BEN, house.names.host)
        unknown = queries.card(connection, f"{RIVER}/users/zed", house.names.host)
    assert (ours.handle, ours.page) == ("@ana@northside.example", "https://northside.example/@ana")
    assert (theirs.handle, theirs.name, theirs.is_ours) == ("@ben@riverside.example", "Ben", False)
    assert (unknown.name, unknown.host) == ("riverside.example", "riverside.example")


def test_somebody_is_shown_by_the_handle_their_own_document_says(house: SmallHouse) -> None:
    with house.units.begin() as work:
        commands.remember(work, remote_actor(BEN, webfinger="benedict@riverside.example"))
        assert queries.card(work.connection, BEN, "northside.example").handle == "@benedict@riverside.example"
