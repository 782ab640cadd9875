"""What members are told of, how they want to be, and the mails that tell them."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

EMAIL = 254
KINDS = (
    "'answered', 'taken_back', 'accepted', 'declined', 'called_off', 'done', 'remark', 'expired', 'hidden', "
    "'looked_at', 'to_look_at', 'asked', 'hours_claimed', 'hours_credited', 'hours_refused', 'hours_stuck', "
    "'hours_questioned', 'hours_explained', 'hours_to_explain', 'group_asked', 'group_answered', 'taken_in', "
    "'applied', 'reported', 'message', 'suggestion', 'peering_asked', 'ledger_alarm', 'recovery'"
)


def upgrade() -> None:
    _mail()
    _notices()


def _mail() -> None:
    op.create_table(
        "mail",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("address", sa.String(length=EMAIL), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("purpose IN ('notices', 'digest', 'recovery')", name=op.f("ck_mail_purpose")),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed', 'needless')", name=op.f("ck_mail_state")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_mail_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    op.create_index("ix_mail_state_due_at", "mail", ["state", "due_at"])
    op.create_index("ix_mail_member_id_made_at", "mail", ["member_id", "made_at"])
    op.create_table(
        "mail_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_mail_key_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_key")),
    )


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("about", sa.String(length=2048), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("mail_due_at", UtcDateTime(), nullable=True),
        sa.Column("mail_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_notice_kind")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_notice_member_id_member")),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_notice_mail_id_mail"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("member_id", "kind", "about", name=op.f("uq_notice_member_id_kind_about")),
    )
    op.create_index(op.f("ix_notice_made_at"), "notice", ["made_at"])
    op.create_index("ix_notice_member_id_read_at", "notice", ["member_id", "read_at"])
    op.create_index("ix_notice_member_id_id", "notice", ["member_id", "id"])
    op.create_index(op.f("ix_notice_mail_due_at"), "notice", ["mail_due_at"])
    op.create_index(op.f("ix_notice_mail_id"), "notice", ["mail_id"])
    op.create_table(
        "notice_choice",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.CheckConstraint(
            "topic IN ('answers', 'messages', 'asks', 'hours', 'groups', 'care', 'account')",
            name=op.f("ck_notice_choice_topic"),
        ),
        sa.CheckConstraint("channel IN ('none', 'here', 'weekly', 'at_once')", name=op.f("ck_notice_choice_channel")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_notice_choice_member_id_member")),
        sa.PrimaryKeyConstraint("member_id", "topic", name=op.f("pk_notice_choice")),
    )
