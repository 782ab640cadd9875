"""What other servers read of us: actors and their collections, activities, WebFinger, host-meta and NodeInfo."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

import fedaid
from activitypub import nodeinfo, webfinger
from activitypub.collections import ordered_collection, ordered_page
from activitypub.errors import MalformedUrl
from activitypub.identifiers import URL_CHARACTERS_MAX, Handle, parse_handle
from activitypub.vocabulary import CONTENT_TYPE
from fedaid.actors import queries
from fedaid.actors.audience import EVERYBODY, Audience
from fedaid.actors.queries import Follow, LocalActor
from fedaid.actors.rules import PARTIAL, Kind, origin_of
from fedaid.actors.serving import (
    PAGE_ITEMS_MAX,
    Look,
    Served,
    cursor,
    private_answer,
    serve,
    signed_reader,
    to_servers,
)
from fedaid.actors.wire import TYPES, actor_document, key_document, tombstone
from fedaid.actors.wire.documents import page_of
from fedaid.foundation.ids import row_id
from fedaid.foundation.names import Names
from fedaid.foundation.pages import house, wants_activity
from fedaid.foundation.refused import NotFound, Refused
from outbox import collection as sent

ACTOR_SECONDS_MAX = 180  # how long others may go by an older copy
ACTIVITY_SECONDS_MAX = 3_600
DISCOVERY_SECONDS_MAX = 600

MONTH, HALF_YEAR = timedelta(days=30), timedelta(days=180)

Page = Callable[[Request], Response]


@dataclass(frozen=True)
class FromAbove:
    """What only rooms above actors know, handed down by the app.

    featured      ids of the objects that an actor shows first
    active_since  how many people were here since then
    posts         how many listings were posted here
    source_url    where this software's source is
    everybody_may_join   whether people join by themselves
    """

    featured: Callable[[Connection, str], Sequence[str]]
    active_since: Callable[[Connection, datetime], int]
    posts: Callable[[Connection], int]
    source_url: str
    everybody_may_join: Callable[[Connection], bool] = lambda connection: False


def routes(above: FromAbove) -> list[Route]:
    """Everything under the actors' ids, and the well-known addresses."""
    found = [
        Route("/activities/{number}", to_servers(activity)),
        Route("/.well-known/webfinger", webfinger_answer),
        Route("/.well-known/host-meta", host_meta),
        Route("/.well-known/nodeinfo", nodeinfo_links),
        Route("/nodeinfo/{version}", _nodeinfo(above)),
    ]
    for base in ("/actor", "/ledger", "/users/{handle}", "/groups/{handle}"):
        found += [
            Route(base, actor),
            Route(f"{base}/outbox", to_servers(outbox)),
            Route(f"{base}/followers", to_servers(followers)),
            Route(f"{base}/{PARTIAL}", partial_followers),
            Route(f"{base}/following", to_servers(following)),
            Route(f"{base}/featured", to_servers(_featured(above))),
        ]
    return [*found, Route("/groups/{handle}/moderators", to_servers(moderators))]


def by_handle(pages: Mapping[Kind, Page]) -> Route:
    """``/@handle``: the page of a person or a board for people, the way to its document for servers."""

    def page(request: Request) -> Response:
        """The page of a person or a board for people; servers are led to its document."""
        with house(request).database.read() as connection:
            found = _present(queries.by_handle(connection, request.path_params["handle"]))
        if wants_activity(request):
            return _vary(RedirectResponse(found.uri, 302))
        if found.kind not in pages:
            return _vary(RedirectResponse(page_of(found, house(request).names), 302))
        answer = pages[found.kind](request)
        answer.headers["Link"] = f'<{found.uri}>; rel="alternate"; type="{CONTENT_TYPE}"'
        return _vary(answer)

    return Route("/@{handle}", page)


def _present(found: LocalActor | None) -> LocalActor:
    if found is None:
        raise NotFound
    if found.gone_at is not None:
        raise Refused("gone", "This was taken down.", 410)
    return found


def _asked_for(request: Request, connection: Connection) -> LocalActor:
    """The actor under whose id the request stands. Raises NotFound, and Refused (410) for one that has left."""
    return _present(_found_or_gone(request, connection))


def _found_or_gone(request: Request, connection: Connection) -> LocalActor | None:
    """A handle has one spelling in ids, so other cases are not found."""
    names = house(request).names
    base = "/".join(request.url.path.split("/")[: 3 if "handle" in request.path_params else 2])
    return queries.by_uri(connection, f"{names.origin}{base}")


def _vary(answer: Response) -> Response:
    answer.headers.add_vary_header("Accept")
    return answer


def _is_for_people(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "").lower() and not wants_activity(request)


async def actor(request: Request) -> Response:
    """An actor's document; browsers are led to its page. Its keys, and all of the server, are read unsigned."""
    if _is_for_people(request):
        return await run_in_threadpool(_page_instead, request)
    if request.url.path == urlsplit(house(request).names.server).path:
        return await run_in_threadpool(_server_actor, request)
    return await serve(request, _actor)


def _page_instead(request: Request) -> Response:
    with house(request).database.read() as connection:
        return _vary(RedirectResponse(page_of(_asked_for(request, connection), house(request).names), 302))


def _server_actor(request: Request) -> Response:
    """Never asks for a signature: others check ours by this key, and two that both asked would wait for ever."""
    with house(request).database.read() as connection:
        return _json(_actor(request, connection).body, ACTOR_SECONDS_MAX)


def _actor(request: Request, connection: Connection) -> Served:
    gone = _found_or_gone(request, connection)
    if gone is not None and gone.gone_at is not None:
        return _tombstone(tombstone(gone.uri, TYPES[gone.kind], gone.gone_at))
    found = _present(gone)
    keys = queries.own_keys(connection, found.uri)
    document = orjson.dumps(actor_document(found, keys, house(request).names))
    return Served(document, EVERYBODY, ACTOR_SECONDS_MAX, for_unsigned=orjson.dumps(key_document(found, keys)))


def activity(request: Request, connection: Connection) -> Served:
    """One activity of ours; one that is not public only for those it was sent to.

    A tombstone when what it is about was taken down since, or its actor left: its words went with it.
    """
    number = row_id(request.path_params["number"])
    found = sent.stored(connection, house(request).names.activity(number))
    if found is None:
        raise NotFound
    audience = Audience(found.public, frozenset(found.recipients), found.followers_of)
    has_left = found.type != "Delete" and _has_left(connection, found.actor)
    if found.deleted or has_left or _repeats_deleted(connection, found):
        return replace(_tombstone(tombstone(found.activity_id, found.type)), audience=audience)
    return Served(found.body.encode(), audience, ACTIVITY_SECONDS_MAX)


def _repeats_deleted(connection: Connection, found: sent.Stored) -> bool:
    """Whether it announces an activity of ours, whole, whose words were taken down since (FEP-1b12)."""
    announced = orjson.loads(found.body).get("object") if found.type == "Announce" else None
    inner = announced.get("id") if isinstance(announced, dict) else None
    said = sent.stored(connection, inner) if inner is not None else None
    return said is not None and said.deleted


def _has_left(connection: Connection, uri: str) -> bool:
    actor = queries.by_uri(connection, uri)
    return actor is None or actor.gone_at is not None


def _tombstone(document: Mapping[str, Any]) -> Served:
    body = orjson.dumps(document)
    return Served(body, EVERYBODY, ACTOR_SECONDS_MAX, HTTPStatus.GONE, for_unsigned=body)


def _json(body: bytes, seconds: int, media_type: str = CONTENT_TYPE) -> Response:
    headers = {"Cache-Control": f"public, max-age={seconds}"}
    return _vary(Response(body, media_type=media_type, headers=headers))


def _collection_document(document: Mapping[str, Any]) -> Served:
    return Served(orjson.dumps(document), EVERYBODY, ACTOR_SECONDS_MAX)


@dataclass(frozen=True)
class _Slice:
    """Part of a collection; ``next`` is the query of the following page, empty on the last."""

    items: Sequence[Any]
    next: str


def outbox(request: Request, connection: Connection) -> Served:
    """The public activities of an actor, newest first."""
    found = _asked_for(request, connection)
    url = f"{found.uri}/outbox"
    if "page" not in request.query_params:
        return _collection(url, sent.count(connection, found.uri), paged=True)
    page = sent.page(connection, found.uri, cursor(request, "before"), PAGE_ITEMS_MAX)
    items = [orjson.loads(item.body) for item in page.items]
    return _page(request, url, _Slice(items, f"?page=true&before={page.before}" if page.before else ""))


def followers(request: Request, connection: Connection) -> Served:
    """Who follows: for a board by name, for a person only how many (who knows whom is not for strangers)."""
    return _follows(request, connection, "followers", queries.followers_of, queries.follower_count, _follower)


def following(request: Request, connection: Connection) -> Served:
    """Whom an actor follows: for a board by name, for a person only how many."""
    return _follows(request, connection, "following", queries.following_of, queries.following_count, _followee)


def _follower(follow: Follow) -> str:
    return follow.follower


def _followee(follow: Follow) -> str:
    return follow.followee


def _follows(
    request: Request,
    connection: Connection,
    name: str,
    part: Callable[..., Sequence[Follow]],
    count: Callable[[Connection, str], int],
    end: Callable[[Follow], str],
) -> Served:
    found = _asked_for(request, connection)
    url = f"{found.uri}/{name}"
    is_board = found.kind is Kind.GROUP
    if "page" not in request.query_params or not is_board:
        return _collection(url, count(connection, found.uri), paged=is_board)
    after = cursor(request, "after") or 0
    rows = part(connection, found.uri, limit=PAGE_ITEMS_MAX + 1, after=after)
    shown = rows[:PAGE_ITEMS_MAX]
    following_query = f"?page=true&after={shown[-1].id}" if len(rows) > PAGE_ITEMS_MAX else ""
    return _page(request, url, _Slice([end(row) for row in shown], following_query))


async def partial_followers(request: Request) -> Response:
    """Which people of a server follow an actor, for an actor of that server alone (FEP-8fcf)."""
    reader = await signed_reader(request)
    return await run_in_threadpool(_partial_followers, request, reader)


def _partial_followers(request: Request, reader: str) -> Response:
    with house(request).database.read() as connection:
        found = _asked_for(request, connection)
        there = origin_of(reader)
        items = queries.followers_at(connection, found.uri, [there])[there]
    return private_answer(ordered_collection(f"{found.uri}/{PARTIAL}", len(items), items=items))


def _featured(above: FromAbove) -> Look:
    def featured_page(request: Request, connection: Connection) -> Served:
        """What an actor shows first: ids of its objects."""
        found = _asked_for(request, connection)
        return _whole(f"{found.uri}/featured", above.featured(connection, found.uri))

    return featured_page


def moderators(request: Request, connection: Connection) -> Served:
    """The collection a group is attributed to (FEP-1b12). Its coordinators are not named to strangers."""
    return _whole(f"{_asked_for(request, connection).uri}/moderators", [])


def _whole(url: str, items: Sequence[str]) -> Served:
    return _collection_document(ordered_collection(url, len(items), items=items))


def _collection(url: str, total: int, *, paged: bool) -> Served:
    return _collection_document(ordered_collection(url, total, f"{url}?page=true" if paged else None))


def _page(request: Request, url: str, part: _Slice) -> Served:
    query = f"?{request.url.query}"
    next_page = f"{url}{part.next}" if part.next else None
    return _collection_document(ordered_page(f"{url}{query}", url, part.items, next_page))


def webfinger_answer(request: Request) -> Response:
    """WebFinger (RFC 7033) for persons, boards, the ledger and the server; for the bare origin FEP-d556."""
    home = house(request)
    names, resource = home.names, request.query_params.get("resource", "")
    if not 0 < len(resource) <= URL_CHARACTERS_MAX:
        raise Refused("resource_missing", "Say which resource is meant, such as acct:ana@northside.example.", 400)
    if resource.removesuffix("/") == names.origin:
        jrd = webfinger.server_jrd(names.origin, names.server)
    else:
        with home.database.read() as connection:
            found = _present(_meant(connection, resource, names))
        jrd = webfinger.actor_jrd(Handle(found.handle, names.host), found.uri, page_of(found, names))
    return _open(orjson.dumps(webfinger.as_document(jrd)), webfinger.JRD_CONTENT_TYPE)


def _meant(connection: Connection, resource: str, names: Names) -> LocalActor | None:
    """The actor of ours that a resource names: its account, its id, or its page."""
    if names.is_ours(resource):
        page_handle = resource.removeprefix(names.page_of(""))
        if page_handle != resource:
            return queries.by_handle(connection, page_handle)
        return queries.by_uri(connection, resource)
    try:
        handle = parse_handle(resource)
    except MalformedUrl:
        return None
    return queries.by_handle(connection, handle.name) if handle.host == names.host else None


def host_meta(request: Request) -> Response:
    """host-meta (RFC 6415): where WebFinger is."""
    return _open(webfinger.host_meta(house(request).names.origin).encode(), webfinger.XRD_CONTENT_TYPE)


def nodeinfo_links(request: Request) -> Response:
    """Where NodeInfo is, and our server actor (FEP-2677)."""
    names = house(request).names
    found = nodeinfo.well_known(names.nodeinfo("2.0"), names.nodeinfo("2.1"), names.server)
    return _open(orjson.dumps(found), "application/json")


def _nodeinfo(above: FromAbove) -> Page:
    def nodeinfo_answer(request: Request) -> Response:
        """NodeInfo 2.0 and 2.1."""
        version = request.path_params["version"]
        if version not in nodeinfo.VERSIONS:
            raise NotFound
        with house(request).database.read() as connection:
            facts = _node_facts(request, connection, above)
        return _open(orjson.dumps(nodeinfo.document(version, facts)), nodeinfo.content_type(version))

    return nodeinfo_answer


def _node_facts(request: Request, connection: Connection, above: FromAbove) -> nodeinfo.NodeFacts:
    home = house(request)
    now = home.units.clock.now()
    return nodeinfo.NodeFacts(
        software="fedaid",
        version=fedaid.__version__,
        repository=above.source_url,
        homepage=above.source_url,
        users=queries.count_of_kind(connection, Kind.PERSON),
        active_month=above.active_since(connection, now - MONTH),
        active_half_year=above.active_since(connection, now - HALF_YEAR),
        local_posts=above.posts(connection),
        open_registrations=above.everybody_may_join(connection),
        name=home.called,
        description="",
    )


def _open(body: bytes, media_type: str) -> Response:
    """An answer that pages of any site may read: Mastodon's web clients ask from the browser."""
    answer = _json(body, DISCOVERY_SECONDS_MAX, media_type)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
