"""The pages of matching: what stands beside a listing and on My day, asking neighbours, and searches that are kept."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.foundation.pages import form_page
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.pages import asking, next_door, searches
from fedaid.matching.pages.beside import beside_listing, on_cards
from fedaid.matching.pages.day import ForMe, for_my_day
from fedaid.skills.wire import Directories

__all__ = ["ForMe", "beside_listing", "for_my_day", "on_cards", "routes"]


def routes(limits: MatchingLimits, directories: Directories) -> Sequence[Route]:
    """The buttons, and the form with which a search is kept."""
    return [
        Route("/listings/{number:int}/ask", form_page(asking.ask(limits)), methods=["POST"]),
        Route("/listings/{number:int}/neighbours", next_door.next_door_page(limits, directories), methods=["GET"]),
        Route("/asks/{number:int}/yes", form_page(asking.yes), methods=["POST"]),
        Route("/asks/{number:int}/not-now", form_page(asking.not_now), methods=["POST"]),
        Route("/searches/new", searches.new_page, methods=["GET"]),
        Route("/searches", form_page(searches.save(limits)), methods=["POST"]),
        Route("/searches/{number:int}/show", form_page(searches.show), methods=["POST"]),
        Route("/searches/{number:int}/delete", form_page(searches.delete), methods=["POST"]),
    ]
