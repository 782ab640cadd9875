"""The command line: a contract for scripts. It says what it did, refuses with a sentence, and exits as documented."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fedaid import __version__
from fedaid.foundation.database import Database
from fedaid.members import queries as members
from fedaid.members.commands import check_password
from tests.support import command_line

ORIGIN = "http://127.0.0.1:8099"
AS_MODULE, AS_SCRIPT = [sys.executable, "-m", "fedaid"], [str(Path(sys.executable).parent / "fedaid")]


Fedaid = Callable[..., command_line.Ended]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "northside"


@pytest.fixture
def fedaid(data: Path) -> Fedaid:
    def run(*words: str, given: str = "", where: Path = data) -> command_line.Ended:
        return command_line.fedaid(*words, "--data", str(where), given=given)

    return run


@pytest.fixture(scope="session")
def once_founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A neighbourhood as ``fedaid init`` makes it, in a process of its own; tests work on copies of it."""
    data = tmp_path_factory.mktemp("founded") / "northside"
    options = ["--origin", ORIGIN, "--name", "Northside", "--allow-loopback", "--admin", "nora", "--password-stdin"]
    command = [*AS_MODULE, "init", *options, "--data", str(data)]
    done = subprocess.run(command, input="neighbours help\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return data


@pytest.fixture
def founded(fedaid: Fedaid, once_founded: Path, data: Path) -> Fedaid:
    shutil.copytree(once_founded, data)
    return fedaid


@pytest.mark.parametrize("program", [AS_MODULE, AS_SCRIPT])
def test_the_program_can_be_started_as_a_module_and_as_a_script(program: list[str]) -> None:
    done = subprocess.run([*program, "version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{__version__}\n"


def test_init_founds_a_neighbourhood_and_says_how_to_start_it(founded: Fedaid, data: Path) -> None:
    assert (data / "fedaid.toml").exists()
    assert (data / "fedaid.sqlite3").exists()
    assert data.stat().st_mode & 0o077 == 0  # keys and private messages are in there


def test_init_does_not_found_twice(founded: Fedaid) -> None:
    again = founded("init", "--origin", ORIGIN, "--name", "Other", "--allow-loopback")
    assert again.returncode == 1
    assert "founded already" in again.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--origin", ORIGIN], "needs --allow-loopback"),
        (["--origin", "http://northside.example"], "Only https"),
        (["--origin", "https://10.0.0.1"], "must be a name"),
    ],
)
def test_init_refuses_an_origin_that_others_could_not_reach(
    fedaid: Fedaid, data: Path, options: list[str], sentence: str
) -> None:
    refused = fedaid("init", "--name", "Northside", *options)
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert not data.exists()


def test_a_weak_password_is_refused_before_anything_is_made(fedaid: Fedaid, data: Path) -> None:
    refused = fedaid(
        "init",
        "--origin",
        ORIGIN,
        "--name",
        "N",
        "--allow-loopback",
        "--admin",
        "nora",
        "--password-stdin",
        given="x\n",
    )
    assert refused.returncode == 1
    assert not data.exists()


def test_a_command_on_a_folder_without_an_instance_says_how_to_found_one(fedaid: Fedaid) -> None:
    for words in (["serve"], ["member", "add", "ana", "--password-stdin"], ["ledger", "verify"], ["doctor"]):
        refused = fedaid(*words, given="neighbours help\n")
        assert refused.returncode == 1, words
        assert "fedaid init" in refused.stderr, words
        assert "Traceback" not in refused.stderr, words


def test_members_are_added_once(founded: Fedaid) -> None:
    options = ["--name", "Ana", "--email", "ana@example.org", "--role", "coordinator", "--password-stdin"]
    added = founded("member", "add", "ana", *options, given="neighbours help\n")
    assert "@ana@127.0.0.1:8099" in added.stdout
    again = founded("member", "add", "ana", "--password-stdin", given="neighbours help\n")
    assert again.returncode == 1
    assert "taken" in again.stderr


def test_a_password_that_nobody_gave_is_made_up_and_shown_once(founded: Fedaid, data: Path) -> None:
    added = founded("member", "add", "ana")
    assert added.returncode == 0
    shown = added.stdout.strip().rpartition("Password, shown this once: ")[2]
    database = Database(f"sqlite:///{data / 'fedaid.sqlite3'}")
    with database.read() as connection:
        stored = members.credentials(connection, "ana")
    database.dispose()
    assert stored is not None
    assert check_password(stored, shown) == stored.member_id


def test_a_token_is_printed_alone(founded: Fedaid) -> None:
    made = founded("token", "nora", "--scopes", "read follow")
    assert made.returncode == 0
    assert len(made.stdout.strip()) >= 40
    assert len(made.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "sentence"), [(["token", "nobody"], "no member"), (["token", "nora", "--scopes", "rule"], "rule")]
)
def test_a_token_is_refused_for_nobody_and_for_unknown_scopes(founded: Fedaid, words: list[str], sentence: str) -> None:
    refused = founded(*words)
    assert refused.returncode == 1
    assert sentence in refused.stderr


def test_a_group_gets_a_board(founded: Fedaid) -> None:
    added = founded("group", "add", "garden", "--name", "Garden circle", "--topic", "gardening", "--place", "Mill Lane")
    assert "@garden@127.0.0.1:8099" in added.stdout


def test_the_ledger_of_a_new_neighbourhood_verifies_and_every_member_has_a_statement(founded: Fedaid) -> None:
    assert "verifies" in founded("ledger", "verify").stdout
    statement = founded("ledger", "statement", "nora")
    assert statement.returncode == 0
    assert "balance 0:00" in statement.stdout


def test_a_new_neighbourhood_has_no_neighbours(founded: Fedaid) -> None:
    assert "No neighbouring networks yet" in founded("network", "list").stdout
    assert json.loads(founded("network", "list", "--json").stdout) == []


@pytest.mark.parametrize("step", ["accept", "pause", "resume", "end"])
def test_a_step_with_an_unknown_network_is_refused(founded: Fedaid, step: str) -> None:
    refused = founded("network", step, "127.0.0.1:9")
    assert refused.returncode == 1
    assert "no link" in refused.stderr


def test_a_link_to_nobody_is_refused_with_the_reason(founded: Fedaid) -> None:
    refused = founded("network", "propose", "127.0.0.1:9", "--line-hours", "20")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "fedaid:" in refused.stderr


def test_the_doctor_names_what_is_wrong_and_exits_with_1(founded: Fedaid) -> None:
    found = founded("doctor", "--json")
    assert found.returncode == 1  # nobody serves it
    findings = json.loads(found.stdout)
    assert [one["ok"] for one in findings].count(False) == 1
    assert "is fedaid serve running" in findings[-1]["what"]


def test_every_command_has_help() -> None:
    for words in (
        "init",
        "serve",
        "worker",
        "member add",
        "token",
        "group add",
        "ledger verify",
        "ledger statement",
        "doctor",
        "network propose",
        "network accept",
        "network pause",
        "network resume",
        "network end",
        "network list",
        "demo",
    ):
        shown = command_line.fedaid(*words.split(), "--help")
        assert shown.returncode == 0, words
        assert "--help" in shown.stdout, words
