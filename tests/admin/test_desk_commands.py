"""The same desks from the command line: what they print, what they refuse, and what scripts get."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.main import get_command
from typer.testing import CliRunner

from fedaid import settings
from fedaid.admin import founding
from fedaid.cli import cli
from fedaid.cli.shared import instance_of
from fedaid.foundation.refused import Refused
from inbox.journal import Entry, write_down
from inbox.tables import State, inbox_letter
from outbox import tables
from outbox.queue import Outgoing, post

NORTH, SLOW = "https://northside.example", "slow.example"
LISTING = f"{NORTH}/listings/1"
Fedaid = Callable[..., str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Northside, founded, with a message that waits for one server and was given up for another."""
    chosen = settings.load(tmp_path, origin=NORTH, name="Northside", time_zone="Europe/London")
    settings.write(chosen)
    with instance_of(chosen) as instance, instance.units.begin() as work:
        founding.found(work, "Northside")
        body = {"id": f"{NORTH}/activities/1", "type": "Create", "object": LISTING}
        number = post(work.connection, Outgoing(body, f"{NORTH}/groups/board"), 1_800_000_000_000)
        for host, state, error in (
            (SLOW, "waiting", "[red]no answer[/red]"),
            ("gone.example", "failed", "answered 410"),
        ):
            row = {"activity": number, "host": host, "inbox": f"https://{host}/inbox", "actor": "", "next_try_ms": 0}
            more = {"keep_trying": False, "state": state, "last_error": error, "tries": 2}
            work.connection.execute(insert(tables.delivery).values({**row, **more}))
            work.connection.execute(insert(tables.host).values(host=host, failures=2, last_error=error))
    return tmp_path


@pytest.fixture
def fedaid(data: Path) -> Fedaid:
    def run(*words: str) -> str:
        """What a command prints. Raises Refused."""
        result = CliRunner().invoke(cli, [*words, "--data", str(data)], env={"COLUMNS": "200"}, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("deliveries", "show", "unknown.example"), "not_found"),
        (("deliveries", "show", f"{NORTH}/activities/9"), "not_found"),
        (("deliveries", "resume", "unknown.example"), "not_found"),
        (("deliveries", "forget", "unknown.example", "--yes"), "not_found"),
        (("deliveries", "forget", SLOW), "not_sure"),
        (("letters", "retry"), "no_such_letter"),
        (("letters", "retry", "1"), "no_such_letter"),
        (("letters", "retry", "1", "--all-failed"), "no_such_letter"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_changed(
    fedaid: Fedaid, words: tuple[str, ...], code: str
) -> None:
    before = fedaid("deliveries", "list", "--json")
    with pytest.raises(Refused) as refusal:
        fedaid(*words)
    assert refusal.value.code == code
    assert fedaid("deliveries", "list", "--json") == before


def test_all_servers_are_listed_for_people_and_for_scripts(fedaid: Fedaid) -> None:
    shown = fedaid("deliveries", "list")
    last_cells = [line.rsplit("│", 2)[1].strip() for line in shown.splitlines() if line.count("│") > 1]
    assert "[red]no answer[/red]" in " ".join(last_cells)  # S75: what a stranger's server said is not read as markup
    found = {row["host"]: row for row in json.loads(fedaid("deliveries", "list", "--json"))}
    assert (found[SLOW]["state"], found[SLOW]["waiting"]) == ("waiting", 1)
    assert (found["gone.example"]["state"], found["gone.example"]["failed"]) == ("failed", 1)


def test_one_server_is_shown_with_what_it_has_not_got(fedaid: Fedaid) -> None:
    shown = fedaid("deliveries", "show", SLOW)
    assert "1 message waits, since Fri 15 Jan 2027, 08:00" in shown
    assert "waiting after" in shown
    assert len(json.loads(fedaid("deliveries", "show", SLOW, "--json"))["deliveries"]) == 1


@pytest.mark.parametrize("address", [f"{NORTH}/activities/1", LISTING])
def test_one_activity_or_listing_is_shown_with_where_it_went(fedaid: Fedaid, address: str) -> None:
    assert "Delivered to 0 of 2. Not to: gone.example, slow.example." in fedaid("deliveries", "show", address)


def test_a_server_is_woken_retried_and_forgotten(fedaid: Fedaid) -> None:
    assert "tried again now" in fedaid("deliveries", "resume", SLOW)
    assert "1 messages" in fedaid("deliveries", "retry", "gone.example")
    assert "Nothing was given up" in fedaid("deliveries", "retry", "gone.example")
    assert "1 message was given up." in fedaid("deliveries", "forget", SLOW, "--yes")
    assert [row["host"] for row in json.loads(fedaid("deliveries", "list", "--json"))] == ["gone.example"]


def keep(data: Path, **ended: Any) -> None:
    entry = Entry("x", "https://evil.example/u/eve", "evil.example", "Like", "/inbox", b"{}", "k", "rfc9421", 0, 0)
    with instance_of(settings.load(data)) as instance, instance.database.write() as connection:
        write_down(connection, [entry])
        connection.execute(inbox_letter.update().values(**ended))


def test_letters_that_failed_are_listed_and_tried_again(fedaid: Fedaid, data: Path) -> None:
    keep(data, state=State.FAILED.value, sentence="OSError: [bold]disk full")
    assert "[bold]disk full" in fedaid("letters", "list")
    (letter,) = json.loads(fedaid("letters", "list", "--json"))
    assert (letter["n"], letter["type"], letter["state"]) == (1, "Like", "failed")
    assert json.loads(fedaid("letters", "list", "--state", "refused", "--json")) == []
    fedaid("letters", "retry", "--all-failed")
    assert json.loads(fedaid("letters", "list", "--json")) == []
    keep(data, state=State.REFUSED.value, code="blocked")
    fedaid("letters", "retry", "1")
    assert json.loads(fedaid("letters", "list", "--state", "refused", "--json")) == []


def test_every_command_and_every_part_says_what_it_does() -> None:
    def without_help(command: Any, name: str) -> list[str]:
        parts = getattr(command, "commands", {})
        found = [one for part, inner in parts.items() for one in without_help(inner, f"{name} {part}")]
        return found if command.help else [*found, name]

    assert without_help(get_command(cli), "fedaid") == []


# who is not welcome

LIST = "#domain,#severity,#public_comment\nevil.example,suspend,[red]spam\nloud.example,silence,\nev*l.example,,\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("blocks", "add", "a b"), "network_host"),
        (("blocks", "add", "northside.example"), "network_self"),
        (("blocks", "add", "evil.example", "--severity", "none"), "restriction_empty"),
        (("blocks", "remove", "evil.example"), "not_found"),
        (("blocks", "import", "/nowhere/list.csv"), "list_unreadable"),
    ],
)
def test_what_cannot_be_laid_or_lifted_is_refused(fedaid: Fedaid, words: tuple[str, ...], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        fedaid(*words)
    assert refusal.value.code == code
    assert json.loads(fedaid("blocks", "list", "--json")) == []


def test_a_block_is_laid_listed_and_lifted(fedaid: Fedaid) -> None:
    assert "Everybody is welcome" in fedaid("blocks", "list")
    assert "evil.example: limited, no reports." in fedaid(
        "blocks", "add", "Evil.example", "--severity", "limit", "--reason", "[b]noise", "--reject-reports"
    )
    assert "[b]noise" in fedaid("blocks", "list")
    (row,) = json.loads(fedaid("blocks", "list", "--json"))
    assert (row["target"], row["severity"], row["reason"]) == ("evil.example", "limit", "[b]noise")
    fedaid("blocks", "remove", "evil.example")
    assert json.loads(fedaid("blocks", "list", "--json")) == []


def test_a_list_is_previewed_taken_over_and_given_away(fedaid: Fedaid, tmp_path: Path) -> None:
    file, copy = tmp_path / "list.csv", tmp_path / "copy.csv"
    file.write_text(LIST)
    with pytest.raises(Refused) as unsure:
        fedaid("blocks", "import", str(file))
    assert unsure.value.code == "not_sure"
    assert json.loads(fedaid("blocks", "list", "--json")) == []
    told = fedaid("blocks", "import", str(file), "--yes")
    assert "2 new; 1 cannot be read." in told
    assert "line 4: ev*l.example cannot be read" in told
    assert "Taken over: 2." in told
    assert fedaid("blocks", "export").splitlines()[1] == "evil.example,suspend,false,false,[red]spam,false"
    fedaid("blocks", "export", "--output", str(copy))
    assert copy.read_text() == fedaid("blocks", "export")


@pytest.mark.parametrize(
    ("words", "trusted"),
    [
        (("--origin", NORTH), "127.0.0.1,::1"),
        (("--origin", "http://127.0.0.1:8099", "--allow-loopback"), ""),
    ],
)
def test_a_new_instance_believes_the_proxy_on_this_machine_where_one_must_stand(
    tmp_path: Path, words: tuple[str, ...], trusted: str
) -> None:
    where = tmp_path / "new"
    result = CliRunner().invoke(cli, ["init", *words, "--name", "Northside", "--data", str(where)])
    assert result.exit_code == 0, result.output
    assert settings.load(where).trusted_proxies == trusted
