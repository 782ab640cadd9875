"""The rows of notices and mails. Of what they are about only ids are stored; words are looked up when shown."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.members.rules import EMAIL_CHARACTERS_MAX
from fedaid.notices.rules import Channel, Kind, Topic

ABOUT_CHARACTERS_MAX = 2048
THE_ONE = 1  # the only row of mail_key


class Purpose(StrEnum):
    """What a mail is for."""

    NOTICES = "notices"
    DIGEST = "digest"
    RECOVERY = "recovery"


class MailState(StrEnum):
    """How far a mail is. ``NEEDLESS``: when its turn came, everything in it was read or gone."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    NEEDLESS = "needless"


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


# address: where it was tried last, empty before. refused: the server says that nobody has this address.
mail = Table(
    "mail",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("purpose", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("address", String(EMAIL_CHARACTERS_MAX), nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("done_at", UtcDateTime),
    CheckConstraint(_one_of("purpose", Purpose), name="purpose"),
    CheckConstraint(_one_of("state", MailState), name="state"),
    Index("ix_mail_state_due_at", "state", "due_at"),
    Index("ix_mail_member_id_made_at", "member_id", "made_at"),
)

# One of a kind about a thing for a member: when it happens again, it is a new notice in place of the old one.
# mail_due_at: when it goes out by mail, if it is not read before; mail_id: with which mail it does.
notice = Table(
    "notice",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("about", String(ABOUT_CHARACTERS_MAX), nullable=False),
    Column("made_at", UtcDateTime, nullable=False, index=True),
    Column("read_at", UtcDateTime),
    Column("mail_due_at", UtcDateTime, index=True),
    Column("mail_id", BigInteger, ForeignKey("mail.id", ondelete="SET NULL"), index=True),
    UniqueConstraint("member_id", "kind", "about"),
    CheckConstraint(_one_of("kind", Kind), name="kind"),
    Index("ix_notice_member_id_read_at", "member_id", "read_at"),
    Index("ix_notice_member_id_id", "member_id", "id"),
)

# What a member chose for a topic; without a row it is as usual.
notice_choice = Table(
    "notice_choice",
    metadata,
    Column("member_id", BigInteger, ForeignKey("member.id"), primary_key=True, autoincrement=False),
    Column("topic", String(10), primary_key=True),
    Column("channel", String(10), nullable=False),
    CheckConstraint(_one_of("topic", Topic), name="topic"),
    CheckConstraint(_one_of("channel", Channel), name="channel"),
)

# With what links in mails are signed.
mail_key = Table(
    "mail_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
    CheckConstraint(f"id = {THE_ONE}", name="one_row"),
)
