"""The files that an admin is told to write: units of systemd, and the web servers before ours."""

import configparser
import re

from fedaid.settings import Settings
from tests.docs.pages import ROOT, Block, blocks, pages

RUN_YOUR_OWN = ROOT / "docs/how-to/run-your-own.md"
PORT = Settings.model_fields["port"].default
OURS = f"127.0.0.1:{PORT}"
# Of systemd.unit(5), systemd.service(5) and systemd.exec(5): what we use of them.
KEYS = {
    "Unit": {"Description", "Wants", "After"},
    "Service": {
        "User",
        "ExecStart",
        "Restart",
        "TimeoutStopSec",
        "NoNewPrivileges",
        "PrivateTmp",
        "ProtectHome",
        "ProtectSystem",
        "ReadWritePaths",
    },
    "Install": {"WantedBy"},
}


def unit(block: Block) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names are as they are spelled
    parsed.read_string(block.text)
    return parsed


def test_units_of_systemd_use_keys_that_exist_and_start_our_program() -> None:
    units = [unit(block) for page in pages() for block in blocks(page, "ini")]
    assert len(units) == 2
    for one in units:
        assert set(one.sections()) == set(KEYS)
        for section, keys in KEYS.items():
            assert set(one[section]) <= keys
        assert one["Service"]["ExecStart"].startswith("/opt/fedaid/venv/bin/fedaid ")
        assert one["Service"]["User"] == "fedaid"


def test_a_unit_may_write_where_the_instance_is() -> None:
    (block,) = blocks(RUN_YOUR_OWN, "ini")
    service = unit(block)["Service"]
    assert service["ExecStart"].endswith(f"--data {service['ReadWritePaths']}")


def test_caddy_is_pointed_at_our_port() -> None:
    (block,) = blocks(RUN_YOUR_OWN, "caddyfile")
    assert balanced(block.text)
    assert f"reverse_proxy {OURS}" in block.text


def test_nginx_is_pointed_at_our_port_passes_the_host_on_and_leaves_the_path_alone() -> None:
    (block,) = blocks(RUN_YOUR_OWN, "nginx")
    assert balanced(block.text)
    statements = [line.strip() for line in block.text.splitlines() if line.strip() and line.strip() != "}"]
    assert all(line.endswith((";", "{")) for line in statements)
    assert f"proxy_pass http://{OURS};" in statements
    assert "proxy_set_header Host $host;" in statements
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in statements


def test_nginx_lets_through_what_our_inbox_takes() -> None:
    (block,) = blocks(RUN_YOUR_OWN, "nginx")
    found = re.search(r"client_max_body_size (\d+)m;", block.text)
    assert found is not None
    assert int(found[1]) * 1024**2 > Settings.model_fields["inbox"].default.body_bytes_max


def balanced(text: str) -> bool:
    return text.count("{") == text.count("}") > 0
