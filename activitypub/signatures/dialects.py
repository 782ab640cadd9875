"""The two ways to sign a request, and signing in either."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from activitypub.identifiers import Url
from activitypub.keys import SigningKey
from activitypub.signatures.draft_cavage import sign_draft_cavage
from activitypub.signatures.message import NO_HEADERS
from activitypub.signatures.rfc9421 import sign_rfc9421


class Dialect(StrEnum):
    """The two kinds of request signatures."""

    DRAFT_CAVAGE = "draft-cavage"
    RFC_9421 = "rfc9421"

    @property
    def other(self) -> "Dialect":
        return Dialect.RFC_9421 if self is Dialect.DRAFT_CAVAGE else Dialect.DRAFT_CAVAGE


FIRST = Dialect.DRAFT_CAVAGE  # read by everybody; some take the other without reading it, and lose what it brings

_SIGN = {Dialect.DRAFT_CAVAGE: sign_draft_cavage, Dialect.RFC_9421: sign_rfc9421}


def sign_request(
    dialect: Dialect,
    method: str,
    url: Url,
    body: bytes | None,
    key: SigningKey,
    now: datetime,
    more: Mapping[str, str] = NO_HEADERS,
) -> dict[str, str]:
    """The headers to add to a request, names in lower case. ``more`` are headers to be sent and signed too."""
    return _SIGN[dialect](method, url, body, key, now, more)
