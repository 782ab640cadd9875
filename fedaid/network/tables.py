"""The rows about neighbouring networks, about who is not welcome here, and about what moderators decided."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, String, Table, Text, UniqueConstraint

from fedaid.actors.rules import HOST_CHARACTERS_MAX
from fedaid.actors.tables import URI_CHARACTERS_MAX
from fedaid.foundation.append_only import only_add_to
from fedaid.foundation.database import UtcDateTime, metadata

# ``host`` carries the port where it is not the scheme's own, as in a handle.
neighbour = Table(
    "neighbour",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("host", String(HOST_CHARACTERS_MAX), nullable=False, unique=True),
    Column("origin", String(URI_CHARACTERS_MAX), nullable=False),
    Column("server_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("ledger_actor", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("board_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("status", String(10), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint("status IN ('proposed', 'asked', 'accepted', 'paused', 'ended')", name="status"),
)

# ``target`` is a host or the id of an actor; ``laid_by`` the id of the admin, empty for the command line.
restriction = Table(
    "restriction",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),
    Column("target", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("severity", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("rejects_media", Boolean, nullable=False),
    Column("rejects_reports", Boolean, nullable=False),
    Column("obfuscates", Boolean, nullable=False),
    Column("laid_by", String(URI_CHARACTERS_MAX), nullable=False),
    Column("laid_at", UtcDateTime, nullable=False),
    CheckConstraint("kind IN ('host', 'actor')", name="kind"),
    CheckConstraint("severity IN ('block', 'limit', 'none')", name="severity"),
)

# What was decided about whom, by whom and why. The database itself refuses to change or remove a row.
moderation_entry = Table(
    "moderation_entry",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("decided_by", String(URI_CHARACTERS_MAX), nullable=False),
    Column("decision", String(20), nullable=False),
    Column("target", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("reason", Text, nullable=False),
)
only_add_to(moderation_entry)

# ``source`` is the server that a report came from, or the member who made it; ``subject`` a listing, a response or an
# actor by its id, ``owner`` the actor who answers for it. The same from one source counts once a day (attack S50).
report = Table(
    "report",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String(URI_CHARACTERS_MAX), nullable=False),
    Column("reporter", String(URI_CHARACTERS_MAX), nullable=False),
    Column("subject", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("owner", String(URI_CHARACTERS_MAX), nullable=False),
    Column("comment", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("day", String(10), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", String(URI_CHARACTERS_MAX), nullable=False),
    Column("forwarded_at", UtcDateTime),
    UniqueConstraint("subject", "source", "day"),
    CheckConstraint("state IN ('open', 'dismissed', 'settled')", name="state"),
    Index("ix_report_state_id", "state", "id"),
)
