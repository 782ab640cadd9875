"""The pages of matching: plain forms, reasons in words, and nothing that the one who looks may not know."""

import itertools
import re

import pytest
from sqlalchemy import event

from fedaid.board import commands as board_commands
from fedaid.board import queries as board_queries
from fedaid.board.queries import Filters
from fedaid.matching import commands, queries
from tests.matching.street import Street
from tests.skills.neighbours import NOBODY, saturday
from tests.support.scripts import strange_scripts

BRAKES = "Somebody to look at my bicycle brakes"
HOST = "northside.example"


def words(page: str) -> str:
    """As somebody reads it."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.fixture
def bicycles(street: Street) -> Street:
    for who in (street.bea, street.kim):
        street.people.add(who, "Bicycles: brakes, gears", "repair")
    return street


def test_on_my_request_stands_who_could_help_and_one_button_asks_them(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    ana, kim = bicycles.people.browser(bicycles.ana), bicycles.people.browser(bicycles.kim)
    page = ana.get(f"/listings/{request.id}").text
    assert "2 people could help" in page
    assert "can do: “Bicycles: brakes, gears”" in words(page)
    chosen = dict.fromkeys(re.findall(r'name="(person-\d+)" value="1" checked', page), "1")
    assert len(chosen) == 2
    assert ana.post(f"/listings/{request.id}/ask", data=chosen).headers["location"].endswith("?said=asked")
    after = words(ana.get(f"/listings/{request.id}").text)
    assert "You asked 2 neighbours" in after
    assert "could help" not in after
    day = kim.get("/me").text
    assert "Ana Nightingale asks: Somebody to look at my bicycle brakes" in day
    assert "Why you: “Bicycles: brakes, gears” is among your skills" in words(day)


def test_yes_answers_with_a_line_and_not_this_time_is_told_to_nobody(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    bicycles.ask(bicycles.ana, request, [bicycles.kim, bicycles.bea])
    ana = bicycles.people.browser(bicycles.ana)
    before = ana.get(f"/listings/{request.id}").text
    bea, kim = bicycles.people.browser(bicycles.bea), bicycles.people.browser(bicycles.kim)
    (no,) = re.findall(r'formaction="(/asks/\d+/not-now)"', bea.get("/me").text)
    assert kim.post(no).status_code == 404
    assert bea.post(no).headers["location"] == "/me?said=not_this_time"
    assert ana.get(f"/listings/{request.id}").text == before
    (yes,) = re.findall(r'action="(/asks/\d+/yes)"', kim.get("/me").text)
    assert kim.post(yes, data={"message": "On Saturday."}).headers["location"].startswith(f"/listings/{request.id}")
    assert "On Saturday." in ana.get(f"/listings/{request.id}").text
    assert "Could you help?" not in kim.get("/me").text


def test_a_request_says_why_it_is_suggested_and_my_day_lists_it(bicycles: Street) -> None:
    bicycles.people.free(bicycles.kim, saturday(9, 12))
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    kim = bicycles.people.browser(bicycles.kim)
    told = "“Bicycles: brakes, gears” is among your skills"
    assert f"Suggested to you: {told}" in words(kim.get(f"/listings/{request.id}").text)
    day = words(kim.get("/me").text)
    assert "What neighbours need that fits you" in day
    assert f"{BRAKES} {told}" in day
    assert "Suggested to you" not in bicycles.people.browser().get(f"/listings/{request.id}").text


def test_a_request_of_a_linked_board_is_suggested_with_its_network_and_answered_on_its_page(street: Street) -> None:
    street.people.add(street.kim, "Reading with children", "learning")
    found = street.neighbouring()
    kim = street.people.browser(street.kim)
    assert "Someone to read with my son Riverside" in words(kim.get("/me").text)
    page = kim.get(f"/listings/{found.id}").text
    assert "Suggested to you:" in page
    assert f'action="/listings/{found.id}/respond"' in page


def test_offers_stand_beside_a_request_and_requests_beside_an_offer(street: Street) -> None:
    offer = street.offer(street.bea, "I mend bicycles", "repair")
    request = street.post(street.ana, "My bicycle is broken", "repair")
    ana, bea = street.people.browser(street.ana), street.people.browser(street.bea)
    assert "Offers that fit Offer I mend bicycles" in words(ana.get(f"/listings/{request.id}").text)
    assert "Requests that it fits Request My bicycle is broken" in words(bea.get(f"/listings/{offer.id}").text)
    assert "It fits your request “ My bicycle is broken ”" in words(ana.get(f"/listings/{offer.id}").text)


PRIVATE = ("Secret bicycle workshop", "bea", "Bea", "13:37", "51.54")


def test_who_may_not_read_an_entry_does_not_learn_of_it_by_asking_for_help(street: Street) -> None:
    street.people.add_for_garden(street.bea, "Secret bicycle workshop: brakes", "repair")
    street.people.prefer(street.bea, lat=51.54, lon=-0.0884, monthly_minutes_max=13 * 60 + 37)
    request = street.post(street.kim, BRAKES, "repair", lat=51.54, lon=-0.0884)
    kim = street.people.browser(street.kim)
    for path in (f"/listings/{request.id}", "/me"):
        assert not [value for value in PRIVATE if value in kim.get(path).text], path
    asked = kim.post(f"/listings/{request.id}/ask", data={f"person-{street.bea.member_id}": "1"})
    assert asked.status_code == 409
    assert street.waiting(street.bea) == []
    # To who may read it, too, her position and her month are not told.
    theirs = street.post(street.ana, BRAKES, "repair", lat=51.54, lon=-0.0884)
    page = street.people.browser(street.ana).get(f"/listings/{theirs.id}").text
    assert "Secret bicycle workshop" in page
    assert "13:37" not in page


def test_nobody_else_sees_who_could_help(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    bicycles.ask(bicycles.ana, request, [bicycles.kim])
    for who in (bicycles.bea, NOBODY):
        page = bicycles.people.browser(who).get(f"/listings/{request.id}").text
        assert "could help" not in page
        assert "You asked" not in page
        assert "Kim" not in page


@pytest.mark.parametrize("field", ["person-x", "person-", "person--1", "person-" + "9" * 30, "other"])
def test_a_form_with_nonsense_in_it_asks_nobody(bicycles: Street, field: str) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    answer = bicycles.people.browser(bicycles.ana).post(f"/listings/{request.id}/ask", data={field: "1"})
    assert answer.status_code == 409


# searches


def test_a_search_is_kept_from_the_board_and_tells_of_what_is_new(street: Street) -> None:
    kim = street.people.browser(street.kim)
    board = kim.get("/board?q=garden&kind=request&before=5").text
    (link,) = re.findall(r'href="(/searches/new\?[^"]+)"', board)
    page = kim.get(link.replace("&amp;", "&")).text
    (query,) = re.findall(r'name="query" value="([^"]+)"', page)
    assert query == "kind=request&amp;q=garden"
    assert 'value="garden"' in page
    form = {"query": query.replace("&amp;", "&"), "name": "Gardens <near> me"}
    assert kim.post("/searches", data=form).headers["location"] == "/me?said=search_saved"
    street.post(street.ana, "My garden is a jungle")
    day = kim.get("/me").text
    assert "1 new listing fits this search." in day
    assert "Gardens &lt;near&gt; me" in day
    show = next(iter(re.findall(r'action="(/searches/\d+/show)"', day)))
    assert street.people.browser(street.ana).post(show).status_code == 404
    assert kim.post(show).headers["location"] == "/board?kind=request&q=garden"
    after = kim.get("/me").text
    assert "new listing fits" not in after
    (delete,) = re.findall(r'action="(/searches/\d+/delete)"', after)
    assert kim.post(delete).status_code == 303
    assert "Searches you keep" not in kim.get("/me").text


def test_a_refusal_keeps_the_name_that_was_typed(street: Street) -> None:
    kim = street.people.browser(street.kim)
    long = kim.post("/searches", data={"query": "q=garden", "name": "x" * 61})
    assert (long.status_code, "x" * 61 in long.text, 'role="alert"' in long.text) == (422, True, True)
    empty = kim.post("/searches", data={"query": "colour=red&mine=1", "name": "Garden"})
    assert (empty.status_code, 'value="Garden"' in empty.text) == (422, True)


def test_the_search_of_the_board_bears_anything_in_the_address(street: Street) -> None:
    kim = street.people.browser(street.kim)
    for query in ("q=%00", "kind=x&q=a", "category=%00", "before=x"):
        assert kim.get(f"/board?{query}").status_code == 200
        assert kim.get(f"/searches/new?{query}").status_code == 200


@pytest.mark.parametrize("path", ["/searches/new?q=garden", "/me"])
def test_these_pages_are_for_members(street: Street, path: str) -> None:
    assert street.people.browser().get(path).headers["location"].startswith("/sign-in")


def test_everything_works_without_javascript_and_has_labels(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    bicycles.offer(bicycles.bea, "Bicycle brakes mended", "repair")
    ana, kim = bicycles.people.browser(bicycles.ana), bicycles.people.browser(bicycles.kim)
    kim.post("/searches", data={"query": "q=sofa", "name": "Sofas"})
    pages = {"mine": ana.get(f"/listings/{request.id}").text}
    bicycles.ask(bicycles.ana, request, [bicycles.kim])
    pages |= {"day": kim.get("/me").text, "search": kim.get("/searches/new?q=sofa").text}
    for name, page in pages.items():
        assert strange_scripts(page) == [], name
        for button in re.findall(r"<button.*?</button>", page, re.DOTALL):
            before = page[: page.index(button)]
            assert before.rfind("<form") > before.rfind("</form>"), (name, button)
        ids = re.findall(r'<(?:input|select|textarea)[^>]*\bid="([^"]+)"', page)
        assert [one for one in ids if f'for="{one}"' not in page] == [], name
        levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (name, levels)


# on the board


def card(page: str, title: str) -> str:
    """What somebody reads on the card of a listing."""
    (found,) = [one for one in re.findall(r"<article.*?</article>", page, re.DOTALL) if f">{title}</a></h3>" in one]
    return words(found)


def test_a_card_says_why_it_is_something_for_who_looks_and_for_nobody_else(bicycles: Street) -> None:
    bicycles.people.free(bicycles.kim, saturday(9, 12))
    home = (51.52, -0.09)
    bicycles.people.prefer(bicycles.kim, lat=home[0], lon=home[1])
    bicycles.post(bicycles.ana, BRAKES, "repair", place="near Rose Street", lat=51.54, lon=-0.09)
    bicycles.post(bicycles.ana, "Feed my cat", lat=51.7, lon=-0.09)
    board = bicycles.people.browser(bicycles.kim, position_of=lambda *_: home).get("/board").text
    assert "Suggested to you: “Bicycles: brakes, gears” is among your skills." in card(board, BRAKES)
    assert "near Rose Street · about 2 km away" in card(board, BRAKES)
    assert card(board, BRAKES).count("away") == 1
    assert "Suggested" not in card(board, "Feed my cat")
    assert "about 20 km away" in card(board, "Feed my cat")
    for who in (bicycles.ana, NOBODY):
        page = bicycles.people.browser(who).get("/board").text
        assert "Suggested to you" not in page
        assert "km away" not in page


def test_the_card_of_an_offer_here_or_next_door_names_my_request_that_it_fits(street: Street) -> None:
    street.post(street.ana, "My bicycle is broken", "repair")
    street.offer(street.bea, "I mend bicycles", "repair")
    street.neighbouring(purpose="offer", name="Any broken bicycle mended")
    board = street.people.browser(street.ana).get("/board").text
    for title in ("I mend bicycles", "Any broken bicycle mended"):
        assert "It fits your request “ My bicycle is broken ”: its words fit" in card(board, title)
    assert "It fits" not in street.people.browser(street.kim).get("/board").text


def test_nothing_is_suggested_on_a_card_that_was_answered_refused_or_may_not_be_searched(bicycles: Street) -> None:
    answered, refused = (bicycles.post(bicycles.ana, f"{BRAKES} {number}", "repair") for number in (1, 2))
    bicycles.neighbouring(may_be_found=False, name=BRAKES)
    bicycles.ask(bicycles.ana, refused, [bicycles.kim])
    (waiting,) = bicycles.waiting(bicycles.kim)
    with bicycles.people.units.begin() as work:
        board_commands.respond(work, bicycles.kim, answered.id, "")
        commands.say_not_now(work, bicycles.kim, waiting.ask.id)
    assert "Suggested to you" not in bicycles.people.browser(bicycles.kim).get("/board").text
    assert bicycles.people.browser(bicycles.bea).get("/board").text.count("Suggested to you") == 2


def test_a_full_page_of_the_board_asks_the_database_no_more_often_than_a_short_one(bicycles: Street) -> None:
    database, asked = bicycles.people.world.house.database, []

    def count(*_: object) -> None:
        asked.append(1)

    def questions() -> int:
        asked.clear()
        with database.read() as connection:
            ids = [one.listing.id for one in board_queries.board(connection, kim, Filters(), now, HOST).listings]
            event.listen(connection, "before_cursor_execute", count)
            found = queries.whys(connection, kim, ids, bicycles.looking())
            event.remove(connection, "before_cursor_execute", count)
        assert len(found) == len(ids)
        return len(asked)

    kim, now = bicycles.kim, bicycles.people.world.now
    bicycles.post(bicycles.ana, BRAKES, "repair")
    once = questions()
    for number in range(19):
        bicycles.post(bicycles.ana, f"{BRAKES} {number}", "repair")
    assert questions() == once
