"""The rows about pictures of other servers: a cache, so anything in it may go at any time."""

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from fedaid.foundation.database import UtcDateTime, metadata

SHA256_HEX_CHARACTERS = 64
FAILURE_CHARACTERS_MAX = 40

# key: the SHA-256 of the address and of what it is shown as. failure: why there is no body; empty where there is one.
picture_file = Table(
    "picture_file",
    metadata,
    Column("key", String(SHA256_HEX_CHARACTERS), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("failure", String(FAILURE_CHARACTERS_MAX), nullable=False),
    Column("fetched_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=False, index=True),
)
