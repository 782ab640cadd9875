"""The databases of simulated instances on a real PostgreSQL: a backup of one is a copy that the server makes."""

import itertools
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import psycopg
from sqlalchemy import event

from tests.support import postgresql
from tests.support.databases import TEMPLATE, migrated_template
from tests.timebank.simulate.node import CopiedDatabase

_NAMED = re.compile(r"(?<![:\w]):(\w+)")


class PostgresqlDatabase(CopiedDatabase):
    """The product's database, on the schema that its migrations make; ``image`` is the name of a copy of it."""

    def __init__(self, copies: "Copies", name: str) -> None:
        super().__init__(postgresql.url(name))
        self.name = name
        self.raw = Raw(postgresql.url(name))
        self._copies = copies
        event.listen(self.engine, "commit", self._refuse_when_full)

    @property
    def image(self) -> str:
        """A copy of everything that is durable now."""
        self.dispose()
        return self._copies.of(self.name)

    def put_back(self, image: str) -> None:
        """As if the server had been given an older backup."""
        self.dispose()
        self.is_full = False
        self._copies.put_back(self.name, image)

    def dispose(self) -> None:
        """Close every connection: a database is copied while nobody uses it."""
        super().dispose()
        self.raw.close()


class Raw:
    """Queries of the auditor's own, beside the product's engines; opened when first used after a copy was made."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def execute(self, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        """With ``?`` or ``:name`` for the values, as SQLite has it."""
        if self._connection is None:
            self._connection = psycopg.connect(self._url, autocommit=True)
        return self._connection.execute(_NAMED.sub(r"%(\1)s", query).replace("?", "%s").encode(), values)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Copies:
    """The databases of one run and their copies; all of them are dropped when it ends."""

    def __init__(self) -> None:
        self._prefix = f"sim{secrets.token_hex(4)}"
        self._numbers = itertools.count()
        self._opened = ExitStack()
        self._sql = self._opened.enter_context(psycopg.connect(postgresql.url("postgres"), autocommit=True))

    def __enter__(self) -> "Copies":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def new_database(self) -> PostgresqlDatabase:
        """One as the migrations make it."""
        migrated_template("postgresql")
        found = PostgresqlDatabase(self, self.of(TEMPLATE))
        self._opened.callback(found.dispose)
        return found

    def of(self, name: str) -> str:
        """The name of a new copy."""
        copy = f"{self._prefix}_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
        self._opened.callback(self._run, f'DROP DATABASE "{copy}" WITH (FORCE)')
        return copy

    def put_back(self, name: str, image: str) -> None:
        """Make the database what the copy is."""
        self._run(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{image}"')

    def _run(self, statement: str) -> None:
        self._sql.execute(statement.encode())
