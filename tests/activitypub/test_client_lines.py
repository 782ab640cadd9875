"""Letters go over connections that are kept: each made by the guard, verified, used again, and given up when in doubt."""

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from activitypub.client import Answer, Client, FetchLimits, trusting
from activitypub.client.lines import Line
from activitypub.errors import FetchFailed
from activitypub.identifiers import UrlRules
from tests.bench.certificates import Authority

pytestmark = pytest.mark.anyio
YES = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
LETTER = b'{"id": "https://north.example/activities/1"}'
PATIENT = FetchLimits(connect_seconds_max=30, read_seconds_max=30, total_seconds_max=60)  # a busy machine is slow


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Taker:
    """A server: what it does with each request of each connection, what it read, and how often it was called.

    does  ``bytes`` are an answer; None closes the connection without one; "hang" never answers
    """

    does: Callable[[int, int], bytes | str | None] = lambda connection, request: YES
    tls: ssl.SSLContext | None = None
    port: int = 0
    calls: int = 0
    requests: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def inbox(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/inbox"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        self.writers.append(writer)
        connection, number = self.calls, 0
        try:
            while (request := await _request(reader)) is not None:
                number += 1
                self.requests.append(request)
                done = self.does(connection, number)
                if done is None:
                    break
                if isinstance(done, str):
                    await asyncio.sleep(60)
                writer.write(done)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def asked(taker: Taker, times: int = 1) -> None:
    """Wait until so many requests have come."""
    async with asyncio.timeout(60):
        while len(taker.requests) < times:  # noqa: ASYNC110 - what is waited for is another program's, so to speak
            await asyncio.sleep(0.01)


async def _request(reader: asyncio.StreamReader) -> bytes | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


@asynccontextmanager
async def taking(taker: Taker) -> AsyncIterator[Taker]:
    server = await asyncio.start_server(taker.connected, "127.0.0.1", 0, ssl=taker.tls)
    taker.port = server.sockets[0].getsockname()[1]
    try:
        yield taker
    finally:
        server.close()
        for writer in taker.writers:
            writer.transport.abort()


async def posted(
    taker: Taker,
    times: int = 1,
    limits: FetchLimits = PATIENT,
    between: Callable[[], Awaitable[Any]] | None = None,
    **chosen: Any,
) -> list[Answer | str]:
    """Post to it one after the other with one client; the answers, or the codes of failures."""
    client = Client(UrlRules(loopback=True), limits, **chosen)
    answers: list[Answer | str] = []
    try:
        for _ in range(times):
            try:
                answers.append(await client.post(taker.inbox, LETTER, {"signature": "s"}))
            except FetchFailed as failed:
                answers.append(failed.code)
            if between is not None:
                await between()
    finally:
        await client.aclose()
    return answers


def statuses(answers: Sequence[Answer | str]) -> list[int | str]:
    return [one if isinstance(one, str) else one.status for one in answers]


# a letter and its answer


async def test_a_letter_arrives_as_it_was_signed() -> None:
    async with taking(Taker()) as taker:
        (answer,) = await posted(taker, user_agent="north")
    assert answer == Answer(202, None, "")
    (request,) = taker.requests
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /inbox HTTP/1.1"
    said = dict(header.split(": ") for header in headers)
    assert said["host"] == f"127.0.0.1:{taker.port}"
    assert said["content-type"] == "application/activity+json"
    assert said["accept-encoding"] == "identity"
    assert said["user-agent"] == "north"
    assert said["signature"] == "s"
    assert body == LETTER


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"429 Slow\r\nRetry-After: 90\r\ncontent-length: 4\r\n\r\nlate", Answer(429, 90, "late")),
        (b"410 Gone\r\ntransfer-encoding: chunked\r\n\r\n4\r\ngone\r\n0\r\n\r\n", Answer(410, None, "gone")),
        (b"500 Oh\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b", Answer(500, None, "")),
        (b"307 There\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n", Answer(307, None, "")),
        (b"204 No\r\n\r\n", Answer(204, None, "")),
        (b"103 Early\r\nlink: x\r\n\r\nHTTP/1.1 202 Then\r\ncontent-length: 0\r\n\r\n", Answer(202, None, "")),
    ],
    ids=["with patience", "in chunks", "packed", "a redirect", "without a body", "after an interim answer"],
)
async def test_an_answer_is_read(said: bytes, answer: Answer) -> None:
    async with taking(Taker(lambda connection, request: b"HTTP/1.1 " + said)) as taker:
        assert await posted(taker, 2) == [answer] * 2
    assert taker.calls == 1
    assert len(taker.requests) == 2


async def test_an_answer_that_ends_with_its_connection_is_read() -> None:
    async with taking(Taker(lambda connection, request: b"HTTP/1.1 400 No\r\n\r\nbecause")) as taker:
        taker.does = lambda connection, request: None if request > 1 else b"HTTP/1.1 400 No\r\n\r\nbecause"
        task = asyncio.create_task(posted(taker))
        await asked(taker)
        await asyncio.sleep(0.05)
        taker.writers[0].close()
        assert await task == [Answer(400, None, "because")]


# connections that are kept


async def test_a_connection_is_used_again() -> None:
    async with taking(Taker()) as taker:
        assert statuses(await posted(taker, 3)) == [202] * 3
    assert taker.calls == 1


async def test_who_says_close_is_called_anew() -> None:
    closing = b"HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    async with taking(Taker(lambda connection, request: closing)) as taker:
        assert statuses(await posted(taker, 2)) == [202] * 2
    assert taker.calls == 2


async def test_a_kept_connection_that_ends_before_any_answer_is_replaced_once() -> None:
    async with taking(Taker(lambda connection, request: YES if request == 1 else None)) as taker:
        assert statuses(await posted(taker, 2)) == [202, 202]
    assert taker.calls == 2
    assert len(taker.requests) == 3


async def test_a_new_connection_that_ends_before_any_answer_is_not_tried_again() -> None:
    async with taking(Taker(lambda connection, request: None)) as taker:
        assert await posted(taker) == ["no_connection"]
    assert taker.calls == 1


async def test_a_letter_is_not_sent_again_once_anything_of_an_answer_came() -> None:
    async with taking(Taker(lambda connection, request: YES if request == 1 else b"HTTP/1.1 2")) as taker:
        task = asyncio.create_task(posted(taker, 2))
        await asked(taker, 2)
        await asyncio.sleep(0.05)
        taker.writers[0].close()
        assert statuses(await task) == [202, "no_connection"]
    assert len(taker.requests) == 2


async def test_a_letter_is_not_sent_again_because_nobody_answers() -> None:
    async with taking(Taker(lambda connection, request: YES if request == 1 else "hang")) as taker:
        assert statuses(await posted(taker, 2, FetchLimits(read_seconds_max=2))) == [202, "timeout"]
    assert taker.calls == 1
    assert len(taker.requests) == 2


async def test_after_a_request_that_was_not_waited_for_its_answer_is_nobodys() -> None:
    late = b"HTTP/1.1 500 Late\r\ncontent-length: 0\r\n\r\n"
    async with taking(Taker(lambda connection, request: "hang" if connection == 1 else YES)) as taker:
        client = Client(UrlRules(loopback=True), PATIENT)
        posting = asyncio.create_task(client.post(taker.inbox, LETTER, {}))
        await asked(taker)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        taker.writers[0].write(late)
        assert (await client.post(taker.inbox, LETTER, {})).status == 202
        await client.aclose()
    assert taker.calls == 2


async def test_what_comes_unasked_ends_the_connection() -> None:
    async with taking(Taker(lambda connection, request: YES)) as taker:

        async def says_more() -> None:
            taker.writers[-1].write(b"HTTP/1.1 500 Unasked\r\ncontent-length: 0\r\n\r\n")
            await asyncio.sleep(0.05)

        assert statuses(await posted(taker, 2, between=says_more)) == [202] * 2
    assert taker.calls == 2


async def test_a_second_answer_to_one_letter_is_not_taken_for_that_to_the_next() -> None:
    twice = YES + b"HTTP/1.1 500 Unasked\r\ncontent-length: 0\r\n\r\n"
    async with taking(Taker(lambda connection, request: twice)) as taker:
        assert statuses(await posted(taker, 2)) == [202] * 2
    assert taker.calls == 2


async def test_only_so_many_connections_are_kept() -> None:
    async with taking(Taker()) as first, taking(Taker()) as second:
        client = Client(UrlRules(loopback=True), FetchLimits(kept_lines_max=1))
        for taker in (first, second, second, first):
            await client.post(taker.inbox, LETTER, {})
        await client.aclose()
    assert (first.calls, second.calls) == (2, 1)


async def test_an_idle_connection_is_not_kept_for_ever() -> None:
    async with taking(Taker()) as taker:
        idle = FetchLimits(idle_seconds_max=0.05)
        assert statuses(await posted(taker, 2, idle, lambda: asyncio.sleep(0.2))) == [202] * 2
    assert taker.calls == 2


async def test_what_a_closed_connection_took_is_free_without_the_garbage_collector() -> None:
    async with taking(Taker()) as taker:
        gc.collect()
        before = _lines_in_memory()
        gc.disable()
        try:
            assert statuses(await posted(taker)) == [202]
            await asyncio.sleep(0.05)  # the loop tells the line that it was lost
            assert _lines_in_memory() == before
        finally:
            gc.enable()


def _lines_in_memory() -> int:
    return sum(isinstance(one, Line) for one in gc.get_objects())


# what costs us too much


@pytest.mark.attack("S07")
async def test_a_long_answer_is_read_as_far_as_it_is_looked_at() -> None:
    endless = b"HTTP/1.1 500 Oh\r\ncontent-length: 100000000\r\n\r\n" + b"x" * 100_000
    async with taking(Taker(lambda connection, request: endless)) as taker:
        answers = await posted(taker, 2, FetchLimits(answer_bytes_max=10))
    assert answers == [Answer(500, None, "x" * 10)] * 2
    assert taker.calls == 2


@pytest.mark.attack("S07")
@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000, b"HTTP/1.1 103 Early\r\n\r\n" * 5_000])
async def test_a_head_without_end_is_not_read(head: bytes) -> None:
    async with taking(Taker(lambda connection, request: head)) as taker:
        assert await posted(taker) == ["no_connection"]


@pytest.mark.attack("S08")
async def test_an_answer_that_drips_ends_with_the_deadline_of_all() -> None:
    async with taking(Taker(lambda connection, request: "hang")) as taker:
        limits = FetchLimits(total_seconds_max=3, read_seconds_max=2)
        task = asyncio.create_task(posted(taker, 1, limits))
        await asked(taker)
        taker.writers[0].write(b"HTTP/1.1 200 OK\r\nx: ")
        while not task.done():
            taker.writers[0].write(b"y")
            await asyncio.sleep(0.1)
        assert await task == ["timeout"]


@pytest.mark.parametrize(
    "said",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 40\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok",
    ],
    ids=["another protocol", "two lengths", "a length and chunks", "a length below nothing"],
)
async def test_what_is_not_http_is_no_answer(said: bytes) -> None:
    async with taking(Taker(lambda connection, request: said)) as taker:
        assert await posted(taker) == ["no_connection"]


async def test_a_server_that_is_away_is_no_answer() -> None:
    async with taking(Taker()) as taker:
        pass
    assert await posted(taker) == ["no_connection"]


async def test_a_header_of_two_lines_is_not_sent() -> None:
    async with taking(Taker()) as taker:
        client = Client(UrlRules(loopback=True), FetchLimits())
        with pytest.raises(FetchFailed) as refused:
            await client.post(taker.inbox, LETTER, {"x": "1\r\ny: 2"})
        await client.aclose()
    assert (refused.value.code, refused.value.permanent) == ("header", True)
    assert taker.requests == []


# the guard


@pytest.mark.attack("S01", "S02")
@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], []])
async def test_nothing_is_posted_to_a_name_that_leads_inside_or_nowhere(addresses: list[str]) -> None:
    async def resolve(host: str) -> Sequence[str]:
        return addresses

    client = Client(UrlRules(), FetchLimits(), resolver=resolve)
    with pytest.raises(FetchFailed) as refused:
        await client.post("https://inside.example/inbox", LETTER, {})
    assert refused.value.code == ("forbidden_address" if addresses else "no_address")
    await client.aclose()


# certificates


def served_with(certificate: bytes, folder: Path) -> ssl.SSLContext:
    file = folder / "server.pem"
    file.write_bytes(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def test_over_tls_a_connection_is_used_again(tmp_path: Path, authority: Authority) -> None:
    authority.write(tmp_path / "authority.pem")
    async with taking(Taker(tls=served_with(authority.for_address("127.0.0.1"), tmp_path))) as taker:
        assert statuses(await posted(taker, 3, trusted=str(tmp_path / "authority.pem"))) == [202] * 3
    assert taker.calls == 1


async def test_a_kept_connection_over_tls_that_ended_is_replaced_once(tmp_path: Path, authority: Authority) -> None:
    authority.write(tmp_path / "authority.pem")
    async with taking(Taker(tls=served_with(authority.for_address("127.0.0.1"), tmp_path))) as taker:
        taker.does = lambda connection, request: YES if request == 1 else None
        assert statuses(await posted(taker, 2, trusted=str(tmp_path / "authority.pem"))) == [202] * 2
    assert taker.calls == 2


@pytest.mark.parametrize("case", ["of an authority that nobody trusts", "of another server", "of no server at all"])
async def test_a_wrong_certificate_is_no_connection(case: str, tmp_path: Path, authority: Authority) -> None:
    authority.write(tmp_path / "authority.pem")
    address = "127.0.0.2" if case == "of another server" else "127.0.0.1"
    tls = None if case == "of no server at all" else served_with(authority.for_address(address), tmp_path)
    async with taking(Taker(tls=tls)) as taker:
        trusted = "" if case == "of an authority that nobody trusts" else str(tmp_path / "authority.pem")
        client = Client(UrlRules(loopback=True), FetchLimits(connect_seconds_max=1), trusted=trusted)
        with pytest.raises(FetchFailed) as refused:
            await client.post(f"https://127.0.0.1:{taker.port}/inbox", LETTER, {})
        await client.aclose()
    assert refused.value.code in ("no_connection", "timeout")
    assert taker.requests == []


def test_a_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nothing.pem").write_text("nothing")
    for name in ("nothing.pem", "away.pem"):
        with pytest.raises(OSError):
            trusting(str(tmp_path / name))
