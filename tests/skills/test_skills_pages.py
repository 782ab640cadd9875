"""The pages of the directory: plain forms that keep what was typed, and nothing for who may not see it."""

import itertools
import re

import pytest

from tests.skills.neighbours import NOBODY, Neighbours, saturday
from tests.support.scripts import strange_scripts

TIMES = {"day-5": "1", "day-6": "1", "from": "09:00", "to": "12:00"}


def test_a_member_says_what_they_can_do_and_is_found(street: Neighbours) -> None:
    kim, ana = street.browser(street.kim), street.browser(street.ana)
    form = {"title": "Bicycles: brakes, gears", "category": "repair", "visible": "network", "details": "Tools here."}
    assert kim.post("/me/skills", data=form).headers["location"] == "/me/skills?said=skill_added"
    assert kim.post("/me/free-times", data=TIMES).status_code == 303
    helping = {"contact": "phone", "place": "near Rose Street", "language-es": "1", "monthly": "5", "may_be_asked": "1"}
    assert kim.post("/me/helping", data=helping).status_code == 303
    mine = kim.get("/me/skills").text
    for words in (
        "Bicycles: brakes, gears",
        'Saturday <span class="nowrap">09:00–12:00',
        'Sunday <span class="nowrap">09:00–12:00',
        'value="5:00"',
    ):
        assert words in mine
    page = ana.get("/people?q=brakes&category=repair&day=5&from=10:00&to=11:00&language=es").text
    for words in ("Kim Kestrel", "Bicycles: brakes, gears", "near Rose Street", "Español", 'value="10:00"'):
        assert words in page
    assert "Kim Kestrel" not in ana.get("/people?q=brakes&day=4").text


def test_the_person_has_it_on_their_own_page(street: Neighbours) -> None:
    street.add(street.kim, "Bicycles", "repair", details="Also tandems.")
    street.free(street.kim, saturday(9, 12))
    page = street.browser(street.ana).get("/@kim").text
    for words in ("Can help with", "Bicycles", "Repairs", "Also tandems.", 'Saturday <span class="nowrap">09:00–12:00'):
        assert words in page
    assert "Bicycles" not in street.browser().get("/@kim").text


@pytest.mark.parametrize(
    ("path", "form", "kept"),
    [
        ("/me/skills", {"title": "Bicycles", "category": "no-such", "details": "Also tandems."}, "Also tandems."),
        ("/me/skills", {"title": "Bicycles", "visible": "everybody"}, 'value="Bicycles"'),
        ("/me/skills", {"title": "Bicycles", "visible": "group-999"}, 'value="Bicycles"'),
        ("/me/skills", {"title": "Bicycles", "visible": "group-" + "9" * 19}, 'value="Bicycles"'),
        ("/me/free-times", {"from": "09:00", "to": "12:00"}, 'value="09:00"'),
        ("/me/free-times", {"day-5": "1", "from": "soon", "to": "12:00"}, 'name="day-5" value="1" checked'),
        ("/me/helping", {"travel": "far", "place": "Rose Street"}, 'value="Rose Street"'),
        ("/me/helping", {"monthly": "0", "language-es": "1"}, 'name="language-es" value="1" checked'),
        ("/me/helping", {"lat": "north", "lon": "1"}, 'value="north"'),
        ("/me/helping", {"contact": "pigeon", "place": "Rose Street"}, 'value="Rose Street"'),
        ("/me/helping", {"language-xx": "1", "place": "Rose Street"}, 'value="Rose Street"'),
    ],
)
def test_a_refusal_says_what_is_wrong_and_keeps_what_was_typed(
    street: Neighbours, path: str, form: dict[str, str], kept: str
) -> None:
    answer = street.browser(street.kim).post(path, data=form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert kept in answer.text
    assert street.entries(street.kim, street.kim) == []


def test_an_entry_is_changed_and_taken_out(street: Neighbours) -> None:
    number = street.add_for_garden(street.bea, "Grafting", "garden")
    bea = street.browser(street.bea)
    page = bea.get(f"/me/skills/{number}").text
    assert f'value="group-{street.garden}" selected' in page
    assert bea.post(f"/me/skills/{number}", data={"title": ""}).status_code == 422
    assert bea.post(f"/me/skills/{number}", data={"title": "Pruning", "visible": "network"}).status_code == 303
    assert "Pruning" in street.browser(street.kim).get("/people").text
    assert bea.post(f"/me/skills/{number}/delete").status_code == 303
    assert street.entries(street.bea, street.bea) == []


def test_a_time_is_taken_out_with_its_button(street: Neighbours) -> None:
    street.free(street.bea, saturday(9, 12))
    bea = street.browser(street.bea)
    assert 'name="window" value="5-540"' in bea.get("/me/skills").text
    assert bea.post("/me/free-times/delete", data={"window": "x"}).status_code == 404
    assert bea.post("/me/free-times/delete", data={"window": "5-540"}).status_code == 303
    assert "Not said" in bea.get("/me/skills").text


def test_a_neighbour_vouches_on_the_page_of_the_skill(street: Neighbours) -> None:
    number = street.add(street.kim, "Bicycles")
    ana, kim = street.browser(street.ana), street.browser(street.kim)
    assert ana.post(f"/skills/{number}/vouch", data={"sentence": ""}).status_code == 422
    too_long = ana.post(f"/skills/{number}/vouch", data={"sentence": "x" * 301})
    assert (too_long.status_code, "x" * 301 in too_long.text) == (422, True)
    assert ana.post(f"/skills/{number}/vouch", data={"sentence": "Mended my <b>brakes</b>."}).status_code == 303
    assert "“Mended my &lt;b&gt;brakes&lt;/b&gt;.”" in kim.get("/@kim").text
    back = re.search(r"/vouches/\d+/take-back", kim.get(f"/skills/{number}").text)
    assert back is not None
    assert street.browser(street.bea).post(back[0]).status_code == 404
    assert kim.post(back[0]).status_code == 303
    assert "Nobody has said anything yet." in kim.get(f"/skills/{number}").text


PRIVATE = ("Grafting old roses", "51.54", "-0.0884", "13:37")


def test_who_may_not_read_it_gets_no_byte_of_it(street: Neighbours) -> None:
    number = street.add_for_garden(street.bea, PRIVATE[0], "garden")
    open_one = street.add(street.bea, "Listening")
    street.prefer(street.bea, lat=51.54, lon=-0.0884, monthly_minutes_max=13 * 60 + 37)
    paths = [
        "/people",
        "/people?q=roses",
        "/people?category=garden",
        "/@bea",
        f"/skills/{number}",
        f"/skills/{open_one}",
    ]
    for who, sees_listening in ((street.kim, True), (NOBODY, False)):
        browser = street.browser(who)
        for path in [*paths, f"/me/skills/{number}"]:
            answer = browser.get(path)
            assert not [value for value in PRIVATE if value in answer.text], (who.handle, path)
            assert answer.status_code in ((200, 404) if sees_listening else (200, 303))
    assert street.browser(street.kim).get(f"/skills/{number}").status_code == 404
    assert street.browser(street.kim).post(f"/me/skills/{number}/delete").status_code == 404
    assert street.browser(street.kim).post(f"/skills/{number}/vouch", data={"sentence": "Good."}).status_code == 404
    assert PRIVATE[0] in street.browser(street.ana).get("/people?q=roses").text
    # Of a neighbour in the group, too, nobody learns where she is, nor how much she would do.
    for path in paths:
        assert not [value for value in PRIVATE[1:] if value in street.browser(street.ana).get(path).text], path


@pytest.mark.parametrize("path", ["/people", "/me/skills"])
def test_these_pages_are_for_members(street: Neighbours, path: str) -> None:
    answer = street.browser().get(path)
    assert (answer.status_code, answer.headers["location"].startswith("/sign-in")) == (303, True)


@pytest.mark.parametrize(
    "query",
    ["day=9", "day=x", "km=0", "km=99999", "language=xx", "from=soon", "before=x", "before=" + "9" * 30, "q=%00"],
)
def test_what_makes_no_sense_in_the_address_breaks_nothing(street: Neighbours, query: str) -> None:
    street.add(street.kim, "Bicycles")
    assert street.browser(street.ana).get(f"/people?{query}").status_code == 200


def test_everything_works_without_javascript(street: Neighbours) -> None:
    number = street.add(street.kim, "Bicycles")
    browser = street.browser(street.kim)
    for path in ("/people", "/me/skills", f"/skills/{number}", f"/me/skills/{number}", "/@kim"):
        page = browser.get(path).text
        assert strange_scripts(page) == [], path
        for button in re.findall(r"<button.*?</button>", page, re.DOTALL):
            before = page[: page.index(button)]
            assert before.rfind("<form") > before.rfind("</form>"), (path, button)


def test_every_field_has_a_label_and_headings_come_in_order(street: Neighbours) -> None:
    number = street.add(street.kim, "Bicycles")
    browser = street.browser(street.kim)
    for path in ("/people", "/me/skills", f"/skills/{number}", f"/me/skills/{number}", "/@kim"):
        page = browser.get(path).text
        ids = re.findall(r'<(?:input|select|textarea)[^>]*\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
        assert [one for one in ids if f'for="{one}"' not in page] == [], path
        levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
        assert levels[0] == 1, path
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), path
