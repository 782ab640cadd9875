"""Reads a stranger's collection page by page, as far as the limits allow (attack S14)."""

from activitypub.client.fetch import Client
from activitypub.collections import LIMITS, CollectionLimits, Reading, begin, go_on
from activitypub.errors import FetchFailed, MalformedDocument
from activitypub.keys import SigningKey


async def read_collection(
    client: Client, url: str, signer: SigningKey | None = None, limits: CollectionLimits = LIMITS
) -> Reading:
    """What stands in the collection at ``url``; its ``next`` is None, whether it ended or a limit was reached.

    Raises only FetchFailed. The caller bounds the time that it may take as a whole.
    """
    fetched = await client.fetch(url, signer)
    try:
        reading = begin(fetched.document, fetched.url, client.rules, limits)
        while reading.next is not None:
            page = await client.fetch(reading.next.text, signer)
            reading = go_on(reading, page.document, client.rules, limits)
    except MalformedDocument as error:
        raise FetchFailed(error.code, error.sentence, permanent=True) from None
    return reading
