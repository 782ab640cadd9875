"""Whole instances that meet inside one test: real servers' parts on real databases, the network swapped for a road."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from fedaid import app
from fedaid.admin import founding
from fedaid.app import Instance
from fedaid.foundation import schema
from fedaid.foundation.database import Database
from fedaid.settings import Settings
from tests.small_house import StillClock
from tests.support.databases import fresh_database_url

ROUNDS_MAX = 50


@dataclass
class Roads(httpx2.AsyncBaseTransport):
    """Carries every request to the instance of its host; ``asked`` is every request in order, as METHOD URL.

    A host in ``closed``, and an address with a part in ``broken``, cannot be reached.
    """

    towns: dict[str, "Town"] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    seen: list[tuple[httpx2.Request, int]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.url}")
        town = self.towns.get(request.url.host)
        if town is None or request.url.host in self.closed or any(part in str(request.url) for part in self.broken):
            raise httpx2.ConnectError("nobody lives here")
        answer = await httpx2.ASGITransport(app=town.instance.web).handle_async_request(request)
        self.seen.append((request, answer.status_code))
        return answer

    async def aclose(self) -> None:
        """Nothing is kept."""


@dataclass
class Town:
    """One instance, with the clock that all share."""

    instance: Instance
    clock: StillClock
    roads: Roads

    @property
    def host(self) -> str:
        return self.instance.settings.names.host

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """What anybody gets here, asked from outside."""

        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.instance.web)
            async with httpx2.AsyncClient(transport=transport, base_url=self.instance.settings.origin) as client:
                return await client.get(path, headers=dict(headers or {"accept": "application/activity+json"}))

        return asyncio.run(ask())


def settle(*towns: Town) -> None:
    """Deliver and apply until nobody has anything left to do."""

    async def work() -> None:
        for _ in range(ROUNDS_MAX):
            done = 0
            for town in towns:
                done += await town.instance.outbox_worker.drain()
                done += await town.instance.inbox_worker.drain()
                done += await town.instance.errands.drain()
            if not done:
                return
        raise AssertionError("the towns do not come to rest")

    asyncio.run(work())


@contextmanager
def towns(kind: str, folder: Path, *names: str, **settings: Any) -> Iterator[list[Town]]:
    """Founded instances at NAME.example, with the same settings, on databases of one kind."""
    clock, roads = StillClock(), Roads()
    with ExitStack() as stack:
        made = [_town(stack, kind, folder, name, clock, roads, settings) for name in names]
        yield made


def _town(
    stack: ExitStack, kind: str, folder: Path, name: str, clock: StillClock, roads: Roads, settings: Mapping[str, Any]
) -> Town:
    url = stack.enter_context(fresh_database_url(kind, folder))
    chosen = Settings(data=folder, origin=f"https://{name}.example", name=name.title(), database_url=url, **settings)
    database = Database(url)
    schema.upgrade(database)
    database.dispose()
    instance = app.build(chosen, works=False, clock=clock, transport=roads)
    stack.callback(lambda: asyncio.run(instance.close()))
    with instance.units.begin() as work:
        founding.found(work, chosen.name)
    town = Town(instance, clock, roads)
    roads.towns[chosen.names.host] = town
    return town
