"""What members are told of."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

KINDS = (
    "'answered', 'taken_back', 'accepted', 'declined', 'called_off', 'done', 'remark', 'expired', 'hidden', "
    "'looked_at', 'to_look_at', 'asked', 'hours_claimed', 'hours_credited', 'hours_refused', 'hours_stuck', "
    "'hours_questioned', 'hours_explained', 'hours_to_explain', 'group_asked', 'group_answered', 'taken_in', "
    "'applied', 'reported', 'message', 'suggestion', 'peering_asked', 'ledger_alarm', 'recovery'"
)


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("about", sa.String(length=2048), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_notice_kind")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_notice_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("member_id", "kind", "about", name=op.f("uq_notice_member_id_kind_about")),
    )
    op.create_index(op.f("ix_notice_made_at"), "notice", ["made_at"])
    op.create_index("ix_notice_member_id_read_at", "notice", ["member_id", "read_at"])
    op.create_index("ix_notice_member_id_id", "notice", ["member_id", "id"])
