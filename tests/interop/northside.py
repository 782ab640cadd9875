"""The neighbourhood of the interop tests: a real fedaid server, used through its members' browsers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fedaid import settings
from fedaid.actors import commands
from fedaid.cli.shared import instance_of
from fedaid.demo.browser import Browser, Page
from fedaid.demo.servers import PASSWORD, Person, Town
from tests.interop.waiting import wait_for

ANA = Person("ana", "Ana Lisboa")
NORA = Person("nora", "Nora Admin", "admin")
PEOPLE = (NORA, ANA)
# On a busy machine the peer may answer too late; what is then tried again is tried soon.
SOON_AGAIN = {"FEDAID_OUTBOX__FIRST_RETRY_SECONDS": "2"}


@dataclass
class Northside:
    """The server and the browsers of its people, each signed in when it is first used."""

    town: Town
    _browsers: dict[str, Browser] = field(default_factory=dict)

    @property
    def board(self) -> str:
        """The id of its board."""
        return f"{self.town.origin}/groups/board"

    @property
    def handle(self) -> str:
        """How people elsewhere write the board's name."""
        return f"@board@{self.town.host}"

    def browser(self, person: Person) -> Browser:
        """The browser of somebody who lives here."""
        if person.handle not in self._browsers:
            opened = self._browsers[person.handle] = Browser(self.town.origin)
            opened.sign_in(person.handle, PASSWORD)
        return self._browsers[person.handle]

    def as_stranger_sees(self, url: str) -> Page:
        """The page as somebody signed out sees it."""
        stranger = Browser(self.town.origin)
        try:
            return stranger.open(url)
        finally:
            stranger.close()

    def post_request(self, title: str, *, in_own_name: bool = False) -> str:
        """Ana asks for help on the page; the id of her listing."""
        browser = self.browser(ANA)
        filled = {"title": title, "hours": "2", "place": "near Rose Street", "category": "moving"}
        filled |= {"own_name": "1"} if in_own_name else {}
        page = browser.press(browser.open("/post?kind=request"), "/post", filled)
        return page.url.partition("?")[0]

    def press(self, person: Person, listing: str, button: str) -> Page:
        """Somebody presses a button on a listing's page."""
        browser = self.browser(person)
        return browser.press(browser.open(listing), button)

    def wait_for_page(self, person: Person, url: str, shows: Callable[[Page], bool]) -> Page:
        """The page, once it shows that. Raises NotSeen."""

        def look() -> Page | None:
            page = self.browser(person).open(url)
            return page if shows(page) else None

        return wait_for(f"what {person.name} waits for at {url}", look)

    def follow(self, board: str) -> None:
        """Our board begins to follow another, as it does when the networks are linked; the peer keeps no ledger."""
        with instance_of(settings.load(self.town.data)) as instance, instance.units.begin() as work:
            commands.follow(work, self.board, board)

    def unfollow(self, board: str) -> None:
        """Our board stops following another."""
        with instance_of(settings.load(self.town.data)) as instance, instance.units.begin() as work:
            commands.unfollow(work, self.board, board)

    def log(self) -> list[dict[str, Any]]:
        """What the server wrote into its log."""
        lines = (self.town.data / "server.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def close(self) -> None:
        """Close all browsers."""
        for opened in self._browsers.values():
            opened.close()
