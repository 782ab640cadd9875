"""Keeping a search of the board, looking at what is new for it, and keeping it no longer."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from fedaid.board import queries as board
from fedaid.foundation.pages import Form, go, house, member, number_of, render
from fedaid.foundation.refused import Refused
from fedaid.matching import commands
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.rules import SEARCH_NAME_CHARACTERS_MAX


def new_page(request: Request) -> Response:
    """The form to keep the search of the board whose filters stand in the address."""
    return _page(request, _query(request.query_params))


def _query(asked: Mapping[str, str]) -> str:
    """The filters that the board knows, and no more."""
    return urlencode({name: asked[name] for name in board.FILTERS if asked.get(name) and name != "mine"})


def _page(request: Request, query: str, name: str | None = None, refused: Refused | None = None) -> Response:
    member(request)
    asked = dict(parse_qsl(query))
    filters = board.read_filters(asked, signed_in=True)
    with house(request).database.read() as connection:
        kinds = {one.slug: one.name for one in board.categories(connection)}
    said = " · ".join(part for part in (filters.text, kinds.get(filters.category, "")) if part)
    return render(
        request,
        "matching/new_search.html",
        refused.status if refused is not None else 200,
        query=query,
        name=said[:SEARCH_NAME_CHARACTERS_MAX] if name is None else name,
        filters=filters,
        kinds=kinds,
        name_max=SEARCH_NAME_CHARACTERS_MAX,
        wrong_sentence=refused.sentence if refused is not None else "",
    )


def save(limits: MatchingLimits) -> Callable[[Request, Form], Response]:
    """Keep a search."""

    def post(request: Request, form: Form) -> Response:
        """Keep a search of the board under a name."""
        who = member(request)
        query = _query(dict(parse_qsl(form["query"])))
        try:
            with house(request).units.begin() as work:
                commands.save_search(work, who, form["name"], query, limits)
        except Refused as refused:
            return _page(request, query, form["name"], refused)
        return go("/me", "search_saved")

    return post


def show(request: Request, form: Form) -> Response:
    """Go to the board with a kept search; what is new for it counts as seen."""
    who, search_id = member(request), number_of(request)
    with house(request).units.begin() as work:
        query = commands.look_at_search(work, who, search_id)
    return go(f"/board?{query}")


def delete(request: Request, form: Form) -> Response:
    """Keep a search no longer."""
    who, search_id = member(request), number_of(request)
    with house(request).units.begin() as work:
        commands.forget_search(work, who, search_id)
    return go("/me", "search_forgotten")
