"""Starts a PostgreSQL of the test run's own: once, when the first test asks, as an unprivileged user."""

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

FOLDER_VARIABLE = "FEDAID_TEST_POSTGRESQL_FOLDER"
BINARIES = Path("/usr/lib/postgresql")
SUPERUSER = "fedaid"
CONNECTIONS_MAX = 300
IN_MEMORY, ON_DISK = Path("/dev/shm"), Path("/tmp")  # noqa: S108 - mkdtemp makes a folder of our own in there
BYTES_IN_MEMORY_MIN = 1024**3
# No database of the tests outlives the run, so none need survive the machine's power failure. Servers are killed in
# the tests, the machine is not: what was written is there without being forced onto the disk.
FORGETFUL = "fsync = off\nfull_page_writes = off\nmax_wal_size = 128MB\n"

# The guard outlives whoever started it by a moment: when the pipe on its standard input closes, for whatever reason
# the test run ended, it stops the server and removes the folder.
GUARD = """
cat > /dev/null
if [ -f "$1/data/postmaster.pid" ]; then kill -INT "$(head -n 1 "$1/data/postmaster.pid")" 2> /dev/null; fi
tries=0
while [ -f "$1/data/postmaster.pid" ] && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
rm -rf "$1"
"""


class NoPostgresql(Exception):
    """PostgreSQL is not on this machine and cannot be put there."""


@dataclass(frozen=True)
class Guard:
    """Holds the cluster's folder; everything in it ends when the guard is let go or the test run dies."""

    folder: Path
    process: subprocess.Popen[bytes]

    def let_go(self) -> None:
        """Stop the server, if one was started, and remove its folder."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


def stand_guard(*, in_memory: bool = True) -> Guard:
    """Makes the folder of this test run, in which a cluster may be started, and says where it is to all workers.

    ``in_memory`` takes memory where there is enough; what is measured is on the disk.
    """
    # Not TMPDIR: a socket's path holds at most 107 bytes.
    folder = Path(
        tempfile.mkdtemp(prefix="fedaid-tests-", dir=IN_MEMORY if in_memory and _fits_in_memory() else ON_DISK)
    )
    process = subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "guard", str(folder)], stdin=subprocess.PIPE, start_new_session=True
    )
    os.environ[FOLDER_VARIABLE] = str(folder)
    return Guard(folder, process)


def _fits_in_memory() -> bool:
    """Whether there is a file system in memory with room for a cluster; creating databases is ten times faster there."""
    return os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free >= BYTES_IN_MEMORY_MIN


def run_folder() -> Path:
    """The folder of this test run; it goes when the run ends, however it ends."""
    return Path(os.environ[FOLDER_VARIABLE])


@contextmanager
def once(name: str) -> Iterator[bool]:
    """Whether what goes by this name is still to be done; the other workers of the run wait until the block ends."""
    done = run_folder() / f"{name}.done"
    with (run_folder() / f"{name}.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()


def cluster() -> Path:
    """The folder with the socket of the running cluster, started now if this is the first to ask."""
    with once("cluster") as is_first:
        if is_first:
            _start(run_folder(), install())
    return run_folder()


@contextmanager
def fresh_database(name: str, template: str = "template0") -> Iterator[str]:
    """The URL of a copy of ``template``, empty by default; dropped at the end whoever is still connected."""
    with _superuser() as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        try:
            yield url(name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def make_template(name: str) -> None:
    """An empty database that stays until the run ends, to be filled and then copied."""
    with _superuser() as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())


def force_to_disk() -> None:
    """From now on the server forces onto the disk what it wrote, as one that people rely on must."""
    with _superuser() as connection:
        connection.execute("ALTER SYSTEM SET fsync = on")
        connection.execute("SELECT pg_reload_conf()")
        while connection.execute("SHOW fsync").fetchone() != ("on",):
            time.sleep(0.01)


def url(name: str) -> str:
    """The URL of a database of the cluster."""
    return f"postgresql://{SUPERUSER}@/{name}?host={cluster()}"


def _superuser() -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=str(cluster()), user=SUPERUSER, dbname="postgres", autocommit=True)


def install() -> Path:
    """The folder of PostgreSQL's programs; as root they are installed when missing. Raises NoPostgresql."""
    found = _programs()
    if found is None and os.geteuid() == 0:
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", "postgresql")
        found = _programs()
    if found is None:
        raise NoPostgresql(
            f"The tests need PostgreSQL's programs below {BINARIES}, and only root can install them: "
            "please run 'apt-get install postgresql' once, then the tests again."
        )
    return found


def _programs() -> Path | None:
    found = [path.parent for path in BINARIES.glob("*/bin/postgres")]
    return max(found, key=lambda path: float(path.parent.name), default=None)


def _apt_get(*arguments: str) -> None:
    command = ["apt-get", "--quiet", *arguments]
    print("PostgreSQL is missing:", *command, file=sys.__stderr__, flush=True)
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, check=False
    )
    if done.returncode:
        raise NoPostgresql(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")


def _start(folder: Path, programs: Path) -> None:
    user = _unprivileged_user()
    if user:
        folder.chmod(0o755)
        shutil.chown(folder, user)
    data = folder / "data"
    locale = ["--encoding=UTF8", "--locale=C.UTF-8"]
    _run(user, programs / "initdb", "--no-sync", "--auth=trust", f"--username={SUPERUSER}", *locale, "-D", data)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(FORGETFUL)
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c max_connections={CONNECTIONS_MAX}"
    _run(user, programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "--wait", "start")
    folder.chmod(0o700)


def _unprivileged_user() -> str | None:
    """Who runs the server: PostgreSQL refuses root, everybody else may be themselves (None)."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _run(user: str | None, *command: str | Path) -> None:
    become = ["runuser", "-u", user, "--"] if user else []
    # To files, not pipes: the server keeps what pg_ctl had open, and a pipe would never see its end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [*become, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_plain_environment(),
            start_new_session=True,  # Ctrl-C is meant for the tests; the guard ends the server afterwards
            check=False,
        )
        if done.returncode:
            output.seek(0)
            raise NoPostgresql(f"{command[0]} failed: {output.read().decode(errors='replace')[-1500:]}")


def _plain_environment() -> dict[str, str]:
    """PG… variables of the developer's shell would lead the programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C.UTF-8"}


if __name__ == "__main__":
    print("PostgreSQL:", install())  # noqa: T201 - what the program is for
