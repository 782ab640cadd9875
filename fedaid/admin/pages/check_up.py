"""The page of the doctor: what is in order and what to mend, looked at when the admin asks."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedaid.admin.doctor import Finding, Patient, examine
from fedaid.foundation.pages import admin, render


def routes(patient: Patient) -> Sequence[Route]:
    """The page, and the look itself: it asks other servers, so it waits for the button (attack S91)."""
    return [
        Route("/check-up", waiting_page, methods=["GET"]),
        Route("/check-up", _look(patient), methods=["POST"]),
    ]


def waiting_page(request: Request) -> Response:
    """What will be looked at, and the button."""
    admin(request)
    return _page(request, None)


def _look(patient: Patient) -> Callable[[Request], Awaitable[Response]]:
    async def look(request: Request) -> Response:
        """Looks now, and shows what is in order and what to mend."""
        await run_in_threadpool(admin, request)
        return await run_in_threadpool(_page, request, await examine(patient))

    return look


def _page(request: Request, findings: Sequence[Finding] | None) -> Response:
    return render(request, "admin/check_up.html", findings=findings)
