"""Runs instances as real processes with data folders of their own, on addresses of this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TypeVar

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20
ANSWER_SECONDS_MAX = 2
PASSWORD = "neighbours help"  # noqa: S105 - printed for everybody who tries the demo


T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """Somebody who lives there."""

    handle: str
    name: str
    role: str = "member"


@dataclass
class Town:
    """One instance: its address, its folder, its people, and its process while it runs."""

    name: str
    origin: str
    data: Path
    people: Sequence[Person]
    environment: Mapping[str, str] = field(default_factory=dict)
    database_url: str = ""
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def host(self) -> str:
        """Host and port, as admins name it."""
        return self.origin.removeprefix("http://")

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.host.rpartition(":")[2])

    @property
    def is_founded(self) -> bool:
        """Whether its settings file is there."""
        return (self.data / "fedaid.toml").exists()

    def found(self) -> None:
        """Found it with its first admin, and add its people."""
        admin = next(person for person in self.people if person.role == "admin")
        database = ["--database-url", self.database_url] if self.database_url else []
        options = ["--origin", self.origin, "--name", self.name, "--allow-loopback", "--admin", admin.handle]
        self.run("init", *options, *database, "--password-stdin", given=PASSWORD)
        for person in self.people:
            if person is not admin:
                options = ["--name", person.name, "--role", person.role, "--password-stdin"]
                self.run("member", "add", person.handle, *options, given=PASSWORD)

    def run(self, *words: str, given: str = "") -> str:
        """Run a fedaid command on this instance; what it printed. Raises RuntimeError with what it complained of."""
        finished = subprocess.run(  # noqa: S603 - our own program with our own words
            [sys.executable, "-m", "fedaid", *words, "--data", str(self.data)],
            input=given.encode(),
            capture_output=True,
            env=self._environment(),
            check=False,
        )
        if finished.returncode:
            raise RuntimeError(f"fedaid {' '.join(words)} at {self.name}: {finished.stderr.decode().strip()}")
        return finished.stdout.decode()

    def start(self) -> None:
        """Start its server, once the one before has ended, and wait until it answers. Raises RuntimeError."""
        self._reap()
        log = (self.data / "server.log").open("ab")
        with log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program with our own words
                [sys.executable, "-m", "fedaid", "serve", "--data", str(self.data), "--port", str(self.port)],
                stdout=log,
                stderr=log,
                env=self._environment(),
            )
        self._wait_until_ready()

    def kill(self) -> None:
        """End its process at once, as a power cut would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """Ask its process to end, and wait for it."""
        if self._process is not None:
            self._process.terminate()
        self._reap()

    def _reap(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"{self.name} ended at once; see {self.data / 'server.log'}")
            if self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not answer; see {self.data / 'server.log'}")

    def _answers(self) -> bool:
        asked = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS_MAX)
        try:
            asked.request("GET", "/readyz")
            return asked.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            asked.close()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


def side_by_side(act: Callable[[Town], T], towns: Sequence[Town]) -> list[T]:
    """Do something at several towns at the same time; what came of it at each. Raises what the first raised."""
    with ThreadPoolExecutor(len(towns)) as pool:
        return list(pool.map(act, towns))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
