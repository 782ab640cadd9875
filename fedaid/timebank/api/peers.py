"""What a peer's ledger may read of ours: the signed messages we have in common, and nobody else even learns of them."""

from collections.abc import Awaitable, Callable, Sequence

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.errors import ProtocolError
from activitypub.signatures import Request as SignedRequest
from activitypub.signatures.authentic import Authentic
from activitypub.vocabulary import CONTENT_TYPE
from fedaid.foundation.pages import house
from fedaid.foundation.refused import NotFound
from fedaid.timebank import rows
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Peer
from fedaid.timebank.rules import shown
from fedaid.timebank.sync import page_for
from inbox.refusal import MailRefused

NUMBER_DIGITS_MAX = 18

# Who signed a request, asking for keys at this one server only. Raises ProtocolError or MailRefused.
Identify = Callable[[SignedRequest, str], Awaitable[Authentic]]


def routes(limits: TimebankLimits, identify: Identify) -> Sequence[Route]:
    """The one address at which a peer reads the messages we have in common."""

    async def facts(request: Request) -> Response:
        """A page of them; for everybody but this peer's ledger there is nothing here (attack S47)."""
        peer = await run_in_threadpool(_peer, request)
        await _check(request, peer, identify)
        body = await run_in_threadpool(_page, request, limits, peer, _after(request))
        return Response(body, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    return [Route("/ledger/peers/{host}/facts", facts, methods=["GET"])]


def _peer(request: Request) -> Peer:
    host = request.path_params["host"]
    with house(request).database.read() as connection:
        found = rows.peer_by_host(connection, host) if host.isprintable() else None
    if found is None or found.terms_digest is None:
        raise NotFound
    return found


async def _check(request: Request, peer: Peer, identify: Identify) -> None:
    raw_path, query = request.scope["raw_path"].decode("latin-1"), request.scope["query_string"].decode("latin-1")
    target = f"{raw_path.partition('?')[0]}?{query}" if query else raw_path.partition("?")[0]
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw)
    try:
        sender = await identify(SignedRequest("GET", target, headers, b""), peer.origin)
    except (ProtocolError, MailRefused):
        raise NotFound from None
    if sender.actor.text != peer.actor:
        raise NotFound


def _after(request: Request) -> int:
    text = request.query_params.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        raise NotFound
    return int(text)


def _page(request: Request, limits: TimebankLimits, peer: Peer, after: int) -> bytes:
    home = house(request)
    with home.database.read() as connection:
        page = page_for(connection, limits, rows.peer(connection, peer.id), after)
    return orjson.dumps(shown.write_page(shown.collection_of(home.names.ledger, peer.host), after, page))
