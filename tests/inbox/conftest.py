"""The incoming mail room on an empty database."""

import pytest

from fedaid.foundation.database import Database
from inbox import tables
from tests.inbox.world import World


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def world(database: Database) -> World:
    tables.metadata.create_all(database.engine)
    return World(database)
