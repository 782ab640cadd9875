"""Reports go both ways: theirs wait for our moderators, ours reach them in the name of our server."""

from fedaid.demo.browser import Page
from tests.interop.fedify import Peer
from tests.interop.northside import ANA, NORA, Northside
from tests.interop.transcript import check_signed_by


def _newest_case(northside: Northside, queue: Page) -> Page:
    cases = [link for link in queue.links if link.removeprefix("/reports/").isdigit()]
    return northside.browser(NORA).open(max(cases, key=lambda link: int(link.rpartition("/")[2])))


def test_a_report_of_theirs_waits_for_our_moderators_and_for_nobody_else(follower: Peer, northside: Northside) -> None:
    title = f"Sell me your watch ({follower.mode.name})"
    listing = northside.post_request(title)
    flag = {"type": "Flag", "object": [northside.board, listing], "content": "This is no mutual aid."}
    follower.tell("activity", activity=flag, to=[northside.board])
    queue = northside.wait_for_page(NORA, "/reports", lambda page: page.says(title))
    case = _newest_case(northside, queue)
    assert case.says("This is no mutual aid.")
    assert case.says(follower.origin.removeprefix("http://"))
    assert northside.browser(ANA).open("/reports").status == 403


def test_a_report_of_ours_reaches_them_in_the_name_of_our_server(follower: Peer, northside: Northside) -> None:
    listing = northside.post_request(f"Sit with my cat ({follower.mode.name})")
    rude = follower.tell("send", content="<p>Give your cat away!</p>", to=[northside.board], inReplyTo=listing)
    northside.wait_for_page(ANA, listing, lambda page: page.says("Give your cat away!"))
    ana, nora = northside.browser(ANA), northside.browser(NORA)
    ana.press(ana.open(f"/report?about={rude['object']}"), "/report", {"comment": "This hurts."})
    case = _newest_case(northside, nora.open("/reports"))
    assert case.says("This hurts.")
    nora.press(case, "/forward", {"words": "Please speak with her."})

    flag = follower.wait_for_delivery("Flag", follower.actor("alice"))
    check_signed_by(f"{northside.town.origin}/actor", flag)
    assert flag.activity["object"] == [follower.actor("alice"), rude["object"]]
    assert flag.activity["content"] == "Please speak with her."
    assert "ana" not in str(flag.activity).lower()  # who reported it is not said
