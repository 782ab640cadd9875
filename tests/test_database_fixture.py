"""The ground the other tests stand on: each gets an empty database that nobody else sees."""

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from fedaid.foundation.database import Database
from tests.support.databases import create_tables

metadata = MetaData()
mark = Table("mark", metadata, Column("id", BigInteger, primary_key=True))


@pytest.mark.parametrize("time", [1, 2])
def test_a_test_finds_its_database_empty(database: Database, time: int) -> None:
    assert inspect(database.engine).get_table_names() == []
    create_tables(database, metadata)
    with database.write() as connection:
        connection.execute(insert(mark).values(id=time))
    with database.read() as connection:
        assert connection.scalars(select(mark.c.id)).all() == [time]


def test_a_page_cannot_write(database: Database) -> None:
    create_tables(database, metadata)
    with pytest.raises(DBAPIError), database.read() as connection:
        connection.execute(insert(mark).values(id=1))


def test_the_kind_is_the_one_asked_for(database: Database, database_kind: str) -> None:
    assert database.engine.dialect.name == database_kind
