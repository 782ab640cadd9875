"""Two linked neighbourhoods, and a server of another kind that follows; everything that crosses a wire is kept."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx2
import structlog

from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey
from activitypub.signatures import sign_draft_cavage
from fedaid import app, settings
from fedaid.actors.ports import StoredSigners
from fedaid.admin import founding
from fedaid.foundation.viewer import Role
from fedaid.members import commands as members
from fedaid.members.commands.tokens import make_token
from fedaid.members.limits import MemberLimits
from fedaid.members.rules import SCOPE_WORDS
from fedaid.notices.limits import MailLimits, Security
from fedaid.web.limits import WebLimits
from tests.docs.neighbourhoods import NORTH, RIVER, SOCIAL, Neighbourhood, SocialServer, Wire, _awake, rsa_key
from tests.ladder.canaries import Cage
from tests.notices.postbox import Postbox, postbox
from tests.small_house import StillClock
from tests.support.databases import migrated_database_url
from tests.web.street import House, _keys

NORTH_PEOPLE = {
    "nora": Role.ADMIN,
    "cora": Role.COORDINATOR,
    "ana": Role.MEMBER,  # who posts
    "kim": Role.MEMBER,  # who does nothing with anybody
    "gil": Role.MEMBER,  # of the group
    "hana": Role.MEMBER,  # who answers
    "pia": Role.MEMBER,  # whom ana accepts
}
RIVER_PEOPLE = {"rui": Role.ADMIN, "ben": Role.MEMBER, "bea": Role.MEMBER}  # ben is accepted too


@dataclass
class KeepingWire(Wire):
    """``posted`` is every letter, by the host that got it."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[tuple[str, bytes]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            words = repr(request.url).encode() + repr(request.headers.raw).encode()
            self.posted.append((request.url.host, words + await request.aread()))
        return await super().handle_async_request(request)


@dataclass
class Place:
    """``log`` is every event that was logged; ``mails`` everything that was mailed at Northside."""

    north: House
    river: House
    social: SocialServer
    wire: KeepingWire
    clock: StillClock
    cage: Cage
    mails: Postbox
    log: list[Mapping[str, Any]]
    numbers: dict[str, int] = field(default_factory=dict)  # of listings, by what they are called here
    opened: set[str] = field(default_factory=set)  # addresses that somebody was shown
    typed: dict[str, dict[str, str]] = field(default_factory=dict)  # what stands in each
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)  # of programs, by origin and handle

    def house(self, town: str) -> House:
        return self.north if town == "north" else self.river

    async def settle(self, rounds: int = 4) -> None:
        """Some minutes pass, in which letters go to and fro until all is said, and mails are sent."""
        self.clock.pass_seconds(60)
        for _ in range(rounds):
            for house in (self.north, self.river):
                await house.instance.inbox_worker.drain()
                await house.instance.outbox_worker.drain()
                await house.instance.errands.drain()
        await self.north.instance.postman.go()

    async def signed_get(self, house: House, path: str, actor: str) -> httpx2.Response:
        """What an actor elsewhere reads by its signature."""
        url = UrlRules().parse(house.origin + path)
        signed = sign_draft_cavage("GET", url, b"", self.key_of(actor), self.clock.now())
        transport = httpx2.ASGITransport(app=house.instance.web)
        async with httpx2.AsyncClient(transport=transport) as client:
            return await client.get(url.text, headers={"accept": "application/activity+json", **signed})

    def token(self, house: House, handle: str) -> str:
        """With which a program of theirs may do everything."""
        known = (house.origin, handle)
        if known not in self.tokens:
            with house.instance.units.begin() as work:
                found = members.queries.by_handle(work.connection, handle)
                assert found
                self.tokens[known] = make_token(work, found.id, "test", tuple(SCOPE_WORDS), MemberLimits())
        return self.tokens[known]

    def key_of(self, actor: str) -> SigningKey:
        if actor.startswith(SOCIAL):
            return SigningKey(f"{actor}#main-key", actor, rsa_key())
        instance = (self.river if actor.startswith(RIVER) else self.north).instance
        return StoredSigners(instance.database).signer(actor)

    async def write(self, house: House, activity: Mapping[str, Any], inbox: str = "/inbox") -> None:
        answer = await self.social.write(Neighbourhood(house.instance), activity, inbox)
        assert answer.status_code == 202, answer.text
        await self.settle()


@asynccontextmanager
async def place(kind: str, folder: Path, seed: int) -> AsyncIterator[Place]:
    """Northside and Riverside, linked, with their people; carol at social.example follows Northside's board."""
    clock, wire, log = StillClock(), KeepingWire(), list[Mapping[str, Any]]()
    async with AsyncExitStack() as stack:
        stack.enter_context(patch("fedaid.actors.commands.make_keys", _keys))
        stack.callback(structlog.configure, **structlog.get_config())
        structlog.configure(processors=[_keeping(log)], cache_logger_on_first_use=False)
        box = stack.enter_context(postbox())
        mail = MailLimits(host="127.0.0.1", port=box.port, security=Security.NONE)
        cage, houses = Cage(random.Random(seed)), []
        for origin, name, people in ((NORTH, "Northside", NORTH_PEOPLE), (RIVER, "Riverside", RIVER_PEOPLE)):
            url = stack.enter_context(migrated_database_url(kind, folder))
            often = WebLimits(requests_per_address_max=10**6, requests_per_account_max=10**6)
            chosen = settings.load(folder, origin=origin, name=name, database_url=url, mail=mail, web=often)
            instance = app.build(chosen, works=False, clock=clock, transport=wire)
            _found(instance, name, people, cage, "north" if origin == NORTH else "river")
            wire.hosts[urlsplit(origin).netloc] = instance.web
            await stack.enter_async_context(_awake(instance.web))
            houses.append(House(instance, clock))
        social = SocialServer(clock)
        wire.hosts[urlsplit(SOCIAL).netloc] = social
        made = Place(houses[0], houses[1], social, wire, clock, cage, box, log)
        await _link(made)
        yield made
        for house in houses:
            for browser in house._browsers.values():
                await browser.client.aclose()


def _keeping(log: list[Mapping[str, Any]]) -> Any:
    def keep(_logger: object, _method: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        log.append(dict(event))
        raise structlog.DropEvent

    return keep


def _found(instance: app.Instance, name: str, people: Mapping[str, Role], cage: Cage, town: str) -> None:
    with instance.units.begin() as work:
        founding.found(work, name)
        for handle, role in people.items():
            me = f"{town}:{handle}"
            # A mail has its reader's address on it, and the admin reaches people by it.
            others = {f"mail:{handle}", "north:nora" if town == "north" else "river:rui"}
            address = cage.plant(f"e-mail address of {me}", others, {me})
            members.add_member(work, handle, "x", name=handle.title(), role=role, email=f"{address}@mail.example")


async def _link(made: Place) -> None:
    await made.north.instance.desk.propose(made.river.host, 20)
    await made.settle()
    await made.river.instance.desk.accept(made.north.host, 20)
    await made.settle()
    carol = f"{SOCIAL}/users/carol"
    follow = {"id": f"{SOCIAL}/1", "type": "Follow", "actor": carol, "object": f"{NORTH}/groups/board"}
    await made.write(made.north, follow)
