"""The rows about accounts. Of sessions and tokens only digests are stored: a stolen copy opens nothing."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.members.rules import (
    ACCOUNT_KEY_CHARACTERS_MAX,
    DEVICE_CHARACTERS_MAX,
    EMAIL_CHARACTERS_MAX,
    HANDLE_STORED_CHARACTERS_MAX,
)
from fedaid.members.rules.joining import ApplicationState, Joining

SHA256_HEX_CHARACTERS = 64
THE_ONE = 1  # the only row of neighbourhood


def _one_of(column: str, values: type[Joining | ApplicationState]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


member = Table(
    "member",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor_id", BigInteger, ForeignKey("local_actor.id"), nullable=False, unique=True),
    Column("email", String(EMAIL_CHARACTERS_MAX), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("language", String(8), server_default=text("''"), nullable=False),  # empty: as the browser asks
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
    Column("name", Text, server_default=text("''"), nullable=False),
    Column("last_used_at", UtcDateTime),
)

# Tries of the last minutes: to sign in those that did not succeed, to join and to use a link all of them. ``door`` says
# where; older ones are removed with the next try.
sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(ACCOUNT_KEY_CHARACTERS_MAX), nullable=False),
    Column("address", String(ACCOUNT_KEY_CHARACTERS_MAX), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("door", String(10), nullable=False, server_default=text("'sign_in'")),
    Index("ix_sign_in_try_account_at", "account", "at"),
    Index("ix_sign_in_try_address_at", "address", "at"),
    Index("ix_sign_in_try_at", "at"),
)

# What the neighbourhood says of itself and how people join it, as its admins chose on its pages; one row, and none
# before they did. ``questions`` has one a line; ``steps_done`` are the steps of the first-run wizard, spaces between.
neighbourhood = Table(
    "neighbourhood",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("joining", String(20), nullable=False),
    Column("questions", Text, nullable=False),
    Column("steps_done", Text, nullable=False),
    CheckConstraint(f"id = {THE_ONE}", name="one_row"),
    CheckConstraint(_one_of("joining", Joining), name="joining"),
)

# Every version that ever held. ``asks_again``: whoever accepted an earlier one is asked to accept this one.
community_agreement = Table(
    "community_agreement",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("asks_again", Boolean, nullable=False),
    Column("published_by", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
)

agreement_acceptance = Table(
    "agreement_acceptance",
    metadata,
    Column("member_id", BigInteger, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, ForeignKey("community_agreement.version"), primary_key=True),
    Column("accepted_at", UtcDateTime, nullable=False),
)

# ``made_by`` is empty for the command line; ``role`` is what those who come with it may do.
invitation = Table(
    "invitation",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("secret_sha256", String(SHA256_HEX_CHARACTERS), nullable=False, unique=True),
    Column("note", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("uses", Integer, nullable=False),
    Column("uses_max", Integer, nullable=False),
    Column("made_by", BigInteger, ForeignKey("member.id")),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    CheckConstraint("role IN ('member', 'coordinator', 'admin')", name="role"),
    CheckConstraint("uses >= 0 AND uses <= uses_max", name="uses"),
)

# ``answers`` is a JSON list of {question, answer}. Once it is decided, only handle, name and the decision are kept.
application = Table(
    "application",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("secret_sha256", String(SHA256_HEX_CHARACTERS), nullable=False, unique=True),
    Column("handle", String(HANDLE_STORED_CHARACTERS_MAX), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("email", String(EMAIL_CHARACTERS_MAX), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("agreed_to", Integer),
    Column("answers", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", BigInteger, ForeignKey("member.id")),
    Column("sentence", Text, nullable=False),
    CheckConstraint(_one_of("state", ApplicationState), name="state"),
    Index("ix_application_state_id", "state", "id"),
)

# Lets a member choose a new password, once. ``made_by`` is empty for the command line.
recovery_link = Table(
    "recovery_link",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("member_id", BigInteger, ForeignKey("member.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("secret_sha256", String(SHA256_HEX_CHARACTERS), nullable=False, unique=True),
    Column("made_by", BigInteger, ForeignKey("member.id")),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
