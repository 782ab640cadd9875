"""Searches that are kept: what is new for them, and for whom."""

import pytest

from fedaid.board.queries import Filters
from fedaid.board.rules import Kind
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import SIGNED_OUT, Viewer
from fedaid.matching import commands, queries
from fedaid.matching.limits import MatchingLimits
from tests.matching.street import Street

LIMITS = MatchingLimits()


def keep(street: Street, who: Viewer, query: str = "kind=request&q=garden", name: str = "Garden") -> int:
    with street.people.units.begin() as work:
        return commands.save_search(work, who, name, query, LIMITS)


def new_for(street: Street, who: Viewer, number: int) -> int:
    with street.people.world.house.database.read() as connection:
        found = queries.search_of(connection, who, number)
        assert found is not None
        filters = Filters(kind=Kind.REQUEST, text="garden", after=found.seen_listing_id)
        return queries.news_of(connection, who, found, filters, street.looking()).count


def test_what_comes_after_a_search_was_kept_is_new_for_it_until_it_was_looked_at(street: Street) -> None:
    street.post(street.ana, "My garden, before")
    number = keep(street, street.kim)
    assert new_for(street, street.kim, number) == 0
    street.post(street.ana, "My garden is a jungle")
    street.post(street.ana, "Feed my cat")
    street.offer(street.ana, "Garden tools")
    street.post(street.kim, "My own garden")
    street.neighbouring(name="Weeding a garden")
    assert new_for(street, street.kim, number) == 2
    with street.people.units.begin() as work:
        assert commands.look_at_search(work, street.kim, number) == "kind=request&q=garden"
    assert new_for(street, street.kim, number) == 0


def test_nobody_opens_or_forgets_a_search_of_somebody_else(street: Street) -> None:
    number = keep(street, street.kim)
    for act in (commands.look_at_search, commands.forget_search):
        with pytest.raises(NotFound), street.people.units.begin() as work:
            act(work, street.ana, number)
    with street.people.units.begin() as work:
        commands.forget_search(work, street.kim, number)
        assert queries.searches_of(work.connection, street.kim.member_id or 0) == []


@pytest.mark.parametrize(
    ("name", "query", "code"),
    [("", "q=garden", "search_name"), ("Garden", "", "search_empty"), ("Garden", "q=" + "x" * 500, "search_empty")],
)
def test_a_search_that_cannot_be_kept_is_refused(street: Street, name: str, query: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        keep(street, street.kim, query, name)
    assert refused.value.code == code


def test_nobody_keeps_more_searches_than_they_may(street: Street) -> None:
    few = MatchingLimits(saved_searches_max=1)
    with pytest.raises(Refused) as refused, street.people.units.begin() as work:
        for name in ("One", "Two"):
            commands.save_search(work, street.kim, name, "q=garden", few)
    assert refused.value.code == "too_many_searches"


def test_somebody_signed_out_keeps_nothing(street: Street) -> None:
    with pytest.raises(NotAllowed):
        keep(street, SIGNED_OUT)
