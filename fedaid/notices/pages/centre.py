"""The page of one's notices: newest first, opened is read, and all of them read at once."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from fedaid.foundation import wording
from fedaid.foundation.ids import row_id
from fedaid.foundation.pages import Form, account_holder, go, house, render
from fedaid.notices import commands, queries
from fedaid.notices.limits import NoticeLimits
from fedaid.notices.queries.shown import Reader, shown


def reader(request: Request) -> Reader:
    """Who reads their notices here. Raises SignInNeeded."""
    home = house(request)
    return Reader(account_holder(request), home.names.host, home.federation)


def notices_page(limits: NoticeLimits) -> Callable[[Request], Response]:
    """How notices are shown."""

    def page(request: Request) -> Response:
        """My notices, newest first; ``before`` names the one where the page before ended."""
        who, home = reader(request), house(request)
        asked = request.query_params.get("before", "")
        before, now = row_id(asked) if asked else None, home.units.clock.now()
        with home.database.read() as connection:
            found = queries.page(connection, who.viewer.member_id or 0, limits.page_rows_max + 1, before)
            notices = [shown(connection, who, one) for one in found[: limits.page_rows_max]]
        answer = render(
            request,
            "notices/notices.html",
            notices=notices,
            older=notices[-1].id if len(found) > limits.page_rows_max else None,
            newest=notices[0].id if notices else 0,
            is_first=before is None,
            since=lambda moment: wording.since(moment, now, who.viewer.time_zone),
            kept_days=limits.kept_days,
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return page


def open_notice(request: Request, form: Form) -> Response:
    """Read a notice and go to what it is about; back to the notices where that is gone. Raises NotFound."""
    who = reader(request)
    with house(request).units.begin() as work:
        found = commands.read(work, who.viewer.member_id or 0, request.path_params["number"])
        now = shown(work.connection, who, found)
    return go(now.told.path if now.told is not None else "/notices")


def read_all(request: Request, form: Form) -> Response:
    """Everything that stood on the page is read; what came since is not."""
    who = account_holder(request)
    with house(request).units.begin() as work:
        commands.read_all(work, who.member_id or 0, row_id(form["up_to"]))
    return go("/notices", "notices_read")
