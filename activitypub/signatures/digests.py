"""Digests of a body: Digest (RFC 3230) and Content-Digest (RFC 9530), made and checked over the raw bytes."""

import binascii
import hashlib
from base64 import b64encode
from collections.abc import Mapping
from hmac import compare_digest

from activitypub.errors import SignatureRefused
from activitypub.signatures.structured import byte_sequences

DIGEST_CHARACTERS_MAX = 1024


def digest_of(body: bytes) -> str:
    """The value of a Digest header."""
    return f"SHA-256={b64encode(hashlib.sha256(body).digest()).decode('ascii')}"


def content_digest_of(body: bytes) -> str:
    """The value of a Content-Digest header."""
    return f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode('ascii')}:"


def check_digest(fields: Mapping[str, str], body: bytes) -> None:
    """Compares Digest with the body: exactly one SHA-256, other algorithms are ignored (attack S22)."""
    value = fields.get("digest", "")
    if len(value) > DIGEST_CHARACTERS_MAX:
        raise _malformed()
    pairs = [part.strip().partition("=") for part in value.split(",")]
    claimed = [encoded for algorithm, _, encoded in pairs if algorithm.lower() == "sha-256"]
    if len(claimed) != 1:
        raise SignatureRefused("digest_count", "There must be exactly one SHA-256 digest of the body.")
    _compare(_decoded(claimed[0]), hashlib.sha256(body).digest())


def check_content_digest(fields: Mapping[str, str], body: bytes) -> None:
    """Compares Content-Digest with the body: sha-256 or sha-512; where both stand, both must match (attack S34)."""
    value = fields.get("content-digest", "")
    if len(value) > DIGEST_CHARACTERS_MAX:
        raise _malformed()
    claimed = byte_sequences(value)
    known = [(claimed[name], name) for name in ("sha-256", "sha-512") if name in claimed]
    if not known:
        raise SignatureRefused("digest_count", "Content-Digest must hold a sha-256 or sha-512 digest.")
    for digest, name in known:
        _compare(digest, hashlib.new(name.replace("-", ""), body, usedforsecurity=True).digest())


def _compare(claimed: bytes, actual: bytes) -> None:
    if not compare_digest(claimed, actual):
        raise SignatureRefused("digest_mismatch", "The digest does not match the body.")


def _decoded(encoded: str) -> bytes:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        raise _malformed() from None


def _malformed() -> SignatureRefused:
    return SignatureRefused("digest_malformed", "The digest of the body cannot be read.")
