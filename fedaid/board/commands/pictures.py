"""Writes about the pictures and emoji of what came from elsewhere: where they are, not what is in them."""

from collections.abc import Sequence

from sqlalchemy import delete, insert

from fedaid.board.rules import Picture
from fedaid.board.tables import picture
from fedaid.foundation.work import Work


def keep_pictures(work: Work, owner_uri: str, pictures: Sequence[Picture]) -> None:
    """These are the pictures of the listing or Note with this id now, in this order, and no others."""
    forget_pictures(work, [owner_uri])
    for one in pictures:
        row = {"id": work.new_id(), "owner_uri": owner_uri, "url": one.url, "alt": one.alt, "emoji": one.is_emoji}
        work.connection.execute(insert(picture).values(row))


def forget_pictures(work: Work, owner_uris: Sequence[str]) -> None:
    """The listings or Notes with these ids have none any more."""
    work.connection.execute(delete(picture).where(picture.c.owner_uri.in_(owner_uris)))
