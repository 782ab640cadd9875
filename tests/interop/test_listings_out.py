"""A listing of ours arrives at a server that is not ours, with signatures that hold there, and stays up to date."""

from activitypub.vocabulary import PUBLIC
from tests.interop.fedify import Peer
from tests.interop.northside import ANA, Northside
from tests.interop.transcript import Delivery


def _check_signed_by(actor: str, delivery: Delivery) -> None:
    """Every signature on it holds for the peer; it is signed by draft-cavage, which is our first knock."""
    exchange = delivery.exchange
    assert exchange.status == 202
    assert exchange.dialect == "cavage"
    assert f'keyId="{actor}#main-key"' in exchange.headers["signature"]
    assert exchange.headers["digest"].startswith("SHA-256=")
    assert exchange.verdicts["http"] is True
    assert set(exchange.verdicts.values()) == {True}  # FEP-8b32 too where there is a proof
    assert "ld" not in exchange.verdicts
    assert delivery.believed.actor == actor


def test_a_request_reaches_a_follower_signed_by_the_board(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request("Carry a piano to the first floor")
    create = follower.wait_for_delivery("Create", listing)
    _check_signed_by(northside.board, create)
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
    assert {**alone, "@context": None} == {**sent, "@context": None}


def test_followers_learn_that_the_help_was_found(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request("Carry a piano back down")
    follower.wait_for_delivery("Create", listing)
    follower.tell("send", content="<p>We are four.</p>", to=[northside.board], inReplyTo=listing)
    northside.wait_for_page(ANA, listing, lambda page: page.says("We are four."))
    northside.press(ANA, listing, "/accept")
    update = follower.wait_for_delivery("Update", listing)
    _check_signed_by(northside.board, update)
    assert "Filled, thank you." in update.activity["object"]["content"]
    assert update.activity["object"]["publishes"]["finished"] is True
    assert "Filled, thank you." in update.believed.document["object"]["content"]


def test_followers_learn_that_a_request_was_taken_down(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request("Tune a piano")
    follower.wait_for_delivery("Create", listing)
    northside.press(ANA, listing, "/withdraw")
    delete = follower.wait_for_delivery("Delete", listing)
    _check_signed_by(northside.board, delete)
    assert delete.activity["object"]["type"] == "Tombstone"
    assert follower.tell("fetch", url=listing)["status"] == 410
