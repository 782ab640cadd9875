"""The desk for outgoing mail: who may see it, what it says of each server, and what each button does."""

import httpx2
import pytest
from sqlalchemy import update

from fedaid.actors import commands as actors
from fedaid.board import commands as board
from fedaid.board.rules import Kind, Mode, Posting
from outbox import health
from outbox.tables import delivery
from tests.small_house import START, remote_actor
from tests.towns import Town

pytestmark = pytest.mark.anyio
WELL, SLOW, GONE = "well.example", "slow.example", "gone.example"
PAGES = ("/deliveries", f"/deliveries/{SLOW}", f"/deliveries/{SLOW}/forget", "/letters")
STEPS = (f"/deliveries/{SLOW}/resume", f"/deliveries/{SLOW}/retry", f"/deliveries/{SLOW}/forget", "/letters/retry")


class Server(httpx2.AsyncBaseTransport):
    """A server that answers every letter alike."""

    def __init__(self, status: int, text: str = "") -> None:
        self.status, self.text = status, text

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self.status:
            raise httpx2.ConnectError("nobody", request=request)
        return httpx2.Response(self.status, stream=httpx2.ByteStream(self.text.encode()))


async def followed(town: Town) -> int:
    """The board has a follower at each of three servers, and Ana posts a listing; its id."""
    answers = {WELL: Server(202), SLOW: Server(0), GONE: Server(410, '{"error": "No such & so"}')}
    for host, server in answers.items():
        town.cable.towns[host] = server  # type: ignore[assignment]
        uri = f"https://{host}/users/fay"
        with town.instance.units.begin() as work:
            actors.remember(work, remote_actor(uri, endpoints={}))
            actors.receive_follow(work, uri, town.names.group("board"), f"{uri}/follows/1")
    await town.instance.outbox_worker.drain()  # the Accepts
    with town.instance.database.write() as connection:
        for host in (SLOW, GONE):
            health.forget(connection, host)
    posting = Posting(kind=Kind.REQUEST, title="A sofa", mode=Mode.GIFT, expires_at=START.replace(month=12))
    with town.instance.units.begin() as work:
        number = board.post_listing(work, town.people["ana"], town.names.group("board"), posting)
    await town.instance.outbox_worker.drain()
    return number


async def opened(town: Town, path: str, handle: str = "nora") -> httpx2.Response:
    async with town.browser(town.session(handle)) as browser:
        return await browser.get(path)


async def pressed(town: Town, path: str, handle: str = "nora", **fields: str) -> httpx2.Response:
    async with town.browser(town.session(handle)) as browser:
        return await browser.post(path, data=fields, headers={"sec-fetch-site": "same-origin"})


def host(town: Town, name: str) -> health.HostHealth:
    with town.instance.database.read() as connection:
        found = health.one(connection, name)
    assert found is not None
    return found


async def test_the_desks_are_the_admins_alone(north: Town) -> None:
    await followed(north)
    for path in (*PAGES, "/deliveries/activities/1"):
        assert (await opened(north, path, "cora")).status_code == 403, path
        assert (await opened(north, path, "ana")).status_code == 403, path
        async with north.browser() as stranger:
            assert (await stranger.get(path)).headers["location"].startswith("/sign-in"), path
    for path in STEPS:
        assert (await pressed(north, path, "cora")).status_code == 403, path
    assert host(north, SLOW).waiting == 1


@pytest.mark.parametrize("path", ["/deliveries/unknown.example", "/deliveries/a%00b", "/deliveries/activities/9"])
async def test_what_nobody_was_ever_sent_is_not_found(north: Town, path: str) -> None:
    assert (await opened(north, path)).status_code == 404


async def test_an_empty_desk_says_what_will_stand_there(north: Town) -> None:
    assert "Nothing was sent to any other server yet" in (await opened(north, "/deliveries")).text
    assert "Letters that are carried out leave this desk" in (await opened(north, "/letters")).text


async def test_each_server_stands_there_with_its_state_in_a_sentence_and_trouble_first(north: Town) -> None:
    await followed(north)
    page = (await opened(north, "/deliveries")).text
    assert page.index(SLOW) < page.index(GONE) < page.index(WELL)
    assert "1 message waits, since Tue 1 Sep 2026, 09:00" in page
    assert "The next try is on Tue 1 Sep 2026, 09:0" in page
    assert "Last: answered 410: No such &amp; so." in page  # what strangers say is text
    assert "Nothing waits; the last message arrived on Tue 1 Sep 2026, 09:00." in page


async def test_one_servers_page_shows_what_has_not_arrived_and_what_it_said(north: Town) -> None:
    await followed(north)
    page = (await opened(north, f"/deliveries/{SLOW}")).text
    for words in (
        "Last failure",
        "Next try",
        "Signatures it reads",
        "Create",
        "The connection to slow.example failed.",
    ):
        assert words in page
    assert "What was given up" not in page
    assert "Try again what was given up" in (await opened(north, f"/deliveries/{GONE}")).text


async def test_the_admin_wakes_a_server(north: Town) -> None:
    await followed(north)
    north.cable.towns[SLOW] = Server(202)  # type: ignore[assignment]
    answer = await pressed(north, f"/deliveries/{SLOW}/resume")
    assert answer.headers["location"] == f"/deliveries/{SLOW}?said=deliveries_resumed"
    await north.instance.outbox_worker.drain()
    assert host(north, SLOW).waiting == 0


async def test_the_admin_tries_again_what_was_given_up(north: Town) -> None:
    await followed(north)
    north.cable.towns[GONE] = Server(202)  # type: ignore[assignment]
    await pressed(north, f"/deliveries/{GONE}/retry")
    await north.instance.outbox_worker.drain()
    assert host(north, GONE).failed == 0


async def test_giving_up_asks_first_and_keeps_the_timebanks_letters_unless_told(north: Town) -> None:
    await followed(north)
    with north.instance.database.write() as connection:
        connection.execute(update(delivery).where(delivery.c.host == SLOW).values(keep_trying=True))
    assert "letters of the timebank" in (await opened(north, f"/deliveries/{SLOW}/forget")).text
    kept = await pressed(north, f"/deliveries/{SLOW}/forget")
    assert kept.headers["location"] == "/deliveries?said=deliveries_kept"
    assert host(north, SLOW).kept == 1
    gone = await pressed(north, f"/deliveries/{SLOW}/forget", also_timebank="yes")
    assert gone.headers["location"] == "/deliveries?said=deliveries_forgotten"
    with north.instance.database.read() as connection:
        assert health.one(connection, SLOW) is None


async def test_an_author_reads_on_the_listing_how_far_it_has_got(north: Town) -> None:
    number = await followed(north)
    page = (await opened(north, f"/listings/{number}", "ana")).text
    assert f"It has reached 1 of 3 other networks. On its way to {SLOW}" in page
    assert f"Not taken by {GONE}." in page
    assert "In detail" not in page
    assert "other networks" not in (await opened(north, f"/listings/{number}", "cora")).text


async def test_an_admin_reads_of_one_activity_where_it_went(north: Town) -> None:
    number = await followed(north)
    page = (await opened(north, f"/listings/{number}")).text
    link = page[page.index("/deliveries/activities/") :].partition('"')[0]
    detail = (await opened(north, link)).text
    assert f"Delivered to 1 of 3. Not to: {GONE}, {SLOW}." in detail
    assert "answered 410" in detail
