"""What several migrations make of a table: rows that the database itself refuses to change or remove."""

from alembic import op

from fedaid.foundation.append_only import guard


def append_only(table: str) -> None:
    """From now on rows are only added to this table."""
    guard(op.get_bind(), table)
