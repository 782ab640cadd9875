"""Attacks by those who proved who they are: on what is somebody else's, and by too much of everything (S40 to S58)."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fedaid.board import commands
from fedaid.network import commands as network
from fedaid.network.rules.restrictions import Severity, Terms, chosen_target
from inbox.limits import InboxLimits
from tests.activitypub.vectors import vector
from tests.attacks.siege import (
    ADDRESS_BOOK,
    BOARD,
    BOB,
    BOBS_BOARD,
    EVE,
    EVES_BOARD,
    HOST,
    JOURNAL,
    NORTH,
    Outcome,
    Siege,
    activity,
    besieged,
    code_of,
    key,
    new_id,
    note,
    person,
    reply,
)
from tests.inbox.post import draft_get

TAKEN = Outcome(202, "", "done")
ACTIVITY = "application/activity+json"
KEPT = JOURNAL + ADDRESS_BOOK


def a_listing_of_bobs_board(siege: Siege, **changes: Any) -> str:
    """One that reached us."""
    uri = new_id("b.example")
    assert siege.bring(activity("Create", BOBS_BOARD, note(BOBS_BOARD, uri, **changes))) == TAKEN
    return uri


def in_vain(siege: Siege, letter: dict[str, Any], signer: str | None = None) -> Outcome:
    """What becomes of a letter that changes nothing but the journal and the address book."""
    with siege.nothing_changes(but=KEPT):
        return siege.bring(letter, signer)


# what is somebody else's


@pytest.mark.attack("S40")
def test_nobody_changes_what_another_wrote(siege: Siege) -> None:
    uri = a_listing_of_bobs_board(siege)
    later = {"name": "Changed", "updated": "2030-01-01T00:00:00Z"}
    for author in (EVE, BOBS_BOARD):
        forged = activity("Update", EVE, note(author, uri, **later))
        assert in_vain(siege, forged) == Outcome(202, "not_the_author", "refused")
    barbara = "https://b.example/users/barbara"  # of the same server
    siege.internet.serve(person(barbara))
    assert in_vain(siege, activity("Update", barbara, note(barbara, uri, **later))) == Outcome(
        202, "not_allowed", "refused"
    )


@pytest.mark.attack("S41")
def test_nobody_deletes_what_another_wrote_and_what_is_deleted_stays_so(siege: Siege) -> None:
    uri = a_listing_of_bobs_board(siege)
    assert in_vain(siege, activity("Delete", EVE, uri)) == Outcome(202, "not_allowed", "refused")
    siege.bring(siege.follow(BOB))
    assert in_vain(siege, activity("Delete", EVE, BOB)) == Outcome(202, "not_yours", "refused")
    late = new_id("b.example")
    assert siege.bring(activity("Delete", BOBS_BOARD, late)) == TAKEN
    siege.bring(activity("Create", BOBS_BOARD, note(BOBS_BOARD, late)))
    assert siege.listing_at(late) is None


@pytest.mark.attack("S42")
def test_what_an_actor_is_does_not_come_by_a_letter(siege: Siege) -> None:
    siege.bring(siege.follow(BOB))
    pushed = person(BOB, inbox="https://evil.example/i", preferredUsername="admin", publicKey=person(EVE)["publicKey"])
    with siege.nothing_changes(but=JOURNAL):
        assert siege.bring(activity("Update", BOB, pushed)) == TAKEN
    assert f"GET {BOB}" in siege.internet.asked


@pytest.mark.attack("S43")
def test_nobody_answers_for_whom_we_asked(siege: Siege) -> None:
    asked_board = f"{new_id('c.example', 'groups')}"
    siege.internet.serve(person(asked_board))
    asked = siege.ask_to_follow(asked_board)
    embedded = {"id": asked, "type": "Follow", "actor": BOARD, "object": asked_board}
    for about in (asked, embedded):
        for kind in ("Accept", "Reject"):
            assert in_vain(siege, activity(kind, EVE, about)).state == "refused"
    made_up = {"type": "Follow", "actor": f"{NORTH}/users/ana", "object": EVE}
    assert in_vain(siege, activity("Accept", EVE, made_up)) == Outcome(202, "no_such_follow", "refused")
    assert siege.followed()[asked_board] == "asked"


@pytest.mark.attack("S44")
def test_nobody_takes_back_what_another_did(siege: Siege) -> None:
    asked = siege.follow(BOB)
    assert siege.bring(asked) == TAKEN
    for about in (asked["id"], asked, {**asked, "id": new_id("evil.example")}):
        assert in_vain(siege, activity("Undo", EVE, about)).state == "refused"
    assert BOB in siege.followers()


@pytest.mark.attack("S45")
def test_what_a_board_shows_is_read_at_its_own_server(siege: Siege) -> None:
    carol, uri, absent = "https://c.example/users/carol", new_id("c.example"), new_id("c.example")
    siege.internet.serve(note(carol, uri, name="As it is"))
    private = note(carol, new_id("c.example"), to=[f"{carol}/followers"])
    siege.internet.serve(private)
    for about in (uri, absent, private["id"]):
        forged = activity("Create", carol, note(carol, about, name="Forged"))
        siege.bring(activity("Announce", BOBS_BOARD, forged))
    found = siege.listing_at(uri)
    assert found is not None
    assert found.title == "As it is"
    assert siege.listing_at(absent) is None
    assert siege.listing_at(private["id"]) is None


@pytest.mark.attack("S45")
def test_what_strangers_show_is_not_even_asked_for(siege: Siege) -> None:
    assert in_vain(siege, activity("Announce", EVE, new_id("c.example"))).state == "ignored"
    assert siege.internet.asked_at("c.example") == []


@pytest.mark.attack("S46")
def test_what_somebody_carries_is_neither_believed_nor_passed_on(siege: Siege) -> None:
    listing = siege.post_listing()
    for signer in (BOB, EVE):
        siege.bring(siege.follow(signer))
    siege.rest()
    letter = activity("Create", BOB, reply(BOB, listing.uri), cc=[f"{BOARD}/followers"])
    assert in_vain(siege, letter, EVE) == Outcome(401, "not_the_actor")
    assert siege.internet.asked == [f"GET {letter['id']}"]  # its own server does not know it
    siege.internet.serve(letter)
    assert siege.bring(letter, EVE) == TAKEN
    assert siege.internet.posted == []  # without a proof those who get it from us could not believe it


@pytest.fixture
def private_path(siege: Siege) -> str:
    """What Bea answered to bob's board, for that board alone."""
    found = siege.listing_at(a_listing_of_bobs_board(siege))
    assert found is not None
    with siege.instance.units.begin() as work:
        response = commands.respond(work, siege.people["bea"], found.id, "I can come.")
    siege.settle()
    return f"/responses/{response}"


def read(siege: Siege, path: str, signer: str = "") -> tuple[int, bytes, dict[str, str]]:
    signed = draft_get(path, key(signer), at=siege.clock.now(), host=HOST) if signer else {}
    answer = siege.ask(path, headers={"accept": ACTIVITY, **signed})
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.content, headers


@pytest.mark.attack("S47")
def test_what_is_hidden_and_what_never_was_answer_alike(siege: Siege, private_path: str) -> None:
    siege.bring(siege.follow(EVE))
    assert read(siege, private_path, BOBS_BOARD)[0] == 200
    hidden = [
        read(siege, private_path),
        read(siege, private_path, EVE),
        read(siege, "/responses/7"),
        read(siege, "/responses/7", EVE),
    ]
    assert hidden.count(hidden[0]) == 4
    assert hidden[0][0] == 404
    assert "private" in hidden[0][2]["cache-control"]
    assert {"accept", "signature"} <= {name.strip().lower() for name in hidden[0][2]["vary"].split(",")}


@contextmanager
def shut_out(siege: Siege, name: str) -> Iterator[None]:
    """An admin blocks a server or an actor, for the length of the block."""
    target = chosen_target(name)
    with siege.instance.units.begin() as work:
        network.restrict(work, target, Terms(Severity.BLOCK))
    siege.settle()
    siege.clock.pass_seconds(10)  # so late may a block take effect at the door
    yield
    with siege.instance.units.begin() as work:
        network.lift(work, target)
    siege.clock.pass_seconds(10)


@pytest.mark.attack("S48")
def test_nobody_comes_around_a_block(siege: Siege) -> None:
    listing = siege.post_listing()
    below, beside = "https://sub.evil.example/users/eve", "https://evil.example/users/mallory"
    for actor in (EVE, below, beside):
        siege.internet.serve(person(actor))
    theirs = new_id("evil.example")
    siege.internet.serve(note(EVE, theirs))
    with shut_out(siege, "evil.example"):
        siege.internet.asked.clear()
        for actor in (EVE, below, beside):
            assert in_vain(siege, activity("Create", actor, reply(actor, listing.uri))).status == 403
        assert in_vain(siege, activity("Announce", BOBS_BOARD, theirs)).state == "refused"
        mention = {"type": "Mention", "href": EVE, "name": "@eve"}
        assert in_vain(siege, activity("Announce", BOBS_BOARD, note(EVE, theirs, tag=[mention]))).state == "refused"
        assert siege.internet.asked_at("evil.example") == []


@pytest.mark.attack("S48")
def test_a_single_actor_who_is_shut_out_is_thanked_and_forgotten(siege: Siege) -> None:
    siege.bring(siege.follow(EVE))
    with shut_out(siege, EVE), siege.nothing_changes():
        assert siege.bring(activity("Update", EVE, note(EVE, new_id("evil.example")))) == Outcome(202)
        assert siege.bring(siege.follow(EVE)) == Outcome(202)


@pytest.mark.attack("S48", "S66")
def test_no_other_spelling_of_a_host_comes_around_its_block(siege: Siege) -> None:
    with shut_out(siege, "xn--exmple-4nf.org"):
        for spelled in (
            "https://ex\u0430mple.org/n/1",
            "https://EX\u0430MPLE.org/n/1",
            "https://xn--exmple-4nf.org:443/n/1",
        ):
            assert in_vain(siege, activity("Announce", BOBS_BOARD, spelled)).state == "refused"
        assert siege.internet.asked_at("4nf.org") == []


@pytest.mark.attack("S49")
def test_nobody_moves_to_who_does_not_say_so(siege: Siege) -> None:
    letter = activity("Move", BOBS_BOARD, BOBS_BOARD, target=EVES_BOARD)
    assert in_vain(siege, letter) == Outcome(202, "not_known_as", "refused")
    assert in_vain(siege, activity("Move", EVE, BOBS_BOARD, target=EVES_BOARD)) == Outcome(202, "not_yours", "refused")
    assert siege.followed()[BOBS_BOARD] == "accepted"
    assert EVES_BOARD not in siege.followed()


@pytest.mark.attack("S50")
def test_two_hundred_reports_of_one_server_are_twenty(tmp_path: Path) -> None:
    with besieged("sqlite", tmp_path) as siege:
        listing = siege.post_listing()
        outcomes = []
        for number in range(200):
            signer = f"https://evil.example/users/{number % 3}"
            siege.internet.serve(person(signer))
            flag = activity("Flag", signer, [f"{NORTH}/users/ana", listing.uri], content="x" * 9_000)
            answer = siege.send(siege.draft(flag, signer))
            outcomes.append((answer.status_code, code_of(answer)))
        siege.settle()
        assert outcomes == [(202, "")] * 20 + [(429, "too_many")] * 180
        with siege.database.read() as connection:
            (case,) = connection.exec_driver_sql("SELECT comment FROM report").all()  # the same counts once a day
        assert len(case.comment) <= 5_000
        assert siege.internet.posted == []  # nothing is passed on


@pytest.mark.attack("S51")
@pytest.mark.parametrize("author", [f"{NORTH}/users/ana", BOARD, BOBS_BOARD])
def test_nobody_elsewhere_gives_ids_or_authors_of_ours(siege: Siege, author: str) -> None:
    for uri in (f"{NORTH}/listings/1", new_id("b.example")):
        if (uri, author) == (uri, BOBS_BOARD) and not uri.startswith(NORTH):
            continue  # that is bob's to say
        forged = note(author, uri)
        assert in_vain(siege, activity("Create", BOBS_BOARD, forged)).state == "refused"
        assert siege.listing_at(uri) is None
    ours = activity("Follow", BOARD, BOARD, id=f"{NORTH}/activities/1")
    assert in_vain(siege, ours, BOB).status == 401


@pytest.mark.attack("S52")
@pytest.mark.parametrize("wrong", [7, True, [], [[]], {}, None, "", [7], {"id": 7}, {"id": []}, [None]])
@pytest.mark.parametrize("name", ["id", "type", "actor", "object"])
def test_a_value_of_the_wrong_kind_is_a_refusal_and_never_a_fault(siege: Siege, name: str, wrong: object) -> None:
    letter = {**siege.follow(BOB), name: wrong}
    outcome = in_vain(siege, letter, BOB)
    assert outcome.status in (400, 401) or outcome.state == "ignored"  # an empty object is nobody's business


@pytest.mark.attack("S52")
@pytest.mark.parametrize(
    "name", ["content", "inReplyTo", "tag", "attachment", "to", "cc", "published", "name", "url", "attributedTo"]
)
def test_wrong_kinds_inside_of_an_object_are_no_fault_either(siege: Siege, name: str) -> None:
    listing = siege.post_listing()
    for wrong in (7, True, [[]], {"a": {}}, [{"type": 7}], "\t"):
        outcome = siege.bring(activity("Create", BOB, {**reply(BOB, listing.uri), name: wrong}))
        assert outcome.status in (202, 400)
        assert outcome.state in ("", "done", "refused", "ignored")


ODD_ADDRESSES = (
    "https://[::1",
    "https://[x]/",
    "https://\u2100.example/",
    "https://b.example\\@evil.example:x/",
    "://",
    "//[",
)


@pytest.mark.attack("S52", "S06")
@pytest.mark.parametrize("kind", ["Accept", "Announce", "Create", "Delete", "Like", "Move", "Offer", "Undo", "Update"])
def test_an_address_that_no_parser_reads_is_no_fault(siege: Siege, kind: str) -> None:
    for odd in ODD_ADDRESSES:
        mention = {"type": "Mention", "href": odd, "name": "@x"}
        for about in (
            odd,
            note(BOBS_BOARD, new_id("b.example"), tag=[mention]),
            note(odd, odd),
            {"type": kind, "actor": odd, "object": odd},
        ):
            outcome = siege.bring(activity(kind, BOBS_BOARD, about, target=odd))
            assert outcome.status in (202, 400, 401)
            assert outcome.state in ("", "done", "refused", "ignored"), (odd, outcome)


@pytest.mark.attack("S53")
@pytest.mark.parametrize(
    "bomb",
    [
        {"tag": [{"type": "Mention", "href": f"{NORTH}/users/ana"}] * 101},
        {"tag": [{"type": "Mention", "href": BOB, "name": f"@{number}"} for number in range(20_000)]},
        {"attachment": [{"type": "Image", "url": "https://b.example/1.png"}] * 17},
        {"to": [f"https://c.example/{number}" for number in range(1_001)]},
        {"content": "x" * 100_001},
        {"contentMap": {"en": "x" * 100_001}},
        {"name": "x" * 501},
        {"inReplyTo": f"https://b.example/{'x' * 2_048}"},
    ],
    ids=["tags", "mentions", "attachments", "recipients", "content", "language", "name", "url"],
)
def test_bombs_are_refused(siege: Siege, bomb: dict[str, Any]) -> None:
    listing = siege.post_listing()
    siege.bring(siege.follow(BOB))
    outcome = in_vain(siege, activity("Create", BOB, {**reply(BOB, listing.uri), **bomb}))
    assert outcome.status in (400, 413) or (outcome.status, outcome.state) in ((202, "refused"), (202, "ignored"))


@pytest.mark.attack("S54")
@pytest.mark.parametrize(
    "odd",
    [
        {"name": ":<img onerror=alert(1)>:"},
        {"name": ":a:"},
        {"name": f":{'x' * 65}:"},
        {"id": "https://evil.example/emoji/1"},
        {"icon": {"type": "Image", "mediaType": "image/svg+xml", "url": "https://b.example/1.svg"}},
        {"icon": {"type": "Image", "url": "javascript:alert(1)"}},
    ],
)
def test_an_odd_emoji_is_dropped(siege: Siege, odd: dict[str, Any]) -> None:
    listing = siege.post_listing()
    icon = {"type": "Image", "mediaType": "image/png", "url": "https://b.example/1.png"}
    emoji = {"id": "https://b.example/emoji/1", "type": "Emoji", "name": ":van:", "icon": icon, **odd}
    said = f"<p>I can help {emoji['name']}</p>"
    assert siege.bring(activity("Create", BOB, reply(BOB, listing.uri, content=said, tag=[emoji]))) == TAKEN
    page = siege.ask(f"/listings/{listing.id}", "ana").text
    assert "I can help" in page
    assert not re.search(r'src="/pictures|<img[^>]*onerror|javascript:', page)


@pytest.mark.attack("S55")
def test_an_approval_that_somebody_forged_approves_nothing(siege: Siege) -> None:
    """Quotes are not read here, so nobody is asked whether one was allowed, and nobody is told that it was."""
    listing = siege.post_listing()
    quoting = {"quote": listing.uri, "quoteUri": listing.uri, "quoteAuthorization": "https://evil.example/approvals/1"}
    assert siege.bring(activity("Create", BOB, reply(BOB, listing.uri, **quoting))) == TAKEN
    assert siege.internet.asked_at("evil.example") == []
    asks = activity("QuoteRequest", EVE, listing.uri, instrument=new_id("evil.example"))
    assert in_vain(siege, asks) == Outcome(202, "not_taken", "ignored")
    approval = {"id": new_id("evil.example"), "type": "QuoteAuthorization", "interactionTarget": listing.uri}
    assert in_vain(siege, activity("Accept", EVE, {**approval, "interactingObject": new_id("evil.example")})).state in (
        "ignored",
        "refused",
    )


@pytest.mark.attack("S56")
@pytest.mark.parametrize("name", sorted(vector("timebank/messages.json")))
@pytest.mark.parametrize("value", ["2", "-1", "1e9", "NaN", "100"])
def test_no_strangers_message_moves_hours(siege: Siege, name: str, value: str) -> None:
    ledger = "https://evil.example/ledger"
    siege.internet.serve(person(ledger, type="Service"))
    text = json.dumps(vector("timebank/messages.json")[name])
    hosts = sorted(set(re.findall(r"https://[a-z.]+\.example", text)) - {"https://fedaid.example"})
    forged = json.loads(text.replace(hosts[0], NORTH).replace(hosts[-1], "https://evil.example"))
    forged |= {"id": new_id("evil.example"), "actor": ledger}
    said = re.sub(r'("hasNumericalValue": )"[^"]*"', rf'\1"{value}"', json.dumps(forged))
    letter = {name: one for name, one in json.loads(said).items() if name != "proof"}
    for bare in (letter, json.loads(said)):
        outcome = siege.draft(bare, ledger, path="/ledger/inbox")
        with siege.nothing_changes(but=KEPT):
            assert siege.outcome(outcome).state in ("", "refused", "ignored")


@pytest.mark.attack("S57")
def test_an_id_is_given_once_and_by_its_owner(siege: Siege) -> None:
    uri = a_listing_of_bobs_board(siege)
    again = activity("Create", BOBS_BOARD, note(BOBS_BOARD, uri, name="Something else"))
    siege.bring(again)
    stolen = {**siege.follow(EVE), "id": again["id"]}
    assert in_vain(siege, stolen) == Outcome(401, "id_origin")
    assert in_vain(siege, activity("Create", EVES_BOARD, note(EVES_BOARD, uri))).state == "refused"
    found = siege.listing_at(uri)
    assert found is not None
    assert (found.title, found.author_actor) == ("Reading", BOBS_BOARD)


@pytest.mark.attack("S58")
def test_a_flood_of_follows_is_told_when_to_come_back(tmp_path: Path) -> None:
    few = InboxLimits(follows_per_host_per_minute_max=5)
    with besieged("sqlite", tmp_path, inbox=few) as siege:
        answers: list[httpx2.Response] = []
        for number in range(12):
            signer = f"https://evil.example/users/{number}"
            siege.internet.serve(person(signer))
            answers.append(siege.send(siege.draft(siege.follow(signer), signer)))
        siege.settle()
        assert [one.status_code for one in answers] == [202] * 5 + [429] * 7
        assert answers[-1].headers["retry-after"] == "60"
        assert len(siege.followers()) == 5
        assert siege.bring(siege.follow(BOB)) == TAKEN  # others are heard
