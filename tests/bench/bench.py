"""What all figures of a run share: a folder on the disk, a PostgreSQL on it, the senders and their signed letters."""

import pickle
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import psycopg

from tests.bench.measure import Requests
from tests.bench.senders import Sender, make_senders, sign_letters
from tests.bench.servers import ROOT
from tests.support import postgresql

# As those that people rely on are: what was committed is on the disk, whatever happens to the machine.
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "max_wal_size": "'1GB'"}


class Bench:
    """Lives as long as a run; what is made in it is made when the first figure asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._letters: Requests | None = None
        self._signed = 0

    @cached_property
    def senders(self) -> list[Sender]:
        """The same for all figures."""
        return list(make_senders())

    def letters(self, count: int) -> Requests:
        """At least so many signed letters, the same for all figures: each has servers of its own."""
        if self._letters is None or self._signed < count:
            file = self._folder / "letters"
            sign_letters(self.senders, count, file)
            self._letters, self._signed = Requests(file), count
        return self._letters

    def request(self, request: bytes) -> Requests:
        """One request, to be sent again and again."""
        file = self.new_folder() / "request"
        file.write_bytes(pickle.dumps([request]))
        return Requests(file)

    def new_folder(self) -> Path:
        """An empty folder of one figure."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    @contextmanager
    def postgresql_database(self) -> Iterator[str]:
        """An empty database of a PostgreSQL that forces its commits onto the disk."""
        with postgresql.fresh_database(f"bench{secrets.token_hex(4)}") as url:
            with psycopg.connect(url, autocommit=True) as connection:
                for name, value in DURABLE.items():
                    connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
                connection.execute("SELECT pg_reload_conf()")
            yield url


@contextmanager
def opened() -> Iterator[Bench]:
    """A run's bench; what it made is gone at the end."""
    (ROOT / "build").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "build"))
    guard = postgresql.stand_guard(in_memory=False)
    try:
        yield Bench(folder)
    finally:
        guard.let_go()
        shutil.rmtree(folder)
