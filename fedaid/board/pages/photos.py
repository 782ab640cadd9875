"""Photos of our members: taken out of a form, made small and harmless, and shown to those who may see the listing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from fedaid.board import queries
from fedaid.board.limits import BoardLimits
from fedaid.board.rules import Kind
from fedaid.foundation.pages import FORM_FIELDS_MAX, Form, checked_form, house, member, number_of, viewer
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.media.proxy import HEADERS
from fedaid.media.rules import CONTENT_TYPE, harmless


@dataclass(frozen=True)
class Sent:
    """The photo that came with a form: its bytes as they came, none, or why it cannot be taken."""

    body: bytes = b""
    refused: Refused | None = None

    def made_harmless(self, limits: BoardLimits) -> bytes | None:
        """The photo as WebP, made small, without place and camera; None where none came. Raises Refused."""
        if self.refused is not None:
            raise self.refused
        return harmless(self.body, limits.photo_pixels_max, limits.photo_side_pixels_max) if self.body else None


Handler = Callable[[Request, Form, Sent], Response]


def photo_form(handler: Handler, limits: BoardLimits) -> Callable[[Request], Awaitable[Response]]:
    """Makes a route out of a plain function that takes what was typed and a photo; it runs in a thread."""

    async def endpoint(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=FORM_FIELDS_MAX) as data:
            form = checked_form({name: value for name, value in data.items() if isinstance(value, str)})
            file = data.get("photo")
            sent = await _read(file, limits) if isinstance(file, UploadFile) else Sent()
        return await run_in_threadpool(handler, request, form, sent)

    endpoint.__doc__ = handler.__doc__
    return endpoint


async def _read(file: UploadFile, limits: BoardLimits) -> Sent:
    body = await file.read(limits.photo_bytes_max + 1)
    if len(body) > limits.photo_bytes_max:
        most = limits.photo_bytes_max // (1024 * 1024)
        return Sent(
            refused=Refused(
                "photo_size", said("A photo has at most %(count)s MB. Everything else is kept.", count=most), 413
            )
        )
    return Sent(body)


def of_listing(request: Request) -> Response:
    """The photo of a listing, for those who may see it; other servers fetch it here too."""
    home = house(request)
    with home.database.read() as connection:
        body = queries.photo_body(connection, viewer(request), number_of(request), home.federation)
    return _shown(body)


def of_draft(request: Request) -> Response:
    """The photo that goes with what one has begun to write."""
    who = member(request)
    kind = Kind.OFFER if request.query_params.get("kind") == Kind.OFFER else Kind.REQUEST
    with house(request).database.read() as connection:
        found = queries.draft(connection, who, kind)
    if found is None or found.photo is None:
        raise NotFound
    return _shown(found.photo)


def of_change(request: Request) -> Response:
    """The photo that waits for a change to one's listing to be kept."""
    who = member(request)
    with house(request).database.read() as connection:
        body = queries.photo_of_change(connection, who, number_of(request))
    if body is None:
        raise NotFound
    return _shown(body)


def _shown(body: bytes) -> Response:
    """Kept by nobody without asking again: a listing may be taken down, a photo replaced."""
    headers = {**HEADERS, "Cache-Control": "private, no-cache", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(body, media_type=CONTENT_TYPE, headers=headers)
