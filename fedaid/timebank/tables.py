"""The books: accounts, transfers, the sealed journal of postings, the signed messages, and what peers agreed on."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    text,
    true,
)

from fedaid.actors.rules import HOST_CHARACTERS_MAX
from fedaid.actors.tables import URI_CHARACTERS_MAX
from fedaid.foundation.append_only import only_add_to
from fedaid.foundation.database import UtcDateTime, metadata
from fedaid.timebank.rules.books import MINUTES_MAX

DIGEST_CHARACTERS = len("sha256:") + 64
HEAD = 1  # the only row of ledger_head
XOR_CHARACTERS = 64
NOTHING_XOR = "0" * XOR_CHARACTERS

# The one lock of every ledger transaction, and the heads of the two append-only tables.
ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(DIGEST_CHARACTERS), nullable=False),
    Column("facts", BigInteger, nullable=False),
    CheckConstraint(f"id = {HEAD}", name="one_row"),
)

# Another network's ledger. Both sides' figures are minutes: ``line`` is the most they may owe us,
# ``line_granted`` the most we may owe them.
peer = Table(
    "peer",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("host", String(HOST_CHARACTERS_MAX), nullable=False, unique=True),
    Column("origin", String(URI_CHARACTERS_MAX), nullable=False),
    Column("actor", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("status", String(10), nullable=False),
    Column("number", BigInteger, nullable=False),  # of the handshake under way or done, in the names of its messages
    Column("key_id", String(URI_CHARACTERS_MAX), nullable=False),
    Column("key_multibase", Text, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("line_granted", BigInteger, nullable=False),
    Column("max_transfer", Integer, nullable=False),
    Column("offer_lifetime_days", Integer, nullable=False),
    Column("terms_digest", String(DIGEST_CHARACTERS)),
    Column("our_proposal", Text),
    Column("their_proposal", Text),
    Column("out_seq", BigInteger, nullable=False),
    Column("out_hash", String(DIGEST_CHARACTERS), nullable=False),
    Column("in_seq", BigInteger, nullable=False),
    Column("in_hash", String(DIGEST_CHARACTERS), nullable=False),
    Column("messages", BigInteger, nullable=False, server_default=text("0")),  # how many are known, of both sides
    Column("messages_xor", String(XOR_CHARACTERS), nullable=False, server_default=NOTHING_XOR),  # of their SHA-256
    Column("messages_day", Integer, nullable=False, server_default=text("0")),  # days since 1970, of the count beside
    Column("messages_taken", Integer, nullable=False, server_default=text("0")),  # of theirs, on that day
    # Their copy of our common messages is to be read when it was asked for more often than done.
    Column("sync_asked", BigInteger, nullable=False, server_default=text("0")),
    Column("sync_done", BigInteger, nullable=False, server_default=text("0")),
    Column("sync_after", BigInteger, nullable=False, server_default=text("0")),  # how far their copy has been read
    Column("sync_whole", Boolean, nullable=False, server_default=true()),  # this reading began at the first message
    Column("sync_tries", Integer, nullable=False, server_default=text("0")),
    Column("sync_next", UtcDateTime),  # not to be tried before
    Column("synced_at", UtcDateTime),
    Column("statement_at", UtcDateTime),  # when one was last made, or found unnecessary
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint(
        "status IN ('proposed', 'asked', 'active', 'suspended', 'closing', 'closed', 'lost')", name="status"
    ),
    CheckConstraint("line >= 0 AND line_granted >= 0 AND max_transfer > 0", name="figures"),
)

# Every agreement that was ever in force, signed: old messages quote old terms.
peer_terms = Table(
    "peer_terms",
    metadata,
    Column("digest", String(DIGEST_CHARACTERS), primary_key=True),
    Column("peer_id", BigInteger, ForeignKey(peer.c.id), nullable=False, index=True),
    Column("doc", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# Every key that messages of a peer's ledger may be signed with: the pinned one, and those before it.
peer_key = Table(
    "peer_key",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("peer_id", BigInteger, ForeignKey(peer.c.id), nullable=False, index=True),
    Column("key_id", String(URI_CHARACTERS_MAX), nullable=False),
    Column("multibase", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

# The public halves of our own ledger's keys that were replaced: what they signed stays signed.
retired_key = Table(
    "retired_key",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", String(URI_CHARACTERS_MAX), nullable=False),
    Column("multibase", Text, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

# Balance is minutes given less minutes received; of ``clearing``, what we owe the peer. ``held`` is promised.
account = Table(
    "account",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),
    Column("actor", String(URI_CHARACTERS_MAX), unique=True),
    Column("peer_id", BigInteger, ForeignKey(peer.c.id), unique=True),
    Column("status", String(10), nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False),
    Column("ceiling", BigInteger),
    Column("last_seq", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("confirms_agreed", Boolean, nullable=False, server_default=false()),  # claims up to what was agreed
    Column("takes_payments", Boolean, nullable=False, server_default=true()),  # from neighbours, without being asked
    Column("left_at", UtcDateTime),  # its owner has left; what remains goes to the chest
    Column("hides_balance", Boolean, nullable=False, server_default=false()),  # from other members
    Column("by_coordinator", Boolean, nullable=False, server_default=false()),  # coordinators enter for them
    CheckConstraint("kind IN ('member', 'group', 'chest', 'clearing')", name="kind"),
    CheckConstraint("status IN ('open', 'frozen', 'closed')", name="status"),
    CheckConstraint("held >= 0", name="held"),
    CheckConstraint("floor <= 0", name="floor"),
    CheckConstraint("(kind = 'clearing') = (peer_id IS NOT NULL)", name="clearing_has_peer"),
    CheckConstraint("(kind IN ('member', 'group')) = (actor IS NOT NULL)", name="people_have_actor"),
    CheckConstraint("status <> 'closed' OR (balance = 0 AND held = 0)", name="closed_is_even"),
)
_IS_CHEST = account.c.kind == "chest"
Index("uq_account_chest", account.c.kind, unique=True, sqlite_where=_IS_CHEST, postgresql_where=_IS_CHEST)

# ``kind``: out is paid by us to a peer's member, in the other way round. ``state`` is a copy of what the facts say.
transfer = Table(
    "transfer",
    metadata,
    Column("id", String(URI_CHARACTERS_MAX), primary_key=True),
    Column("kind", String(5), nullable=False),
    Column("debit", BigInteger, ForeignKey(account.c.id), nullable=False),
    Column("credit", BigInteger, ForeignKey(account.c.id), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("peer_id", BigInteger, ForeignKey(peer.c.id)),
    Column("remote_actor", String(URI_CHARACTERS_MAX)),
    Column("offer_digest", String(DIGEST_CHARACTERS)),
    Column("state", String(16), nullable=False),
    Column("mark", String(10)),
    Column("held", Boolean, nullable=False),
    Column("reverses", String(URI_CHARACTERS_MAX), ForeignKey("transfer.id")),
    Column("engagement", String(URI_CHARACTERS_MAX)),
    Column("proposal", String(URI_CHARACTERS_MAX)),
    Column("reason", String(40)),  # why it was refused, one word
    Column("end_time", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint("kind IN ('local', 'out', 'in')", name="kind"),
    CheckConstraint(f"minutes BETWEEN 1 AND {MINUTES_MAX}", name="minutes"),
    CheckConstraint("debit <> credit", name="two_accounts"),
    CheckConstraint("(kind = 'local') = (peer_id IS NULL)", name="local_has_no_peer"),
    CheckConstraint("(kind = 'local') = (remote_actor IS NULL)", name="local_has_no_stranger"),
    Index("ix_transfer_debit", "debit", "created_at"),
    Index("ix_transfer_credit", "credit", "created_at"),
    Index("ix_transfer_state", "state", "end_time"),
)
# At most one settlement per engagement. One that was refused or given up may be claimed again.
STANDS = and_(
    transfer.c.engagement.is_not(None),
    transfer.c.state.not_in(("rejected", "void", "abandoned", "disputed", "refused", "withdrawn")),
)
Index(
    "uq_transfer_engagement",
    transfer.c.engagement,
    unique=True,
    sqlite_where=STANDS,
    postgresql_where=STANDS,
)

posting = Table(
    "posting",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("transfer_id", String(URI_CHARACTERS_MAX), ForeignKey(transfer.c.id), nullable=False, unique=True),
    Column("debit", BigInteger, ForeignKey(account.c.id), nullable=False, index=True),
    Column("credit", BigInteger, ForeignKey(account.c.id), nullable=False, index=True),
    Column("minutes", Integer, nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("evidence", String(DIGEST_CHARACTERS), nullable=False),
    Column("prev", String(DIGEST_CHARACTERS), nullable=False),
    Column("hash", String(DIGEST_CHARACTERS), nullable=False, unique=True),
    CheckConstraint(f"minutes BETWEEN 1 AND {MINUTES_MAX}", name="minutes"),
    CheckConstraint("debit <> credit", name="two_accounts"),
)

# Signed messages, ours and theirs; transfer_id is what they are about. ``counts`` is false for a second, different
# one where only one can count.
fact = Table(
    "fact",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("peer_id", BigInteger, ForeignKey(peer.c.id), nullable=False),
    Column("transfer_id", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("ours", Boolean, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("digest", String(DIGEST_CHARACTERS), nullable=False, unique=True),
    Column("doc", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("counts", Boolean, nullable=False),
    CheckConstraint(
        "kind IN ('invite', 'offer', 'undo', 'accept', 'reject', 'reject_invite', 'receipt', "
        "'statement', 'countersigned', 'differs', 'new_key')",
        name="kind",
    ),
    Index("ix_fact_place", "peer_id", "ours", "seq"),
    Index("ix_fact_peer_id", "peer_id", "n"),
)
_COUNTS = text("counts")  # spelled so that both databases read it
Index(
    "uq_fact_counts",
    fact.c.peer_id,
    fact.c.transfer_id,
    fact.c.kind,
    unique=True,
    sqlite_where=_COUNTS,
    postgresql_where=_COUNTS,
)

# Messages of ours that want an answer, sent again until it has come.
resend = Table(
    "resend",
    metadata,
    Column("fact_n", BigInteger, ForeignKey(fact.c.n), primary_key=True, autoincrement=False),
    Column("peer_id", BigInteger, ForeignKey(peer.c.id), nullable=False),
    Column("transfer_id", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("next_try", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("acked_at", UtcDateTime),
)
_UNANSWERED = resend.c.acked_at.is_(None)
Index("ix_resend_due", resend.c.next_try, sqlite_where=_UNANSWERED, postgresql_where=_UNANSWERED)

# A statement of what is owed. ``opening`` and ``closing`` are what we owe the peer; ``doc`` is the signed Offer of it.
statement = Table(
    "statement",
    metadata,
    Column("peer_id", BigInteger, ForeignKey(peer.c.id), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("opening", BigInteger, nullable=False),
    Column("closing", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
    Column("countersigned", Text),
    Column("differs", Text),  # the signed Reject, where the other side does not agree
    Column("digest", String(DIGEST_CHARACTERS), nullable=False, server_default=text("''")),
)

statement_line = Table(
    "statement_line",
    metadata,
    Column("peer_id", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("transfer_id", String(URI_CHARACTERS_MAX), ForeignKey(transfer.c.id), primary_key=True),
    UniqueConstraint("transfer_id"),
)

# What members decided and what letters asked us to decide while we could not know whether we had forgotten something:
# carried out once the peer has shown us our common messages. ``name`` makes each of them stand here once.
waiting_step = Table(
    "waiting_step",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("peer_id", BigInteger, ForeignKey(peer.c.id), nullable=False, index=True),
    Column("name", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("transfer_id", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("doc", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# What an admin has to look at, until somebody has.
alarm = Table(
    "ledger_alarm",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("peer_id", BigInteger, ForeignKey(peer.c.id), nullable=False),
    Column("transfer_id", String(URI_CHARACTERS_MAX)),
    Column("alarm", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime),
    Index("ix_ledger_alarm_seen_at", "seen_at", "n"),
)

# Words of members, and the salt of the digest by which a signed message speaks of them: both can be erased.
note = Table(
    "note",
    metadata,
    Column("transfer_id", String(URI_CHARACTERS_MAX), ForeignKey(transfer.c.id), primary_key=True),
    Column("salt", String(64), nullable=False),
    Column("text", Text, nullable=False),
)

# What else is to be shown with a transfer: who entered it for somebody, and which earlier one it corrects. Also of
# one that still waits for another network to answer, and so has no row of its own yet.
entry = Table(
    "transfer_entry",
    metadata,
    Column("transfer_id", String(URI_CHARACTERS_MAX), primary_key=True),
    Column("entered_by", String(URI_CHARACTERS_MAX)),
    Column("corrects", String(URI_CHARACTERS_MAX), index=True),
    Column("at", UtcDateTime, nullable=False),
)

# Somebody who has to confirm hours asks first; words of members, which never leave this network.
question = Table(
    "hours_question",
    metadata,
    Column("transfer_id", String(URI_CHARACTERS_MAX), ForeignKey(transfer.c.id), primary_key=True),
    Column("asked_by", String(URI_CHARACTERS_MAX), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("answer", Text, nullable=False, server_default=text("''")),
    Column("answered_by", String(URI_CHARACTERS_MAX)),
)

# Who may give hours from the account of a group or an organisation, besides its coordinators.
spender = Table(
    "spender",
    metadata,
    Column("account_id", BigInteger, ForeignKey(account.c.id), primary_key=True),
    Column("actor", String(URI_CHARACTERS_MAX), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Index("ix_spender_actor", "actor"),
)

APPEND_ONLY = (posting, fact)


for _table in APPEND_ONLY:
    only_add_to(_table)
