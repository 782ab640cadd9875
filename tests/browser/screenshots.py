"""Takes pictures of the main pages, as the demo's people see them: light, dark, on a phone, right to left, printed.

Run by ``make screenshots``; they are written into build/screenshots.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fedaid.demo.servers import PASSWORD
from tests.browser.chromium import DARK_DESKTOP, DARK_PHONE, DESKTOP, PHONE, Screen, Window, chromium
from tests.browser.street import Street, built

FOLDER = Path("build/screenshots")
SCREENS = {"light": DESKTOP, "dark": DARK_DESKTOP, "phone": PHONE, "dark-phone": DARK_PHONE}
PRINTED = frozenset({"board", "listing", "hours"})


@dataclass(frozen=True)
class Sight:
    """A page worth a picture: who looks at it, and where it stands."""

    name: str
    who: str
    path: Callable[[Street], str]


SIGHTS = (
    Sight("signed-out", "", lambda _: "/"),
    Sight("join", "", lambda _: "/join"),
    Sight("my-day", "ana", lambda _: "/me"),
    Sight("board", "ana", lambda _: "/"),
    Sight("listing", "ana", lambda street: street.listing),
    Sight("ask", "ana", lambda _: "/post?kind=request"),
    Sight("people", "ana", lambda _: "/people"),
    Sight("my-skills", "ana", lambda _: "/me/skills"),
    Sight("groups", "ana", lambda _: "/groups"),
    Sight("hours", "ana", lambda _: "/hours"),
    Sight("account", "ana", lambda _: "/me/account"),
    Sight("networks", "nora", lambda _: "/networks"),
    Sight("books", "nora", lambda _: "/books"),
    Sight("setting-up", "nora", lambda _: "/setup"),
    Sight("deliveries", "nora", lambda _: "/deliveries"),
)


def main() -> None:
    """Build the street, tell the story, and take every picture."""
    scratch = Path(tempfile.mkdtemp(prefix="fedaid-screenshots-"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with built(scratch) as street, chromium() as browser:
            street.tell()
            windows = {who: Window(browser, street.north.origin) for who in dict.fromkeys(one.who for one in SIGHTS)}
            for who, window in windows.items():
                if who:
                    window.sign_in(who, PASSWORD)
            for sight in SIGHTS:
                _take(windows[sight.who], sight, sight.path(street))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _take(window: Window, sight: Sight, path: str) -> None:
    for name, screen in SCREENS.items():
        _shoot(window, path, screen, f"{sight.name}-{name}")
    window.look(PHONE)
    window.page.evaluate("document.documentElement.dir = 'rtl'")
    _save(window, f"{sight.name}-right-to-left")
    if sight.name in PRINTED:
        window.look(DESKTOP)
        window.open(path)
        window.page.emulate_media(media="print")
        _save(window, f"{sight.name}-print")
        window.page.emulate_media(media="screen")


def _shoot(window: Window, path: str, screen: Screen, name: str) -> None:
    window.look(screen)
    page = window.open(path)
    assert page.status == 200, f"{path} answers {page.status}"
    _save(window, name)


def _save(window: Window, name: str) -> None:
    file = FOLDER / f"{name}.png"
    window.page.screenshot(path=file, full_page=True)
    sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main()
