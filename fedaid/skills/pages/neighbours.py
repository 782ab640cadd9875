"""The directory across linked networks: what ours shows to them, and theirs to our members."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fedaid.actors import queries as actors
from fedaid.actors.audience import Audience
from fedaid.actors.serving import Door, Served, to_servers
from fedaid.foundation.pages import house, member, render
from fedaid.foundation.refused import NotFound
from fedaid.network import queries as networks
from fedaid.network.queries import Neighbour
from fedaid.skills import queries
from fedaid.skills.limits import SkillLimits
from fedaid.skills.pages.kinds import Kinds, names_of
from fedaid.skills.wire import Directories, TheirEntry, shared_directory


@dataclass(frozen=True)
class Next:
    """A linked network, as the page of people names it."""

    host: str
    name: str


def linked(connection: Connection, our_host: str) -> list[Next]:
    """The networks whose directories our members may look at."""
    found = networks.open_neighbours(connection)
    cards = actors.cards(connection, [one.server_actor for one in found], our_host)
    called = {server: card.name for server, card in cards.items()}
    return [Next(one.host, called.get(one.server_actor) or one.host) for one in found]


def our_directory(limits: SkillLimits) -> Door:
    """The route of what ours shows to them."""

    def directory(request: Request, connection: Connection) -> Served:
        """What members show to neighbouring networks, for the servers of those that are linked."""
        readers = {one.server_actor for one in networks.open_neighbours(connection)}
        entries = queries.shared(connection, limits.shared_entries_max)
        document = shared_directory(house(request).names, entries)
        return Served(orjson.dumps(document), Audience(readers=frozenset(readers)), 0)

    return to_servers(directory)


def their_page(kinds: Kinds, directories: Directories) -> Callable[[Request], Awaitable[Response]]:
    """The page of what theirs shows to our members."""

    async def page(request: Request) -> Response:
        """What people of a linked network can do, as it shows it to us now."""
        neighbour = await run_in_threadpool(_neighbour, request)
        found = await directories.of(neighbour)
        return await run_in_threadpool(_page, request, kinds, neighbour, found)

    return page


def _neighbour(request: Request) -> Neighbour:
    member(request)
    with house(request).database.read() as connection:
        found = networks.by_host(connection, request.path_params["host"])
        if found is None or not networks.is_open_neighbour(connection, found.host):
            raise NotFound
        return found


def _page(request: Request, kinds: Kinds, neighbour: Neighbour, found: Sequence[TheirEntry] | None) -> Response:
    with house(request).database.read() as connection:
        names = names_of(kinds(connection))
        (here,) = [one for one in linked(connection, house(request).names.host) if one.host == neighbour.host]
    return render(
        request, "skills/neighbours.html", network=here, entries=found or (), is_there=found is not None, kinds=names
    )
