"""Posts letters to the door as other servers do; signs by the specifications' text, not with our own signer."""

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from activitypub.keys import PrivateKey, SigningKey
from inbox.endpoint import InboxApp
from tests.inbox.world import OUR_HOST, START, as_bytes

DRAFT_COVERS = ("(request-target)", "host", "date", "digest")


@dataclass(frozen=True)
class Post:
    """A request to an inbox; tests change what they test."""

    body: bytes
    headers: Mapping[str, str]
    path: str = "/inbox"
    method: str = "POST"
    more_headers: Sequence[tuple[str, str]] = ()

    def but(self, **headers: str | None) -> "Post":
        """With other headers (underscores for dashes); None leaves one out."""
        changed = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return replace(self, headers={name: value for name, value in changed.items() if value is not None})


def sign(private: PrivateKey, text: str) -> str:
    """The signature in base64: RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519."""
    data = text.encode("ascii")
    if isinstance(private, rsa.RSAPrivateKey):
        return base64.b64encode(private.sign(data, padding.PKCS1v15(), hashes.SHA256())).decode()
    return base64.b64encode(private.sign(data)).decode()


def sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def draft_post(
    activity: Mapping[str, Any] | bytes,
    key: SigningKey,
    *,
    at: datetime = START,
    host: str = OUR_HOST,
    path: str = "/inbox",
    method: str = "post",
    covers: Sequence[str] = DRAFT_COVERS,
) -> Post:
    """Signed as Mastodon does (draft-cavage-http-signatures-12, section 2.3)."""
    body = activity if isinstance(activity, bytes) else as_bytes(activity)
    headers = {
        "host": host,
        "date": format_datetime(at, usegmt=True),
        "digest": f"SHA-256={sha256(body)}",
        "content-type": "application/activity+json",
    }
    lines = {"(request-target)": f"{method} {path}", **headers}
    signature = sign(key.private_key, "\n".join(f"{name}: {lines[name]}" for name in covers))
    headers["signature"] = (
        f'keyId="{key.key_id}",algorithm="rsa-sha256",headers="{" ".join(covers)}",signature="{signature}"'
    )
    return Post(body, headers, path)


def rfc9421_post(
    activity: Mapping[str, Any],
    key: SigningKey,
    *,
    at: datetime = START,
    host: str = OUR_HOST,
    path: str = "/inbox",
    scheme: str = "https",
) -> Post:
    """Signed as by RFC 9421, section 2.5, with the components Mastodon 4.5 wants."""
    body = as_bytes(activity)
    content_digest = f"sha-256=:{sha256(body)}:"
    parameters = f'("@method" "@target-uri" "content-digest");created={int(at.timestamp())};keyid="{key.key_id}"'
    base = "\n".join(
        [
            '"@method": POST',
            f'"@target-uri": {scheme}://{host}{path}',
            f'"content-digest": {content_digest}',
            f'"@signature-params": {parameters}',
        ]
    )
    headers = {
        "host": host,
        "content-type": "application/activity+json",
        "content-digest": content_digest,
        "signature-input": f"sig1={parameters}",
        "signature": f"sig1=:{sign(key.private_key, base)}:",
    }
    return Post(body, headers, path)


async def bring(app: InboxApp, post: Post, *, chunk_bytes: int = 0) -> httpx2.Response:
    """Post it, in chunks without a length when ``chunk_bytes`` is given."""

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(post.body), chunk_bytes):
            yield post.body[start : start + chunk_bytes]

    content: Any = chunks() if chunk_bytes else post.body
    headers = [*post.headers.items(), *post.more_headers]
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as client:
        return await client.request(post.method, f"https://{OUR_HOST}{post.path}", content=content, headers=headers)
