"""What people of the fediverse add: remarks, reactions, pictures, content warnings, messages and suggestions."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns with defaults and new tables only, so that the version before runs on."""
    for consent in ("indexable", "discoverable"):
        op.add_column("remote_actor", sa.Column(consent, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("outbox_activity", sa.Column("and_followers_of", sa.Text(), nullable=True))
    op.create_index(op.f("ix_listing_tombstone_owner"), "listing_tombstone", ["owner"], unique=False)
    op.add_column("listing", sa.Column("warning", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("response", sa.Column("warning", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("response", sa.Column("public", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("response", sa.Column("told_uri", sa.String(length=2048), nullable=True))
    op.create_index(op.f("ix_response_told_uri"), "response", ["told_uri"], unique=False)
    op.create_table(
        "remark",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("response_id", sa.BigInteger(), nullable=False),
        sa.Column("author_actor", sa.String(length=2048), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("warning", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name=op.f("fk_remark_response_id_response")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark")),
        sa.UniqueConstraint("uri", name=op.f("uq_remark_uri")),
    )
    op.create_index(op.f("ix_remark_response_id"), "remark", ["response_id"], unique=False)
    op.create_table(
        "reaction",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=2048), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("emoji", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('like', 'dislike', 'emoji', 'boost')", name=op.f("ck_reaction_kind")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_reaction_listing_id_listing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reaction")),
        sa.UniqueConstraint("uri", name=op.f("uq_reaction_uri")),
        sa.UniqueConstraint(
            "listing_id", "actor", "kind", "emoji", name=op.f("uq_reaction_listing_id_actor_kind_emoji")
        ),
    )
    op.create_table(
        "picture",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_uri", sa.String(length=2048), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("emoji", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
    )
    op.create_index(op.f("ix_picture_owner_uri"), "picture", ["owner_uri"], unique=False)
    op.create_table(
        "picture_file",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=40), nullable=False),
        sa.Column("fetched_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_picture_file")),
    )
    op.create_index(op.f("ix_picture_file_used_at"), "picture_file", ["used_at"], unique=False)
    for table in ("message", "suggestion"):
        op.create_table(table, *_written(), *(_of_message() if table == "message" else _of_suggestion()))
        op.create_index(f"ix_{table}_state_id", table, ["state", "id"], unique=False)
        op.create_index(f"ix_{table}_author_actor_state", table, ["author_actor", "state"], unique=False)


def _written() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("board_actor", sa.String(length=2048), nullable=False),
        sa.Column("author_actor", sa.String(length=2048), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("warning", sa.Text(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    ]


def _of_message() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("answer", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'answered', 'closed')", name=op.f("ck_message_state")),
        sa.ForeignKeyConstraint(["answered_by"], ["member.id"], name=op.f("fk_message_answered_by_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("uri", name=op.f("uq_message_uri")),
    ]


def _of_suggestion() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('request', 'offer')", name=op.f("ck_suggestion_kind")),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'declined', 'withdrawn')", name=op.f("ck_suggestion_state")
        ),
        sa.ForeignKeyConstraint(["answered_by"], ["member.id"], name=op.f("fk_suggestion_answered_by_member")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_suggestion_listing_id_listing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
        sa.UniqueConstraint("listing_id", name=op.f("uq_suggestion_listing_id")),
        sa.UniqueConstraint("uri", name=op.f("uq_suggestion_uri")),
    ]
