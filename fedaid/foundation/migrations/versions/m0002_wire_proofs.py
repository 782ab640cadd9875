"""What a key of another server is kept for, and until when; what a server says that it can do."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New columns only; old code goes on working beside them."""
    op.add_column("remote_key", sa.Column("asserts", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("remote_key", sa.Column("expires_at", UtcDateTime(), nullable=True))
    op.add_column("remote_actor", sa.Column("rfc9421", sa.Boolean(), server_default=sa.false(), nullable=False))
