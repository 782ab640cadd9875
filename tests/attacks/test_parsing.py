"""Attacks on whoever reads a letter: its size, its JSON, its letters (S60 to S66)."""

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.activitypub.vectors import vector
from tests.attacks.siege import BOB, NORTH, Outcome, Siege, activity, key, new_id, person, reply

TAKEN = Outcome(202, "", "done")
MIB = 1024 * 1024
BODIES = vector("attacks/bodies.json")


def whole(name: str) -> bytes:
    """A body of the vectors that is made, not written down."""
    made: Mapping[str, Callable[[], bytes]] = {
        "depth 40 objects": lambda: b'{"a":' * 40 + b"1" + b"}" * 40,
        "2 MiB body": lambda: b'{"a":"' + b"x" * 2 * MIB + b'"}',
        "100k recipients": lambda: json.dumps(crowd()).encode(),
        "utf-16 body": lambda: "{}".encode("utf-16"),
    }
    return made[name]()


def crowd() -> dict[str, Any]:
    to = [f"https://a.example/u/{number}" for number in range(100_000)]
    return {"id": "https://b.example/a/1", "type": "Create", "actor": BOB, "to": to, "object": {}}


def a_letter(inside: str) -> bytes:
    """A letter of bob's with something written into it."""
    return json.dumps(activity("Like", BOB, NORTH, content="HERE")).replace('"HERE"', inside).encode()


def refused(siege: Siege, body: bytes) -> int:
    siege.bring(siege.follow(BOB))
    with siege.nothing_changes():
        return siege.outcome(siege.draft(body, BOB)).status


@pytest.mark.attack("S52", "S61", "S62", "S63", "S51")
@pytest.mark.parametrize("case", BODIES["literal"], ids=lambda case: str(case["name"]))
def test_what_the_vectors_write_down_is_refused(siege: Siege, case: dict[str, Any]) -> None:
    body = case["body"].replace("https://a.example", NORTH).replace("https://b.example/u/bob", BOB)
    assert refused(siege, body.encode()) in ((400, 401) if case["name"] == "id local" else (400,))


@pytest.mark.attack("S53", "S60", "S61", "S64")
@pytest.mark.parametrize(
    "case", [one for one in BODIES["generated"] if isinstance(one["expect"], int)], ids=lambda case: str(case["name"])
)
def test_what_the_vectors_make_is_refused(siege: Siege, case: dict[str, Any]) -> None:
    assert refused(siege, whole(case["name"])) == case["expect"]


@pytest.mark.attack("S60")
@pytest.mark.parametrize("says_so", [True, False], ids=["announced", "in chunks"])
def test_a_giant_body_is_refused_and_the_connection_closed(siege: Siege, says_so: bool) -> None:
    post = siege.draft(b'{"a":"' + b"x" * 2 * MIB + b'"}', BOB)
    if not says_so:
        post = siege.draft(b"{}", BOB)
    read = 0

    async def chunks() -> Any:
        nonlocal read
        for part in itertools.repeat(bytes(64 * 1024), 64):
            read += len(part)
            yield part

    async def bring() -> Any:
        async with siege.visitor() as client:
            return await client.post("/inbox", content=post.body if says_so else chunks(), headers=dict(post.headers))

    with siege.nothing_changes():
        answer = siege.run(bring())
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert read <= MIB + 64 * 1024


@pytest.mark.attack("S61")
@pytest.mark.parametrize("depth", [31, 1_000, 100_000])
def test_deep_json_is_refused(siege: Siege, depth: int) -> None:
    assert refused(siege, a_letter("[" * depth + "]" * depth)) == 400
    assert refused(siege, a_letter('{"a":' * depth + "1" + "}" * depth)) == 400


@pytest.mark.attack("S62")
@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 5000, "9007199254740993", '1,"id":"x"']
)
def test_numbers_and_names_that_readers_disagree_on_are_refused(siege: Siege, number: str) -> None:
    assert refused(siege, a_letter(number)) == 400


@pytest.mark.attack("S63")
@pytest.mark.parametrize("text", ["\\ud800", "\\udc00x", "\\u0000", "a\\ud83d"])
def test_text_that_cannot_be_stored_is_refused(siege: Siege, text: str) -> None:
    assert refused(siege, a_letter(f'"{text}"')) == 400


@pytest.mark.attack("S63")
def test_a_name_does_not_turn_the_text_around_it(siege: Siege) -> None:
    stranger = new_id("b.example", "users")
    siege.internet.serve(person(stranger, name="Carol \u202ecod.exe\u2066\x07"))
    listing = siege.post_listing()
    assert (
        siege.bring(activity("Create", stranger, reply(stranger, listing.uri, content="<p>me \u202etoo</p>"))) == TAKEN
    )
    page = siege.ask(f"/listings/{listing.id}", "ana").text
    assert "Carol cod.exe" in page
    assert not {"\u202e", "\u2066", "\x07"}.intersection(page)


@pytest.mark.attack("S64")
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "latin-1"])
def test_any_encoding_but_utf_8_is_refused(siege: Siege, encoding: str) -> None:
    letter = json.dumps(activity("Like", BOB, NORTH, content="é"), ensure_ascii=False)
    assert refused(siege, letter.encode(encoding)) == 400


@pytest.mark.attack("S65")
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/html", None]
)
def test_what_a_form_of_a_browser_can_send_is_refused(siege: Siege, kind: str | None) -> None:
    with siege.nothing_changes():
        assert siege.send(siege.draft(siege.follow(BOB), BOB).but(content_type=kind)).status_code == 415


@pytest.mark.attack("S66")
def test_a_host_that_looks_like_another_is_shown_as_what_it_is(siege: Siege) -> None:
    """The a in it is Cyrillic."""
    shown, meant = "https://xn--exmple-4nf.org/users/alice", "https://example.org/users/alice"
    spelled = "https://ex\u0430mple.org/users/alice"
    siege.internet.serve(person(shown))
    siege.internet.serve(person(meant))
    listing = siege.post_listing()
    letter = activity(
        "Create", spelled, {**reply(shown, listing.uri), "attributedTo": shown}, id=new_id("xn--exmple-4nf.org")
    )
    assert siege.outcome(siege.draft(letter, key(shown))) == TAKEN
    page = siege.ask(f"/listings/{listing.id}", "ana").text
    assert "@alice@xn--exmple-4nf.org" in page
    assert "@alice@example.org" not in page
    assert "\u0430" not in page
    forged = activity("Like", meant, listing.uri)
    with siege.nothing_changes():
        assert siege.outcome(siege.draft(forged, key(shown))).status == 401


@pytest.mark.attack("S66")
@pytest.mark.parametrize("name", ["\u0430lice", "alice\u200b", "\u212aate", "ali ce", "alice@evil.example"])
def test_a_name_before_the_at_has_plain_letters(siege: Siege, name: str) -> None:
    stranger = new_id("b.example", "users")
    siege.internet.serve(person(stranger, preferredUsername=name))
    with siege.nothing_changes():
        assert siege.bring(siege.follow(stranger)).status in (400, 401)
