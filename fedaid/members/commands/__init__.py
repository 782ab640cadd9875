"""Writes about members: joining, signing in and out, and tokens."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, insert, select, update

from fedaid.actors.commands import ActorKeys, create_actor
from fedaid.actors.rules import Kind
from fedaid.foundation.api.answers import forget_of
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Role
from fedaid.foundation.work import Work
from fedaid.members import queries, rules
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import Credentials, Member
from fedaid.members.rules import Door
from fedaid.members.tables import member, recovery_link, session, sign_in_try, token

SECRET_BYTES = 32
NO_PASSWORD = ""  # the hash of none
PASSWORD_CHECKS_AT_ONCE_MAX = 4  # each takes 64 MiB and a core; more at once would only starve everybody else


@dataclass(frozen=True)
class MemberAdded:
    """Somebody joined the neighbourhood."""

    member: Member


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _turnstile() -> BoundedSemaphore:
    return BoundedSemaphore(PASSWORD_CHECKS_AT_ONCE_MAX)


@cache
def _nobodys_hash() -> str:
    """Checked for unknown names, so that the answer takes as long as for known ones (attacks S39, S86)."""
    return _hasher().hash(secrets.token_urlsafe(SECRET_BYTES))


def hash_password(password: str) -> str:
    """The Argon2id hash to store. Slow on purpose, so call it before the unit of work. Raises Refused."""
    chosen = rules.chosen_password(password)
    with _turnstile():
        return _hasher().hash(rules.spelled(chosen))


def check_password(found: Credentials | None, password: str) -> int | None:
    """The member's id if the password is theirs. Slow on purpose, and as slow when there is no such member."""
    stored = found.password_hash if found is not None else _nobodys_hash()
    try:
        with _turnstile():
            _hasher().verify(stored, rules.spelled(password[: rules.PASSWORD_CHARACTERS_MAX]))
    except (VerificationError, InvalidHashError):
        return None
    return found.member_id if found is not None else None


def add_member(
    work: Work,
    handle: str,
    password_hash: str,
    *,
    name: str = "",
    email: str = "",
    role: Role = Role.MEMBER,
    time_zone: str = "UTC",
    keys: ActorKeys | None = None,
) -> Member:
    """A new account with the person it speaks as. ``password_hash`` comes from ``hash_password``. Raises Refused."""
    address = rules.chosen_email(email)
    zone = rules.chosen_time_zone(time_zone)
    actor = create_actor(work, Kind.PERSON, handle, name=name, keys=keys)
    row = {
        "id": work.new_id(),
        "actor_id": actor.id,
        "email": address,
        "password_hash": password_hash,
        "role": role,
        "time_zone": zone,
        "created_at": work.now,
    }
    work.connection.execute(insert(member).values(row))
    added = queries.by_actor(work.connection, actor.uri)
    if added is None:
        raise NotFound
    work.record(MemberAdded(added))
    return added


def set_password(work: Work, member_id: int, password_hash: str) -> None:
    """A new password ends every session and revokes every token of the member (attack S81)."""
    changed = update(member).where(member.c.id == member_id).values(password_hash=password_hash)
    work.connection.execute(changed)
    work.connection.execute(delete(session).where(session.c.member_id == member_id))
    mine = (token.c.member_id == member_id) & token.c.revoked_at.is_(None)
    work.connection.execute(update(token).where(mine).values(revoked_at=work.now))


def close_account(work: Work, member_id: int) -> None:
    """Nobody signs in as this member again, and what only they knew is forgotten; what they did stays theirs."""
    set_password(work, member_id, NO_PASSWORD)
    forget_of(work, member_id)
    work.connection.execute(update(member).where(member.c.id == member_id).values(email="", role=Role.MEMBER))
    links = recovery_link.c
    theirs = (links.member_id == member_id) & links.used_at.is_(None) & links.revoked_at.is_(None)
    work.connection.execute(update(recovery_link).where(theirs).values(revoked_at=work.now))


def change_email(work: Work, member_id: int, email: str) -> None:
    """Where the member can be reached by the admins. Raises Refused."""
    address = rules.chosen_email(email)
    work.connection.execute(update(member).where(member.c.id == member_id).values(email=address))


def change_time_zone(work: Work, member_id: int, time_zone: str) -> None:
    """The zone in which the member reads times. Raises Refused."""
    zone = rules.chosen_time_zone(time_zone)
    work.connection.execute(update(member).where(member.c.id == member_id).values(time_zone=zone))


def change_language(work: Work, member_id: int, language: str) -> None:
    """The language in which the member reads pages, empty for the one their browser asks for. Raises Refused."""
    chosen = rules.chosen_language(language)
    work.connection.execute(update(member).where(member.c.id == member_id).values(language=chosen))


def sign_in(work: Work, member_id: int, device: str, limits: MemberLimits, replaced: str = "") -> str:
    """A new session, always with a secret of its own; ``replaced``, the one sent along, ends (attack S83)."""
    sign_out(work, replaced)
    work.connection.execute(delete(session).where(session.c.expires_at <= work.now))
    _make_room(work, member_id, limits.sessions_per_member_max)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    row = {
        "token_sha256": queries.digest(secret),
        "member_id": member_id,
        "created_at": work.now,
        "expires_at": work.now + timedelta(days=limits.session_days),
        "device": device[: rules.DEVICE_CHARACTERS_MAX],
    }
    work.connection.execute(insert(session).values(row))
    return secret


def _make_room(work: Work, member_id: int, sessions_max: int) -> None:
    """End the oldest sessions of a member who has as many as one may have."""
    table = session.c
    newest = select(table.token_sha256).where(table.member_id == member_id)
    kept = newest.order_by(table.created_at.desc(), table.token_sha256).limit(sessions_max - 1)
    keep = work.connection.execute(kept).scalars().all()
    work.connection.execute(delete(session).where(table.member_id == member_id, table.token_sha256.not_in(keep)))


def sign_out(work: Work, secret: str) -> None:
    """End a session; harmless when there is none."""
    work.connection.execute(delete(session).where(session.c.token_sha256 == queries.digest(secret)))


def count_try(work: Work, handle: str, address: str, limits: MemberLimits) -> None:
    """Count a try to sign in before its password is looked at, so that many at once cannot slip through.

    Raises Refused (429) when there were too many for the account or from the address (attack S85).
    """
    _forget_old_tries(work, limits)
    if queries.tries_for_account(work.connection, handle) >= limits.sign_in_tries_per_account_max:
        raise _too_many_tries(limits)
    _count_try(work, Door.SIGN_IN, handle, address, limits, limits.sign_in_tries_per_address_max)


def count_join(work: Work, address: str, limits: MemberLimits) -> None:
    """Count a try to join or to apply, before its password is hashed. Raises Refused (429) for too many."""
    _forget_old_tries(work, limits)
    _count_try(work, Door.JOIN, "", address, limits, limits.join_tries_per_address_max)


def count_link(work: Work, address: str, limits: MemberLimits) -> None:
    """Count a one-time link or invitation that was opened or used. Raises Refused (429) for too many."""
    _forget_old_tries(work, limits)
    _count_try(work, Door.LINK, "", address, limits, limits.link_tries_per_address_max)


def _forget_old_tries(work: Work, limits: MemberLimits) -> None:
    work.connection.execute(delete(sign_in_try).where(sign_in_try.c.at <= _window_start(work.now, limits)))


def _count_try(work: Work, door: Door, handle: str, address: str, limits: MemberLimits, tries_max: int) -> None:
    if queries.tries_from_address(work.connection, address, door) >= tries_max:
        raise _too_many_tries(limits)
    row = {
        "id": work.new_id(),
        "account": rules.account_key(handle),
        "address": rules.address_key(address),
        "at": work.now,
        "door": door,
    }
    work.connection.execute(insert(sign_in_try).values(row))


def _too_many_tries(limits: MemberLimits) -> Refused:
    minutes = -(-limits.sign_in_window_seconds // 60)
    return Refused(
        "too_many_tries",
        said("There were too many tries. Please try again in %(minutes)s minutes.", minutes=minutes),
        429,
    )


def forget_tries(work: Work, handle: str, address: str) -> None:
    """The password was right: the tries for this account from this address no longer count."""
    theirs = (sign_in_try.c.account == rules.account_key(handle)) & (
        sign_in_try.c.address == rules.address_key(address)
    )
    work.connection.execute(delete(sign_in_try).where(theirs, sign_in_try.c.door == Door.SIGN_IN))


def _window_start(now: datetime, limits: MemberLimits) -> datetime:
    return now - timedelta(seconds=limits.sign_in_window_seconds)


def issue_token(work: Work, member_id: int, scopes: str, name: str = "") -> str:
    """A bearer token; shown once, only its digest is stored. ``scopes`` as in OAuth, ``read write`` (RFC 6749, 3.3).

    Raises Refused for an unknown scope or none, NotFound for an unknown member.
    """
    if queries.by_id(work.connection, member_id) is None:
        raise NotFound
    secret = rules.TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    row = {
        "token_sha256": queries.digest(secret),
        "member_id": member_id,
        "name": name,
        "scopes": " ".join(rules.chosen_scopes(scopes.split())),
        "created_at": work.now,
    }
    work.connection.execute(insert(token).values(row))
    return secret


def revoke_token(work: Work, secret: str) -> None:
    """The token is good for nothing from now on; harmless when it is unknown."""
    mine = (token.c.token_sha256 == queries.digest(secret)) & token.c.revoked_at.is_(None)
    work.connection.execute(update(token).where(mine).values(revoked_at=work.now))
