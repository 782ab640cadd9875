"""What stands beside a listing and on its card: why it is suggested to me, or who and what could help with mine."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup
from sqlalchemy import Connection

from fedaid.board import queries as board
from fedaid.board.queries import Listing
from fedaid.board.rules import Kind
from fedaid.foundation.pages import Beside, House, OnCards
from fedaid.foundation.viewer import Viewer
from fedaid.matching import queries
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.pages.looking import looking_from, seen
from fedaid.matching.queries import Why
from fedaid.matching.rules import ReasonKind
from fedaid.skills.pages.neighbours import linked
from fedaid.skills.rules import LANGUAGES


def beside_listing(limits: MatchingLimits) -> Beside:
    """How the board is told what to put beside a listing; nothing for somebody signed out."""

    def beside(house: House, viewer: Viewer, connection: Connection, listing_id: int) -> Markup:
        found = board.any_listing(connection, listing_id)
        if not viewer.signed_in or found is None or not found.takes_responses(house.units.clock.now()):
            return Markup("")
        values = _values(house, limits, viewer, connection, found)
        values |= {"kinds": {one.slug: one.name for one in board.categories(connection)}, "languages": LANGUAGES}
        html = house.templates.get_template("matching/beside.html").render(listing=found, viewer=viewer, **values)
        return Markup(html)  # noqa: S704 - rendered with escaping on

    return beside


def _values(
    house: House, limits: MatchingLimits, viewer: Viewer, connection: Connection, found: Listing
) -> dict[str, Any]:
    looking = looking_from(house, limits)
    nothing: dict[str, Any] = {
        "why": None,
        "neighbours": (),
        "asked": None,
        "fitting": (),
        "fits_mine": None,
        "next_door": (),
    }
    mine = found.is_by(viewer) and not found.is_for_elsewhere
    if mine and found.kind is Kind.REQUEST:
        asked = queries.asked_about(connection, found)
        room = min(limits.asks_at_once_max, limits.asks_per_listing_max - asked.people)
        return nothing | {
            "neighbours": queries.neighbours_for(connection, viewer, found, looking, room) if room > 0 else (),
            "asked": asked,
            "next_door": [one.name for one in linked(connection, house.names.host)],
            "fitting": seen(viewer, looking, queries.offers_for_request(connection, viewer, found, looking)),
        }
    if mine:
        fitting = queries.requests_for_offer(connection, viewer, found, looking)
        return nothing | {"fitting": seen(viewer, looking, fitting)}
    if found.kind is Kind.REQUEST:
        return nothing | {"why": queries.why_me(connection, viewer, found, looking.now)}
    return nothing | {"fits_mine": queries.my_request_for(connection, viewer, found, looking)}


def _beside_the_facts(why: Why) -> Why:
    """Without what the card says already: how far it is."""
    rest = tuple(one for one in why.fit.reasons if one.kind is not ReasonKind.NEAR)
    return replace(why, fit=replace(why.fit, reasons=rest))


def on_cards(limits: MatchingLimits) -> OnCards:
    """How the board is told what to put on the cards of a page: why each is something for the viewer, if it is."""

    def on(house: House, viewer: Viewer, connection: Connection, listing_ids: Sequence[int]) -> Mapping[int, Markup]:
        found = queries.whys(connection, viewer, listing_ids, looking_from(house, limits))
        kinds = {one.slug: one.name for one in board.categories(connection)} if found else {}
        written: Any = house.templates.get_template("matching/on_card.html").module
        return {
            number: written.on_card(why if why.mine else _beside_the_facts(why), kinds, LANGUAGES)
            for number, why in found.items()
        }

    return on
