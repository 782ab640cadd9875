"""Databases for tests, one of each kind we run on: empty ones, and ones with the schema of an instance."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import MetaData

from fedaid.foundation import schema
from fedaid.foundation.database import Database
from tests.support import postgresql

KINDS = ["sqlite", "postgresql"]
TEMPLATE = "template_fedaid"  # migrated once in a test run; what tests get is a copy of their own


@contextmanager
def fresh_database_url(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of a kind; what it holds is gone when the block ends."""
    name = _new_name()
    if kind == "sqlite":
        yield _sqlite_url(folder / name)
    else:
        with postgresql.fresh_database(name) as url:
            yield url


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[Database]:
    """An empty database of a kind, with every connection closed at the end."""
    with fresh_database_url(kind, folder) as url, opened(url) as database:
        yield database


@contextmanager
def migrated_database_url(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a database of a kind as the migrations make it; what it holds is gone when the block ends."""
    migrated_template(kind)
    name = _new_name()
    if kind == "sqlite":
        shutil.copyfile(_file(postgresql.run_folder() / TEMPLATE), _file(folder / name))
        yield _sqlite_url(folder / name)
    else:
        with postgresql.fresh_database(name, TEMPLATE) as url:
            yield url


@contextmanager
def migrated_database(kind: str, folder: Path) -> Iterator[Database]:
    """A database of a kind as the migrations make it, with every connection closed at the end."""
    with migrated_database_url(kind, folder) as url, opened(url) as database:
        yield database


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The database at this URL, with every connection closed at the end."""
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


def create_tables(database: Database, *metadatas: MetaData) -> None:
    """Makes the tables of some rooms, as the migrations would."""
    for metadata in metadatas:
        metadata.create_all(database.engine)


def migrated_template(kind: str) -> None:
    """Make the template, unless another worker of the run has made it."""
    with postgresql.once(f"{TEMPLATE}-{kind}") as is_first:
        if not is_first:
            return
        if kind == "postgresql":
            postgresql.make_template(TEMPLATE)
        url = _sqlite_url(postgresql.run_folder() / TEMPLATE) if kind == "sqlite" else postgresql.url(TEMPLATE)
        with opened(url) as database:
            schema.upgrade(database)


def _new_name() -> str:
    return f"t{secrets.token_hex(6)}"


def _file(stem: Path) -> Path:
    return stem.with_suffix(".db")


def _sqlite_url(stem: Path) -> str:
    return f"sqlite:///{_file(stem)}"
