"""The main job as steps: each is done at one place and then observed at the other, as people would see it."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fedaid.demo.browser import Browser, NotOnThePage, Page
from fedaid.demo.servers import PASSWORD, Person, Town

SEEN_SECONDS_MAX = 60
LOOK_AGAIN_SECONDS = 0.2

NORA, ANA = Person("nora", "Nora", "admin"), Person("ana", "Ana")
RUI, BEN = Person("rui", "Rui", "admin"), Person("ben", "Ben")
SOFA = "Help moving a sofa down two floors"
LINE_HOURS = 20


class NotSeen(Exception):
    """A step was done and could not be observed in time."""


@dataclass(frozen=True)
class Sight:
    """What was observed, and the address where anybody can look at it."""

    sentence: str
    url: str


@dataclass
class Stage:
    """Where the story plays: two towns, and the browsers of their people, signed in when they are first used."""

    north: Town
    river: Town
    browser_at: Callable[[Town], Browser] = lambda town: Browser(town.origin)
    listing: str = ""
    theirs: str = ""
    _browsers: dict[str, Browser] = field(default_factory=dict)

    def browser(self, person: Person) -> Browser:
        """The browser of this person, signed in at home."""
        if person.handle not in self._browsers:
            town = self.north if person in self.north.people else self.river
            opened = self.browser_at(town)
            opened.sign_in(person.handle, PASSWORD)
            self._browsers[person.handle] = opened
        return self._browsers[person.handle]

    def close(self) -> None:
        """Close all browsers."""
        for opened in self._browsers.values():
            opened.close()


@dataclass(frozen=True)
class Step:
    """Something somebody does at one place (``do``), and how it is noticed at the other (``see``)."""

    title: str
    do: Callable[[Stage], None]
    see: Callable[[Stage], Sight | None]


def observe(step: Step, stage: Stage, seconds: float = SEEN_SECONDS_MAX) -> Sight:
    """Look until it is seen. Raises NotSeen."""
    deadline = time.monotonic() + seconds
    last = ""
    while time.monotonic() < deadline:
        try:
            sight = step.see(stage)
        except NotOnThePage as missing:
            sight, last = None, str(missing)
        if sight is not None:
            return sight
        time.sleep(LOOK_AGAIN_SECONDS)
    raise NotSeen(f"{step.title}: not observed within {seconds:g} seconds. {last}")


def _propose(stage: Stage) -> None:
    browser = stage.browser(NORA)
    browser.press(browser.open("/networks"), "/propose", {"host": stage.river.host, "line_hours": str(LINE_HOURS)})


def _see_proposal(stage: Stage) -> Sight | None:
    page = stage.browser(RUI).open("/networks")
    page.form("/networks/accept")
    return Sight(f"Rui, the admin of {stage.river.name}, is asked whether to accept.", page.url)


def _accept(stage: Stage) -> None:
    browser = stage.browser(RUI)
    browser.press(browser.open("/networks"), "/networks/accept", {"line_hours": str(LINE_HOURS)})


def _see_link(stage: Stage) -> Sight | None:
    page = stage.browser(NORA).open("/networks")
    both_ways = page.says("our board follows theirs") and page.says("theirs follows ours")
    if not (page.says("Accepted") and both_ways):
        return None
    return Sight(
        f"The link is accepted, with a line of {LINE_HOURS} h each way, and the boards follow each other.", page.url
    )


def _post(stage: Stage) -> None:
    browser = stage.browser(ANA)
    filled = {"title": SOFA, "hours": "2", "place": "near Rose Street", "category": "moving"}
    page = browser.press(browser.open("/post?kind=request"), "/post", filled)
    stage.listing = _listing_path(page)


def _listing_path(page: Page) -> str:
    found = re.search(r"/listings/\d+", page.url)
    if found is None:
        raise NotOnThePage(f"the listing was not made: {page.url} says {page.text[:600]}")
    return found[0]


def _see_listing(stage: Stage) -> Sight | None:
    browser = stage.browser(BEN)
    board = browser.open("/")
    if not (board.says(SOFA) and board.says(f"From {stage.north.name}")):
        return None
    found = [link for link in board.links if re.fullmatch(r"/listings/\d+", link)]
    stage.theirs = next(link for link in found if browser.open(link).says(SOFA))
    return Sight(f"It stands on {stage.river.name}'s board, marked as {stage.north.name}'s.", board.url)


def _respond(stage: Stage) -> None:
    browser = stage.browser(BEN)
    page = browser.open(stage.theirs)
    browser.press(page, "/respond", {"message": "I can come on Saturday at ten, with gloves."})


def _see_response(stage: Stage) -> Sight | None:
    page = stage.browser(ANA).open(stage.listing)
    if not page.says("with gloves"):
        return None
    return Sight(f"Ana reads Ben's message from {stage.river.name} on her listing.", page.url)


def _accept_response(stage: Stage) -> None:
    browser = stage.browser(ANA)
    browser.press(browser.open(stage.listing), "/accept")


def _see_match(stage: Stage) -> Sight | None:
    page = stage.browser(BEN).open("/me")
    page.link("/hours/claim")
    return Sight("Ben sees that he is accepted, and where to log the hours afterwards.", page.url)


def _claim(stage: Stage) -> None:
    browser = stage.browser(BEN)
    page = browser.open(browser.open("/me").link("/hours/claim"))
    browser.press(page, "/hours/claim", {"hours": "2:00"})


def _see_claim(stage: Stage) -> Sight | None:
    page = stage.browser(ANA).open("/me")
    page.form("/confirm")
    return Sight("Ana is asked to confirm that Ben gave her 2 h.", page.url)


def _confirm(stage: Stage) -> None:
    browser = stage.browser(ANA)
    browser.press(browser.open("/me"), "/confirm")


def _see_hours(stage: Stage) -> Sight | None:
    page = stage.browser(BEN).open("/hours")
    if not page.says("+2:00"):
        return None
    return Sight(f"The 2 h stand on Ben's statement in {stage.river.name}.", page.url)


def _nothing(stage: Stage) -> None:
    """The receipt travels by itself."""


def _see_receipt(stage: Stage) -> Sight | None:
    page = stage.browser(ANA).open("/hours")
    if not (page.says("−2:00") and page.says("receipt")):
        return None
    listing = stage.browser(ANA).open(stage.listing)
    if not listing.says("done"):
        return None
    return Sight(f"{stage.river.name}'s signed receipt stands on Ana's statement, and the request is done.", page.url)


STORY: Sequence[Step] = (
    Step("Nora, admin of Northside, proposes a link to Riverside", _propose, _see_proposal),
    Step("Rui, admin of Riverside, accepts it", _accept, _see_link),
    Step("Ana of Northside asks for help moving a sofa", _post, _see_listing),
    Step("Ben of Riverside offers to help", _respond, _see_response),
    Step("Ana accepts Ben's offer", _accept_response, _see_match),
    Step("The help is given; Ben logs 2 hours", _claim, _see_claim),
    Step("Ana confirms the hours", _confirm, _see_hours),
    Step("Riverside sends its receipt", _nothing, _see_receipt),
)
