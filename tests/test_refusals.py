"""What a running server says no to: each refusal with its reason in the log and nothing left in the database, and
each by checks that are named here, without which the same request is taken."""

import pkgutil
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn
from sqlalchemy import Connection
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import Receive, Scope, Send

from activitypub.documents import Activity, DocumentLimits, parse_activity, parse_json
from activitypub.identifiers import UrlRules
from activitypub.signatures import Request
from activitypub.signatures.authentic import Authentic, Proof, restored
from activitypub.signatures.message import Claim
from fedaid import app, settings
from fedaid.demo.servers import Person, Town, free_port
from inbox.authenticate import Authenticator, Proved
from inbox.journal import Entry, write_down
from inbox.limits import InboxLimits
from tests.inbox.world import as_bytes
from tests.support.databases import KINDS, fresh_database_url
from tests.support.elsewhere import elsewhere
from tests.support.scene import Outcome, Scene, ask_to_follow, get_acquainted, opened, wire
from tests.support.sockets import chunk, head

NORA = Person("nora", "Nora", "admin")
TAKEN = Outcome(202, "", "done")
ANOTHER_HOST = "another.example"
LETTER_BYTES_MAX = InboxLimits().body_bytes_max
JOURNAL, ADDRESS_BOOK = ("inbox_letter",), ("remote_actor", "remote_key")
CHUNK_BYTES = 64 * 1024
LONG_AGO, FAR_AHEAD = timedelta(hours=-13), timedelta(hours=13)


# requests that must be refused


def unsigned(scene: Scene) -> bytes:
    return wire(scene.draft(scene.follow(scene.river.board), scene.river.board).but(signature=None))


def forged(scene: Scene) -> bytes:
    """Signed by somebody else's key than the one it names."""
    post = scene.draft(scene.follow(scene.river.board), scene.sea.board)
    return wire(post.but(signature=post.headers["signature"].replace(scene.sea.board, scene.river.board)))


def altered(sign: Callable[..., Any]) -> Callable[[Scene], bytes]:
    """The body was exchanged after it was signed."""

    def request(scene: Scene) -> bytes:
        post = sign(scene, scene.follow(scene.sea.board), scene.river.board)
        return wire(replace(post, body=as_bytes(scene.follow(scene.river.board))))

    return request


def dated(sign: Callable[..., Any], away: timedelta) -> Callable[[Scene], bytes]:
    """Signed, by its own word, at another time."""

    def request(scene: Scene) -> bytes:
        return wire(sign(scene, scene.follow(scene.river.board), scene.river.board, at=datetime.now(UTC) + away))

    return request


def in_the_name_of(victim: Callable[[Scene], str], signer: Callable[[Scene], str]) -> Callable[[Scene], bytes]:
    return lambda scene: wire(scene.draft(scene.follow(victim(scene)), signer(scene)))


def under_an_id_of_another_server(scene: Scene) -> bytes:
    follow = {**scene.follow(scene.sea.board), "id": scene.follow(scene.river.board)["id"]}
    return wire(scene.draft(follow, scene.sea.board))


def for_another_host(scene: Scene) -> bytes:
    """A genuine letter to somebody else, brought to us."""
    return wire(scene.draft(scene.follow(scene.river.board), scene.river.board, host=ANOTHER_HOST))


def page_of_another_host(scene: Scene) -> bytes:
    return head("GET", "/", {"host": ANOTHER_HOST, "accept": "text/html"})


def oversized(scene: Scene) -> bytes:
    """A genuine letter, but for the spaces after it."""
    body = as_bytes(scene.follow(scene.river.board)).ljust(LETTER_BYTES_MAX + 1)
    return wire(scene.draft(body, scene.river.board))


def oversized_in_chunks(scene: Scene) -> bytes:
    """The same, but it does not say how long it is."""
    request_head, _, body = oversized(scene).partition(b"\r\n\r\n")
    lines = [line for line in request_head.split(b"\r\n") if not line.startswith(b"content-length")]
    return b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""]) + in_chunks(body)


def in_chunks(body: bytes) -> bytes:
    parts = [body[start : start + CHUNK_BYTES] for start in range(0, len(body), CHUNK_BYTES)]
    return b"".join(chunk(part) for part in [*parts, b""])


FORM = b"handle=nobody&password=nothing&" + b"&".join(b"f%d=" % number + b"x" * 11_000 for number in range(97))
FORM_HEADERS = {"content-type": "application/x-www-form-urlencoded"}


def oversized_form(scene: Scene) -> bytes:
    """No field of it is too long by itself."""
    return head("POST", "/sign-in", {"host": scene.host, **FORM_HEADERS, "content-length": str(len(FORM))}) + FORM


def oversized_form_in_chunks(scene: Scene) -> bytes:
    return head("POST", "/sign-in", {"host": scene.host, **FORM_HEADERS, "transfer-encoding": "chunked"}) + in_chunks(
        FORM
    )


def create(uri: Callable[[Scene], str], author: Callable[[Scene], str]) -> Callable[[Scene], bytes]:
    """Sea's board, which we follow, brings a listing."""

    def request(scene: Scene) -> bytes:
        note = scene.note(author(scene), uri(scene))
        return wire(scene.draft(scene.activity("Create", scene.sea.board, note), scene.sea.board))

    return request


def update(author: Callable[[Scene], str], signer: Callable[[Scene], str]) -> Callable[[Scene], bytes]:
    """A listing that river's board brought us is said to read differently now."""

    def request(scene: Scene) -> bytes:
        uri = scene.known_listing()
        note = scene.note(author(scene), uri, name="Changed", updated=datetime.now(UTC).isoformat())
        return wire(scene.draft(scene.activity("Update", signer(scene), note), signer(scene)))

    return request


def delete(uri: Callable[[Scene], str], signer: Callable[[Scene], str]) -> Callable[[Scene], bytes]:
    return lambda scene: wire(scene.draft(scene.activity("Delete", signer(scene), uri(scene)), signer(scene)))


def river_board(scene: Scene) -> str:
    return scene.river.board


def sea_board(scene: Scene) -> str:
    return scene.sea.board


def carol(scene: Scene) -> str:
    return scene.carol


def stranger(scene: Scene) -> str:
    return scene.stranger(scene.sea)


def neighbour_of_sea(scene: Scene) -> str:
    return scene.sea.person("victim")


def our_board(scene: Scene) -> str:
    return scene.board


def listing_of_river(scene: Scene) -> str:
    return scene.new_listing(scene.river)


def listing_of_sea(scene: Scene) -> str:
    return scene.new_listing(scene.sea)


def listing_of_ours(scene: Scene) -> str:
    return f"{scene.origin}/listings/5"


# what would stand in the place of the checks


def nothing(*_: object) -> None:
    """For a check that raises."""


def always(*_: object) -> bool:
    """For a check that says whether."""
    return True


async def believe(_self: Authenticator, request: Request) -> Proved:
    """For the whole of authentication: the sender is whoever the body says."""
    activity = parse_activity(parse_json(request.body), UrlRules(loopback=True))
    sender = restored(activity.actor, f"{activity.actor}#main-key", Proof.DRAFT_CAVAGE, datetime.now(UTC))
    return Proved(sender, activity, request.body)


async def believe_the_carrier(
    _self: Authenticator, activity: Activity, carrier: Authentic, request: Request, _claim: Claim
) -> Proved:
    """For asking who is the author of what somebody carries: it is the carrier's."""
    return Proved(carrier, activity, request.body)


async def read_uncounted(receive: Receive, _limits: InboxLimits) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def parse_large(body: bytes, limits: DocumentLimits) -> dict[str, Any]:
    """Strict JSON of any size."""
    return parse_json(body, replace(limits, body_bytes_max=len(body)))


async def pass_on(self: RequestBodyLimitMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
    await self.app(scope, receive, send)


def write_down_again(connection: Connection, entries: Sequence[Entry]) -> set[str]:
    """As if it had never been there."""
    write_down(connection, [replace(one, activity_id=f"{one.activity_id}?{secrets.token_hex(4)}") for one in entries])
    return {one.activity_id for one in entries}


Checks = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Refusal:
    """A request that must not be taken.

    status, code  what it is answered, and the reason in the log; 202 for a letter that is refused when it is read
    checks        what refuses it, outermost first, as module:attribute, and what is put in its place to take it out
    otherwise     what becomes of the same request without its checks
    asks          how often the server of its supposed author is asked whether it is known there (S46)
    """

    request: Callable[[Scene], bytes]
    status: int
    code: str
    checks: Checks
    otherwise: Outcome = TAKEN
    asks: int = 0


SENDER: Checks = {
    "inbox.authenticate:Authenticator._prove": believe_the_carrier,
    "inbox.worker:check_sender": nothing,
}
COUNTED: Checks = {
    "inbox.gate:_read_counted": read_uncounted,
    "inbox.authenticate:parse_json": parse_large,
    "inbox.worker:parse_json": parse_large,
}
EMBEDDED: Checks = {"inbox.worker:check_embedded": nothing, "fedaid.board.wire.notes:speaks_for": always}
ONE_ORIGIN: Checks = {"fedaid.board.wire.reader:same_origin": always}
AUTHOR: Checks = {"fedaid.board.commands.receive:_check_author": nothing}
NOT_OURS: Checks = {"fedaid.board.commands.receive:_check_not_ours": nothing}
WINDOW: Checks = {"activitypub.signatures.requests:check_window": nothing}

REFUSALS = {
    "an unsigned letter": Refusal(
        unsigned,
        401,
        "unsigned",
        {"inbox.gate:_check_signed": nothing, "inbox.authenticate:Authenticator.authenticate": believe},
    ),
    "a letter signed by another key than it names": Refusal(
        forged, 401, "signature_wrong", {"activitypub.signatures.draft_cavage:is_valid": always}
    ),
    "a body that is not the signed one": Refusal(
        altered(Scene.draft), 401, "digest_mismatch", {"activitypub.signatures.draft_cavage:check_digest": nothing}
    ),
    "a body that is not the signed one, RFC 9421": Refusal(
        altered(Scene.rfc9421),
        401,
        "digest_mismatch",
        {"activitypub.signatures.rfc9421:check_content_digest": nothing},
    ),
    "an actor of another server": Refusal(in_the_name_of(river_board, sea_board), 401, "not_the_actor", SENDER, asks=1),
    "another actor of the same server": Refusal(
        in_the_name_of(river_board, carol), 401, "not_the_actor", SENDER, asks=1
    ),
    "an actor of another server, from a stranger": Refusal(
        in_the_name_of(river_board, stranger), 401, "wrong_actor", {"inbox.authenticate:same_origin": always, **SENDER}
    ),
    "an id of another server": Refusal(
        under_an_id_of_another_server, 401, "id_origin", {"activitypub.documents:same_origin": always}
    ),
    "a letter of long ago": Refusal(dated(Scene.draft, LONG_AGO), 401, "too_old", WINDOW),
    "a letter of the future": Refusal(dated(Scene.draft, FAR_AHEAD), 401, "too_old", WINDOW),
    "a letter of long ago, RFC 9421": Refusal(dated(Scene.rfc9421, LONG_AGO), 401, "too_old", WINDOW),
    "a letter for another host": Refusal(
        for_another_host,
        401,
        "unknown_host",
        {"inbox.gate:_check_host": nothing, "activitypub.signatures.draft_cavage:check_host": nothing},
    ),
    "a page of another host": Refusal(
        page_of_another_host, 421, "unknown_host", {"fedaid.web.headers:OurHost._is_ours": always}, Outcome(200)
    ),
    "a letter that says it is too large": Refusal(
        oversized,
        413,
        "too_large",
        {"inbox.gate:_check_length": nothing, **COUNTED},
    ),
    "a letter that turns out too large": Refusal(oversized_in_chunks, 413, "too_large", COUNTED),
    "a form that says it is too large": Refusal(
        oversized_form,
        413,
        "http_413",
        {"starlette.middleware.body_limit:RequestBodyLimitMiddleware.__call__": pass_on},
        Outcome(401),
    ),
    "a form that turns out too large": Refusal(
        oversized_form_in_chunks,
        413,
        "http_413",
        {"starlette.middleware.body_limit:RequestBodyLimitMiddleware.__call__": pass_on},
        Outcome(401),
    ),
    "a Create of another server's object": Refusal(
        create(listing_of_river, river_board), 202, "not_the_author", EMBEDDED
    ),
    "a Create of another server's object as one's own": Refusal(
        create(listing_of_river, sea_board), 202, "not_the_author", {**EMBEDDED, **ONE_ORIGIN}
    ),
    "a Create in a neighbour's name": Refusal(
        create(listing_of_sea, neighbour_of_sea), 202, "not_the_author", EMBEDDED
    ),
    "a Create of an object of ours": Refusal(
        create(listing_of_ours, our_board), 202, "not_the_author", {**EMBEDDED, **NOT_OURS}
    ),
    "an Update of another server's object": Refusal(update(river_board, sea_board), 202, "not_the_author", EMBEDDED),
    "an Update of another server's object as one's own": Refusal(
        update(sea_board, sea_board), 202, "not_the_author", {**EMBEDDED, **ONE_ORIGIN, **AUTHOR}
    ),
    "an Update of a neighbour's object as one's own": Refusal(update(carol, carol), 202, "not_allowed", AUTHOR),
    "a Delete of another server's object": Refusal(delete(Scene.known_listing, sea_board), 202, "not_allowed", AUTHOR),
    "a Delete of a neighbour's object": Refusal(delete(Scene.known_listing, carol), 202, "not_allowed", AUTHOR),
    "a Delete of another server's object that has not come yet": Refusal(
        delete(listing_of_river, sea_board),
        202,
        "not_allowed",
        {"fedaid.board.commands.receive:_check_same_server": nothing},
    ),
}
# What each is in tests/attacks/catalogue.py.
ATTACKS = {
    "an unsigned letter": "S20",
    "a letter signed by another key than it names": "S20",
    "a body that is not the signed one": "S22",
    "a body that is not the signed one, RFC 9421": "S34",
    "an actor of another server": "S29",
    "another actor of the same server": "S29",
    "an actor of another server, from a stranger": "S29",
    "an id of another server": "S57",
    "a letter of long ago": "S24",
    "a letter of the future": "S24",
    "a letter of long ago, RFC 9421": "S24",
    "a letter for another host": "S28",
    "a page of another host": "S28",
    "a letter that says it is too large": "S60",
    "a letter that turns out too large": "S60",
    "a Create of another server's object": "S11",
    "a Create of another server's object as one's own": "S11",
    "a Create in a neighbour's name": "S11",
    "a Create of an object of ours": "S51",
    "an Update of another server's object": "S40",
    "an Update of another server's object as one's own": "S40",
    "an Update of a neighbour's object as one's own": "S40",
    "a Delete of another server's object": "S41",
    "a Delete of a neighbour's object": "S41",
    "a Delete of another server's object that has not come yet": "S41",
}
REFUSED = [
    pytest.param(name, marks=[pytest.mark.attack(ATTACKS[name])] if name in ATTACKS else []) for name in REFUSALS
]
CHECKS_BESIDE_OTHERS = [(name, check) for name, one in REFUSALS.items() if len(one.checks) > 1 for check in one.checks]


# the servers


@pytest.fixture(scope="module", params=KINDS)
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An instance in a process of its own, among others."""
    data = tmp_path_factory.mktemp("town")
    with fresh_database_url(request.param, data) as url, among_others(data, url) as (served, scene):
        served.start()
        try:
            get_acquainted(scene)
            yield scene
        finally:
            served.stop()


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The same in this process, where checks can be taken out."""
    data = tmp_path_factory.mktemp("rehearsal")
    with among_others(data, f"sqlite:///{data / 'town.db'}") as (_, scene), serving(data):
        get_acquainted(scene)
        yield scene


@contextmanager
def among_others(data: Path, url: str) -> Iterator[tuple[Town, Scene]]:
    """A town that is founded but not served yet, and two others that are."""
    founded = Town("Northside", f"http://127.0.0.1:{free_port()}", data, [NORA], database_url=url)
    founded.found()
    with elsewhere() as river, elsewhere() as sea, opened(url) as database:
        scene = Scene(founded.origin, data, database, river, sea)
        ask_to_follow(data, scene)
        yield founded, scene


@contextmanager
def serving(data: Path) -> Iterator[None]:
    chosen = settings.load(data)
    instance = app.build(chosen, works=True)
    port = int(chosen.names.host.rpartition(":")[2])
    server = uvicorn.Server(uvicorn.Config(instance.web, port=port, log_config=None, access_log=False))
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def take_out(monkeypatch: pytest.MonkeyPatch, name: str, stands_in: Callable[..., Any]) -> None:
    """Put something else where a check was."""
    module, _, path = name.partition(":")
    owner, _, attribute = path.rpartition(".")
    place = pkgutil.resolve_name(f"{module}:{owner}") if owner else import_module(module)
    monkeypatch.setattr(place, attribute, stands_in)


# the refusals


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_its_reason_in_the_log_and_nothing_left_behind(town: Scene, name: str) -> None:
    refusal = REFUSALS[name]
    request = refusal.request(town)
    town.wait_until_quiet()
    read_later = refusal.status == 202
    kept = JOURNAL if read_later else ()  # what is refused when it is read stays there, with the reason
    before, asked, said = town.rows(but=kept), [*town.river.asked, *town.sea.asked], town.log_size

    outcome = town.outcome(request)

    assert outcome.status == refusal.status
    assert outcome.code in (refusal.code, "")
    assert outcome.state == ("refused" if read_later else "")
    town.wait_until_quiet()
    assert town.rows(but=kept) == before
    # No stranger makes us ask others for it.
    assert len(town.river.asked) + len(town.sea.asked) == len(asked) + refusal.asks
    assert [line["code"] for line in town.log_since(said)] == [refusal.code]


@pytest.mark.parametrize("name", REFUSALS)
def test_without_its_checks_the_same_request_is_taken(
    rehearsal: Scene, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = REFUSALS[name]
    request = refusal.request(rehearsal)
    rehearsal.wait_until_quiet()
    before = rehearsal.rows(but=JOURNAL)
    for check, stands_in in refusal.checks.items():
        take_out(monkeypatch, check, stands_in)
    assert rehearsal.outcome(request) == refusal.otherwise
    if refusal.otherwise == TAKEN:
        assert rehearsal.rows(but=JOURNAL) != before


@pytest.mark.parametrize(("name", "check"), CHECKS_BESIDE_OTHERS)
def test_each_of_several_checks_refuses_it_alone(
    rehearsal: Scene, name: str, check: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = REFUSALS[name]
    request = refusal.request(rehearsal)
    rehearsal.wait_until_quiet()
    before = rehearsal.rows(but=JOURNAL + ADDRESS_BOOK)
    for other, stands_in in refusal.checks.items():
        if other != check:
            take_out(monkeypatch, other, stands_in)
    outcome = rehearsal.outcome(request)
    assert outcome.code
    assert outcome.state != "done"
    assert rehearsal.rows(but=JOURNAL + ADDRESS_BOOK) == before


# what the refused ones are made from, and the same twice


def test_a_letter_with_nothing_wrong_is_taken_and_its_signers_key_is_fetched(town: Scene) -> None:
    dave = town.river.person("dave")
    follow = town.follow(dave)
    assert town.outcome(wire(town.draft(follow, dave))) == TAKEN
    assert town.river.asked[-1:] == ["/users/dave"]
    town.wait_until(lambda: town.answers_to(follow["id"]))


def test_the_same_bytes_twice_have_one_effect(town: Scene) -> None:
    follow = town.follow(town.carol)
    request = wire(town.draft(follow, town.carol))
    assert town.outcome(request) == TAKEN
    town.wait_until_quiet()
    before = town.rows()
    assert town.send(request).status == 202
    town.wait_until_quiet()
    assert town.rows() == before
    assert len(town.answers_to(follow["id"])) == 1


def test_without_the_journals_memory_the_same_bytes_twice_have_two_effects(
    rehearsal: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_out(monkeypatch, "inbox.journal:write_down", write_down_again)
    follow = rehearsal.follow(rehearsal.carol)
    request = wire(rehearsal.draft(follow, rehearsal.carol))
    for times in (1, 2):
        assert rehearsal.outcome(request) == TAKEN
        rehearsal.wait_until(partial(_answered, rehearsal, follow["id"], times))


def _answered(scene: Scene, follow_id: str, times: int) -> bool:
    return len(scene.answers_to(follow_id)) == times
