"""The page that our proposals of a link lead to: how we trade hours with neighbouring networks."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.pages import house, render, viewer
from fedaid.members import queries as members
from fedaid.members.queries import Member
from fedaid.timebank.limits import TimebankLimits


def trade_page(limits: TimebankLimits, contact: str) -> Callable[[Request], Response]:
    """The page, with the figures we start with."""

    def endpoint(request: Request) -> Response:
        """How we trade hours with neighbouring networks, for anybody; our proposals of a link lead here."""
        admins: Sequence[Member] = ()
        if viewer(request).signed_in:  # only members learn the names of members
            with house(request).database.read() as connection:
                admins = members.admins(connection)
        return render(request, "timebank/trade.html", limits=limits, contact=contact, admins=admins)

    return endpoint
