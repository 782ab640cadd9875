"""Whole instances in one process: each with its own database, and a network that carries requests between them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx2

from fedaid import app, settings
from fedaid.admin import founding
from fedaid.foundation.viewer import Role, Viewer
from fedaid.members import commands as members
from fedaid.members import queries as member_queries
from tests.small_house import StillClock, some_keys
from tests.support.databases import migrated_database_url


@dataclass
class Cable(httpx2.AsyncBaseTransport):
    """Carries a request to the instance at its host; ``carried`` are those that arrived, with their answers."""

    towns: dict[str, httpx2.ASGITransport] = field(default_factory=dict)
    carried: list[tuple[str, str, int]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        town = self.towns.get(request.url.host)
        if town is None:
            raise httpx2.ConnectError("nobody lives there", request=request)
        answer = await town.handle_async_request(request)
        self.carried.append((request.method, str(request.url), answer.status_code))
        return answer

    def statuses(self, method: str, part_of_url: str) -> list[int]:
        """What was answered to such requests, in their order."""
        return [status for kind, url, status in self.carried if kind == method and part_of_url in url]


@dataclass
class Town:
    """One neighbourhood of the test; ``people`` are its members by handle."""

    host: str
    instance: app.Instance
    cable: Cable
    clock: StillClock
    people: Mapping[str, Viewer]

    @property
    def names(self) -> Any:
        return self.instance.settings.names

    async def work(self) -> int:
        """Apply what came in and deliver what goes out; how much there was to do."""
        return await self.instance.inbox_worker.drain() + await self.instance.outbox_worker.drain()

    def browser(self, cookie: str = "", address: str = "203.0.113.1") -> httpx2.AsyncClient:
        """Somebody's browser at this town, from this address."""
        headers = {"accept": "text/html"} | ({"cookie": cookie} if cookie else {})
        transport = httpx2.ASGITransport(app=self.instance.web, client=(address, 50_000))
        return httpx2.AsyncClient(transport=transport, base_url=self.names.origin, headers=headers)

    def session(self, handle: str) -> str:
        """The cookie of somebody who has signed in."""
        house = self.instance.web._pages.state.house  # type: ignore[attr-defined]
        with self.instance.units.begin() as work:
            secret = members.sign_in(work, self.people[handle].member_id or 0, "test", self.instance.settings.members)
        return f"{house.cookie_name}={secret}"


async def somewhere(host: str) -> tuple[str, ...]:
    """Every name leads to an address of the Internet, which nobody asks."""
    return ("93.184.216.34",)


async def settle(*towns: Town) -> None:
    """Let all work until nobody has anything left to do."""
    while sum([await town.work() for town in towns]):
        pass


@asynccontextmanager
async def found(
    folder: Path, kind: str, *hosts: str, clock: StillClock | None = None, **chosen: Any
) -> AsyncIterator[tuple[Town, ...]]:
    """Neighbourhoods at these hosts, each with an admin nora, a coordinator cora and a member ana; ended afterwards.

    ``chosen`` are settings that differ from their defaults, the same for all of them.
    """
    cable, ours = Cable(), clock or StillClock()
    async with AsyncExitStack() as stack:
        towns = []
        for host in hosts:
            data = folder / host
            data.mkdir()
            url = stack.enter_context(migrated_database_url(kind, data))
            town = _build(host, data, url, cable, ours, chosen)
            stack.push_async_callback(town.instance.close)
            towns.append(town)
        yield tuple(towns)


def _build(host: str, data: Path, url: str, cable: Cable, clock: StillClock, chosen: Mapping[str, Any]) -> Town:
    proxied = {"trusted_proxies": "127.0.0.1", **chosen}
    loaded = settings.load(
        data, origin=f"https://{host}", name=host.partition(".")[0].title(), database_url=url, **proxied
    )
    instance = app.build(loaded, works=False, transport=cable, clock=clock, resolver=somewhere)
    with patch("fedaid.actors.commands.make_keys", some_keys), instance.units.begin() as work:
        founding.found(work, loaded.name)
        for handle, role in (("nora", Role.ADMIN), ("cora", Role.COORDINATOR), ("ana", Role.MEMBER)):
            members.add_member(work, handle, "x", name=handle.title(), role=role, keys=some_keys())
        people = {
            handle: member_queries.viewer_of(found)
            for handle in ("nora", "cora", "ana")
            if (found := member_queries.by_handle(work.connection, handle)) is not None
        }
    cable.towns[host] = httpx2.ASGITransport(app=instance.web)
    return Town(host, instance, cable, clock, people)
