"""Finding things on the board: by words, by distance, on the map; and only what the viewer may see."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from fedaid.actors.tables import remote_actor
from fedaid.board import commands, queries
from fedaid.board.pages.maps import sketch
from fedaid.board.pages.wording import shown
from fedaid.board.queries import Filters
from fedaid.board.rules import Kind, Mode, Visibility
from fedaid.foundation.pages import CONTENT_SECURITY_POLICY
from fedaid.foundation.places import approximate, distance_km
from fedaid.foundation.viewer import SIGNED_OUT, Viewer
from fedaid.foundation.words import asked, searched
from tests.board.test_board_inbound import arrived
from tests.board.test_board_pages import board_routes, body, visit
from tests.board.world import World
from tests.small_house import browser

TOWN = (51.52, -0.09)


def found(world: World, viewer: Viewer | None = None, **filters: Any) -> list[str]:
    with world.house.database.read() as connection:
        who = viewer or world.ana
        page = queries.board(connection, who, Filters(**filters), world.now, world.house.names.host)
    return [one.listing.title for one in page.listings]


def test_words_are_compared_without_case_accents_and_endings() -> None:
    assert searched("Gardening, Árbol") == "gardening garden arbol"
    assert [one.begin for one in asked("  Árbol-es 12 % _ ")] == ["arbol", "es", "12"]
    assert asked("% _ '\" * ( )") == []
    assert len(asked("word " * 50)) == 8


@pytest.mark.parametrize("typed", ["sof", "SOFAS", "sofá", "moving sofa", "floors", "rose str", "furniture moves"])
def test_a_listing_is_found_by_words_of_its_title_details_and_place(world: World, typed: str) -> None:
    world.post(title="Moving a sofa, moves of furniture", description="Two floors.", place="near Rose Street")
    world.post(title="Reading Spanish", description="", place="")
    assert found(world, text=typed) == ["Moving a sofa, moves of furniture"]


def test_words_that_much_has_find_the_same_as_words_that_little_has(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("Moving a sofa", "Moving a table", "Moving a red sofa", "Piano lessons"):
        world.post(title=title, description="", place="")
    for typed in ("mov", "moving sofa", "sofas", "red sofa", "piano", "zeppelin"):
        monkeypatch.setattr(queries, "INDEXED_MAX", 500)
        little = found(world, text=typed)
        monkeypatch.setattr(queries, "INDEXED_MAX", 1)
        assert found(world, text=typed) == little
    assert found(world, text="moving sofa") == ["Moving a red sofa", "Moving a sofa"]


def test_what_much_has_is_found_behind_the_newest_that_nobody_may_see_and_page_by_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "INDEXED_MAX", 2)
    for number in range(5):
        world.post(title=f"Sofa {number}", description="", place="")
    for number in range(3):
        world.post(title=f"Sofa of members {number}", visibility=Visibility.MEMBERS, description="", place="")
    assert found(world, SIGNED_OUT, text="sofa") == [f"Sofa {number}" for number in (4, 3, 2, 1, 0)]
    with world.house.database.read() as connection:
        before, pages = None, []
        while not pages or before is not None:
            filters, host = Filters(text="sofa", before=before), world.house.names.host
            page = queries.board(connection, SIGNED_OUT, filters, world.now, host, rows_max=2)
            pages.append([one.listing.title for one in page.listings])
            before = page.next_before
    assert pages == [["Sofa 4", "Sofa 3"], ["Sofa 2", "Sofa 1"], ["Sofa 0"]]


@pytest.mark.parametrize(
    "typed", ["sofa piano", "ofa", "' OR 1=1 --", '"', "a* OR b", "sofa:*", "NOT sofa x", "\x00", "&|!"]
)
def test_what_is_not_there_is_not_found_and_signs_mean_nothing(world: World, typed: str) -> None:
    world.post(title="Piano lessons", description="", place="")
    world.post(title="Moving a table", description="", place="")
    assert found(world, text=typed) == []


def test_words_that_were_changed_or_taken_down_are_not_found_any_more(world: World) -> None:
    listing = world.post(title="Moving a sofa", description="", place="")
    with world.units.begin() as work:
        commands.edit_listing(work, world.ana, listing.id, world.posting(title="Moving a wardrobe", description=""))
    assert found(world, text="sofa") == []
    assert found(world, text="wardrobe") == ["Moving a wardrobe"]
    with world.units.begin() as work:
        commands.withdraw_listing(work, world.ana, listing.id)
    assert found(world, text="wardrobe") == []


def test_what_is_in_the_private_tier_is_never_found(world: World) -> None:
    world.post(title="A sofa", exact_place="Hidden Lane 4", contact="phone 0123")
    assert found(world, text="hidden") == found(world, text="0123") == []


def test_what_neighbours_post_is_found_where_their_board_agrees_to_it(world: World) -> None:
    arrived(world)
    assert found(world, text="son read") == []
    with world.units.begin() as work:
        work.connection.execute(update(remote_actor).values(indexable=True))
    assert found(world, text="son read") == ["Someone to read with my son"]


def test_only_what_is_near_is_found_nearest_or_not(world: World) -> None:
    for title, lat in (("here", 51.52), ("three km north", 51.547), ("ten km north", 51.61)):
        world.post(title=title, lat=lat, lon=-0.09)
    world.post(title="nowhere", lat=None, lon=None)
    assert found(world, near_said="x", near=TOWN, km=5) == ["three km north", "here"]
    assert found(world, near_said="x", near=TOWN, km=1) == ["here"]
    assert found(world, near_said="x", near=TOWN, km=25, text="ten") == ["ten km north"]
    assert found(world, near_said="x", near=None, km=25) == []


def test_the_circle_is_the_one_that_distances_are_said_with(world: World) -> None:
    corner = (TOWN[0] + 4.2 / 111.32, TOWN[1] + 4.2 / 111.32 / 0.6222)  # in the square of 5 km, outside the circle
    world.post(title="corner", lat=corner[0], lon=corner[1])
    assert distance_km(TOWN, approximate(*corner)) > 5
    assert found(world, near_said="x", near=TOWN, km=5) == []
    assert found(world, near_said="x", near=TOWN, km=10) == ["corner"]


def test_a_place_of_the_board_may_be_named_and_one_of_fewer_is_known_to_them_alone(world: World) -> None:
    world.post(title="A", place="near Rose Street", visibility=Visibility.MEMBERS)
    world.post(title="B", place="", lat=51.53, lon=-0.09)
    with world.house.database.read() as connection:
        assert queries.position_of_place(connection, world.bea, "rose street") == approximate(51.5203, -0.0899)
        assert queries.position_of_place(connection, SIGNED_OUT, "rose street") is None
        assert queries.position_of_place(connection, world.bea, "%") is None
    page = body(visit(world, world.bea), "/board?near=Rose+Street&km=5")
    assert page.index(">B</a>") < page.index(">A</a>")
    assert "We do not know where" in body(visit(world), "/board?near=Rose+Street&km=5")
    for odd in ("near=me", "near=,&km=x", "near=91,0", "near=nan,nan", "near=" + "9" * 500, "km=99999", "near=%00"):
        assert "Board" in body(visit(world), f"/board?{odd}")


def test_near_me_is_where_one_said_one_lives(world: World) -> None:
    world.post(title="here", lat=51.52, lon=-0.09)
    world.post(title="away", lat=51.92, lon=-0.09)
    client = visit(world, world.ana)
    home: Any = client.app
    home.state.house = replace(home.state.house, position_of=lambda _connection, _who: TOWN)
    assert "near=me" in body(client, "/board")
    page = body(client, "/board?near=me&km=2")
    assert ">here</a>" in page
    assert ">away</a>" not in page


def test_what_is_urgent_can_be_shown_alone(world: World) -> None:
    world.post(title="soon", urgent=True)
    world.post(title="later")
    assert found(world, urgent=True) == ["soon"]
    assert "1 kind" not in body(visit(world), "/board?urgent=1")


# the map


def test_the_map_has_its_list_first_and_asks_nobody_else(world: World) -> None:
    world.post(title="One here", place="near Rose Street")
    world.post(title="Two here", kind=Kind.OFFER, mode=Mode.GIFT)
    world.post(title="One there", lat=51.55, lon=-0.1)
    world.post(title="Nowhere", lat=None, lon=None)
    answer = visit(world).get("/board/map")
    page = answer.text
    assert page.index(">One here</a>") < page.index('<svg class="map-picture"')
    assert "2 places, each with its number in the list." in page
    assert "Nowhere" not in page
    assert "<image" not in page
    assert answer.headers.get("Content-Security-Policy", CONTENT_SECURITY_POLICY) == CONTENT_SECURITY_POLICY
    assert "One there" not in body(visit(world), "/board/map?q=here")
    assert "Nothing here says where it is" in body(visit(world), "/board/map?q=nothing")


def test_the_map_shows_nothing_that_the_viewer_may_not_see(world: World) -> None:
    world.post(title="Ours", visibility=Visibility.MEMBERS)
    assert "Ours" in body(visit(world, world.bea), "/board/map")
    assert "Ours" not in body(visit(world), "/board/map")


def test_tiles_come_from_where_the_admin_says_and_from_nowhere_else(world: World) -> None:
    world.post()
    tiles = "https://tiles.example/{z}/{x}/{y}.png"
    client = browser(world.house, board_routes(world), map_tiles=tiles, map_credit="Map: somebody")
    answer = client.get("/board/map")
    assert "https://tiles.example/15/" in answer.text
    assert "Map: somebody" in answer.text
    assert "img-src 'self' https://tiles.example data:" in answer.headers["Content-Security-Policy"]


def test_everything_is_within_the_picture_however_far_apart(world: World) -> None:
    for places in ([(0.0, 0.0)], [(60.0, -170.0), (-60.0, 170.0)], [(90.0, 0.0), (-90.0, 0.0)], [TOWN, (51.6, 0.1)]):
        with world.house.database.read() as connection:
            one = queries.noticed(connection, world.ana, [world.post()], world.house.names.host)[0]
        several = [
            shown(replace(one, listing=replace(one.listing, lat=lat, lon=lon)), world.ana, world.now)
            for lat, lon in places
        ]
        picture = sketch(several, "https://tiles.example/{z}/{x}/{y}.png")
        assert picture is not None
        assert len(picture.dots) == len(places)
        assert all(0 <= dot.x <= 640 and 0 <= dot.y <= 480 for dot in picture.dots)
        assert 0 < len(picture.tiles) <= 16
    assert sketch([]) is None
