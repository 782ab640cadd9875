"""What a key of another server is kept for, and until when; what a server says that it can do."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New columns only; old code goes on working beside them."""
    op.add_column("remote_key", sa.Column("asserts", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("remote_key", sa.Column("expires_at", UtcDateTime(), nullable=True))
    op.add_column("remote_actor", sa.Column("rfc9421", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("remote_actor", sa.Column("moved_to", sa.String(length=2048), nullable=True))
    op.add_column("remote_actor", sa.Column("moved_at", UtcDateTime(), nullable=True))
    op.add_column("local_actor", sa.Column("also_known_as", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("local_actor", sa.Column("moved_to", sa.String(length=2048), nullable=True))
    op.add_column("local_actor", sa.Column("moved_at", UtcDateTime(), nullable=True))
    op.add_column("local_actor", sa.Column("key_number", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("local_actor", sa.Column("old_rsa_pem", sa.Text(), nullable=True))
    op.add_column("local_actor", sa.Column("old_ed25519_pem", sa.Text(), nullable=True))
    op.add_column("local_actor", sa.Column("old_keys_until", UtcDateTime(), nullable=True))
    op.add_column("outbox_activity", sa.Column("everywhere", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(op.f("ix_outbox_delivery_actor"), "outbox_delivery", ["actor"], unique=False)
    op.create_table(
        "errand",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=2048), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errand")),
        sa.UniqueConstraint("kind", "about", name=op.f("uq_errand_kind_about")),
    )
    op.create_index(op.f("ix_errand_due_at"), "errand", ["due_at"], unique=False)
