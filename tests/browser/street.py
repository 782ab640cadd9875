"""Northside and Riverside as real servers with the people of the demo, and whoever looks at their pages."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import quote

import playwright.sync_api as playwright

from fedaid.demo.browser import Browser, Page
from fedaid.demo.play import post_samples
from fedaid.demo.servers import PASSWORD, Person, Town, free_port, side_by_side
from fedaid.demo.story import ANA, BEN, NORA, RUI, STORY, Stage, observe
from tests.browser.chromium import DESKTOP, PHONE, Window

ARRIVES_SECONDS_MAX = 60
LONG_WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
CLEO = Person("cleo", "Cleo", "coordinator")
SOON = {
    "FEDAID_OUTBOX__FIRST_RETRY_SECONDS": "1",
    "FEDAID_WEB__REQUESTS_PER_ADDRESS_MAX": "1000000",
    "FEDAID_WEB__REQUESTS_PER_ACCOUNT_MAX": "1000000",
}


@dataclass
class Street:
    """Both neighbourhoods. ``listing`` is where Ana's request stands at home, ``theirs`` where Ben sees it."""

    north: Town
    river: Town
    listing: str = ""
    theirs: str = ""

    def tell(self, browser_at: Callable[[Town], Browser] = lambda town: Browser(town.origin)) -> None:
        """Play the demo's story with such browsers, each step seen at the other side. Raises NotSeen, NotOnThePage."""
        stage = Stage(self.north, self.river, browser_at)
        try:
            post_samples(stage)
            for step in STORY:
                step.do(stage)
                observe(step, stage)
            self.listing, self.theirs = stage.listing, stage.theirs
        finally:
            stage.close()


def furnish(street: Street) -> Mapping[str, Sequence[str]]:
    """What neighbours do besides the story, so that there is something on every page.

    Returns, by handle, addresses that no page links to, as they are told by mail, by code or on paper.
    """
    nora, ana, cleo = (Browser(street.north.origin) for _ in range(3))
    for browser, handle in ((nora, "nora"), (ana, "ana"), (cleo, "cleo")):
        browser.sign_in(handle, PASSWORD)
    tools = {
        "handle": "shed",
        "name": "Tool shed of the upper mill lane, the park and the allotments",
        "joining": "application",
        "posting": "reviewed",
    }
    done = (
        nora.press(nora.open("/new-group"), "/new-group", {**tools, "questions": "What would you lend?"}),
        ana.press(ana.open("/groups/shed/about"), "/apply", {"answer-0": "A drill and a ladder"}),
        ana.press(ana.open("/post?kind=offer"), "/post", {"title": LONG_WORD, "place": LONG_WORD, "mode": "gift"}),
        cleo.press(cleo.open("/hours/claim"), "/hours/claim", {"to": "ana", "hours": "0:45", "note": "Watering"}),
        ana.press(ana.open("/hours"), "/hours/question", {"reason": "Was it not half an hour?"}),
        ana.press(ana.open("/me/skills"), "/me/skills", {"title": "Mending bicycles", "category": "repair"}),
        ana.press(ana.open("/me/skills"), "/me/free-times", {"day-5": "1", "from": "09:00", "to": "12:00"}),
        nora.press(nora.open("/me/skills"), "/me/skills", {"title": "Bread with sourdough", "category": "food"}),
        cleo.press(
            cleo.open(f"/report?about={quote(street.north.origin + street.listing, safe='')}"),
            "/report",
            {"comment": "Is this about the blue sofa?"},
        ),
        nora.press(nora.open("/blocks"), "/blocks", {"target": "evil.example", "reason": "Spam"}),
        nora.press(nora.open("/neighbourhood/joining"), "/neighbourhood/joining", {"joining": "invitation"}),
        invited := nora.press(
            nora.open("/invitations"), "/invitations", {"uses": "9", "days": "7", "note": "Rose Street"}
        ),
        recovery := nora.press(nora.open("/members/cleo"), "/members/cleo/link"),
    )
    assert [page.status for page in done] == [200] * len(done), [page.text[:300] for page in done]
    in_detail = nora.open(street.listing).link("/deliveries/activities/")
    for browser in (nora, ana, cleo):
        browser.close()
    links = [re.search(r"http\S+", page.text) for page in (invited, recovery)]
    return {
        "": [found[0].removeprefix(street.north.origin) for found in links if found] + ["/give/ana", "/claim/ana"],
        "ana": [f"{street.listing}/edit", "/hours/code"],
        "nora": ["/hours/give?for=chest", in_detail],
    }


@contextmanager
def built(folder: Path) -> Iterator[Street]:
    """Both of them founded and started."""
    north = Town("Northside", f"http://127.0.0.1:{free_port()}", folder / "northside", (NORA, ANA, CLEO), SOON)
    river = Town("Riverside", f"http://127.0.0.1:{free_port()}", folder / "riverside", (RUI, BEN), SOON)
    try:
        side_by_side(Town.found, (north, river))
        side_by_side(Town.start, (north, river))
        yield Street(north, river)
    finally:
        north.stop()
        river.stop()


@contextmanager
def alone(folder: Path, *people: Person, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[Town]:
    """A neighbourhood that was founded just now, with nobody but these, and linked with none."""
    town = Town("Oak Hill", f"http://127.0.0.1:{free_port()}", folder / "hill", people, {**SOON, **environment})
    town.found()
    try:
        town.start()
        yield town
    finally:
        town.stop()


class Windows:
    """The windows of a street's people; each is opened and signed in when it is first asked for."""

    def __init__(self, chromium: playwright.Browser, *towns: Town, scripts: bool) -> None:
        self.scripts = scripts
        self.troubles: list[str] = []
        self.town = towns[0]
        self._chromium = chromium
        self._towns = towns
        self._kept: dict[str, Window] = {}
        self._all: list[Window] = []

    def of(self, handle: str) -> Window:
        """The window of this person, signed in at home."""
        if handle not in self._kept:
            town = next(town for town in self._towns if handle in {person.handle for person in town.people})
            self._kept[handle] = self.new(town)
            self._kept[handle].sign_in(handle, PASSWORD)
        return self._kept[handle]

    def new(self, town: Town) -> Window:
        """A window in which nobody is signed in."""
        screen = DESKTOP if self.scripts else PHONE
        self._all.append(Window(self._chromium, town.origin, screen, scripts=self.scripts))
        return self._all[-1]

    def named(self, words: str) -> str:
        """The words, made different for each way of playing, as both are played on one street."""
        return f"{words} {'with a script' if self.scripts else 'without a script'}"

    def handle(self, word: str) -> str:
        """The handle, likewise."""
        return word if self.scripts else f"{word}2"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for window in self._all:
            self.troubles += window.troubles
            window.close()


def arrives(window: Window, path: str, words: str) -> Page:
    """The page, opened again and again until it says these words, which come from the other town."""
    deadline = time.monotonic() + ARRIVES_SECONDS_MAX
    while not (page := window.open(path)).says(words):
        assert time.monotonic() < deadline, f"{path} never says {words!r}: {page.text[:600]}"
        time.sleep(0.3)
    return page


def listing_at(page: Page) -> str:
    """The path of the listing that a page is about."""
    found = re.search(r"/listings/\d+", page.url)
    assert found, f"{page.url}: {page.text[:600]}"
    return found[0]


def link_to(window: Window, words: str) -> str:
    """Where the link with these words on the open page leads."""
    found = window.page.get_by_role("link", name=words, exact=True).first.get_attribute("href")
    assert found, words
    return found
