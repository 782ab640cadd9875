"""The address at which an open page hears how many notices are new (Server-Sent Events)."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from fedaid.foundation.pages import account_holder, house
from fedaid.members.queries import digest
from fedaid.notices.live import Line, Live

HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep the events back otherwise
}


def live_page(live: Live) -> Callable[[Request], Awaitable[Response]]:
    """How pages listen."""

    async def listen(request: Request) -> Response:
        """How many of my notices are new, whenever that changes (`text/event-stream`), until I sign out."""
        who = await run_in_threadpool(account_holder, request)
        session = digest(request.cookies.get(house(request).cookie_name, ""))
        return _Events(live, live.join(who.member_id or 0, session))

    return listen


class _Events(StreamingResponse):
    """The stream of one line, which is given back however it ends."""

    def __init__(self, live: Live, line: Line) -> None:
        events = line.events(live.limits.live_heartbeat_seconds)
        super().__init__(events, headers=HEADERS, media_type="text/event-stream")
        self._live = live
        self._line = line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._live.leave(self._line)
