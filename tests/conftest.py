"""What every test may ask for: a database of each kind, empty or with the schema, and a quick place for files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fedaid.foundation.database import Database
from tests.attacks.tally import Tally
from tests.support import databases, postgresql

# These need npm and node: `make interop`, `make conformance` and `make second` ask for them by name.
collect_ignore = ["browser", "interop", "conformance", "second"]

GUARD = pytest.StashKey[postgresql.Guard]()


@pytest.hookimpl(tryfirst=True)  # before pytest chooses a place for temporary files
def pytest_configure(config: pytest.Config) -> None:
    """Before xdist starts its workers, which learn from the environment where the one cluster is.

    Temporary files go with the run, as they may be in memory; ``--basetemp`` keeps those of the tests that failed.
    """
    config.pluginmanager.register(Tally(config))
    if not hasattr(config, "workerinput"):
        config.stash[GUARD] = postgresql.stand_guard()
        config.option.basetemp = config.option.basetemp or str(postgresql.run_folder() / "files")


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
    with databases.opened(database_url) as opened:
        yield opened


@pytest.fixture
def migrated_database_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with the schema of an instance, as the migrations make it."""
    with databases.migrated_database_url(database_kind, tmp_path) as url:
        yield url


@pytest.fixture
def migrated_database(migrated_database_url: str) -> Iterator[Database]:
    """A database with the schema of an instance, as the migrations make it."""
    with databases.opened(migrated_database_url) as opened:
        yield opened
