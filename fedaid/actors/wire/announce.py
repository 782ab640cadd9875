"""Facts about follows and actors of ours, as the activities that tell others."""

from collections.abc import Mapping, Sequence
from typing import Any

from activitypub.vocabulary import ACTOR_CONTEXT, PLAIN_CONTEXT, PUBLIC
from fedaid.actors import queries
from fedaid.actors.commands import (
    ActorBlocked,
    ActorChanged,
    ActorUnblocked,
    FollowAnswered,
    FollowAsked,
    FollowWithdrawn,
)
from fedaid.actors.leaving import ActorLeft
from fedaid.actors.moves import ActorMoved
from fedaid.actors.queries import Block, Follow
from fedaid.actors.wire.documents import actor_object
from fedaid.actors.wire.say import say
from fedaid.foundation.work import Announcer, Work
from outbox.queue import RECIPIENTS_MAX, Outgoing


def follow_object(follow: Follow) -> dict[str, Any]:
    """The Follow as it stands in an Accept, a Reject or an Undo."""
    return {"id": follow.activity_id, "type": "Follow", "actor": follow.follower, "object": follow.followee}


def _ask(work: Work, fact: object) -> None:
    if isinstance(fact, FollowAsked):
        follow = fact.follow
        activity = {"@context": PLAIN_CONTEXT, **follow_object(follow), "to": [follow.followee]}
        _send(work, follow.follower, follow.followee, activity)


def _answer(work: Work, fact: object) -> None:
    if isinstance(fact, FollowAnswered):
        follow = fact.follow
        activity = _about(work, "Accept" if fact.accepted else "Reject", follow.followee, follow, follow.follower)
        _send(work, follow.followee, follow.follower, activity)


def _withdraw(work: Work, fact: object) -> None:
    if isinstance(fact, FollowWithdrawn):
        follow = fact.follow
        _send(work, follow.follower, follow.followee, _about(work, "Undo", follow.follower, follow, follow.followee))


def _about(work: Work, kind: str, actor: str, follow: Follow, recipient: str) -> dict[str, Any]:
    return {
        "@context": PLAIN_CONTEXT,
        "id": work.names.activity(work.new_id()),
        "type": kind,
        "actor": actor,
        "to": [recipient],
        "object": follow_object(follow),
    }


def _send(work: Work, sender: str, recipient: str, activity: Mapping[str, Any]) -> None:
    say(work, Outgoing(activity, sender, to=(recipient,)))


def block_object(block: Block) -> dict[str, Any]:
    """The Block as it is sent, and as it stands in an Undo."""
    return {"id": block.activity_id, "type": "Block", "actor": block.blocker, "object": block.blocked}


def _block(work: Work, fact: object) -> None:
    if isinstance(fact, ActorBlocked):
        block = fact.block
        _send(
            work,
            block.blocker,
            block.blocked,
            {"@context": PLAIN_CONTEXT, **block_object(block), "to": [block.blocked]},
        )


def _unblock(work: Work, fact: object) -> None:
    if isinstance(fact, ActorUnblocked):
        block = fact.block
        activity = {
            "@context": PLAIN_CONTEXT,
            "id": work.names.activity(work.new_id()),
            "type": "Undo",
            "actor": block.blocker,
            "to": [block.blocked],
            "object": block_object(block),
        }
        _send(work, block.blocker, block.blocked, activity)


def _tell_change(work: Work, fact: object) -> None:
    if not isinstance(fact, ActorChanged):
        return
    actor = queries.by_uri(work.connection, fact.uri)
    if actor is None:
        return
    keys = queries.own_keys(work.connection, fact.uri)
    activity = {
        "@context": ACTOR_CONTEXT,
        "id": work.names.activity(work.new_id()),
        "type": "Update",
        "actor": actor.uri,
        "to": [PUBLIC],
        "cc": [f"{actor.uri}/followers"],
        "object": actor_object(actor, keys, work.names),
    }
    say(work, Outgoing(activity, actor.uri, followers_of=actor.uri))


def _tell_move(work: Work, fact: object) -> None:
    if not isinstance(fact, ActorMoved):
        return
    activity = {
        "@context": PLAIN_CONTEXT,
        "id": work.names.activity(work.new_id()),
        "type": "Move",
        "actor": fact.uri,
        "to": [f"{fact.uri}/followers"],
        "object": fact.uri,
        "target": fact.target,
    }
    say(work, Outgoing(activity, fact.uri, followers_of=fact.uri))


def _say_farewell(work: Work, fact: object) -> None:
    if not isinstance(fact, ActorLeft):
        return
    activity = {
        "@context": PLAIN_CONTEXT,
        "id": work.names.activity(work.new_id()),
        "type": "Delete",
        "actor": fact.uri,
        "to": [PUBLIC],
        "object": fact.uri,
    }
    say(work, Outgoing(activity, fact.uri, to=fact.known_to[:RECIPIENTS_MAX], everywhere=True))


ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    FollowAsked: (_ask,),
    FollowAnswered: (_answer,),
    FollowWithdrawn: (_withdraw,),
    ActorChanged: (_tell_change,),
    ActorBlocked: (_block,),
    ActorUnblocked: (_unblock,),
    ActorMoved: (_tell_move,),
    ActorLeft: (_say_farewell,),
}
