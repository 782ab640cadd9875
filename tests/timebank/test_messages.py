"""The signed messages between ledgers: written as in the vectors, taken in no other shape."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from activitypub.errors import MalformedDocument
from activitypub.vocabulary import FEDAID
from fedaid.timebank.rules import messages, reading, terms
from fedaid.timebank.rules.states import Kind

FILE = Path(__file__).parent.parent / "vectors" / "timebank" / "messages.json"
OURS = json.loads(FILE.read_text().replace("https://fedaid.example/ns#", FEDAID))
ABOUT_TRANSFERS = {
    "invite": Kind.INVITE,
    "offer": Kind.OFFER,
    "accept": Kind.ACCEPT,
    "receipt": Kind.RECEIPT,
    "reject": Kind.REJECT,
    "undo": Kind.UNDO,
}


def bare(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


@pytest.mark.parametrize(("name", "kind"), ABOUT_TRANSFERS.items())
def test_each_message_of_the_vectors_is_read_as_what_it_is(name: str, kind: Kind) -> None:
    message = reading.read(OURS[name])
    assert message.kind is kind
    assert message.id == OURS[name]["id"]
    assert message.transfer == OURS[name]["fa:transfer"]


def test_an_offer_says_who_gave_what_to_whom() -> None:
    deal = reading.read(OURS["offer"]).deal
    assert deal == messages.Deal(
        "https://maple.example/users/alice",
        "https://oak.example/users/bob",
        90,
        "https://maple.example/proposals/ddde9d6f",
    )


def test_an_accept_carries_the_offer_it_accepts() -> None:
    message = reading.read(OURS["accept"])
    assert message.offered is not None
    assert message.offered.document == OURS["offer"]


def test_an_offer_is_written_as_in_the_vectors() -> None:
    found = reading.read(OURS["offer"])
    assert found.deal
    assert found.end_time
    assert messages.offer(found.envelope, found.deal, found.end_time, found.note_digest) == bare(OURS["offer"])


def test_an_accept_is_written_as_in_the_vectors() -> None:
    found = reading.read(OURS["accept"])
    assert found.deal
    assert messages.accept(found.envelope, found.deal, OURS["offer"]) == bare(OURS["accept"])


def test_a_refused_invitation_is_told_from_a_refused_offer_by_what_it_refuses() -> None:
    invitation = reading.read(OURS["invite"])
    envelope = messages.Envelope(
        invitation.envelope.to,
        invitation.envelope.actor,
        invitation.envelope.published,
        invitation.transfer,
        invitation.envelope.channel,
    )
    refusal = messages.reject_invite(envelope, invitation.id, "no_room")
    assert reading.read({**refusal, "proof": {}}).kind is Kind.REJECT_INVITE


def changed(name: str, path: str, value: object) -> dict[str, Any]:
    """A message of the vectors with one field changed; ``None`` takes it away."""
    document = copy.deepcopy(OURS[name])
    *parents, last = path.split("/")
    inner = document
    for parent in parents:
        inner = inner[parent]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return dict(document)


MISSHAPEN = [
    ("offer", "fa:minutes", 91),
    ("offer", "fa:minutes", 90.0),
    ("offer", "fa:minutes", "90"),
    ("offer", "fa:minutes", True),
    ("offer", "fa:minutes", 0),
    ("offer", "fa:minutes", -90),
    ("offer", "fa:minutes", 60_001),
    ("offer", "fa:minutes", None),
    ("offer", "object/stipulates/resourceQuantity/hasNumericalValue", "91"),
    ("offer", "object/stipulatesReciprocal/resourceQuantity/hasNumericalValue", "9e1"),
    ("offer", "object/stipulates/resourceQuantity/hasUnit", "hour"),
    ("offer", "object/stipulates/provider", "https://oak.example/users/eve"),
    ("offer", "object/stipulatesReciprocal/resourceConformsTo", "https://oak.example/beans"),
    ("offer", "object/type", "Note"),
    ("offer", "object/extra", "x"),
    ("offer", "content", "<p>hello</p>"),
    ("offer", "cc", ["https://www.w3.org/ns/activitystreams#Public"]),
    ("offer", "to", "https://maple.example/ledger"),
    ("offer", "to", ["https://maple.example/ledger", "https://maple.example/users/alice"]),
    ("offer", "id", "https://oak.example/ledger/transfers/other/offer"),
    ("offer", "fa:transfer", "https://eve.example/ledger/transfers/018f6b1e-7a10-7c3e-9b55-2d1f0c7a4e01"),
    ("offer", "fa:transfer", "https://oak.example/ledger/transfers/7"),
    ("offer", "@context", "https://www.w3.org/ns/activitystreams"),
    ("offer", "endTime", "2026-11-22"),
    ("offer", "endTime", "2026-11-22T16:05:12.5Z"),
    ("offer", "endTime", None),
    ("offer", "fa:channel/fa:seq", 0),
    ("offer", "fa:channel/fa:seq", 1.5),
    ("offer", "fa:channel/fa:terms", "md5:00"),
    ("offer", "fa:channel", None),
    ("offer", "fa:noteDigest", "bring cake"),
    ("accept", "fa:minutes", 900),
    ("accept", "fa:offer/fa:minutes", 900),
    ("accept", "fa:offer/fa:transfer", "https://oak.example/ledger/transfers/018f6b1e-7a10-7c3e-9b55-2d1f0c7a4e02"),
    ("accept", "fa:offer", None),
    ("accept", "result/attributedTo", "https://maple.example/users/alice"),
    ("accept", "object", "https://oak.example/ledger/transfers/018f6b20-11aa-7d02-8c11-5b0e9f3d2c77/offer"),
    ("receipt", "object/resourceQuantity/hasNumericalValue", "900"),
    ("receipt", "fa:accept", "yes"),
    ("reject", "fa:reason", "Because I say so!"),
    ("undo", "object", "https://oak.example/ledger/transfers/018f6b20-11aa-7d02-8c11-5b0e9f3d2c77/offer"),
    ("undo", "type", "Like"),
    ("undo", "type", ["Undo"]),
]


@pytest.mark.parametrize(("name", "path", "value"), MISSHAPEN)
def test_a_message_of_another_shape_is_refused(name: str, path: str, value: object) -> None:
    with pytest.raises(MalformedDocument):
        reading.read(changed(name, path, value))


def test_a_message_over_32_kib_is_refused() -> None:
    with pytest.raises(MalformedDocument, match="32768"):
        reading.read(changed("offer", "content", "x" * 33_000))


def test_a_proposal_and_its_answer_are_read_and_written_as_in_the_vectors() -> None:
    proposal = terms.read_proposal(OURS["peering_offer"])
    assert (proposal.grant, proposal.offer_lifetime_days) == (terms.Grant(1200, 480), 14)
    agreement = terms.read_agreement(OURS["peering_accept"])
    assert agreement.grant == terms.Grant(600, 480)
    assert agreement.proposed == OURS["peering_offer"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("object/fa:creditLine", -1),
        ("object/fa:creditLine", 1e9),
        ("object/fa:maxTransfer", 0),
        ("object/fa:offerLifetime", "P1000D"),
        ("object/fa:offerLifetime", "14"),
        ("object/fa:key/controller", "https://eve.example/ledger"),
        ("object/fa:unit", "hour"),
        ("object/fa:version", 2),
        ("id", "https://oak.example/elsewhere/7/offer"),
    ],
)
def test_a_proposal_of_another_shape_is_refused(path: str, value: object) -> None:
    with pytest.raises(MalformedDocument):
        terms.read_proposal(changed("peering_offer", path, value))
