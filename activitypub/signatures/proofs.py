"""Proofs inside documents: FEP-8b32 with the suite eddsa-jcs-2022 (W3C Data Integrity EdDSA, RFC 8785)."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import base58
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from activitypub.errors import SignatureRefused
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey, VerificationKey
from activitypub.signatures.authentic import Authentic, Proof, _sealed

SUITE = "eddsa-jcs-2022"
PURPOSE = "assertionMethod"
CLOCK_AHEAD_MAX = timedelta(minutes=5)
PROOF_VALUE_CHARACTERS_MAX = 128
_OPTIONS = frozenset({"@context", "type", "cryptosuite", "verificationMethod", "proofPurpose", "created", "proofValue"})
_ANY_URL = UrlRules(loopback=True)  # a stored owner was parsed when its document was read


def canonical(document: Mapping[str, Any]) -> bytes:
    """The document's JCS form (RFC 8785). Raises SignatureRefused for numbers or strings that have none."""
    try:
        return rfc8785.dumps(dict(document))
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        raise SignatureRefused("proof_canonical", "The document has no canonical form.") from None


def digest(document: Mapping[str, Any]) -> str:
    """``sha256:`` and the hex digest of the canonical form: a document's fingerprint."""
    return "sha256:" + hashlib.sha256(canonical(document)).hexdigest()


def add_proof(document: Mapping[str, Any], key: SigningKey, created: datetime) -> dict[str, Any]:
    """The document with a proof by an Ed25519 key; ``created`` is kept to the second.

    The proof repeats the document's ``@context``, as the suite asks.
    """
    if not isinstance(key.private_key, Ed25519PrivateKey):
        raise TypeError("proofs are made with Ed25519 keys")
    options: dict[str, Any] = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "verificationMethod": key.key_id,
        "proofPurpose": PURPOSE,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if "@context" in document:
        options = {"@context": document["@context"], **options}
    bare = {name: value for name, value in document.items() if name != "proof"}
    signature = key.private_key.sign(_signed_bytes(bare, options))
    value = "z" + base58.b58encode(signature).decode("ascii")
    return {**bare, "proof": {**options, "proofValue": value}}


def verify_proof(document: Mapping[str, Any], key: VerificationKey, now: datetime) -> Authentic:
    """The signer, if this key made the document's proof over all of it (attack S38). Raises SignatureRefused.

    What is verified is the document as received without ``proof`` (and without a linked data ``signature``,
    which is added after the proof and never acted on).
    """
    proof = document.get("proof")
    if not isinstance(proof, Mapping):
        raise SignatureRefused("proof_missing", "The document carries no proof.")
    created = _check_options(proof, document, key, now)
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    bare = {name: value for name, value in document.items() if name not in ("proof", "signature")}
    assert isinstance(key.public_key, Ed25519PublicKey)  # noqa: S101 - _check_options refused any other
    try:
        key.public_key.verify(_signature_of(proof), _signed_bytes(bare, options))
    except InvalidSignature:
        raise SignatureRefused("proof_invalid", "The proof does not verify.") from None
    return _sealed(_ANY_URL.parse(key.owner), key.key_id, Proof.FEP_8B32, created)


def _signed_bytes(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(document)).digest()


def _check_options(
    proof: Mapping[str, Any], document: Mapping[str, Any], key: VerificationKey, now: datetime
) -> datetime:
    if not isinstance(key.public_key, Ed25519PublicKey):
        raise SignatureRefused("proof_key", "A proof needs an Ed25519 key.")
    wanted = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "proofPurpose": PURPOSE,
        "verificationMethod": key.key_id,
    }
    for name, value in wanted.items():
        if proof.get(name) != value:
            raise SignatureRefused("proof_options", f"The proof's {name} is not accepted.")
    if not proof.keys() <= _OPTIONS:
        raise SignatureRefused("proof_options", "The proof has options that are not known here.")
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise SignatureRefused("proof_options", "The proof's @context is not the document's.")
    return _created(proof.get("created"), now)


def _created(text: object, now: datetime) -> datetime:
    try:
        created = datetime.fromisoformat(text) if isinstance(text, str) and len(text) < 40 else None
    except ValueError:
        created = None
    if created is None or created.tzinfo is None:
        raise SignatureRefused("proof_options", "The proof must say when it was created.")
    if created - now > CLOCK_AHEAD_MAX:
        raise SignatureRefused("proof_options", "The proof was created in the future.")
    return created.astimezone(UTC)


def _signature_of(proof: Mapping[str, Any]) -> bytes:
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z") or len(value) > PROOF_VALUE_CHARACTERS_MAX:
        raise SignatureRefused("proof_malformed", "The proof's value must be base58btc.")
    try:
        return base58.b58decode(value[1:])
    except ValueError:
        raise SignatureRefused("proof_malformed", "The proof's value cannot be read.") from None
