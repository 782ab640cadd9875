"""activitypub-testing: each of its assertions about an actor of ours passes, or stands here with why it does not apply."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fedaid.demo.servers import Town

CLI = Path(__file__).parent / "node_modules/activitypub-testing/src/cli.js"
RECORD = "\x1e"  # begins each JSON text of a sequence (RFC 7464)
RUN_SECONDS_MAX = 120
PASSED = "passed"

NO_CLIENTS = "an outbox of ours takes no POST: there is no client-to-server side of ActivityPub here"
EXPECTED: Mapping[str, str] = {
    "actor-must-serve-as2-object-to-get": PASSED,
    "actor-objects-must-have-inbox-outbox-properties": PASSED,
    "followers-collection-must-be-a-collection": PASSED,
    "following-collection-must-be-a-collection": PASSED,
    "outbox-must-be-an-orderedcollection": PASSED,
    "inbox-must-be-an-orderedcollection": "nobody can read an inbox of ours: what comes in stands on pages, for whom it is",
    "liked-collection-must-be-a-collection": "our actors like nothing",
    "likes-collection-must-be-a-collection": "an actor is not liked",
    "shares-collection-must-be-a-collection": "an actor is not shared",
    "create-then-update-modifies-object-checked-by-get": NO_CLIENTS,
    "outbox-post-must-accept-non-activity-object": NO_CLIENTS,
    "outbox-post-server-adds-to-outbox-collection-checked-by-outbox-get": NO_CLIENTS,
    "outbox-post-servers-must-return-a-201-created-http-code": NO_CLIENTS,
    "outbox-wraps-object-with-create-checked-using-get-location": NO_CLIENTS,
    "post-outbox-server-overwrites-id-property": NO_CLIENTS,
}


def _assertions(actor: str) -> list[Mapping[str, Any]]:
    """What the suite asserts about an actor."""
    node = shutil.which("node")
    assert node is not None, "Node is not on this machine, and without it activitypub-testing cannot run."
    asked = [node, str(CLI), "test", "actor", actor, "--output=json-seq"]
    finished = subprocess.run(asked, capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False)
    assert finished.returncode == 0, finished.stderr
    return [json.loads(record) for record in finished.stdout.split(RECORD) if record.strip()]


@pytest.mark.parametrize("path", ["/groups/board", "/users/nora"])
def test_every_assertion_that_applies_passes(town: Town, path: str) -> None:
    found = {one["test"]["slug"]: one["result"] for one in _assertions(f"{town.origin}{path}")}
    outcomes = {name: result["outcome"] for name, result in found.items()}
    expected = {name: PASSED if why is PASSED else "inapplicable" for name, why in EXPECTED.items()}
    assert outcomes == expected, {
        name: found[name].get("info") for name in outcomes if outcomes[name] != expected.get(name)
    }
