"""Attacks that make us ask for something: whoever answers, and wherever that leads (S01 to S18)."""

import ast
import itertools
import re
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from activitypub.client import FetchLimits
from activitypub.errors import FetchFailed
from activitypub.keys import SigningKey, public_to_pem
from fedaid.actors.rules import Kind
from tests.activitypub.vectors import vector
from tests.attacks.internet import SOMEWHERE, Page, document, redirect
from tests.attacks.siege import (
    ADDRESS_BOOK,
    BOB,
    BOBS_BOARD,
    EVE,
    JOURNAL,
    NORTH,
    SESSIONS,
    Outcome,
    Siege,
    activity,
    besieged,
    key,
    new_id,
    note,
    person,
    reply,
)

TAKEN = Outcome(202, "", "done")
FORBIDDEN = [case["address"] for case in vector("attacks/ssrf-addresses.json") if case["must_refuse"]]
ALLOWED = [case["address"] for case in vector("attacks/ssrf-addresses.json") if not case["must_refuse"]]
# The vectors leave out some of those that Python 3.11 calls global, or hide others.
MORE_FORBIDDEN = ["::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "fec0::1", "ff02::1", "2001::1", "fe80::1%1"]
INSIDE, ROOT = "https://inside.example", Path(__file__).parents[2]
JRD = "application/jrd+json"
MIB = 1024 * 1024


def a_stranger(host: str = "evil.example") -> str:
    return new_id(host, "users")


def test_a_letter_with_nothing_wrong_is_taken(siege: Siege) -> None:
    """What the attacks are made from."""
    assert siege.bring(siege.follow(BOB)) == TAKEN
    assert BOB in siege.followers()


# where it leads


@pytest.mark.attack("S01")
@pytest.mark.parametrize("address", [*FORBIDDEN, *MORE_FORBIDDEN])
def test_a_key_at_a_name_that_leads_inside_is_not_asked_for(siege: Siege, address: str) -> None:
    stranger = a_stranger("metadata.example")
    for answer in ([address], ["8.8.8.8", address]):
        siege.rest()
        siege.internet.addresses["metadata.example"] = [answer]
        with siege.nothing_changes():
            assert siege.bring(siege.follow(stranger)) == Outcome(401, "forbidden_address")
        assert siege.internet.connected == []


@pytest.mark.parametrize("address", ALLOWED)
def test_a_key_at_a_public_address_is_asked_for_there(siege: Siege, address: str) -> None:
    stranger = a_stranger("outside.example")
    siege.internet.addresses["outside.example"] = [[address]]
    siege.internet.serve(person(stranger))
    assert siege.bring(siege.follow(stranger)) == TAKEN
    assert set(siege.internet.connected) == {address}


@pytest.mark.attack("S01")
@pytest.mark.parametrize(
    "letter",
    [
        lambda: activity("Announce", BOBS_BOARD, f"{INSIDE}/notes/1"),
        lambda: activity("Create", BOBS_BOARD, f"{INSIDE}/notes/1"),
        lambda: activity("Create", BOB, reply(BOB, f"{INSIDE}/notes/1")),
        lambda: activity("Move", BOBS_BOARD, BOBS_BOARD, target=f"{INSIDE}/groups/board"),
        lambda: activity("Update", BOB, person(BOB, icon={"type": "Image", "url": f"{INSIDE}/face.png"})),
    ],
    ids=["announced", "created", "replied to", "moved to", "icon"],
)
def test_whatever_a_letter_names_inside_is_not_asked_for(siege: Siege, letter: Callable[[], dict[str, Any]]) -> None:
    siege.internet.addresses["inside.example"] = [["10.0.0.1"]]
    with siege.nothing_changes(but=JOURNAL + ADDRESS_BOOK):
        assert siege.bring(letter()).status == 202
    assert set(siege.internet.connected) <= {SOMEWHERE}
    assert siege.internet.asked_at("inside.example") == []


@pytest.mark.attack("S01")
def test_what_an_admin_looks_for_inside_is_not_asked_for(siege: Siege) -> None:
    """WebFinger and the actors it leads to."""
    siege.internet.addresses["inside.example"] = [["10.0.0.1"]]
    with siege.nothing_changes(but=SESSIONS):
        answer = siege.ask("/networks/propose", "nora", "POST", data={"host": "inside.example", "line": "10"})
    assert answer.status_code >= 400
    assert siege.internet.connected == []


@pytest.mark.attack("S02")
def test_a_name_is_looked_up_once_and_connected_to_as_it_was_vetted(siege: Siege) -> None:
    stranger = a_stranger("rebind.example")
    siege.internet.addresses["rebind.example"] = [["8.8.8.8"], ["127.0.0.1"]]
    siege.internet.serve(person(stranger))
    assert siege.send(siege.draft(siege.follow(stranger), stranger)).status_code == 202
    assert siege.internet.looked_up == ["rebind.example"]
    assert siege.internet.connected == ["8.8.8.8"]
    siege.settle()  # our answer to the Follow would go to the second address
    assert siege.internet.connected == ["8.8.8.8"]
    assert siege.internet.posted == []


@pytest.mark.attack("S03")
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "http://b.example/users/bob",
        "https://inside.example/users/x",
        "file:///etc/passwd",
        "",
        "https://b.example:8443/users/bob",
    ],
)
def test_a_redirect_is_vetted_like_a_first_address(siege: Siege, location: str) -> None:
    siege.internet.addresses["inside.example"] = [["127.0.0.1"]]
    stranger = a_stranger()
    siege.internet.pages[stranger] = redirect(location)
    with siege.nothing_changes():
        assert siege.bring(siege.follow(stranger)).status == 401
    assert siege.internet.asked == [f"GET {stranger}"]
    assert siege.internet.connected == [SOMEWHERE]


@pytest.mark.attack("S03")
@pytest.mark.parametrize("further", ["", "x"], ids=["to itself", "ever on"])
def test_redirects_without_end_are_given_up_after_three(siege: Siege, further: str) -> None:
    stranger = a_stranger("loop.example")
    siege.internet.pages["https://loop.example/*"] = lambda url: redirect(url + further)
    with siege.nothing_changes():
        assert siege.bring(siege.follow(stranger)) == Outcome(401, "redirects")
    assert len(siege.internet.asked) <= 4


@pytest.mark.attack("S03")
def test_a_redirect_to_somebody_else_does_not_make_them_the_owner(siege: Siege) -> None:
    stranger = a_stranger()
    siege.internet.pages[stranger] = redirect(BOB)
    with siege.nothing_changes():
        assert siege.bring(siege.follow(stranger)) == Outcome(401, "key_unclaimed")


OTHER_WAYS_OUT = frozenset(
    {
        "aiohttp",
        "ftplib",
        "http.client",
        "httpcore2",
        "httpx2",
        "requests",
        "smtplib",
        "socket",
        "ssl",
        "urllib.request",
    }
)


@pytest.mark.attack("S04")
def test_only_the_client_can_reach_others() -> None:
    found = set()
    for package in ("activitypub", "inbox", "outbox", "fedaid"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
                if OTHER_WAYS_OUT.intersection(names):
                    found.add(file.relative_to(ROOT).as_posix())
    inside = {name for name in found if name.startswith(("activitypub/client/", "fedaid/demo/"))}
    # The one names the type of a transport, and passes one on; the other speaks with the mail server of the settings.
    assert found - inside == {"fedaid/app.py", "fedaid/notices/sending/server.py"}
    assert "activitypub/client/fetch.py" in inside


@pytest.mark.attack("S04")
def test_there_is_no_door_that_makes_us_push_somewhere(siege: Siege) -> None:
    subscription = {"subscription": {"endpoint": "https://10.0.0.1/x", "keys": {"p256dh": "x", "auth": "x"}}}
    with siege.nothing_changes(but=SESSIONS):
        answer = siege.ask("/api/v1/push/subscription", "ana", "POST", json=subscription)
    assert answer.status_code == 404
    assert siege.internet.looked_up == []


def pictures_on(siege: Siege, listing_id: int) -> list[str]:
    """The pictures that the page of a listing shows to its author."""
    return re.findall(r'src="(/pictures/[^"]+)"', siege.ask(f"/listings/{listing_id}", "ana").text)


@pytest.mark.attack("S04", "S01")
def test_a_picture_inside_is_not_asked_for_when_somebody_looks(siege: Siege) -> None:
    siege.internet.addresses["inside.example"] = [["10.0.0.1"]]
    listing = siege.post_listing()
    beside = {"type": "Document", "mediaType": "image/png", "url": f"{INSIDE}/door.png"}
    assert siege.bring(activity("Create", BOB, reply(BOB, listing.uri, attachment=[beside]))) == TAKEN
    siege.internet.connected.clear()
    (address,) = pictures_on(siege, listing.id)
    assert siege.ask(address, "ana").status_code == 404
    assert siege.internet.connected == []


@pytest.mark.attack("S05")
@pytest.mark.parametrize("case", vector("attacks/urls.json"), ids=lambda case: str(case["note"]))
def test_an_address_is_asked_for_only_in_one_plain_spelling(siege: Siege, case: dict[str, Any]) -> None:
    with siege.nothing_changes(but=JOURNAL):
        outcome = siege.bring(activity("Announce", BOBS_BOARD, case["url"]))
    assert outcome.status in (202, 400)
    assert bool(siege.internet.asked) is case["acceptable_as_remote_id"]


@pytest.mark.attack("S06")
@pytest.mark.parametrize(
    "uri",
    [
        "https://b.example\\@evil.example/n/1",
        "https://b.example@evil.example/n/1",
        "https://evil.example@b.example/n/1",
        "https://b.example:443@evil.example/n/1",
        "https://b.example%2eevil.example/n/1",
        "https://b.example\t.evil.example/n/1",
        "https://b.example./n/1",
        "https://b.example:8443/n/1",
        "https:/\\evil.example/n/1",
    ],
)
def test_an_id_that_two_readers_would_read_differently_is_not_stored(siege: Siege, uri: str) -> None:
    with siege.nothing_changes(but=JOURNAL):
        outcome = siege.bring(activity("Create", BOBS_BOARD, note(BOBS_BOARD, uri)))
    assert (outcome.status, outcome.state) in ((400, ""), (202, "refused"), (202, "ignored"))
    assert siege.internet.asked == []


# what comes back


def packed_zeros(mebibytes: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MIB)
    for _ in range(mebibytes):
        yield packer.compress(zeros)
    yield packer.flush()


@pytest.mark.attack("S07")
@pytest.mark.parametrize(
    "bomb",
    [
        Page(packed_zeros(256), headers={"content-type": "application/activity+json", "content-encoding": "gzip"}),
        Page(itertools.repeat(bytes(64 * 1024))),
    ],
    ids=["packed", "without end"],
)
def test_an_answer_that_would_fill_the_memory_is_not_read(siege: Siege, bomb: Page) -> None:
    stranger = a_stranger()
    siege.internet.pages[stranger] = bomb
    tracemalloc.start()
    try:
        with siege.nothing_changes():
            outcome = siege.bring(siege.follow(stranger))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome in (Outcome(401, "encoding"), Outcome(401, "too_large"))
    assert siege.internet.read <= MIB + 64 * 1024
    assert peak < 8 * MIB


@pytest.mark.attack("S08")
def test_an_answer_that_drips_ends_with_the_deadline(tmp_path: Path) -> None:
    quick = FetchLimits(total_seconds_max=0.5, read_seconds_max=0.4)
    with besieged("sqlite", tmp_path, fetch=quick) as siege:
        stranger = a_stranger()
        siege.internet.pages[stranger] = Page(itertools.repeat(b" "), pause_seconds=0.1)
        started = time.monotonic()
        with siege.nothing_changes():
            assert siege.bring(siege.follow(stranger)) == Outcome(401, "timeout")
        assert time.monotonic() - started < 10
        assert siege.internet.read <= 10


PLAIN_LD = "application/ld+json"
AS_PROFILE = f'{PLAIN_LD}; profile="https://www.w3.org/ns/activitystreams"'


@pytest.mark.attack("S09")
@pytest.mark.parametrize("kind", ["text/plain", "image/png", "application/json", PLAIN_LD])
def test_what_does_not_say_that_it_is_a_document_of_ours_is_none(siege: Siege, kind: str) -> None:
    uri, stranger = new_id("b.example"), a_stranger()
    siege.internet.pages[uri] = document(note(BOBS_BOARD, uri), kind)
    siege.internet.pages[stranger] = document(person(stranger), kind)
    with siege.nothing_changes(but=JOURNAL):
        assert siege.bring(activity("Create", BOBS_BOARD, uri)) == Outcome(202, "not_taken", "ignored")
        assert siege.bring(siege.follow(stranger)) == Outcome(401, "content_type")
    assert f"GET {uri}" in siege.internet.asked


@pytest.mark.parametrize("kind", ["application/activity+json", AS_PROFILE])
def test_what_says_so_is_read(siege: Siege, kind: str) -> None:
    uri = new_id("b.example")
    siege.internet.pages[uri] = document(note(BOBS_BOARD, uri), kind)
    assert siege.bring(activity("Create", BOBS_BOARD, uri)) == TAKEN
    assert siege.listing_at(uri) is not None


@pytest.mark.attack("S10")
def test_a_document_that_claims_anothers_id_is_read_where_that_id_is(siege: Siege) -> None:
    siege.bring(siege.follow(BOB))
    siege.rest()
    stranger = a_stranger()
    mine = {"id": key(stranger).key_id, "owner": BOB, "publicKeyPem": public_to_pem(key(EVE).private_key.public_key())}
    siege.internet.pages[stranger] = document(person(BOB, publicKey=mine))
    with siege.nothing_changes():
        assert siege.bring(siege.follow(stranger)) == Outcome(401, "key_unclaimed")
    assert siege.internet.asked == [f"GET {stranger}", f"GET {BOB}"]


@pytest.mark.attack("S11")
@pytest.mark.parametrize("carrier", [EVE, BOBS_BOARD])
def test_an_object_of_somebody_else_is_not_taken_out_of_a_letter(siege: Siege, carrier: str) -> None:
    uri = new_id("c.example")
    forged = note("https://c.example/users/carol", uri, content="forged")
    with siege.nothing_changes(but=JOURNAL + ADDRESS_BOOK):
        assert siege.bring(activity("Create", carrier, forged)) == Outcome(202, "not_the_author", "refused")
    assert siege.listing_at(uri) is None


@pytest.mark.attack("S12")
@pytest.mark.parametrize("inbox", ["https://victim.example/inbox", "http://evil.example/inbox", "javascript:1", None])
def test_an_actor_whose_inbox_is_elsewhere_is_refused(siege: Siege, inbox: str | None) -> None:
    stranger = a_stranger()
    siege.internet.pages[stranger] = document(person(stranger, inbox=inbox))
    with siege.nothing_changes():
        assert siege.bring(siege.follow(stranger)).status in (400, 401)
    assert siege.internet.asked_at("victim.example") == []


@pytest.mark.attack("S12")
def test_collections_of_an_actor_that_are_elsewhere_are_left_out(siege: Siege) -> None:
    stranger, elsewhere = a_stranger(), "https://victim.example/inbox"
    collections = {"followers": "javascript:1", "outbox": elsewhere, "featured": elsewhere, "url": elsewhere}
    siege.internet.serve(person(stranger, endpoints={"sharedInbox": elsewhere}, **collections))
    assert siege.bring(siege.follow(stranger)) == TAKEN
    assert [url for url, letter in siege.internet.posted if letter["type"] == "Accept"] == [f"{stranger}/inbox"]
    assert siege.internet.asked_at("victim.example") == []


@pytest.mark.attack("S13")
def test_nobody_gets_a_handle_of_another_domain(siege: Siege) -> None:
    link = {"rel": "self", "type": "application/activity+json", "href": EVE}
    lie = document({"subject": "acct:admin@b.example", "links": [link]}, JRD)
    siege.internet.pages["https://evil.example/.well-known/webfinger?resource=acct%3Aeve%40evil.example"] = lie
    theirs = {**link, "href": "https://b.example/users/admin"}
    siege.internet.pages["https://b.example/.well-known/webfinger?resource=acct%3Aadmin%40b.example"] = document(
        {"subject": "acct:admin@b.example", "links": [theirs]}, JRD
    )
    with siege.nothing_changes(), pytest.raises(FetchFailed) as refused:
        siege.run(siege.instance.moving.add_alias(Kind.PERSON, "ana", "@eve@evil.example"))
    assert refused.value.code == "webfinger_loop"
    assert any("b.example/.well-known/webfinger" in line for line in siege.internet.asked)


@pytest.mark.attack("S14")
@pytest.mark.parametrize("further", ["", "x"], ids=["to itself", "ever on"])
def test_pages_without_end_are_read_ten_documents_far(siege: Siege, further: str) -> None:
    host = f"pages{'on' if further else 'loop'}.example"
    board = f"https://{host}/groups/board"
    siege.internet.serve(person(board, outbox=f"https://{host}/outbox"))

    def page(url: str) -> Page:
        return document({"id": url, "type": "OrderedCollectionPage", "orderedItems": [], "next": url + further})

    outbox = {"id": f"https://{host}/outbox", "type": "OrderedCollection", "first": f"https://{host}/outbox?p=1"}
    siege.internet.serve(outbox)
    siege.internet.pages[f"https://{host}/*"] = page
    siege.follow_board(board)
    read = [line for line in siege.internet.asked_at(host) if "/outbox" in line]
    assert 2 <= len(read) <= 10


@pytest.mark.attack("S15")
def test_a_thread_without_end_is_not_climbed(siege: Siege) -> None:
    def above(url: str) -> Page:
        number = int(url.rpartition("/")[2])
        author = f"https://s{number}.chain.example/users/x"
        return document(reply(author, f"https://s{number + 1}.chain.example/n/{number + 1}", id=url))

    siege.internet.pages["https://*.chain.example/*"] = above
    first = reply(BOBS_BOARD, "https://s1.chain.example/n/1")
    siege.bring(activity("Create", BOBS_BOARD, first))
    siege.bring(activity("Announce", BOBS_BOARD, "https://s1.chain.example/n/1"))
    asked = siege.internet.asked_at("chain.example")
    assert len(asked) <= siege.instance.settings.inbox.fetches_per_letter_max
    assert len({line.split("/")[2] for line in asked}) <= 10
    assert [row for row in siege.letters() if row.state == "new"] == []


@pytest.mark.attack("S16")
def test_a_hundred_made_up_keys_cost_their_host_few_requests(siege: Siege) -> None:
    with siege.nothing_changes():
        for number in range(100):
            assert siege.bring(siege.follow(f"https://v.example/k/{number}")).status == 401
    assert len(siege.internet.asked_at("v.example")) <= 5


@pytest.mark.attack("S15", "S16")
def test_keys_at_made_up_names_under_one_domain_cost_ten_of_them_a_request(siege: Siege) -> None:
    strangers = [f"https://name{number}.v.example/users/eve" for number in range(40)]
    with siege.nothing_changes():
        statuses = [siege.bring(siege.follow(stranger)).status for stranger in strangers]
    assert statuses == [401] * 10 + [503] * 30
    assert len(siege.internet.asked_at("v.example")) <= 10


@pytest.mark.attack("S16")
def test_a_strangers_farewell_is_thanked_for_and_nobody_is_asked(siege: Siege) -> None:
    stranger = a_stranger("v.example")
    with siege.nothing_changes():
        assert siege.bring(activity("Delete", stranger, stranger)) == Outcome(202)
    assert siege.internet.asked == []


def signed_with_anothers_key(actor: str) -> SigningKey:
    return replace(key(actor), private_key=key(EVE).private_key)


@pytest.mark.attack("S17")
def test_bad_signatures_cost_one_fetch_and_a_key_is_not_taken_out_of_a_letter(siege: Siege) -> None:
    siege.bring(siege.follow(BOB))  # whom we know, with a key of today
    siege.clock.pass_seconds(400)
    siege.internet.asked.clear()
    for _ in range(50):
        assert siege.outcome(siege.draft(siege.follow(BOB), signed_with_anothers_key(BOB))).status == 401
    assert len(siege.internet.asked_at("b.example")) <= 1
    pushed = person(
        BOB, publicKey=person(BOB)["publicKey"] | {"publicKeyPem": person(EVE)["publicKey"]["publicKeyPem"]}
    )
    assert siege.bring(activity("Update", BOB, pushed)) == TAKEN
    assert f"GET {BOB}" in siege.internet.asked  # a hint to look, at the place where the key counts
    assert siege.outcome(siege.draft(siege.follow(BOB), signed_with_anothers_key(BOB))).status == 401
    assert siege.bring(siege.follow(BOB)) == TAKEN


@pytest.mark.attack("S18")
def test_a_context_of_strangers_is_not_fetched(siege: Siege) -> None:
    contexts = ["https://www.w3.org/ns/activitystreams", "https://evil.example/ctx"]
    uri = new_id("b.example")
    listing = {**note(BOBS_BOARD, uri), "@context": contexts}
    assert siege.bring(activity("Create", BOBS_BOARD, listing, **{"@context": contexts})) == TAKEN
    found = siege.listing_at(uri)
    assert found is not None
    assert found.title == "Reading"
    assert siege.internet.asked_at("evil.example") == []
    assert NORTH not in "".join(siege.internet.asked)
