"""Empty databases for tests, one of each kind we run on."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import MetaData

from fedaid.foundation.database import Database
from tests.support import postgresql

KINDS = ["sqlite", "postgresql"]


@contextmanager
def fresh_database_url(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of a kind; what it holds is gone when the block ends."""
    name = f"t{secrets.token_hex(6)}"
    if kind == "sqlite":
        yield f"sqlite:///{folder / name}.db"
    else:
        with postgresql.fresh_database(name) as url:
            yield url


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[Database]:
    """An empty database of a kind, with every connection closed at the end."""
    with fresh_database_url(kind, folder) as url:
        opened = Database(url)
        try:
            yield opened
        finally:
            opened.dispose()


def create_tables(database: Database, *metadatas: MetaData) -> None:
    """Makes the tables of some rooms, as the migrations would."""
    for metadata in metadatas:
        metadata.create_all(database.engine)
