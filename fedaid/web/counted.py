"""Counts every answer by the room that gave it and the class of its status, and how long it took until it began."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fedaid.foundation.api import BASE

Answered = Callable[[float, str, str], None]  # seconds, group, class of the status
_SUCCESSES = 400  # below


class CountedAnswers:
    """Stands before everything else. No label is a stranger's word: rooms and classes of statuses are ours."""

    def __init__(self, app: ASGIApp, answered: Answered) -> None:
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                self._answered(time.perf_counter() - began, group_of(scope, status), f"{status // 100}xx")
            await send(message)

        await self._app(scope, receive, counting_send)


def group_of(scope: Scope, status: int) -> str:
    """The room that answered; ``ready`` or ``refused`` where none was asked."""
    path: str = scope["path"]
    if path.endswith("/inbox"):
        return "inbox"
    if path.startswith(f"{BASE}/"):
        return "api"
    endpoint = scope.get("endpoint")
    if endpoint is None:
        return "ready" if status < _SUCCESSES else "refused"
    if path.startswith("/static/"):
        return "static"
    package, _, rest = getattr(endpoint, "__module__", "").partition(".")
    return rest.partition(".")[0] if package == "fedaid" else "other"
