"""Others' activities about follows and about themselves, as commands; each checks that the sender may say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activitypub.documents import Activity, has_type, link, parse_actor, types
from activitypub.identifiers import UrlRules
from activitypub.vocabulary import ACTOR_TYPES
from fedaid.actors import commands, moves, queries
from fedaid.actors.limits import ActorLimits
from fedaid.actors.queries import Follow
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from inbox.ports import Handler, Letter

Fetched = Mapping[str, Mapping[str, Any]]


def handlers(rules: UrlRules, limits: ActorLimits | None = None) -> Mapping[str, Sequence[Handler[Work]]]:
    """Who handles what, by the type of the activity."""
    return {
        "Follow": (FollowHandler(),),
        "Accept": (AnswerHandler(accept=True),),
        "Reject": (AnswerHandler(accept=False),),
        "Undo": (UndoFollowHandler(), UndoBlockHandler()),
        "Block": (BlockHandler(),),
        "Update": (UpdateActorHandler(rules),),
        "Delete": (DeleteActorHandler(),),
        "Move": (MoveHandler(rules, limits or ActorLimits()),),
    }


class FollowHandler:
    """Somebody wants to follow an actor of ours."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        followee = letter.activity.object_id
        if followee is None or not work.names.is_ours(followee):
            return False
        commands.receive_follow(work, letter.sender.actor.text, followee, letter.activity.id.text)
        return True


@dataclass(frozen=True)
class AnswerHandler:
    """Somebody answers a Follow that an actor of ours sent (attack S43)."""

    accept: bool

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        known = self._follow(work, letter.activity)
        if known is None:
            if _embeds_follow(letter.activity):
                raise Refused("no_such_follow", "Nobody here asked for this Follow.", 404)
            return False
        commands.receive_answer(work, known, letter.sender.actor.text, accept=self.accept)
        return True

    def _follow(self, work: Work, activity: Activity) -> Follow | None:
        by_id = queries.follow_by_activity(work.connection, activity.object_id) if activity.object_id else None
        return by_id or _embedded_follow(work, activity)


class UndoFollowHandler:
    """Somebody no longer follows an actor of ours (attack S44)."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        sender, reference = letter.sender.actor.text, letter.activity.object_id
        theirs = queries.follow_by_activity(work.connection, reference, sender) if reference else None
        known = theirs or _embedded_follow(work, letter.activity)
        if known is None and reference:
            known = queries.follow_by_activity(work.connection, reference)
        if known is not None:
            commands.receive_undo(work, known, sender)
            return True
        return _embeds_follow(letter.activity)  # undone already: nothing is left to do


def _embeds_follow(activity: Activity) -> bool:
    return activity.object is not None and has_type(activity.object, "Follow")


def _embedded_follow(work: Work, activity: Activity) -> Follow | None:
    """The follow that an embedded Follow speaks of: whoever repeats one may have lost its id."""
    if activity.object is None or not has_type(activity.object, "Follow"):
        return None
    follower, followee = link(activity.object.get("actor")), link(activity.object.get("object"))
    if not follower or not followee:
        return None
    return queries.follow_between(work.connection, follower, followee)


class BlockHandler:
    """Somebody wants nothing more to do with an actor of ours."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        blocked = letter.activity.object_id
        if blocked is None or not work.names.is_ours(blocked):
            return False
        commands.receive_block(work, letter.sender.actor.text, blocked, letter.activity.id.text)
        return True


class UndoBlockHandler:
    """Somebody takes their block of an actor of ours back (attack S44)."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        sender, undone = letter.sender.actor.text, letter.activity.object
        reference = letter.activity.object_id
        known = queries.block_by_activity(work.connection, reference, sender) if reference else None
        if undone is None or not has_type(undone, "Block"):
            if known is not None:
                commands.receive_unblock(work, known, sender)
            return known is not None
        blocker, blocked = link(undone.get("actor")), link(undone.get("object"))
        if known is None and blocker and blocked:
            known = queries.block_between(work.connection, blocker, blocked)
        if known is not None:
            commands.receive_unblock(work, known, sender)
        return True


@dataclass(frozen=True)
class UpdateActorHandler:
    """Somebody says that they changed. It is only a hint: what counts is their document as we fetch it (attack S42)."""

    rules: UrlRules

    def wants(self, activity: Activity) -> Sequence[str]:
        return (activity.actor.text,) if activity.object_id == activity.actor.text else ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        sender, activity = letter.sender.actor.text, letter.activity
        if activity.object_id != sender:
            if activity.object is not None and not ACTOR_TYPES.isdisjoint(types(activity.object)):
                raise Refused("not_yours", "An actor can only be changed by itself.", 403)
            return False
        document = fetched.get(sender)
        if document is not None:
            actor = parse_actor(document, self.rules, work.now)
            if actor.id.text == sender:
                commands.remember(work, actor)
        return True


class DeleteActorHandler:
    """Somebody deletes themselves. Nobody can delete another (attack S41)."""

    def wants(self, activity: Activity) -> Sequence[str]:
        return ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        sender, target = letter.sender.actor.text, letter.activity.object_id
        if target is None:
            return False
        if target != sender:
            if queries.remote(work.connection, target) is not None or queries.by_uri(work.connection, target):
                raise Refused("not_yours", "An actor can only be deleted by itself.", 403)
            return False
        commands.forget_gone(work, sender)
        return True


@dataclass(frozen=True)
class MoveHandler:
    """Somebody whom ours follow lives elsewhere now; what counts is the new actor's own document (attack S49)."""

    rules: UrlRules
    limits: ActorLimits

    def wants(self, activity: Activity) -> Sequence[str]:
        target = activity.target_id
        if target is None or activity.object_id != activity.actor.text or not self.rules.accepts(target):
            return ()
        return (target,)

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        sender, activity = letter.sender.actor.text, letter.activity
        if activity.object_id != sender:
            raise Refused("not_yours", "An actor can only be moved by itself.", 403)
        if activity.target_id is None:
            raise Refused("no_target", "The Move does not say where to.")
        if queries.remote(work.connection, sender) is None:
            return False
        if work.names.is_ours(activity.target_id):
            moves.receive_move_here(work, sender, activity.target_id, self.limits)
            return True
        document = fetched.get(activity.target_id)
        if document is None:
            raise Refused("target_unknown", "The actor it moved to could not be asked whether this is so.")
        target = parse_actor(document, self.rules, work.now)
        if target.id.text != activity.target_id:
            raise Refused("target_differs", "The actor it moved to has another id.")
        moves.receive_move(work, sender, target, self.limits)
        return True
