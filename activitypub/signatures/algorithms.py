"""Signing and checking bytes: the algorithm follows from the kind of key, never from a message (attack S31)."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from activitypub.errors import SignatureRefused
from activitypub.keys import RSA_BITS_MAX, RSA_BITS_MIN, PrivateKey, PublicKey

_PADDING = PKCS1v15()
_HASH = SHA256()


def sign_bytes(key: PrivateKey, base: bytes) -> bytes:
    """The signature: RSASSA-PKCS1-v1_5 with SHA-256 (about 300 us), or Ed25519 (about 35 us)."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(base, _PADDING, _HASH)
    return key.sign(base)


def is_valid(key: PublicKey, signature: bytes, base: bytes) -> bool:
    """Whether the key's owner made this signature over these bytes."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, base, _PADDING, _HASH)
        else:
            key.verify(signature, base)
    except InvalidSignature:
        return False
    return True


def check_strength(key: PublicKey) -> None:
    """Refuses an RSA key that is too short to prove anything, or so long that checking it costs too much."""
    if isinstance(key, rsa.RSAPublicKey) and not RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
        raise SignatureRefused("key_weak", f"An RSA key must have {RSA_BITS_MIN} to {RSA_BITS_MAX} bits.")


def check_named(
    algorithm: str | None, key: PublicKey, rsa_names: frozenset[str], ed25519_names: frozenset[str]
) -> None:
    """Refuses an algorithm that the message names and that is not the key's."""
    names = rsa_names if isinstance(key, rsa.RSAPublicKey) else ed25519_names
    if algorithm is not None and algorithm not in names:
        raise SignatureRefused("algorithm", "The named algorithm is not accepted for this key.")
