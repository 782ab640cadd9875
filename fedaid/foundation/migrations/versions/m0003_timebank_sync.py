"""The timebank asks its peers what it may have forgotten: syncing, statements, new keys, leavers and what waits."""

import sqlalchemy as sa
from alembic import op

from fedaid.foundation.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KINDS = (
    "kind IN ('invite', 'offer', 'undo', 'accept', 'reject', 'reject_invite', 'receipt', "
    "'statement', 'countersigned', 'differs', 'new_key')"
)
NOTHING_XOR = "0" * 64


def upgrade() -> None:
    """Old rows stay: messages are counted, pinned keys are remembered, and whoever needed a sync still does."""
    _add_columns()
    _make_tables()
    _widen_facts()
    _count_messages()
    _remember_keys()


def _add_columns() -> None:
    with op.batch_alter_table("local_actor", recreate="never") as table:
        table.add_column(sa.Column("ed25519_number", sa.Integer(), nullable=False, server_default=sa.text("1")))
    with op.batch_alter_table("account", recreate="never") as table:
        table.add_column(sa.Column("confirms_agreed", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("takes_payments", sa.Boolean(), nullable=False, server_default=sa.true()))
        table.add_column(sa.Column("left_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("statement", recreate="never") as table:
        table.add_column(sa.Column("differs", sa.Text(), nullable=True))
        table.add_column(sa.Column("digest", sa.String(length=71), nullable=False, server_default=sa.text("''")))
    zero = sa.text("0")
    with op.batch_alter_table("peer", recreate="never") as table:
        table.add_column(sa.Column("messages", sa.BigInteger(), nullable=False, server_default=zero))
        table.add_column(sa.Column("messages_xor", sa.String(length=64), nullable=False, server_default=NOTHING_XOR))
        table.add_column(sa.Column("messages_day", sa.Integer(), nullable=False, server_default=zero))
        table.add_column(sa.Column("messages_taken", sa.Integer(), nullable=False, server_default=zero))
        table.add_column(sa.Column("sync_asked", sa.BigInteger(), nullable=False, server_default=zero))
        table.add_column(sa.Column("sync_done", sa.BigInteger(), nullable=False, server_default=zero))
        table.add_column(sa.Column("sync_after", sa.BigInteger(), nullable=False, server_default=zero))
        table.add_column(sa.Column("sync_whole", sa.Boolean(), nullable=False, server_default=sa.true()))
        table.add_column(sa.Column("sync_tries", sa.Integer(), nullable=False, server_default=zero))
        table.add_column(sa.Column("sync_next", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("synced_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("statement_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE peer SET sync_asked = 1 WHERE needs_sync")
    op.drop_column("peer", "needs_sync")
    op.drop_column("peer", "last_statement")


def _make_tables() -> None:
    op.create_table(
        "peer_key",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("peer_id", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(length=2048), nullable=False),
        sa.Column("multibase", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_peer_key_peer_id_peer")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_peer_key")),
    )
    op.create_index(op.f("ix_peer_key_peer_id"), "peer_key", ["peer_id"], unique=False)
    op.create_table(
        "retired_key",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(length=2048), nullable=False),
        sa.Column("multibase", sa.Text(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_retired_key")),
    )
    op.create_table(
        "waiting_step",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("peer_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=2048), nullable=False),
        sa.Column("transfer_id", sa.String(length=2048), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_waiting_step_peer_id_peer")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_waiting_step")),
        sa.UniqueConstraint("name", name=op.f("uq_waiting_step_name")),
    )
    op.create_index(op.f("ix_waiting_step_peer_id"), "waiting_step", ["peer_id"], unique=False)
    op.create_index(op.f("ix_waiting_step_transfer_id"), "waiting_step", ["transfer_id"], unique=False)
    op.create_table(
        "ledger_alarm",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("peer_id", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.String(length=2048), nullable=True),
        sa.Column("alarm", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_ledger_alarm_peer_id_peer")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_ledger_alarm")),
    )
    op.create_index("ix_ledger_alarm_seen_at", "ledger_alarm", ["seen_at", "n"], unique=False)


def _widen_facts() -> None:
    """Statements and new keys are signed messages too."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_fact_kind"), "fact", type_="check")
        op.create_check_constraint(op.f("ck_fact_kind"), "fact", KINDS)
    else:
        _rebuild_facts()
    op.create_index("ix_fact_peer_id", "fact", ["peer_id", "n"], unique=False)


def _rebuild_facts() -> None:
    """SQLite changes no constraint of a table that stands; so it is made anew, and gets its guards again."""
    resend = sa.table(
        "resend",
        *(sa.column(name) for name in ("fact_n", "peer_id", "transfer_id", "kind", "next_try", "tries", "acked_at")),
    )
    waiting = [dict(row) for row in op.get_bind().execute(sa.select(resend)).mappings()]
    op.execute(sa.delete(resend))  # nothing may point to the old table when it goes
    op.create_table(
        "fact_anew",
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
        sa.CheckConstraint(KINDS, name=op.f("ck_fact_kind")),
        sa.ForeignKeyConstraint(["peer_id"], ["peer.id"], name=op.f("fk_fact_peer_id_peer")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_fact")),
        sa.UniqueConstraint("digest", name=op.f("uq_fact_digest")),
    )
    columns = "n, peer_id, transfer_id, kind, ours, seq, digest, doc, at, counts"
    op.execute(f"INSERT INTO fact_anew ({columns}) SELECT {columns} FROM fact")  # noqa: S608 - our own words
    op.drop_table("fact")
    op.rename_table("fact_anew", "fact")
    op.create_index(op.f("ix_fact_transfer_id"), "fact", ["transfer_id"], unique=False)
    op.create_index("ix_fact_place", "fact", ["peer_id", "ours", "seq"], unique=False)
    counts = sa.text("counts")
    op.create_index("uq_fact_counts", "fact", ["peer_id", "transfer_id", "kind"], unique=True, sqlite_where=counts)
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER fact_no_{verb.lower()} BEFORE {verb} ON fact "
            "BEGIN SELECT RAISE(ABORT, 'fact is append-only'); END"
        )
    if waiting:
        op.get_bind().execute(sa.insert(resend), waiting)


def _count_messages() -> None:
    """How many messages there are with each peer, and the XOR of their digests, which were not counted so far."""
    connection = op.get_bind()
    sums: dict[int, tuple[int, int]] = {}
    for peer_id, digest in connection.execute(sa.text("SELECT peer_id, digest FROM fact")):
        known, mixed = sums.get(peer_id, (0, 0))
        sums[peer_id] = known + 1, mixed ^ int(digest.removeprefix("sha256:"), 16)
    update = sa.text("UPDATE peer SET messages = :known, messages_xor = :mixed WHERE id = :peer")
    for peer_id, (known, mixed) in sums.items():
        connection.execute(update, {"known": known, "mixed": f"{mixed:064x}", "peer": peer_id})


def _remember_keys() -> None:
    """The pinned key of every peer that we ever agreed with."""
    op.execute(
        "INSERT INTO peer_key (n, peer_id, key_id, multibase, since) "
        "SELECT id, id, key_id, key_multibase, changed_at FROM peer WHERE terms_digest IS NOT NULL"
    )
