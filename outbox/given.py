"""Hands many rows to the database in one statement that is always the same, however many they are.

A statement for each row (executemany too) comes back to a busy interpreter each time, and one with as many places as
there are values is compiled anew for each number of rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Subquery,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

_ROWS = "given_rows"


def given(connection: Connection, **columns: TypeEngine[Any]) -> Subquery:
    """The rows that ``as_rows`` hands over, to be selected from or joined: columns of these names and types."""
    if connection.dialect.name == "sqlite":
        return _given_to_sqlite(columns)
    places = (column(name, kind) for name, kind in columns.items())
    text = cast(bindparam(_ROWS, type_=Text), JSON)
    rows = func.json_to_recordset(text).table_valued(*places, name="rows").render_derived(name="rows", with_types=True)
    return select(*(rows.c[name] for name in columns)).subquery("given")


def _given_to_sqlite(columns: Mapping[str, TypeEngine[Any]]) -> Subquery:
    each = func.json_each(bindparam(_ROWS)).table_valued("value")

    def found(name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
        return type_coerce(func.json_extract(each.c.value, f"$.{name}"), kind).label(name)

    return select(*(found(name, kind) for name, kind in columns.items())).subquery("given")


def as_rows(rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """The parameter for a statement with ``given`` in it."""
    return {_ROWS: orjson.dumps(rows).decode()}
