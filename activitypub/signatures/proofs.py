"""Proofs inside documents: FEP-8b32 with the suite eddsa-jcs-2022 (W3C Data Integrity EdDSA, RFC 8785)."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import base58
import orjson
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from activitypub.errors import SignatureRefused
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey, VerificationKey
from activitypub.signatures.authentic import Authentic, Proof, _sealed
from activitypub.strict_json import INTEGER_MAX

SUITE = "eddsa-jcs-2022"
PURPOSE = "assertionMethod"
CLOCK_AHEAD_MAX = timedelta(minutes=5)
PROOF_VALUE_CHARACTERS_MAX = 128
_FIXED = {"type": "DataIntegrityProof", "cryptosuite": SUITE, "proofPurpose": PURPOSE}
_OPTIONS = frozenset({*_FIXED, "@context", "verificationMethod", "created", "expires", "proofValue"})
_ANY_URL = UrlRules(loopback=True)  # a stored owner was parsed when its document was read


def canonical(document: Mapping[str, Any]) -> bytes:
    """The document's JCS form (RFC 8785). Raises SignatureRefused for numbers or strings that have none."""
    plain = dict(document)
    try:
        return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS) if _is_plain(plain) else rfc8785.dumps(plain)
    except (rfc8785.CanonicalizationError, orjson.JSONEncodeError, UnicodeError, RecursionError):
        raise SignatureRefused("proof_canonical", "The document has no canonical form.") from None


def _is_plain(value: object) -> bool:
    """Whether orjson, fifty times as fast, writes exactly what RFC 8785 asks for.

    It sorts names by code points where JCS sorts by UTF-16, and writes fractions differently.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(type(name) is str and name.isascii() and _is_plain(member) for name, member in value.items())
    return isinstance(value, int) and -INTEGER_MAX <= value <= INTEGER_MAX


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


def read_proof(document: Mapping[str, Any], now: datetime) -> str | None:
    """The id of the key that the document's proof names; None for a document without a proof.

    Refuses all that can be refused before the key is there (attacks S16, S38): another suite or purpose, options that
    are not known, a proof from the future or one that has expired. Raises SignatureRefused.
    """
    proof = _proof_of(document)
    if proof is None:
        return None
    _check_options(proof, document, now)
    method = proof.get("verificationMethod")
    if not isinstance(method, str):
        raise SignatureRefused("proof_options", "The proof does not say which key made it.")
    return method


def verify_proof(document: Mapping[str, Any], key: VerificationKey, now: datetime) -> Authentic:
    """The signer, if this key made the document's proof over all of it (attack S38). Raises SignatureRefused.

    What is verified is the document as received without ``proof`` (and without a linked data ``signature``,
    which is added after the proof and never acted on). The code is proof_invalid when only the key can be at fault.
    """
    proof = _proof_of(document)
    if proof is None:
        raise SignatureRefused("proof_missing", "The document carries no proof.")
    created = _check_options(proof, document, now)
    public_key = _key_for_proofs(proof, key, now)
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    bare = {name: value for name, value in document.items() if name not in ("proof", "signature")}
    try:
        public_key.verify(_signature_of(proof), _signed_bytes(bare, options))
    except InvalidSignature:
        raise SignatureRefused("proof_invalid", "The proof does not verify.") from None
    return _sealed(_ANY_URL.parse(key.owner), key.key_id, Proof.FEP_8B32, created)


def _proof_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The one proof; FEP-8b32 advises against several, and of several it would be unclear who says what."""
    found = document.get("proof")
    if found is not None and not isinstance(found, Mapping):
        raise SignatureRefused("proof_malformed", "A proof must be one object.")
    return found


def _signed_bytes(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(document)).digest()


def _check_options(proof: Mapping[str, Any], document: Mapping[str, Any], now: datetime) -> datetime:
    """Everything but key and signature; when the proof was created."""
    for name, value in _FIXED.items():
        if proof.get(name) != value:
            raise SignatureRefused("proof_options", f"The proof's {name} is not accepted.")
    if not proof.keys() <= _OPTIONS:
        raise SignatureRefused("proof_options", "The proof has options that are not known here.")
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise SignatureRefused("proof_options", "The proof's @context is not the document's.")
    created = _instant(proof, "created")
    if created - now > CLOCK_AHEAD_MAX:
        raise SignatureRefused("proof_options", "The proof was created in the future.")
    if "expires" in proof and _instant(proof, "expires") <= now:
        raise SignatureRefused("proof_expired", "The proof has expired.")
    return created


def _key_for_proofs(proof: Mapping[str, Any], key: VerificationKey, now: datetime) -> Ed25519PublicKey:
    if proof.get("verificationMethod") != key.key_id:
        raise SignatureRefused("proof_options", "The proof's verificationMethod is not accepted.")
    if not isinstance(key.public_key, Ed25519PublicKey) or not key.asserts:
        raise SignatureRefused("proof_key", "A proof needs an Ed25519 key that its owner keeps for assertions.")
    key.check_alive(now)
    return key.public_key


def _instant(proof: Mapping[str, Any], name: str) -> datetime:
    text = proof.get(name)
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) and len(text) < 40 else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise SignatureRefused("proof_options", f"The proof's {name} must be a date and time with its zone.")
    return instant.astimezone(UTC)


def _signature_of(proof: Mapping[str, Any]) -> bytes:
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z") or len(value) > PROOF_VALUE_CHARACTERS_MAX:
        raise SignatureRefused("proof_malformed", "The proof's value must be base58btc.")
    try:
        return base58.b58decode(value[1:])
    except ValueError:
        raise SignatureRefused("proof_malformed", "The proof's value cannot be read.") from None
