"""Signatures of requests as standardised: HTTP Message Signatures, RFC 9421."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import rsa

from activitypub.errors import SignatureRefused
from activitypub.identifiers import Origin, Url
from activitypub.keys import PublicKey, SigningKey
from activitypub.signatures.algorithms import check_named, is_valid, sign_bytes
from activitypub.signatures.authentic import Proof
from activitypub.signatures.digests import check_content_digest, check_digest, content_digest_of
from activitypub.signatures.message import (
    KEY_ID_CHARACTERS_MAX,
    NO_HEADERS,
    SIGNATURE_HEADER_CHARACTERS_MAX,
    Claim,
    Request,
    check_host,
    check_one_line_each,
    whole_seconds,
)
from activitypub.signatures.structured import Bare, InnerList, byte_sequences, inner_lists
from activitypub.vocabulary import CONTENT_TYPE

T = TypeVar("T")
LABELS_MAX: Final = 3
_RSA_NAMES: Final = frozenset({"rsa-v1_5-sha256"})
_ED25519_NAMES: Final = frozenset({"ed25519"})
_PARAMETERS: Final = frozenset({"created", "expires", "keyid", "alg", "nonce", "tag"})

# Derived from our own configured origin, never from the request's Host (attack S28). Section 2.2.
_DERIVED: Final[Mapping[str, Callable[[Request, Origin], str]]] = {
    "@method": lambda request, origin: request.method,
    "@target-uri": lambda request, origin: f"{origin}{request.target}",
    "@authority": lambda request, origin: origin.netloc,
    "@scheme": lambda request, origin: origin.scheme,
    "@request-target": lambda request, origin: request.target,
    "@path": lambda request, origin: request.target.partition("?")[0],
    "@query": lambda request, origin: f"?{request.target.partition('?')[2]}",
}


def read(request: Request) -> Claim:
    """The first signature that covers enough; there may be three, as proxies add their own (attack S33).

    Raises SignatureRefused, with what was wrong with the first one.
    """
    lists, signatures = (
        _labelled(request, "signature-input", inner_lists),
        _labelled(request, "signature", byte_sequences),
    )
    if len(lists) > LABELS_MAX or len(signatures) > LABELS_MAX:
        raise SignatureRefused("too_many_signatures", f"A request may carry at most {LABELS_MAX} signatures.")
    first: SignatureRefused | None = None
    for label, covered in lists.items():
        try:
            claim = _claim(covered, signatures.get(label, b""))
            _check_coverage(claim, request)
        except SignatureRefused as refused:
            if refused.code == "duplicate_component":
                raise
            first = first or refused
        else:
            return claim
    raise first or SignatureRefused("unsigned", "The request is not signed.")


def check(request: Request, claim: Claim, origin: Origin) -> None:
    """What can be refused without the key: another host than ours (S28), a body that is not the signed one (S34)."""
    if "host" in claim.components:
        check_host(request.fields, origin)
    if "content-digest" in claim.components:
        check_content_digest(request.fields, request.body)
    if "digest" in claim.components:
        check_digest(request.fields, request.body)


def proves(request: Request, claim: Claim, key: PublicKey, origin: Origin) -> bool:
    """Whether the signature is the key's over this request to us."""
    check_named(claim.algorithm, key, _RSA_NAMES, _ED25519_NAMES)
    return is_valid(key, claim.signature, signature_base(request, claim, origin))


def signature_base(request: Request, claim: Claim, origin: Origin) -> bytes:
    """The signature base (section 2.5). Raises SignatureRefused when a covered header is missing."""
    lines = [f'"{name}": {_value(name, request, origin)}' for name in claim.components]
    lines.append(f'"@signature-params": {claim.parameters}')
    return check_one_line_each("\n".join(lines).encode("latin-1", "replace"), len(lines))


def sign_rfc9421(
    method: str,
    url: Url,
    body: bytes | None,
    key: SigningKey,
    now: datetime,
    more: Mapping[str, str] = NO_HEADERS,
) -> dict[str, str]:
    """The headers to add to a request, names in lower case: host, signature-input, signature; with a body
    content-digest, content-type; and ``more``, which are signed too. RSA keys sign as rsa-v1_5-sha256, Ed25519 keys as
    ed25519."""
    values = {"@method": method.upper(), "@target-uri": f"{url.origin}{url.target}"}
    headers = {"host": url.origin.netloc}
    if body is not None:
        headers |= {"content-digest": content_digest_of(body), "content-type": CONTENT_TYPE}
        values |= {"content-digest": headers["content-digest"], "content-type": CONTENT_TYPE}
    headers |= more
    values |= more
    algorithm = "rsa-v1_5-sha256" if isinstance(key.private_key, rsa.RSAPrivateKey) else "ed25519"
    covered = " ".join(f'"{name}"' for name in values)
    parameters = f'({covered});created={int(now.timestamp())};keyid="{key.key_id}";alg="{algorithm}"'
    lines = [*(f'"{name}": {value}' for name, value in values.items()), f'"@signature-params": {parameters}']
    signature = b64encode(sign_bytes(key.private_key, "\n".join(lines).encode("ascii"))).decode("ascii")
    return headers | {"signature-input": f"sig1={parameters}", "signature": f"sig1=:{signature}:"}


def _labelled(request: Request, name: str, parse: Callable[[str], dict[str, T]]) -> dict[str, T]:
    header = request.fields.get(name, "")
    if not 0 < len(header) <= SIGNATURE_HEADER_CHARACTERS_MAX:
        raise SignatureRefused("unsigned", "The request is not signed.")
    return parse(header)


def _claim(covered: InnerList, signature: bytes) -> Claim:
    parameters = covered.parameters
    if not signature:
        raise SignatureRefused("signature_malformed", "There is no signature of the announced name.")
    if not _PARAMETERS.issuperset(parameters):
        raise SignatureRefused("parameter_unknown", "The signature has a parameter that does not exist.")
    if len(set(covered.items)) != len(covered.items):
        raise SignatureRefused("duplicate_component", "A component may be listed only once in a signature.")
    return Claim(
        kind=Proof.RFC_9421,
        key_id=_key_id(parameters),
        algorithm=_text(parameters, "alg"),
        created=_seconds(parameters, "created"),
        expires=_seconds(parameters, "expires"),
        components=covered.items,
        signature=signature,
        parameters=covered.text,
    )


def _check_coverage(claim: Claim, request: Request) -> None:
    covered = claim.components
    missing = [] if "@method" in covered else ["@method"]
    if "@target-uri" not in covered:
        whole = ["@authority", "@path", "@query"] if "?" in request.target else ["@authority", "@path"]
        missing += [] if set(whole) <= set(covered) else ["@target-uri"]
    if request.needs_digest and "content-digest" not in covered:
        missing.append("content-digest")
    if claim.created is None:
        missing.append("created")
    if missing:
        raise SignatureRefused("coverage", f"The signature must also cover: {' '.join(missing)}.")


def _value(name: str, request: Request, origin: Origin) -> str:
    if name.startswith("@"):
        derive = _DERIVED.get(name)
        if derive is None:
            raise SignatureRefused("component_unknown", "The signature covers a component that is not accepted.")
        return derive(request, origin)
    value = request.fields.get(name)
    if value is None:
        raise SignatureRefused("component_missing", f"The signature covers {name[:40]}, which the request lacks.")
    return value


def _key_id(parameters: Mapping[str, Bare]) -> str:
    key_id = _text(parameters, "keyid") or ""
    if not 0 < len(key_id) <= KEY_ID_CHARACTERS_MAX:
        raise SignatureRefused("key_id", "The signature does not say which key made it.")
    return key_id


def _text(parameters: Mapping[str, Bare], name: str) -> str | None:
    value = parameters.get(name)
    if value is None or isinstance(value, str):
        return value
    raise SignatureRefused("header_malformed", f"The parameter {name} must be text.")


def _seconds(parameters: Mapping[str, Bare], name: str) -> int | None:
    value = parameters.get(name)
    if isinstance(value, str):
        raise SignatureRefused("bad_instant", "created and expires must be whole seconds since 1970.")
    return None if value is None else whole_seconds(str(value))
