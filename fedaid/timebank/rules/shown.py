"""How two ledgers show each other all the messages they have in common: pages, and what is read of a stranger's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from activitypub.errors import MalformedDocument
from activitypub.vocabulary import TIMEBANK_CONTEXT
from fedaid.timebank.rules.fields import NUMBER_MAX, number, text
from fedaid.timebank.rules.messages import Document

_DIGITS_MAX = 16


@dataclass(frozen=True)
class Page:
    """Some of the messages of both signers, in the order in which whoever shows them got to know them.

    total, xor  how many there are in all, and the XOR of their SHA-256 digests, 64 hex digits
    next        the number to go on after; None on the last page
    """

    items: tuple[Document, ...]
    total: int
    xor: str
    next: int | None


def collection_of(ledger: str, host: str) -> str:
    """Where a ledger shows what it has in common with the ledger at ``host``."""
    return f"{ledger}/peers/{host}/facts"


def write_page(collection: str, after: int, page: Page) -> dict[str, Any]:
    """The page after this number, as it is shown: an OrderedCollection of whole, signed messages."""
    more = {} if page.next is None else {"next": f"{collection}?after={page.next}"}
    return {
        "@context": TIMEBANK_CONTEXT,
        "id": f"{collection}?after={after}",
        "type": "OrderedCollection",
        "totalItems": page.total,
        "fa:xor": page.xor,
        **more,
        "orderedItems": list(page.items),
    }


def read_page(document: Document, collection: str, after: int, items_max: int) -> Page:
    """The page in a document that was fetched. Raises MalformedDocument for what is none, or never comes to an end."""
    items, ahead = document.get("orderedItems"), document.get("next")
    if document.get("type") != "OrderedCollection" or not isinstance(items, list) or len(items) > items_max:
        raise MalformedDocument("facts_page", "This is not a page of messages.")
    if not all(isinstance(item, Mapping) for item in items):
        raise MalformedDocument("facts_page", "A page of messages holds them whole.")
    following = None if ahead is None else _following(ahead, collection)
    if following is not None and (following <= after or not items):
        raise MalformedDocument("facts_page", "These pages never come to an end.")
    return Page(tuple(items), number(document, "totalItems", 0, NUMBER_MAX), text(document, "fa:xor"), following)


def _following(ahead: object, collection: str) -> int:
    digits = ahead.removeprefix(f"{collection}?after=") if isinstance(ahead, str) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX):
        raise MalformedDocument("facts_page", "The next page is not one of this collection.")
    return int(digits)


def xor(sum_: str, digest: str) -> str:
    """The XOR of SHA-256 digests, which does not depend on their order (as in FEP-8fcf), with one more digest in it."""
    return f"{int(sum_, 16) ^ int(digest.removeprefix('sha256:'), 16):064x}"
