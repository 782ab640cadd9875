"""Puts an activity into the outbox, in the same transaction as the fact it announces."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from outbox import tables

RECIPIENTS_MAX = 1000  # named one by one in a single activity; followers are not counted (attacks S46, S53)


@dataclass(frozen=True)
class Outgoing:
    """One activity to send.

    activity      the whole document, with ``id``, ``type`` and ``@context``
    actor         the id of the actor of ours that sends and signs it
    to            ids of the actors that receive it; our own ones among them are left out
    followers_of  an actor of ours whose remote followers receive it too
    and_followers_of  another such actor: the board of somebody who speaks for themselves
    public        whether it stands in the actor's public outbox
    keep_trying   never give it up, whatever the receiver answers (the ledger's mail)
    """

    activity: Mapping[str, Any]
    actor: str
    to: tuple[str, ...] = ()
    followers_of: str | None = None
    and_followers_of: str | None = None
    public: bool = False
    keep_trying: bool = False


def post(connection: Connection, outgoing: Outgoing, now_ms: int) -> int:
    """Store the activity for delivery and return its number. Posting the same id again changes nothing.

    Raises ValueError for a document without id or type, or with more recipients than RECIPIENTS_MAX, and TypeError
    (orjson) for one that is not JSON.
    """
    row = _row(outgoing, now_ms)
    number = connection.execute(_insert(connection), row).scalar_one_or_none()
    if number is None:
        number = connection.execute(
            select(tables.activity.c.id).where(tables.activity.c.activity_id == row["activity_id"])
        ).scalar_one()
    return int(number)


def post_again(connection: Connection, outgoing: Outgoing, now_ms: int) -> int:
    """Like ``post``, and where it was delivered already, deliver it once more: the receiver asks, or does not answer.

    What still waits goes on waiting, so asking often costs nothing.
    """
    number = post(connection, outgoing, now_ms)
    over = (tables.delivery.c.activity == number) & (tables.delivery.c.state != tables.WAITING)
    connection.execute(delete(tables.delivery).where(over))
    connection.execute(update(tables.activity).where(tables.activity.c.id == number).values(fanned_out=False))
    return number


def _insert(connection: Connection) -> ReturningInsert[int]:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(tables.activity).on_conflict_do_nothing().returning(tables.activity.c.id)
    return sqlite.insert(tables.activity).on_conflict_do_nothing().returning(tables.activity.c.id)


def _row(outgoing: Outgoing, now_ms: int) -> dict[str, object]:
    recipients = tuple(dict.fromkeys(outgoing.to))
    if len(recipients) > RECIPIENTS_MAX:
        raise ValueError(f"an activity has at most {RECIPIENTS_MAX} recipients")
    return {
        "activity_id": _text(outgoing.activity, "id"),
        "actor": outgoing.actor,
        "type": _text(outgoing.activity, "type"),
        "object_id": _object_id(outgoing.activity.get("object")),
        "body": orjson.dumps(outgoing.activity).decode("utf-8"),
        "public": outgoing.public,
        "recipients": orjson.dumps(recipients).decode("utf-8"),
        "followers_of": outgoing.followers_of,
        "and_followers_of": outgoing.and_followers_of,
        "keep_trying": outgoing.keep_trying,
        "created_ms": now_ms,
    }


def _text(activity: Mapping[str, Any], key: str) -> str:
    value = activity.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"an outgoing activity needs a text in {key!r}")
    return value


def _object_id(value: object) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else None
