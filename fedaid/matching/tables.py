"""The rows of matching: words of what stands on the boards, who was asked to help, searches kept and to be told."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from fedaid.foundation.database import UtcDateTime, metadata


class AskState(StrEnum):
    """Whether somebody who was asked has answered; a refusal is told to nobody."""

    ASKED = "asked"
    YES = "yes"
    NOT_NOW = "not_now"


# The words of listings that take answers, ours and neighbours', as they are compared; each has at least its kind of
# help (rules.term_of_kind), so a listing without rows is one that was not looked at yet.
listing_term = Table(
    "listing_term",
    metadata,
    Column("term", String(48), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("listing_id", BigInteger, ForeignKey("listing.id"), primary_key=True, autoincrement=False),
    Index("ix_listing_term_listing_id", "listing_id"),
)

ask = Table(
    "ask",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("listing_id", BigInteger, ForeignKey("listing.id"), nullable=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    UniqueConstraint("listing_id", "member_id"),
    CheckConstraint(f"state IN ({', '.join(repr(str(one)) for one in AskState)})", name="state"),
    Index("ix_ask_member_id_asked_at", "member_id", "asked_at"),
)

# query: the filters of the board as they stand in its address; seen_listing_id: up to which the member has looked.
saved_search = Table(
    "saved_search",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("seen_listing_id", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# A listing that is new here since then and is compared with the searches that were kept before; up to which member's
# that was done.
search_look = Table(
    "search_look",
    metadata,
    Column("listing_id", BigInteger, ForeignKey("listing.id"), primary_key=True, autoincrement=False),
    Column("since", UtcDateTime, nullable=False),
    Column("after_member_id", BigInteger, nullable=False),
)
