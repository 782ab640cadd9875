"""People who use the pages all the time: they claim, confirm, refuse, give and press twice; and what became of it."""

import random
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

import httpx2

from fedaid.demo.browser import Browser, NotOnThePage
from fedaid.demo.servers import PASSWORD, Person
from fedaid.foundation.wording import in_figures
from tests.timebank.crash.towns import BusyTown

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
    """What the person saw: it was done, it was refused, or the answer did not come."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Press:
    """One press of a button, and its end. ``transfer`` is an id, or the key of which the town makes one."""

    town: str
    person: str
    act: Act
    transfer: str
    minutes: int
    end: End
    at: float


@dataclass
class History:
    """Everything that was pressed, by everybody."""

    presses: list[Press] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, press: Press) -> None:
        with self._lock:
            self.presses.append(press)


@dataclass
class Neighbour:
    """One person in a thread of their own, with a browser and what they agreed on with people elsewhere."""

    person: Person
    town: BusyTown
    agreements: list[str]
    history: History
    chance: random.Random
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = Browser(self.town.origin)

    def sign_in(self) -> None:
        self.browser.sign_in(self.person.handle, PASSWORD)

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
        self._press(Act.CLAIM, "/hours/claim", filled, key, minutes)

    def give(self) -> None:
        """Hours for somebody in the same town."""
        other = self.chance.choice([one for one in self.town.people if one is not self.person])
        key, minutes = str(uuid.uuid4()), self.chance.choice(MINUTES)
        filled = {"to": other.handle, "transfer": key, "hours": in_figures(minutes), "note": ""}
        self._press(Act.GIVE, "/hours/give", filled, key, minutes)

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
        times = 2 if self.chance.random() < PRESS_TWICE else 1
        ends = self._at_once(lambda: self._send(path, filled), times)
        end = End.DONE if End.DONE in ends else End.UNKNOWN if End.UNKNOWN in ends else End.REFUSED
        press = Press(self.town.name, self.person.handle, act, transfer, minutes, end, time.monotonic())
        self.history.add(press)

    def _at_once(self, send: Callable[[], End], times: int) -> list[End]:
        ends: list[End] = []
        threads = [threading.Thread(target=lambda: ends.append(send())) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ends

    def _send(self, path: str, filled: dict[str, str]) -> End:
        try:
            answer = self.browser.send(path, filled)
        except httpx2.HTTPError:
            return End.UNKNOWN
        if answer.has_redirect_location and "sign-in" not in answer.headers["location"]:
            return End.DONE
        is_fault = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return End.UNKNOWN if is_fault else End.REFUSED
