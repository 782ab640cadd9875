"""Reads about actors: ours by handle or id, the ones we met, their keys and mailboxes, and who follows whom."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, bindparam, exists, func, or_, select

from activitypub.keys import PrivateKey, SigningKey, VerificationKey, private_from_pem
from activitypub.keys import public_from_multibase as ed25519_from_text
from activitypub.keys import public_from_pem as rsa_from_text
from fedaid.actors.rules import FollowState, Kind, folded
from fedaid.actors.tables import actor_block, follow, local_actor, remote_actor, remote_key
from fedaid.foundation.names import origin_of
from outbox.ports import Mailbox

PRIVATE_KEYS_KEPT_MAX = 1_000  # as objects; a signature with one costs half of what reading its PEM does
URIS_PER_QUERY = 500  # SQLite's parameters have a limit


@dataclass(frozen=True)
class LocalActor:
    """One of our own actors.

    gone_at        set once it has left; its handle stays taken
    also_known_as  ids of actors elsewhere that it says it is too, or was
    moved_to       the id of the actor elsewhere that it is now
    """

    id: int
    uri: str
    handle: str
    kind: Kind
    name: str
    summary: str
    manually_approves: bool
    created_at: datetime
    gone_at: datetime | None
    also_known_as: tuple[str, ...] = ()
    moved_to: str | None = None
    moved_at: datetime | None = None


@dataclass(frozen=True)
class RemoteActor:
    """An actor of another server as its own document said when we fetched it.

    host     with the port where it is not the scheme's own
    handle   the name before the @; empty for an actor that goes by none (preferredUsername is optional)
    page     where people see it; the id when the actor names no page
    indexable, discoverable   whether it wants to be found by search, and by strangers (FEP-5feb)
    server, ledger, board   of a fedaid server or ledger actor: the ids named by fa:server, fa:ledger and fa:board
    """

    id: int
    uri: str
    host: str
    type: str
    handle: str
    name: str
    page: str
    inbox: str
    shared_inbox: str | None
    followers: str | None
    server: str | None
    ledger: str | None
    board: str | None
    indexable: bool
    discoverable: bool
    fetched_at: datetime
    gone_at: datetime | None


@dataclass(frozen=True)
class Card:
    """What a page shows of any actor, ours or not: ``handle`` is the full one, ``@ben@riverside.example``.

    An actor of another server that goes by no name is shown with its id instead, without the scheme.
    """

    uri: str
    handle: str
    name: str
    page: str
    host: str
    is_ours: bool


@dataclass(frozen=True)
class Follow:
    """One follow, by the ids of both ends; ``activity_id`` is that of the Follow last seen."""

    id: int
    follower: str
    followee: str
    state: FollowState
    activity_id: str
    created_at: datetime


@dataclass(frozen=True)
class Block:
    """Somebody wants nothing more to do with somebody, by the ids of both; ``activity_id`` is that of the Block."""

    id: int
    blocker: str
    blocked: str
    activity_id: str
    created_at: datetime


_LOCAL = [local_actor.c[name] for name in LocalActor.__dataclass_fields__]  # keys stay out of every page
_REMOTE = [remote_actor.c[name] for name in RemoteActor.__dataclass_fields__]


def _local(row: Row[tuple[object, ...]]) -> LocalActor:
    found = row._mapping
    read = {"kind": Kind(found["kind"]), "also_known_as": tuple(orjson.loads(found["also_known_as"]))}
    return LocalActor(**{**found, **read})


def _local_where(connection: Connection, condition: object) -> LocalActor | None:
    row = connection.execute(select(*_LOCAL).where(condition)).one_or_none()  # type: ignore[arg-type]
    return _local(row) if row is not None else None


def by_handle(connection: Connection, handle: str) -> LocalActor | None:
    """Our actor with this handle, upper or lower case."""
    return _local_where(connection, local_actor.c.handle == folded(handle))


def by_uri(connection: Connection, uri: str) -> LocalActor | None:
    """Our actor with this id; an address that no database can store is nobody's."""
    if not uri.isprintable():
        return None
    return _local_where(connection, local_actor.c.uri == uri)


def by_id(connection: Connection, actor_id: int) -> LocalActor | None:
    """Our actor with this row id."""
    return _local_where(connection, local_actor.c.id == actor_id)


def with_actors(actor_id: Column[int], *columns: ColumnElement[Any]) -> Select[tuple[object, ...]]:
    """Rows that speak as an actor of ours which has not left: these columns, with the id, uri, handle, name and
    summary of the actor, as ``actor_id``, ``actor`` and so on."""
    table = local_actor.c
    spoken_as = (actor_id, table.uri.label("actor"), table.handle, table.name, table.summary)
    return select(*columns, *spoken_as).join(local_actor, table.id == actor_id).where(table.gone_at.is_(None))


def handle_is_taken(connection: Connection, handle: str) -> bool:
    """Whether the handle belongs, or once belonged, to an actor of ours."""
    return by_handle(connection, handle) is not None


def of_kind(connection: Connection, kind: Kind) -> Sequence[LocalActor]:
    """Our actors of one kind that have not left, oldest first."""
    wanted = (local_actor.c.kind == kind) & local_actor.c.gone_at.is_(None)
    return [_local(row) for row in connection.execute(select(*_LOCAL).where(wanted).order_by(local_actor.c.id))]


def remote(connection: Connection, uri: str) -> RemoteActor | None:
    """The actor of another server, if we have met it."""
    row = connection.execute(select(*_REMOTE).where(remote_actor.c.uri == uri)).one_or_none()
    return RemoteActor(**row._mapping) if row is not None else None


def remote_by_handle(connection: Connection, handle: str, host: str) -> RemoteActor | None:
    """The actor of another server that calls itself ``@handle@host``, if we have met it; the newest of several."""
    theirs = (func.lower(remote_actor.c.handle) == folded(handle)) & (remote_actor.c.host == folded(host))
    query = select(*_REMOTE).where(theirs, remote_actor.c.gone_at.is_(None)).order_by(remote_actor.c.id.desc())
    row = connection.execute(query.limit(1)).one_or_none()
    return RemoteActor(**row._mapping) if row is not None else None


def read_rfc9421(connection: Connection, hosts: Sequence[str]) -> frozenset[str]:
    """Those of the hosts an actor of which said of its server that it reads RFC 9421 signatures (FEP-844e)."""
    return frozenset(connection.execute(_READ_RFC9421, {"hosts": hosts}).scalars())


_READ_RFC9421 = (
    select(remote_actor.c.host)
    .where(remote_actor.c.host.in_(bindparam("hosts", expanding=True)), remote_actor.c.rfc9421.is_(True))
    .distinct()
)


def document_of(connection: Connection, uri: str) -> str | None:
    """The document of a remote actor as it was fetched, JSON text."""
    return connection.execute(select(remote_actor.c.document).where(remote_actor.c.uri == uri)).scalar_one_or_none()


def cards(connection: Connection, uris: Sequence[str], our_host: str) -> dict[str, Card]:
    """What pages show of these actors, by id; actors we do not know are left out."""
    found: dict[str, Card] = {}
    wanted = list(dict.fromkeys(uris))
    for start in range(0, len(wanted), URIS_PER_QUERY):
        part = wanted[start : start + URIS_PER_QUERY]
        for local in connection.execute(select(*_LOCAL).where(local_actor.c.uri.in_(part))):
            found[local.uri] = _our_card(_local(local), our_host)
        for row in connection.execute(select(*_REMOTE).where(remote_actor.c.uri.in_(part))):
            found[row.uri] = Card(row.uri, _full_handle(row), row.name, row.page, row.host, is_ours=False)
    return found


def _full_handle(row: Row[Any]) -> str:
    """What people tell each other to find the actor; where it goes by no name, its id without the scheme."""
    return f"@{row.handle}@{row.host}" if row.handle else str(row.uri).partition("://")[2]


def card(connection: Connection, uri: str, our_host: str) -> Card:
    """What pages show of one actor; of one we have not met, only its id and host are known."""
    known = cards(connection, [uri], our_host).get(uri)
    if known is not None:
        return known
    host = origin_of(uri).partition("://")[2]
    return Card(uri, host, host, uri, host, is_ours=False)


def _our_card(actor: LocalActor, our_host: str) -> Card:
    origin = actor.uri.split("/", 3)[:3]
    page = f"{'/'.join(origin)}/@{actor.handle}"
    return Card(actor.uri, f"@{actor.handle}@{our_host}", actor.name, page, our_host, is_ours=True)


@dataclass(frozen=True)
class OwnKeys:
    """The private keys of one of our actors; never shown, never logged.

    old_main, old_assertion   those before, until ``old_until``; None where they were never replaced, or are forgotten
    """

    main: SigningKey
    assertion: SigningKey
    old_main: SigningKey | None = None
    old_assertion: SigningKey | None = None
    old_until: datetime | None = None


def own_keys(connection: Connection, uri: str) -> OwnKeys:
    """Both keys of one of our actors, and those before them. Raises LookupError when it is not ours."""
    row = connection.execute(select(*_KEYS).where(local_actor.c.uri == uri)).one_or_none()
    if row is None:
        raise LookupError("no actor of ours has this id")
    kind, number = Kind(row.kind), row.key_number
    main, assertion = _main(uri, kind, row.rsa_pem, number), _assertion(uri, kind, row.ed25519_pem, number)
    if row.old_keys_until is None:
        return OwnKeys(main, assertion)
    before = _main(uri, kind, row.old_rsa_pem, number - 1), _assertion(uri, kind, row.old_ed25519_pem, number - 1)
    return OwnKeys(main, assertion, *before, row.old_keys_until)


_KEYS = tuple(
    local_actor.c[name]
    for name in ("kind", "rsa_pem", "ed25519_pem", "key_number", "old_rsa_pem", "old_ed25519_pem", "old_keys_until")
)


def _main(uri: str, kind: Kind, pem: str, number: int) -> SigningKey:
    # The ledger's number is that of its Ed25519 key, which alone is ever renewed (fedaid.timebank.commands.keys).
    return SigningKey(f"{uri}#{_numbered('main-key', 1 if kind is Kind.LEDGER else number)}", uri, _private(pem))


def _assertion(uri: str, kind: Kind, pem: str, number: int) -> SigningKey:
    return SigningKey(f"{uri}#{assertion_key_name(kind, number)}", uri, _private(pem))


def _numbered(name: str, number: int) -> str:
    """A replaced key has another name, so that nobody takes a copy of the old one for the new."""
    return name if number == 1 else f"{name}-{number}"


@lru_cache(maxsize=PRIVATE_KEYS_KEPT_MAX)
def _private(pem: str) -> PrivateKey:
    return private_from_pem(pem)  # and all that is signed needs one


def assertion_key_name(kind: Kind, number: int = 1) -> str:
    """The fragment of the Ed25519 key's id. The ledger's is the pinned ledger key, the how-manieth by ``number``."""
    return f"key-{number}" if kind is Kind.LEDGER else _numbered("ed25519-key", number)


def signing_key(connection: Connection, uri: str) -> SigningKey:
    """The RSA key that signs requests of our actor. Raises LookupError when it is not ours."""
    return own_keys(connection, uri).main


def ed25519_key(connection: Connection, uri: str) -> SigningKey:
    """The Ed25519 key that signs documents of our actor. Raises LookupError when it is not ours."""
    return own_keys(connection, uri).assertion


def key(connection: Connection, key_id: str) -> VerificationKey | None:
    """A stranger's key as we fetched it, or None when we never did."""
    row = connection.execute(select(remote_key).where(remote_key.c.key_id == key_id)).one_or_none()
    return _verification_key(row) if row is not None else None


def keys_of(connection: Connection, owner: str) -> Sequence[VerificationKey]:
    """All stored keys of one remote actor."""
    rows = connection.execute(select(remote_key).where(remote_key.c.owner == owner).order_by(remote_key.c.key_id))
    return [_verification_key(row) for row in rows]


def _verification_key(row: Row[tuple[object, ...]]) -> VerificationKey:
    read = rsa_from_text if row.algorithm == "rsa" else ed25519_from_text
    return VerificationKey(row.key_id, row.owner, read(row.public_key), row.fetched_at, row.asserts, row.expires_at)


_MAILBOX = (remote_actor.c.uri, remote_actor.c.inbox, remote_actor.c.shared_inbox)


def mailboxes(connection: Connection, uris: Sequence[str]) -> Sequence[Mailbox]:
    """Where to post for those of the actors that we have met and that are not gone."""
    found: list[Mailbox] = []
    for start in range(0, len(uris), URIS_PER_QUERY):
        wanted = remote_actor.c.uri.in_(uris[start : start + URIS_PER_QUERY]) & remote_actor.c.gone_at.is_(None)
        found.extend(_mailboxes(connection, select(*_MAILBOX).where(wanted).order_by(remote_actor.c.id)))
    return found


def follower_mailboxes(connection: Connection, uri: str) -> Sequence[Mailbox]:
    """The mailboxes of the accepted remote followers of one of our actors."""
    joined = select(*_MAILBOX).join(follow, follow.c.follower == remote_actor.c.uri)
    accepted = (follow.c.followee == uri) & (follow.c.state == FollowState.ACCEPTED)
    return _mailboxes(connection, joined.where(accepted, remote_actor.c.gone_at.is_(None)).order_by(follow.c.id))


def followers_by_inbox(connection: Connection, uri: str) -> Sequence[str]:
    """One of the accepted remote followers of an actor of ours for each inbox that reaches them."""
    found: dict[str, str] = {}
    for one in follower_mailboxes(connection, uri):
        found.setdefault(one.shared_inbox or one.inbox, one.actor)
    return list(found.values())


def _mailboxes(connection: Connection, query: Select[tuple[str, str, str | None]]) -> Sequence[Mailbox]:
    return [Mailbox(row.uri, row.inbox, row.shared_inbox) for row in connection.execute(query)]


def _follow(row: Row[tuple[object, ...]]) -> Follow:
    return Follow(**{**row._mapping, "state": FollowState(row._mapping["state"])})


def follow_between(connection: Connection, follower: str, followee: str) -> Follow | None:
    """The follow of one actor by another, asked or accepted."""
    pair = (follow.c.follower == follower) & (follow.c.followee == followee)
    row = connection.execute(select(follow).where(pair)).one_or_none()
    return _follow(row) if row is not None else None


def follow_by_activity(connection: Connection, activity_id: str, follower: str | None = None) -> Follow | None:
    """The follow that this Follow activity asked for; with ``follower`` only theirs, as ids can be copied."""
    query = select(follow).where(follow.c.activity_id == activity_id).order_by(follow.c.id)
    if follower is not None:
        query = query.where(follow.c.follower == follower)
    row = connection.execute(query).first()
    return _follow(row) if row is not None else None


def block_between(connection: Connection, blocker: str, blocked: str) -> Block | None:
    """The block of one actor by another, in this direction."""
    pair = (actor_block.c.blocker == blocker) & (actor_block.c.blocked == blocked)
    row = connection.execute(select(actor_block).where(pair)).one_or_none()
    return Block(**row._mapping) if row is not None else None


def block_by_activity(connection: Connection, activity_id: str, blocker: str) -> Block | None:
    """The block that this Block activity of the blocker's made."""
    theirs = (actor_block.c.activity_id == activity_id) & (actor_block.c.blocker == blocker)
    row = connection.execute(select(actor_block).where(theirs)).first()
    return Block(**row._mapping) if row is not None else None


def is_block_between(connection: Connection, one: str, other: str) -> bool:
    """Whether either of the two blocks the other."""
    return block_between(connection, one, other) is not None or block_between(connection, other, one) is not None


def blocks_by(connection: Connection, blocker: str) -> Sequence[Block]:
    """Everybody whom an actor blocks, the newest first."""
    query = select(actor_block).where(actor_block.c.blocker == blocker).order_by(actor_block.c.id.desc())
    return [Block(**row._mapping) for row in connection.execute(query)]


def blockers_of(connection: Connection, blocked: str) -> frozenset[str]:
    """Everybody who blocks an actor."""
    return frozenset(
        connection.execute(select(actor_block.c.blocker).where(actor_block.c.blocked == blocked)).scalars()
    )


def no_block_between(viewer: str, *actors: ColumnElement[str] | ColumnElement[str | None]) -> ColumnElement[bool]:
    """The condition that neither the viewer nor any of these columns' actors blocks the other."""
    theirs = or_(*((actor_block.c.blocked == one) & (actor_block.c.blocker == viewer) for one in actors))
    of_viewer = or_(*((actor_block.c.blocker == one) & (actor_block.c.blocked == viewer) for one in actors))
    return ~exists().where(or_(theirs, of_viewer))


def is_following(connection: Connection, follower: str, followee: str) -> bool:
    """Whether the follow was accepted."""
    found = follow_between(connection, follower, followee)
    return found is not None and found.state is FollowState.ACCEPTED


def follows_to(connection: Connection, followee: str) -> Sequence[Follow]:
    """All follows of an actor, asked and accepted; of a remote one these are ours."""
    query = select(follow).where(follow.c.followee == followee).order_by(follow.c.id)
    return [_follow(row) for row in connection.execute(query)]


def follows_by(connection: Connection, follower: str) -> Sequence[Follow]:
    """All follows by an actor, asked and accepted."""
    query = select(follow).where(follow.c.follower == follower).order_by(follow.c.id)
    return [_follow(row) for row in connection.execute(query)]


def followers_at(connection: Connection, uri: str, origins: Collection[str]) -> Mapping[str, Sequence[str]]:
    """The ids of an actor's accepted followers at each of these origins, written without a slash at the end (FEP-8fcf).

    Found by their hosts, as a look through all followers for each server that is written to would take its square. We
    know every follower's host: whose Follow is taken has signed it, and whoever signs is remembered with their key.
    """
    found: dict[str, list[str]] = {origin: [] for origin in origins}
    asked = {"followee": uri, "hosts": sorted({origin.partition("://")[2] for origin in origins})}
    for follower in connection.execute(_FOLLOWERS_AT, asked).scalars():
        if (there := found.get(origin_of(follower))) is not None:
            there.append(follower)
    return found


_FOLLOWERS_AT = (
    select(follow.c.follower)
    .join(remote_actor, remote_actor.c.uri == follow.c.follower)
    .where(
        remote_actor.c.host.in_(bindparam("hosts", expanding=True)),
        follow.c.followee == bindparam("followee"),
        follow.c.state == FollowState.ACCEPTED,
    )
    .order_by(follow.c.id)
)


def followers_of(connection: Connection, uri: str, *, limit: int, after: int = 0) -> Sequence[Follow]:
    """Accepted follows of an actor, oldest first, from the follow with an id above ``after``."""
    return _follows(connection, follow.c.followee == uri, limit, after)


def following_of(connection: Connection, uri: str, *, limit: int, after: int = 0) -> Sequence[Follow]:
    """Accepted follows by an actor, oldest first, from the follow with an id above ``after``."""
    return _follows(connection, follow.c.follower == uri, limit, after)


def _follows(connection: Connection, side: object, limit: int, after: int) -> Sequence[Follow]:
    accepted = select(follow).where(side, follow.c.state == FollowState.ACCEPTED)  # type: ignore[arg-type]
    query = accepted.where(follow.c.id > after).order_by(follow.c.id).limit(limit)
    return [_follow(row) for row in connection.execute(query)]


def follower_count(connection: Connection, uri: str) -> int:
    """How many accepted followers an actor has."""
    return _count(connection, follow.c.followee == uri)


def following_count(connection: Connection, uri: str) -> int:
    """How many actors an actor follows."""
    return _count(connection, follow.c.follower == uri)


def _count(connection: Connection, side: object) -> int:
    query = select(func.count()).select_from(follow).where(side, follow.c.state == FollowState.ACCEPTED)  # type: ignore[arg-type]
    return connection.execute(query).scalar_one()


def count_of_kind(connection: Connection, kind: Kind) -> int:
    """How many of our actors of one kind have not left."""
    wanted = (local_actor.c.kind == kind) & local_actor.c.gone_at.is_(None)
    return connection.execute(select(func.count()).select_from(local_actor).where(wanted)).scalar_one()
