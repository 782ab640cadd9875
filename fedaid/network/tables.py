"""The rows about neighbouring networks and about hosts that nothing is wanted from."""

from sqlalchemy import BigInteger, CheckConstraint, Column, String, Table

from fedaid.actors.rules import HOST_CHARACTERS_MAX
from fedaid.actors.tables import URI_CHARACTERS_MAX
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

block = Table(
    "block",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("host", String(HOST_CHARACTERS_MAX), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)
