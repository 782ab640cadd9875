"""Reads about members: who they are, whose session or token this is, and how often somebody tried in vain."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, func, or_, select

from fedaid.actors.queries import with_actors
from fedaid.actors.rules import folded
from fedaid.actors.tables import local_actor
from fedaid.foundation.viewer import Role, TokenHolder, Viewer
from fedaid.members.rules import SEARCH_CHARACTERS_MAX, Door, account_key, address_key
from fedaid.members.tables import agreement_acceptance, community_agreement, member, session, sign_in_try, token


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
    language: str
    created_at: datetime


@dataclass(frozen=True)
class Credentials:
    """What a sign-in is checked against."""

    member_id: int
    password_hash: str


def _members() -> Select[tuple[object, ...]]:
    table = member.c
    columns = (table.id, table.email, table.role, table.time_zone, table.language, table.created_at)
    return with_actors(table.actor_id, *columns)


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


def coordinators(connection: Connection) -> Sequence[Member]:
    """Who looks after the neighbourhood: its coordinators and admins."""
    care = member.c.role.in_([Role.COORDINATOR, Role.ADMIN])
    return [_member(row) for row in connection.execute(_members().where(care).order_by(member.c.id))]


def page(connection: Connection, text: str, rows_max: int, after: str = "") -> Sequence[Member]:
    """Members in the order of their handles, from the one after ``after``; with ``text`` in handle or name."""
    wanted = local_actor.c.handle > after
    if text:
        typed = text[:SEARCH_CHARACTERS_MAX].lower()
        columns = (local_actor.c.handle, func.lower(local_actor.c.name))
        wanted &= or_(*(column.contains(typed, autoescape=True) for column in columns))
    rows = connection.execute(_members().where(wanted).order_by(local_actor.c.handle).limit(rows_max))
    return [_member(row) for row in rows]


def names(connection: Connection, member_ids: Collection[int]) -> dict[int, str]:
    """What members are called, also those who have left, by their ids."""
    query = select(member.c.id, local_actor.c.name).join(local_actor, local_actor.c.id == member.c.actor_id)
    return {row.id: row.name for row in connection.execute(query.where(member.c.id.in_(member_ids)))}


@dataclass(frozen=True)
class Session:
    """A browser that is signed in. ``token_sha256`` names it, and opens nothing."""

    token_sha256: str
    created_at: datetime
    expires_at: datetime
    device: str


def sessions(connection: Connection, member_id: int, now: datetime) -> Sequence[Session]:
    """Where a member is signed in, the youngest first."""
    table = session.c
    columns = (table.token_sha256, table.created_at, table.expires_at, table.device)
    alive = (table.member_id == member_id) & (table.expires_at > now)
    query = select(*columns).where(alive).order_by(table.created_at.desc(), table.token_sha256)
    return [Session(**row._mapping) for row in connection.execute(query)]


def sessions_alive(connection: Connection, digests: Collection[str], now: datetime) -> frozenset[str]:
    """Those of these sessions (``digest`` of their secrets) in which somebody is signed in."""
    alive = session.c.token_sha256.in_(sorted(digests)) & (session.c.expires_at > now)
    return frozenset(connection.execute(select(session.c.token_sha256).where(alive)).scalars())


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
    query = _members().add_columns(_owes_agreement().label("owes"))
    row = connection.execute(query.join(session, session.c.member_id == member.c.id).where(alive)).one_or_none()
    return _viewer(row) if row is not None else None


def _viewer(row: Row[tuple[object, ...]]) -> Viewer:
    """The member of a row that also says whether they owe the agreement."""
    found = {field.name: row._mapping[field.name] for field in fields(Member)}
    who = viewer_of(Member(**{**found, "role": Role(found["role"])}))
    return replace(who, owes_agreement=bool(row._mapping["owes"]))


def viewer_by_id(connection: Connection, member_id: int) -> Viewer | None:
    """The member with this row id as one who acts; None where there is none, or they have left."""
    query = _members().add_columns(_owes_agreement().label("owes")).where(member.c.id == member_id)
    row = connection.execute(query).one_or_none()
    return _viewer(row) if row is not None else None


def _owes_agreement() -> ColumnElement[bool]:
    """Whether a version asks everybody again that is newer than the newest the member accepted."""
    version = community_agreement.c.version
    accepted = select(func.coalesce(func.max(agreement_acceptance.c.version), 0))
    accepted = accepted.where(agreement_acceptance.c.member_id == member.c.id)
    newer = community_agreement.c.asks_again & (version > accepted.correlate(member).scalar_subquery())
    return exists().where(newer).correlate(member)


def viewer_of_token(connection: Connection, secret: str) -> TokenHolder | None:
    """Who holds this bearer token (RFC 6750); None when it is unknown or revoked."""
    good = (token.c.token_sha256 == digest(secret)) & token.c.revoked_at.is_(None)
    columns = (token.c.token_sha256, token.c.name.label("token_name"), token.c.scopes, token.c.last_used_at)
    query = _members().add_columns(_owes_agreement().label("owes"), *columns)
    row = connection.execute(query.join(token, token.c.member_id == member.c.id).where(good)).one_or_none()
    if row is None:
        return None
    return TokenHolder(_viewer(row), frozenset(row.scopes.split()), row.token_sha256, row.token_name, row.last_used_at)


@dataclass(frozen=True)
class Token:
    """A program that may act for a member. ``token_sha256`` names it, and opens nothing."""

    token_sha256: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None


def tokens(connection: Connection, member_id: int) -> Sequence[Token]:
    """The tokens of a member that are good, the youngest first."""
    table = token.c
    good = (table.member_id == member_id) & table.revoked_at.is_(None)
    rows = connection.execute(select(token).where(good).order_by(table.created_at.desc(), table.token_sha256))
    return [
        Token(row.token_sha256, row.name, tuple(row.scopes.split()), row.created_at, row.last_used_at) for row in rows
    ]


def viewer_of(who: Member) -> Viewer:
    """The member as one who looks at pages."""
    return Viewer(who.id, who.handle, who.name, who.actor, who.role, who.time_zone, who.language)


def tries_for_account(connection: Connection, handle: str) -> int:
    """Counted tries to sign in under this handle."""
    here = sign_in_try.c.door == Door.SIGN_IN
    return _tries(connection, (sign_in_try.c.account == account_key(handle)) & here)


def tries_from_address(connection: Connection, address: str, door: Door = Door.SIGN_IN) -> int:
    """Counted tries at a door from this address."""
    return _tries(connection, (sign_in_try.c.address == address_key(address)) & (sign_in_try.c.door == door))


def _tries(connection: Connection, whose: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(sign_in_try).where(whose)).scalar_one()
