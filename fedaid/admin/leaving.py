"""Somebody leaves the neighbourhood: what is done in which order, so that the last word goes out last."""

from fedaid.actors.leaving import leave
from fedaid.board import commands as board
from fedaid.foundation.refused import NotFound
from fedaid.foundation.said import said
from fedaid.foundation.work import Work
from fedaid.groups import commands as groups
from fedaid.matching import commands as matching
from fedaid.members import commands as members
from fedaid.members import queries
from fedaid.notices import commands as notices
from fedaid.skills import commands as skills
from fedaid.timebank import commands as timebank
from fedaid.timebank.limits import TimebankLimits


def remove_member(work: Work, handle: str, limits: TimebankLimits) -> None:
    """A member is no more: their things leave the board, their hours go to the chest, other servers are told.

    What waits for another network is still decided; until then their account is frozen. Raises NotFound when there is
    no such member.
    """
    found = queries.by_handle(work.connection, handle)
    if found is None:
        raise NotFound(said("There is no member %(handle)s.", handle=handle))
    board.clear_out(work, queries.viewer_of(found))
    timebank.leave(work, limits, found.actor)
    groups.leave_all(work, found.id)
    matching.clear_out(work, found.id)
    skills.clear_out(work, found.id)
    notices.clear_out(work, found.id)
    members.close_account(work, found.id)
    leave(work, found.actor)
