"""Finds the key a sender names: remembered, stored, or fetched from its owner's own document, seldom and one by one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog

from activitypub.documents import link, parse_actor
from activitypub.errors import FetchFailed, ProtocolError, SignatureRefused
from activitypub.identifiers import Url, UrlRules, same_origin
from activitypub.keys import SigningKey, VerificationKey
from inbox.limits import InboxLimits
from inbox.memory import Counter, Memory
from inbox.newcomers import Newcomers
from inbox.ports import Clock, Correspondents, Fetcher
from inbox.refusal import MailRefused

_log = structlog.get_logger()


@dataclass
class _Turn:
    """Whose turn it is to fetch from one host, and how many requests wait for theirs."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiters: int = 0


class Keyring:
    """The keys of senders. What it fetches, strangers choose; so it fetches little (attacks S16, S17).

    One fetch at a time per host. A host that was asked in vain too often is left alone for a while, and so is a
    key that is not there. A key is fetched again only when it is old, and only so often.
    """

    def __init__(
        self,
        correspondents: Correspondents,
        client: Fetcher,
        signer: Callable[[], SigningKey],
        rules: UrlRules,
        limits: InboxLimits,
        clock: Clock,
        newcomers: Newcomers,
    ) -> None:
        self._correspondents = correspondents
        self._client = client
        self._signer = signer
        self._rules = rules
        self._limits = limits
        self._clock = clock
        self._newcomers = newcomers
        pause, kept = limits.negative_cache_seconds, limits.negative_cache_entries_max
        self._keys: Memory[VerificationKey] = Memory(
            clock, seconds=limits.key_memory_seconds, entries_max=limits.key_cache_entries_max
        )
        self._absent: Memory[bool] = Memory(clock, seconds=pause, entries_max=kept)
        self._vain = Counter(clock, seconds=pause, entries_max=kept)
        self._renewed: Memory[bool] = Memory(clock, seconds=limits.key_refetch_seconds, entries_max=kept)
        self._turns: dict[str, _Turn] = {}

    async def known(self, key_id: str) -> VerificationKey | None:
        """The key, if we have met its owner; nothing is fetched, unless the key is so old that it must be asked for."""
        key = self._keys.get(key_id) or await self._stored(key_id)
        if key is None or self._age_seconds(key) < self._limits.key_fresh_seconds:
            return key
        return await self.renew(key) or key

    async def fetch(self, key_id: Url) -> VerificationKey:
        """The key of somebody we have not met. Raises FetchFailed, SignatureRefused for one that its owner does not
        claim, or another ProtocolError; MailRefused when too many wait, or too many hosts of its domain are new."""
        host = key_id.origin.netloc
        async with self._turn(host):
            already = self._keys.get(key_id.text)
            if already is not None:
                return already
            if self._absent.get(key_id.text) or self._vain.count(host) >= self._limits.vain_fetches_per_host_max:
                sentence = "The key could not be fetched a short while ago; it will be tried again later."
                raise FetchFailed("key_unavailable", sentence, permanent=False)
            self._newcomers.admit(key_id.origin)
            return await self._fetch(key_id)

    async def renew(self, key: VerificationKey) -> VerificationKey | None:
        """A newer key in place of one that is old or did not verify; None when there is none or it is too early."""
        url = self._rules.parse(key.key_id)
        async with self._turn(url.origin.netloc):
            known = self._keys.get(key.key_id)
            if known is None or known.fetched_at <= key.fetched_at:
                known = await self._stored(key.key_id)
            if known is not None and known.fetched_at > key.fetched_at:
                return known
            if self._age_seconds(key) < self._limits.key_refetch_seconds or self._renewed.get(key.key_id):
                return None
            self._renewed.put(key.key_id, True)
            return await self._fetch_or_none(url)

    def was_in_vain(self, key_id: Url) -> None:
        """A key was fetched for a message that it then did not verify: somebody may be using us against its host."""
        self._vain.add(key_id.origin.netloc)

    async def _stored(self, key_id: str) -> VerificationKey | None:
        key = await asyncio.to_thread(self._correspondents.key, key_id)
        if key is not None:
            self._keys.put(key_id, key)
        return key

    async def _fetch_or_none(self, url: Url) -> VerificationKey | None:
        try:
            return await self._fetch(url)
        except ProtocolError as error:
            _log.info("inbox.key_not_renewed", key=url.text, code=error.code)
            return None

    async def _fetch(self, key_id: Url) -> VerificationKey:
        try:
            key = await self._fetch_claimed(key_id)
        except ProtocolError as error:
            self._vain.add(key_id.origin.netloc)
            # A server that starts anew answers the next time; how often it is asked is bounded by the line above.
            if not isinstance(error, FetchFailed) or error.permanent:
                self._absent.put(key_id.text, True)
            raise
        self._keys.put(key.key_id, key)
        return key

    async def _fetch_claimed(self, key_id: Url) -> VerificationKey:
        """The key as its owner's own document claims it (attack S30); the owner is remembered.

        An actor lists keys of its own origin only, so one that lists this key is of the key's origin.
        """
        fetched_at = self._clock.now()
        document = await self._document(key_id.without_fragment)
        owner = _owner_of_key_document(document)
        if owner is not None:
            document = await self._document(_of_origin(self._rules.parse(owner), key_id).without_fragment)
        actor = parse_actor(document, self._rules, fetched_at, self._limits.documents)
        key = next((key for key in actor.keys if key.key_id == key_id.text), None)
        if key is None:
            raise SignatureRefused("key_unclaimed", "The document of the key's owner does not list this key.")
        await asyncio.to_thread(self._correspondents.remember, document)
        return key

    async def _document(self, url: str) -> Mapping[str, Any]:
        return (await self._client.fetch(url, self._signer())).document

    def _age_seconds(self, key: VerificationKey) -> float:
        return (self._clock.now() - key.fetched_at).total_seconds()

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        turn = self._turns.setdefault(host, _Turn())
        if turn.waiters >= self._limits.fetch_waiters_per_host_max:
            sentence = "Too many letters wait for keys of this server; please come back later."
            raise MailRefused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", sentence, self._limits.come_back_seconds)
        turn.waiters += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.waiters -= 1
            if not turn.waiters:
                del self._turns[host]


def _owner_of_key_document(document: Mapping[str, Any]) -> str | None:
    """The owner that a key in a document of its own names; None for the document of an actor."""
    if "inbox" in document:
        return None
    return link(document.get("owner")) or link(document.get("controller"))


def _of_origin(url: Url, key_id: Url) -> Url:
    if not same_origin(url, key_id):
        raise SignatureRefused("key_origin", "A key and its owner must be of the same origin.")
    return url
