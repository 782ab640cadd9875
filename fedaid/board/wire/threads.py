"""The conversation below a listing, as other servers fetch it: only what its writers show to anybody where they live.

An answer is for the author of the listing, and is not shown here; who replied in public has shown it to all already.
Both collections name such replies by their ids, and whoever wants to read one asks its own server, which may say no.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from activitypub.collections import collection, collection_page, ordered_collection, ordered_page
from activitypub.vocabulary import AS2
from fedaid.board.queries import Listing, PublicAnswer


@dataclass(frozen=True)
class Part:
    """The answers on one page; ``more`` is the query of the page after it, empty on the last."""

    answers: Sequence[PublicAnswer]
    more: str


def part_of(answers: Sequence[PublicAnswer], after: int, size: int) -> Part:
    """The page that begins behind the answer with this number; 0 for the first."""
    rest = [one for one in answers if one.id > after]
    return Part(rest[:size], f"?page=true&after={rest[size - 1].id}" if len(rest) > size else "")


def replies_address(listing: Listing) -> str:
    """Where the replies to a listing are named."""
    return f"{listing.uri}/replies"


def context_address(listing: Listing) -> str:
    """Where the whole conversation is named: the listing, and the replies to it (FEP-7888)."""
    return f"{listing.uri}/context"


def replies_to_come(listing: Listing) -> dict[str, Any]:
    """The replies as a letter has them: none yet. A first page that is there keeps its readers from asking for it."""
    url = replies_address(listing)
    return {"id": url, "type": "Collection", "first": collection_page(None, url, [], f"{url}?page=true")}


def replies_now(listing: Listing, part: Part) -> dict[str, Any]:
    """The replies as the listing's own document has them, with the first page inside: some readers take no other."""
    url = replies_address(listing)
    return {"id": url, "type": "Collection", "first": _page(None, url, part)}


def replies_collection(listing: Listing, total: int, part: Part) -> dict[str, Any]:
    """The replies at their own address, with the first page inside."""
    url = replies_address(listing)
    return collection(url, total, _page(None, url, part))


def replies_page(listing: Listing, part: Part, query: str) -> dict[str, Any]:
    """One page of the replies; ``query`` is how it was asked for."""
    url = replies_address(listing)
    return {"@context": AS2, **_page(f"{url}?{query}", url, part)}


def _page(identity: str | None, url: str, part: Part) -> dict[str, Any]:
    return collection_page(identity, url, [one.uri for one in part.answers], f"{url}{part.more}" if part.more else None)


def context_collection(listing: Listing, total: int) -> dict[str, Any]:
    """The conversation (FEP-7888), owned by the author of the listing."""
    url = context_address(listing)
    owned = {"attributedTo": listing.author_actor}
    return ordered_collection(url, total, f"{url}?page=true") | owned


def context_page(listing: Listing, part: Part, query: str, *, is_first: bool) -> dict[str, Any]:
    """One page of the conversation, in the order in which it went; the listing opens it."""
    url = context_address(listing)
    opening = [listing.uri] if is_first else []
    items = [*opening, *(one.uri for one in part.answers)]
    return ordered_page(f"{url}?{query}", url, items, f"{url}{part.more}" if part.more else None)
