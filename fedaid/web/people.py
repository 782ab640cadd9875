"""Finds the people whom somebody named in a form about hours: neighbours, groups, the chest, members of neighbours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from activitypub.client import Client
from activitypub.client.discovery import discover_actor
from activitypub.documents import parse_actor
from activitypub.errors import ProtocolError
from activitypub.identifiers import Handle, UrlRules
from fedaid.actors import commands as actor_commands
from fedaid.actors import queries as actors
from fedaid.foundation.names import Names
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import UnitsOfWork
from fedaid.timebank import queries as timebank

PEOPLE_MAX = 20  # named in one form
CHEST = "chest"


@dataclass(frozen=True)
class Named:
    """One of those who were named: what was typed, and whose account it is."""

    typed: str
    actor: str
    name: str


def split(typed: str) -> list[str]:
    """The handles in a field, each once: with commas, spaces or lines between. Raises Refused for none or too many."""
    found = list(dict.fromkeys(one.lower() for one in re.split(r"[\s,;]+", typed) if one.strip("@")))
    if not found:
        raise Refused("no_member", "Please say who it is, such as kim.", 422)
    if len(found) > PEOPLE_MAX:
        raise Refused("too_many_people", said("At most %(count)s people at once.", count=PEOPLE_MAX), 422)
    return found


def find(connection: Connection, names: Names, typed: str) -> Sequence[Named]:
    """Everybody who was named. Raises Refused when one is not known."""
    return [_find(connection, names, one) for one in split(typed)]


def _find(connection: Connection, names: Names, typed: str) -> Named:
    handle, _, host = typed.removeprefix("@").partition("@")
    if host and host != names.host:
        found = actors.remote_by_handle(connection, handle, host)
        if found is None:
            raise Refused(
                "no_member", said("Nobody called %(typed)s was found; is it spelled as they say it?", typed=typed), 404
            )
        return Named(typed, found.uri, found.name or typed)
    if handle == CHEST:
        return Named(CHEST, names.ledger, "the community chest")
    ours = actors.by_handle(connection, handle)
    if ours is None or timebank.account_of(connection, ours.uri) is None or ours.gone_at is not None:
        raise Refused("no_member", said("Nobody here has the handle %(value)s.", value=handle[:60]), 404)
    return Named(handle, ours.uri, ours.name)


@dataclass(frozen=True)
class Introductions:
    """Looks up members of linked networks whom we have not met yet, before a form about them is carried out."""

    units: UnitsOfWork
    client: Client
    rules: UrlRules

    def unknown(self, typed: str) -> Sequence[Handle]:
        """Those of the named who live in a network that we have a link with, and whom we do not know yet."""
        with self.units.database.read() as connection:
            found = []
            for one in split(typed):
                handle, _, host = one.removeprefix("@").partition("@")
                linked = bool(host) and timebank.peer_by_host(connection, host) is not None
                if linked and actors.remote_by_handle(connection, handle, host) is None:
                    found.append(Handle(handle, host))
        return found

    async def meet(self, handle: Handle) -> None:
        """Ask their server who it is, and remember it. Whoever is not found is refused by the form itself."""
        try:
            actor_id = await discover_actor(self.client, handle)
            fetched = await self.client.fetch(actor_id)
            with self.units.begin() as work:
                found = parse_actor(fetched.document, self.rules, work.now)
                if found.id.text == actor_id:
                    actor_commands.remember(work, found)
        except ProtocolError:
            return
