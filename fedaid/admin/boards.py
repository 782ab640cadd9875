"""Linking the board of a group with one of a neighbouring network: who it is, and what will be shared."""

from collections.abc import Sequence
from dataclasses import dataclass

from activitypub.client import Client
from activitypub.client.discovery import discover_actor
from activitypub.documents import parse_actor
from activitypub.errors import ProtocolError
from activitypub.identifiers import Handle, UrlRules
from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.actors.queries import RemoteActor
from fedaid.board import queries as board
from fedaid.board.queries import Noticed
from fedaid.foundation.pages import House
from fedaid.foundation.refused import Refused
from fedaid.foundation.viewer import SIGNED_OUT
from fedaid.foundation.work import UnitsOfWork
from fedaid.groups.commands import check_linkable
from fedaid.groups.queries import Board


@dataclass(frozen=True)
class Preview:
    """What linking two boards means: theirs, and what of ours they will see as soon as they follow.

    shared   our open listings as strangers see them: without names
    known    what we have of theirs already
    """

    theirs: RemoteActor
    shared: Sequence[Noticed]
    known: Sequence[Noticed]


@dataclass(frozen=True)
class BoardScout:
    """Finds boards of linked networks that somebody names; nobody else is asked."""

    units: UnitsOfWork
    client: Client
    rules: UrlRules

    async def find(self, typed: str) -> str:
        """The id of the board that is named like ``@tools@riverside.example``. Raises Refused."""
        handle = self._vetted(typed)
        try:
            actor_id = await discover_actor(self.client, handle)
            fetched = await self.client.fetch(actor_id)
            with self.units.begin() as work:
                found = parse_actor(fetched.document, self.rules, work.now)
                if found.id.text == actor_id:
                    actors.remember(work, found)
        except ProtocolError:
            raise _not_found() from None
        self._check_board(actor_id)
        return actor_id

    def _vetted(self, typed: str) -> Handle:
        name, _, host = typed.strip().lower().removeprefix("@").partition("@")
        if not name or not host or len(typed) > 300 or not typed.isprintable():
            raise Refused("board_name", "A board is named like @tools@riverside.example.")
        with self.units.database.read() as connection:
            check_linkable(connection, host)
        return Handle(name, host)

    def _check_board(self, actor_id: str) -> None:
        with self.units.database.read() as connection:
            found = actor_queries.remote(connection, actor_id)
        if found is None or found.type != "Group":
            raise _not_found()


def _not_found() -> Refused:
    return Refused("no_board", "There is no such board there; is it spelled as they say it?", 404)


def preview(home: House, ours: Board, theirs: str) -> Preview:
    """What will be shared. Raises Refused for a board that we do not know."""
    now, host = home.units.clock.now(), home.names.host
    with home.database.read() as connection:
        found = actor_queries.remote(connection, theirs)
        if found is None or found.type != "Group":
            raise _not_found()
        check_linkable(connection, found.host)
        shared = board.board(connection, SIGNED_OUT, board.Filters(board_actor=ours.actor), now, host).listings
        known = board.board(connection, SIGNED_OUT, board.Filters(board_actor=theirs), now, host).listings
    return Preview(found, [one for one in shared if one.listing.local], known)
