"""Behind a proxy: whose address counts when somebody tries passwords."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from fedaid.demo.servers import Person, Town, free_port

ONE_TRY = {"FEDAID_MEMBERS__SIGN_IN_TRIES_PER_ADDRESS_MAX": "1"}


def run(folder: Path, **environment: str) -> Iterator[Town]:
    town = Town("Northside", f"http://127.0.0.1:{free_port()}", folder / "north", [Person("nora", "Nora", "admin")])
    town.environment = {**ONE_TRY, **environment}
    town.found()
    town.start()
    yield town
    town.stop()


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Town]:
    yield from run(tmp_path, FEDAID_TRUSTED_PROXIES="127.0.0.1")


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Town]:
    yield from run(tmp_path)


def try_wrongly(town: Town, address: str) -> int:
    headers = {"X-Forwarded-For": address, "Accept": "text/html"}
    wrong = {"handle": "nobody", "password": "wrong password"}
    return httpx2.post(f"{town.origin}/sign-in", data=wrong, headers=headers, trust_env=False, timeout=20).status_code


@pytest.mark.attack("S85")
def test_a_trusted_proxy_says_whose_tries_they_are(proxied: Town) -> None:
    assert [try_wrongly(proxied, "198.51.100.1") for _ in range(2)] == [401, 429]
    assert try_wrongly(proxied, "198.51.100.2") == 401


@pytest.mark.attack("S85")
def test_nobody_else_is_believed(bare: Town) -> None:
    assert [try_wrongly(bare, f"198.51.100.{number}") for number in (1, 2)] == [401, 429]
