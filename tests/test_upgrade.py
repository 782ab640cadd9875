"""A newer version brings an older database to its schema when it is served; an older one refuses a newer database."""

import shutil
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import inspect, text

import fedaid
from fedaid.demo.servers import Person, Town, free_port
from fedaid.foundation import schema
from fedaid.foundation.database import Database

# Adds a column, and makes a table anew that others point to, which SQLite can do only by copying it.
NEXT_MIGRATION = f'''"""A schema of the future."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{schema.newest_revision()}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("listing", sa.Column("colour", sa.Text()))
    with op.batch_alter_table("member") as member:
        member.alter_column("time_zone", type_=sa.Text(), existing_type=sa.String(64), existing_nullable=False)
'''


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A version of fedaid with one migration more; it stands on the same other packages."""
    shutil.copytree(Path(fedaid.__file__).parent, tmp_path / "newer" / "fedaid")
    versions = tmp_path / "newer" / "fedaid" / "foundation" / "migrations" / "versions"
    (versions / "m9999_future.py").write_text(NEXT_MIGRATION)
    return tmp_path / "newer"


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Town:
    """A town founded by this version."""
    people = [Person("nora", "Nora", "admin")]
    data = tmp_path / "data"
    founded = Town("Northside", f"http://127.0.0.1:{free_port()}", data, people, database_url=database_url)
    founded.found()
    founded.run("token", "nora")
    return founded


def test_serve_upgrades_an_older_schema_and_refuses_a_newer_one(town: Town, newer: Path, database: Database) -> None:
    before = _people(database)
    assert len(before) == 2
    updated = replace(town, environment={"PYTHONPATH": str(newer), "PYTHONSAFEPATH": "1"})
    updated.start()
    try:
        assert httpx2.get(f"{town.origin}/@nora", trust_env=False).status_code == 200
    finally:
        updated.stop()
    assert schema.revision(database) == "9999"
    assert "colour" in {column["name"] for column in inspect(database.engine).get_columns("listing")}
    assert _people(database) == before

    with pytest.raises(RuntimeError, match="made by a newer fedaid") as refused:
        town.run("serve", "--port", str(town.port))
    assert "Nothing was changed" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert schema.revision(database) == "9999"


def _people(database: Database) -> list[tuple[object, ...]]:
    """A member and a token of theirs, which goes when they go."""
    with database.read() as connection:
        queries = (text("SELECT * FROM member ORDER BY id"), text("SELECT * FROM token"))
        return [tuple(row) for query in queries for row in connection.execute(query)]
