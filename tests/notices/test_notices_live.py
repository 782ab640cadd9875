"""Open pages hear how many notices are new: who may listen, how many at once, and when it ends."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fedaid.foundation.refused import Refused
from fedaid.foundation.viewer import SIGNED_OUT
from fedaid.members import commands as members
from fedaid.notices.live import Live
from tests.notices.told import LIMITS, Town

SECONDS_MAX = 20


async def waited_for(happened: Callable[[], object]) -> None:
    for _ in range(SECONDS_MAX * 100):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


class Listener:
    """A browser's EventSource over the app itself; what was sent so far, and how it ended."""

    def __init__(self, browser: Any) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.sent = ""
        self._cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        self._app = browser.app
        self._gone = asyncio.Event()
        self.running = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "https",
            "path": "/notices/live",
            "raw_path": b"/notices/live",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"northside.example"), (b"cookie", self._cookie.encode())],
            "client": ("192.0.2.7", 4711),
            "server": ("northside.example", 443),
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.sent += message.get("body", b"").decode()

    async def go(self) -> None:
        """The page is closed."""
        self._gone.set()
        await asyncio.wait_for(self.running, SECONDS_MAX)

    async def until(self, happened: Callable[[], object]) -> None:
        await waited_for(happened)

    async def hears(self, unread: int) -> None:
        await self.until(lambda: self.sent.rpartition("data: ")[2].startswith(f"{unread}\n\n"))


def play(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), SECONDS_MAX * 3))


@asynccontextmanager
async def listening(*browsers: Any) -> Any:
    found = [Listener(one) for one in browsers]
    try:
        yield found
    finally:
        for one in found:
            await one.go()


def test_nobody_listens_who_is_signed_out(town: Town) -> None:
    browser = town.browser(SIGNED_OUT)
    assert browser.get("/notices/live", headers={"Accept": "text/event-stream"}).status_code == 401


def test_an_open_page_hears_how_many_are_new_and_nothing_else(town: Town) -> None:
    browser, other = town.browser(town.ana), town.browser(town.kim)

    async def story() -> None:
        async with listening(browser, other) as (ana, kim):
            await ana.hears(0)
            await asyncio.to_thread(town.answer, town.post("A secret sofa"))
            await ana.hears(1)
            assert ana.status == 200
            assert ana.headers[b"content-type"].startswith(b"text/event-stream")
            assert ana.headers[b"cache-control"] == b"no-store"
            await kim.hears(0)
            assert "secret" not in ana.sent
            assert ana.sent.count("data: 1") == 1, "the same is not said twice"

    play(story)


def test_a_page_without_news_is_kept_open(town: Town) -> None:
    browser = town.browser(town.ana)

    async def story() -> None:
        async with listening(browser) as (ana,):
            await ana.until(lambda: ana.sent.count(": still here") >= 2)

    play(story)


def test_it_ends_when_that_session_ends_and_only_then(town: Town) -> None:
    browser, elsewhere = town.browser(town.ana), town.browser(town.ana)
    secret = next(iter(browser.cookies.values()))

    def sign_out() -> None:
        with town.units.begin() as work:
            members.sign_out(work, secret)

    async def story() -> None:
        async with listening(browser, elsewhere) as (here, there):
            await here.hears(0)
            await there.hears(0)
            await asyncio.to_thread(sign_out)
            await asyncio.wait_for(here.running, SECONDS_MAX)
            assert not there.running.done()

    play(story)


def test_it_ends_when_the_server_stops(town: Town) -> None:
    browser, stopping = town.browser(town.ana), threading.Event()
    town.live.is_stopping = stopping.is_set

    async def story() -> None:
        async with listening(browser) as (ana,):
            await ana.hears(0)
            stopping.set()
            await asyncio.wait_for(ana.running, SECONDS_MAX)
        with pytest.raises(Refused) as refused:
            town.live.join(town.ana.member_id or 0, "session")
        assert refused.value.code == "live_full"

    play(story)


def test_so_many_pages_listen_as_may_and_a_closed_one_makes_room(town: Town) -> None:
    ana, bea, kim = (town.browser(who) for who in (town.ana, town.bea, town.kim))

    async def story() -> None:
        async with listening(ana, ana, bea) as (first, second, third):
            for one in (first, second, third):
                await one.hears(0)
            async with listening(ana, kim) as refused:
                for one in refused:
                    await asyncio.wait_for(one.running, SECONDS_MAX)
                assert [one.status for one in refused] == [429, 503]
            await first.go()
            async with listening(ana) as (again,):
                await again.hears(0)

    play(story)


def test_it_goes_on_when_the_database_was_away(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    live, failures = Live(town.units.database, town.people.world.house.clock, LIMITS), []
    read = live._read

    def sometimes(*asked: Any) -> Any:
        if len(failures) < 2:
            failures.append(1)
            raise OperationalError("", {}, Exception())
        return read(*asked)

    monkeypatch.setattr(live, "_read", sometimes)
    secret = next(iter(town.browser(town.ana).cookies.values()))

    async def story() -> None:
        line = live.join(town.ana.member_id or 0, members.queries.digest(secret))
        await waited_for(lambda: line.unread is not None)
        live.leave(line)

    play(story)
    assert len(failures) == 2
