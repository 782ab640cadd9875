"""Founds the simulated neighbourhoods once per number of them and hands out copies; and makes all chance come from a seed."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import fedaid.network.tables  # noqa: F401 - defines tables
import outbox.tables
from activitypub.documents import parse_actor
from activitypub.keys import private_to_pem
from activitypub.signatures import proofs
from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.actors.rules import Kind
from fedaid.actors.wire import actor_document
from fedaid.foundation import ids
from fedaid.foundation.database import metadata
from fedaid.foundation.names import Names
from fedaid.timebank import commands, peering, sync
from fedaid.timebank.commands import carry_out, channel, transfers
from fedaid.timebank.commands.receive import FindAgreed, nothing_agreed
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules import proofs as pinned
from fedaid.timebank.rules.books import AccountKind
from fedaid.timebank.rules.terms import PinnedKey
from tests.small_house import some_keys
from tests.timebank.simulate.node import RULES, CopiedDatabase, MemoryDatabase, Node, NodeClock, TrueTime

START = datetime(2026, 9, 1, 9, tzinfo=UTC)
HOSTS = ("north", "river", "oak", "maple")
MEMBERS = ("ana", "ben", "kim")
FLOOR_MINUTES = -240
LIMITS = TimebankLimits(
    line_minutes=240,
    max_transfer_minutes=120,
    offer_lifetime_days=2,
    sync_page_messages_max=8,
    statement_every_hours=6,
)


def origin_of(host: str) -> str:
    return f"https://{host}.example"


def members_of(host: str) -> tuple[str, ...]:
    return tuple(f"{origin_of(host)}/users/{name}" for name in MEMBERS)


NewDatabase = Callable[[], CopiedDatabase]


def settle_in(
    hosts: tuple[str, ...], true: TrueTime, find_agreed: FindAgreed, new_database: NewDatabase | None = None
) -> list[Node]:
    """Linked neighbourhoods, as they stood when they had just met; in memory unless databases are made for them."""
    if new_database is None:
        databases, images = [_database_of(host) for host in hosts], _images(hosts)
    else:
        databases, images = [new_database() for _ in hosts], _founded(hosts, new_database)
    settled = zip(hosts, databases, images, strict=True)
    return [node_of(host, database, image, true, find_agreed) for host, database, image in settled]


def node_of(host: str, database: CopiedDatabase, image: Any, true: TrueTime, find_agreed: FindAgreed) -> Node:
    database.put_back(image)
    return Node(Names(origin_of(host)), database, NodeClock(true), members_of(host), LIMITS, find_agreed)


@cache
def _database_of(host: str) -> CopiedDatabase:
    """One for each place, filled anew for each run: it has compiled every statement before."""
    return MemoryDatabase()


@cache
def _images(hosts: tuple[str, ...]) -> tuple[Any, ...]:
    return _founded(hosts, MemoryDatabase)


def _founded(hosts: tuple[str, ...], new_database: NewDatabase) -> tuple[Any, ...]:
    """The databases of these neighbourhoods after all of them were linked with each other; the same in each process."""
    with seeded(0):
        return _linked(hosts, new_database)


def _linked(hosts: tuple[str, ...], new_database: NewDatabase) -> tuple[Any, ...]:
    true = TrueTime(START)
    nodes = [_found(host, true, new_database()) for host in hosts]
    for node in nodes:
        for other in nodes:
            if other is not node:
                _meet(node, other)
    for place, node in enumerate(nodes):
        for other in nodes[place + 1 :]:
            _link(node, other)
    return tuple(node.database.image for node in nodes)


def _found(host: str, true: TrueTime, database: CopiedDatabase) -> Node:
    node = Node(Names(origin_of(host)), database, NodeClock(true), members_of(host), LIMITS, nothing_agreed)
    metadata.create_all(node.database.engine)
    outbox.tables.metadata.create_all(node.database.engine)
    with node.work() as work:
        keys = replace(some_keys(), ed25519_pem=private_to_pem(_key_from(host.ljust(32).encode())))
        actors.create_actor(work, Kind.LEDGER, "", name="hours", keys=keys)
        commands.open_chest(work)
        for member in node.members:
            commands.open_account(work, AccountKind.MEMBER, member, floor_minutes=FLOOR_MINUTES)
    return node


def _key_from(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def _document(node: Node) -> dict[str, Any]:
    with node.database.read() as connection:
        ledger = actor_queries.by_handle(connection, "ledger")
        assert ledger
        return actor_document(ledger, actor_queries.own_keys(connection, ledger.uri), node.names)


def _meet(node: Node, other: Node) -> None:
    with node.work() as work:
        actors.remember(work, parse_actor(_document(other), RULES, node.clock.now()))


def _link(node: Node, other: Node) -> None:
    ledger = parse_actor(_document(other), RULES, node.clock.now())
    facts = peering.PeerFacts.of(other.names.host, other.names.origin, ledger)
    with node.work() as work:
        peering.propose(work, facts, LIMITS, line_minutes=LIMITS.line_minutes)
    _carry(node, other)
    with other.work() as work:
        peering.accept(work, node.ledger, LIMITS, line_minutes=LIMITS.line_minutes)
    _carry(other, node)


def _carry(node: Node, other: Node) -> None:
    for number, _, body in node.unsent():
        other.take(node.ledger, body)
        node.mark_sent(number)


# chance and speed


QUIET = SimpleNamespace(info=lambda *_, **__: None, error=lambda *_, **__: None)


class SeededSecrets:
    """Stands in for the module ``secrets``, so that one seed replays everything."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def randbelow(self, below: int) -> int:
        return self._chance.randrange(below)

    def token_hex(self, size: int) -> str:
        return self._chance.randbytes(size).hex()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """All chance inside the product comes from this seed."""
    chance = random.Random(seed)
    secrets = SeededSecrets(chance)
    with (
        patch.object(ids, "secrets", secrets),
        patch.object(transfers, "secrets", secrets),
        patch.object(channel, "random", chance),
        patch.object(actors, "generate_ed25519", lambda: _key_from(chance.randbytes(32))),
        patch.object(sync, "log", QUIET),
        patch.object(carry_out, "log", QUIET),
        fast(),
    ):
        yield


@contextmanager
def fast() -> Iterator[None]:
    """The canonical form by a quicker writer, and each signature verified once; tests show that both say the same."""
    quick = SimpleNamespace(dumps=quick_canonical, CanonicalizationError=proofs.rfc8785.CanonicalizationError)
    with patch.object(proofs, "rfc8785", quick), patch.object(pinned, "_verifies", _verifies):
        yield


_slow_canonical = proofs.rfc8785.dumps
_slow_verifies = pinned._verifies


def quick_canonical(document: Any) -> bytes:
    """RFC 8785 for what the timebank signs: no fractions, and names in ASCII, which sort alike in UTF-8 and UTF-16."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _verifies(document: Any, actor: str, key: PinnedKey) -> bool:
    return _verified_once(orjson.dumps(document), actor, key)


@lru_cache(maxsize=50_000)
def _verified_once(document: bytes, actor: str, key: PinnedKey) -> bool:
    return _slow_verifies(orjson.loads(document), actor, key)


def days(number: float) -> timedelta:
    return timedelta(days=number)
