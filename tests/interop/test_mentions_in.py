"""Somebody of a server that is not ours mentions our board with #need: a coordinator lets it in, and they are told."""

from tests.interop.fedify import Peer
from tests.interop.northside import NORA, Northside
from tests.interop.transcript import check_signed_by


def test_a_mention_with_need_waits_for_a_coordinator_and_becomes_a_listing(
    follower: Peer, northside: Northside
) -> None:
    words = f"Someone to mend my bike ({follower.mode.name})"
    tags = [
        {"type": "Mention", "href": northside.board, "name": northside.handle},
        {"type": "as:Hashtag", "href": f"{follower.origin}/tags/need", "name": "#need"},
    ]
    since = follower.transcript().length
    follower.tell("send", content=f"<p>@board #need {words}</p>", to=[northside.board], tag=tags)
    page = northside.wait_for_page(NORA, "/mentions", lambda page: page.says(words))
    assert not northside.as_stranger_sees("/board").says(words)

    northside.browser(NORA).press(page, "/approve")
    assert northside.as_stranger_sees("/board").says(words)
    told = follower.wait_for_letter("/users/alice/inbox", since)
    assert told.document["to"] == [follower.actor("alice")]
    assert "is on our board now" in told.document["object"]["content"]
    check_signed_by(northside.board, follower.wait_for_delivery("Create", told.about))
