"""Inbox forwarding (ActivityPub 7.1.2): what answers something of ours goes on to our followers, if its author says so.

Only what is public, is addressed to the followers of the actor that it answers, and carries a proof, since those
who get it from us could not believe it otherwise. Nobody gets more to read than its author named (attack S46).
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from activitypub.accessors import Document, links
from activitypub.documents import Activity, is_public
from fedaid.actors import queries
from fedaid.actors.limits import ActorLimits
from fedaid.foundation.clock import milliseconds
from fedaid.foundation.work import Work
from inbox.ports import Handler, Letter
from outbox import collection as sent
from outbox.queue import Outgoing, post

FORWARDED_TYPES = ("Create", "Update", "Delete")
Fetched = Mapping[str, Mapping[str, Any]]

_log = structlog.get_logger()


@dataclass(frozen=True)
class Forwarding:
    """Forwards what one of the handlers takes: what is refused here, or means nothing here, goes nowhere."""

    handlers: Sequence[Handler[Work]]
    limits: ActorLimits

    def wants(self, activity: Activity) -> Sequence[str]:
        return list(itertools.chain.from_iterable(handler.wants(activity) for handler in self.handlers))

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        taken = any(handler.apply(work, letter, fetched) for handler in self.handlers)
        if taken:
            forward(work, letter.activity, self.limits)
        return taken


def forward(work: Work, activity: Activity, limits: ActorLimits) -> None:
    """Send it on to the followers of the actor that it answers, if it may be; that actor signs, and changes nothing."""
    if "proof" not in activity.raw or not _is_public(activity):
        return
    actor = _answered(work, activity)
    if actor is None:
        return
    followers = queries.follower_count(work.connection, actor)
    if followers > limits.forward_followers_max:
        _log.info("forwarding_left_out", activity=activity.id.text, actor=actor, followers=followers)
        return
    post(work.connection, Outgoing(activity.raw, actor, followers_of=actor), milliseconds(work.now))


def _is_public(activity: Activity) -> bool:
    """Whether anybody may read all of it: what is inside may be meant for fewer than what it came in."""
    inner = activity.object or {}
    to, cc = links(inner, "to"), links(inner, "cc")
    return is_public(activity.to, activity.cc) and (is_public(to, cc) or not (to or cc))


def _answered(work: Work, activity: Activity) -> str | None:
    """The actor of ours whose thing this answers, and whose followers its author wrote to."""
    if activity.type == "Delete":
        return _forwarded_before(work, activity)
    for address in links(activity.object or {}, "inReplyTo"):
        actor = _owner_of_public_thing(work, address)
        if actor is not None and f"{actor}/followers" in (*activity.to, *activity.cc):
            return actor
    return None


def _owner_of_public_thing(work: Work, address: str) -> str | None:
    """Who of ours told everybody about it; a made-up or withdrawn thing makes nobody a relay."""
    if not work.names.is_ours(address):
        return None
    last = sent.latest_about(work.connection, address)
    return last.actor if last is not None and last.public and last.type != "Delete" else None


def _forwarded_before(work: Work, activity: Activity) -> str | None:
    """Who of ours forwarded what is deleted now: whoever got it from us must hear of this from us too."""
    last = sent.latest_about(work.connection, activity.object_id or "")
    if last is None or work.names.is_ours(last.activity_id):
        return None
    author: Document = orjson.loads(last.body)
    return last.actor if author.get("actor") == activity.actor.text else None
