"""The board's things as documents for other servers; the same addresses lead people to pages."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fedaid.actors.audience import EVERYBODY, Audience
from fedaid.actors.serving import PAGE_ITEMS_MAX, Door, Served, cursor, serve, to_servers
from fedaid.actors.wire import proved
from fedaid.board import queries
from fedaid.board.limits import BoardLimits
from fedaid.board.pages.show import show_listing
from fedaid.board.queries import Listing, PublicAnswer
from fedaid.board.rules import ListingState
from fedaid.board.wire import agreement_document, note_of, offer_document, tombstone_document
from fedaid.board.wire.threads import (
    context_collection,
    context_page,
    part_of,
    replies_collection,
    replies_page,
)
from fedaid.foundation.pages import house, number_of, viewer, wants_activity
from fedaid.foundation.refused import NotFound
from fedaid.network import queries as networks

LISTING_SECONDS_MAX = 60  # how long others may go by an older copy


def listing(limits: BoardLimits) -> Door:
    """The route of a listing."""

    def look(request: Request, connection: Connection) -> Served:
        return _listing(request, connection, limits)

    async def listing_page(request: Request) -> Response:
        """A listing's page, or its Note for servers. 410 when it was taken down, 404 when it never was."""
        if not wants_activity(request):
            return await run_in_threadpool(show_listing, request, number_of(request))
        return await serve(request, look)

    return listing_page


def _listing(request: Request, connection: Connection, limits: BoardLimits) -> Served:
    found = queries.any_listing(connection, number_of(request))
    if found is None or found.hidden or not found.leaves or found.state is ListingState.DRAFT:
        raise NotFound
    if not found.local:
        if not found.is_public:
            raise NotFound
        return Served(b"", EVERYBODY, LISTING_SECONDS_MAX, 302, location=found.uri)  # its own server has it
    audience = EVERYBODY if found.is_public else _of_neighbours(connection)
    if found.state is ListingState.WITHDRAWN:
        return Served(orjson.dumps(tombstone_document(found.uri)), audience, LISTING_SECONDS_MAX, 410)
    answers = queries.public_answers(connection, found, house(request).federation, limits.public_answers_max)
    note = note_of(connection, found, part_of(answers, 0, PAGE_ITEMS_MAX), house(request).names)
    whole = proved(connection, note, found.author_actor, found.updated_at)
    return Served(orjson.dumps(whole), audience, LISTING_SECONDS_MAX)


def _of_neighbours(connection: Connection) -> Audience:
    """The linked networks: their servers sign what they fetch, and their boards may."""
    found = networks.open_neighbours(connection)
    return Audience(readers=frozenset(actor for one in found for actor in (one.server_actor, one.board_actor)))


def _public(document: Mapping[str, Any]) -> Served:
    return Served(orjson.dumps(document), EVERYBODY, LISTING_SECONDS_MAX)


def replies(limits: BoardLimits) -> Door:
    """The route of the replies to a listing."""

    def replies_page_of(request: Request, connection: Connection) -> Served:
        """The public replies to a listing, by their ids, page by page."""
        found, answers = _conversation(request, connection, limits)
        part = part_of(answers, cursor(request, "after") or 0, PAGE_ITEMS_MAX)
        if "page" in request.query_params:
            return _public(replies_page(found, part, request.url.query))
        return _public(replies_collection(found, len(answers), part))

    return to_servers(replies_page_of)


def context(limits: BoardLimits) -> Door:
    """The route of the conversation below a listing (FEP-7888)."""

    def context_page_of(request: Request, connection: Connection) -> Served:
        """A listing and the public replies to it, by their ids, page by page (FEP-7888)."""
        found, answers = _conversation(request, connection, limits)
        if "page" not in request.query_params:
            return _public(context_collection(found, 1 + len(answers)))
        after = cursor(request, "after")
        part = part_of(answers, after or 0, PAGE_ITEMS_MAX)
        return _public(context_page(found, part, request.url.query, is_first=after is None))

    return to_servers(context_page_of)


def _conversation(
    request: Request, connection: Connection, limits: BoardLimits
) -> tuple[Listing, Sequence[PublicAnswer]]:
    """A listing of ours that anybody may read, and the replies to it that anybody may read. Raises NotFound."""
    found = queries.any_listing(connection, number_of(request))
    unread = (ListingState.DRAFT, ListingState.WITHDRAWN)
    if found is None or not (found.local and found.is_public) or found.hidden or found.state in unread:
        raise NotFound
    federation = house(request).federation
    return found, queries.public_answers(connection, found, federation, limits.public_answers_max)


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
