"""Every command in the documentation works: each page's are run in their order, in an empty folder.

Northside and Riverside are on free ports of 127.0.0.1 then; what else differs from the page stands in ``bench``.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.bench import Bench, CommandFailed, shows
from tests.docs.commands_table import commands
from tests.docs.pages import ROOT, Block, blocks, pages, prose, shown
from tests.support import databases, postgresql

STOP = "stop what was started"


@dataclass(frozen=True)
class NotRun:
    """Why a command is not run as it stands, and what is run in its place, if anything can be."""

    reason: str
    instead: str = ""


_THE_MACHINE = "changes the machine it runs on"
_SET_UP = "makes the very environment in which this test runs"
_MAKE = "runs this test, or what other tests run; that the target exists is checked"
_NO_SYSTEMD = "a test machine need not have systemd"
NOT_RUN = {
    "make setup": NotRun(_SET_UP),
    "make demo": NotRun("waits for Ctrl-C; tests play the demo to its end"),
    "make demo ARGS=--once": NotRun(_MAKE),
    "make test": NotRun(_MAKE),
    "make format": NotRun("would change the source while it is tested"),
    "make lint types layers": NotRun(_MAKE),
    "make attacks": NotRun(_MAKE),
    "make fuzz SECONDS=60": NotRun(_MAKE),
    "make fuzz SECONDS=600": NotRun(_MAKE),
    "make ladder SEEDS=20": NotRun(_MAKE),
    "make interop": NotRun(_MAKE),
    "make second": NotRun(_MAKE),
    "make browser": NotRun(_MAKE),
    "make screenshots": NotRun("needs Chromium, and takes minutes"),
    "fedaid network statement riverside.example --data /srv/fedaid": NotRun(
        "which side makes the statements depends on the ports of the test run"
    ),
    "fedaid mail test you@mail.example --data /srv/fedaid": NotRun("a test machine has no mail server of this name"),
    "make conformance": NotRun(_MAKE),
    "make api SECONDS=120": NotRun(_MAKE),
    "make docs": NotRun("would change the pages while they are tested; what it would write is checked"),
    "make messages": NotRun("would change the source while it is tested; tests/locales check what it would write"),
    "make lock": NotRun("asks the package registry about everything, and changes the source"),
    "make explore": NotRun(_MAKE),
    "make simulate SEEDS=200": NotRun(_MAKE),
    "make simulate SEED=123": NotRun(_MAKE),
    "make crash SECONDS=60": NotRun(_MAKE),
    ".venv/bin/python -m pytest tests/timebank/test_wrong_variants.py -q": NotRun(_MAKE),
    ".venv/bin/python -m pytest tests/board -q": NotRun(_MAKE),
    ".venv/bin/python -m pytest tests/locales/test_catalogues.py -q": NotRun(_MAKE),
    ".venv/bin/python -m pytest tests/foundation/test_schema.py -q": NotRun(_MAKE),
    "sudo apt-get install -y python3-venv": NotRun(_THE_MACHINE),
    "sudo apt-get install -y caddy": NotRun(_THE_MACHINE),
    "sudo apt-get install -y postgresql": NotRun(_THE_MACHINE),
    "sudo adduser --system --group --home /srv/fedaid fedaid": NotRun(_THE_MACHINE, "mkdir /srv/fedaid"),
    "sudo python3 -m venv /opt/fedaid/venv": NotRun(_SET_UP),
    "sudo /opt/fedaid/venv/bin/pip install --require-hashes -r requirements.lock": NotRun(_SET_UP),
    "sudo /opt/fedaid/venv/bin/pip install --no-deps .": NotRun(_SET_UP),
    "sudo systemctl daemon-reload": NotRun(_NO_SYSTEMD),
    "sudo systemctl enable --now fedaid": NotRun(_NO_SYSTEMD, "fedaid serve --data /srv/fedaid"),
    "sudo systemctl enable --now fedaid-worker@1 fedaid-worker@2": NotRun(
        _NO_SYSTEMD, "fedaid worker --data /srv/fedaid"
    ),
    "sudo systemctl start fedaid": NotRun(_NO_SYSTEMD, "fedaid serve --data /srv/fedaid"),
    "sudo systemctl stop fedaid": NotRun(_NO_SYSTEMD, STOP),
    "sudo systemctl reload caddy": NotRun(_NO_SYSTEMD),
    "sudo systemctl reload nginx": NotRun(_NO_SYSTEMD),
    "sudo nginx -t": NotRun("a test machine need not have nginx; the file is read by another test"),
    "journalctl -u fedaid -o cat --since today": NotRun(_NO_SYSTEMD),
    "sudo -u postgres createuser fedaid": NotRun("the database of the test run has its user already"),
    "sudo -u postgres createdb --owner=fedaid fedaid": NotRun("the database of the test run is there already"),
    "sudo -u fedaid pg_dump --format=custom --file=/srv/backup/fedaid.dump fedaid": NotRun(
        "the database of the test run is at another place",
        "pg_dump --format=custom --file=/srv/backup/fedaid.dump 'postgresql:///fedaid?host=/run/postgresql'",
    ),
}

# What a page takes for granted, in the words of other pages.
_NORTH = ("fedaid init --data /srv/fedaid --origin https://northside.example --name Northside",)
_RIVER = ("fedaid init --data /srv/riverside --origin https://riverside.example --name Riverside",)
_NORTH_SERVED = (*_NORTH, "fedaid serve --data /srv/fedaid --port 8001")
_BOTH_SERVED = (*_NORTH_SERVED, *_RIVER, "fedaid serve --data /srv/riverside --port 8002")
BEFORE = {
    "docs/how-to/watch-an-instance.md": _NORTH,
    "docs/how-to/add-members-and-groups.md": _NORTH_SERVED,
    "docs/how-to/let-people-join.md": _NORTH_SERVED,
    "docs/how-to/use-the-api.md": (
        *_NORTH_SERVED,
        "fedaid member add ana --name Ana --data /srv/fedaid < /dev/null",
        "fedaid member add kim --name Kim --data /srv/fedaid < /dev/null",
    ),
    "docs/how-to/let-somebody-in-again.md": (
        *_NORTH,
        "fedaid member add nora --role admin --data /srv/fedaid < /dev/null",
    ),
    "docs/how-to/back-up-and-restore.md": _NORTH_SERVED,
    "docs/how-to/keep-the-books.md": (*_NORTH, "fedaid member add ana --data /srv/fedaid < /dev/null"),
    "docs/how-to/link-a-neighbouring-network.md": _BOTH_SERVED,
    "docs/how-to/when-something-does-not-arrive.md": (
        *_BOTH_SERVED,
        "fedaid network propose riverside.example --data /srv/fedaid",
    ),
    "docs/how-to/choose-whom-to-speak-with.md": _NORTH,
    "docs/how-to/block-and-limit.md": (*_NORTH_SERVED, *_RIVER),
    "docs/how-to/move-leave-and-change-keys.md": (
        *_BOTH_SERVED,
        "fedaid member add ana --name Ana --data /srv/fedaid < /dev/null",
        "fedaid member add kim --name Kim --data /srv/fedaid < /dev/null",
    ),
}
WITH_COMMANDS = [page for page in pages() if blocks(page, "console")]
WANT_POSTGRESQL = ("docs/how-to/use-postgresql.md", "docs/how-to/back-up-and-restore.md")


def lines(block: Block) -> Sequence[str]:
    return [line for line in block.text.splitlines() if line.strip()]


def steps(page: Path) -> Iterator[tuple[str, str]]:
    """Each command of a page with the output that the page shows after the last one of a block."""
    found = blocks(page)
    for block, after in zip(found, [*found[1:], None], strict=True):
        if block.language == "console":
            expected = after.text if after is not None and after.language == "text" else ""
            *first, last = lines(block)
            yield from ((command, "") for command in first)
            yield last, expected


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    folder = tmp_path / "srv"
    folder.mkdir()
    if shown(request.getfixturevalue("page")) in WANT_POSTGRESQL:
        with databases.fresh_database_url("postgresql", folder) as url:
            postgresql.force_to_disk()  # the doctor looks for it
            yield from _ended(Bench(folder, url))
    else:
        yield from _ended(Bench(folder))


def _ended(bench: Bench) -> Iterator[Bench]:
    try:
        yield bench
    finally:
        bench.end()


def run(bench: Bench, command: str, expected: str = "") -> None:
    chosen = NOT_RUN[command].instead if command in NOT_RUN else command
    if chosen == STOP:
        bench.stop()
    elif chosen:
        bench.run(chosen, expected)


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=shown)
def test_the_commands_of_a_page_work(page: Path, bench: Bench) -> None:
    for command in BEFORE.get(shown(page), ()):
        run(bench, command)
    for command, expected in steps(page):
        run(bench, command, expected)


def test_what_is_not_run_stands_on_a_page() -> None:
    said = {command for page in WITH_COMMANDS for command, _ in steps(page)}
    assert set(NOT_RUN) <= said
    assert set(BEFORE) <= {shown(page) for page in WITH_COMMANDS}


def test_a_command_that_fails_fails_the_page(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="ended with 1"):
        Bench(tmp_path).run("fedaid doctor --data /srv/nothing")
    with pytest.raises(CommandFailed, match="did not say"):
        Bench(tmp_path).run("fedaid version", expected="nothing of the kind")
    assert shows("The ledger verifies: 1 account,\n 0 postings", "verifies: … 0 postings")


MAKE = re.compile(r"(?:^|`)make ((?:[a-z-]+(?: |$|(?=`)))+)", re.MULTILINE)


def test_every_target_of_make_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for page in pages()
        for match in MAKE.finditer(page.read_text(encoding="utf-8"))
        for target in match[1].split()
    }
    assert {"demo", "test", "setup", "docs", "layers"} <= named <= targets


_IN_A_SENTENCE = re.compile(r"`fedaid ([a-z][^`]*)`")
_IN_A_BLOCK = re.compile(r"(?:^(?:\w+=\S+ )?|/bin/|\| )fedaid ([a-z].*?)(?=$| \|| <)", re.MULTILINE)


def said_commands() -> Iterator[tuple[str, str]]:
    """Everything on the pages that is spelled like a command of ours, also inside a sentence or a unit of systemd."""
    for page in pages():
        found = _IN_A_SENTENCE.findall(prose(page))
        for block in blocks(page, "console", "ini"):
            found += _IN_A_BLOCK.findall(block.text)
        yield from ((shown(page), said) for said in found)


def test_every_command_that_is_named_exists_with_its_options() -> None:
    known = {command.words: command for command in commands()}
    found = list(said_commands())
    assert len(found) > 40
    for page, said in found:
        words = shlex.split(said)
        name = next((" ".join(words[:count]) for count in (2, 1) if " ".join(words[:count]) in known), None)
        assert name is not None, (page, said)
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known[name].option_names, (page, said)


def test_paths_of_the_source_that_are_named_exist() -> None:
    named = {
        match[1].rstrip("/")
        for page in pages()
        for match in re.finditer(r"[`\s]((?:fedaid|tests|activitypub|inbox|outbox)/[\w./]+\w)", page.read_text())
    }
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
