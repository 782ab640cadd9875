"""The board's pages: what each may see, that a refusal keeps what was typed, and what servers get at the same place."""

import re
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from activitypub.errors import FetchFailed
from fedaid.actors.pages import FromAbove, by_handle
from fedaid.actors.pages import routes as actor_routes
from fedaid.actors.rules import Kind as ActorKind
from fedaid.board import commands, pages
from fedaid.board.limits import BoardLimits
from fedaid.foundation.viewer import Viewer
from fedaid.media.limits import MediaLimits
from fedaid.media.proxy import PictureProxy
from fedaid.members import commands as members
from fedaid.members.limits import MemberLimits
from tests.board.test_board_inbound import arrived
from tests.board.test_board_shapes import note_of, offer_of_ben
from tests.board.world import BOARD, World
from tests.small_house import NORTH, RIVER, browser
from tests.support.scripts import strange_scripts


class NoFiles:
    """Other servers have no pictures in these tests."""

    async def fetch_file(self, url: str, kinds: Collection[str], bytes_max: int) -> bytes:
        raise FetchFailed("not_found", "There is none.", permanent=True)


HTML = {"Accept": "text/html"}
AP = {"Accept": "application/activity+json"}


def board_routes(world: World) -> Sequence[BaseRoute]:
    return pages.routes(BoardLimits(), PictureProxy(world.units, NoFiles(), MediaLimits()))


def visit(world: World, who: Viewer | None = None) -> TestClient:
    """A browser, signed in as somebody."""
    routes = [*board_routes(world), by_handle({ActorKind.GROUP: pages.group_board})]
    found = browser(world.house, routes)
    found.headers.update(HTML)
    if who is not None and who.member_id is not None:
        with world.units.begin() as work:
            secret = members.sign_in(work, who.member_id, "test", MemberLimits())
        home: Any = found.app
        found.cookies.set(home.state.house.cookie_name, secret)
    return found


def body(client: TestClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


FORM = {
    "title": "Help moving a sofa",
    "description": "Two floors down.",
    "starts_at": "2026-09-05T10:00",
    "ends_at": "2026-09-05T12:00",
    "place": "near Rose Street",
    "people": "2",
    "hours": "1:30",
    "mode": "hours",
    "category": "moving",
    "expires_on": "2026-09-12",
}


def test_the_front_page_of_a_stranger_has_the_two_buttons_and_no_names(world: World) -> None:
    world.post()
    page = body(visit(world), "/")
    assert "Neighbours in Northside who help each other" in page
    assert page.index("I need help") < page.index("Help moving furniture")
    assert "A neighbour" in page
    assert "Ana" not in page
    assert "@board@northside.example" in page


def test_an_empty_board_teaches_what_will_stand_there(world: World) -> None:
    assert "Nothing here yet" in body(visit(world), "/board")
    assert "No request or offer fits these filters." in body(visit(world), "/board?q=sofa")


def test_a_member_posts_with_times_read_in_their_own_zone(world: World) -> None:
    ana = visit(world, world.ana)
    assert 'name="title"' in body(ana, "/post?kind=request")
    answer = ana.post("/post?kind=request", data=FORM)
    assert answer.status_code == 303, answer.text
    path = urlsplit(answer.headers["location"]).path
    found = world.listing(int(path.rpartition("/")[2]))
    assert (found.starts_at and found.starts_at.isoformat(), found.minutes, found.people) == (
        "2026-09-05T09:00:00+00:00",
        90,
        2,
    )
    assert found.expires_at is not None
    assert found.expires_at.isoformat() == "2026-09-12T22:59:59+00:00"
    page = body(ana, path)
    assert "Sat 5 Sep 2026, 10:00-12:00 (Europe/London)" in page
    assert "2 people, none found yet" in page
    assert "about 1 h 30 min" in page


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("title", "", "Please say in one sentence"),
        ("hours", "a while", "How long it takes is written like"),
        ("people", "99", "How many people: from 1 to 20."),
        ("people", "-1", "How many people: from 1 to 20."),
        ("starts_at", "tomorrow", "A time looks like"),
        ("ends_at", "2026-09-05T09:00", "The end must be after the beginning."),
        ("expires_on", "2020-01-01", "some time in the future"),
        ("expires_on", "9999-99-99", "A day looks like"),
        ("mode", "money", "Please choose what you would give"),
        ("lat", "north", "A position is written in degrees"),
        ("lat", "nan", "position"),
        ("category", "rockets", "Please choose one of the categories."),
        ("board", "nowhere", "Please choose one of the boards here."),
    ],
)
def test_a_refused_posting_keeps_what_was_typed(world: World, field: str, value: str, told: str) -> None:
    answer = visit(world, world.ana).post("/post?kind=offer", data={**FORM, "description": "kept words", field: value})
    assert 400 <= answer.status_code < 500
    assert told in answer.text
    assert "kept words" in answer.text
    assert world.sent() == []


def test_pressing_twice_posts_once_and_other_words_post_another(world: World) -> None:
    ana = visit(world, world.ana)
    shown = re.search(r'name="key" value="([^"]+)"', body(ana, "/post?kind=request"))
    assert shown
    form = {**FORM, "key": shown[1]}
    first, again = (ana.post("/post?kind=request", data=form) for _ in range(2))
    changed = ana.post("/post?kind=request", data={**form, "title": "And a wardrobe"})
    assert first.headers["location"] == again.headers["location"] != changed.headers["location"]
    assert [one["object"]["name"] for one in world.sent() if one["type"] == "Create"] == [
        "Help moving a sofa",
        "And a wardrobe",
    ]


def test_a_form_with_a_broken_key_is_refused(world: World) -> None:
    answer = visit(world, world.ana).post("/post?kind=request", data={**FORM, "key": "1"})
    assert answer.status_code == 422
    assert "open the page again" in answer.text


@pytest.mark.parametrize(
    "path", ["/post?kind=request", "/listings/1/respond", "/responses/1/accept", "/matches/1/done"]
)
def test_strangers_are_led_to_the_sign_in_page(world: World, path: str) -> None:
    answer = visit(world).post(path, data={})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_the_author_alone_sees_the_answers(world: World) -> None:
    listing = world.post()
    world.respond(world.bea, listing, "Only for Ana.")
    path = f"/listings/{listing.id}"
    assert "Only for Ana." in body(visit(world, world.ana), path)
    assert "Only for Ana." in body(visit(world, world.bea), path)
    with world.units.begin() as work:
        other = members.add_member(work, "cy", "x", name="Cy")
    cy = Viewer(other.id, "cy", "Cy", other.actor, other.role, "UTC")
    for client in (visit(world), visit(world, cy)):
        page = body(client, path)
        assert "Only for Ana." not in page
        assert "Bea Bright" not in page


def test_answering_accepting_and_finishing_need_only_forms(world: World) -> None:
    listing = world.post()
    ana, bea = visit(world, world.ana), visit(world, world.bea)
    assert bea.post(f"/listings/{listing.id}/respond", data={"message": "I have a van."}).status_code == 303
    page = body(ana, f"/listings/{listing.id}")
    (accept,) = re.findall(r'action="(/responses/\d+/accept)"', page)
    assert ana.post(accept).status_code == 303
    page = body(bea, f"/listings/{listing.id}")
    (claim,) = re.findall(r'href="(/hours/claim\?[^"]+)"', page)
    (agreement,) = parse_qs(urlsplit(claim).query)["agreement"]
    assert agreement.startswith(f"{NORTH}/agreements/")
    (cancel,) = re.findall(r'action="(/matches/\d+/cancel)"', page)
    assert bea.post(cancel).status_code == 303
    assert "Called off." in body(ana, f"/listings/{listing.id}")


def test_a_gift_is_done_when_one_of_the_two_says_so(world: World) -> None:
    listing = world.post(mode="gift", minutes=None)
    world.accept(world.respond(world.bea, listing))
    ana = visit(world, world.ana)
    (done,) = re.findall(r'action="(/matches/\d+/done)"', body(ana, f"/listings/{listing.id}"))
    assert ana.post(done).status_code == 303
    assert "Done, thank you" in body(ana, f"/listings/{listing.id}")
    assert ana.post(done).status_code == 409


def test_a_refused_answer_keeps_the_message(world: World) -> None:
    listing = world.post()
    bea = visit(world, world.bea)
    bea.post(f"/listings/{listing.id}/respond", data={"message": "First"})
    answer = bea.post(f"/listings/{listing.id}/respond", data={"message": "Second words"})
    assert answer.status_code == 409
    assert "You answered this already." in answer.text
    answer = bea.post(f"/listings/{world.post().id}/respond", data={"message": "x" * 5001})
    assert answer.status_code == 422
    assert "x" * 5001 in answer.text


def test_others_can_neither_answer_for_the_author_nor_edit_nor_finish(world: World) -> None:
    listing = world.post()
    answer = world.respond(world.bea, listing)
    match_id = world.accept(answer)
    with world.units.begin() as work:
        other = members.add_member(work, "cy", "x", name="Cy")
    cy = visit(world, Viewer(other.id, "cy", "Cy", other.actor, other.role, "UTC"))
    for path in (
        f"/listings/{listing.id}/edit",
        f"/listings/{listing.id}/withdraw",
        f"/listings/{listing.id}/extend",
        f"/responses/{answer.id}/accept",
        f"/responses/{answer.id}/decline",
        f"/responses/{answer.id}/withdraw",
        f"/matches/{match_id}/done",
        f"/matches/{match_id}/cancel",
    ):
        assert cy.post(path, data=FORM).status_code in (404, 422), path
    assert world.listing(listing.id).title == listing.title
    assert cy.get(f"/listings/{listing.id}/edit").status_code == 404


def test_the_author_edits_extends_and_withdraws(world: World) -> None:
    listing = world.post()
    ana, path = visit(world, world.ana), f"/listings/{listing.id}"
    page = body(ana, f"{path}/edit")
    assert 'value="2026-09-05T10:00"' in page
    answer = ana.post(f"{path}/edit", data={**FORM, "title": ""})
    assert answer.status_code == 422
    assert ana.post(f"{path}/edit", data=FORM).status_code == 303
    assert world.listing(listing.id).title == "Help moving a sofa"
    assert ana.post(f"{path}/extend").status_code == 303
    assert ana.post(f"{path}/withdraw").headers["location"] == "/?said=withdrawn"
    body(ana, path, 410)


def test_a_listing_that_is_done_has_nothing_left_to_press_and_says_so_in_whole_sentences(world: World) -> None:
    listing = world.post()
    match_id = world.accept(world.respond(world.bea, listing))
    with world.units.begin() as work:
        commands.mark_done(work, world.ana, match_id)
    page = body(visit(world, world.ana), f"/listings/{listing.id}")
    assert "Your listing" not in page
    assert "They help you. 2 h. Done, thank you." in " ".join(page.split())


def test_servers_get_the_note_where_people_get_the_page(world: World) -> None:
    listing = world.post()
    answer = visit(world).get(f"/listings/{listing.id}", headers=AP)
    assert answer.headers["content-type"] == "application/activity+json"
    assert "Accept" in answer.headers["vary"]
    note = answer.json()
    del note["@context"], note["proof"]
    sent = note_of(listing.id)
    del sent["replies"]["first"]["next"]  # there are none yet, and the first page says so
    assert note == sent
    page = visit(world).get(f"/listings/{listing.id}")
    assert f'rel="alternate" type="application/activity+json" href="{listing.uri}"' in page.text
    assert page.headers["link"].startswith(f"<{listing.uri}>")


def test_what_was_withdrawn_is_gone_and_what_never_was_is_not_found(world: World) -> None:
    listing = world.post()
    with world.units.begin() as work:
        commands.withdraw_listing(work, world.ana, listing.id)
    client = visit(world)
    gone = client.get(f"/listings/{listing.id}", headers=AP)
    assert (gone.status_code, gone.json()["type"], gone.json()["id"]) == (410, "Tombstone", listing.uri)
    assert client.get("/listings/5", headers=AP).status_code == 404
    assert client.get("/listings/" + "9" * 30).status_code == 404


def test_the_words_of_a_withdrawn_listing_can_be_read_nowhere(world: World) -> None:
    listing = world.post(title="Help after the operation")
    with world.units.begin() as work:
        commands.edit_listing(work, world.ana, listing.id, world.posting(title="Help after my operation"))
    with world.units.begin() as work:
        commands.withdraw_listing(work, world.ana, listing.id)
    above = FromAbove(lambda connection, board: [], lambda connection, moment: 0, lambda connection: 0, "")
    server = browser(world.house, [*board_routes(world), *actor_routes(above)])
    ids = [sent["id"] for sent in world.sent()]
    answers = [server.get(address, headers=AP) for address in (listing.uri, *ids)]
    assert [answer.status_code for answer in answers] == [410, 410, 410, 200]  # Note, Create, Update, Delete
    answers += [server.get(f"{BOARD}/{part}", headers=AP) for part in ("outbox", "outbox?page=true", "featured")]
    answers += [server.get(path, headers=HTML) for path in (f"/listings/{listing.id}", "/board", "/")]
    assert [answer.url for answer in answers if "operation" in answer.text] == []


def test_a_neighbours_listing_is_shown_with_its_network_and_read_at_home_by_servers(world: World) -> None:
    listing = arrived(world)
    client = visit(world)
    assert "Riverside" in body(client, "/board")
    page = body(client, f"/listings/{listing.id}")
    assert "See it at Riverside" in page
    redirect = client.get(f"/listings/{listing.id}", headers=AP)
    assert (redirect.status_code, redirect.headers["location"]) == (302, f"{RIVER}/listings/7")


def test_responses_and_agreements_are_read_by_their_two_people_alone(world: World) -> None:
    listing = world.post()
    answer = world.respond(world.bea, listing)
    match_id = world.accept(answer)
    for path in (f"/responses/{answer.id}", f"/agreements/{match_id}"):
        assert visit(world).get(path, headers=AP).status_code == 404
        for who in (world.ana, world.bea):
            found = visit(world, who).get(path, headers=AP)
            assert found.status_code == 200
            assert found.headers["cache-control"] == "private, no-store"


def test_an_answer_from_another_network_is_accepted_on_the_page(world: World) -> None:
    listing = world.post()
    world.receive(offer_of_ben(world, listing.id))
    ana = visit(world, world.ana)
    page = body(ana, f"/listings/{listing.id}")
    assert "@ben@riverside.example" in page
    (accept,) = re.findall(r'action="(/responses/\d+/accept)"', page)
    ana.post(accept)
    assert "They help you." in body(ana, f"/listings/{listing.id}")
    assert [one["type"] for one in world.sent()] == ["Create", "Accept", "Update"]


def test_filters_live_in_the_address(world: World) -> None:
    world.post(title="Sofa & table", category="moving")
    client = visit(world)
    assert "Sofa &amp; table" in body(client, "/board?category=moving&q=sofa")
    assert "Sofa" not in body(client, "/board?category=food")
    for odd in (
        "/board?kind=x&before=abc&category=%00",
        "/board?before=" + "9" * 5000,
        "/board?before=" + "0" * 5000,
        "/board?q=" + "x" * 500,
    ):
        body(client, odd)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/categories/moving", "/board?category=moving"),
        ("/tags/musicandart", "/board?category=music-and-art"),
        ("/tags/Sofa", "/board?q=sofa"),
    ],
)
def test_categories_and_hashtags_lead_to_the_filtered_board(world: World, path: str, target: str) -> None:
    answer = visit(world).get(path)
    assert (answer.status_code, answer.headers["location"]) == (302, target)


def test_a_group_has_its_own_board_at_its_handle(world: World) -> None:
    world.post()
    page = body(visit(world), "/@board")
    assert "Help moving furniture" in page
    assert f'href="{BOARD}"' in page
    assert visit(world).get("/@nobody").status_code == 404


def test_a_script_in_what_was_posted_stays_text(world: World) -> None:
    listing = world.post(title="<script>alert(1)</script>", description="<img src=x onerror=alert(1)>")
    for path in ("/", f"/listings/{listing.id}"):
        page = body(visit(world, world.ana), path)
        assert strange_scripts(page) == []
        assert "<img" not in page
