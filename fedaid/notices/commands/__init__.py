"""Writes about notices: telling somebody, what they have read, and what is forgotten."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from fedaid.foundation.refused import NotFound
from fedaid.foundation.work import Work
from fedaid.notices import queries
from fedaid.notices.limits import NoticeLimits
from fedaid.notices.queries import Notice
from fedaid.notices.rules import Kind
from fedaid.notices.tables import notice


def tell(work: Work, member_ids: Iterable[int], kind: Kind, about: str) -> None:
    """These members have a new notice; an earlier one of the same kind about the same thing goes."""
    for member_id in sorted(set(member_ids)):
        _tell(work, member_id, kind, about)


def _tell(work: Work, member_id: int, kind: Kind, about: str) -> None:
    same = (notice.c.member_id == member_id) & (notice.c.kind == kind) & (notice.c.about == about)
    work.connection.execute(delete(notice).where(same))
    row = {"id": work.new_id(), "member_id": member_id, "kind": kind, "about": about, "made_at": work.now}
    with suppress(IntegrityError), work.attempt():  # they are told of it at this very moment
        work.connection.execute(insert(notice).values(row))


def read(work: Work, member_id: int, notice_id: int) -> Notice:
    """A member opens a notice. Raises NotFound for anybody else's."""
    found = queries.of_member(work.connection, member_id, notice_id)
    if found is None:
        raise NotFound
    unread = (notice.c.id == notice_id) & notice.c.read_at.is_(None)
    work.connection.execute(update(notice).where(unread).values(read_at=work.now))
    return found


def read_all(work: Work, member_id: int, up_to: int) -> int:
    """A member has read what they were shown: everything up to this notice; how many that were."""
    mine = (notice.c.member_id == member_id) & (notice.c.id <= up_to) & notice.c.read_at.is_(None)
    return work.connection.execute(update(notice).where(mine).values(read_at=work.now)).rowcount


def forget_old(work: Work, limits: NoticeLimits) -> int:
    """Nothing is kept longer than it says; how many went. A chore of the house."""
    old = notice.c.made_at <= work.now - timedelta(days=limits.kept_days)
    return work.connection.execute(delete(notice).where(old)).rowcount


def clear_out(work: Work, member_id: int) -> None:
    """Somebody leaves: nobody reads their notices any more."""
    work.connection.execute(delete(notice).where(notice.c.member_id == member_id))
