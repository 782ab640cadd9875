"""Actors that live elsewhere from now on: those we followed, and our own (attack S49)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import select, update

from activitypub.documents import Actor
from fedaid.actors import commands, queries
from fedaid.actors.commands import ActorChanged
from fedaid.actors.limits import ActorLimits
from fedaid.actors.queries import LocalActor
from fedaid.actors.rules import Kind
from fedaid.actors.tables import local_actor, remote_actor
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import Work

ALIASES_MAX = 10
MOVABLE = frozenset({Kind.PERSON, Kind.GROUP})


@dataclass(frozen=True)
class ActorMoved:
    """An actor of ours lives elsewhere from now on; both are ids."""

    uri: str
    target: str


def add_alias(work: Work, uri: str, alias: str) -> None:
    """An actor of ours says that it is also another one, elsewhere, which may then move here. Raises Refused."""
    actor = _movable(work, uri)
    if alias == uri:
        raise Refused("alias_self", "An account is not an alias of itself.")
    if alias in actor.also_known_as:
        return
    if len(actor.also_known_as) >= ALIASES_MAX:
        raise Refused("alias_count", said("An account has at most %(count)s aliases.", count=ALIASES_MAX))
    _set_aliases(work, uri, (*actor.also_known_as, alias))


def drop_alias(work: Work, uri: str, alias: str) -> None:
    """It is no longer that one; harmless when it never was."""
    actor = _movable(work, uri)
    if alias in actor.also_known_as:
        _set_aliases(work, uri, [one for one in actor.also_known_as if one != alias])


def _set_aliases(work: Work, uri: str, aliases: Iterable[str]) -> None:
    values = {"also_known_as": orjson.dumps(list(aliases)).decode()}
    work.connection.execute(update(local_actor).where(local_actor.c.uri == uri).values(values))
    work.record(ActorChanged(uri))


def move_away(work: Work, uri: str, target: Actor, limits: ActorLimits) -> None:
    """An actor of ours moves to ``target``, which we ourselves fetched just now; its followers are told.

    Raises Refused unless the target says that it is also known as this actor, and so soon after another move.
    """
    actor = _movable(work, uri)
    _check_alias(uri, target.also_known_as)
    if actor.moved_to == target.id.text:
        return
    _check_pause(actor.moved_at, work.now, limits)
    moved = {"moved_to": target.id.text, "moved_at": work.now}
    work.connection.execute(update(local_actor).where(local_actor.c.uri == uri).values(moved))
    work.record(ActorMoved(uri, target.id.text))
    work.record(ActorChanged(uri))
    commands.remember(work, target)
    _follow_instead(work, uri, target.id.text)


def receive_move(work: Work, uri: str, target: Actor, limits: ActorLimits) -> None:
    """An actor elsewhere moved to another elsewhere, whose own document we fetched just now: ours who followed it do.

    Raises Refused unless the target says so too, and so soon after another move.
    """
    _check_alias(uri, target.also_known_as)
    if target.id.text == uri or not _note_move(work, uri, target.id.text, limits):
        return
    commands.remember(work, target)
    _follow_instead(work, uri, target.id.text)


def receive_move_here(work: Work, uri: str, target: str, limits: ActorLimits) -> None:
    """An actor elsewhere moved to one of ours. Raises NotFound, and Refused unless ours says so too."""
    _check_alias(uri, _movable(work, target).also_known_as)
    if _note_move(work, uri, target, limits):
        _follow_instead(work, uri, target)


def _movable(work: Work, uri: str) -> LocalActor:
    actor = queries.by_uri(work.connection, uri)
    if actor is None or actor.gone_at is not None:
        raise NotFound
    if actor.kind not in MOVABLE:
        raise Refused("not_movable", "The server and the ledger stay where they are.")
    return actor


def _check_alias(uri: str, also_known_as: Iterable[str]) -> None:
    if uri not in also_known_as:
        raise Refused(
            "not_known_as", said("The new account does not say that it is also known as %(uri)s.", uri=uri), 403
        )


def _check_pause(moved_at: datetime | None, now: datetime, limits: ActorLimits) -> None:
    if moved_at is not None and now - moved_at < timedelta(days=limits.move_pause_days):
        raise Refused(
            "moved_lately", said("An account moves at most once in %(count)s days.", count=limits.move_pause_days), 429
        )


def _note_move(work: Work, uri: str, target: str, limits: ActorLimits) -> bool:
    """Whether this is news: the same move again is not."""
    columns = (remote_actor.c.moved_to, remote_actor.c.moved_at)
    known = work.connection.execute(select(*columns).where(remote_actor.c.uri == uri).with_for_update()).one_or_none()
    if known is None:
        raise NotFound
    if known.moved_to == target:
        return False
    _check_pause(known.moved_at, work.now, limits)
    moved = {"moved_to": target, "moved_at": work.now}
    work.connection.execute(update(remote_actor).where(remote_actor.c.uri == uri).values(moved))
    return True


def _follow_instead(work: Work, old: str, new: str) -> None:
    """Ours who followed the old one follow the new one."""
    for known in queries.follows_to(work.connection, old):
        if not work.names.is_ours(known.follower):
            continue  # their own server sees to it
        if known.follower != new:
            commands.follow(work, known.follower, new)
        commands.unfollow(work, known.follower, old)
