"""A neighbour that is gone for good, one that comes back, and how much all neighbours together may owe."""

from dataclasses import replace

import pytest

from fedaid.foundation.ids import new_key
from fedaid.foundation.refused import NotFound, Refused
from fedaid.timebank import commands, peering, rows
from fedaid.timebank.facts import LedgerAlarm
from fedaid.timebank.resend import resend_due
from fedaid.timebank.rules.states import Alarm
from tests.timebank.test_sync import settled
from tests.timebank.world import (
    ANA,
    BEN,
    EVE,
    KIM,
    LIMITS,
    NORTH,
    RIVER,
    Town,
    assert_at_rest,
    claim,
    confirm,
    deliver,
    start_anew,
)


def lose(town: Town, other: Town) -> None:
    with town.work() as work:
        peering.declare_lost(work, other.names.ledger, LIMITS)


def write_off(town: Town, other: Town) -> list[str]:
    with town.work() as work:
        return peering.write_off(work, other.names.ledger)


def chest(town: Town) -> rows.Account:
    with town.database.read() as connection:
        found = rows.chest(connection)
    assert found
    return found


def test_claims_of_a_lost_network_are_given_up_and_free_its_line(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    lose(river, north)
    assert (river.state(transfer), river.clearing(north).held) == ("abandoned", 0)
    assert river.findings() == ()


def test_what_a_lost_network_claims_of_us_is_refused_and_payments_to_it_come_back(north: Town, river: Town) -> None:
    claimed = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    with north.work() as work:
        paid = commands.pay(work, LIMITS, new_key(), payer=ANA, payee=BEN, minutes=30)
    start_anew(north)  # and it never answers
    lose(north, river)
    assert (north.state(claimed), north.state(paid), north.account(ANA).held) == ("rejected", "rejected", 0)


@pytest.mark.parametrize(
    "we_owe", [True, False], ids=["what we owed goes to the chest", "what they owed the chest loses"]
)
def test_the_account_is_written_off_against_the_chest(north: Town, river: Town, we_owe: bool) -> None:
    settled(north, river)
    town, other = (north, river) if we_owe else (river, north)
    lose(town, other)
    assert len(write_off(town, other)) == 1
    assert (town.clearing(other).balance, chest(town).balance) == (0, 90 if we_owe else -90)
    assert write_off(town, other) == []
    assert town.findings() == ()


def test_only_with_a_network_that_is_gone_can_an_account_be_written_off(north: Town, river: Town) -> None:
    settled(north, river)
    with pytest.raises(Refused) as refusal:
        write_off(north, river)
    assert refusal.value.code == "peer_status"


def test_a_network_that_leaves_is_closed_once_its_account_is_written_off(north: Town, river: Town) -> None:
    settled(north, river)
    with north.work() as work:
        peering.end(work, river.names.ledger, LIMITS)
    assert north.peer(river).status.value == "closing"
    write_off(north, river)
    assert north.peer(river).status.value == "closed"


def test_what_a_lost_network_had_decided_still_counts_when_it_comes_back(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    confirm(north, transfer, ANA)
    [accept] = north.outgoing()
    lose(river, north)
    write_off(river, north)
    river.take(accept)
    assert (river.state(transfer), river.account(BEN).balance) == ("credited", 90)
    assert Alarm.LATE in [told.alarm for told in river.told(LedgerAlarm)]
    with river.work() as work:
        peering.found_again(work, north.names.ledger)
    deliver(north, river)
    assert river.peer(north).status.value == "active"
    assert_at_rest(north, river)


def test_a_write_off_can_be_undone_once(north: Town, river: Town) -> None:
    settled(north, river)
    lose(river, north)
    [transfer] = write_off(river, north)
    with river.work() as work:
        peering.found_again(work, north.names.ledger)
        peering.undo_write_off(work, transfer)
    assert (river.clearing(north).balance, chest(river).balance) == (-90, 0)
    with pytest.raises(Refused), river.work() as work:
        peering.undo_write_off(work, transfer)
    deliver(north, river)
    assert_at_rest(north, river)


def test_only_a_write_off_can_be_undone_so(north: Town, river: Town) -> None:
    transfer = settled(north, river)
    with north.work() as work:
        local = commands.give(work, new_key(), payer=ANA, payee=KIM, minutes=5)
    for one in (transfer, local, "unknown"):
        with pytest.raises(NotFound), north.work() as work:
            peering.undo_write_off(work, one)


def test_a_link_that_was_never_made_cannot_be_lost(strangers: tuple[Town, Town]) -> None:
    with pytest.raises(NotFound):
        lose(*strangers)


def test_a_lost_network_is_not_lost_again_and_one_that_is_there_not_found(north: Town, river: Town) -> None:
    lose(north, river)
    with pytest.raises(Refused):
        lose(north, river)
    with pytest.raises(Refused), river.work() as work:
        peering.found_again(work, north.names.ledger)


# caps over all neighbours


def test_all_neighbours_together_owe_us_no_more_than_they_may(north: Town, river: Town) -> None:
    few = replace(LIMITS, owed_to_us_minutes_max=100)
    with river.work() as work:
        commands.claim(work, few, new_key(), payee=BEN, payer=ANA, minutes=60)
    with pytest.raises(Refused) as refusal, river.work() as work:
        commands.claim(work, few, new_key(), payee=BEN, payer=ANA, minutes=60)
    assert refusal.value.code == "over_line"


def test_we_owe_all_neighbours_together_no_more_than_we_may(north: Town, river: Town) -> None:
    few = replace(LIMITS, owed_by_us_minutes_max=100)
    transfers = [claim(river, payee=BEN, payer=ANA, minutes=60) for _ in range(2)]
    deliver(north, river)
    with north.work() as work:
        commands.confirm(work, few, transfers[0], ANA)
    for act in (
        lambda work: commands.confirm(work, few, transfers[1], ANA),
        lambda work: commands.pay(work, few, new_key(), payer=ANA, payee=BEN, minutes=60),
    ):
        with pytest.raises(Refused) as refusal, north.work() as work:
            act(work)
        assert refusal.value.code == "over_cap"
    assert north.state(transfers[1]) == "offered"


def test_payments_on_their_way_count_as_owed(north: Town, river: Town) -> None:
    few = replace(LIMITS, owed_by_us_minutes_max=100)
    with north.work() as work:
        commands.pay(work, few, new_key(), payer=ANA, payee=BEN, minutes=60)
    with pytest.raises(Refused), north.work() as work:
        commands.pay(work, few, new_key(), payer=ANA, payee=BEN, minutes=60)


def test_what_is_owed_the_other_way_makes_room(north: Town, river: Town) -> None:
    few = replace(LIMITS, owed_to_us_minutes_max=100)
    settled(north, river, 80)  # northside owes us 80
    transfer = claim(north, payee=KIM, payer=EVE, minutes=50)
    deliver(north, river)
    confirm(river, transfer, EVE)
    deliver(north, river)
    with river.work() as work:
        commands.claim(work, few, new_key(), payee=BEN, payer=ANA, minutes=60)


# leavers


def leave(town: Town, actor: str) -> None:
    with town.work() as work:
        commands.leave(work, LIMITS, actor)


def test_what_a_leaver_has_goes_to_the_chest(north: Town, river: Town) -> None:
    settled(north, river)
    leave(river, BEN)
    leave(river, BEN)
    assert (river.account(BEN).status.value, river.account(BEN).balance, chest(river).balance) == ("closed", 0, 90)
    leave(north, ANA)
    assert (north.account(ANA).balance, chest(north).balance) == (0, -90)
    assert_at_rest(north, river)


def test_a_leaver_is_paid_what_is_still_decided(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    leave(river, BEN)
    assert river.account(BEN).status.value == "frozen"
    confirm(north, transfer, ANA)
    deliver(north, river)
    assert river.state(transfer) == "credited"
    with river.work() as work:
        resend_due(work, LIMITS)
    assert (river.account(BEN).status.value, chest(river).balance) == ("closed", 90)
    assert_at_rest(north, river)


def test_a_leaver_confirms_and_gives_nothing_more(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    leave(north, ANA)
    with pytest.raises(Refused):
        confirm(north, transfer, ANA)
    with pytest.raises(Refused), north.work() as work:
        commands.give(work, new_key(), payer=ANA, payee=KIM, minutes=5)


def test_an_accept_that_comes_after_all_was_closed_still_finds_the_account(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    confirm(north, transfer, ANA)
    [accept] = north.outgoing()
    lose(river, north)
    leave(river, BEN)
    assert river.account(BEN).status.value == "closed"
    river.take(accept)
    assert (river.account(BEN).balance, river.account(BEN).status.value) == (90, "frozen")
    with river.work() as work:
        resend_due(work, LIMITS)
    assert (river.account(BEN).balance, chest(river).balance) == (0, 90)
    assert river.findings() == ()


def test_claims_between_members_here_end_when_one_of_them_leaves(north: Town) -> None:
    transfer = claim(north, payee=KIM, payer=ANA, minutes=10)
    leave(north, ANA)
    assert north.state(transfer) == "withdrawn"


def test_somebody_without_an_account_leaves_without_a_trace(north: Town) -> None:
    leave(north, f"{NORTH}/users/nobody")


# what a member wants done without being asked


def switch(town: Town, actor: str, **switches: bool) -> None:
    with town.work() as work:
        commands.set_switches(work, town.account(actor).id, **switches)


def test_who_takes_no_payments_from_neighbours_gets_none(north: Town, river: Town) -> None:
    switch(river, BEN, takes_payments=False)
    with north.work() as work:
        transfer = commands.pay(work, LIMITS, new_key(), payer=ANA, payee=BEN, minutes=30)
    deliver(north, river)
    assert (north.state(transfer), north.account(ANA).held, river.account(BEN).balance) == ("rejected", 0, 0)
    switch(river, BEN, takes_payments=True)
    with north.work() as work:
        again = commands.pay(work, LIMITS, new_key(), payer=ANA, payee=BEN, minutes=30)
    deliver(north, river)
    assert river.state(again) == "credited"


AGREEMENT = f"{RIVER}/agreements/9"


def take_agreed(town: Town, other: Town, agreed_minutes: int | None) -> None:
    """Deliver the other's claims to a town whose board knows of this agreement."""

    def find(_connection: object, _deal: object) -> commands.Agreed | None:
        return None if agreed_minutes is None else commands.Agreed(AGREEMENT, agreed_minutes)

    for letter in other.outgoing():
        with town.work() as work:
            commands.receive(work, LIMITS, other.names.ledger, letter, find)


@pytest.mark.parametrize(
    ("switched", "agreed", "state"),
    [
        (True, 90, "accepted"),
        (True, 60, "accepted"),
        (True, 59, "offered"),
        (True, None, "offered"),
        (False, 90, "offered"),
    ],
)
def test_who_wants_it_has_claims_confirmed_up_to_what_was_agreed(
    north: Town, river: Town, switched: bool, agreed: int | None, state: str
) -> None:
    if switched:
        switch(north, ANA, confirms_agreed=True)
    transfer = claim(river, payee=BEN, payer=ANA, minutes=60)
    take_agreed(north, river, agreed)
    assert north.state(transfer) == state
    assert north.account(ANA).balance == (-60 if state == "accepted" else 0)


def test_what_was_agreed_is_confirmed_once(north: Town, river: Town) -> None:
    switch(north, ANA, confirms_agreed=True)
    transfers = []
    for _ in range(2):
        transfers.append(claim(river, payee=BEN, payer=ANA, minutes=60))
        take_agreed(north, river, 60)
    assert [north.state(one) for one in transfers] == ["accepted", "offered"]


def test_what_was_agreed_is_not_confirmed_beyond_the_gentle_limit(north: Town, river: Town) -> None:
    switch(north, ANA, confirms_agreed=True)
    with north.work() as work:
        commands.set_floor(work, north.account(ANA).id, -30)
    transfer = claim(river, payee=BEN, payer=ANA, minutes=60)
    take_agreed(north, river, 60)
    assert north.state(transfer) == "offered"
