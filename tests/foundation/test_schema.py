"""Migrations make exactly the tables the code knows, once, whoever starts first, and never touch a newer database."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

import fedaid.app  # noqa: F401 - defines every table
import inbox.tables
import outbox.tables
from fedaid.foundation import full_text, schema
from fedaid.foundation.database import Database, metadata
from fedaid.foundation.refused import Refused
from tests.support.databases import create_tables, fresh_database


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    schema.upgrade(database)
    with database.read() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": is_no_full_text_index}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, [metadata, inbox.tables.metadata, outbox.tables.metadata])
    assert differences == []


def is_no_full_text_index(_thing: object, name: str | None, *_more: object) -> bool:
    """Each database makes those in its own way; what they are is compared with the triggers."""
    made = (full_text.name_of("listing_search"), full_text.vector_of("words"))
    return name is None or not name.startswith(made)


TRIGGERS = {
    "sqlite": "SELECT name || ' ' || sql FROM sqlite_master WHERE type = 'trigger' OR sql LIKE 'CREATE VIRTUAL%'",
    "postgresql": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal "
    "UNION ALL SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%USING gin%'",
}


def guards(database: Database) -> set[str]:
    """The conditions on rows and the triggers of a database, which Alembic does not compare."""
    with database.read() as connection:
        found = inspect(connection)
        conditions = {
            f"{table}: {check['name']} {check['sqltext']}"
            for table in found.get_table_names()
            for check in found.get_check_constraints(table)
        }
        return conditions | set(connection.execute(text(TRIGGERS[connection.dialect.name])).scalars())


def test_the_migrations_guard_the_rows_as_the_code_knows(
    database: Database, database_kind: str, tmp_path: Path
) -> None:
    schema.upgrade(database)
    with fresh_database(database_kind, tmp_path) as known:
        create_tables(known, metadata, inbox.tables.metadata, outbox.tables.metadata)
        assert any("TRIGGER posting" in one for one in guards(known))
        assert any("listing_search_index" in one for one in guards(known))
        assert guards(database) == guards(known)


def test_an_upgraded_database_is_at_the_newest_revision(database: Database) -> None:
    assert schema.revision(database) is None
    schema.upgrade(database)
    assert schema.revision(database) == schema.newest_revision()


def test_migrations_are_numbered_as_their_files_are() -> None:
    scripts = list(ScriptDirectory.from_config(schema._config()).walk_revisions())
    assert scripts[0].revision == schema.newest_revision()
    assert all(Path(script.path).name.startswith(f"m{script.revision}_") for script in scripts)


def test_a_start_on_an_upgraded_database_does_without_alembic(database: Database, database_url: str) -> None:
    schema.upgrade(database)
    start = (
        "import sys, fedaid.cli; from fedaid.foundation import database, schema;"
        "schema.upgrade(database.Database(sys.argv[1])); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", start, database_url], check=False).returncode == 0


def test_upgrading_again_changes_nothing(database: Database) -> None:
    schema.upgrade(database)
    schema.upgrade(database)
    assert schema.revision(database) == schema.newest_revision()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database: Database) -> None:
    schema.upgrade(database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="newer fedaid"):
        schema.upgrade(database)
    assert schema.revision(database) == "9999"


NEXT_MIGRATION = """
from alembic import op

revision = "9999"
down_revision = "{newest}"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("{statement}")
"""
ORPHAN = "INSERT INTO session VALUES ('x', 7, '2026-09-01 00:00', '2026-09-01 00:00', '')"


def plan(monkeypatch: pytest.MonkeyPatch, folder: Path, statement: str) -> None:
    """Let there be one migration more."""
    shutil.copytree(schema._MIGRATIONS, folder / "migrations")
    text = NEXT_MIGRATION.format(newest=schema.newest_revision(), statement=statement)
    (folder / "migrations" / "versions" / "m9999_next.py").write_text(text)
    monkeypatch.setattr(schema, "_MIGRATIONS", folder / "migrations")


def test_an_upgrade_that_would_leave_rows_pointing_to_nothing_is_not_made(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    schema.upgrade(database)
    before = schema.revision(database)
    plan(monkeypatch, tmp_path, ORPHAN)
    with pytest.raises((Refused, IntegrityError), match=r"point to nothing|violates foreign key"):
        schema.upgrade(database)
    assert schema.revision(database) == before


def test_references_are_minded_again_after_an_upgrade(database: Database) -> None:
    schema.upgrade(database)
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(text(ORPHAN))


def test_processes_that_start_together_upgrade_one_after_the_other(database: Database, database_url: str) -> None:
    others = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(schema.upgrade, others))
    for other in others:
        other.dispose()
    assert schema.revision(database) == schema.newest_revision()


def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE posting (in_the_way INTEGER)"))
    with pytest.raises(DBAPIError):
        schema.upgrade(database)
    with database.read() as connection:
        assert inspect(connection).get_table_names() == ["posting"]
