"""The directory: who finds whom by what, who may read what, and what neighbours say of each other."""

import re

import pytest
from sqlalchemy import delete

from fedaid.actors import commands as actors
from fedaid.foundation.refused import Refused
from fedaid.groups.tables import membership
from fedaid.skills import commands, queries
from fedaid.skills.limits import SkillLimits
from fedaid.skills.rules import Skill, Visibility, Window
from tests.skills.neighbours import LIMITS, NOBODY, Neighbours, saturday

HERE = {"lat": 51.52, "lon": -0.0884}
NEAR = {"lat": 51.54, "lon": -0.0884}  # two kilometres to the north
FAR = {"lat": 51.70, "lon": -0.0884}  # twenty


# finding


@pytest.mark.parametrize("text", ["bicycle", "BICYCLES", "bicy", "brakes bicycle", "kestrel"])
def test_somebody_is_found_by_words_their_beginnings_and_by_name(street: Neighbours, text: str) -> None:
    street.add(street.kim, "Bicycles: brakes, gears, flats", "repair")
    street.add(street.bea, "Listening", "care")
    assert street.names(street.ana, text=text) == ["kim"]


@pytest.mark.parametrize("text", ["bicycle sofa", "sofa", "%", "the", "ycle"])
def test_nobody_is_found_by_words_that_they_did_not_say(street: Neighbours, text: str) -> None:
    street.add(street.kim, "Bicycles: brakes, gears, flats", "repair")
    assert street.names(street.ana, text=text) == []


def test_everything_that_is_looked_for_counts_together(street: Neighbours) -> None:
    street.prefer(street.ana, **HERE)
    for who, place, language in ((street.bea, NEAR, "es"), (street.kim, FAR, "en")):
        street.add(who, "Bicycles", "repair")
        street.free(who, saturday(9, 12))
        street.prefer(who, languages=frozenset({language}), **place)
    morning = {"weekday": 5, "start_minute": 600, "end_minute": 660}
    assert street.names(street.ana, text="bicycle", category="repair", **morning) == ["kim", "bea"]
    assert street.names(street.ana, text="bicycle", category="repair", km=5, language="es", **morning) == ["bea"]
    assert street.names(street.ana, km=5) == ["bea"]
    assert street.names(street.ana, language="en") == ["kim"]
    assert street.names(street.ana, km=5, language="en") == []
    assert street.names(street.ana, category="garden") == []
    assert street.names(street.ana, weekday=6) == []
    assert street.names(street.ana, weekday=5, start_minute=720, end_minute=800) == []  # they are free until twelve


def test_who_has_not_said_where_they_are_finds_nobody_by_distance(street: Neighbours) -> None:
    street.add(street.bea, "Bicycles")
    street.prefer(street.bea, **NEAR)
    assert street.names(street.ana, km=500) == []


def test_a_page_of_the_directory_ends_and_goes_on(street: Neighbours) -> None:
    for who in (street.ana, street.bea, street.kim):
        street.add(who, "Listening")
    first = street.find(street.ana, per_page=2)
    assert [one.handle for one in first.people] == ["kim", "bea"]
    assert street.names(street.ana, before=first.next_before) == ["ana"]


def test_others_learn_a_distance_and_no_more_of_where_somebody_is(street: Neighbours) -> None:
    street.prefer(street.ana, **HERE)
    street.add(street.bea, "Bicycles")
    street.prefer(street.bea, place="near Rose Street", monthly_minutes_max=77, **NEAR)
    (found,) = street.find(street.ana).people
    assert (found.place, found.distance_km) == ("near Rose Street", 2)
    said = re.sub(r"\d{15,}", "", repr(found))  # without ids, which are made of random figures
    assert not any(value in said for value in ("51.54", "0.0884", "77"))


# who may read what


def test_what_is_for_a_group_is_read_in_the_group_alone(street: Neighbours) -> None:
    street.add_for_garden(street.bea, "Grafting roses", "garden")
    assert street.names(street.ana, text="roses") == ["bea"]
    assert street.names(street.bea, text="roses") == ["bea"]
    for stranger in (street.kim, NOBODY):
        assert street.names(stranger, text="roses") == []
        assert street.names(stranger, category="garden") == []
        assert street.names(stranger) == []
        assert street.entries(stranger, street.bea) == []


def test_an_entry_that_may_not_be_read_helps_nobody_to_be_found_by_others(street: Neighbours) -> None:
    street.add(street.bea, "Listening")
    street.add_for_garden(street.bea, "Grafting roses", "garden")
    assert street.names(street.kim) == ["bea"]
    assert street.names(street.kim, text="roses") == []
    assert street.names(street.kim, category="garden") == []
    assert [one.skill.title for one in street.find(street.kim).people[0].entries] == ["Listening"]


def test_who_leaves_the_group_takes_along_what_was_for_it(street: Neighbours) -> None:
    street.add_for_garden(street.bea, "Grafting roses")
    with street.units.begin() as work:
        mine = (membership.c.group_id == street.garden) & (membership.c.member_id == street.bea.member_id)
        work.connection.execute(delete(membership).where(mine))
    assert street.entries(street.ana, street.bea) == []
    assert [one.skill.title for one in street.entries(street.bea, street.bea)] == ["Grafting roses"]


@pytest.mark.parametrize("visibility", [Visibility.NETWORK, Visibility.NEIGHBOURS])
def test_what_is_for_the_neighbourhood_is_read_by_members_and_by_nobody_signed_out(
    street: Neighbours, visibility: Visibility
) -> None:
    street.add(street.bea, "Listening", visibility=visibility)
    assert street.names(street.kim) == ["bea"]
    assert street.names(NOBODY) == []


def test_two_of_whom_one_blocks_the_other_do_not_see_each_other(street: Neighbours) -> None:
    street.add(street.bea, "Listening")
    street.add(street.kim, "Bicycles")
    with street.units.begin() as work:
        actors.block(work, street.bea.actor, street.kim.actor)
    assert street.names(street.kim) == ["kim"]
    assert street.names(street.bea) == ["bea"]
    assert street.names(street.ana) == ["kim", "bea"]


def test_nobody_changes_or_removes_an_entry_of_somebody_else(street: Neighbours) -> None:
    number = street.add(street.bea, "Listening")
    with pytest.raises(Refused) as refused, street.units.begin() as work:
        commands.edit_skill(work, street.ana, number, Skill("Shouting"), [])
    assert refused.value.code == "not_found"
    with pytest.raises(Refused), street.units.begin() as work:
        commands.remove_skill(work, street.ana, number)
    assert [one.skill.title for one in street.entries(street.ana, street.bea)] == ["Listening"]


# writing


def test_a_changed_entry_is_found_by_its_new_words_alone(street: Neighbours) -> None:
    number = street.add(street.bea, "Listening")
    with street.units.begin() as work:
        commands.edit_skill(work, street.bea, number, Skill("Sewing"), [])
    assert (street.names(street.ana, text="sewing"), street.names(street.ana, text="listening")) == (["bea"], [])


def test_nobody_lists_more_skills_than_they_may(street: Neighbours) -> None:
    few = SkillLimits(entries_per_member_max=1)
    with pytest.raises(Refused) as refused, street.units.begin() as work:
        for title in ("Listening", "Sewing"):
            commands.add_skill(work, street.bea, Skill(title), [], few)
    assert refused.value.code == "too_many_skills"


def test_a_time_is_taken_out_by_when_it_begins(street: Neighbours) -> None:
    street.free(street.bea, saturday(9, 12), saturday(11, 13), Window(0, 60, 120))
    with street.units.begin() as work:
        commands.remove_window(work, street.bea, 5, 540)
        found = queries.windows_of(work.connection, [street.bea.member_id or 0])
    assert found[street.bea.member_id or 0] == [Window(0, 60, 120)]


def test_who_leaves_the_neighbourhood_leaves_nothing_in_the_directory(street: Neighbours) -> None:
    number = street.add(street.bea, "Listening")
    mine = street.add(street.ana, "Sewing")
    street.free(street.bea, saturday(9, 12))
    street.prefer(street.bea, languages=frozenset({"es"}))
    with street.units.begin() as work:
        commands.vouch_for(work, street.ana, number, "She listened for an hour.", LIMITS)
        commands.vouch_for(work, street.bea, mine, "My curtains fit.", LIMITS)
        commands.clear_out(work, street.bea.member_id or 0)
        assert queries.vouches_of(work.connection, street.ana, [mine]) == {mine: []}
    assert street.names(street.ana) == ["ana"]
    assert street.entries(street.bea, street.bea) == []


# vouching


def said_of(street: Neighbours, number: int) -> list[str]:
    with street.world.house.database.read() as connection:
        return [one.sentence for one in queries.vouches_of(connection, street.ana, [number])[number]]


def test_a_neighbour_vouches_with_a_sentence_and_says_it_anew(street: Neighbours) -> None:
    number = street.add(street.kim, "Bicycles")
    for sentence in ("Mended my brakes.", "Mended my brakes and told me how."):
        with street.units.begin() as work:
            commands.vouch_for(work, street.ana, number, sentence, LIMITS)
    assert said_of(street, number) == ["Mended my brakes and told me how."]


@pytest.mark.parametrize("taker", ["ana", "kim"])
def test_a_sentence_is_taken_back_by_who_wrote_it_or_by_whom_it_is_about(street: Neighbours, taker: str) -> None:
    number = street.add(street.kim, "Bicycles")
    with street.units.begin() as work:
        commands.vouch_for(work, street.ana, number, "Mended my brakes.", LIMITS)
        (one,) = queries.vouches_of(work.connection, street.ana, [number])[number]
    with pytest.raises(Refused), street.units.begin() as work:
        commands.take_vouch_back(work, street.bea, one.id)
    with street.units.begin() as work:
        commands.take_vouch_back(work, getattr(street, taker), one.id)
    assert said_of(street, number) == []


def test_a_sentence_about_other_words_goes_with_them(street: Neighbours) -> None:
    number = street.add(street.kim, "Bicycles")
    with street.units.begin() as work:
        commands.vouch_for(work, street.ana, number, "Mended my brakes.", LIMITS)
        commands.edit_skill(work, street.kim, number, Skill("Bicycles", details="Also tandems."), [])
    assert said_of(street, number) == ["Mended my brakes."]
    with street.units.begin() as work:
        commands.edit_skill(work, street.kim, number, Skill("Heart surgery"), [])
    assert said_of(street, number) == []


def test_what_may_not_be_vouched_for_is_refused(street: Neighbours) -> None:
    mine, hidden = street.add(street.kim, "Bicycles"), street.add_for_garden(street.bea, "Grafting")
    few = SkillLimits(vouches_per_entry_max=0)
    for number, limits, code in ((mine, LIMITS, "own_skill"), (hidden, LIMITS, "not_found")):
        with pytest.raises(Refused) as refused, street.units.begin() as work:
            commands.vouch_for(work, street.kim, number, "Good.", limits)
        assert refused.value.code == code
    with pytest.raises(Refused) as refused, street.units.begin() as work:
        commands.vouch_for(work, street.ana, mine, "Good.", few)
    assert refused.value.code == "too_many_vouches"
