"""People who use the pages all the time: they claim, confirm, refuse, give and press twice; and what became of it."""

import random
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import httpx2

from fedaid.demo.browser import Browser, NotOnThePage
from fedaid.demo.servers import PASSWORD, Person, Town
from fedaid.foundation.wording import in_figures

PRESS_TWICE, REFUSE, WITHDRAW = 0.3, 0.15, 0.1
MINUTES = (5, 10, 15, 30)


class Act(StrEnum):
    """What can be pressed."""

    CLAIM = "claim"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    GIVE = "give"


class End(StrEnum):
    """What the person saw: done, queued until the neighbour answers, refused, or the answer did not come."""

    DONE = "done"
    QUEUED = "queued"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Press:
    """One press of a button, made when it ``began``, and its end, seen ``at`` (seconds of the machine's own clock)."""

    town: str
    person: str
    act: Act
    transfer: str
    minutes: int
    end: End
    began: float
    at: float


@dataclass
class History:
    """Everything that was pressed, by everybody; a double press is two of them."""

    presses: list[Press] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, press: Press) -> None:
        with self._lock:
            self.presses.append(press)


@dataclass
class Neighbour:
    """One person in a thread of their own, with a browser and what they agreed on with people elsewhere."""

    person: Person
    town: Town
    agreements: list[str]
    history: History
    chance: random.Random
    browser: Browser

    def sign_in(self) -> None:
        self.browser.sign_in(self.person.handle, PASSWORD)

    def sign_off(self) -> None:
        """Close the browser."""
        self.browser.close()

    def live_until(self, stop: threading.Event) -> None:
        """Do one thing after the other; whatever the network does to it."""
        while not stop.is_set():
            act = self.chance.choices((self.claim, self.answer, self.give), (5, 8, 1))[0]
            with suppress(httpx2.HTTPError, NotOnThePage):
                act()
            time.sleep(self.chance.uniform(0, 0.3))

    def claim(self) -> None:
        """ "I gave these hours." """
        if not self.agreements:
            return
        agreement, key, minutes = self.agreements.pop(), str(uuid.uuid4()), self.chance.choice(MINUTES)
        filled = {"agreement": agreement, "transfer": key, "hours": in_figures(minutes), "note": "in the storm"}
        self._press(Act.CLAIM, "/hours/claim", filled, self._id(key), minutes)

    def give(self) -> None:
        """Hours for somebody in the same town."""
        other = self.chance.choice([one for one in self.town.people if one is not self.person])
        key, minutes = str(uuid.uuid4()), self.chance.choice(MINUTES)
        filled = {"to": other.handle, "transfer": key, "hours": in_figures(minutes), "note": ""}
        self._press(Act.GIVE, "/hours/give", filled, self._id(key), minutes)

    def _id(self, key: str) -> str:
        """The id that the town makes of the key of a form."""
        return f"{self.town.origin}/ledger/transfers/{key}"

    def answer(self, *, confirms_all: bool = False) -> bool:
        """Look at what waits, and press one of the buttons; whether there was one."""
        page = self.browser.open("/hours")
        forms = [form for form in page.forms if form.action in ("/hours/confirm", "/hours/withdraw")]
        if confirms_all:
            forms = [form for form in forms if form.action == "/hours/confirm"]
        if not forms:
            return False
        form = self.chance.choice(forms)
        transfer = form.fields["transfer"]
        if form.action == "/hours/withdraw":
            if self.chance.random() < WITHDRAW:
                self._press(Act.WITHDRAW, "/hours/withdraw", form.fields, transfer, 0)
        elif not confirms_all and self.chance.random() < REFUSE:
            self._press(Act.REFUSE, "/hours/refuse", form.fields, transfer, 0)
        else:
            self._press(Act.CONFIRM, "/hours/confirm", form.fields, transfer, 0)
        return True

    def _press(self, act: Act, path: str, filled: dict[str, str], transfer: str, minutes: int) -> None:
        """Once, or twice at the same moment."""

        def once() -> None:
            began = time.monotonic()
            end = self._send(path, filled)
            press = Press(self.town.name, self.person.handle, act, transfer, minutes, end, began, time.monotonic())
            self.history.add(press)

        times = 2 if self.chance.random() < PRESS_TWICE else 1
        threads = [threading.Thread(target=once) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self, path: str, filled: dict[str, str]) -> End:
        try:
            answer = self.browser.send(path, filled)
        except httpx2.HTTPError:
            return End.UNKNOWN
        if answer.has_redirect_location:
            return end_said(answer.headers["location"])
        is_fault = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return End.UNKNOWN if is_fault else End.REFUSED


def end_said(location: str) -> End:
    """By the sentence that the next page is to show; without one, as on the way to sign in, nothing was done."""
    said = parse_qs(urlsplit(location).query).get("said", [""])[0]
    if said == "hours_queued":
        return End.QUEUED
    return End.DONE if said.startswith("hours_") else End.REFUSED
