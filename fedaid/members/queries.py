"""Reads about members: who they are, whose session or token this is, and how often somebody tried in vain."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from fedaid.actors.rules import folded
from fedaid.actors.tables import local_actor
from fedaid.foundation.viewer import Role, Viewer
from fedaid.members.rules import account_key, address_key
from fedaid.members.tables import member, session, sign_in_try, token


@dataclass(frozen=True)
class Member:
    """A member with the actor they speak as. The e-mail address is for the member and admins only."""

    id: int
    actor_id: int
    actor: str
    handle: str
    name: str
    summary: str
    email: str
    role: Role
    time_zone: str
    created_at: datetime


@dataclass(frozen=True)
class Credentials:
    """What a sign-in is checked against."""

    member_id: int
    password_hash: str


@dataclass(frozen=True)
class TokenHolder:
    """Who holds a bearer token, and for what it is good."""

    viewer: Viewer
    scopes: frozenset[str]


def _members() -> Select[tuple[object, ...]]:
    columns = (
        member.c.id,
        member.c.actor_id,
        local_actor.c.uri.label("actor"),
        local_actor.c.handle,
        local_actor.c.name,
        local_actor.c.summary,
        member.c.email,
        member.c.role,
        member.c.time_zone,
        member.c.created_at,
    )
    joined = select(*columns).join(local_actor, local_actor.c.id == member.c.actor_id)
    return joined.where(local_actor.c.gone_at.is_(None))


def _member(row: Row[tuple[object, ...]]) -> Member:
    return Member(**{**row._mapping, "role": Role(row._mapping["role"])})


def _one(connection: Connection, condition: ColumnElement[bool]) -> Member | None:
    row = connection.execute(_members().where(condition)).one_or_none()
    return _member(row) if row is not None else None


def by_handle(connection: Connection, handle: str) -> Member | None:
    """The member with this handle."""
    return _one(connection, local_actor.c.handle == folded(handle))


def by_id(connection: Connection, member_id: int) -> Member | None:
    """The member with this row id."""
    return _one(connection, member.c.id == member_id)


def by_ids(connection: Connection, member_ids: Sequence[int]) -> Sequence[Member]:
    """The members with these row ids."""
    return [_member(row) for row in connection.execute(_members().where(member.c.id.in_(member_ids)))]


def by_actor(connection: Connection, uri: str) -> Member | None:
    """The member who speaks as this actor."""
    return _one(connection, local_actor.c.uri == uri)


def admins(connection: Connection) -> Sequence[Member]:
    """Who is asked when the neighbourhood itself must decide."""
    rows = connection.execute(_members().where(member.c.role == Role.ADMIN).order_by(member.c.id))
    return [_member(row) for row in rows]


def count(connection: Connection) -> int:
    """How many members there are."""
    return connection.execute(select(func.count()).select_from(_members().subquery())).scalar_one()


def active_since(connection: Connection, moment: datetime) -> int:
    """How many members have signed in since then."""
    query = select(func.count(session.c.member_id.distinct())).where(session.c.created_at >= moment)
    return connection.execute(query).scalar_one()


def credentials(connection: Connection, handle: str) -> Credentials | None:
    """What to check a password against; None when there is no such member (check anyway, attack S39)."""
    query = select(member.c.id, member.c.password_hash).join(local_actor, local_actor.c.id == member.c.actor_id)
    wanted = (local_actor.c.handle == folded(handle)) & local_actor.c.gone_at.is_(None)
    row = connection.execute(query.where(wanted)).one_or_none()
    return Credentials(row.id, row.password_hash) if row is not None else None


def digest(secret: str) -> str:
    """How a session or token is stored. The secret is 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def viewer_of_session(connection: Connection, secret: str, now: datetime) -> Viewer | None:
    """Who signed in with this session; None when it is unknown, signed out or too old."""
    alive = (session.c.token_sha256 == digest(secret)) & (session.c.expires_at > now)
    row = connection.execute(_members().join(session, session.c.member_id == member.c.id).where(alive)).one_or_none()
    return viewer_of(_member(row)) if row is not None else None


def viewer_of_token(connection: Connection, secret: str) -> TokenHolder | None:
    """Who holds this bearer token (RFC 6750); None when it is unknown or revoked."""
    good = (token.c.token_sha256 == digest(secret)) & token.c.revoked_at.is_(None)
    query = _members().add_columns(token.c.scopes).join(token, token.c.member_id == member.c.id).where(good)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    found = {key: value for key, value in row._mapping.items() if key != "scopes"}
    return TokenHolder(viewer_of(Member(**{**found, "role": Role(found["role"])})), frozenset(row.scopes.split()))


def viewer_of(who: Member) -> Viewer:
    """The member as one who looks at pages."""
    return Viewer(who.id, who.handle, who.name, who.actor, who.role, who.time_zone)


def tries_for_account(connection: Connection, handle: str) -> int:
    """Counted tries to sign in under this handle."""
    return _tries(connection, sign_in_try.c.account == account_key(handle))


def tries_from_address(connection: Connection, address: str) -> int:
    """Counted tries to sign in from this address."""
    return _tries(connection, sign_in_try.c.address == address_key(address))


def _tries(connection: Connection, whose: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(sign_in_try).where(whose)).scalar_one()
