"""Settings come from the command line, the environment, the file or their defaults, and a wrong one is named."""

from pathlib import Path

import pytest

from fedaid import settings
from fedaid.foundation.refused import Refused

CHOSEN = {"origin": "https://northside.example", "name": "Northside"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    settings.write(settings.load(tmp_path, **CHOSEN))
    return tmp_path


def add(data: Path, text: str) -> None:
    """Writes this into the file, in the place of the line that sets the same."""
    file = data / "fedaid.toml"
    name = text.partition("=")[0]
    kept = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith(name)]
    file.write_text("".join(kept) + text)


def test_a_founded_instance_reads_its_own_file(data: Path) -> None:
    assert settings.load(data).name == "Northside"
    assert settings.load(data).database == f"sqlite:///{data / 'fedaid.sqlite3'}"


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(data, "port = 8100\n")
    assert settings.load(data).port == 8100
    monkeypatch.setenv("FEDAID_PORT", "8200")
    assert settings.load(data).port == 8200
    assert settings.load(data, port=8300).port == 8300


def test_every_limit_of_a_room_can_be_set_in_the_file_and_in_the_environment(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(data, "[inbox]\nlease_seconds = 7\n")
    assert settings.load(data).inbox.lease_seconds == 7
    monkeypatch.setenv("FEDAID_INBOX__LEASE_SECONDS", "9")
    assert settings.load(data).inbox.lease_seconds == 9


@pytest.mark.parametrize(
    "origin",
    [
        "http://northside.example",
        "http://127.0.0.1:8001",
        "https://10.0.0.1",
        "https://localhost",
        "https://northside.example/fedaid",
        "https://northside.example/",
        "https://northside.example:8443",
        "northside.example",
    ],
)
def test_an_origin_that_others_could_not_reach_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(Refused, match="origin"):
        settings.load(tmp_path, name="Northside", origin=origin)


def test_loopback_is_an_origin_only_when_it_is_allowed_and_this_is_kept(tmp_path: Path) -> None:
    chosen = settings.load(tmp_path, name="Northside", origin="http://127.0.0.1:8001", allow_loopback=True)
    settings.write(chosen)
    assert settings.load(tmp_path).allow_loopback
    assert settings.load(tmp_path).url_rules.loopback


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('port = "many"', "port"),
        ("prot = 1", "prot"),
        ('time_zone = "Middle/Earth"', "time_zone"),
        ('contact = "javascript:alert(1)"', "contact"),
        ('contact = "http://northside.example"', "contact"),
        ('trusted_certificates = "/nowhere/authority.pem"', "trusted_certificates"),
        ('trusted_certificates = "/dev/null"', "trusted_certificates"),
        ("[inbox]\nlease_secs = 1", "inbox"),
        ("name = ", "fedaid.toml"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_else_is_said(data: Path, line: str, named: str) -> None:
    add(data, line + "\n")
    with pytest.raises(Refused) as refused:
        settings.load(data)
    assert named in refused.value.sentence
    assert "Traceback" not in refused.value.sentence


def test_trusted_proxies_and_the_federation_are_read_and_kept(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (settings.load(data).trusted_proxies, settings.load(data).federation) == ("", "open")
    settings.write(settings.load(data, trusted_proxies="127.0.0.1,::1"))
    assert settings.load(data).trusted_proxies == "127.0.0.1,::1"
    monkeypatch.setenv("FEDAID_FEDERATION", "neighbours")
    assert settings.load(data).federation == "neighbours"
    monkeypatch.setenv("FEDAID_FEDERATION", "everybody")
    with pytest.raises(Refused, match="federation"):
        settings.load(data)
