"""Writes about mails: which are due, whose turn it is to send one, and what came of it."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from fedaid.foundation.refused import NotFound
from fedaid.foundation.wording import zone
from fedaid.foundation.work import Work
from fedaid.members import queries as members
from fedaid.members.queries import Member
from fedaid.members.tables import member
from fedaid.notices.limits import MailLimits
from fedaid.notices.queries import mails
from fedaid.notices.queries.mails import Mail, mail_of
from fedaid.notices.rules import DIGEST_LOOKS_BACK, next_digest, retry_wait_seconds
from fedaid.notices.tables import THE_ONE, MailState, Purpose, mail, mail_key, notice

KEY_BYTES = 32
READERS_MAX = 100  # for whom mails are made at once
A_DAY = timedelta(days=1)
ERROR_CHARACTERS_MAX = 300


# what is due


def gather(work: Work, limits: MailLimits) -> int:
    """Make mails of the notices that are due, one for each reader; how many. Two processes never make the same one."""
    table = notice.c
    due = (table.mail_due_at <= work.now) & table.mail_id.is_(None) & table.read_at.is_(None)
    whose = select(member.c.id).where(member.c.id.in_(select(table.member_id).where(due))).order_by(member.c.id)
    held = whose.limit(READERS_MAX).with_for_update(skip_locked=True)
    return sum(_gather(work, limits, number) for number in work.connection.execute(held).scalars().all())


def _gather(work: Work, limits: MailLimits, member_id: int) -> bool:
    table = notice.c
    due = (table.member_id == member_id) & (table.mail_due_at <= work.now) & table.mail_id.is_(None)
    found = work.connection.execute(select(table.id, table.made_at, table.mail_due_at).where(due)).all()
    fresh = [row for row in found if row.made_at > work.now - DIGEST_LOOKS_BACK]
    reader = members.by_id(work.connection, member_id)
    ours = table.id.in_([row.id for row in found])
    if not fresh or reader is None or not reader.email or mails.is_refused(work.connection, member_id, reader.email):
        work.connection.execute(update(notice).where(ours).values(mail_due_at=None))
        return False
    at_once = any(row.mail_due_at == row.made_at for row in fresh)
    if at_once and _had_enough(work, limits, member_id):
        later = next_digest(work.now, zone(reader.time_zone))
        work.connection.execute(update(notice).where(ours).values(mail_due_at=later))
        return False
    mail_id = _write(work, member_id, Purpose.NOTICES if at_once else Purpose.DIGEST)
    work.connection.execute(update(notice).where(ours).values(mail_id=mail_id))
    return True


def _had_enough(work: Work, limits: MailLimits, member_id: int) -> bool:
    since = work.now - A_DAY
    return mails.count_since(work.connection, member_id, Purpose.NOTICES, since) >= limits.at_once_per_day_max


def mail_recovery(work: Work, handle: str, limits: MailLimits) -> bool:
    """Send somebody a link to choose a new password, if they have an address and got none just now; whether."""
    found = members.by_handle(work.connection, handle)
    if found is None or not found.email:
        return False
    work.connection.execute(select(member.c.id).where(member.c.id == found.id).with_for_update())
    since = work.now - timedelta(minutes=limits.recovery_minutes_min)
    if mails.count_since(work.connection, found.id, Purpose.RECOVERY, since):
        return False
    _write(work, found.id, Purpose.RECOVERY)
    return True


def _write(work: Work, member_id: int, purpose: Purpose) -> int:
    mail_id = work.new_id()
    row = {
        "id": mail_id,
        "member_id": member_id,
        "purpose": purpose,
        "state": MailState.WAITING,
        "address": "",
        "refused": False,
        "tries": 0,
        "error": "",
        "made_at": work.now,
        "due_at": work.now,
    }
    work.connection.execute(insert(mail).values(row))
    return mail_id


# sending


def claim(work: Work, limits: MailLimits) -> Sequence[Mail]:
    """The mails that are this worker's to send until the lease ends."""
    due = (mail.c.state == MailState.WAITING) & (mail.c.due_at <= work.now)
    free = mail.c.lease_until.is_(None) | (mail.c.lease_until <= work.now)
    query = select(mail).where(due, free).order_by(mail.c.due_at).limit(limits.round_mails_max)
    found = [mail_of(row) for row in work.connection.execute(query.with_for_update(skip_locked=True))]
    until = work.now + timedelta(seconds=limits.lease_seconds)
    mine = mail.c.id.in_([one.id for one in found])
    work.connection.execute(update(mail).where(mine).values(lease_until=until))
    return found


def key(work: Work) -> bytes:
    """With what links in mails are signed, made at the first need."""
    known = mails.signing_key(work.connection)
    if known is not None:
        return known
    with suppress(IntegrityError), work.attempt():  # another worker was quicker
        work.connection.execute(insert(mail_key).values(id=THE_ONE, key=secrets.token_bytes(KEY_BYTES)))
    made = mails.signing_key(work.connection)
    if made is None:
        raise NotFound
    return made


def sent(work: Work, found: Mail, reader: Member) -> None:
    """The server took it."""
    _set(work, found, state=MailState.SENT, address=reader.email, done_at=work.now, error="")


def needless(work: Work, found: Mail) -> None:
    """There was nothing to send any more."""
    _set(work, found, state=MailState.NEEDLESS, done_at=work.now)


def failed(work: Work, found: Mail, reader: Member, error: str, limits: MailLimits, *, refused: bool) -> MailState:
    """It was not taken: it is tried again later, or given up; which of the two."""
    tries = found.tries + 1
    state = MailState.FAILED if refused or tries >= limits.tries_max else MailState.WAITING
    wait = retry_wait_seconds(tries, limits.first_retry_seconds, limits.retry_seconds_max)
    _set(
        work,
        found,
        state=state,
        address=reader.email,
        refused=refused,
        tries=tries,
        error=error[:ERROR_CHARACTERS_MAX],
        due_at=work.now + timedelta(seconds=wait),
        done_at=work.now if state is MailState.FAILED else None,
    )
    return state


def _set(work: Work, found: Mail, **values: object) -> None:
    work.connection.execute(update(mail).where(mail.c.id == found.id).values(lease_until=None, **values))


# what an admin does


def try_again(work: Work, mail_id: int) -> None:
    """Send a mail that failed once more, as if for the first time. Raises NotFound."""
    values = {"state": MailState.WAITING, "refused": False, "tries": 0, "due_at": work.now, "done_at": None}
    this = (mail.c.id == mail_id) & mail.c.state.in_([MailState.FAILED, MailState.WAITING])
    if work.connection.execute(update(mail).where(this).values(lease_until=None, **values)).rowcount != 1:
        raise NotFound


def forget_old(work: Work, limits: MailLimits) -> int:
    """That a mail was sent or failed is kept for a while; how many went. A chore of the house."""
    old = mail.c.done_at <= work.now - timedelta(days=limits.kept_days)
    return work.connection.execute(delete(mail).where(old)).rowcount
