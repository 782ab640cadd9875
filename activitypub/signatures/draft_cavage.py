"""Signatures of requests as most of the fediverse makes them: draft-cavage-http-signatures-12."""

import binascii
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from activitypub.errors import SignatureRefused
from activitypub.identifiers import Origin, Url
from activitypub.keys import PublicKey, SigningKey
from activitypub.signatures.algorithms import check_named, is_valid, sign_bytes
from activitypub.signatures.authentic import Proof
from activitypub.signatures.digests import check_content_digest, check_digest, digest_of
from activitypub.signatures.message import (
    KEY_ID_CHARACTERS_MAX,
    NO_HEADERS,
    SIGNATURE_HEADER_CHARACTERS_MAX,
    Claim,
    Request,
    check_host,
    check_one_line_each,
    http_date,
    parse_http_date,
    whole_seconds,
)
from activitypub.vocabulary import CONTENT_TYPE

COMPONENTS_MAX: Final = 30
_PARAMETER = re.compile(r'[ \t]*+([A-Za-z]++)=(?:"([^"]*+)"|([0-9]++))[ \t]*+(,|\Z)', re.ASCII)
_RSA_NAMES: Final = frozenset({"rsa-sha256", "hs2019"})
_ED25519_NAMES: Final = frozenset({"ed25519", "hs2019"})
_PSEUDO: Final = frozenset({"(request-target)", "(created)", "(expires)"})
_NEVER_CREATED: Final = ("rsa", "hmac", "ecdsa")  # section 2.3: these algorithms have no (created)


def read(request: Request) -> Claim:
    """What the Signature header claims. Raises SignatureRefused when it is broken or covers too little (S21, S23)."""
    parameters = read_parameters(request.fields.get("signature", ""))
    algorithm = parameters.get("algorithm")
    components = tuple(parameters.get("headers", "(created)").lower().split())
    claim = Claim(
        kind=Proof.DRAFT_CAVAGE,
        key_id=_key_id(parameters),
        algorithm=algorithm.lower() if algorithm else None,
        created=_seconds(parameters, "created"),
        expires=_seconds(parameters, "expires"),
        components=components,
        signature=_signature(parameters),
    )
    _check_pseudo(claim)
    _check_coverage(claim, request)
    return claim


def check(request: Request, claim: Claim, origin: Origin) -> None:
    """What can be refused without the key: another host than ours (S28), a body that is not the signed one (S22)."""
    check_host(request.fields, origin)
    if "digest" in claim.components:
        check_digest(request.fields, request.body)
    if "content-digest" in claim.components:
        check_content_digest(request.fields, request.body)


def instants(request: Request, claim: Claim) -> tuple[int, ...]:
    """Every covered instant in seconds since 1970: Date, (created), or both. Each must lie in the window."""
    covered = [_date_seconds(request)] if "date" in claim.components else []
    if claim.created is not None and "(created)" in claim.components:
        covered.append(claim.created)
    return tuple(covered)


def proves(request: Request, claim: Claim, key: PublicKey) -> bool:
    """Whether the signature is the key's over this request; a GET may also be signed without its query (S25)."""
    check_named(claim.algorithm, key, _RSA_NAMES, _ED25519_NAMES)
    if is_valid(key, claim.signature, signature_base(request, claim, request.target)):
        return True
    path, query, _ = request.target.partition("?")
    if not query or request.method != "GET":
        return False
    return is_valid(key, claim.signature, signature_base(request, claim, path))


def signature_base(request: Request, claim: Claim, target: str) -> bytes:
    """The signing string (section 2.3). Raises SignatureRefused when a covered header is missing."""
    lines = [f"{name}: {_value(name, request, claim, target)}" for name in claim.components]
    return check_one_line_each("\n".join(lines).encode("latin-1", "replace"), len(lines))


def sign_draft_cavage(
    method: str,
    url: Url,
    body: bytes | None,
    key: SigningKey,
    now: datetime,
    more: Mapping[str, str] = NO_HEADERS,
) -> dict[str, str]:
    """The headers to add to a request, names in lower case: host, date, signature; with a body digest, content-type.

    Signs (request-target) host date and, with a body, digest content-type: the list that everybody reads; and ``more``,
    headers with names in lower case.
    """
    headers = {"host": url.origin.netloc, "date": http_date(now)}
    if body is not None:
        headers |= {"digest": digest_of(body), "content-type": CONTENT_TYPE}
    headers |= more
    lines = [f"(request-target): {method.lower()} {url.target}", *(f"{name}: {headers[name]}" for name in headers)]
    signature = b64encode(sign_bytes(key.private_key, "\n".join(lines).encode("ascii"))).decode("ascii")
    algorithm = "rsa-sha256" if isinstance(key.private_key, rsa.RSAPrivateKey) else "hs2019"
    covered = " ".join(["(request-target)", *headers])
    headers["signature"] = f'keyId="{key.key_id}",algorithm="{algorithm}",headers="{covered}",signature="{signature}"'
    return headers


def read_parameters(header: str) -> dict[str, str]:
    """Names and values of a header like Signature (section 4.1). Raises SignatureRefused."""
    if not 0 < len(header) <= SIGNATURE_HEADER_CHARACTERS_MAX:
        raise SignatureRefused("unsigned", "The request is not signed.")
    found: dict[str, str] = {}
    at, more = 0, True
    while more:
        match = _PARAMETER.match(header, at)
        if match is None:
            raise SignatureRefused("header_malformed", "The Signature header cannot be read.")
        name, quoted, digits, comma = match.groups()
        if name in found:
            raise SignatureRefused("duplicate_parameter", f"The parameter {name[:20]} may stand only once.")
        found[name] = quoted if digits is None else digits
        at, more = match.end(), comma == ","
    return found


def _key_id(parameters: dict[str, str]) -> str:
    key_id = parameters.get("keyId", "")
    if not 0 < len(key_id) <= KEY_ID_CHARACTERS_MAX:
        raise SignatureRefused("key_id", "The signature does not say which key made it.")
    return key_id


def _seconds(parameters: dict[str, str], name: str) -> int | None:
    # Some write the digits in quotes, against section 2.1.4; they mean the same.
    return whole_seconds(parameters[name]) if name in parameters else None


def _signature(parameters: dict[str, str]) -> bytes:
    try:
        signature = binascii.a2b_base64(parameters.get("signature", ""), strict_mode=True)
    except ValueError:
        signature = b""
    if not signature:
        raise SignatureRefused("signature_malformed", "The signature is not base64.")
    return signature


def _check_pseudo(claim: Claim) -> None:
    if len(set(claim.components)) != len(claim.components):
        raise SignatureRefused("duplicate_component", "A header may be listed only once in a signature.")
    if len(claim.components) > COMPONENTS_MAX:
        raise SignatureRefused("too_many_components", f"A signature may cover at most {COMPONENTS_MAX} headers.")
    if "(created)" in claim.components and (claim.algorithm or "").startswith(_NEVER_CREATED):
        raise SignatureRefused("algorithm", "This algorithm cannot cover (created); use hs2019.")
    if "(created)" in claim.components and claim.created is None:
        raise SignatureRefused("component_missing", "The signature covers (created), but does not say when.")
    for name in claim.components:
        if name.startswith("(") and name not in _PSEUDO:
            raise SignatureRefused("component_unknown", "The signature covers a pseudo-header that does not exist.")


def _check_coverage(claim: Claim, request: Request) -> None:
    covered = claim.components
    missing = [name for name in ("(request-target)", "host") if name not in covered]
    if "date" not in covered and "(created)" not in covered:
        missing.append("date")
    if request.needs_digest and "digest" not in covered and "content-digest" not in covered:
        missing.append("digest")
    if missing:
        raise SignatureRefused("coverage", f"The signature must also cover: {' '.join(missing)}.")


def _date_seconds(request: Request) -> int:
    try:
        return int(parse_http_date(request.fields.get("date", "")).timestamp())
    except ValueError:
        raise SignatureRefused("bad_date", "The Date header cannot be read.") from None


def _value(name: str, request: Request, claim: Claim, target: str) -> str:
    if name == "(request-target)":
        return f"{request.method.lower()} {target}"
    if name in _PSEUDO:
        value = claim.created if name == "(created)" else claim.expires
        return str(_present(value, name))
    return str(_present(request.fields.get(name), name))


def _present(value: str | int | None, name: str) -> str | int:
    if value is None:
        raise SignatureRefused("component_missing", f"The signature covers {name[:40]}, which the request lacks.")
    return value
