"""Reads of mails: what is in one, what waits, what failed and where no mail arrives any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, func, select

from fedaid.members import queries as members
from fedaid.members.queries import Member
from fedaid.notices import queries
from fedaid.notices.queries import Notice, notice_of
from fedaid.notices.rules import MAILED, TOPIC_OF
from fedaid.notices.tables import THE_ONE, MailState, Purpose, mail, mail_key, notice

FAILED_SHOWN_MAX = 100


@dataclass(frozen=True)
class Mail:
    """A mail to a member, and how far it is; ``error`` is what their server or ours said last."""

    id: int
    member_id: int
    purpose: Purpose
    state: MailState
    address: str
    refused: bool
    tries: int
    error: str
    made_at: datetime
    due_at: datetime
    lease_until: datetime | None
    done_at: datetime | None


@dataclass(frozen=True)
class Failed:
    """A mail that did not arrive, for an admin; ``who`` is None for somebody who has left."""

    mail: Mail
    who: Member | None


def mail_of(row: Row[tuple[object, ...]]) -> Mail:
    """A row of the table as a value."""
    found = row._mapping
    return Mail(**{**found, "purpose": Purpose(found["purpose"]), "state": MailState(found["state"])})


def in_mail(connection: Connection, found: Mail) -> Sequence[Notice]:
    """The notices that go out with a mail: those that are not read yet and still wanted by mail, oldest first."""
    wanted = queries.channels(connection, found.member_id)
    mine = (notice.c.mail_id == found.id) & notice.c.read_at.is_(None)
    rows = connection.execute(select(notice).where(mine).order_by(notice.c.id))
    return [one for one in map(notice_of, rows) if wanted[TOPIC_OF[one.kind]] in MAILED]


def is_refused(connection: Connection, member_id: int, address: str) -> bool:
    """Whether a mail to this address came back for good, and no admin has said to try again."""
    theirs = (mail.c.member_id == member_id) & (mail.c.address == address)
    came_back = (mail.c.state == MailState.FAILED) & mail.c.refused.is_(True)
    return connection.execute(select(mail.c.id).where(theirs, came_back).limit(1)).first() is not None


def count_since(connection: Connection, member_id: int, purpose: Purpose, moment: datetime) -> int:
    """How many mails for a purpose a member was meant to get since then."""
    theirs = (mail.c.member_id == member_id) & (mail.c.purpose == purpose) & (mail.c.made_at > moment)
    return connection.execute(select(func.count()).select_from(mail).where(theirs)).scalar_one()


def counts(connection: Connection) -> Mapping[MailState, int]:
    """How many mails there are of each state."""
    rows = connection.execute(select(mail.c.state, func.count().label("mails")).group_by(mail.c.state))
    found = {MailState(row.state): row.mails for row in rows}
    return {state: found.get(state, 0) for state in MailState}


def troubled(connection: Connection) -> Sequence[Failed]:
    """The mails that failed, or wait after a failure, newest first."""
    wanted = (mail.c.state == MailState.FAILED) | ((mail.c.state == MailState.WAITING) & (mail.c.tries > 0))
    rows = connection.execute(select(mail).where(wanted).order_by(mail.c.id.desc()).limit(FAILED_SHOWN_MAX))
    found = [mail_of(row) for row in rows]
    people = {one.id: one for one in members.by_ids(connection, [one.member_id for one in found])}
    return [Failed(one, people.get(one.member_id)) for one in found]


def signing_key(connection: Connection) -> bytes | None:
    """With what links in mails are signed; None before the first mail."""
    row = connection.execute(select(mail_key.c.key).where(mail_key.c.id == THE_ONE)).one_or_none()
    return bytes(row.key) if row is not None else None
