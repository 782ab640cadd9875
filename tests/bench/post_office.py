"""An instance whose board is followed from many servers, and the one process of it that delivers what is posted."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from fedaid import app
from fedaid.actors import queries
from fedaid.actors.rules import FollowState, Kind
from fedaid.actors.tables import follow, remote_actor
from fedaid.demo.servers import free_port
from fedaid.foundation.work import Work
from outbox.queue import Outgoing, post
from outbox.tables import DELIVERED, WAITING, activity, delivery
from tests.bench.senders import AS2, PUBLIC
from tests.bench.servers import ROOT, House, Server, found_house, running
from tests.bench.takers import SLOW_SECONDS, address_of

LETTER_BYTES = 2048
LOOK_SECONDS = 0.02
SIGNATURES = 3_000
# The machine may be busy with others, and only processor time is counted.
PATIENCE = {
    "FEDAID_FETCH__CONNECT_SECONDS_MAX": "30",
    "FEDAID_FETCH__READ_SECONDS_MAX": "30",
    "FEDAID_FETCH__TOTAL_SECONDS_MAX": "30",
    "FEDAID_OUTBOX__ANSWER_TIMEOUT_SECONDS": "30",
    "FEDAID_OUTBOX__LEASE_SECONDS": "180",
}
MEMORY_PEAK = "VmHWM:"


@dataclass(frozen=True)
class PostOffice:
    """A founded instance and where its letters go.

    followed  how many servers follow the board, one follower each
    secure    the certificate of the authority that these servers have theirs from; none where they speak http
    """

    house: House
    port: int
    followed: int
    secure: Path | None

    @property
    def board(self) -> str:
        return f"{self.house.settings.origin}{self.house.board}"

    def post(self, letters: int) -> Sequence[float]:
        """So many posts of the board for everybody; how many seconds each of them took."""
        took = []
        instance = app.build(self.house.settings, works=False)
        for _ in range(letters):
            began = time.perf_counter()
            with instance.units.begin() as work:
                _say(work, self.board)
            took.append(time.perf_counter() - began)
        instance.database.dispose()
        return took

    def wait(self, deliveries: int, seconds_max: float) -> float:
        """Until so many have been delivered, with nothing left; how long it took."""
        return self._until(
            lambda connection: _left(connection) == 0 and _delivered(connection) >= deliveries, seconds_max
        )

    def wait_for_quick(self, deliveries: int, seconds_max: float) -> float:
        """Until so many have been delivered, whatever is left."""
        return self._until(lambda connection: _delivered(connection) >= deliveries, seconds_max)

    def _until(self, is_done: Callable[[Connection], bool], seconds_max: float) -> float:
        began = time.perf_counter()
        with self.house.database() as database:
            while True:
                with database.read() as connection:
                    if is_done(connection):
                        return time.perf_counter() - began
                if time.perf_counter() - began > seconds_max:
                    raise RuntimeError(f"not everything was delivered in {seconds_max} s")
                time.sleep(LOOK_SECONDS)

    def expect_all(self) -> None:
        """Raises RuntimeError unless everything arrived at the first try, each once."""
        with self.house.database() as database, database.read() as connection:
            states = connection.execute(
                select(delivery.c.state, delivery.c.tries, func.count()).group_by(delivery.c.state, delivery.c.tries)
            ).all()
            posted = connection.execute(select(func.count()).select_from(activity)).scalar_one()
        if [tuple(row) for row in states] != [(DELIVERED, 1, posted * self.followed)]:
            raise RuntimeError(f"not everything arrived at the first try: {states}")

    @contextmanager
    def works(self, **settings: object) -> Iterator[Server]:
        """``fedaid worker`` for it, with settings such as ``FETCH__KEPT_LINES_MAX`` that are not as they come."""
        chosen = {
            "FEDAID_TRUSTED_CERTIFICATES": str(self.secure or ""),
            **PATIENCE,
            **{f"FEDAID_{name}": str(value) for name, value in settings.items()},
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FEDAID_")}
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "fedaid",
                    "worker",
                    "--data",
                    str(self.house.data),
                ],
                cwd=ROOT,
                env={**inherited, **chosen},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                yield Server(process.pid, 0)
            finally:
                process.terminate()
                process.wait(20)
                log.seek(0)
                said = log.read().decode()
        faults = [line for line in said.splitlines() if '"error"' in line or "Traceback" in line]
        if faults:
            raise RuntimeError("\n".join(faults[:20]) + said[-3000:])


def _delivered(connection: Connection) -> int:
    done = select(func.count()).select_from(delivery).where(delivery.c.state == DELIVERED)
    return connection.execute(done).scalar_one()


def _left(connection: Connection) -> int:
    waiting = select(func.count()).select_from(delivery).where(delivery.c.state == WAITING)
    new = select(func.count()).select_from(activity).where(activity.c.fanned_out.is_(False))
    return sum(connection.execute(query).scalar_one() for query in (waiting, new))


def _say(work: Work, board: str) -> None:
    number = work.new_id()
    note = {
        "id": f"{board}/notes/{number}",
        "type": "Note",
        "attributedTo": board,
        "to": [PUBLIC],
        "cc": [f"{board}/followers"],
        "content": "",
    }
    create = {
        "@context": AS2,
        "id": f"{board}/activities/{number}",
        "type": "Create",
        "actor": board,
        "to": note["to"],
        "cc": note["cc"],
        "object": note,
    }
    missing = LETTER_BYTES - len(json.dumps(create))
    note["content"] = ("The stairs are narrow, and my back is not what it was. " * 40)[:missing]
    outgoing = Outgoing(create, board, followers_of=board, public=True)
    post(work.connection, outgoing, round(work.now.timestamp() * 1000))


@contextmanager
def opened(
    folder: Path,
    servers: int,
    *,
    secure: bool = False,
    slow: int = 0,
    pause: float = SLOW_SECONDS,
    database_url: str = "",
) -> Iterator[PostOffice]:
    """The instance, and so many servers that follow its board, ``slow`` of which answer after ``pause`` seconds."""
    port = free_port()
    file = folder / "authority.pem" if secure else None
    words = ["-m", "tests.bench.takers", str(port), "--slow", str(slow), "--pause", str(pause)]
    words += ["--authority", str(file), "--count", str(servers)] if file else []
    with running(words, port):
        house = found_house(folder / "house", [], database_url, allow_loopback=True)
        office = PostOffice(house, port, servers, file)
        _follow(office)
        yield office


def _follow(office: PostOffice) -> None:
    """One follower at each server, each with an inbox of its own."""
    scheme = "https" if office.secure else "http"
    instance = app.build(office.house.settings, works=False)
    with instance.units.begin() as work:
        board = queries.of_kind(work.connection, Kind.GROUP)[0].uri
        actors, follows = [], []
        for number in range(office.followed):
            host = f"{address_of(number)}:{office.port}"
            actor = f"{scheme}://{host}/users/ben"
            actors.append(_actor(work, actor, host))
            follows.append(_follow_of(work, actor, board))
        work.connection.execute(insert(remote_actor), actors)
        work.connection.execute(insert(follow), follows)
    instance.database.dispose()


def _actor(work: Work, actor: str, host: str) -> dict[str, object]:
    said = {"type": "Person", "handle": "ben", "name": "Ben", "page": actor, "inbox": f"{actor}/inbox"}
    return {"id": work.new_id(), "uri": actor, "host": host, "document": "{}", "fetched_at": work.now, **said}


def _follow_of(work: Work, actor: str, board: str) -> dict[str, object]:
    asked = {"activity_id": f"{actor}/follows/1", "state": FollowState.ACCEPTED, "created_at": work.now}
    return {"id": work.new_id(), "follower": actor, "followee": board, **asked}


def memory_peak_mb(server: Server) -> float:
    """The most that it ever held in memory."""
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(MEMORY_PEAK))
    return int(line.split()[1]) / 1024


def bare_signatures() -> float:
    """How many signatures this machine makes in a CPU second, now."""
    words = [sys.executable, "-m", "tests.bench.signing", str(SIGNATURES)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
    return float(done.stdout)
