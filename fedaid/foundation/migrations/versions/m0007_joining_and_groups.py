"""How people join: invitations, applications, the agreement, links to come in again; groups that decide who joins."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _joining()
    _groups()


def _joining() -> None:
    with op.batch_alter_table("sign_in_try", recreate="never") as table:
        table.add_column(sa.Column("door", sa.String(length=10), server_default=sa.text("'sign_in'"), nullable=False))
    op.create_table(
        "neighbourhood",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("joining", sa.String(length=20), nullable=False),
        sa.Column("questions", sa.Text(), nullable=False),
        sa.Column("steps_done", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_neighbourhood_one_row")),
        sa.CheckConstraint(
            "joining IN ('closed', 'invitation', 'application', 'open')", name=op.f("ck_neighbourhood_joining")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_neighbourhood")),
    )
    op.create_table(
        "community_agreement",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asks_again", sa.Boolean(), nullable=False),
        sa.Column("published_by", sa.BigInteger(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["published_by"], ["member.id"], name=op.f("fk_community_agreement_published_by_member")
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_community_agreement")),
    )
    op.create_table(
        "agreement_acceptance",
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_agreement_acceptance_member_id_member"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version"],
            ["community_agreement.version"],
            name=op.f("fk_agreement_acceptance_version_community_agreement"),
        ),
        sa.PrimaryKeyConstraint("member_id", "version", name=op.f("pk_agreement_acceptance")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("uses_max", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("role IN ('member', 'coordinator', 'admin')", name=op.f("ck_invitation_role")),
        sa.CheckConstraint("uses >= 0 AND uses <= uses_max", name=op.f("ck_invitation_uses")),
        sa.ForeignKeyConstraint(["made_by"], ["member.id"], name=op.f("fk_invitation_made_by_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_invitation_secret_sha256")),
    )
    op.create_table(
        "application",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("agreed_to", sa.Integer(), nullable=True),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'declined', 'withdrawn')", name=op.f("ck_application_state")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["member.id"], name=op.f("fk_application_decided_by_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_application_secret_sha256")),
    )
    op.create_index(op.f("ix_application_handle"), "application", ["handle"], unique=False)
    op.create_index("ix_application_state_id", "application", ["state", "id"], unique=False)
    op.create_table(
        "recovery_link",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["member.id"], name=op.f("fk_recovery_link_made_by_member")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_recovery_link_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_link")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_recovery_link_secret_sha256")),
    )
    op.create_index(op.f("ix_recovery_link_member_id"), "recovery_link", ["member_id"], unique=False)


def _groups() -> None:
    with op.batch_alter_table("category", recreate="never") as table:
        table.add_column(sa.Column("retired_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("group", recreate="never") as table:
        table.add_column(sa.Column("joining", sa.String(length=20), server_default=sa.text("'open'"), nullable=False))
        table.add_column(sa.Column("questions", sa.Text(), server_default=sa.text("''"), nullable=False))
        table.add_column(
            sa.Column("posting", sa.String(length=20), server_default=sa.text("'everybody'"), nullable=False)
        )
    op.create_table(
        "group_application",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'declined', 'withdrawn')", name=op.f("ck_group_application_state")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["member.id"], name=op.f("fk_group_application_decided_by_member")),
        sa.ForeignKeyConstraint(["group_id"], ["group.id"], name=op.f("fk_group_application_group_id_group")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_group_application_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_application")),
        sa.UniqueConstraint("group_id", "member_id", name=op.f("uq_group_application_group_id_member_id")),
    )
    op.create_index(op.f("ix_group_application_member_id"), "group_application", ["member_id"], unique=False)
    op.create_table(
        "listing_review",
        sa.Column("listing_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("board_actor", sa.String(length=2048), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'declined')", name=op.f("ck_listing_review_state")),
        sa.ForeignKeyConstraint(["decided_by"], ["member.id"], name=op.f("fk_listing_review_decided_by_member")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_listing_review_listing_id_listing")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_listing_review")),
    )
    op.create_index("ix_listing_review_board_actor_state", "listing_review", ["board_actor", "state"], unique=False)
