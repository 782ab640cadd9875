"""Collections: written in pages; read to an end whatever a stranger's pages say (S14)."""

from itertools import count
from typing import Any

import pytest

from activitypub.collections import LIMITS, CollectionLimits, Reading, begin, go_on, ordered_collection, ordered_page
from activitypub.errors import MalformedDocument
from activitypub.identifiers import UrlRules

RULES = UrlRules()
BASE = "https://b.example/u/bob/outbox"
ADDRESS = RULES.parse(BASE)


def page(items: list[Any], **members: Any) -> dict[str, Any]:
    return {"type": "OrderedCollectionPage", "orderedItems": items, **members}


def read_all(documents: dict[str, dict[str, Any]], limits: CollectionLimits = LIMITS) -> tuple[Reading, int]:
    reading, fetched = begin(documents[BASE], ADDRESS, RULES, limits), 1
    while reading.next is not None:
        reading, fetched = go_on(reading, documents[reading.next.text], RULES, limits), fetched + 1
    return reading, fetched


def test_what_we_write_can_be_read() -> None:
    first, second = f"{BASE}?page=1", f"{BASE}?page=2"
    documents = {
        BASE: ordered_collection(BASE, 3, first),
        first: ordered_page(first, BASE, ["a", "b"], next_page=second),
        second: ordered_page(second, BASE, [{"id": "c"}], previous_page=first),
    }
    reading, fetched = read_all(documents)
    assert reading.items == ("a", "b", {"id": "c"})
    assert fetched == 3
    assert "next" not in documents[second]
    assert documents[second]["prev"] == first


def test_a_small_collection_has_its_items_in_it_and_a_hidden_one_only_its_size() -> None:
    assert begin(ordered_collection(BASE, 1, items=["a"]), ADDRESS, RULES).items == ("a",)
    hidden = ordered_collection(BASE, 7)
    assert hidden["totalItems"] == 7
    assert begin(hidden, ADDRESS, RULES).items == ()
    assert "first" not in hidden
    assert "orderedItems" not in hidden


def test_a_first_page_inside_the_collection_is_read_without_asking() -> None:
    doc = {"type": "Collection", "first": {"type": "CollectionPage", "items": "a", "next": f"{BASE}?2"}}
    reading = begin(doc, ADDRESS, RULES)
    assert reading.items == ("a",)
    assert str(reading.next) == f"{BASE}?2"


def test_a_page_that_points_to_itself_ends_the_reading() -> None:
    first = f"{BASE}?page=1"
    documents = {BASE: {"type": "OrderedCollection", "first": first}, first: page(["a"], next=f"{first}#again")}
    assert read_all(documents) == (Reading(ADDRESS, ("a",), None, frozenset({BASE, first})), 2)


def test_pages_without_end_are_read_ten_documents_far() -> None:
    class Endless(dict[str, dict[str, Any]]):
        numbers = count()

        def __missing__(self, _: str) -> dict[str, Any]:
            return page(["a"], next=f"{BASE}?p={next(self.numbers)}")

    documents = Endless({BASE: {"type": "OrderedCollection", "first": f"{BASE}?p=first"}})
    reading, fetched = read_all(documents)
    assert fetched == 10
    assert len(reading.items) == 9


def test_no_more_than_a_thousand_items_are_taken() -> None:
    first = f"{BASE}?page=1"
    documents = {BASE: {"type": "Collection", "first": first}, first: page(["a"] * 5000, next=f"{BASE}?page=2")}
    reading, fetched = read_all(documents)
    assert (len(reading.items), fetched) == (1000, 2)


@pytest.mark.parametrize(
    "ahead", ["https://evil.example/p", "http://b.example/p", "javascript:1", "//b.example/p", None]
)
def test_pages_elsewhere_are_not_asked_for(ahead: str | None) -> None:
    assert begin({"type": "Collection", "first": ahead}, ADDRESS, RULES).next is None


@pytest.mark.parametrize(
    "doc",
    [{}, {"type": "Note"}, {"type": "Collection", "items": [7]}, {"type": "Collection", "first": 7},
     {"type": "Collection", "first": {"type": "Note"}}],
)  # fmt: skip
def test_what_is_no_collection_is_refused(doc: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        begin(doc, ADDRESS, RULES)
