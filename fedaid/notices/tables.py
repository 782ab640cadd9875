"""The rows of notices. Of what they are about only the id is stored: the words are looked up when they are shown."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, String, Table, UniqueConstraint

from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.notices.rules import Kind

ABOUT_CHARACTERS_MAX = 2048

# One of a kind about a thing for a member: when it happens again, it is a new notice in place of the old one.
notice = Table(
    "notice",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("about", String(ABOUT_CHARACTERS_MAX), nullable=False),
    Column("made_at", UtcDateTime, nullable=False, index=True),
    Column("read_at", UtcDateTime),
    UniqueConstraint("member_id", "kind", "about"),
    CheckConstraint(f"kind IN ({', '.join(repr(str(one)) for one in Kind)})", name="kind"),
    Index("ix_notice_member_id_read_at", "member_id", "read_at"),
    Index("ix_notice_member_id_id", "member_id", "id"),
)
