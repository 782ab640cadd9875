"""Decides who sent a letter: from a signature to an Authentic sender who speaks for nobody else."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from activitypub.documents import Activity, parse_activity, parse_json
from activitypub.errors import MalformedUrl, OriginMismatch, SignatureRefused
from activitypub.identifiers import Origin, Url, UrlRules, same_origin
from activitypub.keys import VerificationKey
from activitypub.origin import check_sender
from activitypub.signatures import Claim, Request, SignatureLimits, check_claim, read_signature, verify
from activitypub.signatures.authentic import Authentic
from inbox.keyring import Keyring
from inbox.limits import InboxLimits
from inbox.memory import Memory
from inbox.ports import Clock, Correspondents
from inbox.refusal import MailRefused

# What a stranger may say of itself without being asked who it is: it goes, or it changed (attack S16).
_OF_ITSELF = frozenset({"Delete", "Update"})


@dataclass(frozen=True)
class Proved:
    """An activity whose sender is proved and is its actor (attack S29)."""

    sender: Authentic
    activity: Activity


class Authenticator:
    """Checks in the order of cost: what the request itself shows, then keys we have, then at most one fetch."""

    def __init__(
        self,
        origin: Origin,
        rules: UrlRules,
        limits: InboxLimits,
        correspondents: Correspondents,
        keyring: Keyring,
        clock: Clock,
    ) -> None:
        self._origin = origin
        self._rules = rules
        self._limits = limits
        self._signature_limits = SignatureLimits(clock_skew_seconds=limits.clock_skew_seconds)
        self._correspondents = correspondents
        self._keyring = keyring
        self._clock = clock
        self._blocked: Memory[bool] = Memory(
            clock, seconds=limits.block_memory_seconds, entries_max=limits.memory_entries_max
        )

    async def authenticate(self, request: Request) -> Proved | None:
        """Who sent it, and what; None for a stranger's farewell, which is to be thanked for and forgotten.

        Raises ProtocolError or MailRefused.
        """
        claim = read_signature(request)
        key_id = self._key_url(claim)
        await self._refuse_blocked(key_id.origin)
        key = await self._keyring.known(key_id.text)
        if key is not None:
            return self._prove(request, await self._verify_known(request, claim, key))
        self._check_claim(request, claim)
        activity = self._read(request)
        if not same_origin(activity.actor, key_id):
            raise OriginMismatch("wrong_actor", "The key is not one of the actor's.")
        if _is_about_itself(activity):
            return None
        return self._prove(request, await self._verify_new(request, claim, key_id))

    async def identify(self, request: Request, origin: str) -> Authentic:
        """Who signed a request that brings no letter, such as a GET, if it is somebody of this origin.

        Nothing is fetched from any other server. Raises ProtocolError or MailRefused.
        """
        claim = read_signature(request)
        key_id = self._key_url(claim)
        if str(key_id.origin) != origin:
            raise OriginMismatch("wrong_actor", "The key is not one of the actor's.")
        key = await self._keyring.known(key_id.text)
        if key is not None:
            return await self._verify_known(request, claim, key)
        self._check_claim(request, claim)
        return await self._verify_new(request, claim, key_id)

    def _key_url(self, claim: Claim) -> Url:
        try:
            key_id = self._rules.parse(claim.key_id)
        except MalformedUrl as error:
            raise SignatureRefused("key_id", error.sentence) from None
        if key_id.origin == self._origin:
            raise SignatureRefused("own_key", "Our own actors do not write to us over the wire.")
        return key_id

    async def _refuse_blocked(self, origin: Origin) -> None:
        blocked = self._blocked.get(origin.netloc)
        if blocked is None:
            blocked = await asyncio.to_thread(self._correspondents.is_blocked, origin.netloc)
            self._blocked.put(origin.netloc, blocked)
        if blocked:
            raise MailRefused(HTTPStatus.FORBIDDEN, "blocked", "Letters from this server are not taken here.")

    def _read(self, request: Request) -> Activity:
        document = parse_json(request.body, self._limits.documents)
        return parse_activity(document, self._rules, self._limits.documents)

    def _prove(self, request: Request, sender: Authentic) -> Proved:
        activity = self._read(request)
        check_sender(activity, sender)
        return Proved(sender, activity)

    async def _verify_known(self, request: Request, claim: Claim, key: VerificationKey) -> Authentic:
        try:
            return self._verify(request, claim, key)
        except SignatureRefused:
            self._check_claim(request, claim)  # when the fault is not the key's, no other key will help
            newer = await self._keyring.renew(key)
            if newer is None:
                raise
            return self._verify(request, claim, newer)

    async def _verify_new(self, request: Request, claim: Claim, key_id: Url) -> Authentic:
        key = await self._keyring.fetch(key_id)
        try:
            return self._verify(request, claim, key)
        except SignatureRefused:
            self._keyring.was_in_vain(key_id)
            raise

    def _check_claim(self, request: Request, claim: Claim) -> None:
        check_claim(request, claim, self._origin, self._clock.now(), self._signature_limits)

    def _verify(self, request: Request, claim: Claim, key: VerificationKey) -> Authentic:
        return verify(request, claim, key, self._origin, self._clock.now(), self._signature_limits)


def _is_about_itself(activity: Activity) -> bool:
    return activity.type in _OF_ITSELF and activity.object_id == activity.actor.text
