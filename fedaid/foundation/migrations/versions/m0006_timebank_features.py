"""What members and admins see of the timebank: who entered what, corrections, questions, and who may spend."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("account", recreate="never") as table:
        table.add_column(sa.Column("hides_balance", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("by_coordinator", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "transfer_entry",
        sa.Column("transfer_id", sa.String(length=2048), nullable=False),
        sa.Column("entered_by", sa.String(length=2048), nullable=True),
        sa.Column("corrects", sa.String(length=2048), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_transfer_entry")),
    )
    op.create_index(op.f("ix_transfer_entry_corrects"), "transfer_entry", ["corrects"], unique=False)
    op.create_table(
        "hours_question",
        sa.Column("transfer_id", sa.String(length=2048), nullable=False),
        sa.Column("asked_by", sa.String(length=2048), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("answered_by", sa.String(length=2048), nullable=True),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_hours_question_transfer_id_transfer")),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_hours_question")),
    )
    op.create_table(
        "spender",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=2048), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_spender_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "actor", name=op.f("pk_spender")),
    )
    op.create_index("ix_spender_actor", "spender", ["actor"], unique=False)
