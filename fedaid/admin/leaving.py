"""Somebody leaves the neighbourhood: what is done in which order, so that the last word goes out last."""

from fedaid.actors.leaving import leave
from fedaid.board import commands as board
from fedaid.foundation.refused import NotFound
from fedaid.foundation.work import Work
from fedaid.matching import commands as matching
from fedaid.members import commands as members
from fedaid.members import queries
from fedaid.skills import commands as skills


def remove_member(work: Work, handle: str) -> None:
    """A member is no more: their things leave the board, their account is emptied, other servers are told.

    Raises NotFound when there is no such member.
    """
    found = queries.by_handle(work.connection, handle)
    if found is None:
        raise NotFound(f"There is no member {handle}.")
    board.clear_out(work, queries.viewer_of(found))
    matching.clear_out(work, found.id)
    skills.clear_out(work, found.id)
    members.close_account(work, found.id)
    leave(work, found.actor)
