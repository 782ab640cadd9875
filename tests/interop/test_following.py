"""A server that is not ours finds our board, follows it, and stops following it."""

import httpx2
import pytest

from activitypub.documents import CONTENT_TYPE
from tests.interop.fedify import SIGNED_FETCH, Peer
from tests.interop.northside import ANA, Northside
from tests.interop.waiting import wait_for


def _followers(peer: Peer, northside: Northside) -> list[str]:
    answer = peer.tell("fetch", url=f"{northside.board}/followers?page=true")
    assert answer["status"] == 200
    return list(answer["json"]["orderedItems"])


def _wait_until_not_following(peer: Peer, northside: Northside) -> None:
    wait_for("the Undo at the board", lambda: peer.actor("alice") not in _followers(peer, northside))


def test_the_board_is_found_by_its_handle(peer: Peer, northside: Northside) -> None:
    found = peer.tell("lookup", target=northside.handle)
    assert found["type"] == "Group"
    assert found["json"]["id"] == northside.board
    assert found["json"]["preferredUsername"] == "board"
    jrd = peer.tell("webfinger", resource=f"acct:{northside.handle.removeprefix('@')}")["jrd"]
    assert jrd["subject"] == f"acct:{northside.handle.removeprefix('@')}"
    assert northside.board in jrd["aliases"]


def test_the_board_is_found_by_its_id(peer: Peer, northside: Northside) -> None:
    found = peer.tell("lookup", target=northside.board)
    assert found["type"] == "Group"
    assert found["json"]["id"] == northside.board
    assert found["json"]["inbox"] == f"{northside.board}/inbox"
    assert found["json"]["followers"] == f"{northside.board}/followers"
    assert found["json"]["endpoints"]["sharedInbox"] == f"{northside.town.origin}/inbox"


def test_a_follow_is_accepted_and_the_follower_listed(peer: Peer, northside: Northside) -> None:
    asked = peer.tell("follow", target=northside.handle)
    accept = peer.wait_for_delivery("Accept", asked["id"])
    assert accept.exchange.url == "/users/alice/inbox"
    assert accept.exchange.status == 202
    assert accept.exchange.verdicts["http"] is True
    assert accept.believed.actor == northside.board
    assert northside.board in peer.tell("state")["following"]["alice"]
    assert peer.actor("alice") in _followers(peer, northside)


def test_a_follow_sent_again_is_accepted_again(follower: Peer, northside: Northside) -> None:
    asked = follower.tell("follow", target=northside.handle)
    assert follower.wait_for_delivery("Accept", asked["id"]).believed.actor == northside.board
    assert _followers(follower, northside).count(follower.actor("alice")) == 1


def test_who_unfollows_is_no_longer_listed_and_gets_nothing_more(follower: Peer, northside: Northside) -> None:
    earlier = northside.post_request("Hang up two shelves")
    follower.wait_for_delivery("Create", earlier)
    follower.tell("send", by="carol", content="<p>I have a drill.</p>", to=[northside.board], inReplyTo=earlier)
    northside.wait_for_page(ANA, earlier, lambda page: page.says("I have a drill."))

    follower.tell("unfollow", target=northside.board)
    _wait_until_not_following(follower, northside)
    later = northside.post_request("Hang up a third shelf")
    # What goes to one server goes in order: when the answer to Carol is there, nothing before it is still to come.
    since = follower.transcript().length
    northside.press(ANA, earlier, "/decline")
    follower.wait_for_letter("/users/carol/inbox", since)
    assert later not in [one.about for one in follower.transcript().posted(outgoing=False)]


def test_the_first_knock_is_taken_in_either_dialect(follower: Peer, northside: Northside) -> None:
    since = follower.transcript().length
    follower.tell("follow", target=northside.board)
    (knock,) = follower.transcript().posted(outgoing=True, since=since)
    assert (knock.dialect, knock.status) == (follower.mode.first_knock, 202)


@pytest.mark.parametrize("peer", [SIGNED_FETCH], indirect=True, ids=["signed-fetch"])
def test_a_server_that_shows_nothing_unsigned_is_asked_with_a_signature(follower: Peer) -> None:
    asked = follower.transcript().fetched("/users/alice")
    assert {(one.dialect, one.status) for one in asked} == {("cavage", 200)}
    unsigned = httpx2.get(follower.actor("alice"), headers={"Accept": CONTENT_TYPE}, trust_env=False)
    assert unsigned.status_code == 401
