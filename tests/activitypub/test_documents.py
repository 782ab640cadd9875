"""Activities and actors: parsed once, capped, and of one origin (S09, S12, S30, S51 to S53, S65)."""

from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.documents import (
    CONTENT_TYPE,
    PUBLIC,
    DocumentLimits,
    is_activity_content_type,
    is_inbox_content_type,
    is_public,
    parse_activity,
    parse_actor,
)
from activitypub.errors import MalformedDocument, MalformedUrl, OriginMismatch, ProtocolError, SignatureRefused
from activitypub.identifiers import UrlRules
from activitypub.keys import generate_ed25519, generate_rsa, public_to_multibase, public_to_pem
from tests.activitypub.vectors import VECTORS, sample, unhurried, vector

RULES = UrlRules()
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACTIVITIES = [
    path.stem
    for path in sorted((VECTORS / "samples").glob("*.json"))
    if not path.stem.startswith(("webfinger", "nodeinfo", "board-actor", "aid-note"))
]
RSA = public_to_pem(generate_rsa().public_key())
ED25519 = public_to_multibase(generate_ed25519().public_key())


def activity(**members: Any) -> dict[str, Any]:
    return {
        "id": "https://b.example/a/1",
        "type": "Create",
        "actor": "https://b.example/u/bob",
        "object": {"type": "Note", "content": "Hello"},
        **members,
    }


def actor(**members: Any) -> dict[str, Any]:
    identity = "https://b.example/u/bob"
    return {
        "id": identity,
        "type": "Person",
        "preferredUsername": "bob",
        "inbox": f"{identity}/inbox",
        "publicKey": {"id": f"{identity}#main-key", "owner": identity, "publicKeyPem": RSA},
        "assertionMethod": [
            {"id": f"{identity}#ed", "type": "Multikey", "controller": identity, "publicKeyMultibase": ED25519}
        ],
        **members,
    }


def multikey(**members: Any) -> dict[str, Any]:
    return {**actor()["assertionMethod"][0], **members}


# activities


@pytest.mark.parametrize("name", ACTIVITIES)
def test_every_sample_activity_is_read(name: str) -> None:
    doc = sample(name)
    found = parse_activity(doc, RULES)
    assert found.id.text == doc["id"]
    assert found.type == doc["type"]
    assert found.actor.text == doc["actor"]
    assert found.raw is doc


@pytest.mark.parametrize("name", list(vector("timebank/messages.json")))
def test_every_timebank_message_is_read(name: str) -> None:
    doc = vector("timebank/messages.json")[name]
    assert parse_activity(doc, RULES).type == doc["type"]


def test_an_object_is_read_as_link_or_embedded() -> None:
    linked = parse_activity(activity(object="https://b.example/n/1"), RULES)
    assert (linked.object_id, linked.object) == ("https://b.example/n/1", None)
    whole = parse_activity(activity(object=[{"id": "https://b.example/n/1", "type": "Note"}]), RULES)
    assert whole.object_id == "https://b.example/n/1"
    assert whole.object == {"id": "https://b.example/n/1", "type": "Note"}
    nameless = parse_activity(activity(), RULES)
    assert nameless.object_id is None
    assert nameless.object is not None


def test_several_objects_are_left_to_who_can_use_them() -> None:
    found = parse_activity(activity(type="Flag", object=["https://a.example/1", "https://a.example/2"]), RULES)
    assert (found.object_id, found.object) == (None, None)


def test_the_public_audience_is_written_one_way() -> None:
    found = parse_activity(activity(to=["as:Public", "https://a.example/u/ana"], cc="Public"), RULES)
    assert found.to == (PUBLIC, "https://a.example/u/ana")
    assert found.cc == (PUBLIC,)
    assert is_public((), found.cc)
    assert not is_public(("https://b.example/u/bob/followers",), ())


def test_an_activity_type_is_found_among_several() -> None:
    assert parse_activity(activity(type=["ex:Thing", "as:Create"]), RULES).type == "Create"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None},
        {"id": 7},
        {"id": ["https://b.example/a/1", "https://b.example/a/2"]},
        {"type": None},
        {"type": ""},
        {"type": 7},
        {"type": "x" * 65},
        {"actor": None},
        {"actor": {}},
        {"actor": ["https://b.example/u/bob", "https://b.example/u/eve"]},
        {"object": None},
        {"object": []},
        {"object": 7},
        {"object": [["https://b.example/n/1"]]},
        {"object": {"id": 7}},
        {"to": 7},
        {"to": [{"id": 7}]},
        {"published": "now"},
        {"target": 7},
    ],
)
def test_an_activity_of_the_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        parse_activity(activity(**wrong), RULES)


def test_an_activity_whose_id_is_not_a_good_url_is_refused() -> None:
    with pytest.raises(MalformedUrl):
        parse_activity(activity(id="https://b.example\\@evil.example/a/1"), RULES)


def test_an_activity_under_an_id_of_another_server_is_refused() -> None:
    with pytest.raises(OriginMismatch):
        parse_activity(activity(id="https://a.example/a/1"), RULES)


@pytest.mark.parametrize(
    "bomb",
    [
        {"to": [f"https://a.example/{number}" for number in range(600)], "cc": ["https://a.example/x"] * 401},
        {"tag": [{}] * 101},
        {"attachment": [{}] * 17},
        {"content": "x" * 100_001},
        {"contentMap": {"en": "x" * 100_001}},
        {"summary": "x" * 100_001},
        {"name": "x" * 501},
    ],
    ids=lambda bomb: next(iter(bomb)),
)
def test_bombs_are_refused_on_the_activity_and_inside_of_it(bomb: dict[str, Any]) -> None:
    for doc in (activity(**bomb), activity(object=bomb), activity(object={"object": [bomb]})):
        with pytest.raises(MalformedDocument):
            parse_activity(doc, RULES)


def test_limits_may_be_set_by_the_house() -> None:
    with pytest.raises(MalformedDocument):
        parse_activity(activity(tag=[{}, {}]), RULES, DocumentLimits(tags_max=1))


def test_recipients_are_counted_in_all_audiences_together() -> None:
    two = ["https://a.example/x", "https://a.example/y"]
    audiences = dict.fromkeys(("to", "cc", "bto", "bcc", "audience"), two)
    parse_activity(activity(**audiences), RULES, DocumentLimits(recipients_max=10))
    with pytest.raises(MalformedDocument) as refused:
        parse_activity(activity(**audiences), RULES, DocumentLimits(recipients_max=9))
    assert refused.value.code == "too_many_recipients"


# actors


def test_the_sample_board_is_read() -> None:
    found = parse_actor(sample("board-actor"), RULES, NOW)
    assert found.id.text == "https://north.example/boards/moving"
    assert found.preferred_username == "moving"
    assert found.name == "Moving help – Northside"
    assert found.url == "https://north.example/@moving"
    assert found.inbox.text == "https://north.example/boards/moving/inbox"
    assert str(found.shared_inbox) == "https://north.example/inbox"
    assert str(found.featured) == "https://north.example/boards/moving/featured"
    assert [key.key_id for key in found.keys] == ["https://north.example/boards/moving#ed25519-key"]


def test_an_actor_need_not_go_by_a_name() -> None:
    nameless = {key: value for key, value in actor().items() if key != "preferredUsername"}
    assert parse_actor(nameless, RULES, NOW).preferred_username is None


def test_both_keys_of_an_actor_are_read() -> None:
    found = parse_actor(actor(), RULES, NOW)
    assert [key.key_id for key in found.keys] == ["https://b.example/u/bob#main-key", "https://b.example/u/bob#ed"]
    assert all(key.owner == found.id.text and key.fetched_at == NOW for key in found.keys)


def test_an_actor_whose_inbox_is_on_another_server_is_refused() -> None:
    with pytest.raises(OriginMismatch):
        parse_actor(actor(inbox="https://victim.example/inbox"), RULES, NOW)


def test_collections_and_pages_of_other_servers_are_left_out() -> None:
    elsewhere = {
        "outbox": "https://victim.example/outbox",
        "followers": "javascript:1",
        "following": "http://b.example/following",
        "featured": "https://sub.b.example/featured",
        "endpoints": {"sharedInbox": "https://victim.example/inbox"},
        "url": ["javascript:alert(1)", "https://evil.example/@bob"],
    }
    found = parse_actor(actor(**elsewhere), RULES, NOW)
    assert [found.outbox, found.followers, found.following, found.featured] == [None] * 4
    assert (found.shared_inbox, found.url) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "Note"},
        {"type": None},
        {"id": "https://b.example/u/bob#x"},
        {"preferredUsername": ""},
        {"preferredUsername": "bob smith"},
        {"preferredUsername": "b<b>"},
        {"inbox": None},
        {"inbox": 7},
        {"name": "x" * 501},
        {"summary": 7},
        {"endpoints": 7},
        {"manuallyApprovesFollowers": "yes"},
        {"publicKey": 7},
    ],
)
def test_an_actor_of_the_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        parse_actor(actor(**wrong), RULES, NOW)


@pytest.mark.parametrize(
    "claim",
    [
        multikey(controller="https://b.example/u/eve"),
        multikey(controller=None),
        multikey(id="https://files.b.example/eve.json#k"),
        multikey(id=None),
        multikey(publicKeyMultibase="zzz"),
        multikey(publicKeyMultibase="uAAAA"),
        multikey(publicKeyMultibase=7),
        multikey(expires="2026-11-20T12:00:00Z"),
        multikey(revoked="2026-01-01T00:00:00Z"),
        "https://b.example/u/bob#ed",
    ],
)
def test_a_key_that_is_not_this_actors_or_not_good_is_left_out(claim: Any) -> None:
    found = parse_actor(
        actor(publicKey=None, assertionMethod=[claim, multikey(id="https://b.example/u/bob#2")]), RULES, NOW
    )
    assert [key.key_id for key in found.keys] == ["https://b.example/u/bob#2"]


def test_the_owner_of_an_rsa_key_must_be_the_actor() -> None:
    foreign = deepcopy(actor()["publicKey"]) | {"owner": "https://b.example/u/eve"}
    assert parse_actor(actor(publicKey=foreign, assertionMethod=None), RULES, NOW).keys == ()


def test_what_a_key_is_kept_for_is_where_its_owner_lists_it() -> None:
    both = actor()["assertionMethod"][0]
    only_requests = {"id": "https://b.example/u/bob#r", "owner": "https://b.example/u/bob", "publicKeyPem": RSA}
    listed_twice = {"id": both["id"], "owner": "https://b.example/u/bob", "publicKeyMultibase": ED25519}
    found = parse_actor(actor(publicKey=[only_requests, listed_twice]), RULES, NOW)
    assert {key.key_id: key.asserts for key in found.keys} == {"https://b.example/u/bob#r": False, both["id"]: True}


def test_a_key_listed_for_requests_does_not_become_another_by_being_listed_again() -> None:
    other = multikey(id="https://b.example/u/bob#main-key")
    (key,) = parse_actor(actor(assertionMethod=other), RULES, NOW).keys
    assert not key.asserts


def test_when_a_key_ends_is_known() -> None:
    (key,) = parse_actor(
        actor(publicKey=None, assertionMethod=multikey(expires="2026-12-01T00:00:00Z")), RULES, NOW
    ).keys
    assert key.expires_at == datetime(2026, 12, 1, tzinfo=UTC)
    key.check_alive(datetime(2026, 11, 30, tzinfo=UTC))
    with pytest.raises(SignatureRefused, match="key_expired"):
        key.check_alive(datetime(2026, 12, 1, tzinfo=UTC))


def test_at_most_ten_keys_are_taken() -> None:
    many = [multikey(id=f"https://b.example/u/bob#{number}") for number in range(30)]
    assert len(parse_actor(actor(publicKey=None, assertionMethod=many), RULES, NOW).keys) == 10


# content types


@pytest.mark.parametrize(
    ("header", "fetched", "posted"),
    [
        (CONTENT_TYPE, True, True),
        ("Application/Activity+JSON; charset=utf-8", True, True),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True, True),
        ('application/ld+json;profile="http://x.example/ https://www.w3.org/ns/activitystreams"', True, True),
        ("application/ld+json", False, True),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams-evil"', False, True),
        ("application/json", False, False),
        ("text/plain", False, False),
        ("image/png", False, False),
        ("text/plain; application/activity+json", False, False),
        ("", False, False),
        (None, False, False),
    ],
)
def test_only_activitypubs_content_types_are_taken(header: str | None, fetched: bool, posted: bool) -> None:
    assert is_activity_content_type(header) is fetched
    assert is_inbox_content_type(header) is posted


# nothing a stranger writes makes a fault

NAMES = """
    id type actor object target to cc published tag name nameMap content inbox endpoints sharedInbox url publicKey owner
    publicKeyPem assertionMethod controller publicKeyMultibase expires preferredUsername alsoKnownAs summary href
"""
KEYS = st.sampled_from(NAMES.split())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["https://b.example/u/bob", "Create", "Person", "bob", "2026-09-01T09:00:00Z", PUBLIC, RSA, ED25519]
    )
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)


@unhurried
@given(st.dictionaries(KEYS, VALUES, max_size=8), st.booleans())
def test_no_document_raises_anything_but_a_refusal(members: dict[str, Any], whole: bool) -> None:
    with suppress(ProtocolError):
        parse_activity(activity(**members) if whole else members, RULES)
    with suppress(ProtocolError):
        parse_actor(actor(**members) if whole else members, RULES, NOW)
