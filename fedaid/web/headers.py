"""Stands before every page: the Host must be ours, forms come from our own pages, and browsers get strict headers."""

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fedaid.foundation import i18n
from fedaid.foundation.pages import CONTENT_SECURITY_POLICY, SAFE_METHODS

HOST_CHARACTERS_LOGGED_MAX = 255

_log = structlog.get_logger()

_OWN_SITES = frozenset({"same-origin", "none"})


class OurHost:
    """Refuses a request for a host that is not this instance (attack S28): 421, RFC 9110 section 15.5.20."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "") if scope["type"] == "http" else self._host
        if not self._is_ours(host):
            # The host is told to the admin: mostly it is a proxy that does not pass it on.
            _log_refusal(scope, 421, "unknown_host", host=host[:HOST_CHARACTERS_LOGGED_MAX])
            refusal = PlainTextResponse(f"This server answers for {self._host} only.\n", 421)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        return host.lower() == self._host


class OwnForms:
    """Refuses a form that another site made a browser send (attack S82).

    Browsers say where a request comes from in Sec-Fetch-Site, older ones in Origin; a page that sends neither
    is no browser and carries no cookie of ours that it was not given on purpose.
    """

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and self._is_foreign(Headers(scope=scope)):
            _log_refusal(scope, 403, "foreign_form")
            refusal = PlainTextResponse("This form was sent from another site, so nothing was done.\n", 403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        if "cookie" not in headers:
            return False
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site not in _OWN_SITES
        return headers.get("origin", self._origin) != self._origin


class SpokenLanguage:
    """Answers each request in the language its browser asks for, until the page knows who looks."""

    def __init__(self, app: ASGIApp, otherwise: str) -> None:
        self._app = app
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope).get("accept-language", "") if scope["type"] == "http" else ""
        with i18n.speaking(i18n.wanted(asked, self._otherwise)):
            await self._app(scope, receive, send)


class StrictHeaders:
    """Adds to every answer what keeps a browser from guessing, framing or leaking."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def strict_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                if headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("Cache-Control", "private, no-cache")
                    headers.add_vary_header("Cookie, Accept, Accept-Language")
            await send(message)

        await self._app(scope, receive, strict_send)


def _log_refusal(scope: Scope, status: int, code: str, **more: object) -> None:
    _log.info("page_refused", path=scope["path"], status=status, code=code, **more)
