"""Many processes spend the same account at once: exactly what its limit allows goes through, on both databases."""

import multiprocessing
from multiprocessing.synchronize import Barrier

import pytest

from fedaid.foundation.clock import SystemClock
from fedaid.foundation.database import Database
from fedaid.foundation.ids import new_key
from fedaid.foundation.names import Names
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import UnitsOfWork
from fedaid.timebank import commands
from fedaid.timebank.rules.books import AccountKind
from tests.timebank.world import ANA, BEN, KIM, LIMITS, NORTH, Town, deliver, found_town

PROCESSES, TRIES, MINUTES, ROOM = 8, 5, 60, 5
END_SECONDS_MAX = 180
_spawn = multiprocessing.get_context("spawn")


def give_all(url: str, meeting: Barrier) -> None:
    """So many times: one hour from Ana to Kim, as often as her limit lets her."""
    units = UnitsOfWork(Database(url), SystemClock(), Names(NORTH), {})
    meeting.wait(END_SECONDS_MAX)
    for _ in range(TRIES):
        try:
            with units.begin() as work:
                commands.give(work, new_key(), payer=ANA, payee=KIM, minutes=MINUTES)
        except Refused as refused:
            assert refused.code == "over_limit"  # noqa: PT017 - most of them are refused


def confirm_one(url: str, meeting: Barrier, transfers: list[str]) -> None:
    """Ana confirms all claims, at the same moment as in seven other browsers."""
    units = UnitsOfWork(Database(url), SystemClock(), Names(NORTH), {})
    meeting.wait(END_SECONDS_MAX)
    for transfer in transfers:
        try:
            with units.begin() as work:
                commands.confirm(work, LIMITS, transfer, ANA)
        except Refused as refused:
            assert refused.code == "over_limit"  # noqa: PT017


def by_eight(target: object, town: Town, *more: object) -> None:
    url = town.database.url.render_as_string(hide_password=False)
    args = (url, _spawn.Barrier(PROCESSES), *more)
    processes = [_spawn.Process(target=target, args=args) for _ in range(PROCESSES)]  # type: ignore[arg-type]
    for process in processes:
        process.start()
    for process in processes:
        process.join(END_SECONDS_MAX)
    assert [process.exitcode for process in processes] == [0] * PROCESSES


@pytest.fixture
def town(migrated_database: Database) -> Town:
    found = found_town(migrated_database, NORTH, ANA, KIM)
    with found.work() as work:
        commands.set_floor(work, commands.open_account(work, AccountKind.MEMBER, ANA), -ROOM * MINUTES)
    return found


def test_eight_processes_spend_one_account_down_to_its_limit_and_no_further(town: Town) -> None:
    by_eight(give_all, town)
    assert town.account(ANA).balance == -ROOM * MINUTES
    assert town.account(KIM).balance == ROOM * MINUTES
    assert town.findings() == ()


def test_eight_processes_confirm_the_same_claims_and_each_is_posted_once(towns: tuple[Town, Town]) -> None:
    north, river = towns
    with north.work() as work:
        commands.set_floor(work, commands.open_account(work, AccountKind.MEMBER, ANA), -ROOM * MINUTES)
    transfers = []
    for _ in range(2 * ROOM):
        with river.work() as work:
            transfers.append(commands.claim(work, LIMITS, new_key(), payee=BEN, payer=ANA, minutes=MINUTES))
    deliver(north, river)
    by_eight(confirm_one, north, transfers)
    deliver(north, river)
    assert (north.account(ANA).balance, river.account(BEN).balance) == (-ROOM * MINUTES, ROOM * MINUTES)
    assert north.findings() == river.findings() == ()
