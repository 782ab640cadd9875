"""Searches that tell of what is new, ends that are told before, photos of refused changes, and words of thanks."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KINDS = (
    "'answered', 'taken_back', 'accepted', 'declined', 'called_off', 'done', 'remark', 'thanked', 'ending', 'expired', "
    "'hidden', 'looked_at', 'to_look_at', 'asked', 'found', 'hours_claimed', 'hours_credited', 'hours_refused', 'hours_stuck', "
    "'hours_questioned', 'hours_explained', 'hours_to_explain', 'group_asked', 'group_answered', 'taken_in', "
    "'applied', 'reported', 'message', 'suggestion', 'peering_asked', 'ledger_alarm', 'recovery'"
)
TOPICS = "'answers', 'messages', 'asks', 'searches', 'hours', 'groups', 'care', 'account'"
CHANNELS = "'none', 'here', 'weekly', 'at_once'"


def upgrade() -> None:
    """What old code knows of goes on working beside it."""
    _beside_listings()
    _forget_sentences_of_ours()
    with op.batch_alter_table("remark", recreate="never") as table:
        table.add_column(sa.Column("is_thanks", sa.Boolean(), server_default=sa.false(), nullable=False))
    if op.get_bind().dialect.name == "postgresql":
        _widen("notice", "kind", KINDS)
        _widen("notice_choice", "topic", TOPICS)
    else:
        _rebuild_notices()
        _rebuild_choices()


def _beside_listings() -> None:
    beside: dict[str, list[sa.Column[Any]]] = {
        "search_look": [
            sa.Column("since", UtcDateTime(), nullable=False),
            sa.Column("after_member_id", sa.BigInteger(), nullable=False),
        ],
        "listing_warning": [sa.Column("expires_at", UtcDateTime(), nullable=False)],
        "listing_photo_kept": [
            sa.Column("body", sa.LargeBinary(), nullable=False),
            sa.Column("kept_at", UtcDateTime(), nullable=False),
        ],
    }
    for name, columns in beside.items():
        op.create_table(
            name,
            sa.Column("listing_id", sa.BigInteger(), autoincrement=False, nullable=False),
            *columns,
            sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f(f"fk_{name}_listing_id_listing")),
            sa.PrimaryKeyConstraint("listing_id", name=op.f(f"pk_{name}")),
        )


def _forget_sentences_of_ours() -> None:
    """What nobody wrote is no reason; pages say in the reader's language what became of an answer."""
    ours = "'This was called off.', 'This was taken off the board.'"
    op.execute(f"UPDATE response SET reason = '' WHERE reason IN ({ours})")  # noqa: S608 - our own words


def _widen(table: str, column: str, values: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} IN ({values})")


def _rebuild_notices() -> None:
    """SQLite changes no constraint of a table that stands; so it is made anew."""
    op.create_table(
        "notice_anew",
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
    _take_the_place_of("notice", "id, member_id, kind, about, made_at, read_at, mail_due_at, mail_id")
    op.create_index(op.f("ix_notice_made_at"), "notice", ["made_at"])
    op.create_index("ix_notice_member_id_read_at", "notice", ["member_id", "read_at"])
    op.create_index("ix_notice_member_id_id", "notice", ["member_id", "id"])
    op.create_index(op.f("ix_notice_mail_due_at"), "notice", ["mail_due_at"])
    op.create_index(op.f("ix_notice_mail_id"), "notice", ["mail_id"])


def _rebuild_choices() -> None:
    op.create_table(
        "notice_choice_anew",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.CheckConstraint(f"topic IN ({TOPICS})", name=op.f("ck_notice_choice_topic")),
        sa.CheckConstraint(f"channel IN ({CHANNELS})", name=op.f("ck_notice_choice_channel")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_notice_choice_member_id_member")),
        sa.PrimaryKeyConstraint("member_id", "topic", name=op.f("pk_notice_choice")),
    )
    _take_the_place_of("notice_choice", "member_id, topic, channel")


def _take_the_place_of(table: str, columns: str) -> None:
    op.execute(f"INSERT INTO {table}_anew ({columns}) SELECT {columns} FROM {table}")  # noqa: S608 - our own words
    op.drop_table(table)
    op.rename_table(f"{table}_anew", table)
