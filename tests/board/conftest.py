"""Northside and its neighbour, on each kind of database."""

import pytest

from fedaid.foundation.database import Database
from tests.board.world import World, build_world


@pytest.fixture
def world(migrated_database: Database) -> World:
    return build_world(migrated_database)
