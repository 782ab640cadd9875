"""Full text on both databases: an index over a column of words, and which rows hold what somebody looks for.

The words are made by ``fedaid.foundation.words`` and compared as they stand, so both databases find the same: an FTS5
table that triggers keep on SQLite, a GIN index over a tsvector on PostgreSQL. Neither's own stemmer or parser is asked.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, cast, column, event, literal_column, select, table
from sqlalchemy.dialects.postgresql import TSQUERY

from fedaid.foundation.words import Asked


def index(of: Table, words: str) -> None:
    """Keep an index over this column from when the table is made, wherever it is made by its definition."""
    key = next(iter(of.primary_key.columns)).name

    def build_it(_table: Table, connection: Connection, **_options: object) -> None:
        build(connection, of.name, key, words)

    event.listen(of, "after_create", build_it)


def build(connection: Connection, of: str, key: str, words: str) -> None:
    """Make the index for a table that is there, over the rows that it has."""
    for statement in _postgresql(of, words) if connection.dialect.name == "postgresql" else _sqlite(of, key, words):
        connection.exec_driver_sql(statement)


def name_of(of: str) -> str:
    """What the index of a table is called; on SQLite it is a table with some helpers beside it."""
    return f"{of}_index"


def _sqlite(of: str, key: str, words: str) -> Sequence[str]:
    fts = name_of(of)
    new, old = f"(rowid, {words}) VALUES (new.{key}, new.{words})", f"VALUES ('delete', old.{key}, old.{words})"
    add, remove = f"INSERT INTO {fts} {new};", f"INSERT INTO {fts} ({fts}, rowid, {words}) {old};"
    return (
        f"CREATE VIRTUAL TABLE {fts} USING fts5 ({words}, content='{of}', content_rowid='{key}', detail='none')",
        f"CREATE TRIGGER {of}_indexed AFTER INSERT ON {of} BEGIN {add} END",
        f"CREATE TRIGGER {of}_unindexed AFTER DELETE ON {of} BEGIN {remove} END",
        f"CREATE TRIGGER {of}_indexed_anew AFTER UPDATE ON {of} BEGIN {remove} {add} END",
        f"INSERT INTO {fts} ({fts}) VALUES ('rebuild')",  # noqa: S608 - names of ours, nothing that was typed
    )


def _vector(words: str) -> str:
    return f"array_to_tsvector(string_to_array({words}, ' '))"


def _postgresql(of: str, words: str) -> Sequence[str]:
    return (f"CREATE INDEX {name_of(of)} ON {of} USING gin ({_vector(words)})",)


def holding(connection: Connection, words: Column[str], asked: Sequence[Asked]) -> Select[Any]:
    """The keys of the rows that hold each of these words, as a query to stand in another. ``asked`` is not empty."""
    of = words.table
    if connection.dialect.name == "postgresql":
        wanted = cast(" & ".join(f"('{one.begin}':* | '{one.bare}')" for one in asked), TSQUERY)
        key = next(iter(of.primary_key.columns))
        holds = literal_column(_vector(f"{of.name}.{words.name}")).op("@@")(wanted)
        # By itself: who wants only some of them makes PostgreSQL believe that it meets them soon without the index.
        found = select(key).where(holds).cte(f"{of.name}_held").prefix_with("MATERIALIZED", dialect="postgresql")
        return select(found.c[key.name])
    fts = table(name_of(of.name), column("rowid"), column(name_of(of.name)))
    matched = " AND ".join(f'("{one.begin}"* OR "{one.bare}")' for one in asked)
    return select(fts.c.rowid).where(fts.c[name_of(of.name)].op("MATCH")(matched))
