"""Keys in the forms ActivityPub uses; weak and foreign ones are refused (S31; FEP-521a)."""

from contextlib import suppress
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from activitypub import keys
from activitypub.errors import SignatureRefused
from tests.activitypub.vectors import unhurried, vector

CASES = vector("fep/fep-521a.json")["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["type"])
def test_multikeys_are_read_as_fep_521a_says(case: dict[str, Any]) -> None:
    key = keys.public_from_multibase(case["multikey"]["publicKeyMultibase"])
    if isinstance(key, Ed25519PublicKey):
        assert key.public_bytes_raw().hex() == case["public_key_hex"]
        assert keys.public_to_multibase(key) == case["multikey"]["publicKeyMultibase"]
    else:
        written = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        assert written.hex() == case["public_key_hex"]


def test_our_own_keys_come_back_from_their_pem() -> None:
    for key in (keys.generate_rsa(), keys.generate_ed25519()):
        again = keys.private_from_pem(keys.private_to_pem(key))
        assert keys.public_to_pem(again.public_key()) == keys.public_to_pem(key.public_key())
        assert keys.public_from_pem(keys.public_to_pem(key.public_key())) == key.public_key()


def test_an_rsa_key_in_pkcs1_form_is_read() -> None:
    public = keys.generate_rsa().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1).decode()
    assert keys.public_from_pem(pem) == public


def test_weak_and_foreign_keys_are_refused() -> None:
    short = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505 - that it is weak is the point
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    small_exponent = rsa.RSAPublicNumbers(3, keys.generate_rsa().public_key().public_numbers().n).public_key()
    for foreign in (short, curve, small_exponent):
        pem = foreign.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(SignatureRefused):
            keys.public_from_pem(pem.decode())


@pytest.mark.parametrize(
    "text", ["", "z", "zé", "z0OIl", "u7QE", "z6Mk", "z" * 5000, CASES[0]["multikey"]["publicKeyMultibase"][:-2]]
)
def test_what_is_no_multikey_is_refused(text: str) -> None:
    with pytest.raises(SignatureRefused):
        keys.public_from_multibase(text)


@pytest.mark.parametrize("text", ["", "é", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "x" * 9000])
def test_what_is_no_pem_is_refused(text: str) -> None:
    with pytest.raises(SignatureRefused):
        keys.public_from_pem(text)


@unhurried
@given(st.binary(max_size=64))
def test_no_multikey_raises_anything_but_a_refusal(raw: bytes) -> None:
    for prefix in (b"", b"\xed\x01", b"\x85\x24"):
        text = "z" + base58.b58encode(prefix + raw).decode()
        with suppress(SignatureRefused):
            keys.public_from_multibase(text)
