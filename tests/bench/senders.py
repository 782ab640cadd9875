"""A hundred senders on as many hosts, and their letters, signed before anything is measured."""

import json
import pickle
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey, generate_rsa, private_from_pem, private_to_pem, public_to_pem
from activitypub.signatures import sign_draft_cavage
from activitypub.vocabulary import ACTOR_CONTEXT, AS2, PUBLIC

SENDERS = 100
HOST = "northside.example"
INBOX = f"https://{HOST}/inbox"
LETTER_BYTES = 2048
SIGNED_AT_ONCE = 1000
PROCESSES = 2
# As short as others write theirs; our own, which names every term, has 2 KB alone.
VF = "https://w3id.org/valueflows/ont/vf#"
CONTEXT = [AS2, {"vf": VF, "purpose": "vf:purpose", "publishes": {"@id": "vf:publishes", "@type": "@id"}}]


@dataclass(frozen=True)
class Sender:
    """Somebody elsewhere whom a board of ours follows; ``pem`` is the private key."""

    actor: str
    pem: str

    @property
    def key_id(self) -> str:
        return f"{self.actor}#main-key"

    def document(self) -> Mapping[str, Any]:
        """The actor's document, as its own server serves it."""
        public = public_to_pem(private_from_pem(self.pem).public_key())
        return {
            "@context": ACTOR_CONTEXT,
            "id": self.actor,
            "type": "Person",
            "preferredUsername": "ben",
            "inbox": f"{self.actor}/inbox",
            "publicKey": {"id": self.key_id, "owner": self.actor, "publicKeyPem": public},
        }


def make_senders() -> Sequence[Sender]:
    """New ones, as making keys takes 50 ms each and need not be repeatable."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        return list(pool.map(_sender, range(SENDERS), chunksize=10))


def _sender(number: int) -> Sender:
    return Sender(f"https://peer{number}.example/users/ben", private_to_pem(generate_rsa()))


def activity_id(sender: Sender, number: int) -> str:
    """The id of the letter of this number."""
    return f"{sender.actor}/activities/{number}"


def letter(sender: Sender, number: int) -> bytes:
    """A Create of an aid post, a Note of FEP-0837, of 2 KB as Mastodon's are."""
    note = f"{sender.actor}/notes/{number}"
    said = f"<p>Could somebody help me carry a sofa, number {number}, up to the third floor?</p>"
    listing = {
        "id": note,
        "type": "Note",
        "attributedTo": sender.actor,
        "to": [PUBLIC],
        "cc": [f"{sender.actor}/followers"],
        "published": "2026-11-01T10:00:00Z",
        "url": note,
        "name": f"Carry a sofa, number {number}",
        "purpose": "request",
        "content": said,
        "publishes": {
            "id": f"{note}#primary",
            "type": "Intent",
            "action": "deliverService",
            "receiver": sender.actor,
            "effortQuantity": {"hasUnit": "hour", "hasNumericalValue": "1.5"},
        },
        "tag": [{"type": "Hashtag", "href": f"{sender.actor}/tags/need", "name": "#need"}],
        "sensitive": False,
    }
    create = {
        "@context": CONTEXT,
        "id": activity_id(sender, number),
        "type": "Create",
        "actor": sender.actor,
        "to": listing["to"],
        "cc": listing["cc"],
        "published": listing["published"],
        "object": listing,
    }
    missing = LETTER_BYTES - len(json.dumps(create).encode())
    listing["content"] = said.replace(
        "</p>", f" {'The stairs are narrow, and my back is not what it was. ' * 40}"[:missing] + "</p>"
    )
    return json.dumps(create).encode()


def sign_letters(senders: Sequence[Sender], count: int, file: Path) -> None:
    """Write that many requests to the shared inbox, one after the other by another sender, as ``load`` reads them."""
    starts = range(0, count, SIGNED_AT_ONCE)
    with ProcessPoolExecutor(PROCESSES, initializer=_know, initargs=(senders,)) as pool:
        parts = pool.map(_signed, starts, [min(start + SIGNED_AT_ONCE, count) for start in starts])
        file.write_bytes(pickle.dumps([request for part in parts for request in part]))


_known: list[tuple[Sender, SigningKey]] = []


def _know(senders: Sequence[Sender]) -> None:
    _known[:] = [(one, SigningKey(one.key_id, one.actor, private_from_pem(one.pem))) for one in senders]


def _signed(start: int, stop: int) -> Sequence[bytes]:
    return [_request(*_known[number % len(_known)], number) for number in range(start, stop)]


def _request(sender: Sender, key: SigningKey, number: int) -> bytes:
    body = letter(sender, number)
    headers = sign_draft_cavage("post", UrlRules().parse(INBOX), body, key, datetime.now(UTC))
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["POST /inbox HTTP/1.1", *lines, f"content-length: {len(body)}", "", ""])
    return head.encode() + body
