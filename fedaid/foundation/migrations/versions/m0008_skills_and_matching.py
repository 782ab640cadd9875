"""What members can do, when and how they like to help; who was asked to help; and searches that are kept."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TERM = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")


def upgrade() -> None:
    _skills()
    _matching()


def _skills() -> None:
    op.create_table(
        "skill",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("visibility IN ('group', 'network', 'neighbours')", name=op.f("ck_skill_visibility")),
        sa.CheckConstraint("(visibility = 'group') = (group_id IS NOT NULL)", name=op.f("ck_skill_has_group")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_skill_member_id_member")),
        sa.ForeignKeyConstraint(["group_id"], ["group.id"], name=op.f("fk_skill_group_id_group")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill")),
    )
    op.create_index(op.f("ix_skill_member_id"), "skill", ["member_id"])
    op.create_index(op.f("ix_skill_group_id"), "skill", ["group_id"])
    op.create_index("ix_skill_category_member_id", "skill", ["category", "member_id"])
    op.create_table(
        "skill_term",
        sa.Column("term", TERM, nullable=False),
        sa.Column("skill_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["skill_id"], ["skill.id"], name=op.f("fk_skill_term_skill_id_skill"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term", "skill_id", name=op.f("pk_skill_term")),
    )
    op.create_index("ix_skill_term_skill_id", "skill_term", ["skill_id"])
    op.create_table(
        "free_window",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("weekday", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("start_minute", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("end_minute", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_free_window_weekday")),
        sa.CheckConstraint(
            "start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440",
            name=op.f("ck_free_window_minutes"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_free_window_member_id_member")),
        sa.PrimaryKeyConstraint("member_id", "weekday", "start_minute", name=op.f("pk_free_window")),
    )
    op.create_table(
        "helper_preference",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contact", sa.String(length=10), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("travel_km", sa.Integer(), nullable=True),
        sa.Column("monthly_minutes_max", sa.Integer(), nullable=True),
        sa.Column("may_be_asked", sa.Boolean(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("contact IN ('message', 'phone', 'in_person')", name=op.f("ck_helper_preference_contact")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_helper_preference_member_id_member")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_helper_preference")),
    )
    op.create_index("ix_helper_preference_lat_lon", "helper_preference", ["lat", "lon"])
    op.create_table(
        "spoken_language",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_spoken_language_member_id_member")),
        sa.PrimaryKeyConstraint("member_id", "language", name=op.f("pk_spoken_language")),
    )
    op.create_table(
        "vouch",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("skill_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["skill_id"], ["skill.id"], name=op.f("fk_vouch_skill_id_skill"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_vouch_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouch")),
        sa.UniqueConstraint("skill_id", "member_id", name=op.f("uq_vouch_skill_id_member_id")),
    )
    op.create_index(op.f("ix_vouch_member_id"), "vouch", ["member_id"])


def _matching() -> None:
    op.create_table(
        "listing_term",
        sa.Column("term", sa.String(length=48), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_listing_term_listing_id_listing")),
        sa.PrimaryKeyConstraint("term", "kind", "listing_id", name=op.f("pk_listing_term")),
    )
    op.create_index("ix_listing_term_listing_id", "listing_term", ["listing_id"])
    op.create_table(
        "ask",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('asked', 'yes', 'not_now')", name=op.f("ck_ask_state")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_ask_listing_id_listing")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_ask_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ask")),
        sa.UniqueConstraint("listing_id", "member_id", name=op.f("uq_ask_listing_id_member_id")),
    )
    op.create_index("ix_ask_member_id_asked_at", "ask", ["member_id", "asked_at"])
    op.create_table(
        "saved_search",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("seen_listing_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_saved_search_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
    )
    op.create_index(op.f("ix_saved_search_member_id"), "saved_search", ["member_id"])
