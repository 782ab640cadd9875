"""A street where it can be looked for what fits, on each kind of database."""

import pytest

from fedaid.foundation.database import Database
from tests.matching.street import Street
from tests.skills.neighbours import build_neighbours


@pytest.fixture
def street(migrated_database: Database) -> Street:
    return Street(build_neighbours(migrated_database))
