"""Tokens with a name that say when they were used, and answers kept for programs that ask twice."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New columns and a table only; old code goes on working beside them."""
    op.add_column("token", sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("token", sa.Column("last_used_at", UtcDateTime(), nullable=True))
    op.create_table(
        "kept_answer",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "key", name=op.f("pk_kept_answer")),
    )
    op.create_index(op.f("ix_kept_answer_kept_at"), "kept_answer", ["kept_at"], unique=False)
