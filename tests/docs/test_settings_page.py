"""Every setting is documented with what it means, and can be set as the page says."""

import re
from pathlib import Path
from typing import Any

import pytest

from fedaid import settings as instance_settings
from tests.bench.certificates import Authority
from tests.docs.pages import ROOT, blocks, pages, shown
from tests.docs.settings_table import Setting, settings

NEEDED = {"origin": "https://northside.example", "name": "Northside"}
# Another value than the default where not every one will do.
OTHERS = {
    "origin": "https://riverside.example",
    "name": "Riverside",
    "database_url": "sqlite:////elsewhere.db",
    "federation": "neighbours",
    "time_zone": "Europe/London",
    "language": "es",
    "contact": "hello@northside.example",
    "source_url": "https://northside.example/source",
    "host": "127.0.0.2",
    "map_tiles": "https://tiles.example/{z}/{x}/{y}.png",
    "map_credit": "Map: somebody",
    "trusted_proxies": "127.0.0.1",
    "log_level": "debug",
    "mail.host": "mail.northside.example",
    "mail.security": "tls",
    "mail.account": "northside",
    "mail.secret": "a password",
    "metrics.token": "a token of many characters",
    "metrics.addresses": "127.0.0.1",
    "mail.sender": "hello@northside.example",
}
VARIABLE = re.compile(r"FEDAID_[A-Z_]+[A-Z]")
PAGE = ROOT / "docs/reference/settings.md"


def value_of(chosen: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        chosen = getattr(chosen, name)
    return chosen


def other(setting: Setting, folder: Path) -> Any:
    name = ".".join(setting.place)
    if name in OTHERS:
        return OTHERS[name]
    if name == "trusted_certificates":
        Authority().write(folder / "authority.pem")
        return str(folder / "authority.pem")
    return not setting.default if isinstance(setting.default, bool) else setting.default + 1


@pytest.mark.parametrize("setting", settings(), ids=lambda setting: setting.variable)
def test_a_setting_says_what_it_means(setting: Setting) -> None:
    assert setting.meaning.strip()


@pytest.mark.parametrize(
    "setting", [one for one in settings() if one.place != ("data",)], ids=lambda setting: setting.variable
)
def test_a_setting_takes_effect_by_its_name_in_the_environment(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(f"FEDAID_{name.upper()}", value)
    wanted = other(setting, tmp_path)
    monkeypatch.setenv(setting.variable, str(wanted))
    assert value_of(instance_settings.load(tmp_path), setting.place) == wanted


def test_every_variable_that_is_named_exists() -> None:
    known = {setting.variable for setting in settings()}
    for page in pages():
        assert set(VARIABLE.findall(page.read_text(encoding="utf-8"))) <= known, shown(page)


def test_every_setting_that_is_shown_in_a_file_exists(tmp_path: Path) -> None:
    found = [block for page in pages() for block in blocks(page, "toml")]
    assert found
    for block in found:
        given = {name: value for name, value in NEEDED.items() if f"{name} =" not in block.text}
        lines = [f'{name} = "{value}"' for name, value in given.items()]
        (tmp_path / instance_settings.FILE_NAME).write_text("\n".join([*lines, block.text]))
        instance_settings.load(tmp_path)


def test_the_two_settings_in_the_shell_do_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(f"FEDAID_{name.upper()}", value)
    (shell,) = blocks(PAGE, "sh")
    name, _, value = shell.text.strip().partition("=")
    monkeypatch.setenv(name, value)
    assert instance_settings.load(tmp_path).inbox.queue_letters_max == int(value)
