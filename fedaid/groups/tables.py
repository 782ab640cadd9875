"""The rows about groups and who belongs to them."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, String, Table, Text, UniqueConstraint

from fedaid.foundation.database import UtcDateTime, metadata

group = Table(
    "group",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor_id", BigInteger, ForeignKey("local_actor.id"), nullable=False, unique=True),
    Column("topic", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

membership = Table(
    "membership",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("group_id", BigInteger, ForeignKey("group.id"), nullable=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False, index=True),
    Column("role", String(20), nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    UniqueConstraint("group_id", "member_id"),
    CheckConstraint("role IN ('member', 'coordinator')", name="role"),
)
