"""lint-imports holds the layers of the architecture: a breach of each contract, planted in a copy, is named."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
PACKAGES = ("fedaid", "activitypub", "inbox", "outbox")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

HOUSE = "The house stands on the two mail rooms, they on the language"
FEATURES = "Features stand on each other in one order, siblings on none"
ROOMS = "Inside a feature the rooms stand in one order"
LANGUAGE = "The language keeps nothing and serves nothing"
MAIL = "The mail rooms need no web framework"
NETWORK = "Only the client touches the network"
PYLD = "Only jsonld touches PyLD"
SETTINGS = "Settings are read only by app and cli"
WEB = "Below the pages nobody knows the web"
RULES = "Rules are pure"
WIRE = "In the features about aid only wire knows ActivityPub"

# Where, what is planted there, and the contracts that it breaks.
BREACHES = [
    ("activitypub/errors.py", "import inbox", {HOUSE}),
    ("activitypub/errors.py", "import fedaid.foundation.clock", {HOUSE}),
    ("inbox/gate.py", "import outbox", {HOUSE}),
    ("outbox/queue.py", "import inbox", {HOUSE}),
    ("outbox/queue.py", "import fedaid", {HOUSE}),
    ("fedaid/board/rules.py", "import fedaid.timebank.rules.states", {FEATURES}),
    ("fedaid/timebank/rules/books.py", "import fedaid.board.rules", {FEATURES}),
    ("fedaid/members/rules.py", "import fedaid.board.rules", {FEATURES}),
    ("fedaid/skills/rules.py", "import fedaid.board.rules", {FEATURES}),
    ("fedaid/board/rules.py", "import fedaid.matching.rules", {FEATURES}),
    ("fedaid/foundation/clock.py", "import fedaid.members.rules", {FEATURES}),
    ("fedaid/utils.py", "", {FEATURES}),
    ("fedaid/board/rules.py", "import fedaid.board.limits", {ROOMS}),
    ("fedaid/board/rules.py", "import fedaid.board.tables", {ROOMS, RULES}),
    ("fedaid/board/rules.py", "import fedaid.board.queries", {ROOMS, RULES}),
    ("fedaid/board/tables.py", "import fedaid.board.queries", {ROOMS}),
    ("fedaid/board/queries.py", "import fedaid.board.commands.receive", {ROOMS}),
    ("fedaid/board/commands/receive.py", "import fedaid.board.wire.shapes", {ROOMS}),
    ("fedaid/board/commands/receive.py", "import fedaid.board.pages.act", {ROOMS, WEB}),
    ("fedaid/timebank/rows.py", "import fedaid.timebank.commands.books", {ROOMS}),
    ("fedaid/board/utils.py", "", {ROOMS}),
    ("activitypub/documents.py", "import sqlalchemy", {LANGUAGE}),
    ("activitypub/documents.py", "import starlette.requests", {LANGUAGE, MAIL, WEB}),  # and all that stands on it
    ("inbox/endpoint.py", "import starlette.requests", {MAIL}),
    ("outbox/deliver.py", "import httpx2", {NETWORK}),
    ("fedaid/network/discovery.py", "import httpx2", {NETWORK}),
    ("activitypub/documents.py", "import pyld", {PYLD}),
    ("fedaid/demo/play.py", "import fedaid.settings", {SETTINGS}),
    ("fedaid/web/pages.py", "import fedaid.settings", {SETTINGS, FEATURES}),
    ("fedaid/board/queries.py", "import starlette.requests", {WEB}),
    ("fedaid/timebank/rules/payer.py", "import random", {RULES}),
    ("fedaid/members/rules.py", "import time", {RULES}),
    ("fedaid/groups/rules.py", "import sqlalchemy", {RULES}),
    ("fedaid/board/commands/receive.py", "import activitypub.documents", {WIRE}),
    ("fedaid/matching/queries.py", "import activitypub.documents", {WIRE}),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The four packages and the contracts, where a breach does no harm."""
    shutil.copy(HERE / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(HERE / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def verdicts(copy: Path) -> dict[str, str]:
    """What lint-imports says of each contract: KEPT or BROKEN."""
    run = subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--no-logo"], cwd=copy, capture_output=True, text=True, check=False
    )
    told = {name: line.removeprefix(name).split()[0] for line in run.stdout.splitlines() if (name := _named(line))}
    assert set(told) == set(contracts()), run.stdout + run.stderr
    assert (run.returncode == 0) == (set(told.values()) == {"KEPT"})
    return told


def _named(line: str) -> str:
    return next((name for name in contracts() if line.startswith((f"{name} KEPT", f"{name} BROKEN"))), "")


def contracts() -> list[str]:
    with (HERE / "pyproject.toml").open("rb") as file:
        return [contract["name"] for contract in tomllib.load(file)["tool"]["importlinter"]["contracts"]]


def test_the_code_as_it_stands_keeps_every_contract(copy: Path) -> None:
    assert set(verdicts(copy).values()) == {"KEPT"}


@pytest.mark.parametrize(("place", "planted", "broken"), BREACHES, ids=[": ".join(one[:2]) for one in BREACHES])
def test_a_planted_breach_is_named(copy: Path, place: str, planted: str, broken: set[str]) -> None:
    with (copy / place).open("a") as file:
        file.write(f"\n{planted}\n")
    assert {name for name, verdict in verdicts(copy).items() if verdict == "BROKEN"} == broken


def test_every_contract_has_a_breach_that_breaks_it_alone() -> None:
    assert {name for _, _, broken in BREACHES if len(broken) == 1 for name in broken} == set(contracts())
