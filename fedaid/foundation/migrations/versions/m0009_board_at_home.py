"""What the board keeps more of: who may see a listing, rhythm, words to search by, photos, drafts, where to meet."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from fedaid.foundation import full_text
from fedaid.foundation.database import UtcDateTime
from fedaid.foundation.words import searched

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROWS_AT_ONCE_MAX = 1000


def upgrade() -> None:
    with op.batch_alter_table("listing", recreate="never") as table:
        table.add_column(sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(sa.Column("rhythm", sa.String(length=20), server_default=sa.text("'once'"), nullable=False))
        table.add_column(
            sa.Column("visibility", sa.String(length=20), server_default=sa.text("'everybody'"), nullable=False)
        )
    op.create_index("ix_listing_lat_lon", "listing", ["lat", "lon"])
    op.create_index("ix_listing_kind_state_id", "listing", ["kind", "state", "id"])
    op.create_index("ix_listing_category_state_id", "listing", ["category", "state", "id"])
    _beside_a_listing()
    op.create_table(
        "listing_draft",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('request', 'offer')", name=op.f("ck_listing_draft_kind")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_listing_draft_member_id_member")),
        sa.PrimaryKeyConstraint("member_id", "kind", name=op.f("pk_listing_draft")),
    )
    _fill_search()


def _beside_a_listing() -> None:
    beside: dict[str, list[sa.Column[Any]]] = {
        "listing_search": [sa.Column("words", sa.Text(), nullable=False)],
        "listing_meeting": [
            sa.Column("exact_place", sa.Text(), nullable=False),
            sa.Column("contact", sa.Text(), nullable=False),
        ],
        "listing_photo": [
            sa.Column("alt", sa.Text(), nullable=False),
            sa.Column("width", sa.Integer(), nullable=False),
            sa.Column("height", sa.Integer(), nullable=False),
            sa.Column("body", sa.LargeBinary(), nullable=False),
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


def _fill_search() -> None:
    connection = op.get_bind()
    listing = sa.table(
        "listing", sa.column("id"), sa.column("title"), sa.column("description"), sa.column("place"), sa.column("state")
    )
    search = sa.table("listing_search", sa.column("listing_id"), sa.column("words"))
    after = -1
    while True:
        query = sa.select(listing).where(listing.c.id > after, listing.c.state != "withdrawn").order_by(listing.c.id)
        rows = connection.execute(query.limit(ROWS_AT_ONCE_MAX)).all()
        if not rows:
            break
        words = [{"listing_id": row.id, "words": searched(row.title, row.description, row.place)} for row in rows]
        connection.execute(sa.insert(search), words)
        after = rows[-1].id
    full_text.build(connection, "listing_search", "listing_id", "words")
