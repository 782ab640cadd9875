"""A member's signed statement, checked by a program that shares no line with ours: ``verify.mjs``, on Node's crypto."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.web.street import Street, on_the_street

VERIFY = Path(__file__).parent / "verify.mjs"


def verify(folder: Path, statement: Mapping[str, Any], ledger: Mapping[str, Any]) -> tuple[int, str]:
    files = folder / "statement.json", folder / "ledger.json"
    for file, document in zip(files, (statement, ledger), strict=True):
        file.write_text(json.dumps(document), encoding="utf-8")
    done = subprocess.run(["node", VERIFY, *files], capture_output=True, text=True, check=False, timeout=60)
    assert not done.stderr
    return done.returncode, done.stdout.strip()


def seen(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Ana's statement, and the documents of her network's ledger and of another's."""
    found: list[dict[str, Any]] = []

    async def story(street: Street) -> None:
        ana, kim = street.north.browser("ana"), street.north.browser("kim")
        await kim.press("/hours/give", "/hours/give", to="ana", hours="2", note="Zoë’s “Sofa” \\ 😀")
        await ana.press("/hours/give", "/hours/give", to="@ben@riverside.example", hours="0:20")
        await street.settle()
        found.append(json.loads((await ana.open("/hours/statement.json")).answer.text))
        for house in (street.north, street.river):
            client = house.browser().client
            answer = await client.get("/ledger", headers={"accept": "application/activity+json"})
            found.append(answer.json())

    on_the_street("sqlite", folder, story)
    return found[0], found[1], found[2]


def test_it_verifies_with_the_key_that_the_network_shows_and_with_nothing_changed(tmp_path: Path) -> None:
    statement, ledger, other = seen(tmp_path)
    assert statement["fa:closing"] == 100
    assert verify(tmp_path, statement, ledger) == (0, "verified")
    assert verify(tmp_path, statement, other) == (1, "it is not of this ledger")
    for name, value in (("fa:closing", 1000), ("fa:account", "https://northside.example/users/kim"), ("fa:more", 1)):
        assert verify(tmp_path, {**statement, name: value}, ledger) == (1, "the proof does not verify")
    proof = statement["proof"]
    for changes, said in (
        ({"created": "2026-01-01T00:00:00Z"}, "the proof does not verify"),
        ({"verificationMethod": f"{ledger['id']}#key-9"}, "the ledger shows no such key"),
        ({"cryptosuite": "ecdsa-jcs-2019"}, "no such proof"),
    ):
        assert verify(tmp_path, {**statement, "proof": {**proof, **changes}}, ledger) == (1, said)


@pytest.mark.parametrize("name", ["fa:transfers", "proof"])
def test_what_leaves_something_out_does_not_verify(tmp_path: Path, name: str) -> None:
    statement, ledger, _ = seen(tmp_path)
    cut = {**statement, name: statement[name][:1] if name == "fa:transfers" else {}}
    assert verify(tmp_path, cut, ledger)[0] == 1
