"""A public reply is found by the servers of others, each reading the listing as its software does."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.recorded.town import SERVERS, Server, Town

pytestmark = pytest.mark.anyio


async def fetched(town: Town, url: str) -> Any:
    answer = await town.get(url)
    assert answer.status_code == 200
    return answer.json()


async def read_by_mastodon(town: Town, note: Any) -> list[str]:
    """FetchRepliesService: the items of the first page, which may be inside; 4.5 goes on to the next pages."""
    page = note["replies"]["first"]
    items = list(page["items"])
    while "next" in page:
        page = await fetched(town, page["next"])
        items += page["items"]
    return items


async def read_by_gotosocial(town: Town, note: Any) -> list[str]:
    """DereferenceStatusDescendants: a Collection whose first page must stand inside, and have items there."""
    replies = note["replies"]
    assert (replies["type"], replies["first"]["type"]) == ("Collection", "CollectionPage")
    return list(replies["first"]["items"])


async def read_by_mitra(town: Town, note: Any) -> list[str]:
    """FEP-f228: the collection that ``context`` names, which must belong to the note's author, oldest first."""
    found = await fetched(town, note["context"])
    assert (found["id"], found["type"]) == (note["context"], "OrderedCollection")
    assert found["attributedTo"] == note["attributedTo"]
    opening, *items = (await fetched(town, found["first"]))["orderedItems"]
    assert opening == note["id"]
    return items


READERS: tuple[Callable[[Town, Any], Awaitable[list[str]]], ...] = (read_by_mastodon, read_by_gotosocial, read_by_mitra)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
async def test_who_reads_a_listing_finds_the_public_replies_of_all_servers(
    town: Town, read: Callable[[Town, Any], Awaitable[list[str]]]
) -> None:
    listing = await town.list_something(people=5)
    note = await fetched(town, listing.uri)
    assert await read(town, note) == []
    for name in SERVERS:
        assert await town.bring(town.servers[name], "public_reply", listing) == 202
    carol = town.servers["mastodon_4_5"]
    assert await town.bring(carol, "private_reply", listing) == 202
    written = [_reply_of(town.servers[name]) for name in SERVERS]
    assert await read(town, await fetched(town, listing.uri)) == written

    assert await town.bring(carol, "delete_reply", listing) == 202
    assert await read(town, await fetched(town, listing.uri)) == [uri for uri in written if uri != _reply_of(carol)]


def _reply_of(server: Server) -> str:
    return str(server.requests["public_reply"]["body"]["object"]["id"])
