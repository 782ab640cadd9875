"""The pages of notices: what is new, and what somebody wants to be told of."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.foundation.pages import form_page
from fedaid.notices.limits import NoticeLimits
from fedaid.notices.live import Live
from fedaid.notices.pages import centre
from fedaid.notices.pages.live import live_page


def routes(limits: NoticeLimits, live: Live) -> Sequence[Route]:
    """Everything under /notices."""
    return [
        Route("/notices", centre.notices_page(limits), methods=["GET"]),
        Route("/notices/live", live_page(live), methods=["GET"]),
        Route("/notices/read", form_page(centre.read_all), methods=["POST"]),
        Route("/notices/{number:int}/open", form_page(centre.open_notice), methods=["POST"]),
    ]
