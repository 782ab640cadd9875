"""The pages of notices: what is new, and what somebody wants to be told of."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.foundation.pages import form_page
from fedaid.notices.limits import NoticeLimits
from fedaid.notices.pages import centre


def routes(limits: NoticeLimits) -> Sequence[Route]:
    """Everything under /notices."""
    return [
        Route("/notices", centre.notices_page(limits), methods=["GET"]),
        Route("/notices/read", form_page(centre.read_all), methods=["POST"]),
        Route("/notices/{number:int}/open", form_page(centre.open_notice), methods=["POST"]),
    ]
