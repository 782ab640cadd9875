"""Joining as it is clicked: a new neighbourhood is set up, people come in three ways, come in again, and leave."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import playwright.sync_api as playwright
import pytest

from fedaid.demo.servers import PASSWORD, Person, Town
from tests.browser.chromium import Window
from tests.browser.street import Windows, alone
from tests.browser.test_accessibility import RULES, violations

OTTO = Person("otto", "Otto", "admin")
NEW_PASSWORD = "four words that rhyme"


@pytest.fixture(scope="module")
def hill(tmp_path_factory: pytest.TempPathFactory, scripts: bool) -> Iterator[Town]:
    """A neighbourhood that was founded just now, with nobody but its admin."""
    with alone(tmp_path_factory.mktemp("hill"), OTTO) as town:
        yield town


@pytest.fixture(scope="module")
def windows(browser: playwright.Browser, hill: Town, scripts: bool) -> Iterator[Windows]:
    with Windows(browser, hill, scripts=scripts) as opened:
        yield opened
    assert opened.troubles == []


def let_join(windows: Windows, way: str, questions: str = "") -> None:
    otto = windows.of("otto")
    page = otto.press(
        otto.open("/neighbourhood/joining"), "/neighbourhood/joining", {"joining": way, "questions": questions}
    )
    assert page.says("Your changes are kept."), page.text


def joins(window: Window, address: str, handle: str, **more: str) -> None:
    typed = {"name": handle.title(), "handle": handle, "password": PASSWORD, "agreed_to": "1", **more}
    window.press(window.open(address), "/join", typed)


def invitation(windows: Windows, **typed: str) -> str:
    otto = windows.of("otto")
    otto.press(otto.open("/invitations"), "/invitations", {"uses": "1", "days": "7", **typed})
    assert otto.page.get_by_role("img", name="A code with the link beneath it").is_visible()
    return otto.page.locator("figcaption.code").inner_text().strip()


def test_the_admin_sets_the_neighbourhood_up_page_by_page(windows: Windows) -> None:
    otto = windows.of("otto")
    assert otto.open("/me").says("Some questions about your neighbourhood are open still.")
    page = otto.open(otto.open("/setup").link("/neighbourhood/name"))
    page = otto.press(page, "/neighbourhood/name", {"area": "Between the mill and the park", "about": "We share."})
    page = otto.press(page, "/neighbourhood/joining", {"joining": "invitation"})
    page = otto.press(page, "/neighbourhood/categories/add", {"name": "Cakes"})
    page = otto.press(page, "/setup", {})
    page = otto.press(page, "/neighbourhood/agreement", {"text": "Be kind, and come when you said so."})
    page = otto.press(page, "/neighbourhood/group", {"name": "Tool library", "handle": "tools"})
    while not page.says("All is set up"):  # the last pages are only looked at
        page = otto.press(page, "/setup", {})
    assert windows.new(windows.town).open("/").says("We share.")


def test_somebody_comes_with_an_invitation_that_is_good_once(windows: Windows) -> None:
    link = invitation(windows, note="Rose Street")
    kira = windows.new(windows.town)
    joins(kira, link, "kira")
    assert kira.open("/me").says("Good to see you, Kira")
    assert windows.new(windows.town).open(link).says("This invitation is not good any more")


def test_a_form_to_join_that_is_refused_keeps_what_was_typed(windows: Windows) -> None:
    window = windows.new(windows.town)
    joins(window, invitation(windows), "otto")
    assert window.page.get_by_role("alert").is_visible()
    assert window.page.input_value("#name") == "Otto"


def test_anybody_may_come_where_the_door_is_open(windows: Windows) -> None:
    let_join(windows, "open")
    lena = windows.new(windows.town)
    joins(lena, "/join", "lena", email="lena@example.org")
    assert lena.open("/me").says("Good to see you, Lena")


def test_somebody_applies_and_is_let_in_and_another_is_declined(windows: Windows) -> None:
    let_join(windows, "application", "Where do you live?")
    otto, mona, paul = windows.of("otto"), windows.new(windows.town), windows.new(windows.town)
    joins(mona, "/join", "mona", **{"answer-0": "Mill Lane"})
    joins(paul, "/join", "paul", **{"answer-0": "Far away"})
    assert otto.open("/me").says("2 people wait for an answer.")
    page = otto.press(otto.open("/applications"), "/accept", about="Mill Lane")
    assert page.says("Let in.")
    otto.press(page, "/decline", {"sentence": "Your own street has one too."}, about="Far away")
    assert paul.page.reload() is not None
    assert paul.page.get_by_text("Your own street has one too.").is_visible()
    assert not paul.scripts or not violations(paul, RULES)
    mona.sign_in("mona", PASSWORD)


def test_roles_are_given_and_open_the_desks(windows: Windows) -> None:
    otto, kira = windows.of("otto"), windows.new(windows.town)
    kira.sign_in("kira", PASSWORD)
    assert kira.open("/reports").status == 403
    assert otto.press(otto.open("/members/kira"), "/role", {"role": "coordinator"}).says("The role is changed")
    assert kira.open("/reports").status == 200
    kira.press(kira.open("/me/account"), "/sign-out")


def test_a_new_agreement_is_asked_for_before_the_next_post_and_then_carried_out(windows: Windows) -> None:
    otto, kira = windows.of("otto"), windows.new(windows.town)
    typed = {"text": "Be kind, and bring cake.", "asks_again": "1"}
    otto.press(otto.open("/neighbourhood/agreement"), "/neighbourhood/agreement", typed)
    kira.sign_in("kira", PASSWORD)
    assert kira.open("/me").says("Our agreement has changed.")
    page = kira.press(kira.open("/post?kind=request"), "/post?", {"title": "A cup of flour"})
    assert page.says("bring cake")
    assert not kira.scripts or not violations(kira, RULES)
    assert not kira.open("/board").says("A cup of flour")
    page = kira.press(kira.press(kira.open("/post?kind=request"), "/post?", {"title": "A cup of flour"}), "/agreement?")
    assert page.says("A cup of flour")
    assert kira.open("/board").says("A cup of flour")


def test_sessions_are_seen_and_ended(windows: Windows) -> None:
    phone, desk = windows.new(windows.town), windows.new(windows.town)
    for window in (phone, desk):
        window.sign_in("lena", PASSWORD)
    assert phone.open("/me/account").says("Where you are signed in")
    assert phone.press(phone.open("/me/account"), "/me/account/end-others").says("signed out everywhere but here")
    assert desk.open("/me").url.startswith(f"{windows.town.origin}/sign-in")
    assert phone.open("/me").status == 200


def test_who_forgot_the_password_comes_in_again_by_a_link_that_is_good_once(windows: Windows) -> None:
    otto, mona = windows.of("otto"), windows.new(windows.town)
    otto.press(otto.open("/members/mona"), "/members/mona/link")
    link = otto.page.locator("figcaption.code").inner_text().strip()
    mona.press(mona.open(link), "/recover", {"password": NEW_PASSWORD})
    mona.sign_in("mona", NEW_PASSWORD)
    assert windows.new(windows.town).open(link).status in (404, 410, 422)
    assert mona.open("/me/account").says("Made by Otto")


def test_somebody_takes_their_data_and_leaves_and_what_is_open_is_told_first(windows: Windows) -> None:
    kira = windows.new(windows.town)
    kira.sign_in("kira", PASSWORD)
    with kira.page.expect_download() as download:
        kira.open("/me/data")
        kira.page.get_by_role("link", name="Get the file").click()
    packed = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert any(b"A cup of flour" in packed.read(name) for name in packed.namelist())
    page = kira.open("/me/leave")
    assert page.says("A cup of flour") or page.says("1 listing")
    wrong = kira.press(page, "/me/leave", {"password": "wrong password", "sure": "yes"})
    assert wrong.status == 422
    gone = kira.press(kira.open("/me/leave"), "/me/leave", {"password": PASSWORD, "sure": "yes"})
    assert gone.says("You have left.")
    assert kira.open("/me").url.startswith(f"{windows.town.origin}/sign-in")
