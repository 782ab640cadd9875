"""Reads about who is welcome here: the one place that both doors, every fetch and every page ask."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, exists, or_, select, true

from fedaid.actors.rules import FollowState
from fedaid.actors.tables import follow
from fedaid.foundation.federation import Federation
from fedaid.network.queries.links import Neighbour, linked_hosts, neighbours
from fedaid.network.rules.links import Status
from fedaid.network.rules.restrictions import (
    Kind,
    Laid,
    Severity,
    Standing,
    Target,
    Terms,
    Verdict,
    host_of,
    targets_of,
    verdict,
)
from fedaid.network.tables import moderation_entry, restriction

TARGETS_PER_QUERY = 500  # SQLite's parameters have a limit
LOG_LINES_MAX = 100


@dataclass(frozen=True)
class Restriction:
    """What an admin laid on a host or an actor, with who did it and when; ``laid_by`` is empty for the command line."""

    target: Target
    terms: Terms
    laid_by: str
    laid_at: datetime


@dataclass(frozen=True)
class LogLine:
    """One decision of a moderator, as it was taken."""

    id: int
    at: datetime
    decided_by: str
    decision: str
    target: str
    reason: str


def _restriction(row: Row[tuple[object, ...]]) -> Restriction:
    found = row._mapping
    terms = Terms(
        Severity(found["severity"]),
        found["reason"],
        rejects_media=found["rejects_media"],
        rejects_reports=found["rejects_reports"],
        obfuscates=found["obfuscates"],
    )
    return Restriction(Target(Kind(found["kind"]), found["target"]), terms, found["laid_by"], found["laid_at"])


# Built once, as it is asked for each letter that is applied; for a few names with a place for each, as a list of no
# fixed length is written out anew each time.
_FEW = 8
_COLUMNS_LAID = select(*(restriction.c[name] for name in ("kind", "target", "severity", "reason")))
_LAID = _COLUMNS_LAID.where(restriction.c.target.in_(bindparam("targets", expanding=True)))
_LAID_ON_FEW = _COLUMNS_LAID.where(restriction.c.target.in_([bindparam(f"target{n}") for n in range(_FEW)]))


def restrictions(connection: Connection) -> Sequence[Restriction]:
    """All of them, hosts first, by name."""
    query = select(restriction).order_by(restriction.c.kind.desc(), restriction.c.target)
    return [_restriction(row) for row in connection.execute(query)]


def restriction_on(connection: Connection, name: str) -> Restriction | None:
    """What is laid on exactly this host or actor."""
    row = connection.execute(select(restriction).where(restriction.c.target == name)).one_or_none()
    return _restriction(row) if row is not None else None


def restrictions_over(connection: Connection, address: str) -> Sequence[Restriction]:
    """All that cover an actor or a host: its own, and those on the domains above it."""
    query = select(restriction).where(restriction.c.target.in_(targets_of(address)))
    return [_restriction(row) for row in connection.execute(query)]


def is_blocked(connection: Connection, address: str) -> bool:
    """Whether an admin blocked this host or actor, or a domain above it."""
    return verdict_on(connection, Federation.OPEN, address).is_shut_out


def is_any_blocked(connection: Connection, addresses: Iterable[str]) -> bool:
    """Whether an admin blocked one of these hosts or actors, or a domain above it."""
    return any(one.is_shut_out for one in verdicts_on(connection, Federation.OPEN, addresses).values())


def open_neighbours(connection: Connection) -> Sequence[Neighbour]:
    """The networks that may have what is for neighbours only: linked, not paused, and not blocked."""
    linked = [one for one in neighbours(connection) if one.status is Status.ACCEPTED]
    return [one for one in linked if not is_blocked(connection, one.server_actor)]


def is_open_neighbour(connection: Connection, host: str) -> bool:
    """Whether this is the host of such a network."""
    return any(one.host == host for one in open_neighbours(connection))


def verdict_on(connection: Connection, federation: Federation, address: str) -> Verdict:
    """Where a host, or an actor by its id, stands with us."""
    return verdicts_on(connection, federation, [address])[address]


def verdicts_on(connection: Connection, federation: Federation, addresses: Iterable[str]) -> Mapping[str, Verdict]:
    """Where hosts, or actors by their ids, stand with us; asked of the database all at once (attack S48)."""
    asked = {address: targets_of(address) for address in addresses}
    laid = _laid(connection, {name for names in asked.values() for name in names})
    linked = _linked(connection, federation, asked)
    return {
        address: verdict(federation, host_of(address) in linked, [laid[name] for name in names if name in laid])
        for address, names in asked.items()
    }


def _laid(connection: Connection, names: Iterable[str]) -> Mapping[str, Laid]:
    wanted = sorted(name for name in names if name.isprintable())
    found: dict[str, Laid] = {}
    for start in range(0, len(wanted), TARGETS_PER_QUERY):
        for row in _rows_laid(connection, wanted[start : start + TARGETS_PER_QUERY]):
            found[row.target] = Laid(Target(Kind(row.kind), row.target), Severity(row.severity), row.reason)
    return found


def _rows_laid(connection: Connection, wanted: Sequence[str]) -> Iterable[Row[tuple[str, str, str, str]]]:
    if len(wanted) > _FEW:
        return connection.execute(_LAID, {"targets": wanted})
    filled = [*wanted, *[wanted[0]] * (_FEW - len(wanted))]
    return connection.execute(_LAID_ON_FEW, {f"target{n}": name for n, name in enumerate(filled)})


def _linked(connection: Connection, federation: Federation, addresses: Iterable[str]) -> frozenset[str]:
    if federation is Federation.OPEN:
        return frozenset()
    return linked_hosts(connection, sorted({host_of(address) for address in addresses}))


def showable(
    connection: Connection,
    federation: Federation,
    viewer: str,
    hosts: tuple[ColumnElement[str], Sequence[str]],
    *actors: ColumnElement[str],
) -> ColumnElement[bool]:
    """The condition under which what came from elsewhere is shown: not of anybody who is shut out (attack S48).

    What came from somebody limited is shown only to those who follow one of its ``actors``. ``viewer`` is the actor
    who looks, empty for somebody signed out; ``hosts`` and ``actors`` are columns of one table, the first with all that
    stands in it.
    """
    host, names = hosts
    found = verdicts_on(connection, federation, names)
    of_standing = {
        standing: [name for name in names if found[name].standing is standing]
        for standing in (Standing.SHUT_OUT, Standing.LIMITED)
    }
    blocked = or_(host.in_(of_standing[Standing.SHUT_OUT]), *(_is_laid_on(one, Severity.BLOCK) for one in actors))
    limited = or_(host.in_(of_standing[Standing.LIMITED]), *(_is_laid_on(one, Severity.LIMIT) for one in actors))
    return and_(~blocked, or_(~limited, _follows(viewer, actors)))


def _is_laid_on(actor: ColumnElement[str], severity: Severity) -> ColumnElement[bool]:
    return exists().where(restriction.c.target == actor, restriction.c.severity == severity)


def _follows(viewer: str, actors: Sequence[ColumnElement[str]]) -> ColumnElement[bool]:
    theirs = (follow.c.follower == viewer) & (follow.c.state == FollowState.ACCEPTED)
    return exists().where(theirs, follow.c.followee.in_(actors)) if viewer else ~true()


def log_of(connection: Connection, target: str = "", limit: int = LOG_LINES_MAX) -> Sequence[LogLine]:
    """What moderators decided, newest first; with ``target`` only about this host, actor or listing."""
    query = select(moderation_entry).order_by(moderation_entry.c.id.desc()).limit(limit)
    if target:
        query = query.where(moderation_entry.c.target == target)
    return [LogLine(**row._mapping) for row in connection.execute(query)]
