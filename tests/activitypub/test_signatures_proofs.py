"""FEP-8b32 with eddsa-jcs-2022: the vectors of the FEP, the W3C and RFC 8785, and every refusal by itself."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import base58
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from activitypub.errors import SignatureRefused
from activitypub.keys import SigningKey, VerificationKey, generate_rsa, public_from_multibase, public_to_multibase
from activitypub.signatures import Proof
from activitypub.signatures.proofs import _signed_bytes, add_proof, canonical, digest, read_proof, verify_proof
from activitypub.strict_json import parse_json
from tests.activitypub.vectors import VECTORS, unhurried, vector

ALICE = "https://server.example/users/alice"
CREATED = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FEP = vector("fep/fep-8b32.json")
W3C = VECTORS / "vc-di-eddsa" / "eddsa-jcs-2022"
MESSAGES: dict[str, dict[str, Any]] = vector("timebank/messages.json")
JCS_CASES = ("arrays", "french", "structures", "unicode", "values", "weird")


def secret_of(multibase: str) -> Ed25519PrivateKey:
    """A private key in the vectors' form: multicodec 0x1300, then 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(base58.b58decode(multibase[1:])[2:])


@cache
def alice() -> SigningKey:
    return SigningKey(f"{ALICE}#ed25519-key", ALICE, secret_of(FEP["ed25519_secret_key_multibase"]))


def public(key: SigningKey) -> VerificationKey:
    return VerificationKey(key.key_id, key.owner, key.private_key.public_key(), NOW)


def refused(document: dict[str, Any], key: VerificationKey | None = None, now: datetime = NOW) -> str:
    with pytest.raises(SignatureRefused) as error:
        verify_proof(document, key or public(alice()), now)
    return error.value.code


def signed(**changes: Any) -> dict[str, Any]:
    """The FEP's signed document with other options in its proof, signed anew over them."""
    document = {**FEP["unsigned"]}
    proof = {**FEP["signed"]["proof"], **changes}
    proof.pop("proofValue")
    key = alice().private_key
    assert isinstance(key, Ed25519PrivateKey)
    value = "z" + base58.b58encode(key.sign(_signed_bytes(document, proof))).decode()
    return {**document, "proof": {**proof, "proofValue": value}}


# Before the key is there


def test_the_key_that_a_proof_names_is_read_before_it_is_fetched() -> None:
    assert read_proof(FEP["signed"], NOW) == f"{ALICE}#ed25519-key"
    assert read_proof(FEP["unsigned"], NOW) is None


@pytest.mark.attack("S38")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"proofPurpose": "authentication"}, "proof_options"),
        ({"cryptosuite": "eddsa-rdfc-2022"}, "proof_options"),
        ({"verificationMethod": None}, "proof_options"),
        ({"verificationMethod": 7}, "proof_options"),
        ({"created": "2026-11-24T13:00:00Z"}, "proof_options"),
        ({"expires": "2020-01-01T00:00:00Z"}, "proof_expired"),
    ],
)
def test_s38_what_no_key_could_prove_is_refused_without_one(change: dict[str, Any], code: str) -> None:
    with pytest.raises(SignatureRefused) as error:
        read_proof(signed(**change), NOW)
    assert error.value.code == code


# The vectors


@pytest.mark.parametrize("name", JCS_CASES)
def test_the_cases_of_rfc_8785_come_out_byte_for_byte(name: str) -> None:
    """Some of them are no objects; the wire knows only objects, so they are wrapped in one."""
    folder = VECTORS / "rfc8785"
    value = json.loads((folder / "input" / f"{name}.json").read_text(encoding="utf-8"))
    wanted = bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text().replace("\n", " "))
    assert canonical({"a": value}) == b'{"a":' + wanted + b"}"


_plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@unhurried
@given(st.dictionaries(st.text(max_size=5), _plain_json, max_size=5))
def test_the_fast_way_to_the_canonical_form_ends_where_the_slow_one_does(document: dict[str, Any]) -> None:
    try:
        wanted = rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, UnicodeError):
        with pytest.raises(SignatureRefused):
            canonical(document)
    else:
        assert canonical(document) == wanted


def test_the_proof_of_fep_8b32_is_reproduced() -> None:
    assert add_proof(FEP["unsigned"], alice(), CREATED) == FEP["signed"]


def test_the_proof_of_fep_8b32_verifies() -> None:
    sender = verify_proof(FEP["signed"], public(alice()), NOW)
    assert (sender.actor.text, sender.key_id) == (ALICE, f"{ALICE}#ed25519-key")
    assert (sender.proof, sender.signed_at) == (Proof.FEP_8B32, CREATED)


def test_the_key_of_fep_8b32_is_read_from_its_actor() -> None:
    method = FEP["actor"]["assertionMethod"][0]
    key = VerificationKey(method["id"], method["controller"], public_from_multibase(method["publicKeyMultibase"]), NOW)
    assert verify_proof(FEP["signed"], key, NOW).actor.text == ALICE


def test_the_w3c_vector_is_reproduced_with_every_step_between() -> None:
    """Its key is a did:key, which nobody here fetches; the owner is the issuer of the credential."""
    did = json.loads((W3C / "proofConfigJCS.json").read_text())["verificationMethod"]
    document = vector("vc-di-eddsa/unsigned.json")
    key = SigningKey(
        did, "https://vc.example/issuers/5678", secret_of(vector("vc-di-eddsa/keyPair.json")["privateKeyMultibase"])
    )
    assert canonical(document).decode() == (W3C / "canonDocJCS.txt").read_text()
    assert digest(document) == "sha256:" + (W3C / "docHashJCS.txt").read_text()
    proof = json.loads((W3C / "proofConfigJCS.json").read_text())
    assert canonical(proof).decode() == (W3C / "proofCanonJCS.txt").read_text()
    assert digest(proof) == "sha256:" + (W3C / "proofHashJCS.txt").read_text()
    made = add_proof(document, key, CREATED)
    assert made == json.loads((W3C / "signedJCS.json").read_text())
    assert made["proof"]["proofValue"] == (W3C / "sigBTC58JCS.txt").read_text()
    both = digest(proof).removeprefix("sha256:") + digest(document).removeprefix("sha256:")
    assert both == (W3C / "combinedHashJCS.txt").read_text()
    assert base58.b58decode(made["proof"]["proofValue"][1:]).hex() == (W3C / "sigHexJCS.txt").read_text()
    assert verify_proof(made, public(key), NOW).signed_at == CREATED


@pytest.mark.attack("S38")
@pytest.mark.parametrize("folder", [".", "employ"])
def test_the_w3c_vector_of_another_suite_is_refused_though_its_signature_is_right(folder: str) -> None:
    """eddsa-rdfc-2022 canonicalises RDF, which nobody here does (attack S36)."""
    place = W3C.parent / "eddsa-rdfc-2022" / folder
    signed = json.loads((place / "signedDataInt.json").read_text())
    key = public_from_multibase(vector("vc-di-eddsa/keyPair.json")["publicKeyMultibase"])
    assert isinstance(key, Ed25519PublicKey)
    hashed = (place / "proofHashDataInt.txt").read_text() + (place / "docHashDataInt.txt").read_text()
    assert hashed == (place / "combinedHashDataInt.txt").read_text()
    assert hashlib.sha256((place / "canonDocDataInt.txt").read_bytes()).hexdigest() == hashed[64:]
    assert hashlib.sha256((place / "proofCanonDataInt.txt").read_bytes()).hexdigest() == hashed[:64]
    signature = base58.b58decode((place / "sigBTC58DataInt.txt").read_text()[1:])
    assert signature.hex() == (place / "sigHexDataInt.txt").read_text()
    key.verify(signature, bytes.fromhex(hashed))
    assert signed["proof"]["proofValue"] == (place / "sigBTC58DataInt.txt").read_text()
    assert refused(signed) == "proof_options"


def test_the_identity_proof_of_fep_c390_is_reproduced_and_verifies() -> None:
    """We neither make nor show such proofs; they are of the one suite that we take."""
    blocks = re.findall(r'"""\n(.*?)"""', (VECTORS / "fep" / "fep-c390.feature.txt").read_text(), re.DOTALL)
    claim, proved, actor = (json.loads(block) for block in blocks[:3])
    did, created = claim["subject"], datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
    key = SigningKey(did, ALICE, secret_of(vector("vc-di-eddsa/keyPair.json")["privateKeyMultibase"]))
    assert add_proof(claim, key, created) == proved
    assert verify_proof(actor["attachment"][0], public(key), NOW).signed_at == created


def ledger_key(message: dict[str, Any]) -> VerificationKey:
    keys = (MESSAGES["peering_offer"]["object"]["fa:key"], MESSAGES["peering_accept"]["result"]["fa:key"])
    found = next(key for key in keys if key["id"] == message["proof"]["verificationMethod"])
    return VerificationKey(found["id"], found["controller"], public_from_multibase(found["publicKeyMultibase"]), NOW)


@pytest.mark.parametrize("name", MESSAGES)
def test_each_really_signed_timebank_message_verifies(name: str) -> None:
    message = MESSAGES[name]
    assert verify_proof(message, ledger_key(message), NOW).actor.text == message["actor"]


@pytest.mark.parametrize("name", ["peering_accept", "accept"])
def test_an_offer_inside_an_accept_keeps_its_own_proof(name: str) -> None:
    offer = MESSAGES[name]["fa:offer"]
    assert verify_proof(offer, ledger_key(offer), NOW).actor.text == offer["actor"]


@pytest.mark.parametrize("name", MESSAGES)
def test_each_timebank_message_is_refused_with_one_letter_changed(name: str) -> None:
    message = json.loads(json.dumps(MESSAGES[name]))
    message["id"] = message["id"][:-1] + "X"
    assert refused(message, ledger_key(message)) == "proof_invalid"


# Round trips


def test_what_is_proved_here_verifies_here_after_a_journey() -> None:
    document = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{ALICE}/1",
        "content": "Grüße 🌱",
        "n": 1.5,
    }
    made = add_proof(document, alice(), NOW)
    arrived = parse_json(json.dumps(made).encode())
    assert verify_proof(arrived, public(alice()), NOW).signed_at == NOW
    assert "proof" not in document


def test_a_linked_data_signature_beside_the_proof_is_left_out() -> None:
    made = add_proof(FEP["unsigned"], alice(), NOW)
    assert verify_proof({**made, "signature": {"type": "RsaSignature2017"}}, public(alice()), NOW)


def test_a_document_that_has_a_proof_already_gets_a_new_one() -> None:
    again = add_proof(FEP["signed"], alice(), NOW)
    assert verify_proof(again, public(alice()), NOW).signed_at == NOW


def test_the_digest_does_not_depend_on_the_order_of_names() -> None:
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1}) != digest({"a": 1, "b": 2})


def test_a_proof_cannot_be_made_with_an_rsa_key() -> None:
    with pytest.raises(TypeError):
        add_proof({}, SigningKey("https://a.example/k", "https://a.example/u", generate_rsa()), NOW)


# What S38 refuses


@pytest.mark.attack("S38")
@pytest.mark.parametrize("change", [{"content": "Hello World"}, {"to": "x"}, {"actor": f"{ALICE}2"}])
def test_s38_a_changed_document_is_refused(change: dict[str, str]) -> None:
    assert refused({**FEP["signed"], **change}) == "proof_invalid"


@pytest.mark.attack("S38")
def test_s38_a_changed_value_of_the_proof_is_refused() -> None:
    value = FEP["signed"]["proof"]["proofValue"]
    other = value[:-1] + ("A" if value[-1] != "A" else "B")
    assert refused({**FEP["signed"], "proof": {**FEP["signed"]["proof"], "proofValue": other}}) == "proof_invalid"


@pytest.mark.attack("S38")
def test_s38_no_proof_is_refused() -> None:
    assert refused(FEP["unsigned"]) == "proof_missing"


@pytest.mark.attack("S38")
@pytest.mark.parametrize("proof", [[FEP["signed"]["proof"]], [], "x", 7, True])
def test_s38_what_is_not_one_proof_is_refused(proof: Any) -> None:
    assert refused({**FEP["unsigned"], "proof": proof}) == "proof_malformed"


@pytest.mark.attack("S38")
@pytest.mark.parametrize(
    "change",
    [
        {"proofPurpose": "authentication"},
        {"cryptosuite": "eddsa-rdfc-2022"},
        {"cryptosuite": "bjjs-jcs-2022"},
        {"type": "Ed25519Signature2020"},
        {"verificationMethod": "https://evil.example/users/eve#key"},
        {"verificationMethod": None},
        {"@context": ["https://www.w3.org/ns/activitystreams"]},
        {"expires": "soon"},
        {"domain": "elsewhere.example"},
        {"previousProof": "urn:x"},
        {"created": "yesterday"},
        {"created": "2023-02-24T23:36:38"},
        {"created": 5},
        {"created": None},
        {"created": "9" * 100},
    ],
)
def test_s38_a_proof_of_another_kind_is_refused_though_its_signature_is_right(change: dict[str, Any]) -> None:
    assert refused(signed(**change)) == "proof_options"


@pytest.mark.attack("S38")
def test_s38_a_proof_from_the_future_is_refused() -> None:
    assert verify_proof(signed(created="2026-11-24T12:04:59Z"), public(alice()), NOW)
    assert refused(signed(created="2026-11-24T12:05:01Z")) == "proof_options"


@pytest.mark.attack("S38")
def test_s38_a_proof_that_has_expired_is_refused() -> None:
    assert verify_proof(signed(expires="2026-11-24T12:00:01Z"), public(alice()), NOW)
    assert refused(signed(expires="2026-11-24T12:00:00Z")) == "proof_expired"


@pytest.mark.attack("S38")
def test_s38_a_proof_without_a_context_is_taken_where_its_signature_is_right() -> None:
    """Older senders leave it out of the proof; then nothing of it is signed there, but the document's still is."""
    document = signed()
    del document["proof"]["@context"]
    assert refused(document) == "proof_invalid"


@pytest.mark.attack("S38")
def test_s38_a_proof_is_refused_with_an_rsa_key() -> None:
    key = VerificationKey(alice().key_id, ALICE, generate_rsa().public_key(), NOW)
    assert refused(FEP["signed"], key) == "proof_key"


@pytest.mark.attack("S38")
def test_s38_a_proof_is_refused_with_a_key_that_its_owner_keeps_for_requests_only() -> None:
    assert refused(FEP["signed"], replace(public(alice()), asserts=False)) == "proof_key"


@pytest.mark.attack("S38")
def test_s38_a_proof_by_another_key_is_refused() -> None:
    key = VerificationKey(alice().key_id, ALICE, Ed25519PrivateKey.generate().public_key(), NOW)
    assert refused(FEP["signed"], key) == "proof_invalid"


@pytest.mark.attack("S38")
@pytest.mark.parametrize("value", [None, 5, "", "abc", "u" + "A" * 80, "z" + "0OIl", "z", "z" + "1" * 300])
def test_s38_a_value_that_is_no_base58btc_signature_is_refused(value: Any) -> None:
    assert refused({**FEP["signed"], "proof": {**FEP["signed"]["proof"], "proofValue": value}}) in (
        "proof_malformed",
        "proof_invalid",
    )


@pytest.mark.attack("S38")
@pytest.mark.parametrize("value", [2**53, -(2**60), float("nan"), float("inf"), "\ud800"])
def test_s38_what_has_no_canonical_form_is_refused(value: Any) -> None:
    assert refused({**FEP["signed"], "n": value}) == "proof_canonical"


def test_a_multikey_reads_back_as_it_was_written() -> None:
    key = secret_of(FEP["ed25519_secret_key_multibase"]).public_key()
    assert public_to_multibase(key) == vector("vc-di-eddsa/keyPair.json")["publicKeyMultibase"]


def test_created_is_kept_to_the_second_in_utc() -> None:
    made = add_proof({}, alice(), NOW + timedelta(microseconds=999_999))
    assert made["proof"]["created"] == "2026-11-24T12:00:00Z"
    assert "@context" not in made["proof"]
