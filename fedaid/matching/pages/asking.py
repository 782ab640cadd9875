"""The buttons of asking: ask them, yes, not this time."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation.pages import Form, go, house, member, number_of
from fedaid.matching import commands
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.pages.looking import looking_from

PERSON = "person-"


def ask(limits: MatchingLimits) -> Callable[[Request, Form], Response]:
    """Ask the neighbours who are ticked."""

    def post(request: Request, form: Form) -> Response:
        """Ask the neighbours who are ticked whether they could help with my request."""
        who, listing_id, home = member(request), number_of(request), house(request)
        numbers = [name.removeprefix(PERSON) for name in form if name.startswith(PERSON)]
        chosen = {int(one) for one in numbers if one.isascii() and one.isdigit() and len(one) < 19}
        with home.units.begin() as work:
            commands.ask_neighbours(work, who, listing_id, chosen, looking_from(home, limits))
        return go(f"/listings/{listing_id}", "asked")

    return post


def yes(request: Request, form: Form) -> Response:
    """I was asked, and can help: it is answered as on the board."""
    who, ask_id = member(request), number_of(request)
    with house(request).units.begin() as work:
        listing_id = commands.say_yes(work, who, ask_id, form["message"])
    return go(f"/listings/{listing_id}", "response_sent")


def not_now(request: Request, form: Form) -> Response:
    """I was asked, and cannot help this time; nobody is told."""
    who, ask_id = member(request), number_of(request)
    with house(request).units.begin() as work:
        commands.say_not_now(work, who, ask_id)
    return go("/me", "not_this_time")
