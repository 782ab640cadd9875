"""draft-cavage-http-signatures-12: its own vectors, a captured request, round trips, and every refusal by itself."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from activitypub.errors import SignatureRefused
from activitypub.identifiers import Origin, UrlRules
from activitypub.keys import SigningKey, VerificationKey, public_from_pem, public_to_pem
from activitypub.signatures import (
    Claim,
    Proof,
    Request,
    SignatureLimits,
    check_claim,
    draft_cavage,
    read_signature,
    sign_draft_cavage,
    verify,
)
from activitypub.signatures.algorithms import is_valid, sign_bytes
from activitypub.signatures.digests import content_digest_of, digest_of
from activitypub.signatures.message import http_date
from tests.activitypub.mail import (
    BOB,
    BODY,
    HERE,
    INBOX,
    NOW,
    as_request,
    ed25519_key,
    proved,
    public,
    refused,
    rsa_key,
    with_header,
    without_header,
)
from tests.activitypub.vectors import vector

APPENDIX = vector("http-signatures/draft-cavage-12-appendix-c.json")
CAPTURED = vector("http-signatures/realworld-hs2019-created-expires.json")
EVERYTHING = ("(request-target)", "host", "date", "digest", "content-type")
SECONDS = int(NOW.timestamp())


def letter(key: SigningKey | None = None, now: datetime = NOW) -> Request:
    """A POST to our inbox, as our own signer makes it."""
    return as_request("POST", INBOX, BODY, sign_draft_cavage("POST", INBOX, BODY, key or rsa_key(), now))


def handmade(
    covered: Sequence[str] = EVERYTHING,
    *,
    parameters: str = ',algorithm="hs2019"',
    key: SigningKey | None = None,
    created: int | None = None,
    expires: int | None = None,
    signed_target: str = "/inbox",
    signed_method: str = "post",
    **headers: str,
) -> Request:
    """A POST to our inbox, signed over whatever is asked for; header names with _ for -."""
    found = {
        "host": "a.example",
        "date": http_date(NOW),
        "digest": digest_of(BODY),
        "content-type": "application/ld+json",
    }
    found |= {name.replace("_", "-"): value for name, value in headers.items()}
    special = {"(request-target)": f"{signed_method} {signed_target}", "(created)": created, "(expires)": expires}
    base = "\n".join(f"{name}: {special.get(name, found.get(name))}" for name in covered)
    signature = b64encode(sign_bytes((key or rsa_key()).private_key, base.encode())).decode()
    times = "".join(f",{n}={v}" for n, v in (("created", created), ("expires", expires)) if v is not None)
    key_id = (key or rsa_key()).key_id
    found["signature"] = f'keyId="{key_id}"{parameters}{times},headers="{" ".join(covered)}",signature="{signature}"'
    return Request("POST", "/inbox", tuple(found.items()), BODY)


# The vectors


def appendix_claim(case: dict[str, Any]) -> Claim:
    return Claim(
        Proof.DRAFT_CAVAGE, "Test", None, case.get("created"), case.get("expires"), tuple(case["signed"]), b"x"
    )


@pytest.mark.parametrize("case", APPENDIX["cases"], ids=lambda case: str(case["name"]))
def test_the_signing_strings_of_appendix_c_are_reproduced(case: dict[str, Any]) -> None:
    """The draft's key has 1024 bits, so that only the bytes can be tried with it: verify refuses the key."""
    request = APPENDIX["request"]
    headers = tuple((name.lower(), value) for name, value in request["headers"].items())
    found = Request(request["method"], request["path"], headers, request["body"].encode())
    base = draft_cavage.signature_base(found, appendix_claim(case), found.target)
    key = load_pem_public_key(APPENDIX["public_key_pem"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    signature = case["signature"]
    assert is_valid(key, b64decode(signature), base) is case["valid"]


def captured() -> tuple[Request, VerificationKey, Origin, datetime]:
    url = UrlRules().parse(CAPTURED["target_uri"])
    headers = tuple((name.lower(), value) for name, value in CAPTURED["headers"].items())
    request = Request(CAPTURED["method"], url.target, headers, CAPTURED["body"].encode())
    owner = "https://oeee.cafe/ap/users/3609fd4e-d51d-4db8-9f04-4189815864dd"
    now = datetime.fromisoformat(CAPTURED["now"])
    key = VerificationKey(f"{owner}#main-key", owner, public_from_pem(CAPTURED["public_key_pem"]), now)
    return request, key, url.origin, now


def test_a_request_captured_from_another_software_is_proved() -> None:
    request, key, origin, now = captured()
    sender = verify(request, read_signature(request), key, origin, now, SignatureLimits())
    assert sender.actor.text == key.owner
    assert sender.proof is Proof.DRAFT_CAVAGE
    assert sender.signed_at == now


def test_the_captured_request_is_refused_once_it_has_expired() -> None:
    request, key, origin, now = captured()
    with pytest.raises(SignatureRefused, match="expired"):
        verify(
            request,
            read_signature(request),
            key,
            origin,
            now + timedelta(hours=1, seconds=1),
            SignatureLimits(clock_skew_seconds=7200),
        )


# What is accepted


@pytest.mark.parametrize("key", [rsa_key, ed25519_key])
def test_what_is_signed_here_is_proved_here(key: Any) -> None:
    sender = proved(letter(key()), key())
    assert (sender.actor.text, sender.key_id, sender.signed_at) == (BOB, key().key_id, NOW)


def test_our_own_signature_covers_the_list_that_everybody_reads() -> None:
    headers = sign_draft_cavage("POST", INBOX, BODY, rsa_key(), NOW)
    assert list(headers) == ["host", "date", "digest", "content-type", "signature"]
    assert 'headers="(request-target) host date digest content-type"' in headers["signature"]
    assert 'algorithm="rsa-sha256"' in headers["signature"]


def test_a_get_needs_no_digest() -> None:
    url = UrlRules().parse("https://a.example/users/ana")
    headers = sign_draft_cavage("GET", url, None, rsa_key(), NOW)
    assert "digest" not in headers
    assert proved(as_request("GET", url, b"", headers), rsa_key()).actor.text == BOB


def test_a_date_may_stand_in_for_created_and_the_other_way_round() -> None:
    covered = ("(request-target)", "host", "(created)", "digest")
    assert proved(handmade(covered, created=SECONDS - 60), rsa_key()).signed_at == NOW - timedelta(seconds=60)


def test_the_algorithm_may_be_left_unsaid() -> None:
    assert proved(handmade(parameters=""), rsa_key()).actor.text == BOB


def test_a_content_digest_may_stand_in_for_the_digest() -> None:
    covered = ("(request-target)", "host", "date", "content-digest")
    assert proved(handmade(covered, content_digest=content_digest_of(BODY)), rsa_key())


def test_an_unknown_digest_beside_the_sha_256_is_ignored() -> None:
    assert proved(handmade(digest=f"MD5=AAAA,{digest_of(BODY)}"), rsa_key())


@pytest.mark.parametrize("host", ["A.Example", "a.example:443"])
def test_our_host_may_be_spelled_with_its_port_or_in_capitals(host: str) -> None:
    assert proved(handmade(host=host), rsa_key())


# S20: none, or broken


@pytest.mark.attack("S20")
@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        'keyId="a"',
        'keyId="a",signature="AAAA"x',
        'keyId="a",signature="not base64!",headers="(request-target) host date digest"',
        'keyId="a",signature="",headers="(request-target) host date digest"',
        'keyId="",signature="AAAA",headers="(request-target) host date digest"',
        'signature="AAAA",headers="(request-target) host date digest"',
        'keyId="a",headers="(request-target) host date digest"',
        'keyId="a" signature="AAAA"',
        'keyId="a",,signature="AAAA"',
        'keyId="a",signature="AAAA",',
        "k" * 9000,
    ],
)
def test_s20_no_signature_or_a_broken_one_is_refused(value: str) -> None:
    with pytest.raises(SignatureRefused):
        read_signature(with_header(letter(), "signature", value))


@pytest.mark.attack("S20")
def test_s20_a_request_without_a_signature_is_refused() -> None:
    assert refused(without_header(letter(), "signature"), rsa_key()) == "unsigned"


@pytest.mark.attack("S20")
def test_s20_a_signature_by_another_key_is_refused() -> None:
    other = replace(rsa_key(), private_key=rsa.generate_private_key(65537, 2048))
    assert refused(letter(other), rsa_key()) == "signature_wrong"


@pytest.mark.attack("S20")
def test_s20_a_key_that_the_signature_does_not_name_is_refused() -> None:
    assert refused(letter(), replace(rsa_key(), key_id=f"{BOB}#other-key")) == "wrong_key"


# S21: the digest


@pytest.mark.attack("S21")
def test_s21_a_post_whose_digest_is_not_signed_is_refused() -> None:
    assert refused(handmade(("(request-target)", "host", "date")), rsa_key()) == "coverage"


@pytest.mark.attack("S21")
def test_s21_a_post_without_a_digest_is_refused() -> None:
    assert refused(without_header(handmade(), "digest"), rsa_key()) == "digest_count"


# S22: the digest does not match


@pytest.mark.attack("S22")
def test_s22_another_body_is_refused() -> None:
    assert refused(replace(letter(), body=BODY + b" "), rsa_key()) == "digest_mismatch"


@pytest.mark.attack("S22")
@pytest.mark.parametrize("second", [digest_of(b"other"), digest_of(BODY)])
def test_s22_two_sha_256_digests_are_refused_even_if_equal(second: str) -> None:
    assert refused(handmade(digest=f"{digest_of(BODY)},{second}"), rsa_key()) == "digest_count"


@pytest.mark.attack("S22")
@pytest.mark.parametrize("value", ["SHA-512=AAAA", "MD5=AAAA", "nonsense"])
def test_s22_a_digest_without_sha_256_is_refused(value: str) -> None:
    assert refused(handmade(digest=value), rsa_key()) == "digest_count"


@pytest.mark.attack("S22")
@pytest.mark.parametrize("value", ["SHA-256=!!!!", "SHA-256=" + "A" * 2000])
def test_s22_a_digest_that_cannot_be_read_is_refused(value: str) -> None:
    assert refused(handmade(digest=value), rsa_key()) == "digest_malformed"


# S23: too little is signed


@pytest.mark.attack("S23")
@pytest.mark.parametrize("missing", ["(request-target)", "host", "date", "digest"])
def test_s23_each_part_of_the_required_list_is_required(missing: str) -> None:
    covered = tuple(name for name in EVERYTHING if name != missing)
    assert refused(handmade(covered), rsa_key()) == "coverage"


@pytest.mark.attack("S23")
def test_s23_only_the_date_is_too_little() -> None:
    assert refused(handmade(("date",)), rsa_key()) == "coverage"


# S24 and S32: when


@pytest.mark.attack("S24")
@pytest.mark.parametrize("hours", [-13, -2, 2])
def test_s24_a_date_outside_the_hour_is_refused(hours: int) -> None:
    assert refused(letter(now=NOW + timedelta(hours=hours)), rsa_key()) == "too_old"


@pytest.mark.attack("S24")
@pytest.mark.parametrize("minutes", [-59, 59])
def test_s24_clocks_may_differ_by_up_to_an_hour(minutes: int) -> None:
    assert proved(letter(now=NOW + timedelta(minutes=minutes)), rsa_key())


@pytest.mark.attack("S24")
def test_s24_an_old_date_is_refused_even_where_created_is_new() -> None:
    covered = ("(request-target)", "host", "date", "(created)", "digest")
    old = http_date(NOW - timedelta(hours=13))
    assert refused(handmade(covered, created=SECONDS, date=old), rsa_key()) == "too_old"


@pytest.mark.attack("S24")
@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 31 Feb 2026 12:00:00 GMT", "Tue, 24 Nov 2026 12:00:00 CET"])
def test_s24_a_date_that_cannot_be_read_is_refused(date: str) -> None:
    assert refused(handmade(date=date), rsa_key()) == "bad_date"


@pytest.mark.attack("S32")
def test_s32_created_in_the_future_is_refused() -> None:
    covered = ("(request-target)", "host", "(created)", "digest")
    assert refused(handmade(covered, created=SECONDS + 3700), rsa_key()) == "too_old"


@pytest.mark.attack("S32")
@pytest.mark.parametrize("expires", [SECONDS - 1, SECONDS - 61])
def test_s32_a_signature_that_has_expired_is_refused(expires: int) -> None:
    covered = ("(request-target)", "host", "(created)", "(expires)", "digest")
    assert refused(handmade(covered, created=SECONDS - 60, expires=expires), rsa_key()) == "expired"


@pytest.mark.attack("S32")
def test_s32_a_signature_that_expires_before_it_was_created_is_refused() -> None:
    covered = ("(request-target)", "host", "(created)", "(expires)", "digest")
    assert refused(handmade(covered, created=SECONDS + 60, expires=SECONDS + 59), rsa_key()) == "expired"


@pytest.mark.attack("S32")
def test_s32_expires_counts_even_where_it_is_not_signed() -> None:
    assert refused(handmade(expires=SECONDS - 1), rsa_key()) == "expired"


@pytest.mark.attack("S32")
@pytest.mark.parametrize("text", ["1.5", "-5", "+5", "1e9", "٣", "99999999999999"])
def test_s32_created_must_be_whole_seconds(text: str) -> None:
    request = handmade(parameters=f',algorithm="hs2019",created="{text}"')
    with pytest.raises(SignatureRefused, match="bad_instant"):
        read_signature(request)


@pytest.mark.attack("S32")
def test_s32_created_that_is_signed_but_not_said_is_refused() -> None:
    assert refused(handmade(("(request-target)", "host", "(created)", "digest")), rsa_key()) == "component_missing"


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "hmac-sha256", "ecdsa-sha256"])
def test_the_older_algorithms_have_no_created(algorithm: str) -> None:
    covered = ("(request-target)", "host", "(created)", "digest")
    request = handmade(covered, parameters=f',algorithm="{algorithm}"', created=SECONDS)
    assert refused(request, rsa_key()) == "algorithm"


# S25: the query


@pytest.mark.attack("S25")
def test_s25_a_post_signed_without_its_query_is_refused() -> None:
    assert refused(replace(handmade(), target="/inbox?x=1"), rsa_key()) == "signature_wrong"


@pytest.mark.attack("S25")
@pytest.mark.parametrize("signed", ["/users/ana/outbox?page=1", "/users/ana/outbox"])
def test_s25_a_get_may_be_signed_with_or_without_its_query(signed: str) -> None:
    covered = ("(request-target)", "host", "date")
    request = handmade(covered, signed_method="get", signed_target=signed)
    request = replace(request, method="GET", target="/users/ana/outbox?page=1", body=b"")
    assert proved(request, rsa_key())


# S26: the method


@pytest.mark.attack("S26")
def test_s26_a_signature_made_for_get_is_refused_on_a_post() -> None:
    assert refused(handmade(signed_method="get"), rsa_key()) == "signature_wrong"


@pytest.mark.attack("S26")
def test_s26_no_header_changes_the_method() -> None:
    request = handmade(signed_method="get", x_http_method_override="GET")
    assert refused(request, rsa_key()) == "signature_wrong"


@pytest.mark.attack("S26")
def test_s26_a_get_with_a_body_must_sign_its_digest() -> None:
    covered = ("(request-target)", "host", "date")
    request = replace(handmade(covered, signed_method="get"), method="GET")
    assert refused(request, rsa_key()) == "coverage"


# What stands twice (S27)


@pytest.mark.attack("S27")
@pytest.mark.parametrize("name", ["host", "date", "digest", "content-type", "content-length", "signature"])
def test_s27_a_header_that_may_stand_once_stands_once(name: str) -> None:
    request = letter()
    twice = replace(request, headers=((name, "x"), (name, "y"), *request.headers))
    assert refused(twice, rsa_key()) == "duplicate_header"


@pytest.mark.attack("S27")
def test_s27_a_parameter_of_the_signature_stands_once() -> None:
    request = letter()
    header = 'keyId="https://evil.example/k",' + dict(request.headers)["signature"]
    assert refused(with_header(request, "signature", header), rsa_key()) == "duplicate_parameter"


@pytest.mark.attack("S27")
def test_s27_a_covered_header_is_listed_once() -> None:
    assert refused(handmade((*EVERYTHING, "date")), rsa_key()) == "duplicate_component"


def test_other_headers_that_stand_twice_are_signed_joined() -> None:
    request = handmade((*EVERYTHING, "x-note"), x_note="one, two")
    headers = (*(header for header in request.headers if header[0] != "x-note"), ("x-note", "one"), ("x-note", "two"))
    assert proved(replace(request, headers=headers), rsa_key())


# S28: for another host


@pytest.mark.attack("S28")
def test_s28_a_letter_to_another_host_is_refused_here() -> None:
    elsewhere = UrlRules().parse("https://c.example/inbox")
    headers = sign_draft_cavage("POST", elsewhere, BODY, rsa_key(), NOW)
    assert refused(as_request("POST", elsewhere, BODY, headers), rsa_key()) == "wrong_host"


@pytest.mark.attack("S28")
def test_s28_a_host_header_of_ours_does_not_help_a_letter_to_another_host() -> None:
    elsewhere = UrlRules().parse("https://c.example/inbox")
    headers = sign_draft_cavage("POST", elsewhere, BODY, rsa_key(), NOW) | {"host": "a.example"}
    assert refused(as_request("POST", elsewhere, BODY, headers), rsa_key()) == "signature_wrong"


# S31, which algorithms and keys


@pytest.mark.attack("S31")
def test_s31_an_hmac_keyed_by_the_public_key_is_refused() -> None:
    pem = public_to_pem(public(rsa_key()).public_key)
    request = handmade()
    claim = read_signature(request)
    base = draft_cavage.signature_base(request, claim, request.target)
    forged = b64encode(hmac.new(pem.encode(), base, hashlib.sha256).digest()).decode()
    header = f'keyId="{claim.key_id}",algorithm="hmac-sha256",headers="{" ".join(EVERYTHING)}",signature="{forged}"'
    assert refused(with_header(request, "signature", header), rsa_key()) == "algorithm"


@pytest.mark.attack("S31")
@pytest.mark.parametrize("algorithm", ["rsa-sha1", "rsa-sha512", "ed25519", "none"])
def test_s31_an_algorithm_that_is_not_the_keys_is_refused(algorithm: str) -> None:
    assert refused(handmade(parameters=f',algorithm="{algorithm}"'), rsa_key()) == "algorithm"


@pytest.mark.attack("S31")
def test_s31_an_rsa_algorithm_is_refused_for_an_ed25519_key() -> None:
    request = handmade(parameters=',algorithm="rsa-sha256"', key=ed25519_key())
    assert refused(request, ed25519_key()) == "algorithm"


@pytest.mark.attack("S31")
def test_s31_a_short_rsa_key_is_refused_though_its_signature_is_right() -> None:
    weak = SigningKey(f"{BOB}#weak", BOB, rsa.generate_private_key(65537, 1024))  # noqa: S505 - what is refused here
    assert refused(letter(weak), weak) == "key_weak"


# Odd components


def test_a_covered_header_that_is_not_there_is_refused() -> None:
    assert refused(without_header(handmade((*EVERYTHING, "x-a"), x_a="1"), "x-a"), rsa_key()) == "component_missing"


def test_a_pseudo_header_that_does_not_exist_is_refused() -> None:
    assert refused(handmade((*EVERYTHING, "(nothing)")), rsa_key()) == "component_unknown"


def test_a_header_cannot_smuggle_a_line_into_what_is_signed() -> None:
    request = handmade((*EVERYTHING, "x-a"), x_a="1")
    assert refused(with_header(request, "x-a", "1\ndate: never"), rsa_key()) == "header_lines"


def test_a_very_long_list_of_components_is_refused() -> None:
    names = tuple(f"x-{n}" for n in range(40))
    assert refused(handmade((*EVERYTHING, *names)), rsa_key()) == "too_many_components"


# Before the key is fetched (S16)


@pytest.mark.attack("S16")
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (handmade(host="c.example"), "wrong_host"),
        (handmade(digest=digest_of(b"other")), "digest_mismatch"),
        (handmade(date="Tue, 24 Nov 2020 12:00:00 GMT"), "too_old"),
    ],
)
def test_s16_what_needs_no_key_is_refused_without_one(request_: Request, code: str) -> None:
    with pytest.raises(SignatureRefused, match=code):
        check_claim(request_, read_signature(request_), HERE, NOW, SignatureLimits())


@pytest.mark.attack("S16")
def test_s16_a_sound_claim_passes_without_the_key() -> None:
    check_claim(letter(), read_signature(letter()), HERE, NOW, SignatureLimits())


def test_the_date_is_written_as_rfc_9110_wants_it() -> None:
    assert http_date(datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)) == "Sun, 06 Nov 1994 08:49:37 GMT"
