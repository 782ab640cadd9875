"""Who sees what, as each of them opens the page: everybody, the neighbouring town, members, a group, who was accepted."""

import pytest

from tests.browser.street import Street, Windows, arrives, link_to, listing_at


@pytest.mark.parametrize("seen_by", ["members", "group"])
def test_what_is_for_fewer_is_seen_by_nobody_else(street: Street, windows: Windows, seen_by: str) -> None:
    ana, handle = windows.of("ana"), windows.handle("singers")
    if seen_by == "group":
        ana.press(ana.open("/new-group"), "/new-group", {"name": windows.named("Singers"), "handle": handle})
    secret, known = (windows.named(f"{word} for {seen_by}") for word in ("A quiet word", "A loud word"))
    board = {"board": handle} if seen_by == "group" else {}
    typed = {"title": secret, "visibility": seen_by, **board}
    path = listing_at(ana.press(ana.open("/post?kind=request"), "/post?", typed))
    ana.press(ana.open("/post?kind=request"), "/post?", {"title": known})
    stranger = windows.new(street.north)
    assert stranger.open("/").says(known)
    assert not stranger.open("/").says(secret)
    assert stranger.open(path).status == 404
    assert windows.of("cleo").open(path).status == 200, "a coordinator looks after all of it"
    ben = windows.of("ben")
    assert not arrives(ben, "/", known).says(secret)


def test_the_name_the_place_and_the_number_come_one_after_the_other(street: Street, windows: Windows) -> None:
    ana, cleo, ben = (windows.of(handle) for handle in ("ana", "cleo", "ben"))
    title = windows.named("Sit with my father")
    private = {"exact_place": "77 Mill Lane, left bell", "contact": "0171 8765"}
    typed = {"title": title, "place": "near the mill", **private}
    path = listing_at(ana.press(ana.open("/post?kind=request"), "/post?", typed))
    stranger = windows.new(street.north).open(path)
    assert stranger.says("near the mill")
    at_bens = arrives(ben, "/", title)
    theirs = link_to(ben, title)
    for page in (stranger, at_bens, cleo.open(path)):
        assert not any(page.says(words) for words in private.values())
    assert not stranger.says("Ana")
    assert cleo.open(path).says("Ana")
    cleo.press(cleo.open(path), "/respond", {"message": "Gladly"})
    ben.press(ben.open(theirs), "/respond", {"message": "On Sunday"})
    arrives(ana, path, "On Sunday")
    assert not cleo.open(path).says("Mill Lane, left")
    ana.press(ana.open(path), "/accept", about="Gladly")
    assert all(cleo.open(path).says(words) for words in private.values())
    assert not any(ben.open(theirs).says(words) for words in private.values())
