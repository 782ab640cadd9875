"""The rows about accounts. Of sessions and tokens only digests are stored: a stolen copy opens nothing."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, String, Table, Text

from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.members.rules import ACCOUNT_KEY_CHARACTERS_MAX, DEVICE_CHARACTERS_MAX, EMAIL_CHARACTERS_MAX

SHA256_HEX_CHARACTERS = 64

member = Table(
    "member",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor_id", BigInteger, ForeignKey("local_actor.id"), nullable=False, unique=True),
    Column("email", String(EMAIL_CHARACTERS_MAX), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("role IN ('member', 'coordinator', 'admin')", name="role"),
)

session = Table(
    "session",
    metadata,
    Column("token_sha256", String(SHA256_HEX_CHARACTERS), primary_key=True),
    Column("member_id", BigInteger, ForeignKey("member.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("device", String(DEVICE_CHARACTERS_MAX), nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("token_sha256", String(SHA256_HEX_CHARACTERS), primary_key=True),
    Column("member_id", BigInteger, ForeignKey("member.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

# Tries of the last minutes that did not succeed; older ones are removed with the next try.
sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(ACCOUNT_KEY_CHARACTERS_MAX), nullable=False),
    Column("address", String(ACCOUNT_KEY_CHARACTERS_MAX), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_sign_in_try_account_at", "account", "at"),
    Index("ix_sign_in_try_address_at", "address", "at"),
    Index("ix_sign_in_try_at", "at"),
)
