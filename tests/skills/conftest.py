"""A neighbourhood with a directory, on each kind of database."""

import pytest

from fedaid.foundation.database import Database
from tests.skills.neighbours import Neighbours, build_neighbours


@pytest.fixture
def street(migrated_database: Database) -> Neighbours:
    return build_neighbours(migrated_database)
