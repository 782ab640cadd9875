"""Notices as they are read: counted in the bar, live where scripts run, chosen by kind and way, and read."""

from playwright.sync_api import expect

from tests.browser.chromium import ANSWER_MS_MAX
from tests.browser.street import Windows, listing_at


def test_an_answer_is_noticed_and_opened_from_the_centre(windows: Windows) -> None:
    ana, cleo, title = windows.of("ana"), windows.of("cleo"), windows.named("Feed the cat")
    path = listing_at(ana.press(ana.open("/post?kind=request"), "/post?", {"title": title}))
    answered = windows.of("nora").press(windows.of("nora").open(path), "/respond", {"message": "On Sundays."})
    assert answered.says("Your offer of help is on its way."), answered.text[:600]
    ana.press(ana.open("/notices"), "/notices/read")
    count = ana.page.locator("[data-number]")
    expect(count).to_be_hidden()
    if windows.scripts:
        ana.open("/board")
    cleo.press(cleo.open(path), "/respond", {"message": "I have two of my own."})
    if not windows.scripts:
        ana.open("/board")
    expect(count).to_have_text("1", timeout=ANSWER_MS_MAX)
    page = ana.open("/notices")
    assert page.says(title)
    assert ana.press(page, "/open", about=title).url.startswith(ana.origin + path)
    ana.open("/notices")
    expect(count).to_be_hidden()


def test_what_is_told_and_how_is_chosen_by_kind(windows: Windows) -> None:
    ana = windows.of("ana")
    ana.open("/me/notices")
    topic = ana.page.locator("main select").first
    name, before = topic.get_attribute("name") or "", topic.input_value()
    ways: list[str] = topic.locator("option").evaluate_all("all => all.map(one => one.value)")
    for way in (*ways, before):  # and at the end as the next ones need it
        page = ana.press(ana.open("/me/notices"), "/me/notices", {name: way})
        assert page.says("Your choices are kept.")
        assert ana.page.locator("main select").first.input_value() == way
