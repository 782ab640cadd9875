"""The engines are set so that nothing acknowledged is lost, nobody waits for readers, and readers change nothing."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, ForeignKey, Integer, MetaData, Table, insert, select, text
from sqlalchemy.exc import IntegrityError

from fedaid.foundation.database import SQLITE_BUSY_TIMEOUT_MS, Database
from tests.support.databases import create_tables, fresh_database

SYNCHRONOUS_FULL = 2

metadata = MetaData()
house = Table("house", metadata, Column("n", Integer, primary_key=True))
room = Table("room", metadata, Column("house", Integer, ForeignKey("house.n"), nullable=False))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    with fresh_database("sqlite", tmp_path) as database:
        yield database


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[Database]:
    with fresh_database("postgresql", tmp_path) as database:
        yield database


def said(connection: Connection, statement: str) -> object:
    return connection.execute(text(statement)).scalar_one()


def test_processes_that_open_a_new_file_at_the_same_moment_wait_for_one_another(tmp_path: Path) -> None:
    together = threading.Barrier(6)

    def open_it(path: Path) -> None:
        database = Database(f"sqlite:///{path}")
        together.wait()
        try:
            with database.write() as connection:
                connection.execute(text("CREATE TABLE IF NOT EXISTS street (n INTEGER)"))
        finally:
            database.dispose()

    with ThreadPoolExecutor(together.parties) as pool:
        for n in range(60):  # one of twelve such files was refused as "locked" before there was a wait
            list(pool.map(open_it, [tmp_path / f"{n}.sqlite"] * together.parties))


@pytest.mark.parametrize("way", ["write", "read"])
def test_sqlite_keeps_a_log_that_survives_a_power_cut_and_waits_its_turn(sqlite: Database, way: str) -> None:
    with getattr(sqlite, way)() as connection:
        assert said(connection, "PRAGMA journal_mode") == "wal"
        assert said(connection, "PRAGMA synchronous") == SYNCHRONOUS_FULL
        assert said(connection, "PRAGMA foreign_keys") == 1
        assert said(connection, "PRAGMA busy_timeout") == SQLITE_BUSY_TIMEOUT_MS
        assert said(connection, "PRAGMA query_only") == (1 if way == "read" else 0)


def test_a_writer_on_sqlite_has_the_database_to_itself_from_its_beginning(sqlite: Database) -> None:
    assert sqlite.url.database
    other = sqlite3.connect(sqlite.url.database, timeout=0, isolation_level=None)
    with sqlite.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_writer_on_postgresql_reads_what_is_committed_and_a_reader_one_view_of_it(postgresql: Database) -> None:
    with postgresql.write() as connection:
        assert said(connection, "SHOW transaction_isolation") == "read committed"
        assert said(connection, "SHOW transaction_read_only") == "off"
    with postgresql.read() as connection:
        assert said(connection, "SHOW transaction_isolation") == "repeatable read"
        assert said(connection, "SHOW transaction_read_only") == "on"
        assert connection.engine.driver == "psycopg"


def test_a_reader_keeps_one_view_and_holds_up_no_writer(database: Database) -> None:
    create_tables(database, metadata)
    with database.read() as reading:
        assert reading.execute(select(house)).all() == []
        with database.write() as writing:
            writing.execute(insert(house).values(n=1))
        assert reading.execute(select(house)).all() == []
    with database.read() as reading:
        assert reading.execute(select(house.c.n)).scalars().all() == [1]


def test_a_row_cannot_name_another_that_is_not_there(database: Database) -> None:
    create_tables(database, metadata)
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(room).values(house=7))
