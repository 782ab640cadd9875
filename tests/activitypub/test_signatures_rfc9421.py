"""HTTP Message Signatures: the RFC's own vector, round trips, and every refusal by itself."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from activitypub.errors import SignatureRefused
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey
from activitypub.signatures import Proof, Request, SignatureLimits, check_claim, read_signature, rfc9421, sign_rfc9421
from activitypub.signatures.algorithms import is_valid, sign_bytes
from activitypub.signatures.digests import content_digest_of
from activitypub.signatures.structured import inner_lists
from tests.activitypub.mail import (
    BOB,
    BODY,
    HERE,
    INBOX,
    NOW,
    as_request,
    ed25519_key,
    proved,
    refused,
    rsa_key,
    with_header,
    without_header,
)
from tests.activitypub.vectors import vector

APPENDIX = vector("rfc9421/rfc9421-appendix-b.json")
SECONDS = int(NOW.timestamp())
EVERYTHING = ("@method", "@target-uri", "content-digest", "content-type")
SHA_512 = "sha-512=:" + b64encode(hashlib.sha512(BODY).digest()).decode() + ":"


def letter(key: SigningKey | None = None) -> Request:
    """A POST to our inbox, as our own signer makes it."""
    return as_request("POST", INBOX, BODY, sign_rfc9421("POST", INBOX, BODY, key or rsa_key(), NOW))


def handmade(
    covered: Sequence[str] = EVERYTHING,
    *,
    created: object = SECONDS,
    more: str = "",
    key: SigningKey | None = None,
    method: str = "POST",
    target: str = "/inbox",
    origin: str = "https://a.example",
    label: str = "sig1",
    **headers: str,
) -> Request:
    """A request to us, signed over whatever is asked for; header names with _ for -."""
    key = key or rsa_key()
    found = {"host": "a.example", "content-digest": content_digest_of(BODY), "content-type": "application/ld+json"}
    found |= {name.replace("_", "-"): value for name, value in headers.items()}
    path, _, query = target.partition("?")
    derived = {
        "@method": method,
        "@target-uri": f"{origin}{target}",
        "@authority": origin.partition("://")[2],
        "@scheme": origin.partition("://")[0],
        "@request-target": target,
        "@path": path,
        "@query": f"?{query}",
    }
    made = "" if created is None else f";created={created}"
    parameters = f'({" ".join(chr(34) + name + chr(34) for name in covered)}){made};keyid="{key.key_id}"{more}'
    lines = [f'"{name}": {derived.get(name, found.get(name))}' for name in covered]
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    signature = b64encode(sign_bytes(key.private_key, base.encode())).decode()
    found |= {"signature-input": f"{label}={parameters}", "signature": f"{label}=:{signature}:"}
    return Request(method, target, tuple(found.items()), b"" if method == "GET" else BODY)


# The RFC's own vector


def appendix() -> tuple[Request, dict[str, Any]]:
    given = APPENDIX["request"]
    case = next(case for case in APPENDIX["cases"] if case["alg"] == "ed25519")
    headers = {name.lower(): value for name, value in given["headers"].items()}
    headers |= {"signature-input": case["signature_input"], "signature": f"sig-b26=:{case['signature']}:"}
    return Request("POST", "/foo?param=Value&Pet=dog", tuple(headers.items()), given["body"].encode()), case


def test_the_ed25519_vector_of_appendix_b_is_reproduced_byte_for_byte() -> None:
    request, case = appendix()
    covered = inner_lists(case["signature_input"])["sig-b26"]
    claim = rfc9421._claim(covered, b64decode(case["signature"]))
    base = rfc9421.signature_base(request, claim, UrlRules().parse("https://example.com/").origin)
    assert base.decode() == case["signature_base"]
    public = load_pem_public_key(APPENDIX["keys"]["ed25519_public_pem"].encode())
    assert isinstance(public, Ed25519PublicKey)
    assert is_valid(public, claim.signature, base)
    private = load_pem_private_key(APPENDIX["keys"]["ed25519_private_pem"].encode(), None)
    assert isinstance(private, Ed25519PrivateKey)
    assert sign_bytes(private, base) == claim.signature


def test_the_vector_of_appendix_b_covers_too_little_for_a_letter() -> None:
    with pytest.raises(SignatureRefused, match="coverage"):
        read_signature(appendix()[0])


# What is accepted


@pytest.mark.parametrize("key", [rsa_key, ed25519_key])
def test_what_is_signed_here_is_proved_here(key: Any) -> None:
    sender = proved(letter(key()), key())
    assert (sender.actor.text, sender.proof, sender.signed_at) == (BOB, Proof.RFC_9421, NOW)


def test_our_own_signature_says_what_mastodon_asks_for() -> None:
    headers = sign_rfc9421("POST", INBOX, BODY, rsa_key(), NOW)
    assert headers["signature-input"] == (
        'sig1=("@method" "@target-uri" "content-digest" "content-type")'
        f';created={SECONDS};keyid="{BOB}#main-key";alg="rsa-v1_5-sha256"'
    )


def test_a_get_needs_no_digest() -> None:
    url = UrlRules().parse("https://a.example/users/ana?page=1")
    headers = sign_rfc9421("GET", url, None, rsa_key(), NOW)
    assert "content-digest" not in headers
    assert proved(as_request("GET", url, b"", headers), rsa_key())


@pytest.mark.parametrize(
    ("covered", "target"),
    [
        (("@method", "@authority", "@path", "content-digest"), "/inbox"),
        (("@method", "@authority", "@path", "@query", "content-digest"), "/inbox?x=1"),
        (("@method", "@target-uri", "@scheme", "@request-target", "content-digest"), "/inbox"),
        (("content-digest", "@target-uri", "@method", "host"), "/inbox"),
    ],
)
def test_authority_path_and_query_are_as_good_as_the_target_uri(covered: tuple[str, ...], target: str) -> None:
    assert proved(handmade(covered, target=target), rsa_key())


@pytest.mark.parametrize("digest", [SHA_512, f"{SHA_512}, {content_digest_of(BODY)}", f"md5=:AAAA:, {SHA_512}"])
def test_a_sha_512_digest_will_do(digest: str) -> None:
    assert proved(handmade(content_digest=digest), rsa_key())


def test_a_nonce_and_a_tag_are_signed_but_mean_nothing_here() -> None:
    assert proved(handmade(more=';nonce="n\\"1";tag="app"'), rsa_key())


def test_the_first_signature_that_covers_enough_counts() -> None:
    good = dict(handmade(label="good").headers)
    request = handmade()
    request = with_header(request, "signature-input", f'proxy=("date");keyid="p", {good["signature-input"]}')
    request = with_header(request, "signature", f"proxy=:AAAA:, {good['signature']}")
    assert proved(request, rsa_key())


# What is refused


@pytest.mark.attack("S20")
@pytest.mark.parametrize(
    "value",
    [
        "nonsense",
        "sig1",
        "sig1=",
        "sig1=()",
        'sig1=("@method"',
        'sig1=("@method" "@target-uri" "content-digest")',
        'sig1=("@method""@target-uri");created=1',
        'sig1=(@method);created=1;keyid="k"',
        'sig1=("@method");created=1.5;keyid="k"',
        'sig1=("@method");created;keyid="k"',
        'sig1=("@method");created="1";keyid="k"',
        'sig1=("@method");created=-1;keyid="k"',
        'sig1=("@method");created=1;keyid=k',
        'sig1=("@method");created=1;keyid=5',
        'sig1=("@method");created=1;keyid="k",',
        'SIG1=("@method");created=1;keyid="k"',
        "x" * 9000,
        'sig1=("é");created=1;keyid="k"',
    ],
)
def test_s20_a_broken_signature_input_is_refused(value: str) -> None:
    with pytest.raises(SignatureRefused):
        read_signature(with_header(letter(), "signature-input", value))


@pytest.mark.attack("S20")
@pytest.mark.parametrize("value", ["", "sig1=AAAA", "sig1=:!!:", "sig1=:A:", "sig1=::", "other=:AAAA:", 'keyId="a"'])
def test_s20_a_broken_signature_is_refused(value: str) -> None:
    with pytest.raises(SignatureRefused):
        read_signature(with_header(letter(), "signature", value))


@pytest.mark.attack("S20")
def test_s20_an_altered_signature_is_refused() -> None:
    other = replace(rsa_key(), private_key=rsa.generate_private_key(65537, 2048))
    assert refused(letter(other), rsa_key()) == "signature_wrong"


@pytest.mark.attack("S21")
@pytest.mark.parametrize(
    "covered",
    [
        ("@target-uri", "content-digest"),
        ("@method", "content-digest"),
        ("@method", "@authority", "content-digest"),
        ("@method", "@path", "content-digest"),
        ("@method", "@target-uri"),
        ("@method", "@target-uri", "content-type", "digest"),
    ],
)
def test_s21_s23_too_little_is_refused(covered: tuple[str, ...]) -> None:
    assert refused(handmade(covered, digest="x"), rsa_key()) == "coverage"


@pytest.mark.attack("S23")
def test_s23_the_query_must_be_covered_where_there_is_one() -> None:
    covered = ("@method", "@authority", "@path", "content-digest")
    assert refused(handmade(covered, target="/inbox?x=1"), rsa_key()) == "coverage"


@pytest.mark.attack("S23")
def test_s23_created_is_required_even_with_a_date() -> None:
    request = handmade((*EVERYTHING, "date"), created=None, date="Tue, 24 Nov 2026 12:00:00 GMT")
    assert refused(request, rsa_key()) == "coverage"


@pytest.mark.attack("S24")
@pytest.mark.parametrize("seconds", [-13 * 3600, -3601, 3601])
def test_s24_created_outside_the_hour_is_refused(seconds: int) -> None:
    assert refused(handmade(created=SECONDS + seconds), rsa_key()) == "too_old"


@pytest.mark.attack("S24")
def test_s24_the_hour_is_measured_from_our_clock() -> None:
    assert refused(letter(), rsa_key(), now=NOW + timedelta(hours=1, seconds=1)) == "too_old"


@pytest.mark.attack("S32")
def test_s32_what_has_expired_is_refused() -> None:
    assert refused(handmade(created=SECONDS - 60, more=f";expires={SECONDS - 1}"), rsa_key()) == "expired"


@pytest.mark.attack("S32")
def test_s32_what_expires_before_it_is_created_is_refused() -> None:
    assert refused(handmade(created=SECONDS + 60, more=f";expires={SECONDS + 59}"), rsa_key()) == "expired"


@pytest.mark.attack("S26")
def test_s26_a_signature_for_get_is_refused_on_a_post() -> None:
    signed = handmade(("@method", "@target-uri", "content-digest"), method="GET")
    assert refused(replace(signed, method="POST", body=BODY), rsa_key()) == "signature_wrong"


@pytest.mark.attack("S27")
@pytest.mark.parametrize("name", ["host", "content-digest", "content-type", "signature", "signature-input"])
def test_s27_a_header_that_may_stand_once_stands_once(name: str) -> None:
    request = letter()
    assert (
        refused(replace(request, headers=((name, "x"), (name, "y"), *request.headers)), rsa_key()) == "duplicate_header"
    )


@pytest.mark.attack("S27")
def test_s27_a_parameter_stands_once() -> None:
    assert refused(handmade(more=f";created={SECONDS}"), rsa_key()) == "duplicate_parameter"


@pytest.mark.attack("S27")
def test_s27_a_label_stands_once() -> None:
    request = letter()
    twice = ", ".join([dict(request.headers)["signature"]] * 2)
    assert refused(with_header(request, "signature", twice), rsa_key()) == "duplicate_parameter"


@pytest.mark.attack("S28")
@pytest.mark.parametrize(
    "covered", [("@method", "@target-uri", "content-digest"), ("@method", "@authority", "@path", "content-digest")]
)
def test_s28_a_letter_to_another_host_is_refused_whatever_host_says(covered: tuple[str, ...]) -> None:
    assert refused(handmade(covered, origin="https://c.example"), rsa_key()) == "signature_wrong"


@pytest.mark.attack("S28")
def test_s28_a_signed_host_that_is_not_ours_is_refused() -> None:
    assert refused(handmade((*EVERYTHING, "host"), host="c.example"), rsa_key()) == "wrong_host"


@pytest.mark.attack("S31")
@pytest.mark.parametrize("algorithm", ["hmac-sha256", "rsa-pss-sha512", "ecdsa-p256-sha256", "ed25519"])
def test_s31_an_algorithm_that_is_not_the_keys_is_refused(algorithm: str) -> None:
    assert refused(handmade(more=f';alg="{algorithm}"'), rsa_key()) == "algorithm"


@pytest.mark.attack("S33")
def test_s33_a_component_listed_twice_is_refused() -> None:
    assert refused(handmade(("@method", *EVERYTHING)), rsa_key()) == "duplicate_component"


@pytest.mark.attack("S33")
@pytest.mark.parametrize("parameter", [";req", ";sf", ";bs", ";tr", ';key="a"', ';name="x"'])
def test_s33_a_component_with_parameters_is_refused(parameter: str) -> None:
    request = letter()
    header = dict(request.headers)["signature-input"].replace('"@method"', f'"@method"{parameter}')
    assert refused(with_header(request, "signature-input", header), rsa_key()) == "component_parameter"


@pytest.mark.attack("S33")
@pytest.mark.parametrize("name", ["@query-param", "@status", "@nothing", "@signature-params"])
def test_s33_a_component_that_is_not_plain_is_refused(name: str) -> None:
    assert refused(handmade((*EVERYTHING, name)), rsa_key()) == "component_unknown"


@pytest.mark.attack("S33")
def test_s33_more_than_three_signatures_are_refused() -> None:
    request = letter()
    headers = dict(request.headers)
    labels = range(1, 5)
    inputs = ", ".join(headers["signature-input"].replace("sig1=", f"s{n}=") for n in labels)
    signatures = ", ".join(headers["signature"].replace("sig1=", f"s{n}=") for n in labels)
    request = with_header(with_header(request, "signature-input", inputs), "signature", signatures)
    assert refused(request, rsa_key()) == "too_many_signatures"


@pytest.mark.attack("S33")
def test_s33_an_unknown_parameter_of_the_signature_is_refused() -> None:
    assert refused(handmade(more=";depth=1"), rsa_key()) == "parameter_unknown"


@pytest.mark.attack("S34")
@pytest.mark.parametrize(
    ("digest", "code"),
    [
        ("sha-256=:AAAA:", "digest_mismatch"),
        (content_digest_of(b"other"), "digest_mismatch"),
        (f"{content_digest_of(BODY)}, sha-512=:AAAA:", "digest_mismatch"),
        ("sha-256=AAAA", "header_malformed"),
        ("sha-256=:!!!!:", "header_malformed"),
        (f"{content_digest_of(BODY)}, {content_digest_of(BODY)}", "duplicate_parameter"),
        ("md5=:AAAA:", "digest_count"),
        ("sha-256=:" + "A" * 2000 + ":", "digest_malformed"),
    ],
)
def test_s34_a_bad_content_digest_is_refused(digest: str, code: str) -> None:
    assert refused(handmade(content_digest=digest), rsa_key()) == code


@pytest.mark.attack("S34")
def test_s34_a_covered_digest_that_is_not_there_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        proved(without_header(letter(), "content-digest"), rsa_key())


def test_a_covered_header_that_is_not_there_is_refused() -> None:
    assert refused(without_header(handmade((*EVERYTHING, "x-a"), x_a="1"), "x-a"), rsa_key()) == "component_missing"


def test_a_header_cannot_smuggle_a_line_into_what_is_signed() -> None:
    request = handmade((*EVERYTHING, "x-a"), x_a="1")
    assert refused(with_header(request, "x-a", '1\n"@method": GET'), rsa_key()) == "header_lines"


@pytest.mark.attack("S16")
def test_s16_another_body_is_refused_before_the_key_is_there() -> None:
    request = replace(letter(), body=b"other")
    with pytest.raises(SignatureRefused, match="digest_mismatch"):
        check_claim(request, read_signature(request), HERE, NOW, SignatureLimits())
