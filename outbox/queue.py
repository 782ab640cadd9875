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
    everywhere    every inbox receives it that was ever sent something by this actor: its last word
    """

    activity: Mapping[str, Any]
    actor: str
    to: tuple[str, ...] = ()
    followers_of: str | None = None
    and_followers_of: str | None = None
    public: bool = False
    keep_trying: bool = False
    everywhere: bool = False


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

    What still waits goes on waiting, so asking often costs nothing. What was delivered goes behind all that waits,
    under a new number: by its old one it would go first, and a slow host would never get what is new.
    """
    _take_out_delivered(connection, _text(outgoing.activity, "id"))
    return post(connection, outgoing, now_ms)


def _take_out_delivered(connection: Connection, activity_id: str) -> None:
    """Nothing of it is left unless some of it still waits. The lock is first, so that a fan-out under way is seen."""
    is_sent = (tables.activity.c.activity_id == activity_id) & tables.activity.c.fanned_out.is_(True)
    number = connection.execute(select(tables.activity.c.id).where(is_sent).with_for_update()).scalar_one_or_none()
    if number is None:
        return
    its = tables.delivery.c.activity == number
    waits = select(tables.delivery.c.n).where(its, tables.delivery.c.state == tables.WAITING).limit(1)
    if connection.execute(waits).first() is None:
        connection.execute(delete(tables.delivery).where(its))
        connection.execute(delete(tables.activity).where(tables.activity.c.id == number))


def withhold(connection: Connection, inbox: str, why: str, sender: str | None = None) -> int:
    """Give up what still waits for one inbox, of one sender or of all, and say how many deliveries that were.

    Mail that may never be given up is left waiting.
    """
    waiting = (tables.delivery.c.inbox == inbox) & (tables.delivery.c.state == tables.WAITING)
    if sender is not None:
        waiting &= tables.delivery.c.actor == sender
    given_up = waiting & tables.delivery.c.keep_trying.is_(False)
    failed = {"state": tables.FAILED, "last_error": why}
    return connection.execute(update(tables.delivery).where(given_up).values(failed)).rowcount


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
        "everywhere": outgoing.everywhere,
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
