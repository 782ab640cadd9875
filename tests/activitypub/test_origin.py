"""Who may say what about whom (FEP-fe34): S11, S29, S40, S41, S51, S57."""

from datetime import UTC, datetime
from typing import Any

import pytest

from activitypub.documents import Activity, parse_activity
from activitypub.errors import OriginMismatch, ProtocolError
from activitypub.identifiers import UrlRules
from activitypub.origin import check_embedded, check_not_ours, check_owner, check_sender, owner_of, same_owner
from activitypub.signatures.authentic import Authentic, Proof, restored

RULES = UrlRules()
BOB, EVE = "https://b.example/u/bob", "https://b.example/u/eve"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def said(actor: str = BOB, obj: Any = "https://b.example/n/1", kind: str = "Create") -> Activity:
    return parse_activity({"id": "https://b.example/a/1", "type": kind, "actor": actor, "object": obj}, RULES)


def signed_by(actor: str) -> Authentic:
    return restored(RULES.parse(actor), f"{actor}#main-key", Proof.DRAFT_CAVAGE, NOW)


def test_an_actor_may_sign_for_itself() -> None:
    check_sender(said(BOB), signed_by(BOB))


@pytest.mark.parametrize(
    "signer", [EVE, "https://b.example/u/Bob", "https://b.example/u/bob/", "https://evil.example/u/bob"]
)
def test_nobody_signs_for_another(signer: str) -> None:
    with pytest.raises(OriginMismatch):
        check_sender(said(BOB), signed_by(signer))


@pytest.mark.parametrize(
    "obj",
    [
        "https://elsewhere.example/n/9",
        {"id": "https://b.example/n/1", "type": "Note", "attributedTo": BOB},
        {"id": "https://b.example/n/1", "type": "Note", "attributedTo": [{"type": "Person", "id": BOB}]},
        {"id": BOB, "type": "Person"},
        {"id": BOB, "type": "Group", "attributedTo": f"{BOB}/moderators"},
        {"id": "https://b.example/a/0", "type": "Follow", "actor": BOB, "object": "https://a.example/u/ana"},
        {"type": "Agreement"},
        {"type": "Note", "attributedTo": BOB},
    ],
)
def test_an_embedded_object_of_the_actors_own_may_be_used(obj: Any) -> None:
    check_embedded(said(BOB, obj))


@pytest.mark.parametrize(
    "obj",
    [
        {"id": "https://c.example/n/9", "type": "Note", "attributedTo": BOB},
        {"id": "https://b.example/n/9", "type": "Note", "attributedTo": EVE},
        {"id": "https://b.example/n/9", "type": "Note", "attributedTo": [BOB, EVE]},
        {"id": "https://b.example/n/9", "type": "Note"},
        {"id": "https://b.example/n/9", "type": "Note", "actor": BOB},
        {"id": "https://b.example/n/9", "type": "Create", "actor": BOB, "attributedTo": EVE},
        {"id": "https://b.example.evil.example/n/9", "type": "Note", "attributedTo": BOB},
        {"id": "https://b.example@evil.example/n/9", "type": "Note", "attributedTo": BOB},
        {"id": "http://b.example/n/9", "type": "Note", "attributedTo": BOB},
        {"id": EVE, "type": "Person"},
        {"id": EVE, "type": "Person", "attributedTo": BOB},
        {"id": "https://b.example/a/0", "type": "Follow", "actor": EVE},
        {"type": "Note", "attributedTo": EVE},
        {"type": "Note", "attributedTo": [BOB, EVE]},
        {"type": "Note", "attributedTo": {"name": "nobody"}},
    ],
)
def test_an_embedded_object_of_somebody_else_must_not_be_used(obj: Any) -> None:
    with pytest.raises(OriginMismatch):
        check_embedded(said(BOB, obj))


def test_an_author_of_the_wrong_type_is_refused_too() -> None:
    with pytest.raises(ProtocolError):
        check_embedded(said(BOB, {"type": "Note", "attributedTo": 7}))


def test_owners_are_compared_letter_by_letter_and_nobody_is_nobodys_equal() -> None:
    assert same_owner(BOB, BOB)
    assert not same_owner(BOB, BOB + "/")
    assert not same_owner(None, None)
    assert owner_of({"type": "Note", "attributedTo": BOB}) == BOB
    assert owner_of({"type": "Note"}) is None


def test_only_the_owner_may_change_a_thing() -> None:
    check_owner(BOB, said(BOB, kind="Update"))
    with pytest.raises(OriginMismatch):
        check_owner(BOB, said(EVE, kind="Update"))


@pytest.mark.parametrize(
    "obj",
    [
        {"id": "https://a.example/p/1", "type": "Note", "attributedTo": BOB},
        {"id": "https://b.example/p/1", "type": "Note", "attributedTo": "https://a.example/u/ana"},
        {"id": "https://a.example", "type": "Person"},
    ],
)
def test_nobody_elsewhere_makes_an_object_of_ours(obj: dict[str, Any]) -> None:
    with pytest.raises(OriginMismatch):
        check_not_ours(said(BOB, obj), "https://a.example")


def test_what_is_not_under_our_address_is_not_ours() -> None:
    check_not_ours(said(BOB, {"id": "https://a.example.org/p/1", "attributedTo": BOB}), "https://a.example")
    check_not_ours(said(BOB, "https://a.example/p/1"), "https://a.example")
