"""A small house for the tests of network."""

import pytest

from fedaid.foundation.database import Database
from tests.small_house import SmallHouse, build


@pytest.fixture
def house(migrated_database: Database) -> SmallHouse:
    return build(migrated_database)
