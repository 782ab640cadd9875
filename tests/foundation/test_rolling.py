"""Old and new processes share one database while a version is changed: a migration only adds what the old can ignore."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from fedaid.foundation import schema
from fedaid.foundation.database import Database

# The schemas before the first release, between which no process had to go on. Nothing is added here any more: a version
# that needs a stop says so in the changelog, and this test is told of its revision by name.
BEFORE_THE_RULE = frozenset(f"{number:04}" for number in range(1, 15))
NEED_A_STOP: Mapping[str, str] = {}


@dataclass(frozen=True)
class ColumnSeen:
    """A column as somebody sees it who writes rows without knowing it."""

    nullable: bool
    filled_in: bool

    @property
    def can_be_left_out(self) -> bool:
        return self.nullable or self.filled_in


Tables = Mapping[str, Mapping[str, ColumnSeen]]


def bring_to(database: Database, revision: str) -> None:
    with schema._references_looked_at_last(database) as connection, connection.begin():
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def tables(database: Database) -> Tables:
    with database.read() as connection:
        found = inspect(connection)
        return {
            table: {
                column["name"]: ColumnSeen(column["nullable"], _is_filled_in(column))
                for column in found.get_columns(table)
            }
            for table in found.get_table_names()
        }


def _is_filled_in(column: Mapping[str, object]) -> bool:
    return column.get("default") is not None or bool(column.get("computed") or column.get("identity"))


def broken_by(before: Tables, after: Tables) -> list[str]:
    """What a process that knows only ``before`` could not do any more."""
    found = []
    for table, columns in before.items():
        now = after.get(table, {})
        found += [f"{table}.{name} is gone" for name in columns if name not in now]
        found += [
            f"{table}.{name} must be given"
            for name, column in now.items()
            if not column.can_be_left_out and (name not in columns or columns[name].can_be_left_out)
        ]
    return found


def test_every_migration_from_the_rule_on_leaves_the_code_before_it_at_work(database: Database) -> None:
    revisions = [one.revision for one in ScriptDirectory.from_config(schema._config()).walk_revisions()][::-1]
    assert set(NEED_A_STOP) <= set(revisions)
    last = max(one for one in revisions if one in BEFORE_THE_RULE)
    bring_to(database, last)
    before = tables(database)
    for revision in revisions[revisions.index(last) + 1 :]:
        bring_to(database, revision)
        after = tables(database)
        assert revision in NEED_A_STOP or broken_by(before, after) == [], revision
        before = after


GIVEN, LEFT_OUT = ColumnSeen(nullable=False, filled_in=False), ColumnSeen(nullable=True, filled_in=False)
FILLED_IN = ColumnSeen(nullable=False, filled_in=True)


@pytest.mark.parametrize(
    ("after", "broken"),
    [
        ({"listing": {"id": GIVEN, "title": GIVEN}}, []),
        ({"listing": {"id": GIVEN, "title": GIVEN}, "loan": {"id": GIVEN}}, []),
        ({"listing": {"id": GIVEN, "title": LEFT_OUT, "more": LEFT_OUT, "most": FILLED_IN}}, []),
        ({"listing": {"id": GIVEN}}, ["listing.title is gone"]),
        ({}, ["listing.id is gone", "listing.title is gone"]),
        ({"listing": {"id": GIVEN, "title": GIVEN, "more": GIVEN}}, ["listing.more must be given"]),
    ],
)
def test_what_would_break_the_code_before_is_found(after: Tables, broken: list[str]) -> None:
    assert broken_by({"listing": {"id": GIVEN, "title": GIVEN}}, after) == broken
