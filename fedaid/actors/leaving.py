"""An actor of ours is no more: nothing speaks for it again, and whoever has something of it hears so."""

from dataclasses import dataclass

from sqlalchemy import delete, or_, update

from fedaid.actors import queries
from fedaid.actors.rules import Kind
from fedaid.actors.tables import follow, local_actor
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import Work


@dataclass(frozen=True)
class ActorLeft:
    """An actor of ours is no more; ``known_to`` are the ids of those elsewhere that it followed or was followed by."""

    uri: str
    known_to: tuple[str, ...]


def leave(work: Work, uri: str) -> None:
    """Take an actor of ours away for good; its handle and its keys stay taken. Harmless when it is gone already.

    Raises NotFound, and Refused for the server and the ledger.
    """
    actor = queries.by_uri(work.connection, uri)
    if actor is None:
        raise NotFound
    if actor.kind not in (Kind.PERSON, Kind.GROUP):
        raise Refused("not_leaving", "The server and the ledger cannot leave.")
    if actor.gone_at is not None:
        return
    known_to = _known_to(work, uri)
    work.connection.execute(delete(follow).where(or_(follow.c.follower == uri, follow.c.followee == uri)))
    emptied = {"gone_at": work.now, "name": actor.handle, "summary": "", "also_known_as": "[]"}
    work.connection.execute(update(local_actor).where(local_actor.c.uri == uri).values(emptied))
    work.record(ActorLeft(uri, known_to))


def _known_to(work: Work, uri: str) -> tuple[str, ...]:
    followers = [one.follower for one in queries.follows_to(work.connection, uri)]
    followed = [one.followee for one in queries.follows_by(work.connection, uri)]
    return tuple(one for one in dict.fromkeys((*followers, *followed)) if not work.names.is_ours(one))
