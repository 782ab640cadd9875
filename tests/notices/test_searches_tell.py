"""Searches that are kept tell of what is new: once, of nothing of one's own, and of nothing that is not for them."""

import pytest

from fedaid.actors import commands as actors
from fedaid.board import commands as board
from fedaid.board.rules import Kind as ListingKind
from fedaid.board.rules import Posting, Visibility
from fedaid.foundation.federation import Federation
from fedaid.foundation.viewer import Viewer
from fedaid.matching import commands as matching
from fedaid.matching.limits import MatchingLimits
from fedaid.notices import commands, queries
from fedaid.notices.queries.shown import Told
from fedaid.notices.rules import Channel, Topic
from tests.notices.told import Town
from tests.skills.neighbours import HTML
from tests.small_house import START


def keep(town: Town, who: Viewer, query: str = "q=garden", name: str = "Gardens") -> int:
    with town.units.begin() as work:
        number = matching.save_search(work, who, name, query, MatchingLimits())
    town.street.pass_days(0.001)
    return number


def look(town: Town, **limits: int) -> int:
    """One round of the chore."""
    with town.units.begin() as work:
        return matching.tell_searchers(work, Federation.OPEN, MatchingLimits(**limits))


def found(town: Town, who: Viewer) -> list[str]:
    """The titles that somebody's searches told them of, newest first."""
    return [one.told.title for one in town.notices(who) if one.kind == "found" and one.told]


def test_what_is_new_here_and_next_door_is_told_once_to_whoever_keeps_a_search_for_it(town: Town) -> None:
    town.post("My garden, before")
    keep(town, town.kim)
    ours = town.post("My garden is a jungle")
    town.post("Feed my cat")
    theirs = town.street.neighbouring(name="Weeding a garden")
    for _ in range(2):
        look(town)
    assert [one.told for one in town.notices(town.kim)] == [
        Told(f"/listings/{theirs.id}", "Gardens", "Weeding a garden"),
        Told(f"/listings/{ours.id}", "Gardens", "My garden is a jungle"),
    ]
    assert found(town, town.bea) == []


def test_a_newer_form_of_a_listing_is_nothing_new(town: Town) -> None:
    keep(town, town.kim)
    listing = town.post("My garden")
    town.street.neighbouring(name="Their garden")
    look(town)
    with town.units.begin() as work:
        commands.read_all(work, town.kim.member_id or 0, town.notices(town.kim)[0].id)
        ends = listing.expires_at
        assert ends
        board.edit_listing(work, town.ana, listing.id, Posting(ListingKind.REQUEST, "My whole garden", ends))
    town.street.neighbouring(name="Their whole garden", updated="2026-09-01T10:00:00Z")
    look(town)
    assert town.unread(town.kim) == 0
    assert found(town, town.kim) == ["Their whole garden", "My whole garden"]


def test_nobody_is_told_of_what_they_posted_themselves(town: Town) -> None:
    keep(town, town.ana)
    town.post("My garden")
    look(town)
    assert found(town, town.ana) == []


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("kind=request&category=garden", True),
        ("kind=offer&q=garden", False),
        ("category=repair", False),
        ("q=garden+pond", False),
        ("urgent=1&q=garden", False),
        ("q=garden&near=51.52,-0.09&km=1", True),
        ("q=garden&near=52.52,-0.09&km=1", False),
        ("q=garden&near=me&km=1", False),
    ],
)
def test_a_search_tells_of_what_the_board_would_show_with_its_filters(town: Town, query: str, fits: bool) -> None:
    keep(town, town.kim, query)
    town.post("My garden", category="garden", lat=51.52, lon=-0.09)
    look(town)
    assert bool(found(town, town.kim)) is fits


def test_near_me_is_where_the_one_who_keeps_the_search_lives(town: Town) -> None:
    town.people.prefer(town.kim, lat=51.52, lon=-0.09)
    keep(town, town.kim, "q=garden&near=me&km=1")
    town.post("My garden", lat=51.52, lon=-0.09)
    look(town)
    assert found(town, town.kim) == ["My garden"]


def test_of_several_searches_that_fit_one_tells(town: Town) -> None:
    keep(town, town.kim, "kind=request", "Requests")
    keep(town, town.kim)
    town.post("My garden")
    look(town)
    (told,) = town.notices(town.kim)
    assert told.told
    assert told.told.who == "Requests"


def test_what_is_not_for_somebody_is_not_told_to_them(town: Town) -> None:
    for who in (town.kim, town.bea, town.cora):
        keep(town, who)
    with town.units.begin() as work:
        actors.block(work, town.ana.actor, town.cora.actor)
        listing = board.post_listing(
            work,
            town.ana,
            "https://northside.example/groups/garden",
            Posting(ListingKind.REQUEST, "Our garden", START.replace(month=10), visibility=Visibility.GROUP),
        )
    look(town)
    assert (found(town, town.bea), found(town, town.kim), found(town, town.cora)) == (["Our garden"], [], [])
    with town.units.begin() as work:
        actors.block(work, town.bea.actor, town.ana.actor)
    (gone,) = town.notices(town.bea)  # nor is it read by who may not see it any more
    assert gone.told is None
    assert listing


def test_however_many_searches_there_are_each_is_compared_once_some_in_each_round(town: Town) -> None:
    for who in (town.bea, town.kim, town.cora):
        keep(town, who)
        keep(town, who, "q=sofa", "Sofas")
    town.post("My garden")
    rounds = [look(town, alert_searches_max=1) for _ in range(6)]
    assert rounds == [2, 2, 2, 1, 0, 0]
    assert [found(town, who) for who in (town.bea, town.kim, town.cora)] == [["My garden"]] * 3
    assert [town.unread(who) for who in (town.bea, town.kim, town.cora)] == [1, 1, 1]


def test_a_search_that_was_kept_after_it_was_posted_does_not_tell_of_it(town: Town) -> None:
    town.post("My garden")
    town.street.pass_days(0.001)
    keep(town, town.kim)
    look(town)
    assert found(town, town.kim) == []


def test_it_is_told_by_mail_like_everything_else_and_who_does_not_want_it_is_not_told(town: Town) -> None:
    for who, channel in ((town.kim, Channel.AT_ONCE), (town.bea, Channel.NONE)):
        keep(town, who)
        with town.units.begin() as work:
            present = queries.channels(work.connection, who.member_id or 0)
            commands.choose(work, who.member_id or 0, {**present, Topic.SEARCHES: channel})
    town.post("My garden")
    look(town)
    assert found(town, town.bea) == []
    with town.units.database.read() as connection:
        (told,) = queries.page(connection, town.kim.member_id or 0, 10)
    assert told.mail_due_at == told.made_at
    page = town.browser(town.kim).get("/notices", headers=HTML).text
    assert "New for your search “Gardens”: “My garden”." in page
    assert "What is new for the searches I keep" in town.browser(town.kim).get("/me/notices").text
