"""A local database until the common one exists."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fedaid.foundation.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/t.db")
    yield opened
    opened.dispose()
