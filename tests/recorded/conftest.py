"""A town on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorded.town import Town
from tests.small_house import some_keys


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def town(migrated_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setattr("fedaid.actors.commands.make_keys", some_keys)  # making RSA keys is slow
    made = Town(tmp_path, migrated_database_url)
    yield made
    made.instance.database.dispose()
