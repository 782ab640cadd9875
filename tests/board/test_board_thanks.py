"""Whoever was helped thanks in their own words, once; the helper reads them, elsewhere as a message."""

import re
from typing import Any

import pytest

from fedaid.board import commands, queries
from fedaid.board.limits import BoardLimits
from fedaid.board.rules import Mode
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import SIGNED_OUT, Viewer
from tests.board.test_board_pages import body, visit
from tests.board.test_board_shapes import offer_of_ben
from tests.board.world import BEN, World
from tests.small_house import RIVER

LIMITS = BoardLimits()
WORDS = "You saved my Saturday, Bea."


def agreed(world: World, **changes: Any) -> int:
    """Bea helps Ana; the match."""
    return world.accept(world.respond(world.bea, world.post(**changes)))


def done(world: World, match_id: int) -> int:
    with world.units.begin() as work:
        commands.mark_done(work, world.ana, match_id)
    return match_id


def thank(world: World, who: Viewer, match_id: int, words: str = WORDS) -> None:
    with world.units.begin() as work:
        commands.thank(work, who, match_id, words, LIMITS)


def page_of(world: World, who: Viewer, match_id: int) -> str:
    with world.house.database.read() as connection:
        found = queries.any_match(connection, match_id)
    assert found
    return body(visit(world, who), f"/listings/{found.listing_id}")


def test_it_is_said_in_one_step_that_it_is_done_and_thank_you(world: World) -> None:
    match_id = agreed(world, mode=Mode.GIFT, minutes=None)
    ana = visit(world, world.ana)
    (form,) = re.findall(rf'action="(/matches/{match_id}/done)"', page_of(world, world.ana, match_id))
    assert ana.post(form, data={"thanks": WORDS}).headers["location"].endswith("?said=done")
    for who in (world.ana, world.bea):
        page = page_of(world, who, match_id)
        assert "Thanks</span>" in page
        assert WORDS in page
        assert f"/matches/{match_id}/thank" not in page
    assert WORDS not in body(visit(world), f"/listings/{world.post().id}")


def test_after_hours_were_confirmed_there_is_still_a_place_for_thanks(world: World) -> None:
    match_id = done(world, agreed(world))
    assert f'action="/matches/{match_id}/thank"' in page_of(world, world.ana, match_id)
    assert f'action="/matches/{match_id}/thank"' not in page_of(world, world.bea, match_id)
    answer = visit(world, world.ana).post(f"/matches/{match_id}/thank", data={"thanks": WORDS})
    assert answer.headers["location"].endswith("?said=thanked")
    assert WORDS in page_of(world, world.bea, match_id)


def test_a_helper_in_another_network_is_sent_the_words_in_private(world: World) -> None:
    listing = world.post()
    world.receive(offer_of_ben(world, listing.id))
    answer = world.response_at(f"{RIVER}/responses/31")
    assert answer is not None
    thank(world, world.ana, done(world, world.accept(answer)))
    sent = world.sent()[-1]
    assert (sent["type"], sent["to"], sent["cc"], sent["object"]["inReplyTo"]) == ("Create", [BEN], [], answer.uri)
    assert f"<p>{WORDS}</p>" in sent["object"]["content"]


@pytest.mark.parametrize("step", ["done", "thank"])
def test_words_that_are_too_long_are_refused_and_kept_and_nothing_else_happens(world: World, step: str) -> None:
    match_id = agreed(world, mode=Mode.GIFT, minutes=None)
    if step == "thank":
        done(world, match_id)
    long = "x" * (LIMITS.thanks_characters_max + 1)
    answer = visit(world, world.ana).post(f"/matches/{match_id}/{step}", data={"thanks": long})
    assert (answer.status_code, answer.text.count('role="alert"')) == (422, 1)
    assert f'value="{long}"' in answer.text
    assert f'action="/matches/{match_id}/{step}"' in page_of(world, world.ana, match_id)


def test_nobody_thanks_twice_too_early_with_nothing_or_for_somebody_else(world: World) -> None:
    match_id = agreed(world)

    def code(who: Viewer, words: str = WORDS) -> str:
        with pytest.raises(Refused) as refused:
            thank(world, who, match_id, words)
        return refused.value.code

    assert code(world.ana) == "not_done"
    done(world, match_id)
    assert code(world.ana, " ") == "remark_missing"
    with pytest.raises(NotAllowed):
        thank(world, world.bea, match_id)
    with pytest.raises(NotFound):
        thank(world, SIGNED_OUT, match_id)
    thank(world, world.ana, match_id)
    assert code(world.ana) == "thanked_already"
    again = visit(world, world.ana).post(f"/matches/{match_id}/thank", data={"thanks": WORDS})
    assert (again.status_code, again.text.count('role="alert"')) == (409, 1)
