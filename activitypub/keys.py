"""Keys: made, written and read in the forms ActivityPub uses (PEM for RSA; Multikey, FEP-521a, for Ed25519)."""

from dataclasses import dataclass
from datetime import datetime

import base58
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from activitypub.errors import SignatureRefused

RSA_BITS = 2048
RSA_BITS_MIN, RSA_BITS_MAX = 2048, 4096
RSA_EXPONENT = 65537
PEM_CHARACTERS_MAX = 8192
MULTIKEY_CHARACTERS_MAX = 1024
# multicodec prefixes, FEP-521a
_ED25519_PUBLIC = b"\xed\x01"
_RSA_PUBLIC = b"\x85\x24"

PublicKey = rsa.RSAPublicKey | Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True)
class VerificationKey:
    """Somebody's public key, as claimed by its owner's own document (attacks S30, S31).

    key_id      the key's URL
    owner       the id of the actor it speaks for
    public_key  RSA (2048 to 4096 bits) or Ed25519; the algorithm follows from the key, never from a message
    fetched_at  when we ourselves fetched it, UTC
    asserts     whether its owner keeps it for proofs in documents (assertionMethod), not only for requests
    expires_at  when it ceases to prove anything, UTC; None for a key without an end
    """

    key_id: str
    owner: str
    public_key: PublicKey
    fetched_at: datetime
    asserts: bool = True
    expires_at: datetime | None = None

    def check_alive(self, now: datetime) -> None:
        """Raises SignatureRefused for a key whose time is over."""
        if self.expires_at is not None and self.expires_at <= now:
            raise SignatureRefused("key_expired", "The key has expired.")


@dataclass(frozen=True)
class SigningKey:
    """One of our own keys: ``key_id`` is the URL under which its public half is published."""

    key_id: str
    owner: str
    private_key: PrivateKey


def generate_rsa() -> rsa.RSAPrivateKey:
    """A new RSA-2048 key; takes about 50 ms of CPU, so never on the event loop."""
    return rsa.generate_private_key(RSA_EXPONENT, RSA_BITS)


def generate_ed25519() -> Ed25519PrivateKey:
    """A new Ed25519 key."""
    return Ed25519PrivateKey.generate()


def private_to_pem(key: PrivateKey) -> str:
    """PKCS#8 PEM, unencrypted, for storing."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def private_from_pem(pem: str) -> PrivateKey:
    """A key that we made and stored ourselves, so its RSA parameters are not checked again (38 ms each)."""
    key = serialization.load_pem_private_key(pem.encode("ascii"), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey | Ed25519PrivateKey):
        raise TypeError("a stored key is neither RSA nor Ed25519")
    return key


def public_to_pem(key: PublicKey) -> str:
    """SubjectPublicKeyInfo PEM, as in ``publicKeyPem``."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def public_from_pem(pem: str) -> PublicKey:
    """A stranger's ``publicKeyPem``. Raises SignatureRefused for weak or foreign kinds of keys."""
    if len(pem) > PEM_CHARACTERS_MAX:
        raise SignatureRefused("key_malformed", f"A public key may have at most {PEM_CHARACTERS_MAX} characters.")
    try:
        key = serialization.load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnicodeEncodeError, UnsupportedAlgorithm):
        raise SignatureRefused("key_malformed", "The public key is not a readable PEM key.") from None
    return _accepted(key)


def _accepted(key: object) -> PublicKey:
    if isinstance(key, rsa.RSAPublicKey):
        return _strong_rsa(key)
    if isinstance(key, Ed25519PublicKey):
        return key
    raise SignatureRefused("key_kind", "Only RSA and Ed25519 keys are accepted.")


def _strong_rsa(key: rsa.RSAPublicKey) -> rsa.RSAPublicKey:
    exponent = key.public_numbers().e
    if not RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX or exponent < RSA_EXPONENT or exponent % 2 == 0:
        raise SignatureRefused("key_weak", f"An RSA key must have {RSA_BITS_MIN} to {RSA_BITS_MAX} bits.")
    return key


def public_to_multibase(key: Ed25519PublicKey) -> str:
    """``publicKeyMultibase``: z, base58btc, multicodec prefix (FEP-521a)."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return "z" + base58.b58encode(_ED25519_PUBLIC + raw).decode("ascii")


def public_from_multibase(text: str) -> PublicKey:
    """Reads ``publicKeyMultibase``. Raises SignatureRefused for anything but Ed25519 or RSA (PKCS#1) in base58btc."""
    if not text.startswith("z") or len(text) > MULTIKEY_CHARACTERS_MAX:
        raise SignatureRefused("key_malformed", "A Multikey must be base58btc and start with z.")
    try:
        raw = base58.b58decode(text[1:])
        if raw[:2] == _ED25519_PUBLIC:
            return Ed25519PublicKey.from_public_bytes(raw[2:])
        if raw[:2] == _RSA_PUBLIC:
            return _accepted(serialization.load_der_public_key(raw[2:]))
    except (ValueError, UnsupportedAlgorithm):
        raise SignatureRefused("key_malformed", "The Multikey cannot be read.") from None
    raise SignatureRefused("key_kind", "Only Ed25519 and RSA Multikeys are accepted.")
