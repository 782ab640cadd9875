"""The conversation below a listing, as other servers fetch it: who answered in public, by id, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from fedaid.actors import commands as actors
from fedaid.board import commands
from fedaid.board.queries import Listing
from fedaid.network import commands as network
from fedaid.network.rules.restrictions import Severity, Terms, chosen_target
from tests.board.test_board_documents import read, servers
from tests.board.test_board_pages import AP
from tests.board.test_board_shapes import offer_of_ben
from tests.board.test_board_talk import note, replied
from tests.board.world import BOARD, CAROL, World, activity, foreign_note

EVE = "https://eve.example/users/eve"


def replied_by(world: World, listing: Listing, author: str, number: int = 1, **changes: Any) -> str:
    """The id of somebody's reply to a listing."""
    sent = note(number, listing.uri, author, **changes)
    assert world.receive(activity("Create", author, sent, number))
    return str(sent["id"])


def get(world: World, path: str) -> Any:
    answer = servers(world).get(path, headers=AP)
    assert answer.status_code == 200, answer.text
    return answer.json()


def named(world: World, listing: Listing) -> list[str]:
    """The replies that a listing leads to, by every way that leads to them."""
    inside = get(world, f"/listings/{listing.id}")["replies"]["first"]["items"]
    there = get(world, f"/listings/{listing.id}/replies")
    assert there["first"]["items"] == inside
    assert there["totalItems"] == len(inside)
    opening, *rest = get(world, f"/listings/{listing.id}/context?page=true")["orderedItems"]
    assert opening == listing.uri
    assert rest == inside
    return list(inside)


def test_a_public_reply_is_named_by_its_id_and_none_of_its_words_are_shown(world: World) -> None:
    listing = world.post()
    assert named(world, listing) == []
    reply = replied_by(world, listing, CAROL)
    assert named(world, listing) == [reply]
    for path in ("", "/replies", "/replies?page=true", "/context", "/context?page=true"):
        answer = servers(world).get(f"/listings/{listing.id}{path}", headers=AP)
        assert "van" not in answer.text
        assert answer.headers["cache-control"] == "public, max-age=60"


def test_the_collections_have_the_shapes_that_others_read(world: World) -> None:
    listing = world.post()
    reply = replied_by(world, listing, CAROL)
    url = f"{listing.uri}/replies"
    page = {"type": "CollectionPage", "partOf": url, "items": [reply]}
    assert get(world, f"/listings/{listing.id}")["replies"] == {"id": url, "type": "Collection", "first": page}
    found = get(world, f"/listings/{listing.id}/replies")
    assert {**found, "@context": None} == {
        "@context": None,
        "id": url,
        "type": "Collection",
        "totalItems": 1,
        "first": page,
    }
    alone = get(world, f"/listings/{listing.id}/replies?page=true")
    assert {**alone, "@context": None} == {"@context": None, "id": f"{url}?page=true", **page}
    whole = get(world, f"/listings/{listing.id}/context")
    assert (whole["id"], whole["type"]) == (f"{listing.uri}/context", "OrderedCollection")
    assert (whole["attributedTo"], whole["totalItems"]) == (BOARD, 2)
    assert whole["id"] == get(world, f"/listings/{listing.id}")["context"]


def test_a_letter_names_no_replies_and_says_where_they_will_be(world: World) -> None:
    listing = world.post()
    replied(world, listing.uri)
    with world.units.begin() as work:
        commands.extend_listing(work, world.ana, listing.id, world.now + timedelta(days=20))
    url = f"{listing.uri}/replies"
    empty = {"type": "CollectionPage", "partOf": url, "next": f"{url}?page=true", "items": []}
    for letter in world.sent():
        assert letter["object"]["replies"] == {"id": url, "type": "Collection", "first": empty}
        assert letter["object"]["context"] == f"{listing.uri}/context"
    assert [one["type"] for one in world.sent()] == ["Create", "Update"]


def test_s47_answers_that_are_not_public_are_not_named(world: World) -> None:
    listing = world.post()
    replied_by(world, listing, CAROL, to=[BOARD])
    world.respond(world.bea, listing)
    world.receive(offer_of_ben(world, listing.id))
    assert named(world, listing) == []


def test_a_reply_that_its_author_deletes_is_named_no_more_also_after_it_was_accepted(world: World) -> None:
    listing = world.post(people=2)
    first, second = replied_by(world, listing, EVE), replied_by(world, listing, CAROL)
    answer = world.response_at(second)
    assert answer is not None
    world.accept(answer)
    assert named(world, listing) == [first, second]
    assert world.receive(activity("Delete", EVE, first, 3))
    assert named(world, listing) == [second]
    assert world.receive(activity("Delete", CAROL, second, 4))
    assert named(world, listing) == []


@pytest.mark.parametrize("severity", [Severity.BLOCK, Severity.LIMIT])
@pytest.mark.parametrize("target", ["eve.example", EVE])
def test_s48_nobody_is_led_to_what_somebody_blocked_or_limited_wrote(
    world: World, target: str, severity: Severity
) -> None:
    listing = world.post()
    eves, carols = replied_by(world, listing, EVE), replied_by(world, listing, CAROL)
    assert named(world, listing) == [eves, carols]
    with world.units.begin() as work:
        network.restrict(work, chosen_target(target), Terms(severity))
    assert named(world, listing) == [carols]


def test_nobody_is_led_to_what_somebody_wrote_whom_the_author_of_the_listing_blocks(world: World) -> None:
    listing = world.post()
    replied_by(world, listing, EVE)
    with world.units.begin() as work:
        actors.block(work, world.ana.actor, EVE)
    assert named(world, listing) == []


def test_many_replies_are_read_page_by_page_each_once(world: World) -> None:
    listing = world.post()
    all_of_them = [replied_by(world, listing, f"{CAROL}{n}", n) for n in range(1, 46)]
    for path, opening in (("replies", []), ("context", [listing.uri])):
        found = get(world, f"/listings/{listing.id}/{path}")
        assert found["totalItems"] == len(opening) + 45
        ahead, items, pages = f"/listings/{listing.id}/{path}?page=true", list[str](), 0
        while ahead:
            page = get(world, ahead)
            assert page["id"].endswith(ahead)
            items += page.get("items") or page["orderedItems"]
            pages, ahead = pages + 1, page.get("next", "").removeprefix("https://northside.example")
        assert (items, pages) == ([*opening, *all_of_them], 3)
    inside = get(world, f"/listings/{listing.id}")["replies"]["first"]
    assert inside["items"] == all_of_them[:20]
    assert get(world, inside["next"].removeprefix("https://northside.example"))["items"] == all_of_them[20:40]


@pytest.mark.parametrize("path", ["replies", "context", "replies?page=true", "context?page=true"])
def test_s47_of_a_listing_that_is_not_shown_there_is_no_conversation_as_of_none_at_all(world: World, path: str) -> None:
    hidden, withdrawn = world.post(), world.post(title="Another sofa")
    with world.units.begin() as work:
        commands.hide_listing(work, hidden.id)
        commands.withdraw_listing(work, world.ana, withdrawn.id)
    theirs = foreign_note()
    assert world.receive(activity("Create", theirs["attributedTo"], theirs))
    neighbours = world.listing_at(theirs["id"])
    assert neighbours is not None
    numbers = [hidden.id, withdrawn.id, neighbours.id, 7, 2**63]
    answers = [read(servers(world), f"/listings/{number}/{path}", CAROL) for number in numbers]
    assert len(set(answers)) == 1
    assert (answers[0][0], answers[0][2]) == (404, "private, no-store")


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=", "after=99999999999999999999"])
def test_a_page_that_cannot_be_is_not_there(world: World, query: str) -> None:
    listing = world.post()
    for path in ("replies", "context"):
        assert read(servers(world), f"/listings/{listing.id}/{path}?page=true&{query}")[0] == 404


def test_in_secure_mode_the_conversation_is_read_by_whoever_signs(world: World) -> None:
    listing = world.post()
    client = servers(world, secure_mode=True)
    for path in (f"/listings/{listing.id}/replies", f"/listings/{listing.id}/context", "/listings/7/replies"):
        assert read(client, path)[0] == 401
    assert read(client, f"/listings/{listing.id}/replies", CAROL)[0] == 200
