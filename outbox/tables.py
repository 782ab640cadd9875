"""The tables of the outgoing mail room: what was said, to whom it still has to be said, and how each host is doing."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

# Names make constraints droppable on both databases (Alembic's batch mode needs them).
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only in an INTEGER

WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"
AWAKE, ASLEEP = "awake", "asleep"

# The number of an activity is its place in the order in which things were said.
activity = Table(
    "outbox_activity",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("activity_id", Text, nullable=False, unique=True),
    Column("actor", Text, nullable=False),
    Column("type", String(64), nullable=False),
    Column("object_id", Text),
    Column("body", Text, nullable=False),  # exactly the bytes that are sent, signed and served, as UTF-8 text
    Column("public", Boolean, nullable=False),
    Column("recipients", Text, nullable=False),  # a JSON list of actor ids
    Column("followers_of", Text),  # and the followers this actor has at the time of the fan-out
    Column("and_followers_of", Text),  # and those of this one
    Column("keep_trying", Boolean, nullable=False),
    Column("fanned_out", Boolean, nullable=False, server_default=false()),
    Column("created_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # a number is never used twice, so the order stays true
)
Index(
    "ix_outbox_activity_not_fanned_out",
    activity.c.id,
    sqlite_where=activity.c.fanned_out.is_(False),
    postgresql_where=activity.c.fanned_out.is_(False),
)
Index(None, activity.c.actor, activity.c.public, activity.c.id)
Index(None, activity.c.object_id)

# One activity to one inbox.
delivery = Table(
    "outbox_delivery",
    metadata,
    Column("n", _Number, primary_key=True),
    Column("activity", _Number, ForeignKey(activity.c.id), nullable=False),
    Column("host", String(260), nullable=False),  # with the port where it is not the scheme's own
    Column("inbox", Text, nullable=False),
    Column("unmet", Text),  # an actor whose inbox is not known yet; ``inbox`` then holds this actor's id
    Column("actor", Text, nullable=False),  # the sender, who signs
    Column("keep_trying", Boolean, nullable=False),
    Column("state", String(16), nullable=False, server_default=WAITING),
    Column("holds", Boolean, nullable=False, server_default=true()),  # whether later ones to this host wait for it
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("next_try_ms", BigInteger, nullable=False),
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("delivered_ms", BigInteger),
    UniqueConstraint("activity", "inbox"),
    CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
    sqlite_autoincrement=True,
)
Index(None, delivery.c.host, delivery.c.state, delivery.c.activity)

# One queue per host. Whoever holds its lease is the only one that sends to it.
host = Table(
    "outbox_host",
    metadata,
    Column("host", String(260), primary_key=True),
    Column("state", String(16), nullable=False, server_default=AWAKE),
    Column("dialect", String(16)),  # of signatures, the one that was accepted last
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row
    Column("unreachable", Boolean, nullable=False, server_default=false()),  # the last try got no answer at all
    Column("last_success_ms", BigInteger),
    Column("last_failure_ms", BigInteger),
    Column("last_error", Text),
    Column("asleep_since_ms", BigInteger),
    Column("quiet_until_ms", BigInteger, nullable=False, server_default=text("0")),  # nothing is sent before this
    Column("due_ms", BigInteger),  # when there is next something to send; empty when nothing waits
    Column("lease_by", String(64)),
    Column("lease_until_ms", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("state IN ('awake', 'asleep')", name="state"),
)
Index(None, host.c.due_ms)
