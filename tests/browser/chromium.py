"""Drives Debian's Chromium as people would: opens pages, fills in the forms that stand there and presses their buttons."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import playwright.sync_api as playwright

from fedaid.demo.browser import Browser, Form, NotOnThePage, Page

# Nothing of it asks the Internet for anything.
OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ANSWER_MS_MAX = 30_000


@dataclass(frozen=True)
class Screen:
    """How somebody looks at pages: width and height in CSS pixels, and which colours."""

    name: str
    width: int
    height: int
    colours: Literal["light", "dark"]


DESKTOP, PHONE = Screen("desktop", 1280, 900, "light"), Screen("phone", 400, 850, "light")
DARK_DESKTOP, DARK_PHONE = Screen("dark desktop", 1280, 900, "dark"), Screen("dark phone", 400, 850, "dark")
# The narrowest that WCAG 1.4.10 asks for, which is also a desktop at 400 %.
NARROW = Screen("narrow phone", 320, 640, "light")


@contextmanager
def chromium() -> Iterator[playwright.Browser]:
    """One Chromium for as long as the block lasts. Raises RuntimeError when it is not installed."""
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("chromium is not on this machine: tests/browser/install")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=OPTIONS, chromium_sandbox=False)
        try:
            yield started
        finally:
            started.close()


def _is_last_fetch(request: playwright.Request) -> bool:
    return request.resource_type == "fetch" and request.redirected_to is None


class Window(Browser):
    """The window of one person at one instance. It complains of every script that fails and every file that is missing."""

    def __init__(
        self,
        chromium: playwright.Browser,
        origin: str,
        screen: Screen = DESKTOP,
        *,
        scripts: bool = True,
        language: str = "en",
    ) -> None:
        self.origin = origin
        self.scripts = scripts
        self.troubles: list[str] = []
        self._context = chromium.new_context(
            viewport={"width": screen.width, "height": screen.height},
            color_scheme=screen.colours,
            java_script_enabled=scripts,
            reduced_motion="reduce",
            locale=language,
        )
        self._context.set_default_timeout(ANSWER_MS_MAX)
        self.page = self._context.new_page()
        self._status = 0
        self.page.on("response", self._note_status)
        self.page.on("pageerror", lambda error: self.troubles.append(f"{self.page.url}: {error}"))
        self.page.on("requestfailed", self._note_failed)

    def _note_failed(self, request: playwright.Request) -> None:
        """Whoever goes to another page leaves what the one before has not loaded yet, its live news and its preview."""
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"{request.url}: {request.failure}")

    def _note_status(self, answer: playwright.Response) -> None:
        """Of the page that is opened; a swap is no page."""
        if answer.request.is_navigation_request():
            self._status = answer.status

    def look(self, screen: Screen) -> None:
        """Go on on another screen, with the page that is open."""
        self.page.set_viewport_size({"width": screen.width, "height": screen.height})
        self.page.emulate_media(color_scheme=screen.colours)

    def shows_a_page(self) -> bool:
        """Whether what is open is HTML."""
        return bool(self.page.evaluate("document.contentType === 'text/html'"))

    def open(self, path: str) -> Page:
        """The page at this path or address."""
        answer = self.page.goto(urljoin(self.origin + "/", path))
        return self._seen(answer.status if answer is not None else 0)

    def press(
        self,
        page: Page,
        part_of_action: str,
        filled: Mapping[str, str] | None = None,
        *,
        button: str = "",
        about: str = "",
    ) -> Page:
        """Unfold what hides the form, fill it in, and press its button. Raises NotOnThePage.

        button  what the button says, where the form has several
        about   words of the card or line in which the form stands, where there are several
        """
        forms = self.page.locator(f'form[action="{part_of_action}"]')
        if not forms.count():
            forms = self.page.locator(f'form[action*="{part_of_action}"]')
        if about:
            forms = self.page.locator("article, li", has_text=about).locator(forms)
        form = forms.first
        if not form.count():
            raise NotOnThePage(f"no form for {part_of_action} on {self.page.url}, which says: {page.text[:600]}")
        for name, value in (filled or {}).items():
            self._fill(form.locator(f'[name="{name}"]'), value)
        pressed = form.get_by_role("button", name=button) if button else form.locator("button:not([formaction])")
        self._unfold(pressed.first)
        if self.scripts and form.get_attribute("hx-boost") == "true":
            return self._seen(self._swapped(pressed.first))
        with self.page.expect_event("domcontentloaded"):
            pressed.first.click()
        return self._seen(self._status)

    def _swapped(self, button: playwright.Locator) -> int:
        """Press it, and wait until what it changes was swapped, or the page that answers is open; the status."""
        here = urlsplit(self.page.url).path
        with self.page.expect_event("requestfinished", lambda one: _is_last_fetch(one)) as finished:
            button.click()
        request: playwright.Request = finished.value
        answer = request.response()
        came_from = request.redirected_from
        if came_from is not None and urlsplit(request.url).path != here:
            self.page.wait_for_url(request.url)
        self.page.locator("[aria-busy=true]").first.wait_for(state="detached")
        return answer.status if answer is not None else 0

    def unfold(self, selector: str) -> None:
        """Open the folds that hide something on the open page."""
        self._unfold(self.page.locator(selector).first)

    def _fill(self, fields: playwright.Locator, value: str) -> None:
        field = fields.first
        self._unfold(field)
        kind = field.evaluate("one => one.tagName === 'SELECT' ? 'select' : one.type")
        if kind == "select":
            field.select_option(value)
        elif kind in ("radio", "checkbox"):
            fields.locator(f'xpath=self::*[@value="{value}"]').check()
        else:
            field.fill(value)

    def _unfold(self, what: playwright.Locator) -> None:
        """Press the headings of folds, outermost first, as somebody does who looks for something."""
        folds = what.locator("xpath=ancestor::details[not(@open)]")
        while folds.count():
            folds.first.locator("xpath=./summary").click()

    def _seen(self, status: int) -> Page:
        body = self.page.locator("body")
        found: list[dict[str, Any]] = self.page.locator("form").evaluate_all(
            "all => all.map(one => ({action: one.getAttribute('action') || '', method: one.method}))"
        )
        forms = tuple(Form(str(one["action"]), str(one["method"])) for one in found)
        links: list[str] = self.page.locator("a[href]").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        return Page(self.page.url, status, " ".join(body.inner_text().split()), forms, tuple(links))

    def close(self) -> None:
        """Close the window."""
        self._context.close()
