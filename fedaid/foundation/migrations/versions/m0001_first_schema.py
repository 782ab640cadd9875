"""The first schema: actors, members, networks, groups, board, timebank, and the two mail rooms."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

APPEND_ONLY = ("posting", "fact")  # what was posted or signed never changes and never goes

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table; what may never change afterwards is guarded by the database itself."""
    op.create_table(
        "block",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block")),
        sa.UniqueConstraint("host", name=op.f("uq_block_host")),
    )
    op.create_table(
        "category",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_category")),
    )
    op.create_table(
        "follow",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("follower", sa.String(length=2048), nullable=False),
        sa.Column("followee", sa.String(length=2048), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("activity_id", sa.String(length=2048), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('asked', 'accepted')", name=op.f("ck_follow_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow")),
        sa.UniqueConstraint("follower", "followee", name=op.f("uq_follow_follower_followee")),
    )
    op.create_index("ix_follow_activity_id", "follow", ["activity_id"], unique=False)
    op.create_index("ix_follow_followee_state", "follow", ["followee", "state"], unique=False)
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=71), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "listing_tombstone",
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("owner", sa.String(length=2048), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_listing_tombstone")),
    )
    op.create_table(
        "local_actor",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("handle", sa.String(length=253), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("rsa_pem", sa.Text(), nullable=False),
        sa.Column("ed25519_pem", sa.Text(), nullable=False),
        sa.Column("manually_approves", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("gone_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('person', 'group', 'server', 'ledger')", name=op.f("ck_local_actor_kind")),
        sa.CheckConstraint("handle = lower(handle)", name=op.f("ck_local_actor_handle_is_folded")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_actor")),
        sa.UniqueConstraint("handle", name=op.f("uq_local_actor_handle")),
        sa.UniqueConstraint("uri", name=op.f("uq_local_actor_uri")),
    )
    op.create_table(
        "neighbour",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("origin", sa.String(length=2048), nullable=False),
        sa.Column("server_actor", sa.String(length=2048), nullable=False),
        sa.Column("ledger_actor", sa.String(length=2048), nullable=False),
        sa.Column("board_actor", sa.String(length=2048), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('proposed', 'asked', 'accepted', 'paused', 'ended')", name=op.f("ck_neighbour_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_neighbour")),
        sa.UniqueConstraint("host", name=op.f("uq_neighbour_host")),
    )
    op.create_index(op.f("ix_neighbour_ledger_actor"), "neighbour", ["ledger_actor"], unique=False)
    op.create_table(
        "peer",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("origin", sa.String(length=2048), nullable=False),
        sa.Column("actor", sa.String(length=2048), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(length=2048), nullable=False),
        sa.Column("key_multibase", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("line_granted", sa.BigInteger(), nullable=False),
        sa.Column("max_transfer", sa.Integer(), nullable=False),
        sa.Column("offer_lifetime_days", sa.Integer(), nullable=False),
        sa.Column("terms_digest", sa.String(length=71), nullable=True),
        sa.Column("our_proposal", sa.Text(), nullable=True),
        sa.Column("their_proposal", sa.Text(), nullable=True),
        sa.Column("out_seq", sa.BigInteger(), nullable=False),
        sa.Column("out_hash", sa.String(length=71), nullable=False),
        sa.Column("in_seq", sa.BigInteger(), nullable=False),
        sa.Column("in_hash", sa.String(length=71), nullable=False),
        sa.Column("needs_sync", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("last_statement", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('proposed', 'asked', 'active', 'suspended', 'closing', 'closed', 'lost')",
            name=op.f("ck_peer_status"),
        ),
        sa.CheckConstraint("line >= 0 AND line_granted >= 0 AND max_transfer > 0", name=op.f("ck_peer_figures")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peer")),
        sa.UniqueConstraint("actor", name=op.f("uq_peer_actor")),
        sa.UniqueConstraint("host", name=op.f("uq_peer_host")),
    )
    op.create_table(
        "remote_actor",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("shared_inbox", sa.Text(), nullable=True),
        sa.Column("followers", sa.Text(), nullable=True),
        sa.Column("server", sa.Text(), nullable=True),
        sa.Column("ledger", sa.Text(), nullable=True),
        sa.Column("board", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("fetched_at", UtcDateTime(), nullable=False),
        sa.Column("gone_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_actor")),
        sa.UniqueConstraint("uri", name=op.f("uq_remote_actor_uri")),
    )
    op.create_index(op.f("ix_remote_actor_host"), "remote_actor", ["host"], unique=False)
    op.create_table(
        "remote_key",
        sa.Column("key_id", sa.String(length=2048), nullable=False),
        sa.Column("owner", sa.String(length=2048), nullable=False),
        sa.Column("algorithm", sa.String(length=10), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("fetched_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("algorithm IN ('rsa', 'ed25519')", name=op.f("ck_remote_key_algorithm")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_remote_key")),
    )
    op.create_index(op.f("ix_remote_key_owner"), "remote_key", ["owner"], unique=False)
    op.create_table(
        "sign_in_try",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_try")),
    )
    op.create_index("ix_sign_in_try_account_at", "sign_in_try", ["account", "at"], unique=False)
    op.create_index("ix_sign_in_try_address_at", "sign_in_try", ["address", "at"], unique=False)
    op.create_index("ix_sign_in_try_at", "sign_in_try", ["at"], unique=False)
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=2048), nullable=True),
        sa.Column("peer_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("ceiling", sa.BigInteger(), nullable=True),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(kind = 'clearing') = (peer_id IS NOT NULL)", name=op.f("ck_account_clearing_has_peer")),
        sa.CheckConstraint(
            "(kind IN ('member', 'group')) = (actor IS NOT NULL)", name=op.f("ck_account_people_have_actor")
        ),
        sa.CheckConstraint("kind IN ('member', 'group', 'chest', 'clearing')", name=op.f("ck_account_kind")),
        sa.CheckConstraint("status <> 'closed' OR (balance = 0 AND held = 0)", name=op.f("ck_account_closed_is_even")),
        sa.CheckConstraint("status IN ('open', 'frozen', 'closed')", name=op.f("ck_account_status")),
        sa.CheckConstraint("floor <= 0", name=op.f("ck_account_floor")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_account_held")),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_account_peer_id_peer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("actor", name=op.f("uq_account_actor")),
        sa.UniqueConstraint("peer_id", name=op.f("uq_account_peer_id")),
    )
    op.create_index(
        "uq_account_chest",
        "account",
        ["kind"],
        unique=True,
        sqlite_where=sa.text("kind = 'chest'"),
        postgresql_where=sa.text("kind = 'chest'"),
    )
    op.create_table(
        "fact",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("peer_id", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.String(length=2048), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('invite', 'offer', 'undo', 'accept', 'reject', 'reject_invite', 'receipt')",
            name=op.f("ck_fact_kind"),
        ),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_fact_peer_id_peer")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_fact")),
        sa.UniqueConstraint("digest", name=op.f("uq_fact_digest")),
    )
    op.create_index("ix_fact_place", "fact", ["peer_id", "ours", "seq"], unique=False)
    op.create_index(op.f("ix_fact_transfer_id"), "fact", ["transfer_id"], unique=False)
    op.create_index(
        "uq_fact_counts",
        "fact",
        ["peer_id", "transfer_id", "kind"],
        unique=True,
        sqlite_where=sa.text("counts"),
        postgresql_where=sa.text("counts"),
    )
    op.create_table(
        "group",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["local_actor.id"], name=op.f("fk_group_actor_id_local_actor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group")),
        sa.UniqueConstraint("actor_id", name=op.f("uq_group_actor_id")),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("role IN ('member', 'coordinator', 'admin')", name=op.f("ck_member_role")),
        sa.ForeignKeyConstraint(["actor_id"], ["local_actor.id"], name=op.f("fk_member_actor_id_local_actor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("actor_id", name=op.f("uq_member_actor_id")),
    )
    op.create_table(
        "peer_terms",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("peer_id", sa.BigInteger(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_peer_terms_peer_id_peer")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_peer_terms")),
    )
    op.create_index(op.f("ix_peer_terms_peer_id"), "peer_terms", ["peer_id"], unique=False)
    op.create_table(
        "statement",
        sa.Column("peer_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("closing", sa.BigInteger(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("countersigned", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_statement_peer_id_peer")),
        sa.PrimaryKeyConstraint("peer_id", "number", name=op.f("pk_statement")),
    )
    op.create_table(
        "listing",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("board_actor", sa.String(length=2048), nullable=False),
        sa.Column("author_actor", sa.String(length=2048), nullable=False),
        sa.Column("author_member_id", sa.BigInteger(), nullable=True),
        sa.Column("member_actor", sa.String(length=2048), nullable=True),
        sa.Column("form_key", sa.String(length=36), nullable=True),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("content_html", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=True),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("radius_m", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("primary_uri", sa.Text(), nullable=False),
        sa.Column("reciprocal_uri", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('request', 'offer')", name=op.f("ck_listing_kind")),
        sa.CheckConstraint("mode IN ('hours', 'gift', 'loan', 'swap')", name=op.f("ck_listing_mode")),
        sa.CheckConstraint(
            "state IN ('draft', 'open', 'partly_filled', 'filled', 'done', 'expired', 'withdrawn')",
            name=op.f("ck_listing_state"),
        ),
        sa.CheckConstraint(
            "NOT local OR (author_member_id IS NOT NULL AND member_actor IS NOT NULL)",
            name=op.f("ck_listing_has_author"),
        ),
        sa.CheckConstraint("minutes IS NULL OR minutes > 0", name=op.f("ck_listing_minutes")),
        sa.ForeignKeyConstraint(["author_member_id"], ["member.id"], name=op.f("fk_listing_author_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("author_member_id", "form_key", name=op.f("uq_listing_author_member_id_form_key")),
        sa.UniqueConstraint("uri", name=op.f("uq_listing_uri")),
    )
    op.create_index(op.f("ix_listing_author_member_id"), "listing", ["author_member_id"], unique=False)
    op.create_index(op.f("ix_listing_board_actor"), "listing", ["board_actor"], unique=False)
    op.create_index("ix_listing_state_id", "listing", ["state", "id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("joined_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("role IN ('member', 'coordinator')", name=op.f("ck_membership_role")),
        sa.ForeignKeyConstraint(["group_id"], ["group.id"], name=op.f("fk_membership_group_id_group")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_membership_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("group_id", "member_id", name=op.f("uq_membership_group_id_member_id")),
    )
    op.create_index(op.f("ix_membership_member_id"), "membership", ["member_id"], unique=False)
    op.create_table(
        "resend",
        sa.Column("fact_n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("peer_id", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.String(length=2048), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("next_try", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("acked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["fact_n"], ["fact.n"], name=op.f("fk_resend_fact_n_fact")),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_resend_peer_id_peer")),
        sa.PrimaryKeyConstraint("fact_n", name=op.f("pk_resend")),
    )
    op.create_index(
        "ix_resend_due",
        "resend",
        ["next_try"],
        unique=False,
        sqlite_where=sa.text("acked_at IS NULL"),
        postgresql_where=sa.text("acked_at IS NULL"),
    )
    op.create_index(op.f("ix_resend_transfer_id"), "resend", ["transfer_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_session_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_member_id"), "session", ["member_id"], unique=False)
    op.create_table(
        "token",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_token_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_token")),
    )
    op.create_index(op.f("ix_token_member_id"), "token", ["member_id"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("id", sa.String(length=2048), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("peer_id", sa.BigInteger(), nullable=True),
        sa.Column("remote_actor", sa.String(length=2048), nullable=True),
        sa.Column("offer_digest", sa.String(length=71), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("mark", sa.String(length=10), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("reverses", sa.String(length=2048), nullable=True),
        sa.Column("engagement", sa.String(length=2048), nullable=True),
        sa.Column("proposal", sa.String(length=2048), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("end_time", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(kind = 'local') = (peer_id IS NULL)", name=op.f("ck_transfer_local_has_no_peer")),
        sa.CheckConstraint("(kind = 'local') = (remote_actor IS NULL)", name=op.f("ck_transfer_local_has_no_stranger")),
        sa.CheckConstraint("kind IN ('local', 'out', 'in')", name=op.f("ck_transfer_kind")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_transfer_two_accounts")),
        sa.CheckConstraint("minutes BETWEEN 1 AND 60000", name=op.f("ck_transfer_minutes")),
        sa.ForeignKeyConstraint(["credit"], ["account.id"], name=op.f("fk_transfer_credit_account")),
        sa.ForeignKeyConstraint(["debit"], ["account.id"], name=op.f("fk_transfer_debit_account")),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_transfer_peer_id_peer")),
        sa.ForeignKeyConstraint(["reverses"], ["transfer.id"], name=op.f("fk_transfer_reverses_transfer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_credit", "transfer", ["credit", "created_at"], unique=False)
    op.create_index("ix_transfer_debit", "transfer", ["debit", "created_at"], unique=False)
    op.create_index("ix_transfer_state", "transfer", ["state", "end_time"], unique=False)
    op.create_index(
        "uq_transfer_engagement",
        "transfer",
        ["engagement"],
        unique=True,
        sqlite_where=sa.text(
            "engagement IS NOT NULL AND (state NOT IN ('rejected', 'void', 'abandoned', 'disputed', 'refused', 'withdrawn'))"
        ),
        postgresql_where=sa.text(
            "engagement IS NOT NULL AND (state NOT IN ('rejected', 'void', 'abandoned', 'disputed', 'refused', 'withdrawn'))"
        ),
    )
    op.create_table(
        "note",
        sa.Column("transfer_id", sa.String(length=2048), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_note_transfer_id_transfer")),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_note")),
    )
    op.create_table(
        "posting",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transfer_id", sa.String(length=2048), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.Column("evidence", sa.String(length=71), nullable=False),
        sa.Column("prev", sa.String(length=71), nullable=False),
        sa.Column("hash", sa.String(length=71), nullable=False),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_posting_two_accounts")),
        sa.CheckConstraint("minutes BETWEEN 1 AND 60000", name=op.f("ck_posting_minutes")),
        sa.ForeignKeyConstraint(["credit"], ["account.id"], name=op.f("fk_posting_credit_account")),
        sa.ForeignKeyConstraint(["debit"], ["account.id"], name=op.f("fk_posting_debit_account")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_posting_transfer_id_transfer")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_posting")),
        sa.UniqueConstraint("hash", name=op.f("uq_posting_hash")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_posting_transfer_id")),
    )
    op.create_index(op.f("ix_posting_credit"), "posting", ["credit"], unique=False)
    op.create_index(op.f("ix_posting_debit"), "posting", ["debit"], unique=False)
    op.create_table(
        "response",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("helper_actor", sa.String(length=2048), nullable=False),
        sa.Column("helper_member_id", sa.BigInteger(), nullable=True),
        sa.Column("helper_name", sa.Text(), nullable=False),
        sa.Column("asked_actor", sa.String(length=2048), nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("form IN ('offer', 'message')", name=op.f("ck_response_form")),
        sa.CheckConstraint("state IN ('offered', 'accepted', 'declined', 'withdrawn')", name=op.f("ck_response_state")),
        sa.ForeignKeyConstraint(["helper_member_id"], ["member.id"], name=op.f("fk_response_helper_member_id_member")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_response_listing_id_listing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response")),
        sa.UniqueConstraint("uri", name=op.f("uq_response_uri")),
    )
    op.create_index(op.f("ix_response_helper_member_id"), "response", ["helper_member_id"], unique=False)
    op.create_index("ix_response_listing_id_state", "response", ["listing_id", "state"], unique=False)
    op.create_table(
        "statement_line",
        sa.Column("peer_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.String(length=2048), nullable=False),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_statement_line_transfer_id_transfer")),
        sa.PrimaryKeyConstraint("peer_id", "number", "transfer_id", name=op.f("pk_statement_line")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_statement_line_transfer_id")),
    )
    op.create_table(
        "help_match",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agreement_uri", sa.String(length=2048), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("response_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=2048), nullable=False),
        sa.Column("receiver", sa.String(length=2048), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=False),
        sa.Column("hours_logged_at", UtcDateTime(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('accepted', 'done', 'cancelled')", name=op.f("ck_help_match_state")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_help_match_listing_id_listing")),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name=op.f("fk_help_match_response_id_response")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_match")),
        sa.UniqueConstraint("agreement_uri", name=op.f("uq_help_match_agreement_uri")),
        sa.UniqueConstraint("response_id", name=op.f("uq_help_match_response_id")),
    )
    op.create_index(op.f("ix_help_match_listing_id"), "help_match", ["listing_id"], unique=False)
    op.create_index("ix_help_match_provider", "help_match", ["provider"], unique=False)
    op.create_index("ix_help_match_receiver", "help_match", ["receiver"], unique=False)
    op.create_table(
        "inbox_letter",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("activity_id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("signed_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_ms", sa.BigInteger(), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("lease_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('new', 'done', 'ignored', 'refused', 'failed')", name=op.f("ck_inbox_letter_state")
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_inbox_letter")),
        sa.UniqueConstraint("activity_id", name=op.f("uq_inbox_letter_activity_id")),
    )
    op.create_index(
        "ix_inbox_letter_due",
        "inbox_letter",
        ["n"],
        unique=False,
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_index(
        "ix_inbox_letter_lease",
        "inbox_letter",
        ["lease_until_ms"],
        unique=False,
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_index("ix_inbox_letter_state", "inbox_letter", ["state", "n"], unique=False)
    op.create_table(
        "outbox_activity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("activity_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("followers_of", sa.Text(), nullable=True),
        sa.Column("keep_trying", sa.Boolean(), nullable=False),
        sa.Column("fanned_out", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_activity")),
        sa.UniqueConstraint("activity_id", name=op.f("uq_outbox_activity_activity_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_outbox_activity_actor_public_id"), "outbox_activity", ["actor", "public", "id"], unique=False
    )
    op.create_index(
        "ix_outbox_activity_not_fanned_out",
        "outbox_activity",
        ["id"],
        unique=False,
        sqlite_where=sa.text("fanned_out IS 0"),
        postgresql_where=sa.text("fanned_out IS false"),
    )
    op.create_index(op.f("ix_outbox_activity_object_id"), "outbox_activity", ["object_id"], unique=False)
    op.create_table(
        "outbox_host",
        sa.Column("host", sa.String(length=260), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="awake", nullable=False),
        sa.Column("dialect", sa.String(length=16), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unreachable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("last_success_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_failure_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("asleep_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("quiet_until_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("lease_by", sa.String(length=64), nullable=True),
        sa.Column("lease_until_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("state IN ('awake', 'asleep')", name=op.f("ck_outbox_host_state")),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_outbox_host")),
    )
    op.create_index(op.f("ix_outbox_host_due_ms"), "outbox_host", ["due_ms"], unique=False)
    op.create_table(
        "outbox_delivery",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("activity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host", sa.String(length=260), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("unmet", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("keep_trying", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("holds", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("delivered_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f("ck_outbox_delivery_state")),
        sa.ForeignKeyConstraint(
            ["activity"], ["outbox_activity.id"], name=op.f("fk_outbox_delivery_activity_outbox_activity")
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_outbox_delivery")),
        sa.UniqueConstraint("activity", "inbox", name=op.f("uq_outbox_delivery_activity_inbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_outbox_delivery_host_state_activity"), "outbox_delivery", ["host", "state", "activity"], unique=False
    )
    for table in APPEND_ONLY:
        _guard(table)


def _guard(table: str) -> None:
    """Let the database itself refuse to change or remove rows."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE OR REPLACE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
