"""JSON-LD: offline, bounded, and reading foreign spellings (S18, S36)."""

import json
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub import jsonld, vocabulary
from activitypub.errors import MalformedDocument, ProtocolError
from activitypub.vocabulary import ACTOR_CONTEXT, AS2, LISTING_CONTEXT, TIMEBANK_CONTEXT, VALUEFLOWS
from tests.activitypub.vectors import VECTORS, unhurried, vector

SAMPLES = [
    path.stem
    for path in sorted((VECTORS / "samples").glob("*.json"))
    if not path.stem.startswith(("webfinger", "nodeinfo"))
]
PURPOSE = f"{VALUEFLOWS}purpose"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("somebody opened a connection")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def nested(depth: int) -> dict[str, Any]:
    doc: dict[str, Any] = {"type": "Note"}
    for _ in range(depth - 1):
        doc = {"object": doc}
    return {"@context": AS2, **doc}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_survives_expansion_and_compaction(name: str) -> None:
    doc = vector(f"samples/{name}.json")
    expanded = jsonld.expand(doc)
    assert expanded["@id"] == doc["id"]
    assert jsonld.compact(expanded, doc["@context"])["id"] == doc["id"]


@pytest.mark.parametrize("context", [ACTOR_CONTEXT, LISTING_CONTEXT, TIMEBANK_CONTEXT])
def test_every_context_that_we_write_is_read_without_the_network(context: list[Any]) -> None:
    inline = context[-1]
    names = {name: "https://b.example/x" for name in inline if ":" not in str(inline[name]) or name == "purpose"}
    assert jsonld.expand({"@context": context, "id": "https://b.example/1", "type": "Note", **names})["@id"]


@pytest.mark.parametrize("url", list(jsonld.BUNDLED))
def test_every_bundled_context_can_be_read(url: str) -> None:
    assert jsonld.expand({"@context": [AS2, url], "id": "https://b.example/1", "type": "Note"})["@id"]


def test_our_terms_mean_what_they_should() -> None:
    listing = jsonld.expand({"@context": LISTING_CONTEXT, "id": "https://b.example/1", "purpose": "request"})
    assert listing[PURPOSE] == [{"@value": "request"}]
    actor = jsonld.expand(
        {"@context": ACTOR_CONTEXT, "id": "https://b.example/1", "fa:ledger": "https://b.example/ledger"}
    )
    assert actor["urn:fedaid:ns:ledger"] == [{"@id": "https://b.example/ledger"}]


def test_the_context_between_ledgers_is_that_of_the_signed_messages() -> None:
    for message in vector("timebank/messages.json").values():
        theirs = message["@context"]
        assert [*theirs[:-1], theirs[-1] | {"fa": vocabulary.FEDAID}] == TIMEBANK_CONTEXT


def test_an_unknown_context_is_neither_fetched_nor_minded() -> None:
    doc = {
        "@context": [AS2, "https://evil.example/ctx", {"@import": "https://evil.example/ctx", "x": {"@id": "as:x"}}, 7],
        "id": "https://b.example/n/1",
        "type": "Note",
        "content": "Hello",
        "object": {"@context": "https://evil.example/ctx", "type": "Note"},
    }
    assert jsonld.expand(doc)[f"{AS2}#content"] == [{"@value": "Hello"}]


def test_a_property_is_found_under_each_spelling() -> None:
    plain = {"@context": LISTING_CONTEXT, "purpose": "request"}
    full = {"@context": AS2, PURPOSE: "request"}
    prefixed = {"@context": [AS2, {"valueflows": VALUEFLOWS}], "valueflows:purpose": "request"}
    renamed = {"@context": [AS2, {"zweck": PURPOSE}], "zweck": "request"}
    for doc in (plain, full, prefixed, renamed):
        assert jsonld.read(doc, "purpose", PURPOSE) == ("request",)
    assert jsonld.read({"@context": AS2}, "purpose", PURPOSE) == ()


def test_links_and_lists_are_read_as_plain_values() -> None:
    context = [AS2, {"who": {"@id": "urn:x:who", "@type": "@id"}, "row": {"@id": "urn:x:row", "@container": "@list"}}]
    doc = {"@context": context, "who": "https://b.example/u/bob", "row": [1, 2]}
    assert jsonld.read(doc, "provider", "urn:x:who") == ("https://b.example/u/bob",)
    assert jsonld.read(doc, "numbers", "urn:x:row") == ([1, 2],)


def test_depth_and_size_are_bounded_before_anything_is_expanded() -> None:
    assert jsonld.expand(nested(30))
    for bomb in (
        nested(31),
        {"@context": AS2, "tag": [{"type": "Hashtag"}] * 300},
        {"@context": AS2, "to": ["https://b.example/1"] * 5001},
        {"@context": [AS2] * 11},
        {"@context": [AS2, {f"t{number}": "as:x" for number in range(501)}]},
    ):
        with pytest.raises(MalformedDocument) as refused:
            jsonld.expand(bomb)
        assert refused.value.code == "too_large"


def test_scoped_contexts_inside_of_a_document_are_no_bomb() -> None:
    terms = {f"t{number}": "https://b.example/x" for number in range(400)}
    scoped = {"object": {"@id": "as:object", "@context": terms}}
    doc: dict[str, Any] = {"type": "Note"}
    for _ in range(25):
        doc = {"object": doc, "@context": "https://schema.org/"}
    assert jsonld.expand({"@context": AS2}) == {}
    started = time.process_time()
    with suppress(MalformedDocument):
        jsonld.expand({**doc, "@context": [AS2, scoped]})
    assert time.process_time() - started < 2  # worked through at each level they would take far longer


@pytest.mark.parametrize(
    "doc",
    [
        {"@context": AS2, "@graph": [{"name": "one"}, {"name": "other"}]},
        {"@context": [AS2, {"x": 7}], "type": "Note"},
        {"@context": [AS2, {"x": {"@id": "y", "@type": []}}], "type": "Note"},
        {"@context": AS2, "id": 7},
        {"@context": AS2, "type": {"a": "b"}},
    ],
)
def test_what_is_no_json_ld_is_refused(doc: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        jsonld.expand(doc)


NAMES = """
    @id @type @context @value @list @set @graph @reverse @included @language @index id type object to tag
"""
KEYS = st.sampled_from(NAMES.split()) | st.text(max_size=4)
ODD = st.sampled_from([AS2, "@id", "_:b0", "as:Note", "https://schema.org/"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | ODD
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15
)


@unhurried
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_no_document_raises_anything_but_a_refusal(doc: dict[str, Any]) -> None:
    with suppress(ProtocolError):
        jsonld.expand(doc)
    with suppress(ProtocolError):
        jsonld.read(doc, "purpose", PURPOSE)


def test_our_terms_of_valueflows_are_those_of_fep_0837() -> None:
    """But for measures in listings, which Valueflows has moved since; both spellings are read."""
    theirs = vector("fep/fep-0837.context.json")["@context"]
    for ours, apart in ((TIMEBANK_CONTEXT, set()), (LISTING_CONTEXT, {"hasUnit", "hasNumericalValue"})):
        inline = ours[-1]
        assert isinstance(inline, dict)
        meant = {name: found["@id"] if isinstance(found, dict) else found for name, found in inline.items()}
        shared = theirs.keys() & meant.keys()
        assert {name for name in shared if meant[name] != theirs[name]} == apart
        assert len(shared) > 10


def test_the_bundled_context_of_fep_ef61_means_what_the_fep_says() -> None:
    theirs = vector("fep/fep-ef61.context.json")["@context"]
    bundled = json.loads((Path(jsonld.__file__).parent / "contexts" / "fep-ef61.json").read_text())["@context"]
    assert bundled["gateways"]["@id"] == theirs["gateways"]["@id"]
    assert bundled["digestMultibase"] == theirs["digestMultibase"]
