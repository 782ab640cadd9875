"""The steps of a link with a neighbouring network, and blocks: refusals first."""

from itertools import product

import pytest

from activitypub.identifiers import UrlRules
from fedaid.actors.commands import remember
from fedaid.foundation.refused import NotFound, Refused
from fedaid.network import commands, queries
from fedaid.network.queries import NeighbourFacts
from fedaid.network.rules import Status, Step, next_status, origin_of
from fedaid.network.rules.restrictions import Severity, Terms
from tests.small_house import NORTH, RIVER, SmallHouse, remote_actor

FACTS = NeighbourFacts(
    "riverside.example",
    RIVER,
    f"{RIVER}/actor",
    f"{RIVER}/ledger",
    f"{RIVER}/groups/board",
    actors=(remote_actor(f"{RIVER}/actor", "Application"),),
)

FITTING = {
    (None, Step.PROPOSE): Status.PROPOSED,
    (None, Step.THEY_ASK): Status.ASKED,
    (Status.PROPOSED, Step.THEY_ASK): Status.ASKED,
    (Status.PROPOSED, Step.THEY_ACCEPT): Status.ACCEPTED,
    (Status.PROPOSED, Step.END): Status.ENDED,
    (Status.PROPOSED, Step.THEY_END): Status.ENDED,
    (Status.ASKED, Step.THEY_ASK): Status.ASKED,
    (Status.ASKED, Step.ACCEPT): Status.ACCEPTED,
    (Status.ASKED, Step.THEY_ACCEPT): Status.ACCEPTED,
    (Status.ASKED, Step.END): Status.ENDED,
    (Status.ASKED, Step.THEY_END): Status.ENDED,
    (Status.ACCEPTED, Step.PAUSE): Status.PAUSED,
    (Status.ACCEPTED, Step.END): Status.ENDED,
    (Status.ACCEPTED, Step.THEY_ASK): Status.ACCEPTED,
    (Status.ACCEPTED, Step.THEY_ACCEPT): Status.ACCEPTED,
    (Status.ACCEPTED, Step.THEY_END): Status.ENDED,
    (Status.PAUSED, Step.RESUME): Status.ACCEPTED,
    (Status.PAUSED, Step.END): Status.ENDED,
    (Status.PAUSED, Step.THEY_ASK): Status.PAUSED,
    (Status.PAUSED, Step.THEY_ACCEPT): Status.PAUSED,
    (Status.PAUSED, Step.THEY_END): Status.ENDED,
    (Status.ENDED, Step.PROPOSE): Status.PROPOSED,
    (Status.ENDED, Step.THEY_ASK): Status.ASKED,
    (Status.ENDED, Step.THEY_END): Status.ENDED,
}


@pytest.mark.parametrize(("status", "step"), list(product([None, *Status], Step)))
def test_each_step_fits_or_is_refused(status: Status | None, step: Step) -> None:
    if (status, step) in FITTING:
        assert next_status(status, step) is FITTING[status, step]
        return
    with pytest.raises(Refused) as refusal:
        next_status(status, step)
    assert (refusal.value.code, refusal.value.status) == ("link_status", 409)


@pytest.mark.parametrize("own", [NORTH, NORTH + "/"])
def test_a_network_is_no_neighbour_of_itself(house: SmallHouse, own: str) -> None:
    ourselves = NeighbourFacts("northside.example", own, f"{NORTH}/actor", f"{NORTH}/ledger", f"{NORTH}/groups/board")
    with pytest.raises(Refused) as refusal, house.units.begin() as work:
        commands.propose(work, ourselves)
    assert refusal.value.code == "network_self"


def test_a_blocked_host_is_neither_asked_nor_heard(house: SmallHouse) -> None:
    with house.units.begin() as work:
        commands.restrict(work, commands.chosen(work, "Riverside.example."), Terms(Severity.BLOCK))
    for step in (commands.propose, commands.asked):
        with pytest.raises(Refused) as refusal, house.units.begin() as work:
            step(work, FACTS)
        assert refusal.value.code == "network_blocked"


def test_a_step_of_a_link_that_does_not_exist_is_refused(house: SmallHouse) -> None:
    with pytest.raises(NotFound), house.units.begin() as work:
        commands.accepted(work, "riverside.example")


def test_proposing_twice_is_refused_and_being_asked_twice_is_harmless(house: SmallHouse) -> None:
    with house.units.begin() as work:
        commands.asked(work, FACTS)
        commands.asked(work, FACTS)
    with pytest.raises(Refused), house.units.begin() as work:
        commands.propose(work, FACTS)
    with house.database.read() as connection:
        assert [found.status for found in queries.neighbours(connection)] == [Status.ASKED]


def test_only_an_accepted_link_makes_a_neighbour(house: SmallHouse) -> None:
    def neighbours() -> bool:
        with house.database.read() as connection:
            return queries.is_neighbour(connection, "riverside.example")

    with house.units.begin() as work:
        commands.propose(work, FACTS)
    assert not neighbours()
    with house.units.begin() as work:
        commands.accepted(work, "riverside.example")
    assert neighbours()
    with house.units.begin() as work:
        commands.pause(work, "Riverside.example")
    assert not neighbours()
    with house.units.begin() as work:
        commands.resume(work, "riverside.example")
    assert neighbours()
    with house.units.begin() as work:
        commands.end(work, "riverside.example")
    assert not neighbours()


def test_a_change_is_recorded_once_with_what_was_before(house: SmallHouse) -> None:
    with house.units.begin() as work:
        commands.asked(work, FACTS)
        commands.asked(work, FACTS)
        commands.accept(work, "riverside.example")
        steps = [(fact.before, fact.step) for fact in work.facts if isinstance(fact, commands.LinkChanged)]
    assert steps == [(None, Step.THEY_ASK), (Status.ASKED, Step.ACCEPT)]


def test_what_a_ledger_says_of_its_network_is_enough_to_be_asked(house: SmallHouse) -> None:
    ledger = remote_actor(
        f"{RIVER}/ledger", "Service", **{"fa:server": f"{RIVER}/actor", "fa:board": f"{RIVER}/groups/board"}
    )
    with house.units.begin() as work:
        remember(work, ledger)
        remember(work, remote_actor(f"{RIVER}/users/ben"))
        facts = queries.facts_of_ledger(work.connection, f"{RIVER}/ledger")
        assert queries.facts_of_ledger(work.connection, f"{RIVER}/users/ben") is None
        assert facts is not None
        asked = commands.asked(work, facts)
        assert queries.by_ledger(work.connection, f"{RIVER}/ledger") == asked
    assert (asked.host, asked.origin) == ("riverside.example", RIVER)


LOOPBACK, STRICT = UrlRules(loopback=True), UrlRules()


@pytest.mark.parametrize(
    ("typed", "rules", "origin"),
    [
        ("riverside.example", STRICT, RIVER),
        (" https://Riverside.example/ ", STRICT, RIVER),
        ("127.0.0.1:8002", LOOPBACK, "http://127.0.0.1:8002"),
        ("http://127.0.0.1:8002/", LOOPBACK, "http://127.0.0.1:8002"),
        ("riverside.example", LOOPBACK, RIVER),
    ],
)
def test_a_network_is_named_by_its_host_or_address(typed: str, rules: UrlRules, origin: str) -> None:
    assert str(origin_of(typed, rules)) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "riverside",
        "127.0.0.1:8002",
        "http://riverside.example",
        "riverside.example:8443",
        "10.0.0.1",
        "https://riverside.example/board",
        "ana@riverside.example",
        "riverside.example?x",
        "https://a.example#x",
    ],
)
def test_what_names_no_network_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as refusal:
        origin_of(typed, STRICT)
    assert refusal.value.code == "network_host"
