"""Writes about what was deleted elsewhere before, or after, we had it: a late Create finds it here (attack S41)."""

from datetime import timedelta

from sqlalchemy import delete, func, insert, select

from fedaid.board import queries
from fedaid.board.rules import TOMBSTONE_DAYS, TOMBSTONES_OF_ONE_MAX
from fedaid.board.tables import listing_tombstone
from fedaid.foundation.names import origin_of
from fedaid.foundation.work import Work


def bury(work: Work, owner: str, uri: str) -> None:
    """Remember that its owner deleted this; nothing is remembered of things of other servers, nor without bound."""
    table = listing_tombstone.c
    theirs = select(func.count()).select_from(listing_tombstone).where(table.owner == owner)
    if origin_of(owner) != origin_of(uri) or queries.is_deleted(work.connection, uri):
        return
    if work.connection.execute(theirs).scalar_one() < TOMBSTONES_OF_ONE_MAX:
        row = {"uri": uri, "owner": owner, "deleted_at": work.now}
        work.connection.execute(insert(listing_tombstone).values(row))


def forget_tombstones(work: Work) -> int:
    """Forget those so old that no server still tries to deliver what they are about; how many."""
    old = listing_tombstone.c.deleted_at <= work.now - timedelta(days=TOMBSTONE_DAYS)
    return work.connection.execute(delete(listing_tombstone).where(old)).rowcount
