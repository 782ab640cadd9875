"""The kept pictures: looked up, stored, and let go when they are old or too many."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from fedaid.foundation.work import Work
from fedaid.media.limits import MediaLimits
from fedaid.media.tables import picture_file

USED_AFTER: Final = timedelta(hours=1)  # a look is written down at most this often
TIDIED_AT_ONCE_MAX: Final = 500


@dataclass(frozen=True)
class Kept:
    """A picture in the cache; ``failure`` says why there is none. ``is_read_again`` asks to note that it is used."""

    body: bytes
    failure: str
    is_read_again: bool


def key_of(url: str, side_pixels_max: int) -> str:
    """What a picture of this address, in this size, is kept under."""
    return hashlib.sha256(f"{side_pixels_max} {url}".encode()).hexdigest()


def find(connection: Connection, key: str, now: datetime, limits: MediaLimits) -> Kept | None:
    """The picture if it is kept and not too old; one that could not be had is remembered for a shorter time."""
    row = connection.execute(select(picture_file).where(picture_file.c.key == key)).one_or_none()
    if row is None:
        return None
    stays = timedelta(seconds=limits.failed_seconds) if row.failure else timedelta(days=limits.keep_days)
    if row.fetched_at + stays <= now:
        return None
    return Kept(row.body, row.failure, now - row.used_at > USED_AFTER)


def keep(work: Work, key: str, body: bytes, failure: str = "") -> None:
    """Store a picture, or why there is none, in the place of what was there."""
    work.connection.execute(delete(picture_file).where(picture_file.c.key == key))
    row = {"key": key, "body": body, "size_bytes": len(body), "failure": failure}
    work.connection.execute(insert(picture_file).values({**row, "fetched_at": work.now, "used_at": work.now}))


def note_use(work: Work, key: str) -> None:
    """Somebody looked at it, so it goes later."""
    work.connection.execute(update(picture_file).where(picture_file.c.key == key).values(used_at=work.now))


def tidy(work: Work, limits: MediaLimits) -> int:
    """Let go what is old, and beyond the maximum what nobody looked at for longest; how many went."""
    table = picture_file.c
    old = work.now - timedelta(days=limits.keep_days)
    gone = work.connection.execute(delete(picture_file).where(table.fetched_at <= old)).rowcount
    kept = work.connection.execute(select(func.coalesce(func.sum(table.size_bytes), 0))).scalar_one()
    oldest = select(table.key, table.size_bytes).order_by(table.used_at, table.key).limit(TIDIED_AT_ONCE_MAX)
    over: list[str] = []
    for row in work.connection.execute(oldest).all():
        if kept <= limits.cache_bytes_max:
            break
        over.append(row.key)
        kept -= row.size_bytes
    if over:
        gone += work.connection.execute(delete(picture_file).where(table.key.in_(over))).rowcount
    return gone
