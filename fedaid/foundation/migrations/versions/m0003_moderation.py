"""Who is not welcome, with reason and author; blocks between people; reports; the moderators' log."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime
from fedaid.foundation.migrations.guards import append_only

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Blocks of hosts become restrictions of hosts; everything else is new."""
    op.create_table(
        "restriction",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("target", sa.String(length=2048), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rejects_media", sa.Boolean(), nullable=False),
        sa.Column("rejects_reports", sa.Boolean(), nullable=False),
        sa.Column("obfuscates", sa.Boolean(), nullable=False),
        sa.Column("laid_by", sa.String(length=2048), nullable=False),
        sa.Column("laid_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('host', 'actor')", name=op.f("ck_restriction_kind")),
        sa.CheckConstraint("severity IN ('block', 'limit', 'none')", name=op.f("ck_restriction_severity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restriction")),
        sa.UniqueConstraint("target", name=op.f("uq_restriction_target")),
    )
    op.execute(
        "INSERT INTO restriction (id, kind, target, severity, reason, rejects_media, rejects_reports, obfuscates, "
        "laid_by, laid_at) SELECT id, 'host', host, 'block', '', false, false, false, '', created_at FROM block"
    )
    op.drop_table("block")
    op.create_table(
        "moderation_entry",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=2048), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("target", sa.String(length=2048), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderation_entry")),
    )
    op.create_index(op.f("ix_moderation_entry_target"), "moderation_entry", ["target"], unique=False)
    append_only("moderation_entry")
    op.create_table(
        "actor_block",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("blocker", sa.String(length=2048), nullable=False),
        sa.Column("blocked", sa.String(length=2048), nullable=False),
        sa.Column("activity_id", sa.String(length=2048), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actor_block")),
        sa.UniqueConstraint("blocker", "blocked", name=op.f("uq_actor_block_blocker_blocked")),
    )
    op.create_index(op.f("ix_actor_block_activity_id"), "actor_block", ["activity_id"], unique=False)
    op.create_index("ix_actor_block_blocked", "actor_block", ["blocked"], unique=False)
    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=2048), nullable=False),
        sa.Column("reporter", sa.String(length=2048), nullable=False),
        sa.Column("subject", sa.String(length=2048), nullable=False),
        sa.Column("owner", sa.String(length=2048), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=2048), nullable=False),
        sa.Column("forwarded_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'dismissed', 'settled')", name=op.f("ck_report_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("subject", "source", "day", name=op.f("uq_report_subject_source_day")),
    )
    op.create_index(op.f("ix_report_subject"), "report", ["subject"], unique=False)
    op.create_index("ix_report_state_id", "report", ["state", "id"], unique=False)
    op.create_index("ix_listing_local_host", "listing", ["local", "host"], unique=False)
