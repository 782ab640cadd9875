"""A fact and its announcement are stored together or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select

from fedaid.foundation.clock import SystemClock
from fedaid.foundation.database import Database
from fedaid.foundation.ids import IdSource
from fedaid.foundation.names import Names
from fedaid.foundation.work import Announcers, Together, UnitsOfWork, Work

metadata = MetaData()
told = Table("told", metadata, Column("n", Integer, primary_key=True), Column("words", String))


@dataclass(frozen=True)
class SofaMoved:
    """Something happened."""

    words: str


@dataclass(frozen=True)
class CakeEaten:
    """Something that followed from it."""


def write_down(work: Work, fact: object) -> None:
    assert isinstance(fact, SofaMoved)
    work.connection.execute(insert(told).values(words=fact.words))
    work.record(CakeEaten())


def eat(work: Work, fact: object) -> None:
    work.connection.execute(insert(told).values(words="cake"))


@pytest.fixture
def units(database: Database) -> UnitsOfWork:
    metadata.create_all(database.engine)
    names = Names("https://northside.example")
    return UnitsOfWork(database, SystemClock(), names, {SofaMoved: [write_down], CakeEaten: [eat]})


def words(units: UnitsOfWork) -> list[str]:
    with units.database.read() as connection:
        return list(connection.execute(select(told.c.words).order_by(told.c.n)).scalars())


def test_a_fact_is_announced_in_the_transaction_that_recorded_it_and_so_is_what_follows(units: UnitsOfWork) -> None:
    with units.begin() as work:
        work.record(SofaMoved("up"))
    assert words(units) == ["up", "cake"]


def test_who_is_told_together_is_told_once_of_all_facts_after_each_was_announced(database: Database) -> None:
    heard: list[object] = []

    def sweep(work: Work, facts: Sequence[object]) -> None:
        heard.append(list(facts))
        if SofaMoved("down") in facts:
            work.record(CakeEaten())

    together = Together(sweep)
    announcers: Announcers = {
        SofaMoved: [together, lambda _work, fact: heard.append(fact)],
        CakeEaten: [together],
    }
    units = UnitsOfWork(database, SystemClock(), Names("https://northside.example"), announcers)
    up, down = SofaMoved("up"), SofaMoved("down")
    with units.begin() as work:
        work.record(up)
        work.record(CakeEaten())
        work.record(down)
    assert heard == [up, down, [up, CakeEaten(), down], [CakeEaten()]]


def test_a_part_within_a_part_fails_by_itself(units: UnitsOfWork) -> None:
    with units.begin() as work:
        with work.attempt():
            work.connection.execute(insert(told).values(words="outer"))
            with pytest.raises(ZeroDivisionError), work.attempt():
                work.connection.execute(insert(told).values(words="inner"))
                raise ZeroDivisionError
            work.connection.execute(insert(told).values(words="outer still"))
        with pytest.raises(ZeroDivisionError), work.attempt():
            with work.attempt():
                work.connection.execute(insert(told).values(words="done, and undone with what it is part of"))
            raise ZeroDivisionError
    assert words(units) == ["outer", "outer still"]


def test_when_the_work_fails_nothing_of_it_stays(units: UnitsOfWork) -> None:
    with pytest.raises(ZeroDivisionError), units.begin() as work:
        work.connection.execute(insert(told).values(words="half"))
        work.record(SofaMoved("up"))
        raise ZeroDivisionError
    assert words(units) == []


def test_a_part_that_fails_by_itself_takes_its_rows_and_facts_with_it(units: UnitsOfWork) -> None:
    with units.begin() as work:
        work.record(SofaMoved("first"))
        with pytest.raises(ZeroDivisionError), work.attempt():
            work.connection.execute(insert(told).values(words="gone"))
            work.record(SofaMoved("gone too"))
            raise ZeroDivisionError
    assert words(units) == ["first", "cake"]


def test_nobody_is_woken_before_the_commit(database: Database) -> None:
    seen: list[list[str]] = []
    names = Names("https://northside.example")
    units = UnitsOfWork(database, SystemClock(), names, {SofaMoved: [write_down]}, lambda: seen.append(words(units)))
    metadata.create_all(database.engine)
    with units.begin() as work:
        work.record(SofaMoved("up"))
    assert seen == [["up"]]


def test_a_reader_cannot_write(units: UnitsOfWork) -> None:
    from sqlalchemy.exc import DBAPIError

    with pytest.raises(DBAPIError), units.database.read() as connection:
        connection.execute(insert(told).values(words="sneaky"))


def test_errors_of_the_database_do_not_tell_the_values(units: UnitsOfWork) -> None:
    from sqlalchemy.exc import IntegrityError

    with units.begin() as work:
        work.connection.execute(insert(told).values(n=1, words="x"))
    with pytest.raises(IntegrityError) as raised, units.begin() as work:
        work.connection.execute(insert(told).values(n=1, words="my secret address"))
    assert "my secret address" not in str(raised.value)


def test_ids_rise_also_within_one_millisecond() -> None:
    source = IdSource(SystemClock())
    made = [source.next() for _ in range(2000)]
    assert made == sorted(set(made))
    assert all(0 < one < 2**63 for one in made)
