"""Collections: written in pages, and read from others page by page without ever going round in circles (S14)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from activitypub.accessors import Document, embedded, has_type, link, values
from activitypub.errors import MalformedDocument, MalformedUrl
from activitypub.identifiers import Url, UrlRules, same_origin
from activitypub.vocabulary import AS2

KINDS: Final = ("Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage")

Item = str | dict[str, Any]


def ordered_collection(
    identity: str, total: int, first: str | None = None, items: Sequence[Item] | None = None
) -> dict[str, Any]:
    """A collection to be read page by page from ``first``, or, if small, with all its ``items`` in it.

    With neither it only tells its size and keeps to itself what is in it.
    """
    opening = {"first": first} if first is not None else {}
    content = {"orderedItems": list(items)} if items is not None else {}
    return {"@context": AS2, "id": identity, "type": "OrderedCollection", "totalItems": total, **opening, **content}


def collection(identity: str, total: int, first: Item) -> dict[str, Any]:
    """A collection in no order, as replies are; ``first`` is its first page, or the address of that."""
    return {"@context": AS2, "id": identity, "type": "Collection", "totalItems": total, "first": first}


def collection_page(identity: str | None, part_of: str, items: Sequence[Item], next_page: str | None) -> dict[str, Any]:
    """One page of it, without a context; one that only stands inside its collection has no ``id``."""
    return {
        **({"id": identity} if identity is not None else {}),
        "type": "CollectionPage",
        "partOf": part_of,
        **({"next": next_page} if next_page is not None else {}),
        "items": list(items),
    }


def ordered_page(
    identity: str,
    part_of: str,
    items: Sequence[Item],
    next_page: str | None = None,
    previous_page: str | None = None,
) -> dict[str, Any]:
    """One page. The last page has no ``next``."""
    neighbours = {"next": next_page, "prev": previous_page}
    return {
        "@context": AS2,
        "id": identity,
        "type": "OrderedCollectionPage",
        "partOf": part_of,
        "orderedItems": list(items),
        **{name: url for name, url in neighbours.items() if url is not None},
    }


@dataclass(frozen=True)
class CollectionLimits:
    """How far a stranger's collection is read: documents asked for, the collection itself included, and items."""

    documents_max: int = 10
    items_max: int = 1000


LIMITS = CollectionLimits()


@dataclass(frozen=True)
class Reading:
    """How far a collection has been read.

    address   of the collection; pages must be of its origin
    items     ids or embedded objects, as they stand; an embedded one may be used only if speaks_for holds
    next      the page to ask for next; None at the end or at a limit
    asked     every address asked for, so that none is asked for twice
    """

    address: Url
    items: tuple[Item, ...]
    next: Url | None
    asked: frozenset[str]


def begin(doc: Document, address: Url, rules: UrlRules, limits: CollectionLimits = LIMITS) -> Reading:
    """Starts with the collection fetched from ``address``. Raises MalformedDocument when it is none."""
    start = Reading(address, (), None, frozenset({address.without_fragment}))
    opened = _with_items(start, doc, limits)
    first = embedded(doc, "first") if not isinstance(doc.get("first"), str) else None
    if first is None:
        return _pointing_to(opened, doc, "first" if doc.get("first") is not None else "next", rules, limits)
    return _pointing_to(_with_items(opened, first, limits), first, "next", rules, limits)


def go_on(reading: Reading, page: Document, rules: UrlRules, limits: CollectionLimits = LIMITS) -> Reading:
    """Reads the page that ``reading.next`` asked for. Raises MalformedDocument when it is none."""
    return _pointing_to(_with_items(reading, page, limits), page, "next", rules, limits)


def _with_items(reading: Reading, doc: Document, limits: CollectionLimits) -> Reading:
    if not any(has_type(doc, kind) for kind in KINDS):
        raise MalformedDocument("not_a_collection", "The document is not a collection.")
    found = values(doc, "orderedItems") or values(doc, "items")
    if not all(isinstance(item, str | dict) for item in found):
        raise MalformedDocument("wrong_type", "The items of a collection must be links or objects.")
    return replace(reading, items=(reading.items + found)[: limits.items_max])


def _pointing_to(reading: Reading, doc: Document, key: str, rules: UrlRules, limits: CollectionLimits) -> Reading:
    """The reading with its next page, unless that was asked for before, is elsewhere, or a limit is reached."""
    ahead = _url(doc, key, rules)
    full = len(reading.asked) >= limits.documents_max or len(reading.items) >= limits.items_max
    if ahead is None or full or ahead.without_fragment in reading.asked or not same_origin(ahead, reading.address):
        return replace(reading, next=None)
    return replace(reading, next=ahead, asked=reading.asked | {ahead.without_fragment})


def _url(doc: Document, key: str, rules: UrlRules) -> Url | None:
    address = link(doc.get(key))
    try:
        return None if address is None else rules.parse(address)
    except MalformedUrl:
        return None
