"""The pages of those who look after the neighbourhood: networks, the two mail rooms, reports and blocks."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.admin.networks import Desk
from fedaid.admin.pages import blocks, deliveries, letters, networks, reports


def routes(desk: Desk) -> Sequence[Route]:
    """Every page for admins and coordinators, and those on which members report or block somebody."""
    return [*networks.routes(desk), *deliveries.routes(), *letters.routes(), *reports.routes(), *blocks.routes()]
