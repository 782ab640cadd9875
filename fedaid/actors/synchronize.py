"""Keeps what we know of our follows the same as what the followed actors' servers know (FEP-8fcf)."""

import asyncio
from collections.abc import Callable

from activitypub.accessors import link
from activitypub.client import Client, read_collection
from activitypub.errors import MalformedUrl, OriginMismatch
from activitypub.identifiers import UrlRules, same_origin
from activitypub.keys import SigningKey
from activitypub.synchronization import Synchronization, digest_of, parse_header
from fedaid.actors import commands, queries
from fedaid.actors.limits import ActorLimits
from fedaid.actors.rules import FollowState
from fedaid.foundation.errands import Errand, Write, send_on
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import UnitsOfWork

KIND = "synchronize_followers"


class StoredFollowers:
    """Hears how others see who follows them here (inbox.ports.Followers); where we see it otherwise, we go and look."""

    def __init__(self, units: UnitsOfWork, rules: UrlRules) -> None:
        self._units = units
        self._rules = rules

    def told(self, actor: str, header: str) -> None:
        """Compare what an actor says with what we know. What is not about its own followers is ignored."""
        said = parse_header(header)
        if said is None or not self._is_its_own(actor, said):
            return
        with self._units.database.read() as connection:
            known = queries.remote(connection, actor)
            follows = queries.follows_to(connection, actor)
        ours = [one.follower for one in follows if one.state is FollowState.ACCEPTED]
        if known is None or known.followers != said.collection or digest_of(ours) == said.digest:
            return
        with self._units.begin() as work:
            send_on(work, KIND, actor, f"{said.digest} {said.url}")

    def _is_its_own(self, actor: str, said: Synchronization) -> bool:
        """Nobody makes us ask a third server for its followers (attack S12)."""
        try:
            return same_origin(self._rules.parse(said.url), self._rules.parse(actor))
        except MalformedUrl:
            return False


def synchronizer(client: Client, signer: Callable[[], SigningKey], limits: ActorLimits) -> Errand:
    """The errand: read what the actor's server says, and believe it only if it is what was announced."""

    async def look(actor: str, note: str) -> Write:
        digest, _, url = note.partition(" ")
        reading = await read_collection(client, url, await asyncio.to_thread(signer))
        if not same_origin(reading.address, client.rules.parse(actor)):
            raise OriginMismatch("foreign_collection", "An actor's followers are told by its own server only.")
        theirs = frozenset(uri for uri in map(link, reading.items) if uri is not None)
        if digest_of(theirs) != digest:  # changed meanwhile, or too long to be read whole
            raise Refused("digest_differs", "The followers are not those that were announced.")
        return lambda work: commands.agree_on_followers(work, actor, theirs, limits)

    return look
