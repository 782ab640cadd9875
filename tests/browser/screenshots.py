"""Takes pictures of the main pages, as the demo's people see them: light, dark, on a phone, right to left, printed.

Run by ``make screenshots``; they are written into build/screenshots. With ``--readme`` four of them also go, made
small, into docs/pictures, which README shows.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fedaid.demo.servers import PASSWORD
from fedaid.foundation.i18n import PSEUDO
from tests.browser.chromium import DARK_DESKTOP, DARK_PHONE, DESKTOP, PHONE, Screen, Window, chromium
from tests.browser.street import Street, built, furnish

FOLDER = Path("build/screenshots")
SCREENS = {"light": DESKTOP, "dark": DARK_DESKTOP, "phone": PHONE, "dark-phone": DARK_PHONE}
README_FOLDER, README_WIDTH, README_HEIGHT_MAX, README_COLOURS = Path("docs/pictures"), 900, 640, 128
README_BYTES_MAX = 100_000
README = {"board": "board-light", "my-day": "my-day-dark", "hours": "hours-light", "ask": "ask-phone"}
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
    Sight("board-of-an-admin", "nora", lambda _: "/"),
    Sight("group-queue", "nora", lambda _: "/groups/shed/queue"),
    Sight("person", "ana", lambda _: "/@ana"),
    Sight("notices", "ana", lambda _: "/notices"),
    Sight("nothing-found", "ana", lambda _: "/board?q=zebra"),
    Sight("hours-of-a-newcomer", "cleo", lambda _: "/hours"),
    Sight("day-of-a-newcomer", "cleo", lambda _: "/me"),
    Sight("not-there", "", lambda _: "/listings/1"),
)


def main() -> None:
    """Build the street, tell the story, and take every picture."""
    scratch = Path(tempfile.mkdtemp(prefix="fedaid-screenshots-"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with built(scratch) as street, chromium() as browser:
            street.tell()
            furnish(street)
            for who in dict.fromkeys(one.who for one in SIGHTS):
                window, mirror = (
                    Window(browser, street.north.origin),
                    Window(browser, street.north.origin, language=PSEUDO),
                )
                for one in (window, mirror) if who else ():
                    one.sign_in(who, PASSWORD)
                for sight in SIGHTS:
                    if sight.who == who:
                        _take(window, mirror, sight, sight.path(street))
        if "--readme" in sys.argv:
            _show_in_readme()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _show_in_readme() -> None:
    """The upper part of four pictures, small enough for the first page that somebody sees of us."""
    for name, picture in README.items():
        with Image.open(FOLDER / f"{picture}.png") as whole:
            width = min(whole.width, README_WIDTH)
            small = whole.convert("RGB").resize((width, whole.height * width // whole.width), Image.Resampling.LANCZOS)
            upper = small.crop((0, 0, width, min(small.height, README_HEIGHT_MAX)))
            upper.quantize(README_COLOURS).save(README_FOLDER / f"{name}.png", optimize=True)
        size = (README_FOLDER / f"{name}.png").stat().st_size
        assert size < README_BYTES_MAX, f"{name} has {size} bytes"


def _take(window: Window, mirror: Window, sight: Sight, path: str) -> None:
    for name, screen in SCREENS.items():
        _shoot(window, path, screen, f"{sight.name}-{name}")
    _shoot(mirror, path, PHONE, f"{sight.name}-right-to-left")
    if sight.name in PRINTED:
        window.look(DESKTOP)
        window.open(path)
        window.page.emulate_media(media="print")
        _save(window, f"{sight.name}-print")
        window.page.emulate_media(media="screen")


def _shoot(window: Window, path: str, screen: Screen, name: str) -> None:
    window.look(screen)
    page = window.open(path)
    assert page.status in (200, 404), f"{path} answers {page.status}"
    _save(window, name)


def _save(window: Window, name: str) -> None:
    file = FOLDER / f"{name}.png"
    window.page.screenshot(path=file, full_page=True)
    sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main()
