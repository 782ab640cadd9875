"""A listing of ours arrives at a server that is not ours, with signatures that hold there, and stays up to date."""

from activitypub.vocabulary import PUBLIC
from tests.interop.fedify import Peer
from tests.interop.northside import ANA, Northside
from tests.interop.transcript import check_signed_by


def test_a_request_reaches_a_follower_signed_by_the_board(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request("Carry a piano to the first floor")
    create = follower.wait_for_delivery("Create", listing)
    check_signed_by(northside.board, create)
    activity, note = create.activity, create.activity["object"]
    assert activity["actor"] == note["attributedTo"] == northside.board
    assert activity["to"] == note["to"] == [PUBLIC]
    assert f"{northside.board}/followers" in activity["cc"]
    assert note["id"] == note["url"] == listing
    assert note["type"] == "Note"
    assert note["purpose"] == "request"
    assert note["name"] == "Carry a piano to the first floor"
    assert note["publishes"]["resourceQuantity"] == {"hasUnit": "hour", "hasNumericalValue": "2"}
    assert "ana" not in str(activity).lower()  # the board speaks for its members


def test_fedify_reads_the_request_as_a_note(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request("Carry a piano to the second floor")
    understood = follower.wait_for_delivery("Create", listing).believed.document["object"]
    assert understood["id"] == listing
    assert understood["type"] == "Note"
    assert understood["attributedTo"] == northside.board
    assert "Carry a piano to the second floor" in understood["content"]
    assert "Time credit: 2 hours" in understood["content"]


def test_the_request_can_be_fetched_where_its_id_says(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request("Carry a piano to the third floor")
    sent = dict(follower.wait_for_delivery("Create", listing).activity["object"])
    fetched = follower.tell("fetch", url=listing)
    assert fetched["status"] == 200
    alone = dict(fetched["json"])
    proof = alone.pop("proof")  # inside a letter the letter's own proof holds for it
    assert proof["verificationMethod"] == f"{northside.board}#ed25519-key"
    del sent["replies"]["first"]["next"]  # nobody has replied, and the first page says so
    assert {**alone, "@context": None} == {**sent, "@context": None}


def test_followers_learn_that_the_help_was_found(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request("Carry a piano back down")
    follower.wait_for_delivery("Create", listing)
    follower.tell("send", content="<p>We are four.</p>", to=[northside.board], inReplyTo=listing)
    northside.wait_for_page(ANA, listing, lambda page: page.says("We are four."))
    northside.press(ANA, listing, "/accept")
    update = follower.wait_for_delivery("Update", listing)
    check_signed_by(northside.board, update)
    assert "Filled, thank you." in update.activity["object"]["content"]
    assert update.activity["object"]["publishes"]["finished"] is True
    assert "Filled, thank you." in update.believed.document["object"]["content"]


def test_followers_learn_that_a_request_was_taken_down(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request("Tune a piano")
    follower.wait_for_delivery("Create", listing)
    northside.press(ANA, listing, "/withdraw")
    delete = follower.wait_for_delivery("Delete", listing)
    check_signed_by(northside.board, delete)
    assert delete.activity["object"]["type"] == "Tombstone"
    assert follower.tell("fetch", url=listing)["status"] == 410


def test_what_a_member_posts_under_their_own_name_is_theirs_and_the_board_shows_it(
    follower: Peer, northside: Northside
) -> None:
    listing = northside.post_request("Lend me a metronome", in_own_name=True)
    announce = follower.wait_for_delivery("Announce", listing)
    check_signed_by(northside.board, announce)
    assert announce.activity["to"] == [PUBLIC]
    found = follower.tell("lookup", target=listing)
    assert (found["type"], found["json"]["attributedTo"]) == ("Note", f"{northside.town.origin}/users/ana")
