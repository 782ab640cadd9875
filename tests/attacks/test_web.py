"""Attacks on the pages and on those who are signed in (S80 to S91)."""

import gc
import re
import time
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.routing import Route

from fedaid.board import commands as board
from fedaid.members import commands as members
from inbox.limits import InboxLimits
from inbox.memory import Memory
from tests.attacks.internet import document
from tests.attacks.siege import (
    BOB,
    BOBS_BOARD,
    EVE,
    SESSIONS,
    Outcome,
    Siege,
    activity,
    besieged,
    new_id,
    note,
    person,
    reply,
)

TAKEN = Outcome(202, "", "done")
COOKIE = "__Host-fedaid-northside-example"
SAME_SITE = {"sec-fetch-site": "same-origin"}
PASSWORD = "correct horse battery"
ACTION_CPU_SECONDS_MAX = 0.2


HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # the real one is slow on purpose


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = HASHER.hash("nobody")
    monkeypatch.setattr("fedaid.members.commands._hasher", lambda: HASHER)
    monkeypatch.setattr("fedaid.members.commands._nobodys_hash", lambda: nobody)


@pytest.fixture
def password_hash() -> str:
    return members.hash_password(PASSWORD)


@pytest.fixture
def dora(siege: Siege, password_hash: str) -> str:
    """A member who signs in with a password."""
    with siege.instance.units.begin() as work:
        handle = f"dora{work.new_id()}"
        members.add_member(work, handle, password_hash)
    return handle


def sign_in(siege: Siege, handle: str, password: str = PASSWORD, cookie: str = "", **more: Any) -> Any:
    headers = SAME_SITE | ({"cookie": cookie} if cookie else {}) | more.pop("headers", {})
    return siege.ask("/sign-in", method="POST", data={"handle": handle, "password": password, **more}, headers=headers)


def is_signed_in(siege: Siege, cookie: str) -> bool:
    return siege.ask("/me", headers={"cookie": cookie}).status_code == 200


@pytest.mark.attack("S80")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/oauth/authorize?response_type=code&client_id=a&redirect_uri=https://evil.example/../x"),
        ("POST", "/oauth/token"),
        ("POST", "/oauth/revoke"),
        ("POST", "/api/v1/apps"),
        ("GET", "/.well-known/oauth-authorization-server"),
    ],
)
def test_there_is_no_oauth_to_trick(siege: Siege, method: str, path: str) -> None:
    with siege.nothing_changes():
        assert siege.ask(path, method=method).status_code == 404


@pytest.mark.attack("S81")
def test_a_new_password_ends_every_session_and_token(siege: Siege, dora: str, password_hash: str) -> None:
    cookie = sign_in(siege, dora).headers["set-cookie"].partition(";")[0]
    assert is_signed_in(siege, cookie)
    with siege.instance.units.begin() as work:
        member_id = members.queries.credentials(work.connection, dora).member_id  # type: ignore[union-attr]
        token = members.issue_token(work, member_id, "read")
        members.set_password(work, member_id, password_hash)
    assert not is_signed_in(siege, cookie)
    with siege.database.read() as connection:
        assert members.queries.viewer_of_token(connection, token) is None


@pytest.mark.attack("S82")
@pytest.mark.parametrize(
    "sent",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_form_of_another_site_does_nothing(siege: Siege, sent: dict[str, str]) -> None:
    cookie = siege.session("ana")
    with siege.nothing_changes():
        answer = siege.ask("/post", method="POST", data={"title": "x"}, headers={"cookie": cookie, **sent})
    assert answer.status_code == 403
    with siege.nothing_changes():
        api = siege.ask(
            "/api/v1/statuses", method="POST", data={"status": "x"}, headers={"cookie": cookie, **SAME_SITE}
        )
    assert api.status_code == 404
    page = siege.ask("/")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


@pytest.mark.attack("S83")
def test_signing_in_gives_another_cookie_than_was_sent(siege: Siege, dora: str) -> None:
    preset = f"{COOKIE}=preset"
    given = sign_in(siege, dora, cookie=preset).headers["set-cookie"].partition(";")[0]
    assert given.startswith(f"{COOKIE}=")
    again = sign_in(siege, dora, cookie=given).headers["set-cookie"].partition(";")[0]
    assert len({preset, given, again}) == 3
    assert not is_signed_in(siege, preset)
    assert not is_signed_in(siege, given)  # the one that was sent along ends
    assert is_signed_in(siege, again)


@pytest.mark.attack("S84")
@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "/\\evil.example",
        "/web//evil.example",
        "https://evil.example",
        "\r\nhttps://evil.example",
        "/\r\nset-cookie: x=1",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
    ],
)
def test_signing_in_leads_nowhere_else(siege: Siege, dora: str, back: str) -> None:
    assert sign_in(siege, dora, next=back).headers["location"] == "/?said=signed_in"
    assert siege.ask("/sign-in", "ana", params={"next": back}).headers["location"] == "/"


@pytest.mark.attack("S85")
def test_thirty_tries_are_stopped_whatever_they_say_of_their_way(tmp_path: Path) -> None:
    with besieged("sqlite", tmp_path) as siege:
        statuses = []
        for number in range(31):
            way = {"x-forwarded-for": f"198.51.100.{number}", "x-real-ip": f"198.51.100.{number}"}
            statuses.append(sign_in(siege, f"nobody{number}", "wrong password", headers=way).status_code)
        assert statuses == [401] * 30 + [429]
        siege.clock.pass_seconds(3600)
        by_account = [
            siege.ask(
                "/sign-in",
                method="POST",
                address=f"2001:db8:{number:x}::1",
                data={"handle": "ana", "password": "wrong"},
                headers=SAME_SITE,
            ).status_code
            for number in range(11)
        ]
        assert by_account == [401] * 10 + [429]


@pytest.mark.attack("S86")
def test_a_wrong_password_and_an_unknown_name_answer_alike(siege: Siege) -> None:
    known, unknown = sign_in(siege, "ana", "wrong password"), sign_in(siege, "nobody", "wrong password")
    assert known.status_code == unknown.status_code == 401
    assert known.text.replace("ana", "nobody") == unknown.text.replace("ana", "nobody")
    for path in ("/reset", "/password/reset", "/auth/password"):
        assert siege.ask(path, method="POST", data={"email": "ana@mail.example"}).status_code == 404


@pytest.mark.attack("S87")
def test_nobody_reads_or_changes_what_is_anothers(siege: Siege) -> None:
    listing = siege.post_listing("ana")
    uri = new_id("b.example")
    assert siege.bring(activity("Create", BOBS_BOARD, note(BOBS_BOARD, uri))) == TAKEN
    theirs = siege.listing_at(uri)
    assert theirs is not None
    with siege.instance.units.begin() as work:
        response = board.respond(work, siege.people["ana"], theirs.id, "I can come.")
    siege.settle()
    reading = [f"/listings/{listing.id}/edit", f"/responses/{response}", "/mentions", "/networks", "/reports"]
    acting = [
        f"/listings/{listing.id}/edit",
        f"/listings/{listing.id}/withdraw",
        f"/listings/{listing.id}/extend",
        f"/responses/{response}/accept",
        f"/responses/{response}/decline",
        f"/responses/{response}/withdraw",
        f"/responses/{response}/say",
    ]
    with siege.nothing_changes(but=SESSIONS):
        for path in reading:
            assert siege.ask(path, "bea").status_code in (403, 404), path
        for path in acting:
            typed = {"message": "x", "title": "x", "reason": "x"}
            assert siege.ask(path, "bea", "POST", data=typed, headers=SAME_SITE).status_code in (403, 404), path
    hidden, absent = siege.ask(f"/responses/{response}", "bea"), siege.ask("/responses/7", "bea")
    assert (hidden.status_code, absent.status_code) == (404, 404)


@pytest.mark.attack("S88")
@pytest.mark.parametrize(
    "text",
    ["<link " * 15_000, "@a" * 49_000, "#" * 90_000, "a@" * 45_000, "<a href=" * 12_000, "\n" * 99_000, "&" * 99_000],
)
def test_no_text_takes_long_to_read(siege: Siege, text: str) -> None:
    listing = siege.post_listing()
    spent = []
    for _ in range(3):
        letter = siege.draft(activity("Create", BOB, reply(BOB, listing.uri, content=text[:99_000])), BOB)
        started = time.process_time()
        assert siege.send(letter).status_code == 202
        siege.settle()
        spent.append(time.process_time() - started)
    assert min(spent) < ACTION_CPU_SECONDS_MAX


@pytest.mark.attack("S88")
@pytest.mark.parametrize("header", ['keyId="' + 'a,b="' * 1_500, "sig1=(" + '"a" ' * 1_500, "a" * 8_000, '"' * 8_000])
def test_no_header_takes_long_to_read(siege: Siege, header: str) -> None:
    post = siege.draft(siege.follow(BOB), BOB).but(signature=header, signature_input=header)
    started = time.process_time()
    assert siege.send(post).status_code == 401
    assert time.process_time() - started < ACTION_CPU_SECONDS_MAX


@pytest.mark.attack("S88")
def test_no_search_takes_long(siege: Siege) -> None:
    siege.ask("/board", "ana", params={"q": "sofa"})  # what is made for the first page of all costs nobody again
    started = time.process_time()
    for text in ("@a" * 5_000, "%" * 9_000, "\\" * 9_000):
        assert siege.ask("/board", "ana", params={"q": text}).status_code in (200, 422)
    assert time.process_time() - started < 3 * ACTION_CPU_SECONDS_MAX


@pytest.mark.attack("S89")
@pytest.mark.parametrize(
    "path",
    [
        "/authorize_interaction?uri=https://10.0.0.1",
        "/search?q=https://10.0.0.1",
        "/board?q=https://10.0.0.1",
        "/pictures/https%3A%2F%2F10.0.0.1",
        "/follow?acct=eve@evil.example",
    ],
)
def test_no_address_that_somebody_types_is_asked_for(siege: Siege, path: str) -> None:
    for who in ("", "ana", "nora"):
        with siege.nothing_changes(but=SESSIONS):
            assert siege.ask(path, who).status_code in (200, 303, 404)
    assert siege.internet.looked_up == []


@pytest.mark.attack("S90")
def test_names_that_strangers_choose_take_only_so_much_memory(tmp_path: Path) -> None:
    few = InboxLimits(memory_entries_max=20, key_cache_entries_max=20, negative_cache_entries_max=20)
    with besieged("sqlite", tmp_path, inbox=few) as siege:
        siege.internet.pages["https://*.evil.example/*"] = lambda url: document(person(url))
        for number in range(60):
            stranger = f"https://s{number}.evil.example/users/x"
            siege.send(siege.draft(siege.follow(stranger), stranger))
            siege.send(
                siege.draft(siege.follow(f"https://t{number}.example/users/x"), f"https://t{number}.example/users/x")
            )
            siege.ask("/", address=f"2001:db8:{number:x}::1")
        ours = _reachable(siege.instance.web)
        assert len(ours) >= 8
        assert max(len(one) for one in ours if one._entries_max == 20) == 20
        assert all(len(one) <= one._entries_max for one in ours)


def _reachable(root: object) -> list[Any]:
    """Every memory that hangs on an object."""
    seen, waiting, found = {id(root)}, [root], []
    while waiting:
        one = waiting.pop()
        if isinstance(one, Memory):
            found.append(one)
        for other in gc.get_referents(one):
            module = getattr(type(other), "__module__", "")
            if id(other) not in seen and (
                module.split(".")[0] in ("inbox", "fedaid") or isinstance(other, dict | list | tuple)
            ):
                seen.add(id(other))
                waiting.append(other)
    return found


@pytest.mark.attack("S91")
def test_reading_a_page_never_does_anything(siege: Siege) -> None:
    siege.bring(siege.follow(EVE))
    siege.rest()
    routes = [one for one in siege.routes() if isinstance(one, Route)]
    asked = 0
    with siege.nothing_changes(but=SESSIONS):
        for route in routes:
            if "POST" not in (route.methods or ()):
                continue
            path = re.sub(r"\{[^}]*\}", "1", route.path)
            answer = siege.ask(f"{path}?acct=eve@evil.example&handle=ana&host=evil.example&target=evil.example", "nora")
            assert answer.status_code in (200, 303, 404, 405, 422), path
            asked += 1
        assert siege.ask("/follow?acct=eve@evil.example", "nora").status_code == 404
    assert asked > 20
    assert siege.internet.looked_up == []
