"""Full text on both databases: an index over a column of words, and which rows hold what somebody looks for.

The words are made by ``fedaid.foundation.words`` and compared as they stand, so both databases find the same: an FTS5
table that triggers keep on SQLite, a generated column with a GIN index over it on PostgreSQL. Neither's own stemmer or
parser is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Table,
    TableClause,
    cast,
    column,
    event,
    literal_column,
    select,
    table,
)
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


def vector_of(words: str) -> str:
    """What the column beside the words is called that PostgreSQL makes of them."""
    return f"{words}_vector"


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


def _postgresql(of: str, words: str) -> Sequence[str]:
    vector = vector_of(words)
    made = f"array_to_tsvector(string_to_array({words}, ' '))"
    # Stored, as it is dear to make for each row that is looked at. Without fastupdate, as otherwise who looks for words
    # goes through all that was written since the last vacuum.
    return (
        f"ALTER TABLE {of} ADD COLUMN {vector} tsvector GENERATED ALWAYS AS ({made}) STORED",
        f"CREATE INDEX {name_of(of)} ON {of} USING gin ({vector}) WITH (fastupdate = off)",
    )


@dataclass(frozen=True)
class Holding:
    """The keys of rows that hold some words.

    are_all     whether there are no others
    are_newest  whether none of the others has a higher key
    """

    keys: Sequence[int]
    are_all: bool
    are_newest: bool


def some_holding(
    connection: Connection, words: Column[str], asked: Sequence[Asked], most: int, before: int | None = None
) -> Holding:
    """At most so many rows that hold each of these words, found by the index. ``asked`` is not empty.

    On SQLite, whose index has them in order, the newest, where ``before`` is given of those with a lower key.
    """
    if connection.dialect.name == "postgresql":
        key = next(iter(words.table.primary_key.columns))
        keys = connection.execute(select(key).where(_matches(words, asked)).limit(most)).scalars().all()
        return Holding(keys, are_all=len(keys) < most, are_newest=len(keys) < most)
    fts, matched = _fts(words, asked)
    query = select(fts.c.rowid).where(matched).order_by(fts.c.rowid.desc()).limit(most)
    keys = connection.execute(query if before is None else query.where(fts.c.rowid < before)).scalars().all()
    return Holding(keys, are_all=len(keys) < most, are_newest=True)


def holds(connection: Connection, words: Column[str], asked: Sequence[Asked], key: Column[int]) -> ColumnElement[bool]:
    """Whether the row with this key holds each of these words, for a query that goes through rows in an order of its
    own and soon has enough of them."""
    if connection.dialect.name == "postgresql":
        own = next(iter(words.table.primary_key.columns))
        # A value, not a condition that PostgreSQL might turn around and answer for all rows first.
        return select(_matches(words, asked)).where(own == key).scalar_subquery()
    fts, matched = _fts(words, asked)
    return key.in_(select(fts.c.rowid).where(matched))  # FTS5 is asked once; for one row after the other it is slow


def _matches(words: Column[str], asked: Sequence[Asked]) -> ColumnElement[bool]:
    wanted = cast(" & ".join(f"('{one.begin}':* | '{one.bare}')" for one in asked), TSQUERY)
    return literal_column(f"{words.table.name}.{vector_of(words.name)}").op("@@", return_type=Boolean)(wanted)


def _fts(words: Column[str], asked: Sequence[Asked]) -> tuple[TableClause, ColumnElement[bool]]:
    name = name_of(words.table.name)
    fts = table(name, column("rowid"), column(name))
    matched = " AND ".join(f'("{one.begin}"* OR "{one.bare}")' for one in asked)
    return fts, fts.c[name].op("MATCH", return_type=Boolean)(matched)
