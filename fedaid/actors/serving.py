"""How a document of ours goes to whoever asks for it by its address: who asks, whether they may, what copies may do.

Absent and hidden are answered alike, after the same steps, so that nobody learns what there is (attack S47).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus

import orjson
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from activitypub.vocabulary import CONTENT_TYPE
from fedaid.actors.audience import NOBODY, Audience, visible_to
from fedaid.foundation.ids import row_id
from fedaid.foundation.pages import READER_HEADERS, house, viewer
from fedaid.foundation.refused import NotFound, Refused
from inbox.readers import CHALLENGES, is_signed

PAGE_ITEMS_MAX = 20  # of a collection


@dataclass(frozen=True)
class Served:
    """A document, ready to be sent.

    seconds       how long others may go by a copy, where anybody may read it
    location      where it is instead, with a status that says so
    for_unsigned  what is sent instead to somebody who is not known by a signature, where all must sign: the keys by
                  which others check ours, as two servers that both insist would wait for each other
    """

    body: bytes
    audience: Audience
    seconds: int
    status: int = 200
    for_unsigned: bytes | None = None
    location: str = ""


Look = Callable[[Request, Connection], Served]  # raises NotFound when there is nothing
Door = Callable[[Request], Awaitable[Response]]


def cursor(request: Request, name: str) -> int | None:
    """The number in the query that says where a page starts; None for the first. Raises NotFound for a wrong one."""
    text = request.query_params.get(name)
    return None if text is None else row_id(text)


def to_servers(look: Look) -> Door:
    """The route under which what ``look`` finds is read."""

    @wraps(look)
    async def endpoint(request: Request) -> Response:
        return await serve(request, look)

    return endpoint


async def serve(request: Request, look: Look) -> Response:
    """What ``look`` finds, for whoever asks. Raises NotFound, and Refused (401) where a signature is wrong or missing.

    A signature is checked only where the answer depends on it: most of what we have is public, and checking makes us
    ask the signer's server for its key, which then may ask us for ours.
    """
    home = house(request)
    found = await run_in_threadpool(_look, request, look)
    if found is not None and found.audience.public and not home.secure_mode:
        return _open(found)
    reader = await _reader(request, found)
    if reader is None and home.secure_mode:
        return _for_unsigned(found)
    if found is None or not await run_in_threadpool(_may_read, request, found, reader):
        raise NotFound
    return _private(found.body, found)


def _look(request: Request, look: Look) -> Served | None:
    try:
        with house(request).database.read() as connection:
            return look(request, connection)
    except NotFound:
        return None


async def _reader(request: Request, found: Served | None) -> str | None:
    """The actor that signed the request, else the member that is signed in; None for nobody."""
    if not is_signed(request.scope):
        return (await run_in_threadpool(viewer, request)).actor or None
    try:
        return await house(request).identify(request)
    except Refused:
        if found is None or found.for_unsigned is None:
            raise
        return None


async def signed_reader(request: Request) -> str:
    """The actor that signed the request. Raises Refused (401) where a signature is wrong or missing."""
    if not is_signed(request.scope):
        raise _unsigned()
    return await house(request).identify(request)


def _unsigned() -> Refused:
    return Refused("unsigned", "This server answers signed requests only.", HTTPStatus.UNAUTHORIZED, CHALLENGES)


def _may_read(request: Request, found: Served, reader: str | None) -> bool:
    with house(request).database.read() as connection:
        return visible_to(connection, found.audience, reader)


def _open(found: Served) -> Response:
    return _with_headers(found.body, found, f"public, max-age={found.seconds}", "Accept")


def private_answer(document: object) -> Response:
    """A document made for one reader."""
    return _private(orjson.dumps(document), Served(b"", NOBODY, 0))


def _private(body: bytes, found: Served) -> Response:
    return _with_headers(body, found, "private, no-store", READER_HEADERS)


def _with_headers(body: bytes, found: Served, caching: str, vary: str) -> Response:
    headers = {"Cache-Control": caching, "Vary": vary}
    if found.location:
        headers["Location"] = found.location
    return Response(body, found.status, headers, CONTENT_TYPE)


def _for_unsigned(found: Served | None) -> Response:
    if found is None or found.for_unsigned is None:
        raise _unsigned()
    return _private(found.for_unsigned, found)
