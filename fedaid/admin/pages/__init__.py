"""The admin's pages: neighbouring networks, and the two mail rooms."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.admin.networks import Desk
from fedaid.admin.pages import deliveries, letters, networks


def routes(desk: Desk) -> Sequence[Route]:
    """Every page that only an admin, or a coordinator, may open."""
    return [*networks.routes(desk), *deliveries.routes(), *letters.routes()]
