"""The outgoing mail room on an empty database, with a town of scripted servers around it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fedaid.foundation.database import Database
from outbox import tables
from tests.outbox.world import World


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/t.db")
    yield opened
    opened.dispose()


@pytest.fixture
def outbox_tables(database: Database) -> None:
    tables.metadata.create_all(database.engine)


@pytest.fixture
def world(database: Database, outbox_tables: None) -> World:
    return World(database)
