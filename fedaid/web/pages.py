"""The pages that belong to no single feature: my day, a member's page, and whether the server is alive."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fedaid.admin.pages.neighbourhood import STEPS
from fedaid.board import queries as board
from fedaid.board.limits import BoardLimits
from fedaid.foundation.pages import house, member, render, viewer
from fedaid.foundation.refused import NotFound
from fedaid.foundation.viewer import Viewer
from fedaid.groups import queries as groups
from fedaid.matching.limits import MatchingLimits
from fedaid.matching.pages import for_my_day
from fedaid.members import queries as members
from fedaid.members.queries import joining
from fedaid.mentions import queries as mentions
from fedaid.skills.pages import of_person
from fedaid.timebank import queries as hours
from fedaid.web.sayings import ACTION_WORDS, LISTING_WORDS, RESPONSE_WORDS


def routes(limits: MatchingLimits, board_limits: BoardLimits) -> Sequence[Route]:
    """My day, and the two health checks. A member's page is reached through ``/@handle``, which boards share."""
    return [
        Route("/me", my_day(limits, board_limits), methods=["GET"]),
        Route("/livez", alive, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
    ]


def my_day(limits: MatchingLimits, board_limits: BoardLimits) -> Callable[[Request], Response]:
    """What waits for me, each with its button."""

    def page(request: Request) -> Response:
        """What waits for me, each with its button; then what I have on the board and promised, and what fits me."""
        who, home = member(request), house(request)
        with home.database.read() as connection:
            return render(
                request,
                "web/my_day.html",
                to_confirm_hours=hours.waiting_for(connection, who.actor, home.names.host),
                actions=board.next_actions(connection, who, home.federation),
                ending=_ending(connection, who, home.units.clock.now(), board_limits),
                drafts=board.drafts(connection, who),
                from_elsewhere=mentions.count_waiting(connection, who),
                applications=joining.count_applications(connection) if who.is_coordinator else 0,
                queues=_queues(connection, who),
                is_set_up=not who.is_admin or joining.our_neighbourhood(connection).steps_done >= set(STEPS),
                matching=for_my_day(home, limits, who, connection),
                listings=board.my_listings(connection, who),
                answers=board.my_responses(connection, who),
                under_way=hours.under_way(connection, who.actor, home.names.host),
                statement=hours.statement(connection, who.actor, home.names.host, lines_max=0),
                action_words=ACTION_WORDS,
                state_words=LISTING_WORDS,
                response_words=RESPONSE_WORDS,
            )

    return page


def _ending(connection: Connection, who: Viewer, now: datetime, limits: BoardLimits) -> Sequence[board.Listing]:
    """What leaves the board soon, or left it a short while ago."""
    warned, shown = timedelta(days=limits.expiry_warning_days), timedelta(days=limits.expired_shown_days)
    return board.ending(connection, who, now + warned, now - shown)


def _queues(connection: Connection, who: Viewer) -> Sequence[tuple[groups.Board, int]]:
    """The groups that the viewer coordinates in which something waits, and how much."""
    mine = groups.coordinated_by(connection, who.member_id or 0)
    waiting = [
        (one, groups.count_applications(connection, [one.id]) + board.count_to_look_at(connection, [one.actor]))
        for one in mine
    ]
    return [(one, number) for one, number in waiting if number]


def profile(request: Request) -> Response:
    """What a member shows of themselves; how much they gave and received, for members, unless they hide it."""
    who, home = viewer(request), house(request)
    with home.database.read() as connection:
        found = members.by_handle(connection, request.path_params["handle"])
        if found is None:
            raise NotFound
        account = hours.account_of(connection, found.actor)
        shown = account is not None and who.signed_in and (not account.hides_balance or who.actor == found.actor)
        statement = hours.statement(connection, found.actor, home.names.host, lines_max=0) if shown else None
        skills = of_person(connection, who, found.id, board.categories)
    return render(request, "web/profile.html", member=found, statement=statement, account=account, skills=skills)


async def alive(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("alive\n")


def ready(request: Request) -> Response:
    """The process can read its database."""
    with house(request).database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    return PlainTextResponse("ready\n")
