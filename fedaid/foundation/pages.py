"""What every page stands on: the house behind the door, who is looking, what they typed, and how to answer."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from http import HTTPStatus
from urllib.parse import urlencode

from jinja2 import Environment
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fedaid.foundation import i18n
from fedaid.foundation.database import Database
from fedaid.foundation.federation import Federation
from fedaid.foundation.ids import ROW_ID_MAX
from fedaid.foundation.names import Names
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.renamed import Renamed
from fedaid.foundation.said import said
from fedaid.foundation.viewer import SIGNED_OUT, Viewer
from fedaid.foundation.work import UnitsOfWork

SAME_UNTIL_CHANGED = "fedaid.same_until_changed"  # in the scope of a request
FORM_FIELDS_MAX = 100
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD_CHARACTERS_MAX = 20_000
# What a browser may load for a page: ours alone. A page that shows something else says so itself.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; script-src 'self'; connect-src 'self'; manifest-src 'self'"
)
READER_HEADERS = "Accept, Authorization, Cookie, Signature"  # by which we tell who reads


async def _recognises_no_server(_request: Request) -> str:
    raise Refused("unsigned", "Signed requests are not checked here.", HTTPStatus.UNAUTHORIZED)


@dataclass(frozen=True)
class House:
    """What stands behind the doors of one instance.

    name         what the neighbourhood was founded as, e.g. Northside
    renamed      what its admins call it since
    recognise    the viewer of a session's token, None when the session is unknown or ended
    time_zone    the neighbourhood's own (IANA name), for somebody who has not said theirs
    language     the neighbourhood's own, for a browser that asks for none of ours
    federation   whom this instance speaks with, and so whose things its pages show
    identify     the id of the actor that signed a request; raises Refused, 401 for a wrong signature
    secure_mode  whether other servers must sign whatever they ask for
    position_of     where a member said they live, roughly; None where they did not
    map_tiles       the address of a server's map tiles with {z}, {x} and {y} in it; empty: nobody is asked for any
    map_credit      whom that server wants to be named
    beside_listing  what rooms above the board put beside a listing, as HTML that is safe to show
    on_cards     the same for the cards of a page, by the row ids of their listings; nothing where there is nothing
    unread       how many notices a member has not read, by the member's row id
    mails        whether a mail server is set, so that mails go out
    """

    name: str
    names: Names
    database: Database
    units: UnitsOfWork
    templates: Environment
    recognise: Callable[[Connection, str], Viewer | None]
    time_zone: str = "UTC"
    language: str = i18n.ENGLISH
    federation: Federation = Federation.OPEN
    identify: Callable[[Request], Awaitable[str]] = _recognises_no_server
    secure_mode: bool = False
    renamed: Renamed | None = None
    beside_listing: "Beside" = lambda *_: Markup("")
    position_of: "PositionOf" = lambda *_: None
    map_tiles: str = ""
    map_credit: str = ""
    unread: Callable[[Connection, int | None], int] = lambda *_: 0
    on_cards: "OnCards" = lambda *_: {}
    mails: bool = False

    @property
    def called(self) -> str:
        """The neighbourhood's name as it is now."""
        return (self.renamed() if self.renamed is not None else "") or self.name

    @property
    def cookie_name(self) -> str:
        """The session cookie's name. It carries the instance, as browsers share cookies between ports of one host."""
        instance = re.sub(r"[^a-z0-9]", "-", self.names.host)
        return f"__Host-fedaid-{instance}" if self.is_secure else f"fedaid-{instance}"

    @property
    def is_secure(self) -> bool:
        """Whether this instance is reached over https, so that cookies may insist on it."""
        return self.names.origin.startswith("https://")


PositionOf = Callable[[Connection, Viewer], tuple[float, float] | None]
# The house, who looks, and the listing by its row id.
Beside = Callable[[House, Viewer, Connection, int], Markup]
OnCards = Callable[[House, Viewer, Connection, Sequence[int]], Mapping[int, Markup]]


class SignInNeeded(Refused):
    """Raised for somebody signed out; the shell leads them to the sign-in page and back."""

    def __init__(self) -> None:
        super().__init__("sign_in_needed", "Please sign in first.", HTTPStatus.UNAUTHORIZED)


class AgreementNeeded(Refused):
    """Raised where a member would act who has not accepted the community agreement; the shell asks them to."""

    def __init__(self) -> None:
        super().__init__(
            "agreement_needed",
            "The agreement of this neighbourhood has changed. Please read and accept it first.",
            HTTPStatus.FORBIDDEN,
        )


def house(request: Request) -> House:
    """The house this request came to."""
    found: House = request.app.state.house
    return found


def viewer(request: Request) -> Viewer:
    """Who is looking, as the session says; SIGNED_OUT when nobody is signed in. Looked up once per request.

    From here on everything is said in the language they chose, if they chose one.
    """
    if "viewer" not in request.scope:
        request.scope["viewer"] = _recognise(request)
    found: Viewer = request.scope["viewer"]
    if found.language:
        i18n.speak(found.language)
    return found


def _recognise(request: Request) -> Viewer:
    home = house(request)
    token = request.cookies.get(home.cookie_name, "")
    if not token:
        return replace(SIGNED_OUT, time_zone=home.time_zone)
    with home.database.read() as connection:
        return home.recognise(connection, token) or replace(SIGNED_OUT, time_zone=home.time_zone)


def account_holder(request: Request) -> Viewer:
    """Whoever is signed in, whether or not they accepted the agreement: for what is about the account itself.

    Raises SignInNeeded.
    """
    who = viewer(request)
    if not who.signed_in:
        raise SignInNeeded
    return who


def member(request: Request) -> Viewer:
    """The signed-in member. Raises SignInNeeded, and AgreementNeeded where they would change something."""
    who = account_holder(request)
    if who.owes_agreement and request.method not in SAFE_METHODS:
        raise AgreementNeeded
    return who


def coordinator(request: Request) -> Viewer:
    """The signed-in coordinator or admin. Raises SignInNeeded or NotAllowed."""
    who = member(request)
    if not who.is_coordinator:
        raise NotAllowed("This page is for the coordinators of this neighbourhood.")
    return who


def admin(request: Request) -> Viewer:
    """The signed-in admin. Raises SignInNeeded or NotAllowed."""
    who = member(request)
    if not who.is_admin:
        raise NotAllowed("This page is for the admin of this neighbourhood.")
    return who


def render(request: Request, template: str, status: int = 200, **values: object) -> Response:
    """The page from a template, which also sees ``house``, ``viewer``, ``request``, ``unread`` and a ``said`` line."""
    home, who = house(request), viewer(request)
    home = replace(home, name=home.called)
    html = home.templates.get_template(template).render(
        house=home,
        viewer=who,
        request=request,
        unread=_unread(home, who),
        said=request.query_params.get("said", ""),
        language=i18n.spoken(),
        direction=i18n.direction(),
        **values,
    )
    return HTMLResponse(html, status, {"Content-Language": i18n.spoken()})


def same_until_changed(request: Request) -> None:
    """Say of the page that answers this request: whoever asks again with the same cookies gets the same, but for the
    language. It may then be kept ready for them, until anything is committed."""
    if request.method == "GET":
        request.scope[SAME_UNTIL_CHANGED] = True


def _unread(home: House, who: Viewer) -> int:
    if not who.signed_in:
        return 0
    with home.database.read() as connection:
        return home.unread(connection, who.member_id)


def go(path: str, said: str = "") -> Response:
    """After a form was carried out: 303 to the page that shows it; ``said`` names a sentence to show there."""
    joint = "&" if "?" in path else "?"
    query = joint + urlencode({"said": said}) if said else ""
    return RedirectResponse(path + query, HTTPStatus.SEE_OTHER)


class Form(Mapping[str, str]):
    """What somebody typed: text fields, trimmed; a missing field reads as empty."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._typed = dict(fields)
        self._fields = {name: value.strip() for name, value in fields.items()}

    def __getitem__(self, name: str) -> str:
        return self._fields.get(name, "")

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def exact(self, name: str) -> str:
        """The field as it was typed, spaces included: for passwords."""
        return self._typed.get(name, "")


NOTHING_TYPED = Form({})


def form_page(handler: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Makes a route out of a plain function that takes what was typed; it runs in a thread, as it writes."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(handler, request, await read_form(request))

    return endpoint


async def read_form(request: Request) -> Form:
    """The text fields of a posted form. Raises Refused when there are too many or one is too long."""
    async with request.form(max_files=0, max_fields=FORM_FIELDS_MAX) as data:
        return checked_form({name: value for name, value in data.items() if isinstance(value, str)})


def checked_form(fields: Mapping[str, str]) -> Form:
    """What somebody typed. Raises Refused when a field is too long."""
    for value in fields.values():
        if len(value) > FIELD_CHARACTERS_MAX:
            raise Refused("too_long", said("A field holds at most %(count)s characters.", count=FIELD_CHARACTERS_MAX))
    return Form(fields)


def number_of(request: Request) -> int:
    """The id of a row in the path. Raises NotFound for one that no row can have."""
    number: int = request.path_params["number"]
    if number > ROW_ID_MAX:
        raise NotFound
    return number


def address_of(request: Request) -> str:
    """Where a request comes from, as far as the proxy in front of us says; empty where it does not."""
    return request.client.host if request.client else ""


def wants_activity(request: Request) -> bool:
    """Whether the asker wants the ActivityPub form of a thing that also has a page (content negotiation)."""
    accept = request.headers.get("accept", "").lower()
    at_page = accept.find("text/html")
    found = [accept.find(kind) for kind in ("application/activity+json", "application/ld+json")]
    at_activity = min((at for at in found if at >= 0), default=-1)
    return at_activity >= 0 and (at_page < 0 or at_activity < at_page)
