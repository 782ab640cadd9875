"""A reply from a server that is not ours is a response to the listing: for its author, and for nobody else."""

import pytest

from activitypub.vocabulary import PUBLIC
from tests.interop.fedify import Peer
from tests.interop.northside import ANA, NORA, Northside

MESSAGE = "I can come at ten, with gloves."


def _reply(peer: Peer, northside: Northside, listing: str, *, public: bool) -> None:
    mention = {"type": "Mention", "href": northside.board, "name": northside.handle}
    content = f'<p><a href="{northside.board}" class="u-url mention">@board</a> {MESSAGE}</p>'
    peer.tell("send", content=content, to=[northside.board], inReplyTo=listing, tag=[mention], public=public)


@pytest.mark.parametrize("public", [True, False], ids=["public", "private"])
def test_a_reply_is_a_response_that_only_the_author_sees(follower: Peer, northside: Northside, public: bool) -> None:
    listing = northside.post_request(f"Move a sofa ({follower.mode.name}, {'public' if public else 'private'})")
    follower.wait_for_delivery("Create", listing)
    _reply(follower, northside, listing, public=public)

    page = northside.wait_for_page(ANA, listing, lambda page: page.says(MESSAGE))
    assert page.says(f"@alice@{follower.origin.removeprefix('http://')}")
    assert page.text.count(MESSAGE) == 1
    assert "@board" not in page.text.partition(MESSAGE)[0].rpartition("Answers")[2]
    page.form("/accept")
    assert not northside.browser(NORA).open(listing).says(MESSAGE)  # not even an admin
    assert not northside.as_stranger_sees(listing).says(MESSAGE)
    assert MESSAGE not in str(follower.tell("fetch", url=listing)["json"])


def test_who_is_accepted_is_told_in_private(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request("Read letters aloud")
    follower.wait_for_delivery("Create", listing)
    since = follower.transcript().length
    _reply(follower, northside, listing, public=True)
    northside.wait_for_page(ANA, listing, lambda page: page.says(MESSAGE))
    northside.press(ANA, listing, "/accept")

    answer = follower.wait_for_letter("/users/alice/inbox", since)
    assert answer.document["type"] == "Create"
    assert answer.document["to"] == [follower.actor("alice")]
    assert PUBLIC not in str(answer.document)
    assert "was accepted" in answer.document["object"]["content"]
    assert follower.wait_for_delivery("Create", answer.about).exchange.verdicts["http"] is True


def test_a_reply_changes_and_goes_as_its_author_wants(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request(f"Fix a tap ({follower.mode.name})")
    sent = follower.tell("send", content="<p>I come at ten.</p>", to=[northside.board], inReplyTo=listing)["object"]
    northside.wait_for_page(ANA, listing, lambda page: page.says("I come at ten."))
    assert follower.tell("fetch", url=listing)["json"]["replies"]["first"]["items"] == [sent]

    follower.tell("update", object=sent, content="<p>I come at noon.</p>", to=[northside.board])
    page = northside.wait_for_page(ANA, listing, lambda page: page.says("I come at noon."))
    assert not page.says("I come at ten.")

    follower.tell("delete", object=sent, to=[northside.board])
    northside.wait_for_page(ANA, listing, lambda page: not page.says("I come at noon."))
    assert follower.tell("fetch", url=f"{listing}/replies?page=true")["json"]["items"] == []
