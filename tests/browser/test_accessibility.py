"""Every page, of everybody who may see it: axe finds nothing, light and dark, wide and narrow; and what axe cannot see.

The pages are those of the app's own table of addresses, so a new one cannot be forgotten. Who comes second to a page of
some kind looks at it on a dark phone and a light desktop; whoever comes first, on the other two as well.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import playwright.sync_api as playwright
import pytest
from axe_playwright_python.sync_playwright import Axe

from fedaid.demo.servers import PASSWORD
from fedaid.foundation.i18n import PSEUDO
from tests.browser.chromium import DARK_DESKTOP, DARK_PHONE, DESKTOP, NARROW, PHONE, Window
from tests.browser.street import Street, furnish
from tests.browser.walk import kind, walk
from tests.docs.routes_table import addresses
from tests.locales.reading import read, untranslated, written

# Beyond what axe checks by default: WCAG 2.2 AA asks for targets of 24 px.
RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
COLOURS = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": ["color-contrast", "target-size"]}}
FIRST = ((DESKTOP, RULES), (DARK_PHONE, RULES), (DARK_DESKTOP, COLOURS), (PHONE, COLOURS))
AGAIN = ((DESKTOP, COLOURS), (DARK_PHONE, RULES))
PAGES_MIN = {"nora": 30, "cleo": 22, "ana": 20, "": 6}  # fewer, and the walk would have gone astray
TOUCH_PX_MIN = 44
FIRST_LOAD_BYTES_MAX = 100_000

# Addresses that answer GET with a document for machines, a file or a picture.
FOR_MACHINES = re.compile(
    r"^/(\.well-known|nodeinfo|api|actors|users|ap|static|livez|readyz|ledger|categories|tags|pictures|agreements|responses)\b"
    r"|/(inbox|outbox|followers|following|featured|live|photo|replies|context|shared|pictures)\b"
    r"|\.(csv|json|zip|beancount|atom|ics)$"
)
# Pages that nobody reaches by a link, and why nobody walks there.
EXCEPTIONS: Mapping[str, str] = {
    "/activities/{number}": "what was sent, for other servers",
    "/actor": "the server, for other servers",
    "/actor/followers_synchronization": "for other servers",
    "/groups/{handle}": "a group, for other servers; people come to /@handle",
    "/groups/{handle}/followers_synchronization": "for other servers",
    "/groups/{handle}/moderators": "for other servers",
    "/skills": "the directory, for other servers",
    "/agreement": "nobody on this street has one; test_joining looks at it",
    "/application": "its address is told to whoever applies; test_joining looks at it",
    "/unsubscribe": "its address stands in mails, and this street sends none",
    "/keep-longer": "the same",
    "/listings/{number}/neighbours": "only beside an open request of one's own; tests/matching looks at it",
    "/deliveries/{host}/forget": "only where something waits that was given up",
    "/networks/{host}/statements/{number}": "only once two timebanks have compared their books over days",
}


@dataclass
class Walked:
    """What was found on the pages of all who walked, each as “path: what”."""

    paths: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    counted: dict[str, int] = field(default_factory=dict)
    axe: list[str] = field(default_factory=list)
    shape: list[str] = field(default_factory=list)
    touch: list[str] = field(default_factory=list)
    focus: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    heavy: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


def pages_of_the_app() -> list[str]:
    return [one.path for one in addresses() if "GET" in one.methods and not FOR_MACHINES.search(one.path)]


@pytest.fixture(scope="module")
def walked(browser: playwright.Browser, street: Street) -> Walked:
    found, told = Walked(), furnish(street)
    without_variable = [path for path in pages_of_the_app() if "{" not in path]
    for who in PAGES_MIN:
        window = Window(browser, street.north.origin)
        if who:
            window.sign_in(who, PASSWORD)
        found.counted[who] = 0
        for path in walk(window, *without_variable, *told.get(who, ())):
            found.counted[who] += 1
            found.paths.add(path.partition("?")[0])
            _look(window, path, found)
            found.kinds.add(kind(path))
        found.troubles += window.troubles
        window.close()
    return found


def _look(window: Window, path: str, found: Walked) -> None:
    found.heavy += [f"{path}: {heavy}" for heavy in _heavier_than_allowed(window)]
    for screen, options in AGAIN if kind(path) in found.kinds else FIRST:
        window.look(screen)
        found.axe += [f"{path} ({screen.name}): {one}" for one in violations(window, options)]
    found.touch += [f"{path}: {one}" for one in window.page.evaluate(SMALL_BUTTONS, TOUCH_PX_MIN)]
    found.shape += [f"{path}: {one}" for one in window.page.evaluate(SHAPE)]
    window.look(NARROW)
    found.wide += [f"{path}: {px} px" for px in [window.page.evaluate(TOO_WIDE)] if px > 0]
    window.look(DESKTOP)
    found.focus += [f"{path}: {one}" for one in _unseen_focus(window)]


AXE = Axe().axe_script
RUN_AXE = """options => axe.run(options).then(({violations}) => violations.map(one =>
    `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 120))}`))"""


def violations(window: Window, options: dict[str, object]) -> list[str]:
    """What axe says of the open page; it is brought there once."""
    if not window.page.evaluate("'axe' in window"):
        window.page.evaluate(AXE)
    found: list[str] = window.page.evaluate(RUN_AXE, options)
    return found


TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL_BUTTONS = """least => [...document.querySelectorAll('button, .btn, summary, .tabs a, .tool')]
    .map(one => [one, one.getBoundingClientRect()])
    .filter(([one, box]) => box.width && (box.height < least - .5 || box.width < least - .5) && one.checkVisibility())
    .map(([one, box]) => `${box.width} x ${box.height}: ${one.outerHTML.slice(0, 120)}`)"""
SHAPE = """() => {
    const root = document.documentElement, wrong = [];
    const heads = document.querySelectorAll('h1').length;
    if (heads !== 1) wrong.push(`${heads} first headings`);
    if (!/^.+ · .+$/.test(document.title)) wrong.push(`title ${document.title}`);
    if (root.lang !== 'en' || root.dir !== 'ltr') wrong.push(`lang ${root.lang} dir ${root.dir}`);
    for (const one of document.querySelectorAll('[id]'))
        if (document.querySelectorAll(`[id="${CSS.escape(one.id)}"]`).length > 1) wrong.push(`twice: ${one.id}`);
    return wrong; }"""
RING = """() => { const one = document.activeElement, style = getComputedStyle(one);
    return [one.tagName, parseFloat(style.outlineWidth), style.outlineStyle, one.outerHTML.slice(0, 100)]; }"""


def _unseen_focus(window: Window) -> Iterator[str]:
    """Whoever goes from one thing to the next by keyboard sees where they are."""
    for _ in range(4):
        window.page.keyboard.press("Tab")
        tag, width, style, html = window.page.evaluate(RING)
        if tag != "BODY" and not (style == "solid" and width >= 3):
            yield f"{style} {width}: {html}"


def _heavier_than_allowed(window: Window) -> Iterator[str]:
    """The page with all that it loads, as if nothing of it had been loaded before; as many bytes as were sent."""
    sent = window.page.evaluate(
        """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
            .filter(one => one.initiatorType !== 'fetch').map(one => [one.name, one.encodedBodySize + 300])"""
    )
    total = sum(size for _, size in sent)
    if total > FIRST_LOAD_BYTES_MAX or not any("htmx" in name for name, _ in sent):
        yield f"{total} bytes: {sent}"


def test_axe_finds_nothing_on_any_page(walked: Walked) -> None:
    assert not walked.axe, "\n".join(walked.axe)
    assert not walked.troubles, "\n".join(walked.troubles)
    assert {who: max(walked.counted[who], least) for who, least in PAGES_MIN.items()} == walked.counted


def test_no_page_of_the_app_was_forgotten(walked: Walked) -> None:
    def was_seen(pattern: str) -> bool:
        shape = re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(pattern)) + "$")
        return any(shape.match(path) for path in walked.paths)

    forgotten = {pattern for pattern in pages_of_the_app() if not was_seen(pattern)}
    assert forgotten == set(EXCEPTIONS)


def test_every_page_has_one_first_heading_a_title_and_a_language(walked: Walked) -> None:
    assert not walked.shape, "\n".join(walked.shape)


def test_every_button_can_be_touched(walked: Walked) -> None:
    assert not walked.touch, "\n".join(walked.touch)


def test_where_the_focus_is_can_be_seen(walked: Walked) -> None:
    assert not walked.focus, "\n".join(walked.focus)


def test_no_page_has_to_be_pushed_sideways_on_the_narrowest_phone(walked: Walked) -> None:
    assert not walked.wide, "\n".join(walked.wide)


def test_no_page_is_heavier_than_an_old_phone_bears(walked: Walked) -> None:
    assert not walked.heavy, "\n".join(walked.heavy)


def test_from_right_to_left_every_text_is_translated_and_no_page_is_too_wide(
    browser: playwright.Browser, street: Street
) -> None:
    window = Window(browser, street.north.origin, NARROW, language=PSEUDO)
    window.sign_in("nora", PASSWORD)
    # Besides what stands in the database as it is shown: the browser's own name, and an answer within JSON.
    data = [*written(street.north), "Chrome", "A drill and a ladder"]
    found, pages = list[str](), 0
    for path in walk(window):
        pages += 1
        lang, direction, texts = read(window.page.content())
        assert (lang, direction) == (PSEUDO, "rtl"), path
        found += [f"{path}: {left!r} in {text.strip()!r}" for text in texts if (left := untranslated(text, data))]
        found += [f"{path}: {px} px too wide" for px in [window.page.evaluate(TOO_WIDE)] if px > 0]
    window.close()
    assert not found, "\n".join(found)
    assert pages >= PAGES_MIN["nora"]
