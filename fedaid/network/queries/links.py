"""Reads about neighbouring networks: who they are and where our link with each stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from activitypub.documents import Actor
from fedaid.actors import queries as actors
from fedaid.network.rules import LINKED, Status
from fedaid.network.tables import neighbour

HOSTS_PER_QUERY = 500  # SQLite's parameters have a limit


@dataclass(frozen=True)
class Neighbour:
    """A neighbouring network. ``host`` carries the port where it is not the scheme's own."""

    id: int
    host: str
    origin: str
    server_actor: str
    ledger_actor: str
    board_actor: str
    status: Status
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class NeighbourFacts:
    """What is known of a network before there is a link: its actors' ids; ``actors`` are their fetched documents."""

    host: str
    origin: str
    server_actor: str
    ledger_actor: str
    board_actor: str
    actors: tuple[Actor, ...] = ()


def _neighbour(row: Row[tuple[object, ...]]) -> Neighbour:
    return Neighbour(**{**row._mapping, "status": Status(row._mapping["status"])})


def _one(connection: Connection, condition: ColumnElement[bool]) -> Neighbour | None:
    row = connection.execute(select(neighbour).where(condition)).one_or_none()
    return _neighbour(row) if row is not None else None


def by_host(connection: Connection, host: str) -> Neighbour | None:
    """The network at this host, whatever the link's status."""
    return _one(connection, neighbour.c.host == host.lower()) if host.isprintable() else None


def by_ledger(connection: Connection, ledger_actor: str) -> Neighbour | None:
    """The network whose ledger this is."""
    return _one(connection, neighbour.c.ledger_actor == ledger_actor)


def by_board(connection: Connection, board_actor: str) -> Neighbour | None:
    """The network whose board this is, if the link with it was accepted."""
    return _one(connection, (neighbour.c.board_actor == board_actor) & (neighbour.c.status == Status.ACCEPTED))


def neighbours(connection: Connection) -> Sequence[Neighbour]:
    """All networks we ever had a link with, oldest first."""
    return [_neighbour(row) for row in connection.execute(select(neighbour).order_by(neighbour.c.id))]


def facts_of_ledger(connection: Connection, ledger_actor: str) -> NeighbourFacts | None:
    """What a ledger that we have met says about its network; None when it names no server and no board."""
    found = actors.remote(connection, ledger_actor)
    if found is None or found.server is None or found.board is None:
        return None
    origin = "/".join(ledger_actor.split("/", 3)[:3])
    return NeighbourFacts(found.host, origin, found.server, ledger_actor, found.board)


def hosts_of_neighbours() -> Select[tuple[str]]:
    """The hosts whose link was accepted and is not paused."""
    return select(neighbour.c.host).where(neighbour.c.status == Status.ACCEPTED)


def is_neighbour(connection: Connection, host: str) -> bool:
    """Whether the link with this host was accepted and is not paused."""
    found = by_host(connection, host)
    return found is not None and found.status is Status.ACCEPTED


def linked_hosts(connection: Connection, hosts: Sequence[str]) -> frozenset[str]:
    """Those of the hosts with whose network a link has begun and not ended."""
    table = neighbour.c
    found: set[str] = set()
    asked = [host for host in hosts if host.isprintable()]
    for start in range(0, len(asked), HOSTS_PER_QUERY):
        wanted = table.host.in_(asked[start : start + HOSTS_PER_QUERY])
        linked = table.status.in_(sorted(LINKED))
        found.update(connection.execute(select(table.host).where(wanted, linked)).scalars())
    return frozenset(found)
