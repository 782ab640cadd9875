"""Followers collection synchronization (FEP-8fcf): do two servers agree on who of one follows somebody of the other?"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from activitypub.errors import SignatureRefused
from activitypub.identifiers import URL_CHARACTERS_MAX
from activitypub.signatures.draft_cavage import read_parameters

HEADER: Final = "collection-synchronization"
HEADER_CHARACTERS_MAX: Final = 2 * URL_CHARACTERS_MAX + 200
_DIGEST: Final = re.compile("[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Synchronization:
    """What a sender says of its followers at the receiver's server.

    collection  the id of the sender's followers collection
    url         where the part of it that lives at the receiver's server can be read
    digest      of that part, 64 hexadecimal digits
    """

    collection: str
    url: str
    digest: str

    def header(self) -> str:
        """The value of the Collection-Synchronization header."""
        return f'collectionId="{self.collection}", url="{self.url}", digest="{self.digest}"'


def digest_of(followers: Iterable[str]) -> str:
    """The partial follower collection digest: the SHA-256 digests of the ids, all combined by exclusive or."""
    combined = 0
    for follower in set(followers):
        combined ^= int.from_bytes(hashlib.sha256(follower.encode("utf-8", "replace")).digest())
    return combined.to_bytes(32).hex()


def parse_header(value: str) -> Synchronization | None:
    """What the header says; None for one that cannot be read, which is then ignored as if it was not there."""
    if len(value) > HEADER_CHARACTERS_MAX:
        return None
    try:
        found = read_parameters(value)
    except SignatureRefused:
        return None
    digest = found.get("digest", "").lower()
    if not _DIGEST.fullmatch(digest) or not found.get("collectionId") or not found.get("url"):
        return None
    return Synchronization(found["collectionId"], found["url"], digest)
