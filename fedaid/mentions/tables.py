"""The rows of what people elsewhere write to our boards."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, String, Table, Text

from fedaid.board.rules import Kind
from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.mentions.rules import MessageState, SuggestionState

URI_CHARACTERS_MAX = 2048


def _one_of(column: str, values: type[Kind | MessageState | SuggestionState]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


message = Table(
    "message",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uri", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("board_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("author_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("page", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("warning", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("state", String(20), nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_by", BigInteger, ForeignKey("member.id")),
    Column("answered_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint(_one_of("state", MessageState), name="state"),
    Index("ix_message_state_id", "state", "id"),
    Index("ix_message_author_actor_state", "author_actor", "state"),
)

# A Note that mentions a board and asks it to post a request or an offer; listing_id once a coordinator let it in.
suggestion = Table(
    "suggestion",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uri", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("board_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("author_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("page", Text, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("warning", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("listing_id", BigInteger, ForeignKey("listing.id"), unique=True),
    Column("answered_by", BigInteger, ForeignKey("member.id")),
    Column("answered_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint(_one_of("kind", Kind), name="kind"),
    CheckConstraint(_one_of("state", SuggestionState), name="state"),
    Index("ix_suggestion_state_id", "state", "id"),
    Index("ix_suggestion_author_actor_state", "author_actor", "state"),
)
