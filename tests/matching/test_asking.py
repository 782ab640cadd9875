"""Asking neighbours: who is offered to be asked, how quiet it stays, and what becomes of the answer."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from fedaid.actors import commands as actors
from fedaid.board import commands as board
from fedaid.board import queries as listings
from fedaid.board.rules import ListingState
from fedaid.board.tables import help_match
from fedaid.foundation.refused import Refused
from fedaid.matching import commands, queries
from fedaid.matching.queries import asked_about
from fedaid.matching.tables import ask
from tests.matching.street import Street
from tests.skills.neighbours import saturday

BRAKES = "Somebody to look at my bicycle brakes"


@pytest.fixture
def bicycles(street: Street) -> Street:
    """Bea and Kim mend bicycles."""
    for who in (street.bea, street.kim):
        street.people.add(who, "Bicycles: brakes, gears", "repair")
    return street


# who is offered


def test_those_who_can_do_it_are_offered_and_nobody_else(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    assert bicycles.helpers(bicycles.ana, request) == ["kim", "bea"]
    assert bicycles.helpers(bicycles.ana, bicycles.post(bicycles.ana, "Feed my cat", "pets")) == []


def test_the_author_is_not_offered_to_themselves(bicycles: Street) -> None:
    bicycles.people.add(bicycles.ana, "Bicycles", "repair")
    assert bicycles.helpers(bicycles.ana, bicycles.post(bicycles.ana, BRAKES, "repair")) == ["kim", "bea"]


def test_nobody_is_offered_for_what_the_asker_may_not_read(street: Street) -> None:
    street.people.add_for_garden(street.bea, "Bicycles: brakes", "repair")
    assert street.helpers(street.kim, street.post(street.kim, BRAKES, "repair")) == []
    assert street.helpers(street.ana, street.post(street.ana, BRAKES, "repair")) == ["bea"]


def test_who_wants_not_to_be_asked_or_blocks_the_asker_is_not_offered(bicycles: Street) -> None:
    bicycles.people.prefer(bicycles.kim, may_be_asked=False)
    with bicycles.people.units.begin() as work:
        actors.block(work, bicycles.bea.actor, bicycles.ana.actor)
    assert bicycles.helpers(bicycles.ana, bicycles.post(bicycles.ana, BRAKES, "repair")) == []


def test_who_is_not_free_then_or_too_far_away_or_speaks_another_language_is_not_offered(bicycles: Street) -> None:
    now = bicycles.people.world.now
    saturday_at_ten = now.replace(hour=9) + timedelta(days=4)  # in London
    at_ten = {
        "starts_at": saturday_at_ten,
        "ends_at": saturday_at_ten + timedelta(hours=2),
        "lat": 51.52,
        "lon": -0.0884,
    }
    request = bicycles.post(bicycles.ana, BRAKES, "repair", minutes=120, **at_ten)
    bicycles.people.free(bicycles.kim, saturday(14, 18))
    assert bicycles.helpers(bicycles.ana, request) == ["bea"]
    bicycles.people.free(bicycles.kim, saturday(9, 18))
    assert bicycles.helpers(bicycles.ana, request) == ["kim", "bea"]
    bicycles.people.prefer(bicycles.kim, lat=51.7, lon=-0.0884, travel_km=3)
    assert bicycles.helpers(bicycles.ana, request) == ["bea"]
    bicycles.people.prefer(bicycles.ana, languages=frozenset({"ar"}))
    bicycles.people.prefer(bicycles.kim, languages=frozenset({"ar", "en"}))
    bicycles.people.prefer(bicycles.bea, languages=frozenset({"en"}))
    assert bicycles.helpers(bicycles.ana, request) == ["kim"]


def test_who_has_promised_their_month_is_not_offered_until_the_next(bicycles: Street) -> None:
    bicycles.people.prefer(bicycles.kim, monthly_minutes_max=120)
    earlier = bicycles.post(bicycles.bea, BRAKES, "repair", minutes=90)
    with bicycles.people.units.begin() as work:
        response = board.respond(work, bicycles.kim, earlier.id, "")
        board.accept_response(work, bicycles.bea, response)
    short, long = (bicycles.post(bicycles.ana, BRAKES, "repair", minutes=minutes) for minutes in (30, 31))
    assert bicycles.helpers(bicycles.ana, short) == ["kim", "bea"]
    assert bicycles.helpers(bicycles.ana, long) == ["bea"]
    with bicycles.people.units.begin() as work:
        match_id = work.connection.execute(select(help_match.c.id)).scalar_one()
        board.cancel_match(work, bicycles.bea, match_id)
    assert bicycles.helpers(bicycles.ana, long) == ["kim", "bea"]


# how quiet it stays


def test_nobody_is_asked_more_often_in_a_week_than_is_quiet_whoever_asks(bicycles: Street) -> None:
    for asker in (bicycles.ana, bicycles.ana):
        assert bicycles.ask(asker, bicycles.post(asker, BRAKES, "repair"), [bicycles.kim]) == 1
    third = bicycles.post(bicycles.bea, BRAKES, "repair")
    assert bicycles.helpers(bicycles.bea, third) == []
    with pytest.raises(Refused) as refused:
        bicycles.ask(bicycles.bea, third, [bicycles.kim])
    assert refused.value.code == "nobody_to_ask"
    assert bicycles.helpers(bicycles.bea, third, asks_per_person_per_week_max=3) == ["kim"]
    bicycles.pass_days(6.9)
    assert bicycles.helpers(bicycles.bea, third) == []
    bicycles.pass_days(0.2)
    assert bicycles.helpers(bicycles.bea, third) == ["kim"]


def test_those_who_were_asked_less_come_first_among_equals(bicycles: Street) -> None:
    bicycles.ask(bicycles.ana, bicycles.post(bicycles.ana, BRAKES, "repair"), [bicycles.kim])
    assert bicycles.helpers(bicycles.ana, bicycles.post(bicycles.ana, BRAKES, "repair")) == ["bea", "kim"]


def test_pressing_twice_asks_once(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    assert bicycles.ask(bicycles.ana, request, [bicycles.kim]) == 1
    assert bicycles.ask(bicycles.ana, request, [bicycles.kim]) == 0
    assert bicycles.helpers(bicycles.ana, request) == ["bea"]
    with bicycles.people.world.house.database.read() as connection:
        assert asked_about(connection, request).people == 1


def test_one_press_and_one_request_ask_only_so_many(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    both = [bicycles.kim, bicycles.bea]
    assert bicycles.ask(bicycles.ana, request, both, asks_at_once_max=1) == 1
    with pytest.raises(Refused) as refused:
        bicycles.ask(bicycles.ana, request, both, asks_per_listing_max=1)
    assert refused.value.code == "asked_many"


def test_two_who_ask_at_the_same_moment_do_not_ask_too_often_together(bicycles: Street) -> None:
    first, second = bicycles.post(bicycles.ana, BRAKES, "repair"), bicycles.post(bicycles.bea, BRAKES, "repair")
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def press(asker: object, request: object) -> None:
        start.wait()
        try:
            bicycles.ask(asker, request, [bicycles.kim], asks_per_person_per_week_max=1)  # type: ignore[arg-type]
            outcomes.append("asked")
        except Refused as refused:
            outcomes.append(refused.code)

    pressing = [threading.Thread(target=press, args=one) for one in ((bicycles.ana, first), (bicycles.bea, second))]
    for one in pressing:
        one.start()
    for one in pressing:
        one.join()
    assert sorted(outcomes) == ["asked", "nobody_to_ask"]


@pytest.mark.parametrize("case", ["not mine", "an offer", "withdrawn", "nobody chosen", "somebody who cannot"])
def test_what_may_not_be_asked_is_refused(bicycles: Street, case: str) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    asker, whom, code = bicycles.ana, [bicycles.kim], "not_open"
    if case == "not mine":
        asker, code = bicycles.bea, "not_found"
    elif case == "an offer":
        request = bicycles.offer(bicycles.ana, "I mend bicycles", "repair")
    elif case == "withdrawn":
        with bicycles.people.units.begin() as work:
            board.withdraw_listing(work, bicycles.ana, request.id)
    elif case == "nobody chosen":
        whom, code = [], "nobody_to_ask"
    else:
        whom, code = [bicycles.ana], "nobody_to_ask"
    with pytest.raises(Refused) as refused:
        bicycles.ask(asker, request, whom)
    assert refused.value.code == code


# the answer


def test_who_is_asked_sees_it_with_why_and_answers_as_on_the_board(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    bicycles.ask(bicycles.ana, request, [bicycles.kim])
    (waiting,) = bicycles.waiting(bicycles.kim)
    assert waiting.noticed.listing.id == request.id
    assert waiting.fit is not None
    assert waiting.fit.reasons[0].what == "Bicycles: brakes, gears"
    assert bicycles.waiting(bicycles.bea) == []
    with bicycles.people.units.begin() as work:
        assert commands.say_yes(work, bicycles.kim, waiting.ask.id, "On Saturday.") == request.id
        (answer,) = listings.responses(work.connection, bicycles.ana, request)
    assert (answer.helper.name, answer.response.message) == ("Kim Kestrel", "On Saturday.")
    assert bicycles.waiting(bicycles.kim) == []


def test_an_answer_on_the_board_is_an_answer_to_the_question(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    bicycles.ask(bicycles.ana, request, [bicycles.kim])
    with bicycles.people.units.begin() as work:
        board.respond(work, bicycles.kim, request.id, "")
        assert work.connection.execute(select(ask.c.state)).scalar_one() == "asked"  # until the fact is announced
    with bicycles.people.world.house.database.read() as connection:
        assert connection.execute(select(ask.c.state)).scalar_one() == "yes"


def test_not_this_time_is_told_to_nobody_and_it_is_not_suggested_again(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    bicycles.ask(bicycles.ana, request, [bicycles.kim])
    (waiting,) = bicycles.waiting(bicycles.kim)
    with bicycles.people.world.house.database.read() as connection:
        before = asked_about(connection, request)
    with bicycles.people.units.begin() as work:
        commands.say_not_now(work, bicycles.kim, waiting.ask.id)
    with bicycles.people.world.house.database.read() as connection:
        assert asked_about(connection, request) == before
    assert bicycles.waiting(bicycles.kim) == []
    assert bicycles.fits_me(bicycles.kim) == []
    assert bicycles.fits_me(bicycles.bea) == [BRAKES]


def test_nobody_answers_for_somebody_else(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    bicycles.ask(bicycles.ana, request, [bicycles.kim])
    (waiting,) = bicycles.waiting(bicycles.kim)
    for act in (commands.say_yes, commands.say_not_now):
        with pytest.raises(Refused) as refused, bicycles.people.units.begin() as work:
            act(work, bicycles.bea, waiting.ask.id)
        assert refused.value.code == "not_found"


def test_a_question_that_can_no_longer_be_answered_waits_no_more(bicycles: Street) -> None:
    request = bicycles.post(bicycles.ana, BRAKES, "repair")
    bicycles.ask(bicycles.ana, request, [bicycles.kim])
    (waiting,) = bicycles.waiting(bicycles.kim)
    with bicycles.people.units.begin() as work:
        board.withdraw_listing(work, bicycles.ana, request.id)
    assert bicycles.again(request).state is ListingState.WITHDRAWN
    assert bicycles.waiting(bicycles.kim) == []
    with pytest.raises(Refused) as refused, bicycles.people.units.begin() as work:
        commands.say_yes(work, bicycles.kim, waiting.ask.id)
    assert refused.value.code == "gone"


def test_who_leaves_is_asked_nothing_any_more(bicycles: Street) -> None:
    bicycles.ask(bicycles.ana, bicycles.post(bicycles.ana, BRAKES, "repair"), [bicycles.kim])
    with bicycles.people.units.begin() as work:
        commands.clear_out(work, bicycles.kim.member_id or 0)
        assert queries.searches_of(work.connection, bicycles.kim.member_id or 0) == []
    assert bicycles.waiting(bicycles.kim) == []
