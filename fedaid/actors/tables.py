"""The rows about who can speak: our actors, the actors we met with their keys, and who follows whom."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from fedaid.actors.rules import HANDLE_CHARACTERS_MAX, HOST_CHARACTERS_MAX
from fedaid.foundation.database import UtcDateTime, metadata

URI_CHARACTERS_MAX = 2048

# Rows are never removed: a handle that was once somebody's is not handed to somebody else (attack S41).
local_actor = Table(
    "local_actor",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uri", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("handle", String(max(HANDLE_CHARACTERS_MAX, HOST_CHARACTERS_MAX)), nullable=False, unique=True),
    Column("kind", String(10), nullable=False),
    Column("name", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("rsa_pem", Text, nullable=False),
    Column("ed25519_pem", Text, nullable=False),
    Column("ed25519_number", Integer, nullable=False, server_default=text("1")),  # the how-manieth it is
    Column("manually_approves", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("gone_at", UtcDateTime),
    CheckConstraint("kind IN ('person', 'group', 'server', 'ledger')", name="kind"),
    CheckConstraint("handle = lower(handle)", name="handle_is_folded"),
)

# ``server``, ``ledger`` and ``board`` are set for the server and ledger actors of fedaid only (fa:server …).
remote_actor = Table(
    "remote_actor",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uri", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("host", String(HOST_CHARACTERS_MAX), nullable=False, index=True),
    Column("type", String(64), nullable=False),
    Column("handle", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("shared_inbox", Text),
    Column("followers", Text),
    Column("server", Text),
    Column("ledger", Text),
    Column("board", Text),
    Column("indexable", Boolean, nullable=False, server_default=false()),  # FEP-5feb: who says nothing says no
    Column("discoverable", Boolean, nullable=False, server_default=false()),
    Column("document", Text, nullable=False),
    Column("fetched_at", UtcDateTime, nullable=False),
    Column("gone_at", UtcDateTime),
)

# A key arrives only by our own fetch of its owner's document (attacks S17, S30).
remote_key = Table(
    "remote_key",
    metadata,
    Column("key_id", String(URI_CHARACTERS_MAX), primary_key=True),
    Column("owner", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("algorithm", String(10), nullable=False),
    Column("public_key", Text, nullable=False),
    Column("fetched_at", UtcDateTime, nullable=False),
    CheckConstraint("algorithm IN ('rsa', 'ed25519')", name="algorithm"),
)

follow = Table(
    "follow",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("follower", String(URI_CHARACTERS_MAX), nullable=False),
    Column("followee", String(URI_CHARACTERS_MAX), nullable=False),
    Column("state", String(10), nullable=False),
    Column("activity_id", String(URI_CHARACTERS_MAX), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("follower", "followee"),
    CheckConstraint("state IN ('asked', 'accepted')", name="state"),
    Index("ix_follow_followee_state", "followee", "state"),
    Index("ix_follow_activity_id", "activity_id"),
)
