"""Mails as they are met by clicking: the admin tries the mail server, a notice comes by mail and is ended from there."""

import re
import time
from collections.abc import Iterator

import playwright.sync_api as playwright
import pytest

from fedaid.demo.servers import Person, Town
from tests.browser.street import Windows, alone, listing_at
from tests.notices.postbox import Postbox, postbox, text_of

OTTO, ANA, CLEO = Person("otto", "Otto", "admin"), Person("ana", "Ana", "member"), Person("cleo", "Cleo", "member")
ARRIVES_SECONDS_MAX = 60
NEW_PASSWORD = "four words that rhyme"


@pytest.fixture(scope="module")
def box() -> Iterator[Postbox]:
    with postbox() as opened:
        yield opened


@pytest.fixture(scope="module")
def hill(tmp_path_factory: pytest.TempPathFactory, box: Postbox, scripts: bool) -> Iterator[Town]:
    """A neighbourhood with a mail server."""
    mail = {
        "FEDAID_MAIL__HOST": "127.0.0.1",
        "FEDAID_MAIL__PORT": str(box.port),
        "FEDAID_MAIL__SECURITY": "none",
        "FEDAID_MAIL__LOOK_SECONDS": "0.2",
    }
    with alone(tmp_path_factory.mktemp("hill"), OTTO, ANA, CLEO, environment=mail) as town:
        yield town


@pytest.fixture(scope="module")
def windows(browser: playwright.Browser, hill: Town, scripts: bool) -> Iterator[Windows]:
    with Windows(browser, hill, scripts=scripts) as opened:
        yield opened
    assert opened.troubles == []


def mailed(box: Postbox, to: str) -> str:
    """The newest mail to somebody, when it has come."""
    deadline = time.monotonic() + ARRIVES_SECONDS_MAX
    while time.monotonic() < deadline:
        found = [mail for mail in box.mails if to in str(mail["To"])]
        if found:
            box.mails.clear()
            return text_of(found[-1])
        time.sleep(0.1)
    raise AssertionError(f"no mail to {to} within {ARRIVES_SECONDS_MAX} seconds")


def link(mail: str, part: str) -> str:
    """The address in a mail that holds this."""
    found = re.search(rf"http\S*{re.escape(part)}\S*", mail)
    assert found is not None, mail
    return found[0]


def test_the_admin_tries_the_mail_server_and_reads_what_it_says(windows: Windows, box: Postbox) -> None:
    otto = windows.of("otto")
    box.says = "554 Not from you"
    address = {"address": "otto@mail.example"}
    page = otto.press(otto.open(otto.open("/mail").link("/neighbourhood/mail")), "/neighbourhood/mail", address)
    assert page.says("554 Not from you"), page.text[:600]
    assert otto.page.input_value("#address") == "otto@mail.example"
    box.says = ""
    page = otto.press(page, "/neighbourhood/mail")
    assert page.says("The mail server took it."), page.text[:600]
    assert mailed(box, "otto@mail.example")


def test_a_notice_comes_by_mail_and_one_click_from_it_ends_them(windows: Windows, box: Postbox) -> None:
    ana, cleo, title = windows.of("ana"), windows.of("cleo"), windows.named("Water the tomatoes")
    ana.press(ana.open("/me/account"), "/me/account/reach", {"email": "ana@mail.example"})
    ana.open("/me/notices")
    for name in ana.page.locator("main select").evaluate_all("all => all.map(one => one.name)"):
        ana.press(ana.open("/me/notices"), "/me/notices", {str(name): "at_once"})
    path = listing_at(ana.press(ana.open("/post?kind=request"), "/post?", {"title": title}))
    cleo.press(cleo.open(path), "/respond", {"message": "On Monday."})
    mail = mailed(box, "ana@mail.example")
    assert title in mail
    stranger = windows.new(windows.town)  # a mail program knows no session
    page = stranger.press(stranger.open(link(mail, "/unsubscribe")), "/unsubscribe")
    assert page.says("Done. No mail about notices comes any more"), page.text[:600]
    ana.open("/me/notices")
    chosen = ana.page.locator("main select").evaluate_all("all => all.map(one => one.value)")
    assert not {"at_once", "weekly"} & set(chosen)


def test_who_forgot_the_password_chooses_a_new_one_from_a_mail(windows: Windows, box: Postbox) -> None:
    window = windows.new(windows.town)
    page = window.press(window.open("/recover/mail"), "/recover/mail", {"handle": "ana"})
    assert page.says("a link is on its way there"), page.text[:600]
    address = link(mailed(box, "ana@mail.example"), "/recover")
    assert window.press(window.open(address), "/recover", {"password": NEW_PASSWORD}).status == 200
    again = windows.new(windows.town)
    again.sign_in("ana", NEW_PASSWORD)
    assert windows.new(windows.town).open(address).status == 404
