"""What htmx adds where scripts run: a page that swaps what changed, says so, and leaves nobody's focus behind."""

import playwright.sync_api as playwright
import pytest

from tests.browser.chromium import Window
from tests.browser.street import Street, Windows, listing_at

SHOWN = playwright.expect


@pytest.fixture(scope="module")
def scripts() -> bool:
    return True


def stay(window: Window) -> None:
    """Marks the open page, to see whether it is still the same one later."""
    window.page.evaluate("window.isStillThere = true")


def stayed(window: Window) -> bool:
    return bool(window.page.evaluate("window.isStillThere === true"))


def focused(window: Window) -> str:
    """What the focus is on: its id, else its words."""
    return str(window.page.evaluate("document.activeElement.id || document.activeElement.innerText"))


def posted(window: Window, title: str, kind: str = "request") -> str:
    return listing_at(window.press(window.open(f"/post?kind={kind}"), "/post?", {"title": title}))


def test_a_filter_swaps_the_list_and_keeps_the_address(windows: Windows) -> None:
    ana, page = windows.of("ana"), windows.of("ana").page
    ana.open("/board")
    stay(ana)
    page.get_by_role("link", name="Offers", exact=True).click()
    page.wait_for_url("**/board?kind=offer")
    SHOWN(page.locator("#found .card.request")).to_have_count(0)
    assert focused(ana) == "Offers"
    page.fill("#q", "spanish")
    page.press("#q", "Enter")
    page.wait_for_url("**q=spanish**")
    SHOWN(page.locator("#count")).to_contain_text("shown")
    assert focused(ana) == "q"
    assert stayed(ana)
    page.go_back()
    page.wait_for_url("**/board?kind=offer")
    SHOWN(page.locator("#q")).to_have_value("")
    SHOWN(page.locator('.chip[aria-current="true"]')).to_have_text("Offers")


def test_the_preview_follows_the_words_and_what_is_written_is_kept(windows: Windows) -> None:
    ana, page = windows.of("ana"), windows.of("ana").page
    ana.open("/post?kind=offer")
    stay(ana)
    page.fill("#title", "Bread for the street")
    SHOWN(page.locator("#preview h3")).to_have_text("Bread for the street")
    SHOWN(page.locator("#preview .bubble")).to_contain_text("Offer: Bread for the street")
    ana.unfold("#visibility")
    page.select_option("#visibility", "members")
    SHOWN(page.locator("#preview")).to_contain_text("nothing of it leaves this neighbourhood")
    page.fill("#title", "")
    SHOWN(page.locator("#preview")).to_contain_text("Please say in one sentence")
    page.fill("#title", "Bread and cake")
    SHOWN(page.locator("#preview h3")).to_have_text("Bread and cake")
    assert focused(ana) == "title"
    assert stayed(ana)
    assert ana.open("/me").says("Bread and cake")
    ana.press(ana.open("/post?kind=offer"), "/post/forget")


def test_a_card_takes_the_answer_itself(windows: Windows) -> None:
    ana, cleo = windows.of("ana"), windows.of("cleo")
    path = posted(ana, "Hang up a lamp")
    number = path.rpartition("/")[2]
    cleo.open("/board")
    stay(cleo)
    card = cleo.page.locator(f"#card-{number}")
    card.get_by_role("link", name="I can help").click()
    SHOWN(card.get_by_label("A line to them")).to_be_focused()
    card.get_by_label("A line to them").fill("I have a ladder")
    card.get_by_role("button", name="I can help").click()
    SHOWN(card).to_contain_text("They have not answered yet")
    SHOWN(cleo.page.locator("#said")).to_have_text("Your offer of help is on its way.")
    assert cleo.page.url.endswith("/board")
    assert stayed(cleo)
    assert focused(cleo) == f"card-{number}"
    assert ana.open(path).says("I have a ladder")


def test_a_refused_answer_says_why_and_keeps_the_words(windows: Windows) -> None:
    ana, cleo = windows.of("ana"), windows.of("cleo")
    path = posted(ana, "Only today")
    cleo.open(path)
    stay(cleo)
    field = cleo.page.get_by_label("A line to them")
    field.fill("x" * 6000)
    cleo.page.get_by_role("button", name="I can help").click()
    SHOWN(cleo.page.locator(".wrong")).to_be_focused()
    assert len(field.input_value()) == 6000
    assert stayed(cleo)


def test_accepting_and_extending_swap_what_changed_and_are_said_aloud(windows: Windows) -> None:
    ana, cleo = windows.of("ana"), windows.of("cleo")
    path = posted(ana, "Mend a chair")
    cleo.press(cleo.open(path), "/respond", {"message": "I have glue"})
    ana.open(path)
    stay(ana)
    said = ana.page.locator("#said")
    handle = said.element_handle()
    ana.page.get_by_role("button", name="Accept").click()
    SHOWN(said).to_have_text("Accepted. They will be told.")
    SHOWN(ana.page.locator("#agreed")).to_contain_text("Cleo")
    assert focused(ana)
    ana.page.get_by_role("button", name="Keep it longer").click()
    SHOWN(said).to_have_text("It stays on the board longer.")
    assert handle is not None
    assert handle.evaluate("one => one.isConnected"), "a screen reader listens to an element that is still there"
    assert stayed(ana)


def test_confirming_on_my_day_takes_its_card_away(windows: Windows) -> None:
    ana, cleo = windows.of("ana"), windows.of("cleo")
    cleo.press(cleo.open("/hours/claim"), "/hours/claim", {"to": "ana", "hours": "0:15", "note": "Carrying"})
    ana.open("/me")
    stay(ana)
    card = ana.page.locator(".card.hours", has_text="Carrying")
    card.get_by_role("button", name="Confirm").click()
    SHOWN(card).to_have_count(0)
    SHOWN(ana.page.locator("#said")).to_contain_text("Confirmed")
    assert focused(ana) == "waiting"
    assert stayed(ana)


def test_what_takes_longer_than_a_second_is_said(windows: Windows) -> None:
    ana, page = windows.of("ana"), windows.of("ana").page
    ana.open("/board")
    page.route("**/board?kind=request", lambda route: (page.wait_for_timeout(1500), route.continue_()))
    page.get_by_role("link", name="Requests", exact=True).click()
    SHOWN(page.locator("#found")).to_have_attribute("aria-busy", "true")
    SHOWN(page.get_by_text("One moment")).to_be_visible()
    SHOWN(page.locator("#busy")).to_be_empty()
    assert page.locator("[aria-busy]").count() == 0
    page.unroute("**/board?kind=request")


def test_a_line_that_breaks_is_said_and_nothing_is_lost(windows: Windows, street: Street) -> None:
    ana, cleo = windows.of("ana"), windows.new(street.north)
    cleo.sign_in("cleo", "neighbours help")
    cleo.open(posted(ana, "Hold the ladder"))
    cleo.page.route("**/respond", lambda route: route.abort())
    cleo.page.get_by_label("A line to them").fill("On my way")
    cleo.page.get_by_role("button", name="I can help").click()
    SHOWN(cleo.page.locator("#busy")).to_contain_text("That did not arrive")
    SHOWN(cleo.page.get_by_label("A line to them")).to_have_value("On my way")
    assert len(cleo.troubles) == 1
    cleo.troubles.clear()


def test_who_was_signed_out_meanwhile_is_led_to_the_door(windows: Windows, street: Street) -> None:
    path = posted(windows.of("ana"), "Read aloud")
    window = windows.new(street.north)
    window.sign_in("cleo", "neighbours help")
    window.open(path)
    window.page.context.clear_cookies()
    window.page.get_by_role("button", name="I can help").click()
    window.page.wait_for_url("**/sign-in**")
