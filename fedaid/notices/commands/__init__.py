"""Writes about notices: telling somebody, what they have read, and what is forgotten."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from fedaid.foundation.refused import NotFound
from fedaid.foundation.wording import zone
from fedaid.foundation.work import Work
from fedaid.members import queries as members
from fedaid.members.tables import member
from fedaid.notices import queries
from fedaid.notices.limits import NoticeLimits
from fedaid.notices.queries import Notice
from fedaid.notices.rules import MAILED, TOPIC_OF, Channel, Kind, Topic, mail_due
from fedaid.notices.tables import mail, notice, notice_choice


def tell(work: Work, member_ids: Iterable[int], kind: Kind, about: str) -> None:
    """These members have a new notice; an earlier one of the same kind about the same thing goes."""
    for member_id in sorted(set(member_ids)):
        _tell(work, member_id, kind, about)


def _tell(work: Work, member_id: int, kind: Kind, about: str) -> None:
    channel = queries.channels(work.connection, member_id)[TOPIC_OF[kind]]
    if channel is Channel.NONE:
        return
    same = (notice.c.member_id == member_id) & (notice.c.kind == kind) & (notice.c.about == about)
    work.connection.execute(delete(notice).where(same))
    found = members.by_id(work.connection, member_id)
    row = {
        "id": work.new_id(),
        "member_id": member_id,
        "kind": kind,
        "about": about,
        "made_at": work.now,
        "mail_due_at": mail_due(channel, work.now, zone(found.time_zone if found is not None else "UTC")),
    }
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


def choose(work: Work, member_id: int, chosen: Mapping[Topic, Channel]) -> None:
    """How a member wants to be told from now on; what waits for a mail keeps to it too."""
    theirs = notice_choice.c.member_id == member_id
    work.connection.execute(select(member.c.id).where(member.c.id == member_id).with_for_update())
    work.connection.execute(delete(notice_choice).where(theirs))
    rows = [{"member_id": member_id, "topic": topic, "channel": channel} for topic, channel in chosen.items()]
    work.connection.execute(insert(notice_choice), rows)
    unwanted = [kind for kind, topic in TOPIC_OF.items() if chosen[topic] not in MAILED]
    waiting = (notice.c.member_id == member_id) & notice.c.kind.in_(unwanted)
    work.connection.execute(update(notice).where(waiting).values(mail_due_at=None))


def unsubscribe(work: Work, member_id: int) -> None:
    """No mail about notices any more; what stood in them stands on the page of notices. Harmless when repeated."""
    wanted = queries.channels(work.connection, member_id)
    choose(work, member_id, {topic: Channel.HERE if one in MAILED else one for topic, one in wanted.items()})


def clear_out(work: Work, member_id: int) -> None:
    """Somebody leaves: nobody reads their notices or their mails any more."""
    for table in (notice, notice_choice, mail):
        work.connection.execute(delete(table).where(table.c.member_id == member_id))
