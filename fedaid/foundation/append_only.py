"""Tables that only grow: the database itself refuses to change or remove a row, whoever asks."""

from sqlalchemy import Connection, Table, event


def only_add_to(table: Table) -> None:
    """Guard this table from when it is made, wherever it is made by its definition."""
    event.listen(table, "after_create", _after_create)


def guard(connection: Connection, table: str) -> None:
    """From now on rows are only added to this table of the database (SQLite or PostgreSQL)."""
    for statement in _postgresql(table) if connection.dialect.name == "postgresql" else _sqlite(table):
        connection.exec_driver_sql(statement)


def _after_create(table: Table, connection: Connection, **_options: object) -> None:
    guard(connection, table.name)


def _sqlite(table: str) -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    )


def _postgresql(table: str) -> tuple[str, ...]:
    return (
        f"CREATE OR REPLACE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()",
    )
