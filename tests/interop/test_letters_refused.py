"""What cannot be proved to come from its actor is refused, by draft-cavage and RFC 9421, and leaves nothing behind.

Each letter is a reply to a listing. After it was refused, the same letter, well signed this time, is taken: so it was
refused for that fault alone, and its id was not used up. Letters of one server are taken in their order: when the good
one's words stand on the page, those of the bad one would have stood there.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from base58 import b58encode

from activitypub.documents import CONTENT_TYPE
from activitypub.vocabulary import AS2, DATA_INTEGRITY_V1
from tests.interop.fedify import RFC9421_FIRST, Peer
from tests.interop.northside import ANA, Northside

pytestmark = pytest.mark.parametrize("peer", [RFC9421_FIRST], indirect=True, ids=["raw"])


@dataclass(frozen=True)
class Fault:
    """What is done to a letter, as the peer's command ``raw`` has it, and the code of the refusal."""

    name: str
    code: str
    done: Mapping[str, Any]


def _hours_ago(hours: int) -> str:
    return format_datetime(datetime.now(UTC) - timedelta(hours=hours), usegmt=True)


_WRONG = b64encode(bytes(32)).decode("ascii")
OTHER_DIGEST = {"digest": f"SHA-256={_WRONG}", "content-digest": f"sha-256=:{_WRONG}:"}
FAULTS = (
    Fault("changed body", "digest_mismatch", {"tamper": "body"}),
    Fault("changed signature", "signature_wrong", {"tamper": "signature"}),
    Fault("no signature", "unsigned", {"spec": "none"}),
    Fault("somebody else's key", "not_the_actor", {"by": "carol"}),
    Fault("made two hours ago", "too_old", {"date": _hours_ago(2)}),
    Fault("another digest", "digest_mismatch", {"headers": OTHER_DIGEST}),
    Fault("only a linked data signature", "unsigned", {"spec": "none", "ld": True}),
)


def _forged_proof(actor: str) -> dict[str, str]:
    """A proof of the right form, which nobody made."""
    key = httpx2.get(actor, headers={"Accept": CONTENT_TYPE}, trust_env=False).json()["assertionMethod"]
    named = next(one["id"] for one in key if one["publicKeyMultibase"].startswith("z6Mk"))
    options = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}
    made = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    value = f"z{b58encode(bytes(64)).decode('ascii')}"
    return {**options, "verificationMethod": named, "created": made, "proofValue": value}


def _reply(peer: Peer, northside: Northside, listing: str, number: str, message: str) -> dict[str, Any]:
    author = {"type": "Note", "attributedTo": peer.actor("alice"), "inReplyTo": listing}
    note = {**author, "id": f"{peer.origin}/notes/{number}", "to": [northside.board], "content": f"<p>{message}</p>"}
    activity = {"id": f"{peer.origin}/activities/{number}", "type": "Create", "actor": peer.actor("alice")}
    return {"@context": AS2, **activity, "to": [northside.board], "object": note}


@pytest.mark.parametrize("dialect", ["cavage", "rfc9421"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_letter_with_a_fault_is_refused_and_leaves_nothing(
    peer: Peer, northside: Northside, dialect: str, fault: Fault
) -> None:
    listing = northside.post_request(f"Water the plants: {fault.name}, {dialect}")
    number = uuid4().hex
    inbox = f"{northside.board}/inbox"

    bad = _reply(peer, northside, listing, number, "Words that were never proved.")
    refused = peer.tell("raw", inbox=inbox, body=bad, **{"spec": dialect, **fault.done})
    assert (refused["status"], refused["json"]["code"]) == (401, fault.code)
    said = [line for line in northside.log() if line["event"] == "inbox.refused"][-1]
    assert (said["path"], said["status"], said["code"]) == ("/groups/board/inbox", 401, fault.code)
    assert said["why"] == refused["json"]["detail"]

    good = _reply(peer, northside, listing, number, "Words that were signed well.")
    assert peer.tell("raw", inbox=inbox, body=good, spec=dialect)["status"] == 202
    page = northside.wait_for_page(ANA, listing, lambda page: page.says("Words that were signed well."))
    assert not page.says("Words that were never proved.")
    assert page.text.count("@alice@") == 1


def test_a_letter_with_a_forged_proof_is_refused_though_its_signature_is_right(
    peer: Peer, northside: Northside
) -> None:
    listing = northside.post_request("Water the plants: forged proof")
    bad = _reply(peer, northside, listing, uuid4().hex, "Words that were never proved.")
    bad |= {"@context": [AS2, DATA_INTEGRITY_V1], "proof": _forged_proof(peer.actor("alice"))}
    refused = peer.tell("raw", inbox=f"{northside.board}/inbox", body=bad)
    assert (refused["status"], refused["json"]["code"]) == (401, "proof_invalid")
    assert not northside.browser(ANA).open(listing).says("Words that were never proved.")
