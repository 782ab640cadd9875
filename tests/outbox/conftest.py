"""The outgoing mail room on an empty database, with a town of scripted servers around it."""

import pytest

from fedaid.foundation.database import Database
from outbox import tables
from tests.outbox.world import World


@pytest.fixture
def outbox_tables(database: Database) -> None:
    tables.metadata.create_all(database.engine)


@pytest.fixture
def world(database: Database, outbox_tables: None) -> World:
    return World(database)
