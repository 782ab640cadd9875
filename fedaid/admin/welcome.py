"""The coordinators' decisions about people who come and who are here, each written down in the moderators' log."""

from sqlalchemy import Connection

from fedaid.actors.commands import ActorKeys
from fedaid.foundation.viewer import Role, Viewer
from fedaid.foundation.work import Work
from fedaid.members.commands import access, joining
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import Member
from fedaid.network.commands import Decision, write_down
from fedaid.network.queries import LogLine, log_of


def admit(work: Work, by: Viewer, application_id: int, keys: ActorKeys) -> Member:
    """Let somebody join who applied. Raises NotAllowed, NotFound, Refused."""
    added = joining.accept_application(work, by, application_id, keys)
    write_down(work, Decision.ADMIT, added.actor, "", by.actor)
    return added


def turn_down(work: Work, by: Viewer, application_id: int, sentence: str) -> None:
    """Decline an application with a sentence. Raises NotAllowed, NotFound, Refused."""
    found = joining.decline_application(work, by, application_id, sentence)
    write_down(work, Decision.TURN_DOWN, found.handle, sentence, by.actor)


def help_in(work: Work, by: Viewer | None, handle: str, limits: MemberLimits) -> tuple[Member, str]:
    """A one-time link with which a member chooses a new password: its secret. ``by`` is None at the terminal.

    Raises NotAllowed, NotFound.
    """
    found, secret = access.offer_recovery(work, by, handle, limits)
    write_down(work, Decision.HELP_IN, found.actor, "", by.actor if by is not None else "")
    return found, secret


def give_role(work: Work, by: Viewer | None, handle: str, role: Role) -> Member:
    """Change what somebody may do; the same again is harmless. ``by`` is None at the terminal.

    Raises NotAllowed, NotFound, and Refused when no admin would be left.
    """
    found = access.change_role(work, by, handle, role)
    if found.role is not role:
        write_down(work, Decision.ROLE, found.actor, f"{found.role} → {role}", by.actor if by is not None else "")
    return found


def history(connection: Connection, who: Member) -> list[LogLine]:
    """What was decided about a member, newest first."""
    return list(log_of(connection, who.actor, 50))
