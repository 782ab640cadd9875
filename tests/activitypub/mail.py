"""Signed requests for the tests of signatures: how they are made here, and how they reach a verifier."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest

from activitypub.errors import SignatureRefused
from activitypub.identifiers import Origin, Url, UrlRules
from activitypub.keys import SigningKey, VerificationKey, generate_ed25519, generate_rsa
from activitypub.signatures import Authentic, Request, SignatureLimits, read_signature, verify

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HERE = Origin("https", "a.example", 443)
INBOX = UrlRules().parse("https://a.example/inbox")
BOB = "https://b.example/users/bob"
BODY = b'{"type":"Follow","actor":"https://b.example/users/bob"}'


@cache
def rsa_key() -> SigningKey:
    return SigningKey(f"{BOB}#main-key", BOB, generate_rsa())


@cache
def ed25519_key() -> SigningKey:
    return SigningKey(f"{BOB}#ed25519-key", BOB, generate_ed25519())


def public(key: SigningKey) -> VerificationKey:
    return VerificationKey(key.key_id, key.owner, key.private_key.public_key(), NOW)


def as_request(method: str, url: Url, body: bytes, headers: dict[str, str]) -> Request:
    return Request(method, url.target, tuple(headers.items()), body)


def with_header(request: Request, name: str, value: str) -> Request:
    """The request with one header set, in its place or at the end."""
    headers = dict(request.headers)
    headers[name] = value
    return replace(request, headers=tuple(headers.items()))


def without_header(request: Request, name: str) -> Request:
    return replace(request, headers=tuple(header for header in request.headers if header[0] != name))


def proved(request: Request, key: SigningKey, now: datetime = NOW, origin: Origin = HERE) -> Authentic:
    return verify(request, read_signature(request), public(key), origin, now, SignatureLimits())


def refused(request: Request, key: SigningKey, now: datetime = NOW, origin: Origin = HERE) -> str:
    """The code with which the request is refused; it must be."""
    with pytest.raises(SignatureRefused) as error:
        proved(request, key, now, origin)
    return error.value.code
