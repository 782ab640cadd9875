"""What a restore took comes back from the peer, whose copy is read; and nobody decides anew before it was read."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from activitypub.errors import MalformedDocument
from fedaid.foundation.ids import new_key
from fedaid.foundation.refused import Refused
from fedaid.timebank import commands, peering, queries, rows, sync
from fedaid.timebank.commands.carry_out import carry_out_waiting
from fedaid.timebank.commands.receive import nothing_agreed
from fedaid.timebank.facts import LedgerAlarm, WaitingStepFailed
from fedaid.timebank.resend import resend_due
from fedaid.timebank.rules import shown
from fedaid.timebank.rules.shown import Page
from fedaid.timebank.rules.states import Alarm
from tests.timebank.test_between_networks import resized, signed_anew
from tests.timebank.world import (
    ANA,
    BEN,
    EVE,
    KIM,
    LIMITS,
    NORTH,
    RIVER,
    Town,
    ask,
    assert_at_rest,
    back_up,
    claim,
    confirm,
    deliver,
    link,
    needs_sync,
    pass_time,
    refuse,
    restore,
    start_anew,
    withdraw,
)


def settled(north: Town, river: Town, minutes: int = 90) -> str:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=minutes)
    deliver(north, river)
    confirm(north, transfer, ANA)
    deliver(north, river)
    return transfer


def page_of(town: Town, other: Town, after: int = 0, **limits: int) -> Page:
    """What ``town`` shows to ``other``."""
    with town.database.read() as connection:
        return sync.page_for(connection, replace(LIMITS, **limits), town.peer(other), after)


def errand_of(town: Town, other: Town) -> sync.Errand:
    with town.work() as work:
        [errand] = sync.set_out(work, LIMITS)
    return errand


def show(town: Town, other: Town, page: Page) -> sync.Errand | None:
    """``town`` reads this page as the whole copy of the other."""
    errand = errand_of(town, other)
    with town.work() as work:
        return sync.take_page(work, LIMITS, errand, page)


def alarms(town: Town) -> list[Alarm]:
    return [told.alarm for told in town.told(LedgerAlarm)]


# what was lost comes back


def test_the_payers_network_finds_its_own_decision_again(north: Town, river: Town) -> None:
    before = back_up(north)
    transfer = settled(north, river)
    restore(north, before)
    assert (north.state(transfer), north.account(ANA).balance) == ("none", 0)
    deliver(north, river)
    assert (north.state(transfer), north.account(ANA).balance) == ("settled", -90)
    assert Alarm.RECOVERED in alarms(north)
    assert_at_rest(north, river)


def test_the_payees_network_finds_the_hours_again_and_credits_them_once(north: Town, river: Town) -> None:
    before = back_up(river)
    transfer = settled(north, river)
    restore(river, before)
    deliver(north, river)
    assert (river.state(transfer), river.account(BEN).balance) == ("credited", 90)
    assert_at_rest(north, river)


def test_what_both_have_lost_never_happened(north: Town, river: Town) -> None:
    before = back_up(north), back_up(river)
    transfer = settled(north, river)
    restore(north, before[0])
    restore(river, before[1])
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("none", "none")
    assert_at_rest(north, river)


def test_a_claim_that_its_own_network_forgot_is_reserved_again_and_asked_again(north: Town, river: Town) -> None:
    before = back_up(river)
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    restore(river, before)
    deliver(north, river)
    assert (river.state(transfer), river.clearing(north).held) == ("claimed", 90)
    pass_time(river, seconds=61)
    with river.work() as work:
        assert resend_due(work, LIMITS) == 1
    refuse(north, transfer, ANA)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")
    assert_at_rest(north, river)


def test_a_withdrawal_that_its_own_network_forgot_still_counts(north: Town, river: Town) -> None:
    before = back_up(river)
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    withdraw(river, transfer, BEN)
    offer, undo = river.outgoing()
    north.take(offer)
    start_anew(north)  # so that it does not answer yet
    north.take(undo)
    restore(river, before)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")
    assert_at_rest(north, river)


def pay(north: Town) -> str:
    with north.work() as work:
        return commands.pay(work, LIMITS, new_key(), payer=ANA, payee=BEN, minutes=30)


def test_a_payment_that_its_own_network_forgot_is_on_hold_again_and_goes_through(north: Town, river: Town) -> None:
    before = back_up(north)
    transfer = pay(north)
    [invite] = north.outgoing()
    river.take(invite)
    restore(north, before)
    river.outgoing()  # its claim is lost
    ask(north, river)
    assert north.state(transfer) == "accepted"
    deliver(north, river)
    assert river.state(transfer) == "credited"
    assert_at_rest(north, river)


def test_a_payment_that_nobody_has_any_more_when_it_is_claimed_needs_the_payer_again(north: Town, river: Town) -> None:
    before = back_up(north)
    transfer = pay(north)
    [invite] = north.outgoing()
    start_anew(river)
    river.take(invite)  # it cannot answer before it has asked
    restore(north, before)
    ask(north, river)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer), north.account(ANA).held) == ("offered", "claimed", 0)
    confirm(north, transfer, ANA)
    deliver(north, river)
    assert_at_rest(north, river)


def test_a_refusal_that_its_own_network_forgot_stands(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    before = back_up(north)
    refuse(north, transfer, ANA)
    deliver(north, river)
    restore(north, before)
    confirm(north, transfer, ANA)  # Ana sees it on her page again
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")
    assert north.account(ANA).balance == 0
    [failed] = north.told(WaitingStepFailed)
    assert (failed.step, failed.code) == ("confirm", "too_late")
    assert_at_rest(north, river)


def test_an_accept_wins_over_a_refusal_made_after_a_restore(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    before = back_up(north)
    confirm(north, transfer, ANA)
    [accept] = north.outgoing()  # it is on its way
    restore(north, before)
    ask(north, river)
    refuse(north, transfer, ANA)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")
    river.take(accept)
    assert Alarm.LATE in alarms(river)
    start_anew(north)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("settled", "credited")
    assert Alarm.CONTRADICTION in alarms(north)
    assert_at_rest(north, river)


def test_an_accept_of_the_first_offer_decides_though_the_form_was_sent_again_with_another_figure(
    north: Town, river: Town
) -> None:
    before, key = back_up(river), new_key()
    transfer = claim(river, payee=BEN, payer=ANA, minutes=60, key=key)
    deliver(north, river)
    confirm(north, transfer, ANA)
    [accept] = north.outgoing()
    restore(river, before)
    with river.work() as work:  # it asked, and northside had nothing to show
        work.connection.execute(rows.tables.peer.update().values(sync_done=rows.tables.peer.c.sync_asked))
    claim(river, payee=BEN, payer=ANA, minutes=90, key=key)
    assert river.clearing(north).held == 90
    river.take(accept)
    deliver(north, river)
    assert (river.account(BEN).balance, north.account(ANA).balance) == (60, -60)
    assert_at_rest(north, river)


def test_a_restored_network_goes_on_counting_where_it_was(north: Town, river: Town) -> None:
    before = back_up(north)
    settled(north, river)
    said = north.peer(river).out_seq
    restore(north, before)
    deliver(north, river)
    assert north.peer(river).out_seq == said


# what the numbers in messages show


def test_a_message_that_has_seen_more_than_we_remember_makes_us_ask(north: Town, river: Town) -> None:
    before = back_up(north)
    settled(north, river)
    restore(north, before)
    ask(north, river)
    restore(north, before)
    with north.work() as work:  # a restore under a process that went on running
        work.connection.execute(rows.tables.peer.update().values(sync_done=rows.tables.peer.c.sync_asked))
    claim(river, payee=BEN, payer=ANA, minutes=10)
    north.take(river.outgoing()[-1])
    assert Alarm.FORGOTTEN in alarms(north)
    assert needs_sync(north, river)
    with north.database.read() as connection:
        assert Alarm.FORGOTTEN in [one.alarm for one in queries.alarms(connection)]


def test_an_alarm_is_shown_once_until_somebody_has_looked(north: Town, river: Town) -> None:
    offer = claim(river, payee=BEN, payer=ANA, minutes=10)
    [document] = river.outgoing()
    north.take(document)
    for minutes in (20, 30):
        north.take(signed_anew(river, resized(document, minutes)))
    with north.database.read() as connection:
        shown_alarms = queries.alarms(connection)
    assert [(one.alarm, one.transfer_id) for one in shown_alarms if one.alarm is Alarm.EQUIVOCATION] == [
        (Alarm.EQUIVOCATION, offer)
    ]


# until it has asked


def test_local_hours_never_wait(north: Town, river: Town) -> None:
    start_anew(north)
    with north.work() as work:
        commands.give(work, new_key(), payer=ANA, payee=KIM, minutes=30)
    assert north.account(KIM).balance == 30


def test_a_confirmation_waits_and_is_shown_as_queued(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    start_anew(north)
    confirm(north, transfer, ANA)
    confirm(north, transfer, ANA)
    assert (north.state(transfer), north.outgoing()) == ("offered", [])
    with north.database.read() as connection:
        [waiting] = queries.waiting_for(connection, ANA)
        assert queries.waits_for(connection, transfer) == "riverside.example"
    assert waiting.state_in_words == "queued until riverside.example answers"
    ask(north, river)
    assert north.state(transfer) == "accepted"
    deliver(north, river)
    assert_at_rest(north, river)


def test_what_was_pressed_last_counts(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    start_anew(north)
    confirm(north, transfer, ANA)
    refuse(north, transfer, ANA)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")


def test_a_claim_waits_once_however_often_it_is_sent(north: Town, river: Town) -> None:
    start_anew(river)
    key = new_key()
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90, key=key, note="two bags")
    assert claim(river, payee=BEN, payer=ANA, minutes=90, key=key, note="two bags") == transfer
    assert (river.state(transfer), river.outgoing()) == ("none", [])
    with river.database.read() as connection:
        [queued] = queries.under_way(connection, BEN)
    assert (queued.id, queued.minutes, queued.note, queued.can_withdraw) == (transfer, 90, "two bags", True)
    assert queued.state_in_words == "queued until northside.example answers"
    ask(river, north)
    assert river.state(transfer) == "claimed"
    [offer] = river.outgoing()
    assert "fa:noteDigest" in offer


def test_a_claim_that_waits_can_be_taken_back(north: Town, river: Town) -> None:
    start_anew(river)
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    withdraw(river, transfer, BEN)
    ask(river, north)
    assert (river.state(transfer), river.outgoing()) == ("none", [])


def test_nobody_takes_back_what_another_claimed(north: Town, river: Town) -> None:
    start_anew(river)
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    with pytest.raises(Refused):
        withdraw(river, transfer, EVE)
    ask(river, north)
    assert river.state(transfer) == "claimed"


def test_a_payment_waits(north: Town, river: Town) -> None:
    start_anew(north)
    transfer = pay(north)
    assert north.account(ANA).held == 0
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("settled", "credited")


def test_a_letter_that_asks_for_a_decision_waits_once_and_is_answered_afterwards(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    withdraw(river, transfer, BEN)
    [undo] = river.outgoing()
    start_anew(north)
    north.take(undo)
    north.take(undo)
    assert (north.state(transfer), north.outgoing()) == ("offered", [])
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")


def test_a_claim_does_not_expire_before_we_have_asked(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    pass_time(north, days=15)
    start_anew(north)
    with north.work() as work:
        resend_due(work, LIMITS)
    assert north.state(transfer) == "offered"
    ask(north, river)
    with north.work() as work:
        resend_due(work, LIMITS)
    assert north.state(transfer) == "rejected"


def test_a_pause_turns_down_what_is_undecided_once_we_have_asked(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    start_anew(north)
    with north.work() as work:
        peering.pause(work, river.names.ledger, LIMITS)
    assert north.state(transfer) == "offered"
    ask(north, river)
    with north.work() as work:
        resend_due(work, LIMITS)
    assert north.state(transfer) == "rejected"


def test_hours_that_were_decided_arrive_though_we_have_not_asked_yet(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=90)
    deliver(north, river)
    confirm(north, transfer, ANA)
    start_anew(river)
    [accept] = north.outgoing()
    river.take(accept)
    assert river.state(transfer) == "credited"
    assert [letter["type"] for letter in river.outgoing()] == ["Create"]


def test_only_so_much_waits_for_one_network(north: Town, river: Town) -> None:
    start_anew(river)
    few = replace(LIMITS, waiting_steps_max=2)
    for expected in (None, None, "too_many_queued"):
        try:
            with river.work() as work:
                commands.claim(work, few, new_key(), payee=BEN, payer=ANA, minutes=10)
            refused = None
        except Refused as refusal:
            refused = refusal.code
        assert refused == expected


def test_what_is_asked_for_while_a_copy_is_being_read_is_not_answered_by_it(north: Town, river: Town) -> None:
    start_anew(north)
    errand = errand_of(north, river)
    start_anew(north)
    with north.work() as work:
        assert sync.take_page(work, LIMITS, errand, page_of(river, north)) is None
    assert needs_sync(north, river)


def test_a_peer_that_does_not_answer_is_asked_again_later_and_later(north: Town, river: Town) -> None:
    start_anew(north)
    asked = 0
    for _ in range(60):
        with north.work() as work:
            asked += len(sync.set_out(work, LIMITS))
        pass_time(north, seconds=30)
    assert 5 <= asked <= 11
    assert needs_sync(north, river)


def test_after_a_day_a_copy_is_read_again_though_nothing_seems_to_be_missing(north: Town, river: Town) -> None:
    ask(north, river)
    with north.work() as work:
        assert sync.set_out(work, LIMITS) == []
    pass_time(north, days=1, seconds=1)
    assert errand_of(north, river)


# pages


def test_all_messages_of_both_signers_are_shown_with_their_number_and_sum(north: Town, river: Town) -> None:
    settled(north, river)
    ours, theirs = page_of(north, river), page_of(river, north)
    assert (ours.total, ours.xor) == (theirs.total, theirs.xor) == (3, north.peer(river).messages_xor)
    assert {item["actor"] for item in ours.items} == {f"{NORTH}/ledger", f"{RIVER}/ledger"}
    assert ours.next is None


@pytest.mark.parametrize("limits", [{"sync_page_messages_max": 2}, {"sync_page_bytes_max": 10_000}])
def test_many_messages_come_in_pages_and_are_read_to_the_end(north: Town, river: Town, limits: dict[str, int]) -> None:
    before = back_up(north)
    transfers = [settled(north, river, minutes) for minutes in (10, 20, 30)]
    restore(north, before)
    assert page_of(river, north, **limits).next is not None
    ask(north, river, replace(LIMITS, **limits))
    assert [north.state(one) for one in transfers] == ["settled"] * 3
    assert north.peer(river).messages == river.peer(north).messages == 9


def test_the_next_time_only_what_is_new_is_read(north: Town, river: Town) -> None:
    small = replace(LIMITS, sync_page_messages_max=2)
    for minutes in (10, 20, 30):
        settled(north, river, minutes)
    start_anew(north)
    with north.work() as work:
        work.connection.execute(rows.tables.peer.update().values(messages=0))  # as if nothing were known
    ask(north, river, small)
    assert errand_after(north, river).after > 0


def errand_after(town: Town, other: Town) -> sync.Errand:
    start_anew(town)
    return errand_of(town, other)


def test_where_the_beginning_differs_all_is_read_again(north: Town, river: Town) -> None:
    before = back_up(north)
    settled(north, river)
    restore(north, before)
    with north.work() as work:  # it had read up to here once; the restore took the rest of what it knew
        work.connection.execute(rows.tables.peer.update().values(sync_after=99, sync_whole=False))
    ask(north, river)
    assert north.peer(river).messages == 3
    assert_at_rest(north, river)


COLLECTION = shown.collection_of(f"{RIVER}/ledger", "northside.example")


def document(**changes: Any) -> dict[str, Any]:
    written = shown.write_page(COLLECTION, 5, Page(({"id": "a"},), 9, 64 * "0", 8))
    return written | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Collection"},
        {"orderedItems": "all"},
        {"orderedItems": ["https://riverside.example/ledger/1"]},
        {"orderedItems": [{}] * 201},
        {"totalItems": -1},
        {"fa:xor": None},
        {"next": "https://evil.example/facts?after=9"},
        {"next": f"{COLLECTION}?after=5"},
        {"next": f"{COLLECTION}?after=4"},
        {"next": f"{COLLECTION}?after=x"},
        {"next": f"{COLLECTION}?after={'9' * 30}"},
        {"orderedItems": []},
    ],
    ids=str,
)
def test_a_page_that_is_none_or_never_ends_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        shown.read_page(document(**changes), COLLECTION, 5, 200)


def test_a_page_is_read_as_it_was_written() -> None:
    assert shown.read_page(document(), COLLECTION, 5, 200) == Page(({"id": "a"},), 9, 64 * "0", 8)


# a peer that lies


def test_forged_and_foreign_messages_are_left_and_the_rest_is_taken(north: Town, river: Town) -> None:
    before = back_up(north)
    transfer = settled(north, river)
    honest = page_of(river, north)
    restore(north, before)
    [offer, accept, _] = honest.items
    forged = copy.deepcopy(dict(accept))
    forged["fa:minutes"] = 900
    ours_by_them = signed_anew(river, dict(accept))  # our Accept, signed by the wrong ledger
    junk: list[dict[str, Any]] = [forged, ours_by_them, {"id": "nothing"}, {**offer, "to": [f"{NORTH}/users/ana"]}]
    page = Page((*junk, *honest.items), 7, 64 * "1", None)
    assert show(north, river, page) is None
    assert north.state(transfer) == "settled"
    assert north.account(ANA).balance == -90
    assert Alarm.JUNK in alarms(north)
    assert north.findings() == ()


def test_a_peer_that_hides_its_messages_changes_nothing(north: Town, river: Town) -> None:
    settled(north, river)
    start_anew(north)
    show(north, river, Page((), 0, 64 * "0", None))
    assert north.account(ANA).balance == -90
    assert north.findings() == ()


def test_only_so_many_messages_are_taken_from_one_network_in_a_day(north: Town, river: Town) -> None:
    few = replace(LIMITS, messages_per_day_max=2)
    transfers = [claim(river, payee=BEN, payer=ANA, minutes=10) for _ in range(3)]
    offers = river.outgoing()
    for offer in offers[:2]:
        with north.work() as work:
            commands.receive(work, few, river.names.ledger, offer)
    with pytest.raises(Refused) as refusal, north.work() as work:
        commands.receive(work, few, river.names.ledger, offers[2])
    assert refusal.value.code == "too_many_messages"
    with north.work() as work:
        commands.receive(work, few, river.names.ledger, offers[0])  # known already
    pass_time(north, days=1)
    with north.work() as work:
        commands.receive(work, few, river.names.ledger, offers[2])
    assert [north.state(one) for one in transfers] == ["offered"] * 3


def test_what_waited_is_carried_out_in_the_order_in_which_it_came(north: Town, river: Town) -> None:
    transfers = [claim(river, payee=BEN, payer=ANA, minutes=10) for _ in range(3)]
    deliver(north, river)
    start_anew(north)
    for transfer in reversed(transfers):
        confirm(north, transfer, ANA)
    with north.work() as work:
        assert carry_out_waiting(work, LIMITS, nothing_agreed) == 0
    ask(north, river)
    accepted = [letter["fa:transfer"] for letter in north.outgoing()]
    assert accepted == list(reversed(transfers))


def test_a_link_made_anew_asks_for_what_was_common_before(north: Town, river: Town) -> None:
    with north.work() as work:
        peering.end(work, river.names.ledger, LIMITS)
    deliver(north, river)
    link(north, river)
    transfer = settled(north, river)
    assert river.state(transfer) == "credited"
