"""The incoming mail room on an empty database, SQLite and PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from fedaid.foundation.database import Database
from inbox import tables
from tests.inbox.world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/t.db"
    if request.param == "postgresql":
        url = os.environ.get("FEDAID_TEST_POSTGRESQL", "")
        if not url:
            pytest.skip("local fixture")
    opened = Database(url)
    if request.param == "postgresql":
        with opened.write() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    yield opened
    opened.dispose()


@pytest.fixture
def world(database: Database) -> World:
    tables.metadata.create_all(database.engine)
    return World(database)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
