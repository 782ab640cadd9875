"""The rows of the directory. Nothing here leaves the neighbourhood by itself: who may read an entry stands in it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.foundation.words import TERM_CHARACTERS_MAX
from fedaid.skills.rules import Contact, Visibility

# Compared by code point on both databases, so that a plain index finds what begins with a prefix.
TERM = String(TERM_CHARACTERS_MAX).with_variant(String(TERM_CHARACTERS_MAX, collation="C"), "postgresql")


def _one_of(column: str, values: type[Visibility | Contact]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


skill = Table(
    "skill",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("category", String(40), nullable=False),
    Column("details", Text, nullable=False),
    Column("visibility", String(10), nullable=False),
    Column("group_id", BigInteger, ForeignKey("group.id"), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint(_one_of("visibility", Visibility), name="visibility"),
    CheckConstraint("(visibility = 'group') = (group_id IS NOT NULL)", name="has_group"),
    Index("ix_skill_category_member_id", "category", "member_id"),
)

# The words of an entry as they are compared (foundation.words); made anew with it.
skill_term = Table(
    "skill_term",
    metadata,
    Column("term", TERM, primary_key=True),
    Column("skill_id", BigInteger, ForeignKey("skill.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Index("ix_skill_term_skill_id", "skill_id"),
)

free_window = Table(
    "free_window",
    metadata,
    Column("member_id", BigInteger, ForeignKey("member.id"), primary_key=True, autoincrement=False),
    Column("weekday", SmallInteger, primary_key=True, autoincrement=False),
    Column("start_minute", SmallInteger, primary_key=True, autoincrement=False),
    Column("end_minute", SmallInteger, nullable=False),
    CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
    CheckConstraint("start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440", name="minutes"),
)

# lat and lon are blurred before they are stored, and shown to nobody.
helper_preference = Table(
    "helper_preference",
    metadata,
    Column("member_id", BigInteger, ForeignKey("member.id"), primary_key=True, autoincrement=False),
    Column("contact", String(10), nullable=False),
    Column("place", Text, nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("travel_km", Integer),
    Column("monthly_minutes_max", Integer),
    Column("may_be_asked", Boolean, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint(_one_of("contact", Contact), name="contact"),
    Index("ix_helper_preference_lat_lon", "lat", "lon"),
)

spoken_language = Table(
    "spoken_language",
    metadata,
    Column("member_id", BigInteger, ForeignKey("member.id"), primary_key=True, autoincrement=False),
    Column("language", String(8), primary_key=True),
)

# A neighbour's sentence about a skill. No number is made of them anywhere.
vouch = Table(
    "vouch",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("skill_id", BigInteger, ForeignKey("skill.id", ondelete="CASCADE"), nullable=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False, index=True),
    Column("sentence", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("skill_id", "member_id"),
)
