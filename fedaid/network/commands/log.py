"""Writes the moderators' log: what was decided about whom, by whom and why; a line never changes and never goes."""

from enum import StrEnum

from sqlalchemy import insert

from fedaid.foundation.work import Work
from fedaid.network.rules.restrictions import Severity
from fedaid.network.tables import moderation_entry


class Decision(StrEnum):
    """What a moderator can decide."""

    BLOCK = "block"
    LIMIT = "limit"
    RESTRICT = "restrict"  # neither: no media, no reports
    LIFT = "lift"
    IMPORT = "import"
    DISMISS = "dismiss"
    HIDE = "hide"
    SHOW = "show"
    FORWARD = "forward"
    ADMIT = "admit"  # let somebody join who applied
    TURN_DOWN = "turn_down"
    HELP_IN = "help_in"  # made a link to choose a new password
    ROLE = "role"

    @classmethod
    def of(cls, severity: Severity) -> "Decision":
        """The decision to restrict somebody this much."""
        return {Severity.BLOCK: cls.BLOCK, Severity.LIMIT: cls.LIMIT, Severity.NONE: cls.RESTRICT}[severity]


def write_down(work: Work, decision: Decision, target: str, reason: str, by: str) -> None:
    """One line in the log. ``target`` is a host, an actor or a listing, or the handle of somebody who is not one of us.

    ``by`` is empty for the command line.
    """
    row = {
        "id": work.new_id(),
        "at": work.now,
        "decided_by": by,
        "decision": decision,
        "target": target,
        "reason": reason,
    }
    work.connection.execute(insert(moderation_entry).values(row))
