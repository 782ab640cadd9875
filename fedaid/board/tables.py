"""The rows of the board; listings of here and of neighbouring boards stand in one table, so one query reads both."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from fedaid.board.rules import (
    Kind,
    ListingState,
    MatchState,
    Mode,
    ReactionKind,
    ResponseForm,
    ResponseState,
    ReviewState,
)
from fedaid.foundation import full_text
from fedaid.foundation.database import UtcDateTime, metadata

URI_CHARACTERS_MAX = 2048
EMOJI_CHARACTERS_MAX = 64


def _one_of(
    column: str,
    values: type[Kind | Mode | ListingState | ResponseState | ResponseForm | MatchState | ReactionKind | ReviewState],
) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


# Rows are never removed, as listings name them; one that is retired is only not offered any more.
category = Table(
    "category",
    metadata,
    Column("slug", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("retired_at", UtcDateTime),
)

# author_actor is the author on the wire: the board, unless somebody posted under their own name.
# member_actor and author_member_id are ours only and never leave in a listing by its board; a listing that somebody
# elsewhere asked us to post has them as member_actor, and as author_member_id the coordinator who looks after it.
# primary_uri and reciprocal_uri are what an Agreement satisfies. form_key is of what was typed into a form, which may
# be sent twice. Rows are never removed: a deleted neighbour's listing must not come back (attack S41).
listing = Table(
    "listing",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uri", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("board_actor", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("author_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("author_member_id", BigInteger, ForeignKey("member.id"), index=True),
    Column("member_actor", String(URI_CHARACTERS_MAX)),
    Column("form_key", String(36)),
    Column("host", String(255), nullable=False),
    Column("page", Text, nullable=False),
    Column("local", Boolean, nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("content_html", Text, nullable=False),
    Column("warning", Text, nullable=False, server_default=text("''")),
    Column("category", String(40), nullable=False),
    Column("starts_at", UtcDateTime),
    Column("ends_at", UtcDateTime),
    Column("time_zone", String(64), nullable=False),
    Column("place", Text, nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("radius_m", Integer),
    Column("minutes", Integer),
    Column("people", Integer, nullable=False),
    Column("mode", String(10), nullable=False),
    Column("primary_uri", Text, nullable=False),
    Column("reciprocal_uri", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("published_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Column("rhythm", String(20), nullable=False, server_default=text("'once'")),
    Column("visibility", String(20), nullable=False, server_default=text("'everybody'")),
    CheckConstraint(_one_of("kind", Kind), name="kind"),
    CheckConstraint(_one_of("mode", Mode), name="mode"),
    CheckConstraint(_one_of("state", ListingState), name="state"),
    CheckConstraint("minutes IS NULL OR minutes > 0", name="minutes"),
    CheckConstraint("NOT local OR (author_member_id IS NOT NULL AND member_actor IS NOT NULL)", name="has_author"),
    UniqueConstraint("author_member_id", "form_key"),
    Index("ix_listing_state_id", "state", "id"),
    Index("ix_listing_local_host", "local", "host"),  # pages ask from which hosts there is anything at all
    Index("ix_listing_lat_lon", "lat", "lon"),
    Index("ix_listing_kind_state_id", "kind", "state", "id"),
    Index("ix_listing_category_state_id", "category", "state", "id"),
)

# That the author of a listing was told that it ends, and of which end: of another one they are told anew.
listing_warning = Table(
    "listing_warning",
    metadata,
    Column("listing_id", BigInteger, ForeignKey("listing.id"), primary_key=True, autoincrement=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

# What is searched of a listing (words.searched), whoever may see it; it is the listing's own row that says who may.
listing_search = Table(
    "listing_search",
    metadata,
    Column("listing_id", BigInteger, ForeignKey("listing.id"), primary_key=True, autoincrement=False),
    Column("words", Text, nullable=False),
)
full_text.index(listing_search, "words")

# What only the author and those they accepted learn. It stands apart from the listing, so that nothing that is made
# of a listing can hold it.
listing_meeting = Table(
    "listing_meeting",
    metadata,
    Column("listing_id", BigInteger, ForeignKey("listing.id"), primary_key=True, autoincrement=False),
    Column("exact_place", Text, nullable=False),
    Column("contact", Text, nullable=False),
)

# Our members' own photos, made small and without what a camera writes into them; at most one of a listing.
listing_photo = Table(
    "listing_photo",
    metadata,
    Column("listing_id", BigInteger, ForeignKey("listing.id"), primary_key=True, autoincrement=False),
    Column("alt", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# A photo that was chosen in a change of a listing which was refused: it waits for the change to be kept.
listing_photo_kept = Table(
    "listing_photo_kept",
    metadata,
    Column("listing_id", BigInteger, ForeignKey("listing.id"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
)

# What a member has begun to write, one of each kind. typed: the fields of the form as JSON.
listing_draft = Table(
    "listing_draft",
    metadata,
    Column("member_id", BigInteger, ForeignKey("member.id"), primary_key=True, autoincrement=False),
    Column("kind", String(10), primary_key=True),
    Column("typed", Text, nullable=False),
    Column("photo", LargeBinary),
    Column("saved_at", UtcDateTime, nullable=False),
    CheckConstraint(_one_of("kind", Kind), name="kind"),
)

# A listing that waits for a coordinator's look before it stands on the board of a group; it is a draft meanwhile.
listing_review = Table(
    "listing_review",
    metadata,
    Column("listing_id", BigInteger, ForeignKey("listing.id"), primary_key=True, autoincrement=False),
    Column("board_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("state", String(20), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("decided_by", BigInteger, ForeignKey("member.id")),
    Column("decided_at", UtcDateTime),
    CheckConstraint(_one_of("state", ReviewState), name="state"),
    Index("ix_listing_review_board_actor_state", "board_actor", "state"),
)

# Ids of listings and Notes that their authors deleted, also before we had seen them (attack S41); a late Create finds
# them here.
listing_tombstone = Table(
    "listing_tombstone",
    metadata,
    Column("uri", String(URI_CHARACTERS_MAX), primary_key=True),
    Column("owner", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("deleted_at", UtcDateTime, nullable=False),
)

# uri is the id of the Offer, or of the Note of somebody who just replied. asked_actor is whom we asked, for responses
# of ours: only they may answer (attack S43). public: it is a reply that anybody may read at its own server.
# told_uri: the Note that told somebody elsewhere of it, who asked us to post the listing.
response = Table(
    "response",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uri", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("listing_id", BigInteger, ForeignKey("listing.id"), nullable=False),
    Column("helper_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("helper_member_id", BigInteger, ForeignKey("member.id"), index=True),
    Column("helper_name", Text, nullable=False),
    Column("asked_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("form", String(10), nullable=False),
    Column("message", Text, nullable=False),
    Column("warning", Text, nullable=False, server_default=text("''")),
    Column("public", Boolean, nullable=False, server_default=false()),
    Column("told_uri", String(URI_CHARACTERS_MAX), index=True),
    Column("minutes", Integer),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    CheckConstraint(_one_of("form", ResponseForm), name="form"),
    CheckConstraint(_one_of("state", ResponseState), name="state"),
    Index("ix_response_listing_id_state", "listing_id", "state"),
)

help_match = Table(
    "help_match",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("agreement_uri", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("listing_id", BigInteger, ForeignKey("listing.id"), nullable=False, index=True),
    Column("response_id", BigInteger, ForeignKey("response.id"), nullable=False, unique=True),
    Column("provider", String(URI_CHARACTERS_MAX), nullable=False),
    Column("receiver", String(URI_CHARACTERS_MAX), nullable=False),
    Column("minutes", Integer),
    Column("state", String(20), nullable=False),
    Column("accepted_at", UtcDateTime, nullable=False),
    Column("hours_logged_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    CheckConstraint(_one_of("state", MatchState), name="state"),
    Index("ix_help_match_provider", "provider"),
    Index("ix_help_match_receiver", "receiver"),
)

# What the two sides of a response write to each other after it. uri is the id of the Note where it travelled.
# is_thanks: whoever was helped thanked with it.
remark = Table(
    "remark",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uri", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("response_id", BigInteger, ForeignKey("response.id"), nullable=False, index=True),
    Column("author_actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("text", Text, nullable=False),
    Column("warning", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("is_thanks", Boolean, nullable=False, server_default=false()),
)

# What people elsewhere pressed below a listing of ours. Kept for its author, shown and counted nowhere in public.
reaction = Table(
    "reaction",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uri", String(URI_CHARACTERS_MAX), nullable=False, unique=True),
    Column("listing_id", BigInteger, ForeignKey("listing.id"), nullable=False),
    Column("actor", String(URI_CHARACTERS_MAX), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("emoji", String(EMOJI_CHARACTERS_MAX), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("listing_id", "actor", "kind", "emoji"),
    CheckConstraint(_one_of("kind", ReactionKind), name="kind"),
)

# Pictures and emoji of what came from elsewhere; owner_uri is the id of the listing or Note they belong to. The files
# are kept by the media room, and only once somebody looked.
picture = Table(
    "picture",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner_uri", String(URI_CHARACTERS_MAX), nullable=False, index=True),
    Column("url", String(URI_CHARACTERS_MAX), nullable=False),
    Column("alt", Text, nullable=False),
    Column("emoji", Boolean, nullable=False),
)
