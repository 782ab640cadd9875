"""Who signed a request: reads the claim in either dialect, and verifies it with the key that the claim names."""

from datetime import datetime
from functools import lru_cache

from activitypub.errors import MalformedUrl, SignatureRefused
from activitypub.identifiers import Origin, Url, UrlRules
from activitypub.keys import VerificationKey
from activitypub.signatures import draft_cavage, rfc9421
from activitypub.signatures.algorithms import check_strength
from activitypub.signatures.authentic import Authentic, Proof, _sealed
from activitypub.signatures.message import Claim, Request, SignatureLimits, at, check_window


def read_signature(request: Request) -> Claim:
    """What the request's signature claims, in the dialect it is written in: RFC 9421 has a Signature-Input.

    Raises SignatureRefused when there is none (S20), or one that is broken or covers too little (S21, S23, S27, S33);
    with the codes duplicate_header, duplicate_parameter and duplicate_component the request itself is bad (400).
    """
    if "signature-input" in request.fields:
        return rfc9421.read(request)
    return draft_cavage.read(request)


def check_claim(request: Request, claim: Claim, origin: Origin, now: datetime, limits: SignatureLimits) -> None:
    """All that can be refused before the key is there, and so before it is fetched (attack S16).

    ``origin`` is our own configured one (S28). Raises SignatureRefused for another host, a wrong digest (S22, S34), or
    an instant outside the window (S24, S32).
    """
    _check(request, claim, origin, now, limits)


def verify(
    request: Request, claim: Claim, key: VerificationKey, origin: Origin, now: datetime, limits: SignatureLimits
) -> Authentic:
    """The proved sender: the owner of the key. Raises SignatureRefused. Whether the owner is also the actor of what the
    body says is for activitypub.origin to check (S29)."""
    if claim.key_id != key.key_id:
        raise SignatureRefused("wrong_key", "The signature names another key.")
    signed_at = _check(request, claim, origin, now, limits)
    check_strength(key.public_key)
    key.check_alive(now)
    if claim.kind is Proof.RFC_9421:
        proved = rfc9421.proves(request, claim, key.public_key, origin)
    else:
        proved = draft_cavage.proves(request, claim, key.public_key)
    if not proved:
        raise SignatureRefused("signature_wrong", "The signature does not match the request.")
    return _sealed(owner_url(key), key.key_id, claim.kind, at(signed_at))


def _check(request: Request, claim: Claim, origin: Origin, now: datetime, limits: SignatureLimits) -> int:
    """Checks all but the signature itself; when it was signed, in seconds since 1970."""
    rfc = claim.kind is Proof.RFC_9421
    instants = (claim.created or 0,) if rfc else draft_cavage.instants(request, claim)
    for instant in instants:
        check_window(claim, instant, now, limits)
    (rfc9421 if rfc else draft_cavage).check(request, claim, origin)
    return instants[-1]


def owner_url(key: VerificationKey) -> Url:
    """The owner as a Url. Its text was vetted by the instance's own rules when the key was fetched."""
    return _parsed(key.owner)


@lru_cache(maxsize=4096)
def _parsed(owner: str) -> Url:
    try:
        return UrlRules(loopback=True).parse(owner)
    except MalformedUrl as error:
        raise SignatureRefused("key_owner", error.sentence) from None
