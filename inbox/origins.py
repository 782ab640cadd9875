"""Asks an actor's own server for an activity that somebody else carried here, seldom and only so often per host."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from activitypub.errors import FetchFailed
from activitypub.identifiers import Url
from activitypub.keys import SigningKey
from activitypub.signatures.authentic import Authentic, found_at_origin
from inbox.limits import InboxLimits
from inbox.memory import Counter
from inbox.newcomers import Newcomers
from inbox.ports import Clock, Fetcher

MINUTE_SECONDS = 60


@dataclass(frozen=True)
class AtOrigin:
    """An activity as the server of its address gave it."""

    address: Url
    body: bytes
    fetched_at: datetime

    def author(self, actor: Url) -> Authentic:
        """Its actor, who is of the same origin and so is spoken for by it."""
        return found_at_origin(actor, self.address, self.fetched_at)


class Origins:
    """What a carrier names is what strangers choose, so no host is asked often because of it (attacks S16, S46)."""

    def __init__(
        self,
        client: Fetcher,
        signer: Callable[[], SigningKey],
        limits: InboxLimits,
        clock: Clock,
        newcomers: Newcomers,
    ) -> None:
        self._client = client
        self._signer = signer
        self._limits = limits
        self._clock = clock
        self._newcomers = newcomers
        self._asked = Counter(clock, seconds=MINUTE_SECONDS, entries_max=limits.memory_entries_max)

    async def ask(self, address: Url) -> AtOrigin:
        """The activity at its own address. Raises FetchFailed; MailRefused when its domain has too many new hosts."""
        self._newcomers.admit(address.origin)
        if self._asked.add(address.origin.netloc) > self._limits.origin_fetches_per_host_per_minute_max:
            sentence = "This server was asked often enough for activities that others carried here."
            raise FetchFailed("too_many", sentence, permanent=False)
        fetched_at = self._clock.now()
        document = (await self._client.fetch(address.text, self._signer())).document
        return AtOrigin(address, json.dumps(document, ensure_ascii=False).encode(), fetched_at)
