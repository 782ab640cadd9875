"""Servers that are measured: processes of their own on free ports, with what they cost in CPU and memory."""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from activitypub.documents import parse_actor
from activitypub.identifiers import UrlRules
from fedaid import app
from fedaid.actors import commands, queries
from fedaid.actors.rules import FollowState, Kind
from fedaid.actors.tables import follow
from fedaid.admin import founding
from fedaid.board import commands as listings
from fedaid.board.rules import Kind as BoardKind
from fedaid.board.rules import Posting
from fedaid.demo.servers import free_port
from fedaid.foundation import schema
from fedaid.foundation.database import Database
from fedaid.foundation.viewer import Role, Viewer
from fedaid.foundation.work import Work
from fedaid.members import commands as members
from fedaid.settings import Settings, write
from tests.bench.senders import HOST, Sender

START_SECONDS_MAX = 120.0
PICTURE = "PICTURE"  # the environment's name for where a picture of the profile goes
STOP_SECONDS_MAX = 20.0
TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """One server: its process and where it listens."""

    pid: int
    port: int

    @property
    def cpu_seconds(self) -> float:
        """User and system time of its process so far, all threads together."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def memory_mb(self) -> float:
        """What of it is in memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(kilobytes) / 1024


@dataclass(frozen=True)
class House:
    """A founded instance at northside.example, which knows all senders; a board of it follows them.

    board, listing  the paths of that board's actor and of the one listing on it
    """

    data: Path
    settings: Settings
    board: str
    listing: str

    @contextmanager
    def served(self, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
        """``fedaid serve`` for it."""
        port = free_port()
        command = ["-m", "fedaid", "serve", "--data", str(self.data), "--port", str(port), *options]
        with running(command, port, HOST, environment) as server, _pictured(server):
            yield server

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Its database, looked at from here."""
        database = Database(self.settings.database)
        try:
            yield database
        finally:
            database.dispose()


@contextmanager
def running(
    command: Sequence[str], port: int, host: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A Python program that listens on this port, until the block ends."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FEDAID_")}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**inherited, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # the scheduler shares the machine between sessions, and we are not alone on it
        )
        try:
            _wait_until_it_answers(process, port, host)
            yield Server(process.pid, port)
        finally:
            _end(process)
            log.seek(0)
            faults = [line for line in log.read().decode().splitlines() if "error" in line.lower()]
    if faults:
        raise RuntimeError("\n".join(faults[:20]))


@contextmanager
def _pictured(server: Server) -> Iterator[None]:
    """Where PICTURE names a file: a picture of what the server's time goes into, looked at 250 times a second. The
    last server of the run stays in it."""
    if not (file := os.environ.get(PICTURE)):
        yield
        return
    looks = ["--pid", str(server.pid), "--rate", "250", "--format", "flamegraph", "--output", file]
    watcher = subprocess.Popen(["py-spy", "record", *looks], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        watcher.send_signal(signal.SIGINT)
        watcher.wait(STOP_SECONDS_MAX)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int, host: str) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while not _listens(port, host):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server on port {port} does not answer")
        time.sleep(0.05)


def _listens(port: int, host: str) -> bool:
    """A bare server is only called, as it answers nothing but what is measured."""
    line = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        line.connect()
        if host:
            line.request("GET", "/readyz", headers={"Host": host})
            return line.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    else:
        return True
    finally:
        line.close()


def found_house(folder: Path, senders: Sequence[Sender], database_url: str = "", **more: Any) -> House:
    """A new one in an empty folder, on SQLite there unless another database is named."""
    folder.mkdir(parents=True)
    chosen = Settings(data=folder, origin=f"https://{HOST}", name="Northside", database_url=database_url, **more)
    database = Database(chosen.database)
    schema.upgrade(database)
    database.dispose()
    instance = app.build(chosen, works=False)
    with instance.units.begin() as work:
        founding.found(work, chosen.name)
        board = queries.of_kind(work.connection, Kind.GROUP)[0]
        number = _post(work, board.uri)
        for sender in senders:
            commands.remember(work, parse_actor(sender.document(), UrlRules(), work.now))
            row = {"id": work.new_id(), "follower": board.uri, "followee": sender.actor, "created_at": work.now}
            row |= {"state": FollowState.ACCEPTED, "activity_id": f"{sender.actor}/follows/1"}
            work.connection.execute(follow.insert().values(row))
    instance.database.dispose()
    write(chosen)
    paths = [uri.removeprefix(chosen.origin) for uri in (board.uri, chosen.names.listing(number))]
    return House(folder, chosen, *paths)


def _post(work: Work, board: str) -> int:
    ana = members.add_member(work, "ana", "no password fits this", role=Role.ADMIN)
    viewer = Viewer(ana.id, ana.handle, ana.name, work.names.person(ana.handle), ana.role)
    said = "The stairs are narrow, and my back is not what it was. " * 10
    posting = Posting(BoardKind.REQUEST, "Carry a sofa", work.now + timedelta(days=30), said, minutes=90)
    return listings.post_listing(work, viewer, board, posting)


@contextmanager
def bare_post(folder: Path, senders: Sequence[Sender], database_url: str = "") -> Iterator[Server]:
    """The limit of the inbox: see ``tests.bench.bare``."""
    keys = folder / "keys"
    keys.write_bytes(pickle.dumps({sender.key_id: sender.pem for sender in senders}))
    port = free_port()
    where = database_url or str(folder / "bare.sqlite3")
    with running(["-m", "tests.bench.bare", "post", str(keys), where, str(port)], port) as server:
        yield server


@contextmanager
def bare_get(folder: Path, body: bytes) -> Iterator[Server]:
    """The limit of reading."""
    file = folder / "body"
    file.write_bytes(body)
    port = free_port()
    with running(["-m", "tests.bench.bare", "get", str(file), str(port)], port) as server:
        yield server
