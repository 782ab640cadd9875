"""Two linked neighbourhoods in one process, on databases of the kind at hand, and browsers of the people in them."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx2

from activitypub.keys import generate_ed25519, private_to_pem
from fedaid import app, settings
from fedaid.actors.commands import ActorKeys
from fedaid.admin import founding
from fedaid.foundation.viewer import Role
from fedaid.groups import commands as groups
from fedaid.members import commands as members
from fedaid.members.limits import MemberLimits
from fedaid.timebank import queries
from tests.docs.neighbourhoods import Wire, _awake
from tests.small_house import NORTH, RIVER, StillClock, some_keys
from tests.support.databases import migrated_database_url

_FORM = re.compile(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
_FIELD = re.compile(r"<(?:input|textarea|select|button)\b[^>]*>(?:[^<]*(?=</textarea>))?")


@dataclass
class Page:
    """What a browser shows."""

    answer: httpx2.Response

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        """As somebody reads it."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.answer.text)).split())

    @property
    def leads_to(self) -> str:
        return self.answer.headers.get("location", "")

    def form(self, action: str, number: int = 0) -> dict[str, str]:
        """The fields of a form as they stand there."""
        inner = [inner for place, inner in _FORM.findall(self.answer.text) if place == action][number]
        found = {}
        for tag in _FIELD.findall(inner):
            name, value = _attribute(tag, "name"), _attribute(tag, "value")
            if name and ("checkbox" not in tag or " checked" in tag) and ("radio" not in tag or " checked" in tag):
                found[name] = tag.partition(">")[2] if tag.startswith("<textarea") else value
        return {name: html.unescape(value) for name, value in found.items()}

    def has_form(self, action: str) -> bool:
        return any(place == action for place, _ in _FORM.findall(self.answer.text))


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return found[1] if found else ""


@dataclass
class Browser:
    """Of one person; ``None`` for somebody signed out."""

    client: httpx2.AsyncClient

    async def open(self, path: str) -> Page:
        page = Page(await self.client.get(path))
        assert page.status < 500, page.answer.text
        return page

    async def send(self, path: str, fields: Mapping[str, str] | None = None) -> Page:
        page = Page(await self.client.post(path, data=dict(fields or {})))
        assert page.status < 500, page.answer.text
        return page

    async def press(self, page: Page | str, action: str, **fields: str) -> Page:
        """Fill in a form and send it."""
        shown = await self.open(page) if isinstance(page, str) else page
        return await self.send(action, shown.form(action) | fields)


@dataclass
class House:
    """One neighbourhood."""

    instance: app.Instance
    clock: StillClock
    _browsers: dict[str, Browser] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return self.instance.settings.origin

    @property
    def host(self) -> str:
        return urlsplit(self.origin).netloc

    def actor(self, handle: str) -> str:
        return self.instance.settings.names.person(handle)

    def browser(self, handle: str = "") -> Browser:
        if handle not in self._browsers:
            transport = httpx2.ASGITransport(app=self.instance.web)
            client = httpx2.AsyncClient(transport=transport, base_url=self.origin)
            if handle:
                client.cookies.set(self._cookie, self._sign_in(handle))
            self._browsers[handle] = Browser(client)
        return self._browsers[handle]

    @property
    def _cookie(self) -> str:
        return "__Host-fedaid-" + re.sub(r"[^a-z0-9]", "-", self.host)

    def _sign_in(self, handle: str) -> str:
        with self.instance.units.begin() as work:
            found = members.queries.by_handle(work.connection, handle)
            assert found
            return members.sign_in(work, found.id, "test", MemberLimits())

    def balance(self, handle: str) -> int:
        names = self.instance.settings.names
        actor = names.ledger if handle == "chest" else names.person(handle)
        with self.instance.database.read() as connection:
            account = queries.account_of(connection, actor) or queries.account_of(connection, names.group(handle))
        assert account
        return account.balance

    def findings(self) -> tuple[str, ...]:
        with self.instance.database.read() as connection:
            return queries.verify_ledger(connection).findings


@dataclass
class Street:
    """Northside with Nora (admin), Cora (coordinator), Ana and Kim; Riverside with Rui (admin) and Ben."""

    north: House
    river: House
    clock: StillClock

    async def settle(self, rounds: int = 4) -> None:
        """Some minutes pass, in which letters go to and fro until all is said."""
        self.clock.pass_seconds(600)
        for _ in range(rounds):
            for house in (self.north, self.river):
                await house.instance.inbox_worker.drain()
                await house.instance.outbox_worker.drain()

    async def link(self) -> None:
        await self.north.instance.desk.propose(self.river.host, 20)
        await self.settle()
        await self.river.instance.desk.accept(self.north.host, 20)
        await self.settle()


def _keys() -> ActorKeys:
    return ActorKeys(some_keys().rsa_pem, private_to_pem(generate_ed25519()))


@asynccontextmanager
async def street(kind: str, folder: Path) -> AsyncIterator[Street]:
    clock, wire = StillClock(), Wire()
    async with AsyncExitStack() as stack:
        stack.enter_context(patch("fedaid.actors.commands.make_keys", _keys))
        north_people = {"nora": Role.ADMIN, "cora": Role.COORDINATOR, "ana": Role.MEMBER, "kim": Role.MEMBER}
        people = {NORTH: north_people, RIVER: {"rui": Role.ADMIN, "ben": Role.MEMBER}}
        houses = []
        for origin, name in ((NORTH, "Northside"), (RIVER, "Riverside")):
            url = stack.enter_context(migrated_database_url(kind, folder))
            instance = app.build(
                settings.load(folder, origin=origin, name=name, database_url=url),
                works=False,
                clock=clock,
                transport=wire,
            )
            _found(instance, name, people[origin])
            wire.hosts[urlsplit(origin).netloc] = instance.web
            await stack.enter_async_context(_awake(instance.web))
            houses.append(House(instance, clock))
        made = Street(houses[0], houses[1], clock)
        await made.link()
        yield made
        for house in houses:
            for browser in house._browsers.values():
                await browser.client.aclose()


def _found(instance: app.Instance, name: str, people: Mapping[str, Role]) -> None:
    with instance.units.begin() as work:
        founding.found(work, name)
        for handle, role in people.items():
            members.add_member(work, handle, "no password", name=handle.title(), role=role)
        groups.add_group(work, "tools", "Tool library")


def on_the_street(kind: str, folder: Path, story: Callable[[Street], Awaitable[Any]]) -> None:
    """Runs a story on a street of its own."""

    async def run() -> None:
        async with street(kind, folder) as made:
            await story(made)
            assert made.north.findings() == made.river.findings() == ()

    asyncio.run(run())
