"""The storm: two towns, eight people, and somebody who kills, stops and restores servers; then calm, and a verdict."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
from sqlalchemy import insert, select

from fedaid.actors.tables import local_actor
from fedaid.board.tables import help_match, listing, response
from fedaid.demo.browser import Browser, NotOnThePage
from fedaid.demo.servers import Person, side_by_side
from fedaid.demo.story import NORA, RUI
from fedaid.foundation.clock import SystemClock
from fedaid.foundation.ids import IdSource
from fedaid.members.tables import member
from tests.support.databases import fresh_database_url, opened
from tests.timebank.crash.books import book_of, is_quiet, sum_now
from tests.timebank.crash.judge import Side, Verdict, judge
from tests.timebank.crash.people import History, Neighbour
from tests.timebank.crash.towns import IMPATIENT, BusyTown, busy_town

QUIET_SECONDS_MAX = 240
AGREEMENTS_EACH = 120
LINE_HOURS = "1000"
NORTHERN = (NORA, Person("ana", "Ana"), Person("kim", "Kim"), Person("lea", "Lea"))
RIVERINE = (RUI, Person("ben", "Ben"), Person("eve", "Eve"), Person("joe", "Joe"))


@dataclass(frozen=True)
class Outcome:
    """What a storm came to. ``fates`` is what the network did to requests."""

    verdict: Verdict
    kills: int
    restores: int
    presses: int
    fates: Counter[str]
    sums: Sequence[int]

    def __str__(self) -> str:
        lost, doubled = len(self.verdict.lost), len(self.verdict.doubled)
        return (
            f"transfers {self.verdict.transfers} moved {self.verdict.moved} kills {self.kills} restores {self.restores} "
            f"lost {lost} doubled {doubled}"
        )


@dataclass
class Nemesis:
    """Strikes every 0.3 to 3 seconds, one process at a time; every now and then a whole database."""

    towns: tuple[BusyTown, BusyTown]
    chance: random.Random
    kills: int = 0
    restores: int = 0
    sums: list[int] = field(default_factory=list)

    def strike_until(self, deadline: float) -> None:
        """Until then, and until a database was put back: on a busy machine one strike may take longer than the rest."""
        began = time.monotonic()
        restored = False
        while time.monotonic() < deadline or not restored:
            time.sleep(self.chance.uniform(0.3, 3))
            town = self.chance.choice(self.towns)
            is_half_over = time.monotonic() > (began + deadline) / 2
            if self.chance.random() < 0.1 or (is_half_over and not restored):
                restored = True
                self.restores += 1
                self.kills += len(town.processes)
                town.restore()
                town.start()
            elif self.chance.random() < 0.15:
                self.kills += len(town.processes)
                town.back_up()
                town.start()
            elif self.chance.random() < 0.15:
                town.freeze_one(self.chance.choice(town.processes), self.chance.uniform(0.5, 2))
            else:
                name = self.chance.choice(town.processes)
                self.kills += 1
                town.kill_one(name)
                town.start_one(name)
            self.sums.append(sum_now(town.database_url))


def ride_out(kind: str, folder: Path, seed: int, seconds: float) -> Outcome:
    """One storm of so many seconds on this kind of database, and what is in the books afterwards."""
    chance = random.Random(seed)
    with _two_towns(kind, folder, chance) as towns, _people(towns, chance) as people:
        history = people[0].history
        for town in towns:
            town.back_up()
        side_by_side(BusyTown.start, towns)
        nemesis = Nemesis(towns, chance)
        _rage(nemesis, people, seconds)
        is_calm = _calm(towns, people)
        north, river = (Side(town.name, book_of(town.database_url), town.restores) for town in towns)
        verdict = judge((north, river), history)
        if not is_calm:
            unrest = f"{QUIET_SECONDS_MAX} s after the storm there is still something under way"
            verdict = replace(verdict, wrong=[*verdict.wrong, unrest])
        fates = towns[0].proxy.fates + towns[1].proxy.fates
        return Outcome(verdict, nemesis.kills, nemesis.restores, len(history.presses), fates, nemesis.sums)


def _rage(nemesis: Nemesis, people: Sequence[Neighbour], seconds: float) -> None:
    """People do what they do, the network is bad, and the nemesis strikes."""
    stop = threading.Event()
    threads = [threading.Thread(target=one.live_until, args=(stop,)) for one in people]
    for town in nemesis.towns:
        town.proxy.is_bad = True
    for thread in threads:
        thread.start()
    try:
        nemesis.strike_until(time.monotonic() + seconds)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def _two_towns(kind: str, folder: Path, chance: random.Random) -> Iterator[tuple[BusyTown, BusyTown]]:
    with fresh_database_url(kind, folder) as first, fresh_database_url(kind, folder) as second:
        north = busy_town("Northside", folder / "north", NORTHERN, first, chance, IMPATIENT)
        river = busy_town("Riverside", folder / "river", RIVERINE, second, chance, IMPATIENT)
        try:
            for town in (north, river):
                town.found()
            side_by_side(BusyTown.start, (north, river))
            _link(north, river)
            yield north, river
        finally:
            for town in (north, river):
                town.stop()


def _link(north: BusyTown, river: BusyTown) -> None:
    """Both admins agree on a line that is long enough for a storm."""
    north.run("network", "propose", river.host, "--line-hours", LINE_HOURS)
    _try_until_taken(lambda: river.run("network", "accept", north.host, "--line-hours", LINE_HOURS))
    _try_until_taken(lambda: _check_linked(north, river))


def _try_until_taken(step: Callable[[], object]) -> None:
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while True:
        try:
            step()
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
        else:
            return


def _check_linked(north: BusyTown, river: BusyTown) -> None:
    rows = json.loads(north.run("network", "list", "--json"))
    if [row["status"] for row in rows if row["host"] == river.host] != ["accepted"]:
        raise RuntimeError(f"not linked yet: {rows}")


@contextmanager
def _people(towns: tuple[BusyTown, BusyTown], chance: random.Random) -> Iterator[list[Neighbour]]:
    """Everybody of both towns, signed in."""
    north, river = towns
    history, people = History(), []
    for town, other in ((north, river), (river, north)):
        agreed = _agree(town, other)
        for person in town.people:
            seeded = random.Random(chance.random())
            people.append(Neighbour(person, town, agreed[person.handle], history, seeded, Browser(town.origin)))
    try:
        for one in people:
            one.sign_in()
        yield people
    finally:
        for one in people:
            one.sign_off()


def _agree(town: BusyTown, other: BusyTown) -> dict[str, list[str]]:
    """What people of this town have agreed to do for people of the other: rows as the board would have written them."""
    now, ids = SystemClock().now(), IdSource(SystemClock())
    agreed: dict[str, list[str]] = {}
    with opened(town.database_url) as database, database.write() as connection:
        number = ids.next()
        asked = f"{other.origin}/listings/1"
        connection.execute(
            insert(listing).values(
                id=number,
                uri=asked,
                board_actor=f"{other.origin}/groups/board",
                author_actor=f"{other.origin}/groups/board",
                host=other.host,
                page=asked,
                local=False,
                hidden=False,
                kind="request",
                title="Help in the storm",
                description="",
                content_html="",
                category="other",
                time_zone="UTC",
                place="",
                people=AGREEMENTS_EACH,
                mode="hours",
                primary_uri=f"{asked}#primary",
                reciprocal_uri=f"{asked}#reciprocal",
                state="filled",
                published_at=now,
                updated_at=now,
            )
        )
        for place, person in enumerate(town.people):
            helper = f"{town.origin}/users/{person.handle}"
            who = select(member.c.id).join(local_actor).where(local_actor.c.handle == person.handle)
            member_id = connection.execute(who).scalar_one()
            for turn in range(AGREEMENTS_EACH):
                receiver = f"{other.origin}/users/{other.people[(place + turn) % len(other.people)].handle}"
                answer, match = ids.next(), ids.next()
                agreement = f"{other.origin}/agreements/{match}"
                connection.execute(
                    insert(response).values(
                        id=answer,
                        uri=f"{town.origin}/responses/{answer}",
                        listing_id=number,
                        helper_actor=helper,
                        helper_member_id=member_id,
                        helper_name=person.name,
                        asked_actor=receiver,
                        form="offer",
                        message="",
                        state="accepted",
                        reason="",
                        created_at=now,
                    )
                )
                connection.execute(
                    insert(help_match).values(
                        id=match,
                        agreement_uri=agreement,
                        listing_id=number,
                        response_id=answer,
                        provider=helper,
                        receiver=receiver,
                        minutes=60,
                        state="accepted",
                        accepted_at=now,
                    )
                )
                agreed.setdefault(person.handle, []).append(agreement)
    return agreed


def _calm(towns: tuple[BusyTown, BusyTown], people: Sequence[Neighbour]) -> bool:
    """No more misfortune; people confirm all that waits, until both towns are quiet; whether they became so."""
    for town in towns:
        town.proxy.is_bad = False
    side_by_side(BusyTown.start, towns)
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while not all(is_quiet(town.database_url) for town in towns):
        if time.monotonic() > deadline:
            return False
        for one in people:
            with suppress(httpx2.HTTPError, NotOnThePage):
                while one.answer(confirms_all=True):
                    pass
        time.sleep(0.5)
    return True
