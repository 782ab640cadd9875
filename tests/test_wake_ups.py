"""Real processes on one PostgreSQL wake each other: none of them looks by itself for ten minutes, and work is done."""

import asyncio
import json
import pickle
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from sqlalchemy import select

from fedaid import app
from fedaid.demo.servers import free_port
from fedaid.members import commands as members
from fedaid.members import queries as member_queries
from fedaid.notices import commands as notices
from fedaid.notices.rules import Kind
from inbox.tables import inbox_letter
from outbox.tables import activity
from tests.bench.senders import HOST, Sender, _sender, sign_letters
from tests.bench.servers import House, Server, found_house, running
from tests.support import databases

SECONDS_MAX = 120.0
POLL_SECONDS = 600
TOKEN = "a token of many characters"
ENVIRONMENT = {
    "FEDAID_INBOX__POLL_SECONDS": str(POLL_SECONDS),
    "FEDAID_OUTBOX__POLL_SECONDS": str(POLL_SECONDS),
    "FEDAID_ERRANDS__POLL_SECONDS": str(POLL_SECONDS),
    "FEDAID_NOTICES__LIVE_LOOK_SECONDS": str(POLL_SECONDS),
    "FEDAID_METRICS__TOKEN": TOKEN,
}


@pytest.fixture
def sender() -> Sender:
    return _sender(0)


@pytest.fixture
def house(tmp_path: Path, sender: Sender) -> Iterator[House]:
    with databases.fresh_database_url("postgresql", tmp_path) as url:
        yield found_house(tmp_path / "house", [sender], url)


@contextmanager
def working(house: House) -> Iterator[Server]:
    """``fedaid worker`` for it, in a process of its own."""
    port = free_port()
    command = ["-m", "fedaid", "worker", "--data", str(house.data), "--metrics-port", str(port)]
    with running(command, port, environment=ENVIRONMENT) as worker:
        yield worker


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def first(house: House, column: object) -> object:
    with house.database() as database, database.read() as connection:
        return connection.execute(select(column)).scalars().first()


def bring_letter(server: Server, sender: Sender, folder: Path) -> bytes:
    sign_letters([sender], 1, folder / "letters")
    (letter,) = pickle.loads((folder / "letters").read_bytes())  # noqa: S301 - our own
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(letter)
        return line.recv(4096)


def metrics(server: Server) -> str:
    status, text = ask(server, "GET", "/metrics", {"Authorization": f"Bearer {TOKEN}"})
    assert status == 200
    return text


def ask(server: Server, method: str, path: str, headers: Mapping[str, str], body: str = "") -> tuple[int, str]:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=SECONDS_MAX)) as line:
        line.request(method, path, body, dict(headers))
        answer = line.getresponse()
        return answer.status, answer.read().decode()


def test_a_letter_that_one_process_takes_is_applied_by_another_at_once(
    house: House, sender: Sender, tmp_path: Path
) -> None:
    with house.served("--no-work", environment=ENVIRONMENT) as server, working(house) as worker:
        until(lambda: "fedaid_chores_run_total" in metrics(worker))
        time.sleep(1)  # what it looks for by itself at its start is over
        assert bring_letter(server, sender, tmp_path).startswith(b"HTTP/1.1 202")
        until(lambda: first(house, inbox_letter.c.state) == "done")
        assert 'fedaid_letters_answered_total{code="accepted"} 1.0' in metrics(server)
        until(lambda: 'fedaid_letters_settled_total{code="",state="done"} 1.0' in metrics(worker))
        assert "fedaid_letters_settled_total{" not in metrics(server), "each counts what it did itself"


def test_what_one_process_says_is_sent_by_another_at_once(house: House) -> None:
    instance = app.build(house.settings, works=False)
    with instance.units.begin() as work:
        ana = member_queries.by_handle(work.connection, "ana")
        assert ana is not None
        token = members.issue_token(work, ana.id, "board:read board:write")
    instance.database.dispose()
    with house.served("--no-work", environment=ENVIRONMENT) as server, working(house) as worker:
        until(lambda: "fedaid_chores_run_total" in metrics(worker))
        until(lambda: first(house, activity.c.fanned_out) is not False)
        time.sleep(1)
        listing = json.dumps({"kind": "request", "title": "Moving a sofa", "minutes": 60})
        headers = {"Host": HOST, "Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        status, _ = ask(server, "POST", "/api/fedaid/v1/listings", {**headers, "Idempotency-Key": "one"}, listing)
        assert status == 201
        with house.database() as database:

            def is_all_addressed() -> bool:
                with database.read() as connection:
                    return all(connection.execute(select(activity.c.fanned_out)).scalars())

            until(is_all_addressed)


def test_an_open_page_of_one_process_hears_at_once_what_another_stored(house: House) -> None:
    instance = app.build(house.settings, works=False)
    with instance.units.begin() as work:
        ana = member_queries.by_handle(work.connection, "ana")
        assert ana is not None
        secret = members.sign_in(work, ana.id, "test", house.settings.members)
    cookie = f"__Host-fedaid-{HOST.replace('.', '-')}={secret}"

    async def store() -> None:
        stop = asyncio.Event()
        ringing = asyncio.create_task(instance.bells.run(stop))
        await asyncio.sleep(0.5)
        with instance.units.begin() as work:
            notices.tell(work, [ana.id], Kind.ANSWERED, "1")
        await asyncio.sleep(1)
        stop.set()
        await ringing
        await instance.close()

    with (
        house.served("--no-work", environment=ENVIRONMENT) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS_MAX) as line,
    ):
        line.sendall(f"GET /notices/live HTTP/1.1\r\nHost: {HOST}\r\nCookie: {cookie}\r\n\r\n".encode())
        heard = b""
        while b"data: 0" not in heard:
            heard += line.recv(4096)
        time.sleep(1)  # until it rests
        asyncio.run(store())
        while b"data: 1" not in heard:
            more = line.recv(4096)
            assert more, heard
            heard += more
