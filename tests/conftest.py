"""What every test may ask for: an empty database of each kind, and the PostgreSQL behind one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fedaid.foundation.database import Database
from tests.support import databases, postgresql

collect_ignore = ["interop"]  # these need npm: `make interop` asks for them by name

GUARD = pytest.StashKey[postgresql.Guard]()


def pytest_configure(config: pytest.Config) -> None:
    """Before xdist starts its workers, which learn from the environment where the one cluster is."""
    if not hasattr(config, "workerinput"):
        config.stash[GUARD] = postgresql.stand_guard()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Also after a failure; should the run be killed, the guard notices by itself."""
    guard = config.stash.get(GUARD, None)
    if guard:
        guard.let_go()


@pytest.fixture(params=databases.KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """The kinds of database we run on; a test that asks for it runs once on each."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    with databases.fresh_database_url(database_kind, tmp_path) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database; the test creates the tables it needs (``create_tables``)."""
    opened = Database(database_url)
    yield opened
    opened.dispose()
