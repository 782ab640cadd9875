"""The rows about groups, who belongs to them, and who asks to."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, String, Table, Text, UniqueConstraint, text

from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.members.rules.joining import ApplicationState

group = Table(
    "group",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor_id", BigInteger, ForeignKey("local_actor.id"), nullable=False, unique=True),
    Column("topic", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("joining", String(20), nullable=False, server_default=text("'open'")),
    Column("questions", Text, nullable=False, server_default=text("''")),
    Column("posting", String(20), nullable=False, server_default=text("'everybody'")),
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

# One for each member and group: whoever asks again, asks with the same row. ``answers`` as of ``application``.
group_application = Table(
    "group_application",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("group_id", BigInteger, ForeignKey("group.id"), nullable=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False, index=True),
    Column("answers", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", BigInteger, ForeignKey("member.id")),
    Column("sentence", Text, nullable=False),
    UniqueConstraint("group_id", "member_id"),
    CheckConstraint(f"state IN ({', '.join(repr(str(state)) for state in ApplicationState)})", name="state"),
)
