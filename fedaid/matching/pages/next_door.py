"""Who in neighbouring networks could help with a request of mine: what they show us is asked for now, and not kept."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fedaid.board import queries as board
from fedaid.board.queries import Listing
from fedaid.board.rules import Kind
from fedaid.foundation.pages import house, member, number_of, render
from fedaid.foundation.refused import NotFound
from fedaid.foundation.words import terms
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.queries import need_of
from fedaid.matching.rules import Ability, Fit, Helper, fit
from fedaid.network import queries as networks
from fedaid.network.queries import Neighbour
from fedaid.skills.pages.neighbours import Next, linked
from fedaid.skills.rules import LANGUAGES
from fedaid.skills.wire import Directories, TheirEntry


@dataclass(frozen=True)
class Could:
    """Somebody elsewhere who could help, as their network shows them, and why."""

    entry: TheirEntry
    fit: Fit


@dataclass(frozen=True)
class NextDoor:
    """One network; ``found`` is None where it did not answer just now."""

    network: Next
    found: Sequence[Could] | None


def next_door_page(limits: MatchingLimits, directories: Directories) -> Callable[[Request], Awaitable[Response]]:
    """The page about one request."""

    async def page(request: Request) -> Response:
        """Who in linked networks could help with my request, of those who show us what they can do."""
        listing, neighbours = await run_in_threadpool(_asked, request)
        answers = await asyncio.gather(*(directories.of(one) for _, one in neighbours))
        return await run_in_threadpool(_page, request, limits, listing, [one for one, _ in neighbours], answers)

    return page


def _asked(request: Request) -> tuple[Listing, Sequence[tuple[Next, Neighbour]]]:
    """The viewer's own open request, and whom to ask. Raises NotFound for others."""
    who, home = member(request), house(request)
    with home.database.read() as connection:
        found = board.listing(connection, who, number_of(request), home.federation)
        is_open = found.kind is Kind.REQUEST and found.takes_responses(home.units.clock.now())
        if not found.is_by(who) or not is_open:
            raise NotFound
        pairs = [(one, networks.by_host(connection, one.host)) for one in linked(connection, home.names.host)]
    return found, [(one, neighbour) for one, neighbour in pairs if neighbour is not None]


def _page(
    request: Request,
    limits: MatchingLimits,
    listing: Listing,
    networks_asked: Sequence[Next],
    answers: Sequence[Sequence[TheirEntry] | None],
) -> Response:
    home = house(request)
    found = [
        NextDoor(network, _fitting(request, limits, listing, entries) if entries is not None else None)
        for network, entries in zip(networks_asked, answers, strict=True)
    ]
    with home.database.read() as connection:
        kinds = {one.slug: one.name for one in board.categories(connection)}
    answer = render(
        request, "matching/next_door.html", listing=listing, next_door=found, kinds=kinds, languages=LANGUAGES
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _fitting(
    request: Request, limits: MatchingLimits, listing: Listing, entries: Sequence[TheirEntry]
) -> Sequence[Could]:
    """The best of them first. When they are free and where they live is not told to us, so it is not judged."""
    now = house(request).units.clock.now()
    need = need_of(listing, now)
    judged = ((one, fit(need, Helper([_ability(one)]), now)) for one in entries)
    fits = [Could(one, each) for one, each in judged if isinstance(each, Fit)]
    return sorted(fits, key=lambda one: -one.fit.points)[: limits.suggestions_max]


def _ability(one: TheirEntry) -> Ability:
    return Ability(one.title, one.category, terms(f"{one.title}\n{one.details}"))
