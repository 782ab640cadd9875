"""Writes about what stands beside a listing: where to meet, a photo, and what a member has begun to write."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import orjson
from sqlalchemy import delete, insert, update

from fedaid.board.limits import BoardLimits
from fedaid.board.rules import ALT_CHARACTERS_MAX, Kind, Posting
from fedaid.board.tables import listing_draft, listing_meeting, listing_photo, listing_photo_kept
from fedaid.foundation.refused import NotAllowed, Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work


@dataclass(frozen=True)
class NewPhoto:
    """A photo that was made small and harmless (``media.rules``); ``alt`` is what it shows, in words."""

    body: bytes
    width: int
    height: int
    alt: str


def keep_meeting(work: Work, listing_id: int, posting: Posting) -> None:
    """From now on this is the exact place and how to reach its author, for those who may know."""
    forget_meeting(work, listing_id)
    if posting.exact_place or posting.contact:
        row = {"listing_id": listing_id, "exact_place": posting.exact_place, "contact": posting.contact}
        work.connection.execute(insert(listing_meeting).values(row))


def forget_meeting(work: Work, listing_id: int) -> None:
    """Nobody meets there any more."""
    work.connection.execute(delete(listing_meeting).where(listing_meeting.c.listing_id == listing_id))


def checked_alt(alt: str) -> str:
    """What a photo shows, in words. Raises Refused when it is missing or too long."""
    words = one_line(alt)
    if not words:
        raise Refused("alt_missing", "Please say in a few words what the photo shows, for those who do not see it.")
    if len(words) > ALT_CHARACTERS_MAX:
        raise Refused(
            "alt_length", said("What a photo shows is said in at most %(count)s characters.", count=ALT_CHARACTERS_MAX)
        )
    return words


def keep_photo(work: Work, listing_id: int, photo: NewPhoto) -> None:
    """This is the photo of a listing now. Raises Refused when it is not said what it shows."""
    alt = checked_alt(photo.alt)
    forget_photo(work, listing_id)
    row = {"listing_id": listing_id, "alt": alt, "width": photo.width, "height": photo.height, "body": photo.body}
    work.connection.execute(insert(listing_photo).values(row))


def say_alt(work: Work, listing_id: int, alt: str) -> None:
    """What the photo of a listing shows is said in other words. Raises Refused."""
    words = checked_alt(alt)
    same = listing_photo.c.listing_id == listing_id
    work.connection.execute(update(listing_photo).where(same).values(alt=words))


def forget_photo(work: Work, listing_id: int) -> None:
    """The listing has no photo any more."""
    work.connection.execute(delete(listing_photo).where(listing_photo.c.listing_id == listing_id))


def keep_for_the_change(work: Work, listing_id: int, photo: bytes) -> None:
    """A change with this photo was refused: the photo waits for the change to be kept."""
    forget_for_the_change(work, listing_id)
    row = {"listing_id": listing_id, "body": photo, "kept_at": work.now}
    work.connection.execute(insert(listing_photo_kept).values(row))


def forget_for_the_change(work: Work, listing_id: int) -> None:
    """No photo waits for a change of this listing any more; harmless when none does."""
    work.connection.execute(delete(listing_photo_kept).where(listing_photo_kept.c.listing_id == listing_id))


def forget_waiting_photos(work: Work, limits: BoardLimits) -> int:
    """Forget photos of changes that nobody came back to; how many. A chore of the house."""
    old = listing_photo_kept.c.kept_at <= work.now - timedelta(days=limits.photo_waits_days)
    return work.connection.execute(delete(listing_photo_kept).where(old)).rowcount


def save_draft(work: Work, who: Viewer, kind: Kind, typed: Mapping[str, str], photo: bytes | None) -> None:
    """Keep what a member has begun to write, in the place of what they had begun before."""
    if who.member_id is None:
        raise NotAllowed
    forget_draft(work, who, kind)
    row = {"member_id": who.member_id, "kind": kind, "typed": orjson.dumps(dict(typed)).decode(), "photo": photo}
    work.connection.execute(insert(listing_draft).values({**row, "saved_at": work.now}))


def forget_draft(work: Work, who: Viewer, kind: Kind) -> None:
    """What they had begun to write of this kind is thrown away, or posted; harmless when there is none."""
    mine = (listing_draft.c.member_id == who.member_id) & (listing_draft.c.kind == kind)
    work.connection.execute(delete(listing_draft).where(mine))
