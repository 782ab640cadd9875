"""Reads about neighbouring networks and blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, select

from activitypub.documents import Actor
from fedaid.actors import queries as actors
from fedaid.foundation.database import Database
from fedaid.network.rules import Status, covering
from fedaid.network.tables import block, neighbour


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


def is_neighbour(connection: Connection, host: str) -> bool:
    """Whether the link with this host was accepted and is not paused."""
    found = by_host(connection, host)
    return found is not None and found.status is Status.ACCEPTED


def is_blocked(connection: Connection, host: str) -> bool:
    """Whether this host, or a domain above it, is blocked."""
    query = select(block.c.id).where(block.c.host.in_(covering(host))).limit(1)
    return connection.execute(query).first() is not None


def blocks(connection: Connection) -> Sequence[str]:
    """The blocked hosts, by name."""
    return connection.execute(select(block.c.host).order_by(block.c.host)).scalars().all()


class BlockList:
    """The blocks as the mail rooms ask for them: in a transaction of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, host: str) -> bool:
        with self._database.read() as connection:
            return is_blocked(connection, host)
