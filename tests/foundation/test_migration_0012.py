"""What members were told and chose before there were more kinds of notices stands there afterwards, and is guarded."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from fedaid.foundation import schema
from fedaid.foundation.database import Database
from tests.foundation.test_migration_0003 import insert, upgrade_to

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC).replace(tzinfo=None)


def a_member(connection: Any) -> None:
    actor = {"handle": "ana", "kind": "person", "name": "Ana", "summary": "", "rsa_pem": "", "ed25519_pem": ""}
    uri = "https://north.example/users/ana"
    insert(connection, "local_actor", id=1, uri=uri, manually_approves=False, created_at=NOW, **actor)
    who = {"email": "", "role": "member", "time_zone": "UTC", "password_hash": "x"}
    insert(connection, "member", id=2, actor_id=1, created_at=NOW, **who)


def test_notices_and_choices_are_kept_and_take_the_new_kinds_and_no_others(database: Database) -> None:
    upgrade_to(database, "0011")
    with database.write() as connection:
        a_member(connection)
        insert(connection, "notice", id=3, member_id=2, kind="answered", about="9", made_at=NOW, read_at=NOW)
        insert(connection, "notice_choice", member_id=2, topic="hours", channel="none")
    schema.upgrade(database)
    with database.write() as connection:
        kept = connection.execute(text("SELECT id, member_id, kind, about FROM notice")).one()
        assert tuple(kept) == (3, 2, "answered", "9")
        assert tuple(connection.execute(text("SELECT topic, channel FROM notice_choice")).one()) == ("hours", "none")
        for number, kind in enumerate(("found", "ending", "thanked"), 4):
            insert(connection, "notice", id=number, member_id=2, kind=kind, about="9", made_at=NOW)
        insert(connection, "notice_choice", member_id=2, topic="searches", channel="weekly")
    for table, values in (
        ("notice", {"id": 9, "member_id": 2, "kind": "gossip", "about": "9", "made_at": NOW}),
        ("notice", {"id": 9, "member_id": 2, "kind": "found", "about": "9", "made_at": NOW}),  # told already
        ("notice_choice", {"member_id": 2, "topic": "gossip", "channel": "weekly"}),
    ):
        with pytest.raises(IntegrityError), database.write() as connection:
            insert(connection, table, **values)
