"""What stood in the books before the timebank could ask its peers stands there afterwards, and is guarded as before."""

from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fedaid.foundation import schema
from fedaid.foundation.database import Database

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC).replace(tzinfo=None)
DIGESTS = ["sha256:" + digit * 64 for digit in "35"]


def upgrade_to(database: Database, revision: str) -> None:
    with database.write() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def insert(connection: Any, table: str, **values: Any) -> None:
    names = ", ".join(values)
    statement = f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(values)})"  # noqa: S608 - our own words
    connection.execute(text(statement), values)


def an_old_peer(connection: Any, *, needs_sync: bool) -> None:
    insert(
        connection,
        "peer",
        id=7,
        host="oak.example",
        origin="https://oak.example",
        actor="https://oak.example/ledger",
        status="active",
        number=1,
        key_id="https://oak.example/ledger#key-1",
        key_multibase="z6Mk",
        line=1200,
        line_granted=600,
        max_transfer=480,
        offer_lifetime_days=14,
        terms_digest="sha256:" + 64 * "1",
        out_seq=2,
        out_hash=DIGESTS[0],
        in_seq=1,
        in_hash=DIGESTS[1],
        needs_sync=needs_sync,
        created_at=NOW,
        changed_at=NOW,
    )
    for number, digest in enumerate(DIGESTS, 1):
        insert(
            connection,
            "fact",
            n=number,
            peer_id=7,
            transfer_id="t",
            kind="offer",
            ours=True,
            seq=number,
            digest=digest,
            doc="{}",
            at=NOW,
            counts=number == 1,
        )
    insert(connection, "resend", fact_n=1, peer_id=7, transfer_id="t", kind="offer", next_try=NOW, tries=3)


@pytest.mark.parametrize("needs_sync", [False, True])
def test_old_messages_are_counted_and_what_waits_for_an_answer_goes_on_waiting(
    database: Database, needs_sync: bool
) -> None:
    upgrade_to(database, "0002")
    with database.write() as connection:
        an_old_peer(connection, needs_sync=needs_sync)
    schema.upgrade(database)
    with database.read() as connection:
        peer = connection.execute(text("SELECT * FROM peer")).one()
        assert (peer.messages, peer.messages_xor) == (2, "6" * 64)
        assert (peer.sync_asked > peer.sync_done) == needs_sync
        assert connection.execute(text("SELECT n, digest FROM fact ORDER BY n")).all() == list(enumerate(DIGESTS, 1))
        assert connection.execute(text("SELECT fact_n, tries FROM resend")).all() == [(1, 3)]
        assert connection.execute(text("SELECT peer_id, multibase FROM peer_key")).all() == [(7, "z6Mk")]


def test_messages_are_still_append_only(database: Database) -> None:
    upgrade_to(database, "0002")
    with database.write() as connection:
        an_old_peer(connection, needs_sync=False)
    schema.upgrade(database)
    for forbidden in ("DELETE FROM fact", "UPDATE fact SET counts = false"):
        with pytest.raises(DBAPIError, match="append-only"), database.write() as connection:
            connection.execute(text(forbidden))
