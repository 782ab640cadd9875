"""Reading the board: its pages for people."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activitypub.vocabulary import CONTENT_TYPE
from fedaid.actors.queries import Card
from fedaid.board import queries
from fedaid.board.pages.wording import reached, shown, with_emoji
from fedaid.board.queries import FILTERS, KM_CHOICES, Filters, Listing, read_filters
from fedaid.board.rules import SEARCH_CHARACTERS_MAX, MatchState, ResponseState, is_slug
from fedaid.board.wire.shapes import hashtag_of, listing_content
from fedaid.foundation.pages import House, house, number_of, render, same_until_changed, viewer
from fedaid.foundation.refused import NotFound
from fedaid.foundation.text import paragraphs
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.wording import day_and_time
from fedaid.groups import queries as groups
from fedaid.media.proxy import PictureProxy
from fedaid.members.queries.joining import our_neighbourhood
from fedaid.network.queries import verdicts_on
from fedaid.network.rules.restrictions import Standing

NOTHING_SAID: Final[Mapping[int, str]] = {}


# the board


def home(request: Request) -> Response:
    """The front page: what this neighbourhood is for strangers, the board for members."""
    return board_page(request)


def board_page(request: Request) -> Response:
    """The board with the filters that stand in the address."""
    return _board(request, filters_of(request))


def with_position(home: House, connection: Connection, who: Viewer, filters: Filters) -> Filters:
    """The filters with the position that they name: where the viewer lives, degrees, or a place of the board."""
    return queries.with_position(connection, who, filters, home.position_of)


def group_board(request: Request) -> Response:
    """One group's own board. Raises NotFound when no group here has this handle."""
    with house(request).database.read() as connection:
        found = groups.board_by_handle(connection, request.path_params["handle"])
    if found is None:
        raise NotFound
    return _board(request, replace(filters_of(request), board_actor=found.actor), found)


def _board(request: Request, filters: Filters, group: groups.Board | None = None) -> Response:
    home, who = house(request), viewer(request)
    same_until_changed(request)
    now = home.units.clock.now()
    with home.database.read() as connection:
        filters = with_position(home, connection, who, filters)
        page = queries.board(connection, who, filters, now, home.names.host, home.federation)
        kinds = queries.categories(connection, filters.category)
        default = groups.default_board(connection)
        here_board = group or default
        neighbours = groups.followed_boards(connection, here_board, home.names.host) if here_board is not None else []
        shown_boards = _to_show(connection, home, who, neighbours)
        waiting = queries.next_actions(connection, who, home.federation)
        here = our_neighbourhood(connection)
        role = groups.roles_in(connection, who.member_id, [group.id]).get(group.id) if group is not None else None
        looks_after = group is not None and groups.coordinates(connection, who, group.id)
        queue = _in_queue(connection, group) if group is not None and looks_after else 0
        position = home.position_of(connection, who)
        on_cards = home.on_cards(home, who, connection, [one.listing.id for one in page.listings])
    return render(
        request,
        "board/board.html",
        listings=[shown(one, who, now, position) for one in page.listings],
        on_cards=on_cards,
        more=link(request, before=str(page.next_before)) if page.next_before is not None else "",
        filters=filters,
        categories=kinds,
        group=group,
        neighbours=shown_boards,
        waiting=waiting,
        neighbourhood=here,
        group_role=role,
        looks_after=looks_after,
        queue=queue,
        follow_handle=f"@{group.handle if group else 'board'}@{home.names.host}",
        here=request.url.path if group is not None else "/board",
        link=lambda **changes: link(request, **changes),
        map_link=_map_link(request),
        km_choices=KM_CHOICES,
        knows_position=who.signed_in and position is not None,
    )


def _in_queue(connection: Connection, group: groups.Board) -> int:
    applications = groups.count_applications(connection, [group.id])
    return applications + queries.count_to_look_at(connection, [group.actor])


def _to_show(connection: Connection, home: House, who: Viewer, boards: Sequence[Card]) -> Sequence[Card]:
    """Without boards that are shut out; those that are limited stand on no page for strangers."""
    verdicts = verdicts_on(connection, home.federation, [one.uri for one in boards])
    hidden = {Standing.SHUT_OUT} if who.signed_in else {Standing.SHUT_OUT, Standing.LIMITED}
    return [one for one in boards if verdicts[one.uri].standing not in hidden]


def filters_of(request: Request) -> Filters:
    """The filters in the address of this request."""
    return read_filters(request.query_params, signed_in=viewer(request).signed_in)


def link(request: Request, **changes: str) -> str:
    """The same board with other filters; an empty value takes one out, and paging begins anew."""
    kept = {key: request.query_params[key] for key in FILTERS if key in request.query_params}
    chosen = {key: value for key, value in {**kept, **changes}.items() if value}
    path = request.url.path if request.url.path.startswith("/@") else "/board"
    return f"{path}?{urlencode(chosen)}" if chosen else path


def _map_link(request: Request) -> str:
    """The map with the same filters."""
    kept = {key: request.query_params[key] for key in FILTERS if request.query_params.get(key)}
    return f"/board/map?{urlencode(kept)}" if kept else "/board/map"


def category(request: Request) -> Response:
    """A category's id leads to the board filtered by it."""
    slug = request.path_params["slug"]
    if not is_slug(slug):
        raise NotFound
    return RedirectResponse(f"/board?{urlencode({'category': slug})}", 302)


def tag(request: Request) -> Response:
    """A hashtag leads to its category, else to a search for the word."""
    name = request.path_params["name"].lower()
    with house(request).database.read() as connection:
        slugs = [one.slug for one in queries.all_categories(connection)]
    slug = next((slug for slug in slugs if hashtag_of(slug) == name), "")
    query = {"category": slug} if slug else {"q": name[:SEARCH_CHARACTERS_MAX]}
    return RedirectResponse(f"/board?{urlencode(query)}", 302)


# one listing


def show_listing(
    request: Request,
    listing_id: int,
    status: int = 200,
    wrong: str = "",
    typed: str = "",
    said: Mapping[int, str] = NOTHING_SAID,
    thanks: Mapping[int, str] = NOTHING_SAID,
) -> Response:
    """The page, with what was wrong and what was typed when an answer, or words to a response or of thanks, could not
    be taken."""
    home, who = house(request), viewer(request)
    same_until_changed(request)
    with home.database.read() as connection:
        values = _listing_values(connection, home, who, listing_id)
        values["beside"] = home.beside_listing(home, who, connection, listing_id)
    answer = render(
        request,
        "board/listing.html",
        status,
        wrong_sentence=wrong,
        typed=typed,
        typed_remarks=dict(said),
        typed_thanks=dict(thanks),
        **values,
    )
    if values["one"].listing.local:
        answer.headers["Link"] = f'<{values["one"].listing.uri}>; rel="alternate"; type="{CONTENT_TYPE}"'
    return _vary(answer)


def _listing_values(connection: Connection, home: House, who: Viewer, listing_id: int) -> dict[str, Any]:
    now = home.units.clock.now()
    listing = queries.listing(connection, who, listing_id, home.federation)
    (noticed,) = queries.noticed(connection, who, [listing], home.names.host)
    one = shown(noticed, who, now)
    mine = queries.my_responses(connection, who, listing)
    responses = queries.responses(connection, who, listing, home.federation)
    pictures = queries.pictures(connection, [listing.uri, *_uris_of((*responses, *mine))])
    return {
        "one": one,
        "board": noticed.board,
        "author": noticed.author,
        "responses": responses,
        "reactions": queries.reactions(connection, who, listing),
        "shown_pictures": lambda uri: [one for one in pictures.get(uri, ()) if not one.emoji],
        "details": with_emoji(one.details, pictures.get(listing.uri, ())),
        "mine": mine,
        "thanked": {one.response_id for each in (*responses, *mine) for one in each.remarks if one.is_thanks},
        "may_respond": listing.takes_responses(now) and not listing.is_by(who) and not _waits(mine),
        "matches": queries.matches_of_listing(connection, who, listing),
        "meeting": queries.meeting(connection, who, listing),
        "photo": queries.photo_of(connection, listing.id),
        "preview": _preview(listing, noticed.helpers),
        "review": queries.review_of(connection, listing.id) if listing.is_by(who) or who.is_coordinator else None,
        "reach": queries.reach(connection, listing) if listing.is_by(who) or who.is_admin else None,
        "reached": reached,
        "as_html": lambda text, uri="": with_emoji(
            Markup(paragraphs(text)),  # noqa: S704 - escaped by paragraphs
            pictures.get(uri, ()),
        ),
        "said_when": lambda moment: day_and_time(moment, who.time_zone),
    }


def _uris_of(answers: Iterable[queries.Answered]) -> list[str]:
    """The ids of what was written in and after these answers."""
    return [uri for one in answers for uri in (one.response.uri, *(remark.uri for remark in one.remarks))]


def _waits(mine: Sequence[queries.Answered]) -> bool:
    """Whether the viewer's answer stands: waiting, or accepted and not done."""
    return any(
        one.response.state is ResponseState.OFFERED
        or (one.match is not None and one.match.state is MatchState.ACCEPTED)
        for one in mine
    )


def _preview(listing: Listing, helpers: int) -> Markup:
    """How the fediverse sees a listing of ours."""
    html = listing_content(listing, helpers) if listing.local and listing.is_public else ""
    return Markup(html)  # noqa: S704 - built by us, every text in it escaped


def _vary(answer: Response) -> Response:
    answer.headers.add_vary_header("Accept")
    return answer


def picture_page(pictures: PictureProxy) -> Callable[[Request], Awaitable[Response]]:
    """The pictures and emoji of listings and answers from elsewhere."""

    def find(request: Request) -> queries.StoredPicture:
        with house(request).database.read() as connection:
            return queries.picture(connection, viewer(request), number_of(request))

    async def page(request: Request) -> Response:
        """A picture or an emoji of another server as WebP, for those who may see what it belongs to."""
        found = await run_in_threadpool(find, request)
        return await pictures.show(found.url, is_emoji=found.emoji)

    return page
