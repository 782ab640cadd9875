"""The one table of the inbox: letters as they came in, and how far each has got."""

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class State(StrEnum):
    """How far a letter has got. All but ``new`` are ends; an admin may send ``failed`` back to ``new``."""

    NEW = "new"
    DONE = "done"
    IGNORED = "ignored"  # nobody here takes such letters
    REFUSED = "refused"  # it broke a rule; ``code`` and ``sentence`` say which
    FAILED = "failed"  # our own fault, every try; ``sentence`` is for the admin


IS_NEW = text("state = 'new'")  # spelled out, as the databases use a partial index only for the same words

inbox_letter = Table(
    "inbox_letter",
    metadata,
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    # UNIQUE is what makes a replay a no-op (attack S24); the gate lets an actor use ids of its own host only.
    Column("activity_id", Text, nullable=False, unique=True),
    Column("sender", Text, nullable=False),
    Column("host", Text, nullable=False),  # of the sender, with the port where it is not the scheme's own
    Column("type", Text, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # as received: proofs and digests are over these bytes
    Column("key_id", Text, nullable=False),
    Column("proof", Text, nullable=False),
    Column("signed_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False, default=State.NEW.value),
    Column("code", Text, nullable=False, default=""),
    Column("sentence", Text, nullable=False, default=""),
    Column("tries", Integer, nullable=False, default=0),
    Column("next_try_ms", BigInteger, nullable=False, default=0),
    Column("lease_until_ms", BigInteger, nullable=False, default=0),
    Column("lease_by", Text, nullable=False, default=""),
    CheckConstraint("state IN ('new', 'done', 'ignored', 'refused', 'failed')", name="state"),
    Index("ix_inbox_letter_due", "n", sqlite_where=IS_NEW, postgresql_where=IS_NEW),
    Index("ix_inbox_letter_lease", "lease_until_ms", sqlite_where=IS_NEW, postgresql_where=IS_NEW),
    Index("ix_inbox_letter_state", "state", "n"),
)
