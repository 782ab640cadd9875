"""A neighbourhood with programs, one for all tests of a module that only need some members."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.programs import Town, town


@pytest.fixture(scope="module")
def north(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """On SQLite, shared by the tests of a module: each brings what it needs."""
    with town("sqlite", tmp_path_factory.mktemp("api")) as made:
        yield made


@pytest.fixture
def both(database_kind: str, tmp_path: Path) -> Iterator[Town]:
    """A fresh one on each kind of database."""
    with town(database_kind, tmp_path) as made:
        yield made
