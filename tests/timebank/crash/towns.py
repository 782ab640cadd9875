"""A neighbourhood of several processes behind a bad network: killed, stopped for a while, backed up and restored."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from fedaid.demo.servers import Person, Town, free_port
from tests.support import command_line
from tests.timebank.crash.proxy import Proxy

READY_SECONDS_MAX = 120
# Nobody waits for long here, neither for a server that is gone nor for a letter that was lost.
IMPATIENT = {
    "FEDAID_OUTBOX__ANSWER_TIMEOUT_SECONDS": "3",
    "FEDAID_OUTBOX__LEASE_SECONDS": "13",
    "FEDAID_OUTBOX__FIRST_RETRY_SECONDS": "1",
    "FEDAID_OUTBOX__KEEP_TRYING_SECONDS_MAX": "1",
    "FEDAID_OUTBOX__RETRY_SECONDS_MAX": "1",
    "FEDAID_OUTBOX__POLL_SECONDS": "0.2",
    "FEDAID_INBOX__FETCH_SECONDS_MAX": "3",
    "FEDAID_INBOX__LEASE_SECONDS": "5",
    "FEDAID_INBOX__RETRY_FIRST_SECONDS": "1",
    "FEDAID_INBOX__POLL_SECONDS": "0.2",
    "FEDAID_TIMEBANK__RESEND_FIRST_SECONDS": "2",
    "FEDAID_TIMEBANK__RESEND_SECONDS_MAX": "16",
    "FEDAID_TIMEBANK__RESEND_LOOK_SECONDS": "0.5",
    "FEDAID_TIMEBANK__SYNC_LOOK_SECONDS": "0.5",
    "FEDAID_TIMEBANK__SYNC_FIRST_SECONDS": "1",
    "FEDAID_TIMEBANK__MEMBER_FLOOR_MINUTES": "-6000",
}


@dataclass
class Restore:
    """A town, ended at ``at``, was put back to what it was at ``backed_up_at`` (seconds of the machine's own clock)."""

    backed_up_at: float
    at: float


@dataclass
class BusyTown(Town):
    """A town with ``servers`` web servers and, where its database takes several, a worker beside them."""

    servers: int = 1
    workers: int = 0
    chance: random.Random = field(default_factory=random.Random)
    restores: list[Restore] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    _running: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)
    _backups: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ports = [free_port() for _ in range(self.servers)]
        self.proxy = Proxy(self.port, self.ports, self.chance)

    def run(self, *words: str, given: str = "") -> str:
        """Commands are run in this process."""
        ended = command_line.fedaid(*words, "--data", str(self.data), given=given)
        if ended.returncode:
            raise RuntimeError(f"fedaid {' '.join(words)} at {self.name}: {ended.stderr}")
        return ended.stdout

    # processes

    @property
    def processes(self) -> Sequence[str]:
        """The names of its processes."""
        return [*(f"web {port}" for port in self.ports), *(f"worker {place}" for place in range(self.workers))]

    def start(self) -> None:
        """Start all that does not run, and wait until every server answers."""
        for name in self.processes:
            self.start_one(name)
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not all(self._is_ready(port) for port in self.ports):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not answer: {self._log_end()}")
            time.sleep(0.1)

    def _log_end(self) -> str:
        return (self.data / "server.log").read_text(errors="replace")[-2000:]

    def start_one(self, name: str) -> None:
        """Start this process unless it runs."""
        running = self._running.get(name)
        if running is not None and running.poll() is None:
            return
        kind, _, port = name.partition(" ")
        words = ["serve", "--port", port] if kind == "web" else ["worker"]
        with (self.data / "server.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "fedaid", *words, "--data", str(self.data)],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )

    def _is_ready(self, port: int) -> bool:
        asked = HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            asked.request("GET", "/readyz", headers={"Host": self.host})
            return asked.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            asked.close()

    def kill_one(self, name: str) -> None:
        """SIGKILL, by its own number."""
        running = self._running.get(name)
        if running is not None:
            running.kill()
            running.wait()

    def freeze_one(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while: it goes on as if no time had passed."""
        running = self._running.get(name)
        if running is not None and running.poll() is None:
            running.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            running.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """All of them."""
        for name in self.processes:
            self.kill_one(name)

    def stop(self) -> None:
        """End everything, the network too."""
        self.kill()
        self.proxy.close()

    # backups

    def back_up(self) -> None:
        """A copy of the database as it is between two transactions; its processes are killed for it."""
        self.kill()
        now = time.monotonic()
        self._backups.append((now, self._copy(f"backup{len(self._backups)}")))

    def restore(self) -> None:
        """Put the database back to an older copy; whatever was committed since is gone."""
        self.kill()
        ended = time.monotonic()
        backed_up_at, copy = self.chance.choice(self._backups)
        self._put_back(copy)
        self.restores.append(Restore(backed_up_at, ended))

    @property
    def _file(self) -> Path:
        return Path(urlsplit(self.database_url).path[1:])

    def _copy(self, name: str) -> str:
        if self.database_url.startswith("sqlite"):
            copy = self.data / name
            copy.mkdir()
            for file in self._files():
                shutil.copyfile(file, copy / file.name)
            return str(copy)
        made = f"{self._database}_{name}"
        self._sql(f'CREATE DATABASE "{made}" TEMPLATE "{self._database}"')
        return made

    def _put_back(self, copy: str) -> None:
        if self.database_url.startswith("sqlite"):
            for file in self._files():
                file.unlink()
            for file in Path(copy).iterdir():
                shutil.copyfile(file, self._file.parent / file.name)
            return
        self._sql(f'DROP DATABASE "{self._database}" WITH (FORCE)')
        self._sql(f'CREATE DATABASE "{self._database}" TEMPLATE "{copy}"')

    def _files(self) -> list[Path]:
        """The database and what SQLite keeps beside it: what is durable may be in any of them."""
        return [file for file in self._file.parent.glob(f"{self._file.name}*") if file.is_file()]

    @property
    def _database(self) -> str:
        return urlsplit(self.database_url).path[1:]

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self.database_url.replace(f"/{self._database}?", "/postgres?"), autocommit=True) as sql:
            if statement.startswith("CREATE"):  # a template must have no visitors
                sql.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE %s AND pid != pg_backend_pid()",
                    (f"{self._database}%",),
                )
            sql.execute(statement.encode())


def busy_town(
    name: str,
    data: Path,
    people: Sequence[Person],
    database_url: str,
    chance: random.Random,
    environment: dict[str, str],
) -> BusyTown:
    """One server on SQLite, two and a worker on PostgreSQL."""
    origin = f"http://127.0.0.1:{free_port()}"
    many = not database_url.startswith("sqlite")
    return BusyTown(
        name, origin, data, people, environment, database_url, servers=2 if many else 1, workers=many, chance=chance
    )
