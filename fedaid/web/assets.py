"""The files that pages load from here: each in memory with its digest, packed once, and kept by browsers for good."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.refused import NotFound

STATIC = Path(__file__).parent / "static"
KEPT_SECONDS = 365 * 24 * 60 * 60
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Vendored:
    """A file that others wrote, as their package holds it.

    package, version  in npm's registry
    path              of the file inside the package
    licence           its SPDX identifier
    sha256            of the file, in hexadecimal
    """

    package: str
    version: str
    path: str
    licence: str
    sha256: str


# What is not ours; how one is renewed stands in docs/how-to/develop.md.
VENDORED: Mapping[str, Vendored] = {
    "htmx.min.js": Vendored(
        package="htmx.org",
        version="4.0.1",
        path="dist/htmx.min.js",
        licence="0BSD",
        sha256="a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    ),
}


@dataclass(frozen=True)
class Asset:
    """One file: its media type, its bytes plain and packed with gzip, and what its address ends in while it is this."""

    kind: str
    plain: bytes
    packed: bytes
    digest: str


def _load(file: Path) -> Asset:
    body = file.read_bytes()
    packed = gzip.compress(body, mtime=0)
    return Asset(_KINDS[file.suffix], body, packed, hashlib.sha256(body).hexdigest()[:12])


ASSETS: Mapping[str, Asset] = {file.name: _load(file) for file in sorted(STATIC.iterdir()) if file.suffix in _KINDS}


def address(name: str) -> str:
    """Where a page finds the file: an address that changes when the file does."""
    return f"/static/{name}?{ASSETS[name].digest}"


async def asset(request: Request) -> Response:
    """A style sheet, a script or our mark; under the address that pages name it is kept for good."""
    found = ASSETS.get(request.path_params["name"])
    if found is None:
        raise NotFound
    for_good = f"public, max-age={KEPT_SECONDS}, immutable"
    headers = {
        "Cache-Control": for_good if request.url.query == found.digest else "public, no-cache",
        "ETag": f'"{found.digest}"',
        "Vary": "Accept-Encoding",
    }
    if found.digest in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=found.kind)
    return Response(found.plain, headers=headers, media_type=found.kind)
