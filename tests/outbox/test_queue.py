"""Posting an activity stores it with its fact, exactly once."""

import json

import pytest
from sqlalchemy import func, select

from fedaid.foundation.database import Database
from outbox import tables
from outbox.queue import RECIPIENTS_MAX, Outgoing, post
from tests.outbox.world import ANA, BEN, note

pytestmark = pytest.mark.usefixtures("outbox_tables")


def _count(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.activity)).scalar_one()


def test_what_is_posted_is_stored_as_it_will_be_sent(database: Database) -> None:
    document = note(1)
    with database.write() as connection:
        number = post(connection, Outgoing(document, ANA, to=(BEN,), keep_trying=True), now_ms=7)
    with database.read() as connection:
        row = connection.execute(select(tables.activity).where(tables.activity.c.id == number)).one()
    assert json.loads(row.body) == document
    assert (row.actor, row.type, row.object_id, row.created_ms) == (ANA, "Create", document["object"]["id"], 7)
    assert (row.public, row.keep_trying, row.fanned_out) == (False, True, False)
    assert json.loads(row.recipients) == [BEN]


def test_the_object_may_be_named_by_its_id_alone(database: Database) -> None:
    with database.write() as connection:
        number = post(connection, Outgoing({**note(1), "object": "https://north.example/x"}, ANA), now_ms=7)
        stored = connection.execute(select(tables.activity.c.object_id).where(tables.activity.c.id == number))
        assert stored.scalar_one() == "https://north.example/x"


def test_a_rolled_back_fact_leaves_no_mail(database: Database) -> None:
    with database.write() as connection:
        post(connection, Outgoing(note(1), ANA, to=(BEN,)), now_ms=7)
        connection.rollback()
    assert _count(database) == 0


def test_posting_the_same_id_twice_is_harmless(database: Database) -> None:
    with database.write() as connection:
        first = post(connection, Outgoing(note(1), ANA), now_ms=7)
        other = post(connection, Outgoing(note(2), ANA), now_ms=7)
        again = post(connection, Outgoing({**note(1), "changed": True}, ANA), now_ms=9)
    assert first == again < other
    assert _count(database) == 2


@pytest.mark.parametrize("document", [{"type": "Create"}, {"id": "https://a.example/1"}, {"id": 7, "type": "Create"}])
def test_a_document_without_id_or_type_is_refused(database: Database, document: dict[str, object]) -> None:
    with pytest.raises(ValueError), database.write() as connection:
        post(connection, Outgoing(document, ANA), now_ms=7)


def test_more_recipients_than_the_maximum_are_refused(database: Database) -> None:
    crowd = tuple(f"https://far.example/u/{n}" for n in range(RECIPIENTS_MAX + 1))
    with pytest.raises(ValueError, match="1000 recipients"), database.write() as connection:
        post(connection, Outgoing(note(1), ANA, to=crowd), now_ms=7)
