"""A bench on which the commands of a page are run as somebody would who reads it: at a terminal, in an empty folder."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from fedaid.demo.servers import free_port

PASSWORD = "neighbours help"
SECONDS_MAX = 120.0  # for one command, or until a server answers
OTHER_SIDE_SECONDS_MAX = 60.0  # until what one network says has come to the other
STOP_SECONDS_MAX = 30.0
_SERVER = re.compile(r"^(?:\w+=\S+ )*fedaid (?P<kind>serve|worker) ")
_PORT = re.compile(r"--port (\d+)")
_ASKS_FOR_PASSWORD = re.compile(rb"(?:Password|Repeat for confirmation): $")  # with the space it listens
_TAKE_TIME = ("fedaid network", "fedaid deliveries")  # what they show is there only when both sides have worked
_ENDED_BY_US = (0, -signal.SIGTERM)


class CommandFailed(AssertionError):
    """A command of a page did not do what the page says."""


@dataclass
class Bench:
    """One empty folder with two neighbourhoods to be in it, and what was started there.

    folder    stands for /srv, and is where the commands are run
    database  the URL of an empty PostgreSQL database, for pages that want one
    """

    folder: Path
    database: str = ""
    north_port: int = field(default_factory=free_port)
    river_port: int = field(default_factory=free_port)
    second_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    _servers: list[tuple[int, "subprocess.Popen[bytes]"]] = field(default_factory=list)
    _environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        programs = Path(sys.executable).parent
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FEDAID_")}
        self._environment = {**inherited, "PATH": path, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}

    def here(self, text: str) -> str:
        """A command or an output as it reads on this bench: other folders, hosts and ports, and no sudo."""
        for said, here in self._translations().items():
            text = text.replace(said, here)
        if _SERVER.match(text) and "--port" not in text and "serve" in text:
            text += f" --port {self.north_port}"
        return text

    def _translations(self) -> Mapping[str, str]:
        """In this order: the longer before the shorter."""
        return {
            "sudo -u fedaid /opt/fedaid/venv/bin/": "",
            "/srv/": f"{self.folder}/",
            "--origin https://northside.example": f"--origin http://127.0.0.1:{self.north_port} --allow-loopback",
            "--origin https://riverside.example": f"--origin http://127.0.0.1:{self.river_port} --allow-loopback",
            "https://northside.example/api": f"http://127.0.0.1:{self.north_port}/api",
            "northside.example": f"127.0.0.1:{self.north_port}",
            "riverside.example": f"127.0.0.1:{self.river_port}",
            "127.0.0.1:8001": f"127.0.0.1:{self.north_port}",
            "127.0.0.1:8002": f"127.0.0.1:{self.river_port}",
            "--port 8000": f"--port {self.north_port}",
            "--port 8001": f"--port {self.north_port}",
            "--port 8002": f"--port {self.river_port}",
            "--metrics-port 9101": f"--metrics-port {self.metrics_port}",
            "--port 8010": f"--port {self.second_port}",
            "postgresql:///fedaid?host=/run/postgresql": self.database,
        }

    def run(self, said: str, expected: str = "") -> None:
        """Run one line of a page, and find there what the page shows after it. Raises CommandFailed.

        A server is left running; what waits for the other side is tried until it has come.
        """
        command = self.here(said)
        if _SERVER.match(command):
            self._start(command)
            return
        deadline = time.monotonic() + (OTHER_SIDE_SECONDS_MAX if command.startswith(_TAKE_TIME) else 0)
        status, output = self._type(command)
        while (status or not shows(output, self.here(expected))) and time.monotonic() < deadline:
            time.sleep(0.5)
            status, output = self._type(command)
        if status:
            raise CommandFailed(f"{said}\nended with {status}:\n{output}")
        if not shows(output, self.here(expected)):
            raise CommandFailed(f"{said}\ndid not say what the page shows:\n{output}")

    def _type(self, command: str) -> tuple[int, str]:
        """Run it at a terminal, answering when a password is asked for; exit status and output."""
        if command.startswith("export "):
            return self._export(command)
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            ["setsid", "--ctty", "bash", "-euo", "pipefail", "-c", command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.folder,
            env=self._environment,
        )
        os.close(theirs)
        try:
            output = _typed_into(process, ours)
            return process.wait(), output  # before the terminal goes away, which would tell the command to hang up
        finally:
            os.close(ours)

    def _export(self, command: str) -> tuple[int, str]:
        finished = subprocess.run(
            ["bash", "-euc", f"{command}; env -0"],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            check=False,
        )
        pairs = [pair.partition("=") for pair in finished.stdout.decode().split("\0") if pair]
        self._environment = {name: value for name, _, value in pairs}
        return finished.returncode, finished.stderr.decode()

    def _start(self, command: str) -> None:
        found = _PORT.search(command)
        port = int(found[1]) if found else 0
        self._stop(port)
        with (self.folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec env {command}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment,
            )
        self._servers.append((port, process))
        self._wait_until_it_works(command, port, process)

    def _wait_until_it_works(self, command: str, port: int, process: "subprocess.Popen[bytes]") -> None:
        """A server works once it answers; a worker has nothing to answer, and must only live on until ``end``."""
        deadline = time.monotonic() + SECONDS_MAX
        while port and not _answers(f"http://127.0.0.1:{port}/readyz", f"127.0.0.1:{self._host_port(port)}"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise CommandFailed(f"{command}\ndoes not answer:\n{(self.folder / 'server.log').read_text()}")
            time.sleep(0.1)

    def _host_port(self, port: int) -> int:
        """A second process of Northside is reached by a proxy under Northside's own name."""
        return self.north_port if port == self.second_port else port

    def stop(self) -> None:
        """What ``systemctl stop`` would do."""
        for port, _ in list(self._servers):
            self._stop(port)

    def _stop(self, port: int) -> None:
        for started in [one for one in self._servers if port and one[0] == port]:
            self._servers.remove(started)
            _end(started[1])

    def end(self) -> None:
        """End what still runs. Raises CommandFailed for what ended before by itself."""
        statuses = [_end(process) for _, process in self._servers]
        self._servers.clear()
        if any(status not in _ENDED_BY_US for status in statuses):
            raise CommandFailed(f"a server ended with {statuses}:\n{(self.folder / 'server.log').read_text()}")


def _end(process: "subprocess.Popen[bytes]") -> int:
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _typed_into(process: "subprocess.Popen[bytes]", terminal: int) -> str:
    """Stay at the terminal until the command has ended, and type the password whenever it is asked for."""
    deadline, output, unanswered = time.monotonic() + SECONDS_MAX, b"", b""
    while True:
        if time.monotonic() > deadline:
            process.kill()
            return f"{output.decode()}\n(no end within {SECONDS_MAX:.0f} seconds)"
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                seen = os.read(terminal, 4096)
            except OSError:  # nobody has the terminal any more: the command has ended
                return output.decode()
            output, unanswered = output + seen, unanswered + seen
        if _ASKS_FOR_PASSWORD.search(unanswered):
            os.write(terminal, f"{PASSWORD}\n".encode())
            unanswered = b""


def _answers(url: str, host: str) -> bool:
    try:
        return httpx2.get(url, headers={"Host": host}, trust_env=False, timeout=2).status_code == 200
    except httpx2.TransportError:
        return False


def shows(output: str, expected: str) -> bool:
    """Whether an output has what a page shows of it; … stands for anything, and spaces do not count."""
    parts = [re.escape(" ".join(part.split())) for part in expected.split("…")]
    return re.search(".*".join(parts), " ".join(output.split())) is not None
