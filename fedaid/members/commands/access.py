"""Writes about what somebody may do and how they come in again: sessions, passwords, one-time links, roles."""

import secrets
from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Role, Viewer
from fedaid.foundation.work import Work
from fedaid.members import queries, rules
from fedaid.members.commands import SECRET_BYTES, set_password
from fedaid.members.facts import RecoveryOffered
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import Member, digest
from fedaid.members.tables import member, recovery_link, session

# sessions


def end_session(work: Work, member_id: int, token_sha256: str) -> None:
    """End one of the member's own sessions. Raises NotFound for anybody else's, and for one that ended."""
    mine = (session.c.member_id == member_id) & (session.c.token_sha256 == token_sha256)
    if work.connection.execute(delete(session).where(mine)).rowcount != 1:
        raise NotFound("This session has ended already.")


def end_other_sessions(work: Work, member_id: int, secret: str) -> int:
    """End all of the member's sessions but the one with this secret; how many it were."""
    others = (session.c.member_id == member_id) & (session.c.token_sha256 != digest(secret))
    return work.connection.execute(delete(session).where(others)).rowcount


# links to choose a new password


def offer_recovery(work: Work, by: Viewer | None, handle: str, limits: MemberLimits) -> tuple[Member, str]:
    """A link with which this member chooses a new password: its secret is said this once. Earlier ones end.

    ``by`` is None at the terminal. Raises NotAllowed, NotFound.
    """
    found = queries.by_handle(work.connection, handle)
    if by is not None and not by.is_coordinator:
        raise NotAllowed
    if found is None:
        raise NotFound(said("There is no member %(handle)s.", handle=handle))
    if by is not None and not rules.may_help_in(by.role or Role.MEMBER, found.role):
        raise NotAllowed("Only an admin can make such a link for a coordinator or an admin.")
    revoke_recoveries(work, found.id)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    link_id = work.new_id()
    row = {
        "id": link_id,
        "member_id": found.id,
        "secret_sha256": digest(secret),
        "made_by": by.member_id if by is not None else None,
        "made_at": work.now,
        "expires_at": work.now + timedelta(minutes=limits.recovery_link_minutes),
    }
    work.connection.execute(insert(recovery_link).values(row))
    work.record(RecoveryOffered(link_id, found.id))
    return found, secret


def revoke_recoveries(work: Work, member_id: int) -> None:
    """No link for this member is good any more."""
    table = recovery_link.c
    open_ones = (table.member_id == member_id) & table.used_at.is_(None) & table.revoked_at.is_(None)
    work.connection.execute(update(recovery_link).where(open_ones).values(revoked_at=work.now))


def recover(work: Work, secret: str, password_hash: str) -> int:
    """Choose a new password with a link, which is used up by it; the member's id. All their sessions end.

    Raises Refused, alike for a link that is unknown, used, too old or was replaced.
    """
    table = recovery_link.c
    good = table.used_at.is_(None) & table.revoked_at.is_(None) & (table.expires_at > work.now)
    mine = table.secret_sha256 == digest(secret)
    if work.connection.execute(update(recovery_link).where(mine, good).values(used_at=work.now)).rowcount != 1:
        raise link_over()
    member_id: int = work.connection.execute(select(table.member_id).where(mine)).scalar_one()
    set_password(work, member_id, password_hash)
    return member_id


def link_over() -> Refused:
    """Whatever was wrong with it."""
    return Refused("link_over", "This link is not good any more. Please ask a coordinator for another.", 404)


# roles


def change_role(work: Work, by: Viewer | None, handle: str, role: Role) -> Member:
    """Give somebody another role, as they were before. ``by`` is None at the terminal.

    Raises NotAllowed, NotFound, and Refused when no admin would be left.
    """
    admins = _locked_admins(work)
    if by is not None and by.member_id not in admins:
        raise NotAllowed("Only an admin can change what somebody may do.")
    found = queries.by_handle(work.connection, handle)
    if found is None:
        raise NotFound(said("There is no member %(handle)s.", handle=handle))
    if role is not Role.ADMIN:
        rules.check_last_admin(admins, found.id)
    work.connection.execute(update(member).where(member.c.id == found.id).values(role=role))
    return found


def check_may_leave(work: Work, member_id: int) -> None:
    """Raises Refused for the last admin."""
    rules.check_last_admin(_locked_admins(work), member_id)


def _locked_admins(work: Work) -> frozenset[int]:
    """The ids of all admins, so that two of them cannot each take the other's role at the same moment."""
    held = select(member.c.id).where(member.c.role == Role.ADMIN).order_by(member.c.id).with_for_update()
    ids = work.connection.execute(held).scalars().all()
    return frozenset(ids) & frozenset(one.id for one in queries.admins(work.connection))
