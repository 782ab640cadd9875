"""Shows every address that answers GET to everybody, and searches what they get for canaries."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx2
from sqlalchemy import Column, select
from starlette.routing import Mount, Route

import outbox.tables as sent
from fedaid import app
from fedaid.board.tables import help_match, listing, picture, response
from fedaid.foundation.api import BASE
from fedaid.network.tables import report
from fedaid.skills.tables import skill
from fedaid.timebank.tables import transfer
from tests.docs.neighbourhoods import NORTH, RIVER, SOCIAL
from tests.ladder.canaries import Canary
from tests.ladder.world import NORTH_PEOPLE, RIVER_PEOPLE, Place
from tests.notices.test_notices_live import Listener
from tests.web.street import House

HTML, ACTIVITY = {"accept": "text/html"}, {"accept": "application/activity+json"}

# What stands for a part of an address: the columns whose values it has, by the whole pattern, else by the word before
# it, else by its own name.
PARTS: Mapping[str, Column[Any] | Sequence[str]] = {
    "listings": listing.c.id,
    "responses": response.c.id,
    "agreements": help_match.c.id,
    "skills": skill.c.id,
    "reports": report.c.id,
    "pictures": picture.c.id,
    "activities": sent.activity.c.activity_id,
    "users": ("ana", "pia"),
    "groups": ("board", "care"),
    "give": ("pia",),
    "claim": ("pia",),
    "members": ("gil",),
    "": ("ana", "pia", "gil", "board", "care"),  # /@ana
    "statements": ("1",),
    "matches": help_match.c.id,
    "people": ("ana", "pia", "gil"),
    "hours": transfer.c.id,
    "/deliveries/activities/{number:int}": sent.activity.c.id,
    "host": ("riverside.example", "northside.example", "social.example"),
    "slug": ("moving", "repair"),
    "name": ("moving", "repair"),
    "version": ("2.0", "2.1"),
}
# Addresses that say more when they are asked in other ways as well.
QUERIES: Mapping[str, Sequence[str]] = {
    "/post": ("kind=offer", "repeat={listings}"),
    "/report": ("about=https://northside.example/listings/{listings}",),
    "/post/photo": ("kind=offer", "kind=request"),
    f"{BASE}/listings": ("mine=true", "kind=offer", "board=care", "near=51.5,-0.05&km=50"),
    "/board": ("mine=1", "kind=offer", "board=care", "near=51.5,-0.05&km=50"),
    "/.well-known/webfinger": ("resource=acct:ana@northside.example", "resource=acct:care@northside.example"),
    "outbox": ("page=true",),
    "followers": ("page=true",),
    "following": ("page=true",),
    "/listings/{number:int}/replies": ("page=true",),
    "/listings/{number:int}/context": ("page=true",),
}
SEARCHED = {"": ("/board",), "kim": ("/board", "/people"), "cora": ("/members",)}  # by whom
# Left out, each with the reason.
LEFT_OUT = {
    "/static/{name}": "The files of the package, the same for all.",
    "/notices/live": "It never ends; what it says first is read by itself (hear).",
    "/check-up": "It looks at the whole world outside; what it prints is about the server, and costs seconds.",
}


# Asked, and opened for nobody here, each with the reason. Any other that opens for nobody would prove nothing: say in
# ``_look`` with what its readers come, such as a token.
OPENS_FOR_NOBODY: Mapping[str, str] = {
    "/agreement": "There is none here; what it says is for anybody who joins.",
    "/application": "Its address is the secret of whoever applied.",
    "/recover": "Its address is a secret that opens once.",
    "/unsubscribe": "Its address is a secret that only a mail has.",
    "/keep-longer": "The same.",
    "/listings/{number:int}/edit/photo": "Nobody's change with a photo was refused here; it is for the author alone.",
    "/categories/{slug}": "It only leads on to the board.",
    "/tags/{name}": "It only leads on to the board.",
    "/mentions/pictures/{number:int}": "Nobody sends a picture to the board here; coordinators would see it.",
    "/hours/correct": "It asks for a movement by its id, and shows what the page of hours shows.",
    "/ledger/peers/{host}/facts": "It is read by the ledger of a network, to compare the messages both have.",
    "/networks/{host}/statements/{number:int}": "No statement is made here; it is for the admin.",
}


def shape(pattern: str) -> re.Pattern[str]:
    """What fits the pattern of a route, with or without a query."""
    return re.compile(re.sub(r"\\{\w+(:\w+)?\\}", "[^/]+", re.escape(pattern)) + r"(\?.*)?")


def patterns(house: House) -> list[str]:
    """Of every route that answers GET, as the app itself has them. What cannot be looked at in this way fails here."""
    pages: Any = house.instance.web
    found: list[str] = []
    for one in pages._pages.router.routes:
        if isinstance(one, Route):
            found += [one.path] if "GET" in (one.methods or {"GET"}) else []
        elif isinstance(one, Mount) and one.path == BASE:
            operations = app.operations(house.instance.settings, house.instance.desk)
            found += [f"{BASE}{each.address}" for each in operations if each.method == "GET"]
        else:
            raise AssertionError(f"say in tests/ladder/watch.py how {one!r} is looked at")
    return found


def addresses(house: House) -> list[str]:
    """Each with everything that can stand in it."""
    return [path for pattern in patterns(house) if pattern not in LEFT_OUT for path in _filled(house, pattern)]


def _filled(house: House, pattern: str) -> Iterator[str]:
    paths = filled(house, pattern)
    asked = [one for key, ways in QUERIES.items() for one in ways if pattern == key or pattern.endswith(f"/{key}")]
    for path in paths:
        yield path
        for query in asked:
            if "{listings}" in query:
                yield from (
                    f"{path}?{query.format(listings=one)}" for one in _values(house, pattern, "listings", "number")
                )
            else:
                yield f"{path}?{query}"


def filled(house: House, pattern: str) -> list[str]:
    """The addresses of a route, with all that can stand in its parts."""
    found = [""]
    before = ""
    for step in pattern.split("/")[1:]:
        part = re.fullmatch(r"(@?)\{(\w+)(?::\w+)?\}", step)
        values = _values(house, pattern, before, part[2]) if part else [step]
        lead = part[1] if part else ""
        found = [f"{start}/{lead}{value}" for start in found for value in values]
        before = step
    return found


def _values(house: House, pattern: str, before: str, name: str) -> Sequence[str]:
    known = PARTS.get(pattern, PARTS.get(before, PARTS.get(name)))
    assert known is not None, f"say in tests/ladder/watch.py what stands for {{{name}}} after /{before}"
    if not isinstance(known, Column):
        return known
    with house.instance.database.read() as connection:
        found = connection.execute(select(known).order_by(known)).scalars().all()
    return [str(one).rpartition("/")[2] for one in found] or ["1"]


async def watch(at: Place, only: Callable[[str], bool] = lambda path: True) -> None:
    """Everybody looks at everything; what was sent, mailed and logged is looked at too."""
    for house, town, people in ((at.north, "north", NORTH_PEOPLE), (at.river, "river", RIVER_PEOPLE)):
        found = [path for path in addresses(house) if only(path)]
        for handle in ("", *people):
            for path in found:
                await _look(at, house, f"{town}:{handle}", path)
    for name, actor, house in readers(at):
        for path in addresses(house):
            if only(path) and _SIGNED.match(path):
                answer = await at.signed_get(house, path, actor)
                at.opened |= {path} if answer.is_success else set()
                at.cage.look(f"signed:{name}", path, *_said(answer))
    look_at_what_was_sent(at)


def readers(at: Place) -> Sequence[tuple[str, str, House]]:
    """Those elsewhere who sign what they ask for."""
    return (
        ("river", f"{RIVER}/actor", at.north),
        ("social", f"{SOCIAL}/actor", at.north),
        ("carol", f"{SOCIAL}/users/carol", at.north),
        ("north", f"{NORTH}/actor", at.river),
        ("social", f"{SOCIAL}/actor", at.river),
    )


# Read by servers alone: the same for all members, so one of them asks, and somebody signed out.
_DOCUMENT = re.compile(
    r"/(activities|users|actor|ledger|nodeinfo|\.well-known|skills$|groups/[^/]+$"
    r"|groups/[^/]+/(outbox|followers|following|featured|moderators|followers_synchronization)"
    r"|listings/[^/]+/(replies|context))"
)
# Pages for people that are documents for servers as well.
_BOTH = re.compile(r"/(listings|responses|agreements)/[^/]+$")
# Where the answer hangs on who signed; all else that is for servers is for anybody.
_SIGNED = re.compile(
    r"/(activities|skills$|listings|responses|agreements|groups/[^/]+/outbox|.*/followers_synchronization)"
)
# What is about neighbours' things; some members look at all the rest, which is the same for the others.
_ABOUT_US = re.compile(
    r"/($|board|listings|responses|agreements|notices|me($|/)|hours|people|skills/|post|groups/care/)"
)
_LOOKS_AT_ALL = ("", "nora", "cora", "kim")


def _is_for_servers(path: str) -> bool:
    return bool(_DOCUMENT.match(path) or _BOTH.match(path))


def _ways(path: str, viewer: str) -> Sequence[Mapping[str, str]]:
    """How somebody asks for it: as a page, as a document, both, or not at all where others do."""
    handle = viewer.partition(":")[2]
    asks_for_all = handle in ("", "kim", "bea")
    if path.startswith(BASE):
        return ({},)  # by a program of theirs
    if handle not in _LOOKS_AT_ALL and not _ABOUT_US.match(path):
        return ()
    if _DOCUMENT.match(path):
        return (ACTIVITY,) if asks_for_all else ()
    return (HTML, ACTIVITY) if _BOTH.match(path) and (asks_for_all or handle in ("ana", "hana")) else (HTML,)


async def _look(at: Place, house: House, viewer: str, path: str) -> None:
    handle = viewer.partition(":")[2]
    for headers in _ways(path, viewer):
        answer = await (
            _ask_as_program(at, house, handle, path)
            if path.startswith(BASE)
            else house.browser(handle).client.get(path, headers=headers)
        )
        assert answer.status_code < 500, (viewer, path, answer.text[-2000:])
        at.opened |= {path} if answer.is_success else set()
        at.cage.look(viewer, path, *_said(answer))


async def _ask_as_program(at: Place, house: House, handle: str, path: str) -> httpx2.Response:
    """What a program is answered that has a token of theirs which is good for everything; without a handle, no token."""
    headers = {"authorization": f"Bearer {at.token(house, handle)}"} if handle else {}
    return await house.browser().client.get(path, headers=headers)


def _said(answer: Any) -> list[bytes]:
    return [answer.content, b"\n".join(name + b": " + value for name, value in answer.headers.raw)]


def look_at_what_was_sent(at: Place) -> None:
    """Letters by the host that got them, mails by who got them, and the log, which is for nobody."""
    for host, letter in at.wire.posted:
        at.cage.look(f"wire:{host}", "a letter", letter)
    address_of = {
        one.word: one.what.rpartition(":")[2]
        for one in at.cage.canaries.values()
        if one.what.startswith("e-mail address of ") and ":" in one.what
    }
    for mail in at.mails.mails:
        reader = next(handle for word, handle in address_of.items() if word in str(mail["to"]).lower())
        parts = [part.get_payload(decode=True) or b"" for part in mail.walk() if not part.is_multipart()]
        at.cage.look(f"mail:{reader}", "a mail", bytes(mail), *(one for one in parts if isinstance(one, bytes)))
    for event in at.log:
        at.cage.look("log", str(event.get("event")), repr(event).encode())


async def hear(at: Place) -> None:
    """What an open page hears of new notices, at once and when there is one more."""
    for handle in NORTH_PEOPLE:
        browser = at.north.browser(handle).client
        browser.app = at.north.instance.web  # type: ignore[attr-defined]  # as the listener wants it
        listener = Listener(browser)
        for _ in range(50):
            await asyncio.sleep(0.01)
            if listener.sent:
                break
        await listener.go()
        assert listener.status == 200, listener.status
        at.cage.look(f"north:{handle}", "/notices/live", listener.sent.encode(), repr(listener.headers).encode())


async def search(at: Place) -> list[str]:
    """Nobody finds anything by a word that they may not see: the page is that of a word that stands nowhere.

    One word of each kind is looked for: “message of … to …”, “exact place of …”.
    """
    found = []
    for handle, paths in SEARCHED.items():
        viewer, client = f"north:{handle}", at.north.browser(handle).client
        hidden = {_kind(one): one for one in at.cage.canaries.values() if viewer not in one.may and not one.needles}
        for path in paths:
            nothing = _without("nothingatall", (await client.get(f"{path}?q=nothingatall", headers=HTML)).text)
            for one in hidden.values():
                page = _without(one.word, (await client.get(f"{path}?q={one.word}", headers=HTML)).text)
                if page != nothing:
                    found.append(f"{viewer} finds something by “{one.what}” at {path}")
    return found


def _kind(one: Canary) -> str:
    return re.sub(r"\b(north|river):\w+", "somebody", one.what).partition(" of ")[0].partition(" to ")[0]


def _without(word: str, page: str) -> str:
    return re.sub(word, "…", page, flags=re.IGNORECASE)
