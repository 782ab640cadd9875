"""Northside where everybody is told of what concerns them, on each kind of database."""

from collections.abc import Iterator

import pytest

from fedaid.foundation.database import Database
from tests.notices.postbox import Postbox, postbox
from tests.notices.told import Town, build_town


@pytest.fixture
def town(migrated_database: Database) -> Town:
    return build_town(migrated_database)


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox() as opened:
        yield opened
