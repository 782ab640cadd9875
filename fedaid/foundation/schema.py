"""Brings a database to the schema this version knows, and refuses one made by a newer version.

Alembic is imported only where there is something to migrate: its import takes a sixth of a start.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from fedaid.foundation.database import Database
from fedaid.foundation.refused import Refused

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 7_360_193_205  # an arbitrary number that all fedaid processes share (PostgreSQL advisory lock)


def upgrade(database: Database) -> None:
    """Run the migrations that are missing; harmless when there are none. Raises Refused for a newer schema.

    Two processes may start at once: the second waits for the first, then finds nothing left to do.
    """
    if revision(database) != newest_revision():
        _migrate(database)


def _migrate(database: Database) -> None:
    from alembic import command

    with _references_looked_at_last(database) as connection, connection.begin(), _one_at_a_time(connection):
        present = _known_revision(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if present not in (None, _revision(connection)):
            _refuse_broken_references(connection)


def revision(database: Database) -> str | None:
    """The revision the database is at, None for an empty one."""
    with database.read() as connection:
        return _revision(connection)


def newest_revision() -> str:
    """The revision this version of fedaid makes. Migrations are numbered, as their files are."""
    return max(path.name[1:5] for path in (_MIGRATIONS / "versions").glob("m[0-9][0-9][0-9][0-9]_*.py"))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


@contextmanager
def _references_looked_at_last(database: Database) -> Iterator[Connection]:
    """A connection on which SQLite may make a table anew, by copying and dropping it.

    While it minds references, a dropped table takes along the rows that point to it, or cannot be dropped for them;
    it can be told not to only while no transaction is open.
    """
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            yield connection
            return
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()


def _refuse_broken_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":  # PostgreSQL minds them all the time
        return
    broken = {row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
    if broken:
        raise Refused(
            "schema_broken",
            f"After this upgrade rows in {', '.join(sorted(broken))} would point to nothing. Nothing was changed: "
            "start the older version, and please report this.",
        )


def _known_revision(connection: Connection) -> str | None:
    """The revision the database is at. Raises Refused when this version does not know it."""
    from alembic.script import ScriptDirectory

    present = _revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if present is not None and present not in known:
        raise Refused(
            "schema_newer",
            f"This database was made by a newer fedaid (schema {present}). Nothing was changed: "
            "start the newer version, or restore a backup made before the upgrade.",
        )
    return present


@contextmanager
def _one_at_a_time(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "postgresql":  # SQLite's BEGIN IMMEDIATE has locked already
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
    yield


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
