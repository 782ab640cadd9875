"""axe finds nothing on any page, light and dark, on a desktop and on a phone; and no page is wider than the phone."""

import playwright.sync_api as playwright
import pytest
from axe_playwright_python.sync_playwright import Axe

from fedaid.demo.servers import PASSWORD
from tests.browser.chromium import DARK_DESKTOP, DARK_PHONE, DESKTOP, PHONE, Window
from tests.browser.street import Street
from tests.browser.walk import walk

# Beyond what axe checks by default: WCAG 2.2 AA asks for targets of 24 px.
RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
COLOURS = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": ["color-contrast", "target-size"]}}
PAGES_MIN = {"": 6, "ana": 20, "cleo": 22, "nora": 30}  # fewer, and the walk would have gone astray


@pytest.mark.parametrize("who", PAGES_MIN, ids=lambda who: who or "signed out")
def test_axe_finds_nothing_on_any_page(browser: playwright.Browser, street: Street, who: str) -> None:
    window = Window(browser, street.north.origin)
    if who:
        window.sign_in(who, PASSWORD)
    found: list[str] = []
    pages = 0
    for path in walk(window):
        pages += 1
        for screen, options in ((DESKTOP, RULES), (DARK_PHONE, RULES), (DARK_DESKTOP, COLOURS), (PHONE, COLOURS)):
            window.look(screen)
            found += [f"{path} ({screen.name}): {one}" for one in _violations(window, options)]
        found += [f"{path}: {wide}" for wide in _wider_than_the_screen(window)]
        window.look(DESKTOP)
    window.close()
    assert not found, "\n".join(found)
    assert not window.troubles, "\n".join(window.troubles)
    assert pages >= PAGES_MIN[who]


def _violations(window: Window, options: dict[str, object]) -> list[str]:
    answer = Axe().run(window.page, options=options).response
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in answer["violations"]
    ]


def _wider_than_the_screen(window: Window) -> list[str]:
    """On a phone nobody has to push a page sideways (WCAG 1.4.10)."""
    window.look(PHONE)
    wide = window.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{wide} px wider than a phone"] if wide > 0 else []
