"""The board's things as documents for other servers; the same addresses lead people to pages."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fedaid.actors.audience import EVERYBODY, Audience
from fedaid.actors.serving import Served, serve
from fedaid.actors.wire import proved
from fedaid.board import queries
from fedaid.board.pages.show import number_of, show_listing
from fedaid.board.queries import Listing
from fedaid.board.rules import ListingState
from fedaid.board.wire import agreement_document, note_of, offer_document, tombstone_document
from fedaid.foundation.pages import house, viewer, wants_activity
from fedaid.foundation.refused import NotFound

LISTING_SECONDS_MAX = 60  # how long others may go by an older copy


async def listing_page(request: Request) -> Response:
    """A listing's page, or its Note for servers. 410 when it was taken down, 404 when it never was."""
    if not wants_activity(request):
        return await run_in_threadpool(show_listing, request, number_of(request))
    return await serve(request, _listing)


def _listing(request: Request, connection: Connection) -> Served:
    found = queries.any_listing(connection, number_of(request))
    if found is None or found.hidden or found.state is ListingState.DRAFT:
        raise NotFound
    if not found.local:  # its own server has it
        return Served(b"", EVERYBODY, LISTING_SECONDS_MAX, 302, location=found.uri)
    if found.state is ListingState.WITHDRAWN:
        return Served(orjson.dumps(tombstone_document(found.uri)), EVERYBODY, LISTING_SECONDS_MAX, 410)
    note = proved(connection, note_of(connection, found, house(request).names), found.author_actor, found.updated_at)
    return Served(orjson.dumps(note), EVERYBODY, LISTING_SECONDS_MAX)


async def response_page(request: Request) -> Response:
    """A response as a document, for the two it is about; their listing's page for a browser."""
    if wants_activity(request):
        return await serve(request, _response)
    return await run_in_threadpool(_page_of_response, request)


def _response(request: Request, connection: Connection) -> Served:
    found = queries.any_response(connection, number_of(request))
    if found is None:
        raise NotFound
    about = _about(connection, found.listing_id)
    readers = {found.helper_actor, found.asked_actor, about.member_actor}
    return _private(offer_document(found, about), readers)


def _page_of_response(request: Request) -> Response:
    with house(request).database.read() as connection:
        found = queries.response(connection, viewer(request), number_of(request))
    return _page_of_listing(found.listing_id)


async def agreement_page(request: Request) -> Response:
    """An agreement as a document, for its two parties; their listing's page for a browser."""
    if wants_activity(request):
        return await serve(request, _agreement)
    return await run_in_threadpool(_page_of_agreement, request)


def _agreement(request: Request, connection: Connection) -> Served:
    found = queries.any_match(connection, number_of(request))
    if found is None:
        raise NotFound
    return _private(agreement_document(found, _about(connection, found.listing_id)), {found.provider, found.receiver})


def _page_of_agreement(request: Request) -> Response:
    with house(request).database.read() as connection:
        found = queries.match(connection, viewer(request), number_of(request))
    return _page_of_listing(found.listing_id)


def _about(connection: Connection, listing_id: int) -> Listing:
    about = queries.any_listing(connection, listing_id)
    if about is None:
        raise NotFound
    return about


def _private(document: Mapping[str, Any], readers: set[str | None]) -> Served:
    audience = Audience(readers=frozenset(reader for reader in readers if reader is not None))
    return Served(orjson.dumps(document), audience, 0)


def _page_of_listing(listing_id: int) -> Response:
    answer = RedirectResponse(f"/listings/{listing_id}", 302)
    answer.headers.add_vary_header("Accept")
    return answer
