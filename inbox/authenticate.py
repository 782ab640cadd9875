"""Decides who sent a letter: from a signature, a proof or the sender's own server to an Authentic sender."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from activitypub import synchronization
from activitypub.documents import Activity, parse_activity, parse_json
from activitypub.errors import MalformedUrl, OriginMismatch, ProtocolError, SignatureRefused
from activitypub.identifiers import Origin, Url, UrlRules, same_origin
from activitypub.keys import VerificationKey
from activitypub.signatures import Claim, Request, SignatureLimits, check_claim, read_signature, verify
from activitypub.signatures.authentic import Authentic
from activitypub.signatures.proofs import read_proof, verify_proof
from inbox.keyring import Keyring
from inbox.limits import InboxLimits
from inbox.memory import Memory
from inbox.origins import Origins
from inbox.ports import Clock, Correspondents, Unwelcome
from inbox.refusal import MailRefused

NO_INBOX = ""  # where something is asked for and nothing is brought

# What a stranger may say of itself without being asked who it is: it goes, or it changed (attack S16).
_OF_ITSELF = frozenset({"Delete", "Update"})
_FAULTS_OF_KEY = frozenset({"proof_invalid", "proof_key", "key_expired"})  # another key may do better


@dataclass(frozen=True)
class Proved:
    """An activity whose sender is proved and is its actor (attack S29).

    body             the activity as it was proved: as it came in, or as its own server gave it
    synchronization  what the actor said and signed of its followers here (FEP-8fcf), empty for nothing
    """

    sender: Authentic
    activity: Activity
    body: bytes
    synchronization: str = ""


@dataclass(frozen=True)
class _Standing:
    """What was last heard about somebody."""

    unwelcome: Unwelcome | None


class Authenticator:
    """Checks in the order of cost: what the request itself shows, then keys we have, then what has to be fetched.

    Whoever carries a letter must sign the request, and mostly is its actor. For a forwarded one (ActivityPub 7.1.2) the
    actor is proved by a proof in it (FEP-8b32), else its own server is asked (attack S46). A linked data signature
    proves nothing here (attack S35). A proof that is there and wrong refuses the letter whoever carries it (S38).
    """

    def __init__(
        self,
        origin: Origin,
        rules: UrlRules,
        limits: InboxLimits,
        correspondents: Correspondents,
        keyring: Keyring,
        origins: Origins,
        clock: Clock,
    ) -> None:
        self._origin = origin
        self._rules = rules
        self._limits = limits
        self._signature_limits = SignatureLimits(clock_skew_seconds=limits.clock_skew_seconds)
        self._correspondents = correspondents
        self._keyring = keyring
        self._origins = origins
        self._clock = clock
        self._standings: Memory[_Standing] = Memory(
            clock, seconds=limits.block_memory_seconds, entries_max=limits.memory_entries_max
        )

    async def authenticate(self, request: Request) -> Proved | None:
        """Who sent it, and what; None for what is to be thanked for and forgotten: a stranger's farewell, a forwarded
        letter that its own server does not know, and whatever comes from an actor who is not to learn that nothing of
        theirs is taken.

        Raises ProtocolError or MailRefused.
        """
        claim = read_signature(request)
        key_id = self._key_url(claim.key_id)
        await self._refuse_host(key_id, request.target)
        key = await self._keyring.known(key_id.text)
        if key is not None:
            carrier = await self._verify_known(request, claim, key)
            return await self._prove(self._read(request.body), carrier, request, claim)
        self._check_claim(request, claim)
        activity = self._read(request.body)
        if not same_origin(activity.actor, key_id) and "proof" not in activity.raw:
            raise OriginMismatch("wrong_actor", "The key is not one of the actor's.")
        if _is_about_itself(activity):
            return None
        return await self._prove(activity, await self._verify_new(request, claim, key_id), request, claim)

    async def identify(self, request: Request, only: str = "", inbox: str = NO_INBOX) -> Authentic:
        """Who signed a request to read something, as carefully as for a letter.

        only   an origin: whoever is not of it is refused, and no other server is asked for a key
        inbox  whose door it is, where some may come in that are shut out elsewhere

        Raises ProtocolError or MailRefused.
        """
        claim = read_signature(request)
        key_id = self._key_url(claim.key_id)
        if only and str(key_id.origin) != only:
            raise OriginMismatch("wrong_actor", "The key is not one of the actor's.")
        await self._refuse_host(key_id, inbox)
        reader = await self._identify(request, claim, key_id)
        _refuse(await self._standing(reader.actor.text, inbox))
        return reader

    async def _identify(self, request: Request, claim: Claim, key_id: Url) -> Authentic:
        key = await self._keyring.known(key_id.text)
        if key is not None:
            return await self._verify_known(request, claim, key)
        self._check_claim(request, claim)
        return await self._verify_new(request, claim, key_id)

    def _key_url(self, named: str) -> Url:
        try:
            key_id = self._rules.parse(named)
        except MalformedUrl as error:
            raise SignatureRefused("key_id", error.sentence) from None
        if key_id.origin == self._origin:
            raise SignatureRefused("own_key", "Our own actors do not write to us over the wire.")
        return key_id

    async def _refuse_host(self, key_id: Url, inbox: str) -> None:
        """Before anything is fetched or computed. Whose key it is matters only where the host is not welcome."""
        unwelcome = await self._standing(str(key_id.origin), inbox)
        if unwelcome is not None:
            _refuse(await asyncio.to_thread(self._correspondents.unwelcome, key_id.without_fragment, inbox))

    async def _is_to_be_forgotten(self, actor: Url, inbox: str) -> bool:
        """Asked of each whom a letter comes from, as a key may be listed at another address than its owner's."""
        unwelcome = await self._standing(actor.text, inbox)
        if unwelcome is not None and unwelcome.silent:
            return True
        _refuse(unwelcome)
        return False

    async def _standing(self, who: str, inbox: str) -> Unwelcome | None:
        name = f"{inbox} {who}"
        known = self._standings.get(name)
        if known is None:
            known = _Standing(await asyncio.to_thread(self._correspondents.unwelcome, who, inbox))
            self._standings.put(name, known)
        return known.unwelcome

    def _read(self, body: bytes) -> Activity:
        return parse_activity(parse_json(body, self._limits.documents), self._rules, self._limits.documents)

    async def _prove(self, activity: Activity, carrier: Authentic, request: Request, claim: Claim) -> Proved | None:
        if await self._is_to_be_forgotten(carrier.actor, request.target):
            return None
        author = await self._author_by_proof(activity)
        if carrier.actor.text == activity.actor.text:
            said = request.fields.get(synchronization.HEADER, "") if synchronization.HEADER in claim.components else ""
            return Proved(carrier, activity, request.body, said)
        if await self._is_to_be_forgotten(activity.actor, request.target):
            return None  # nobody carries their letters past the block (S48)
        if author is not None:
            return Proved(author, activity, request.body)
        return await self._from_its_origin(activity)

    async def _author_by_proof(self, activity: Activity) -> Authentic | None:
        """Who made the letter's proof; None without one. Raises SignatureRefused for anybody but its actor (S38)."""
        named = read_proof(activity.raw, self._clock.now())
        if named is None:
            return None
        key_id = self._key_url(named)
        if not same_origin(key_id, activity.actor):
            raise SignatureRefused("proof_key", "The key of the proof is not one of the actor's.")
        key = await self._keyring.known(key_id.text)
        author = await (self._proved_by(activity, key) if key is not None else self._proved_by_new(activity, key_id))
        if author.actor.text != activity.actor.text:
            raise SignatureRefused("proof_key", "The key of the proof is not one of the actor's.")
        return author

    async def _proved_by(self, activity: Activity, key: VerificationKey) -> Authentic:
        try:
            return verify_proof(activity.raw, key, self._clock.now())
        except SignatureRefused as refused:
            newer = await self._keyring.renew(key) if refused.code in _FAULTS_OF_KEY else None
            if newer is None:
                raise
            return verify_proof(activity.raw, newer, self._clock.now())

    async def _proved_by_new(self, activity: Activity, key_id: Url) -> Authentic:
        key = await self._keyring.fetch(key_id)
        try:
            return verify_proof(activity.raw, key, self._clock.now())
        except SignatureRefused:
            self._keyring.was_in_vain(key_id)
            raise

    async def _from_its_origin(self, activity: Activity) -> Proved | None:
        """The forwarded activity as its actor's own server gives it, which then counts instead of what was carried.

        Who forwards with a linked data signature means well and, if refused, comes back sixteen times (Mastodon).
        """
        if activity.actor.origin == self._origin:
            raise OriginMismatch("own_actor", "Our own actors do not write to us over the wire.")
        try:
            return await self._asked_for(activity)
        except ProtocolError:
            if "signature" in activity.raw:
                return None
            raise _not_the_actor() from None

    async def _asked_for(self, activity: Activity) -> Proved:
        found = await self._origins.ask(activity.id)
        reread = self._read(found.body)
        if reread.id.text != activity.id.text or reread.actor.text != activity.actor.text:
            raise _not_the_actor()
        return Proved(found.author(reread.actor), reread, found.body)

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


def _refuse(unwelcome: Unwelcome | None) -> None:
    if unwelcome is not None:
        raise MailRefused(HTTPStatus.FORBIDDEN, unwelcome.code, unwelcome.sentence)


def _not_the_actor() -> OriginMismatch:
    return OriginMismatch("not_the_actor", "The signature is not the actor's.")
