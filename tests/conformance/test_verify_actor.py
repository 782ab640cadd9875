"""verify_actor of fediverse-pasture: its actors read ours, and write to it if they sign."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from fedaid.demo.servers import Town, free_port

PYTHON = Path(__file__).parent / ".venv/bin/python"
READY_SECONDS_MAX = 120
VERIFY_SECONDS_MAX = 120
# Its own command would listen on all addresses of the machine.
SERVE = """
import sys
from fediverse_pasture.verify_actor import build_app
port = int(sys.argv[1])
build_app(False, f"127.0.0.1:{port}", False, 60).run(host="127.0.0.1", port=port)
"""

# It would ask the Internet for JSON-LD contexts, and stand still until that answers or does not; it does without them.
NO_INTERNET = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}

READS, WRITES = "get_actor", "post_inbox"
UNSIGNED = {READS: True, WRITES: False}  # whoever does not sign reads, and is refused at the inbox
SIGNED = {READS: True, WRITES: True}
EXPECTED = {
    "alice": UNSIGNED,
    "bob": SIGNED,
    "claire": SIGNED,  # shows her keys to who signs, as we do
    "dean": UNSIGNED,
    "emily": SIGNED,  # goes by no name (preferredUsername), as ActivityPub allows
    "frank": SIGNED,  # nor does he, and his key is Ed25519
    "webfinger": True,
}


def _check(answer: httpx2.Response) -> None:
    """Its verdicts are those expected, of the actors expected, and of no others."""
    assert answer.status_code == 200
    found = answer.json()["result"]
    messages = json.loads(answer.json()["messages"])
    assert found == EXPECTED, messages


@pytest.fixture(scope="module")
def pasture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of its server, which makes its keys first."""
    folder, port = tmp_path_factory.mktemp("pasture"), free_port()
    with (folder / "log").open("wb") as log:
        started = [str(PYTHON), "-c", SERVE, str(port)]
        process = subprocess.Popen(started, cwd=folder, stdout=log, stderr=log, env={**os.environ, **NO_INTERNET})
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, address, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx2.get(f"{address}/static/styles.css", trust_env=False).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"fediverse-pasture did not start: {log.read_text()[-2000:]}")


@pytest.mark.parametrize("path", ["/groups/board", "/users/nora"])
def test_its_actors_read_ours_and_write_to_it_only_if_they_sign(town: Town, pasture: str, path: str) -> None:
    asked = {"actor_uri": f"{town.origin}{path}"}
    accept = {"Accept": "application/json"}
    answer = httpx2.get(pasture, params=asked, headers=accept, timeout=VERIFY_SECONDS_MAX, trust_env=False)
    _check(answer)


def test_its_actors_find_our_board_by_its_handle(town: Town, pasture: str) -> None:
    asked = {"actor_uri": f"acct:board@{town.host}"}
    accept = {"Accept": "application/json"}
    answer = httpx2.get(pasture, params=asked, headers=accept, timeout=VERIFY_SECONDS_MAX, trust_env=False)
    _check(answer)
