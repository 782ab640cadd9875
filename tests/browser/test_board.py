"""The board as neighbours click it: written, looked at, answered across two towns, agreed, done, and paid in hours."""

from pathlib import Path

import pytest
from PIL import Image

from tests.browser.street import Street, Windows, arrives, link_to, listing_at


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "sofa.png"
    Image.new("RGB", (640, 480), "seagreen").save(file)
    return file


def test_a_request_is_looked_at_kept_as_a_draft_and_posted_with_a_photo(windows: Windows, photo: Path) -> None:
    ana, title = windows.of("ana"), windows.named("A green sofa to the second floor")
    typed = {"title": title, "place": "near Rose Street", "starts_at": "2027-03-06T10:00", "hours": "2"}
    page = ana.press(ana.open("/post?kind=request"), "/post?", typed, button="Look at it first")
    assert page.says("How neighbours will see it")
    assert page.says("As people on Mastodon see it")
    assert page.says("6 Mar 2027")
    page = ana.press(page, "/post?", {}, button="Keep it for later")
    assert page.says("You have begun to write")
    assert page.says(title)
    page = ana.open("/post?kind=request")
    assert ana.page.input_value("#title") == title
    ana.unfold("#photo")
    ana.page.set_input_files("#photo", photo)
    page = ana.press(page, "/post?", {})
    assert page.status == 422, "a photo needs words for those who do not see it"
    page = ana.press(page, "/post?", {"alt": "A green sofa"})
    assert page.says("It is on the board.")
    assert ana.page.get_by_alt_text("A green sofa").is_visible()
    assert not ana.open("/me").says("You have begun to write")


def test_several_help_and_one_comes_from_the_other_town(street: Street, windows: Windows) -> None:
    ana, cleo, nora, ben = (windows.of(handle) for handle in ("ana", "cleo", "nora", "ben"))
    title = windows.named("Carry boxes to the library")
    typed = {"title": title, "people": "2", "hours": "1:30", "exact_place": "12 Rose Street", "contact": "0171 555"}
    path = listing_at(ana.press(ana.open("/post?kind=request"), "/post?", typed))
    page = cleo.press(cleo.open(path), "/respond", {"message": "I have a handcart."})
    assert page.says("Your offer of help is on its way.")
    assert not page.says("12 Rose Street")
    nora.press(nora.open(path), "/respond", {"message": "Perhaps, in the evening."})
    assert nora.press(nora.open(path), "/withdraw").says("You took your offer back.")
    arrives(ben, "/", title)
    theirs = link_to(ben, title)
    ben.press(ben.open(theirs), "/respond", {"message": "My van is free."})
    page = arrives(ana, path, "My van is free.")
    page = ana.press(page, "/decline", {"reason": "We have a van now"}, about="handcart")
    assert page.says("Declined. They will be told.")
    assert cleo.open(path).says("We have a van now")
    page = ana.press(ana.open(path), "/accept", about="My van")
    assert page.says("Accepted. They will be told.")
    page = arrives(ben, theirs, "12 Rose Street")
    assert page.says("0171 555")
    ana.press(ana.open(path), "/say", {"text": "The bell is broken, please knock."}, about="My van")
    page = arrives(ben, theirs, "please knock")
    page = ben.press(page, "/say", {"text": "I will sing."})
    assert page.says("Sent.")
    arrives(ana, path, "I will sing.")
    claim = ben.open(theirs).link("/hours/claim")
    ben.press(ben.open(claim), "/hours/claim", {"hours": "1:30"})
    arrives(ana, "/me", "Ben says they gave you 1 h 30")
    page = ana.press(ana.open("/me"), "/hours/confirm", about="Ben says they gave you 1 h 30")
    assert page.says("Confirmed")
    assert ana.open(path).says("Done, thank you.")
    arrives(ben, "/hours", "+1:30")


def test_a_gift_is_done_and_an_agreement_called_off_without_hours(windows: Windows) -> None:
    ana, cleo = windows.of("ana"), windows.of("cleo")
    for title, press, said in (("Seedlings", "/done", "marked as done"), ("Jam jars", "/cancel", "called off")):
        typed = {"title": windows.named(title), "mode": "gift"}
        path = listing_at(ana.press(ana.open("/post?kind=offer"), "/post?", typed))
        assert cleo.press(cleo.open(path), "/respond", {"message": "Gladly"}).says("on its way")
        ana.press(ana.open(path), "/accept")
        assert cleo.press(cleo.open(path), press).says(said)


def test_what_is_offered_every_week_stays_when_somebody_had_it(windows: Windows) -> None:
    ana, cleo = windows.of("ana"), windows.of("cleo")
    typed = {"title": windows.named("Spanish on Saturdays"), "rhythm": "weekly", "mode": "gift"}
    path = listing_at(ana.press(ana.open("/post?kind=offer"), "/post?", typed))
    cleo.press(cleo.open(path), "/respond", {"message": "Me"})
    assert ana.press(ana.open(path), "/accept").says("every week")
    ana.press(ana.open(path), "/done")
    assert windows.of("nora").open(path).says("I would like this")


def test_a_listing_is_kept_longer_changed_reported_taken_down_and_posted_again(windows: Windows) -> None:
    ana, cleo, title = windows.of("ana"), windows.of("cleo"), windows.named("Water the plants")
    path = listing_at(ana.press(ana.open("/post?kind=request"), "/post?", {"title": title}))
    assert ana.press(ana.open(path), "/extend").says("It stays on the board longer.")
    page = ana.press(ana.open(f"{path}/edit"), "/edit", {"place": "Mill Lane"})
    assert page.says("Your changes are kept.")
    assert page.says("Mill Lane")
    cleo.press(cleo.open(cleo.open(path).link("/report?")), "/report", {"comment": windows.named("Not our street")})
    assert cleo.open("/reports").says("Ana")
    cleo.press(cleo.open(path), "/respond", {"message": "Gladly"})
    ana.press(ana.open(path), "/accept")
    assert ana.press(ana.open(path), "/withdraw").says("It is taken off the board.")
    assert not ana.open("/board").says(title)


def test_what_was_posted_before_is_posted_again_with_its_words(windows: Windows) -> None:
    ana, cleo, title = windows.of("ana"), windows.of("cleo"), windows.named("A cake for the street")
    path = listing_at(ana.press(ana.open("/post?kind=offer"), "/post?", {"title": title, "mode": "gift"}))
    cleo.press(cleo.open(path), "/respond", {"message": "Me"})
    ana.press(ana.open(path), "/accept")
    ana.press(ana.open(path), "/done")
    page = ana.open(ana.open(path).link("repeat="))
    assert ana.page.input_value("#title") == title
    assert listing_at(ana.press(page, "/post?", {})) != path
