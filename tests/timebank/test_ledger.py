"""The books on real databases: sums, limits under many hands, what cannot be changed, and what an audit finds."""

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

from fedaid.foundation.clock import SystemClock
from fedaid.foundation.database import Database
from fedaid.foundation.ids import new_key
from fedaid.foundation.names import Names
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import UnitsOfWork
from fedaid.timebank import commands, queries, tables
from fedaid.timebank.commands import books
from fedaid.timebank.facts import HoursClaimed, HoursConfirmed, HoursCredited, HoursRefused
from fedaid.timebank.rules.books import AccountKind, AccountStatus
from tests.timebank.world import ANA, BEN, KIM, NORTH, Town, claim, confirm, deliver, found_town, refuse, withdraw

LEDGER = f"{NORTH}/ledger"
PROCESS_SECONDS_MAX = 120


@pytest.fixture
def town(migrated_database: Database) -> Town:
    """Northside alone."""
    return found_town(migrated_database, NORTH, ANA, KIM)


def give(town: Town, minutes: int, payer: str = ANA, payee: str = KIM, key: str | None = None, **more: str) -> str:
    with town.work() as work:
        return commands.give(work, key or new_key(), payer=payer, payee=payee, minutes=minutes, **more)


def balances(town: Town) -> tuple[int, int]:
    return town.account(ANA).balance, town.account(KIM).balance


# local transfers


def test_hours_given_leave_one_account_and_reach_the_other(town: Town) -> None:
    give(town, 90)
    assert balances(town) == (-90, 90)
    assert len(town.told(HoursConfirmed)) == len(town.told(HoursCredited)) == 1
    assert town.findings() == ()


def test_a_double_click_gives_once(town: Town) -> None:
    key = new_key()
    assert give(town, 90, key=key) == give(town, 90, key=key)
    assert balances(town) == (-90, 90)


@pytest.mark.attack("S56")
@pytest.mark.parametrize("minutes", [0, -5, 60_001])
def test_impossible_minutes_are_refused(town: Town, minutes: int) -> None:
    with pytest.raises(Refused) as refusal:
        give(town, minutes)
    assert refusal.value.code == "minutes"


def test_nobody_gives_below_their_limit(town: Town) -> None:
    give(town, 1_500)
    with pytest.raises(Refused) as refusal:
        give(town, 1)
    assert refusal.value.code == "over_limit"
    assert balances(town) == (-1_500, 1_500)


def test_nobody_gives_to_themselves(town: Town) -> None:
    with pytest.raises(Refused) as refusal:
        give(town, 10, payee=ANA)
    assert refusal.value.code == "same_account"


def test_a_stranger_has_no_account(town: Town) -> None:
    with pytest.raises(Refused) as refusal:
        give(town, 10, payee=f"{NORTH}/users/nobody")
    assert refusal.value.code == "no_account"


def test_the_chest_gives_only_what_it_was_given(town: Town) -> None:
    give(town, 60, payee=LEDGER)
    give(town, 60, payer=LEDGER, payee=KIM)
    with pytest.raises(Refused):
        give(town, 1, payer=LEDGER, payee=KIM)


def test_a_frozen_account_receives_but_does_not_give(town: Town) -> None:
    with town.work() as work:
        commands.set_status(work, town.account(ANA).id, AccountStatus.FROZEN)
    give(town, 10, payer=KIM, payee=ANA)
    with pytest.raises(Refused):
        give(town, 5)


def test_an_account_that_owes_is_not_closed(town: Town) -> None:
    give(town, 10)
    with pytest.raises(Refused) as refusal, town.work() as work:
        commands.set_status(work, town.account(ANA).id, AccountStatus.CLOSED)
    assert refusal.value.code == "account_not_even"


def test_a_limit_may_be_set_above_the_balance_and_then_only_stops_further_giving(town: Town) -> None:
    give(town, 100)
    with town.work() as work:
        commands.set_floor(work, town.account(ANA).id, -50)
    with pytest.raises(Refused):
        give(town, 1)
    give(town, 10, payer=KIM, payee=ANA)
    assert town.findings() == ()


def test_a_local_claim_waits_for_the_one_who_was_helped(town: Town) -> None:
    transfer = claim(town, payee=KIM, payer=ANA, minutes=45, note="shopping")
    assert (town.state(transfer), balances(town)) == ("pending", (0, 0))
    assert town.told(HoursClaimed)[0].hours.payer == ANA
    with pytest.raises(NotFound):
        confirm(town, transfer, KIM)
    confirm(town, transfer, ANA)
    confirm(town, transfer, ANA)
    assert (town.state(transfer), balances(town)) == ("posted", (-45, 45))


def test_a_local_claim_can_be_refused_or_taken_back_but_not_both_ways(town: Town) -> None:
    first = claim(town, payee=KIM, payer=ANA, minutes=45)
    refuse(town, first, ANA)
    second = claim(town, payee=KIM, payer=ANA, minutes=45)
    withdraw(town, second, KIM)
    assert (town.state(first), town.state(second)) == ("refused", "withdrawn")
    assert [told.reason for told in town.told(HoursRefused)] == ["refused", "withdrawn"]
    with pytest.raises(Refused, match="refused or withdrawn"):
        confirm(town, second, ANA)


def test_no_more_is_given_back_than_was_given(town: Town) -> None:
    original = give(town, 60)
    give(town, 40, payer=KIM, payee=ANA, reverses=original)
    with pytest.raises(Refused) as refusal:
        give(town, 21, payer=KIM, payee=ANA, reverses=original)
    assert refusal.value.code == "reversed_already"
    give(town, 20, payer=KIM, payee=ANA, reverses=original)
    assert balances(town) == (0, 0)


def test_a_note_can_be_erased_without_breaking_the_books(town: Town) -> None:
    transfer = give(town, 10, note="private")
    with town.work() as work:
        commands.erase_note(work, transfer)
    with town.database.read() as connection:
        assert queries.statement(connection, ANA).lines[0].note == ""
    assert town.findings() == ()


# what the database itself refuses


@pytest.mark.parametrize("table", [tables.posting, tables.fact], ids=lambda table: table.name)
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_what_was_posted_or_signed_is_never_changed_or_removed(
    towns: tuple[Town, Town], table: tables.Table, verb: str
) -> None:
    north, river = towns
    transfer = claim(river, payee=BEN, payer=ANA, minutes=30)
    deliver(north, river)
    confirm(north, transfer, ANA)
    column = next(iter(table.primary_key)).name
    with pytest.raises(DBAPIError, match="append-only"), north.database.write() as connection:
        connection.exec_driver_sql(verb.format(table.name, column))


def test_the_database_refuses_to_post_a_transfer_twice(town: Town) -> None:
    give(town, 30)
    with town.database.read() as connection:
        row = connection.execute(select(tables.posting)).one()._asdict()
    again = insert(tables.posting).values({**row, "seq": 2, "hash": "sha256:" + 64 * "1"})
    with pytest.raises(DBAPIError), town.database.write() as connection:
        connection.execute(again)


BREACHES = {
    "negative minutes": update(tables.transfer).values(minutes=-1),
    "a transfer to oneself": update(tables.transfer).values(credit=tables.transfer.c.debit),
    "a negative hold": update(tables.account).values(held=-1),
    "a floor above zero": update(tables.account).values(floor=1),
    "closing an account that owes": update(tables.account).where(tables.account.c.balance != 0).values(status="closed"),
    "an unknown kind of account": update(tables.account).values(kind="wish"),
    "a second chest": update(tables.account).values(kind="chest", actor=None),
    "a second head": update(tables.ledger_head).values(id=2),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_the_database_refuses(town: Town, breach: str) -> None:
    give(town, 30)
    with pytest.raises(DBAPIError), town.database.write() as connection:
        connection.execute(BREACHES[breach])


# many hands at once


def at_once(acts: list[Callable[[], object]]) -> list[BaseException | None]:
    """Do all at the same time; what each raised."""
    raised: list[BaseException | None] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def run(place: int) -> None:
        gate.wait()
        try:
            acts[place]()
        except (Refused, NotFound) as error:
            raised[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_giving_by_many_at_once_keeps_to_the_limit(town: Town) -> None:
    raised = at_once([lambda: give(town, 300)] * 8)
    assert raised.count(None) == 5
    assert balances(town) == (-1_500, 1_500)
    assert town.findings() == ()


def give_often(url: str, times: int, meeting: Barrier) -> None:
    """What one of two processes does."""
    units = UnitsOfWork(Database(url), SystemClock(), Names(NORTH), {})
    meeting.wait(PROCESS_SECONDS_MAX)
    for _ in range(times):
        with units.begin() as work:
            commands.give(work, new_key(), payer=ANA, payee=KIM, minutes=1)


def test_giving_by_two_processes_at_once_loses_no_minute(town: Town) -> None:
    spawn = multiprocessing.get_context("spawn")
    args = (town.database.url.render_as_string(hide_password=False), 100, spawn.Barrier(2))
    processes = [spawn.Process(target=give_often, args=args) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PROCESS_SECONDS_MAX)
    assert [process.exitcode for process in processes] == [0, 0]
    assert balances(town) == (-200, 200)
    assert town.findings() == ()


@pytest.mark.attack("S56")
def test_confirming_by_many_at_once_moves_the_hours_once(town: Town) -> None:
    transfer = claim(town, payee=KIM, payer=ANA, minutes=45)
    assert at_once([lambda: confirm(town, transfer, ANA)] * 6) == [None] * 6
    assert balances(town) == (-45, 45)


def test_the_same_form_sent_by_many_at_once_gives_once(town: Town) -> None:
    key = new_key()
    assert at_once([lambda: give(town, 45, key=key)] * 6) == [None] * 6
    assert balances(town) == (-45, 45)


def test_claims_by_many_at_once_keep_to_the_line(towns: tuple[Town, Town]) -> None:
    _, river = towns
    raised = at_once([lambda: claim(river, payee=BEN, payer=ANA, minutes=400)] * 6)
    assert raised.count(None) == 3
    assert river.clearing(towns[0]).held == 1_200


def test_an_account_asked_for_by_many_at_once_is_opened_once(town: Town) -> None:
    zoe = f"{NORTH}/users/zoe"

    def open_it() -> None:
        with town.work() as work:
            commands.open_account(work, AccountKind.MEMBER, zoe)

    assert at_once([open_it] * 6) == [None] * 6
    assert town.account(zoe).balance == 0


# the audit


def test_an_untouched_ledger_has_no_findings(towns: tuple[Town, Town]) -> None:
    north, river = towns
    transfer = claim(river, payee=BEN, payer=ANA, minutes=30)
    deliver(north, river)
    confirm(north, transfer, ANA)
    deliver(north, river)
    with north.database.read() as connection:
        report = queries.verify_ledger(connection)
    assert (report.accounts, report.postings, report.facts, report.findings) == (4, 1, 3, ())
    assert report.ok


def hand_in_the_database(town: Town, *statements: str) -> None:
    """Somebody with the database's password."""
    with town.database.write() as connection:
        if town.database.is_sqlite:
            for name in ("posting_no_update", "fact_no_update"):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for name in ("posting", "fact"):
                connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER ALL")
        for statement in statements:
            connection.exec_driver_sql(statement)


TAMPERING = {
    "a balance": ("UPDATE account SET balance = balance + 60 WHERE kind = 'member'", "add up to zero"),
    "minutes of a posting": ("UPDATE posting SET minutes = 600 WHERE seq = 1", "seal"),
    "the head": ("UPDATE ledger_head SET hash = 'sha256:00'", "head"),
    "a hold": ("UPDATE account SET held = 10 WHERE kind = 'member'", "holds 10"),
    "a state": ("UPDATE transfer SET state = 'rejected' WHERE kind = 'out'", "its messages say settled"),
    "a signed message": ("UPDATE fact SET doc = replace(doc, '\"fa:minutes\":30', '\"fa:minutes\":31')", "verify"),
    "who signed": ("UPDATE fact SET ours = NOT ours", "agreed on"),
    "the evidence": ("UPDATE posting SET evidence = 'local'", "no signed Accept"),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_an_audit_finds_a_tampered_row(towns: tuple[Town, Town], what: str) -> None:
    north, river = towns
    transfer = claim(river, payee=BEN, payer=ANA, minutes=30)
    deliver(north, river)
    confirm(north, transfer, ANA)
    deliver(north, river)
    statement, finding = TAMPERING[what]
    hand_in_the_database(north, statement)
    assert any(finding in found for found in north.findings())


def test_each_posting_seals_the_one_before(town: Town) -> None:
    for _ in range(3):
        give(town, 10)
    with town.database.read() as connection:
        rows = connection.execute(select(tables.posting).order_by(tables.posting.c.seq)).all()
    assert [row.prev for row in rows[1:]] == [row.hash for row in rows[:-1]]


def test_what_is_refused_leaves_no_trace(town: Town) -> None:
    with pytest.raises(Refused):
        give(town, 9_999)
    with town.database.read() as connection:
        assert connection.execute(select(tables.transfer)).all() == []


def test_the_head_is_made_once(town: Town) -> None:
    with town.work() as work:
        assert books.lock(work).seq == 0
        assert books.lock(work).seq == 0
