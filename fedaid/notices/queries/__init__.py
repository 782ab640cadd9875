"""Reads of notices: whose they are, which are new, and how many."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, func, select

from fedaid.notices.rules import USUAL, Channel, Kind, Topic
from fedaid.notices.tables import notice, notice_choice


@dataclass(frozen=True)
class Notice:
    """That something happened which concerns a member. ``about`` is the id of the thing, as the kind says.

    mail_due_at, mail_id  when it goes out by mail, if it is to, and with which
    """

    id: int
    member_id: int
    kind: Kind
    about: str
    made_at: datetime
    read_at: datetime | None
    mail_due_at: datetime | None = None
    mail_id: int | None = None


def notice_of(row: Row[tuple[object, ...]]) -> Notice:
    """A row of the table as a value."""
    return Notice(**{**row._mapping, "kind": Kind(row._mapping["kind"])})


def page(connection: Connection, member_id: int, rows_max: int, before: int | None = None) -> Sequence[Notice]:
    """A member's notices, newest first, from the one before ``before``."""
    mine = notice.c.member_id == member_id
    if before is not None:
        mine &= notice.c.id < before
    rows = connection.execute(select(notice).where(mine).order_by(notice.c.id.desc()).limit(rows_max))
    return [notice_of(row) for row in rows]


def all_of(connection: Connection, member_id: int) -> Sequence[Notice]:
    """All of a member's notices, oldest first, to take along."""
    rows = connection.execute(select(notice).where(notice.c.member_id == member_id).order_by(notice.c.id))
    return [notice_of(row) for row in rows]


def of_member(connection: Connection, member_id: int, notice_id: int) -> Notice | None:
    """One of a member's notices; None for anybody else's (attack S87)."""
    mine = (notice.c.id == notice_id) & (notice.c.member_id == member_id)
    row = connection.execute(select(notice).where(mine)).one_or_none()
    return notice_of(row) if row is not None else None


def count_unread(connection: Connection, member_id: int | None) -> int:
    """How many a member has not read; none for somebody signed out."""
    return counts_unread(connection, [member_id]).get(member_id, 0) if member_id is not None else 0


def counts_unread(connection: Connection, member_ids: Collection[int]) -> Mapping[int, int]:
    """How many each of these members has not read; nothing of those who read all."""
    unread = notice.c.read_at.is_(None) & notice.c.member_id.in_(member_ids)
    query = select(notice.c.member_id, func.count().label("unread")).where(unread).group_by(notice.c.member_id)
    return {row.member_id: row.unread for row in connection.execute(query)}


def channels(connection: Connection, member_id: int) -> Mapping[Topic, Channel]:
    """How a member wants to be told of each topic."""
    rows = connection.execute(select(notice_choice).where(notice_choice.c.member_id == member_id))
    chosen = {Topic(row.topic): Channel(row.channel) for row in rows}
    return {topic: chosen.get(topic, USUAL) for topic in Topic}
