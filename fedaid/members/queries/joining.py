"""Reads about how people come to belong: the neighbourhood's own words, agreement, invitations, applications, links."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import ColumnElement, Connection, Row, func, select

from fedaid.actors.rules import folded
from fedaid.foundation.viewer import Role
from fedaid.members.queries import digest
from fedaid.members.rules.joining import Answer, ApplicationState, Joining
from fedaid.members.tables import (
    agreement_acceptance,
    application,
    community_agreement,
    invitation,
    member,
    neighbourhood,
    recovery_link,
)


@dataclass(frozen=True)
class Neighbourhood:
    """What the neighbourhood says of itself. ``name`` is empty until an admin changed the one it was founded with."""

    name: str = ""
    area: str = ""
    about: str = ""
    joining: Joining = Joining.CLOSED
    questions: tuple[str, ...] = ()
    steps_done: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Agreement:
    """One version of the community agreement. ``asks_again``: who accepted an earlier one accepts this one anew."""

    version: int
    text: str
    asks_again: bool
    published_by: int
    published_at: datetime


@dataclass(frozen=True)
class Invitation:
    """A link with which people join at once. ``made_by`` is None for the command line."""

    id: int
    note: str
    role: Role
    uses: int
    uses_max: int
    made_by: int | None
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Whether somebody can still come with it."""
        return self.revoked_at is None and self.expires_at > now and self.uses < self.uses_max


@dataclass(frozen=True)
class Application:
    """Somebody who asks to join. ``password_hash`` and what else is private is empty once it is decided."""

    id: int
    handle: str
    name: str
    email: str
    password_hash: str
    time_zone: str
    agreed_to: int | None
    answers: tuple[Answer, ...]
    state: ApplicationState
    made_at: datetime
    decided_at: datetime | None
    decided_by: int | None
    sentence: str


@dataclass(frozen=True)
class RecoveryLink:
    """A link with which a member chooses a new password. ``made_by`` is None for the command line."""

    id: int
    member_id: int
    made_by: int | None
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


# the neighbourhood


def our_neighbourhood(connection: Connection) -> Neighbourhood:
    """What was chosen, or how it is before anything was."""
    row = connection.execute(select(neighbourhood)).one_or_none()
    if row is None:
        return Neighbourhood()
    return Neighbourhood(
        row.name,
        row.area,
        row.about,
        Joining(row.joining),
        tuple(row.questions.splitlines()),
        frozenset(row.steps_done.split()),
    )


# the agreement


def agreement(connection: Connection, version: int | None = None) -> Agreement | None:
    """That version, or the newest; None when there is none."""
    query = select(community_agreement).order_by(community_agreement.c.version.desc()).limit(1)
    if version is not None:
        query = query.where(community_agreement.c.version == version)
    row = connection.execute(query).one_or_none()
    return Agreement(**row._mapping) if row is not None else None


def agreements(connection: Connection, rows_max: int) -> Sequence[Agreement]:
    """The versions, newest first."""
    query = select(community_agreement).order_by(community_agreement.c.version.desc()).limit(rows_max)
    return [Agreement(**row._mapping) for row in connection.execute(query)]


def accepted_version(connection: Connection, member_id: int) -> int | None:
    """The newest version that a member accepted."""
    mine = agreement_acceptance.c.member_id == member_id
    found: int | None = connection.execute(select(func.max(agreement_acceptance.c.version)).where(mine)).scalar_one()
    return found


def acceptances(connection: Connection, member_id: int) -> Sequence[tuple[int, datetime]]:
    """Which versions a member accepted, and when."""
    table = agreement_acceptance.c
    query = select(table.version, table.accepted_at).where(table.member_id == member_id).order_by(table.version)
    return [(row.version, row.accepted_at) for row in connection.execute(query)]


# invitations


def _invitation(row: Row[tuple[object, ...]]) -> Invitation:
    found = {name: value for name, value in row._mapping.items() if name != "secret_sha256"}
    return Invitation(**{**found, "role": Role(found["role"])})


def invitation_of(connection: Connection, secret: str) -> Invitation | None:
    """The invitation with this secret, good or not."""
    query = select(invitation).where(invitation.c.secret_sha256 == digest(secret))
    row = connection.execute(query).one_or_none()
    return _invitation(row) if row is not None else None


def invitations(
    connection: Connection, now: datetime, *, are_good: bool, rows_max: int, before: int | None = None
) -> Sequence[Invitation]:
    """Those that are good still, or those that are not, newest first; ``before`` is the id to go on from."""
    table = invitation.c
    wanted = _good_invitation(now) if are_good else ~_good_invitation(now)
    if before is not None:
        wanted &= table.id < before
    query = select(invitation).where(wanted).order_by(table.id.desc()).limit(rows_max)
    return [_invitation(row) for row in connection.execute(query)]


def count_good_invitations(connection: Connection, now: datetime) -> int:
    """How many are good."""
    query = select(func.count()).select_from(invitation).where(_good_invitation(now))
    return connection.execute(query).scalar_one()


def _good_invitation(now: datetime) -> ColumnElement[bool]:
    table = invitation.c
    return table.revoked_at.is_(None) & (table.expires_at > now) & (table.uses < table.uses_max)


# applications


def _application(row: Row[tuple[object, ...]]) -> Application:
    found = {name: value for name, value in row._mapping.items() if name != "secret_sha256"}
    answers = tuple(Answer(one["question"], one["answer"]) for one in orjson.loads(found["answers"]))
    return Application(**{**found, "answers": answers, "state": ApplicationState(found["state"])})


def application_by_id(connection: Connection, application_id: int) -> Application | None:
    """The application with this id."""
    row = connection.execute(select(application).where(application.c.id == application_id)).one_or_none()
    return _application(row) if row is not None else None


def application_of(connection: Connection, secret: str) -> Application | None:
    """The application that its sender looks at with this secret."""
    query = select(application).where(application.c.secret_sha256 == digest(secret))
    row = connection.execute(query).one_or_none()
    return _application(row) if row is not None else None


def applications(
    connection: Connection, *, are_waiting: bool, rows_max: int, beyond: int | None = None
) -> Sequence[Application]:
    """Those that wait, the oldest first; or those that are decided, the newest first. ``beyond``: go on from there."""
    table = application.c
    waiting = table.state == ApplicationState.WAITING
    wanted = waiting if are_waiting else ~waiting
    if beyond is not None:
        wanted &= table.id > beyond if are_waiting else table.id < beyond
    order = table.id.asc() if are_waiting else table.id.desc()
    rows = connection.execute(select(application).where(wanted).order_by(order).limit(rows_max))
    return [_application(row) for row in rows]


def count_applications(connection: Connection) -> int:
    """How many wait."""
    waiting = application.c.state == ApplicationState.WAITING
    return connection.execute(select(func.count()).select_from(application).where(waiting)).scalar_one()


def is_asked_for(connection: Connection, handle: str) -> bool:
    """Whether an application for this handle waits."""
    waiting = (application.c.handle == folded(handle)) & (application.c.state == ApplicationState.WAITING)
    return connection.execute(select(application.c.id).where(waiting).limit(1)).first() is not None


def count_joined_since(connection: Connection, moment: datetime) -> int:
    """How many people came since then."""
    query = select(func.count()).select_from(member).where(member.c.created_at > moment)
    return connection.execute(query).scalar_one()


# links to choose a new password


def _recovery(row: Row[tuple[object, ...]]) -> RecoveryLink:
    return RecoveryLink(**{name: value for name, value in row._mapping.items() if name != "secret_sha256"})


def recovery_of(connection: Connection, secret: str, now: datetime) -> RecoveryLink | None:
    """The link with this secret, as long as it is good."""
    table = recovery_link.c
    good = table.used_at.is_(None) & table.revoked_at.is_(None) & (table.expires_at > now)
    row = connection.execute(select(recovery_link).where(good, table.secret_sha256 == digest(secret))).one_or_none()
    return _recovery(row) if row is not None else None


def recoveries_for(connection: Connection, member_id: int, since: timedelta, now: datetime) -> Sequence[RecoveryLink]:
    """The links that were made for a member lately, newest first."""
    table = recovery_link.c
    theirs = (table.member_id == member_id) & (table.made_at > now - since)
    rows = connection.execute(select(recovery_link).where(theirs).order_by(table.id.desc()).limit(20))
    return [_recovery(row) for row in rows]
