"""How much one address and one account may ask: the limit, the way back, and memory that strangers cannot fill."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from fedaid.web.limits import RequestsAtOnce, WebLimits
from inbox.memory import Counter
from tests.small_house import StillClock
from tests.towns import Town, found

pytestmark = pytest.mark.anyio
LIMITS = WebLimits(
    window_seconds=60, requests_per_address_max=5, requests_per_account_max=3, refused_letters_per_address_max=2
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def north(tmp_path: Path, database_kind: str) -> AsyncIterator[Town]:
    async with found(tmp_path, database_kind, "northside.example", web=LIMITS) as (town,):
        yield town


async def ask(
    town: Town, path: str = "/about/trade", address: str = "203.0.113.7", cookie: str = ""
) -> httpx2.Response:
    async with town.browser(cookie, address) as browser:
        return await browser.get(path)


async def test_beyond_the_limit_an_address_is_told_when_to_come_back_and_others_are_not(north: Town) -> None:
    for _ in range(5):
        assert (await ask(north)).status_code == 200
    north.clock.pass_seconds(20)
    refused = await ask(north)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "40")
    assert refused.json()["code"] == "too_many_requests"
    assert (await ask(north, address="203.0.113.8")).status_code == 200
    north.clock.pass_seconds(40)
    assert (await ask(north)).status_code == 200


@pytest.mark.attack("S85")
async def test_one_household_is_one_address(north: Town) -> None:
    """S85: all of a /64."""
    for number in range(5):
        assert (await ask(north, address=f"2001:db8:0:1::{number}")).status_code == 200
    assert (await ask(north, address="2001:db8:0:1:ffff::1")).status_code == 429
    assert (await ask(north, address="2001:db8:0:2::1")).status_code == 200


@pytest.mark.attack("S85")
async def test_rotating_a_made_up_forwarding_does_not_help(north: Town) -> None:
    """S85: the server before this believes that header from named proxies only, and nothing here reads it."""
    async with north.browser() as browser:
        asked = [
            await browser.get("/about/trade", headers={"x-forwarded-for": f"203.0.113.{number}"}) for number in range(6)
        ]
    assert [answer.status_code for answer in asked] == [200] * 5 + [429]


@pytest.mark.attack("S85")
async def test_thirty_sign_ins_are_stopped_whatever_they_say_of_their_way(tmp_path: Path) -> None:
    """S85, through the whole house: the tries count by account and by address."""
    async with found(tmp_path, "sqlite", "northside.example") as (town,), town.browser() as browser:
        statuses = []
        for number in range(31):
            forwarded = {"x-forwarded-for": f"203.0.113.{number}", "sec-fetch-site": "same-origin"}
            typed = {"handle": f"nobody{number}", "password": "wrong"}
            statuses.append((await browser.post("/sign-in", data=typed, headers=forwarded)).status_code)
    assert statuses == [401] * 30 + [429]


async def test_a_member_is_counted_wherever_they_are(north: Town) -> None:
    cookie = north.session("ana")
    statuses = [(await ask(north, address=f"203.0.113.{number}", cookie=cookie)).status_code for number in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert (await ask(north, address="203.0.113.50", cookie=north.session("ana"))).status_code == 429
    assert (await ask(north, address="203.0.113.60", cookie=north.session("cora"))).status_code == 200


async def test_files_and_health_checks_are_free(north: Town) -> None:
    for _ in range(10):
        for path in ("/static/style.css", "/livez", "/readyz"):
            assert (await ask(north, path)).status_code == 200, path


async def bring(town: Town, body: bytes = b"{}", address: str = "203.0.113.7") -> httpx2.Response:
    headers = {"content-type": "application/activity+json"}
    async with town.browser("", address) as server:
        return await server.post("/inbox", content=body, headers=headers)


@pytest.mark.attack("S16")
async def test_an_address_whose_letters_are_refused_too_often_is_not_looked_at_for_a_while(north: Town) -> None:
    """S16: what costs us work is bounded, also for who proves nothing."""
    assert [(await bring(north)).status_code for _ in range(3)] == [401, 401, 429]
    refused = await bring(north)
    assert refused.headers["retry-after"] == "60"
    assert (await bring(north, address="203.0.113.8")).status_code == 401
    assert (await ask(north)).status_code == 200  # pages are counted by themselves
    north.clock.pass_seconds(60)
    assert (await bring(north)).status_code == 401


@pytest.mark.attack("S90")
def test_a_hundred_thousand_addresses_take_no_more_memory_than_the_limit_allows() -> None:
    """S90."""
    counter = Counter(StillClock(), seconds=60, entries_max=1_000)
    for number in range(100_000):
        counter.add(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(counter) == 1_000


class Kitchen:
    """An application that answers when it is let, and holds what the middleware before it hands on."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.begun = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        self.begun += 1
        await self.let.wait()
        await PlainTextResponse("done")(scope, receive, send)


async def order(app: RequestsAtOnce, path: str = "/board", body: "asyncio.Future[None] | None" = None) -> Any:
    """One request; its body comes when ``body`` is done. The message with which the answer begins."""
    begun: list[Any] = []

    async def receive() -> Any:
        if body is not None:
            await body
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        begun.append(message)

    await app({"type": "http", "method": "GET", "path": path, "headers": []}, receive, send)
    return begun[0]


async def test_beyond_what_is_answered_at_once_the_next_are_told_when_to_come_back() -> None:
    kitchen = Kitchen()
    app = RequestsAtOnce(kitchen, WebLimits(requests_at_once_max=2, come_back_seconds=7))
    first = [asyncio.create_task(order(app)) for _ in range(2)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert kitchen.begun == 2
    refused = await order(app)
    assert (refused["status"], dict(refused["headers"])[b"retry-after"]) == (503, b"7")
    assert kitchen.begun == 2, "nothing was begun for it"
    free = [asyncio.create_task(order(app, path)) for path in ("/livez", "/static/style.css", "/notices/live")]
    kitchen.let.set()
    assert [one["status"] for one in await asyncio.gather(*first, *free)] == [200] * 5
    assert (await order(app))["status"] == 200


async def test_whoever_is_slow_to_send_takes_no_place_from_others() -> None:
    kitchen = Kitchen()
    kitchen.let.set()
    app = RequestsAtOnce(kitchen, WebLimits(requests_at_once_max=1))
    body: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    slow = [asyncio.create_task(order(app, body=body)) for _ in range(20)]
    await asyncio.sleep(0)
    assert (await order(app))["status"] == 200
    body.set_result(None)
    assert [one["status"] for one in await asyncio.gather(*slow)] == [200] * 20


async def test_the_house_refuses_so_and_goes_on_answering_what_is_free(tmp_path: Path) -> None:
    nothing = WebLimits(requests_at_once_max=0)
    async with found(tmp_path, "sqlite", "northside.example", web=nothing) as (town,):
        refused = await ask(town, "/board")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_busy")
        assert refused.headers["retry-after"] == "5"
        assert refused.headers["x-content-type-options"] == "nosniff"
        assert (await ask(town, "/livez")).status_code == 200
        assert (await bring(town)).status_code == 401, "letters have limits of their own"
