"""Moves somebody of ours to another server, or lets somebody from there come: what the admin's commands do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from activitypub.client import Client, discover_actor
from activitypub.documents import Actor, parse_actor
from activitypub.identifiers import parse_handle
from activitypub.keys import SigningKey
from fedaid.actors import moves, queries
from fedaid.actors.limits import ActorLimits
from fedaid.actors.rules import Kind
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import UnitsOfWork, Work


@dataclass(frozen=True)
class Moving:
    """Finds the other account first, with no transaction open; ``handle`` is ours, ``typed`` @name@host or its id."""

    units: UnitsOfWork
    client: Client
    signer: Callable[[], SigningKey]
    limits: ActorLimits

    async def add_alias(self, kind: Kind, handle: str, typed: str) -> None:
        """Ours says that it is that account too. Raises Refused, FetchFailed."""
        other = await self._find(typed)
        await self._write(lambda work: moves.add_alias(work, _ours(work, kind, handle), other.id.text))

    async def drop_alias(self, kind: Kind, handle: str, typed: str) -> None:
        """Ours no longer says so. Raises Refused, FetchFailed; an id is taken as it is, as it may be gone."""
        alias = typed if "://" in typed else (await self._find(typed)).id.text
        await self._write(lambda work: moves.drop_alias(work, _ours(work, kind, handle), alias))

    async def move(self, kind: Kind, handle: str, typed: str) -> None:
        """Ours moves to that account, which must name ours as an alias. Raises Refused, FetchFailed."""
        other = await self._find(typed)
        await self._write(lambda work: moves.move_away(work, _ours(work, kind, handle), other, self.limits))

    async def _find(self, typed: str) -> Actor:
        signer = await asyncio.to_thread(self.signer)
        found = typed if "://" in typed else await discover_actor(self.client, parse_handle(typed), signer)
        fetched = await self.client.fetch(found, signer)
        actor = parse_actor(fetched.document, self.client.rules, self.units.clock.now())
        if self.units.names.is_ours(actor.id.text):
            raise Refused("not_elsewhere", "This account is one of ours; an account moves to another server.")
        return actor

    async def _write(self, write: Callable[[Work], None]) -> None:
        def in_one_unit() -> None:
            with self.units.begin() as work:
                write(work)

        await asyncio.to_thread(in_one_unit)


def _ours(work: Work, kind: Kind, handle: str) -> str:
    found = queries.by_handle(work.connection, handle)
    if found is None or found.kind is not kind:
        raise NotFound(said("There is no %(kind)s %(handle)s here.", kind=kind, handle=handle))
    return found.uri
