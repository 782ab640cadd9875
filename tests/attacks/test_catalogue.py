"""The catalogue holds: every attack has a test that is marked with it, and every check it names stands in the code."""

import ast
import pkgutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.attacks.catalogue import CATALOGUE, GROUPS, IDS, Attack

TESTS = Path(__file__).parents[1]
ATTACKS = 82


@cache
def marked() -> frozenset[tuple[str, str]]:
    """Every attack that a test is marked with, and the file where that is."""
    found = set()
    for file in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "pytest.mark.attack":
                named = (one.value for one in call.args if isinstance(one, ast.Constant))
                found |= {(str(name), file.relative_to(TESTS).as_posix()) for name in named}
    return frozenset(found)


def test_there_are_as_many_attacks_as_there_should_be_each_once_and_in_order() -> None:
    assert len(IDS) == ATTACKS
    assert list(IDS) == sorted(set(IDS))
    assert all(any(first <= one <= last for first, last in GROUPS.values()) for one in IDS)


@pytest.mark.parametrize("attack", CATALOGUE, ids=IDS)
def test_every_attack_is_sent_by_a_test_against_a_whole_instance(attack: Attack) -> None:
    assert [file for name, file in marked() if name == attack.id and file.startswith("attacks/")]


def test_no_test_is_marked_with_an_attack_that_is_not_there() -> None:
    assert {name for name, _ in marked()} <= set(IDS)


@pytest.mark.parametrize("attack", CATALOGUE, ids=IDS)
def test_every_check_stands_where_the_catalogue_says(attack: Attack) -> None:
    assert attack.checks
    for check in attack.checks:
        assert pkgutil.resolve_name(check) is not None


PLUGIN = """
import pytest
from tests.attacks import catalogue, tally

def pytest_configure(config):
    config.addinivalue_line("markers", "attack(*ids): x")
    config.pluginmanager.register(tally.Tally(config))
"""
TEMPLATE = """
import pytest
from tests.attacks.catalogue import IDS

@pytest.mark.parametrize("name", [pytest.param(one, marks=pytest.mark.attack(one)) for one in IDS if one != {left_out!r}])
def test_attack(name):
    assert name != {lost!r}
"""


def run(folder: Path, left_out: str = "", lost: str = "") -> tuple[int, str]:
    """A suite with one test for each attack but one, of which one fails; its status and its last line."""
    (folder / "conftest.py").write_text(PLUGIN)
    (folder / "test_all.py").write_text(TEMPLATE.format(left_out=left_out, lost=lost))
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = .\naddopts = -q -p no:cacheprovider\n")
    command = [sys.executable, "-m", "pytest", f"--rootdir={folder}", f"--basetemp={folder / 'temp'}"]
    environment = {"PYTHONPATH": str(TESTS.parent), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    return done.returncode, done.stdout.strip().splitlines()[-1]


def test_a_run_ends_with_how_many_attacks_were_refused(tmp_path: Path) -> None:
    assert run(tmp_path) == (0, "82 of 82 attacks refused as expected")


def test_a_run_fails_when_an_attack_was_not_refused_or_not_sent(tmp_path: Path) -> None:
    assert run(tmp_path, lost="S07") == (1, "81 of 82 attacks refused as expected")
    assert run(tmp_path, left_out="S07") == (1, "81 of 82 attacks refused as expected")


def test_an_attack_that_is_not_in_the_catalogue_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_more.py").write_text("import pytest\n@pytest.mark.attack('S99')\ndef test_it(): ...\n")
    assert run(tmp_path)[0] == pytest.ExitCode.USAGE_ERROR
