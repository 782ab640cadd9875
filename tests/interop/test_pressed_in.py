"""What people of a server that is not ours press below a listing is kept for its author, and taken back when they do."""

from tests.interop.fedify import Peer
from tests.interop.northside import ANA, NORA, Northside

PRESSED = "Elsewhere: liked 1 time, passed on 1 time."


def test_a_like_and_a_boost_are_seen_by_the_author_alone_and_can_be_taken_back(
    follower: Peer, northside: Northside
) -> None:
    listing = northside.post_request(f"Prune an apple tree ({follower.mode.name})")
    like = follower.tell("like", object=listing)["id"]
    boost = follower.tell("announce", object=listing, to=[northside.board])["id"]
    northside.wait_for_page(ANA, listing, lambda page: page.says(PRESSED))
    assert not northside.browser(NORA).open(listing).says("Elsewhere:")
    assert not northside.as_stranger_sees(listing).says("Elsewhere:")
    assert not {"likes", "shares"} & set(follower.tell("fetch", url=listing)["json"])

    for pressed in (like, boost):
        follower.tell("undo", activity=pressed, to=[northside.board])
    northside.wait_for_page(ANA, listing, lambda page: not page.says("Elsewhere:"))
