"""The language a member reads pages in."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A new column only; old code goes on working beside it."""
    op.add_column("member", sa.Column("language", sa.String(length=8), server_default=sa.text("''"), nullable=False))
