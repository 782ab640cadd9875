"""Hours between two networks: claimed, confirmed, credited and receipted, whatever the post does to the letters."""

import copy
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from activitypub.errors import MalformedDocument, SignatureRefused
from activitypub.keys import SigningKey, generate_ed25519
from activitypub.signatures.proofs import add_proof
from fedaid.actors import queries as actor_queries
from fedaid.foundation.ids import new_key
from fedaid.foundation.refused import NotFound, Refused
from fedaid.timebank import commands, peering, queries, rows
from fedaid.timebank.facts import (
    HoursClaimed,
    HoursConfirmed,
    HoursCredited,
    HoursRefused,
    LedgerAlarm,
)
from fedaid.timebank.resend import resend_due
from fedaid.timebank.rules.states import Alarm
from outbox.tables import activity
from tests.timebank.world import (
    ANA,
    BEN,
    EVE,
    KIM,
    LIMITS,
    LINE_MINUTES,
    NORTH,
    RIVER,
    Town,
    ask,
    assert_at_rest,
    claim,
    confirm,
    deliver,
    needs_sync,
    pass_time,
    peer_facts,
    refuse,
    withdraw,
)

LISTING, AGREEMENT = f"{NORTH}/listings/7", f"{NORTH}/agreements/9"


def claimed(river: Town, minutes: int = 90, **more: Any) -> str:
    """Ben says he gave Ana hours; the letter has not left yet."""
    return claim(river, payee=BEN, payer=ANA, minutes=minutes, **more)


def test_hours_go_from_the_one_who_was_helped_to_the_one_who_helped(north: Town, river: Town) -> None:
    transfer = claimed(river, proposal=LISTING, engagement=AGREEMENT)
    deliver(north, river)
    assert north.state(transfer) == "offered"
    assert river.clearing(north).held == 90
    confirm(north, transfer, ANA, engagement=AGREEMENT)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("settled", "credited")
    assert (north.account(ANA).balance, river.account(BEN).balance) == (-90, 90)
    assert (north.clearing(river).balance, river.clearing(north).balance) == (90, -90)
    assert_at_rest(north, river)


def test_everybody_concerned_is_told(north: Town, river: Town) -> None:
    transfer = claimed(river, proposal=LISTING, engagement=AGREEMENT)
    deliver(north, river)
    [asked] = north.told(HoursClaimed)
    assert (asked.hours.transfer_id, asked.hours.payer, asked.hours.payee) == (transfer, ANA, BEN)
    assert (asked.hours.minutes, asked.hours.proposal, asked.hours.engagement) == (90, LISTING, None)
    confirm(north, transfer, ANA, engagement=AGREEMENT)
    deliver(north, river)
    [confirmed] = north.told(HoursConfirmed)
    [credited] = river.told(HoursCredited)
    assert confirmed.hours.engagement == credited.hours.engagement == AGREEMENT


def test_pages_show_what_waits_and_what_moved(north: Town, river: Town) -> None:
    transfer = claimed(river, note="two bags up the stairs")
    deliver(north, river)
    with north.database.read() as connection:
        [waiting] = queries.waiting_for(connection, ANA, north.names.host)
        assert queries.waiting_for(connection, KIM) == []
    assert (waiting.id, waiting.minutes, waiting.other.uri, waiting.given) == (transfer, 90, BEN, False)
    with river.database.read() as connection:
        [under_way] = queries.under_way(connection, BEN)
    assert (under_way.note, under_way.can_withdraw) == ("two bags up the stairs", True)
    confirm(north, transfer, ANA)
    deliver(north, river)
    with river.database.read() as connection:
        statement = queries.statement(connection, BEN, river.names.host)
        assert queries.under_way(connection, BEN) == []
    assert (statement.given_minutes, statement.received_minutes, statement.balance_minutes) == (90, 0, 90)
    assert [(line.signed_minutes, line.other.uri) for line in statement.lines] == [(90, ANA)]


def test_a_note_stays_at_home_and_only_its_salted_digest_travels(north: Town, river: Town) -> None:
    claimed(river, note="she was very ill")
    [offer] = river.outgoing()
    assert "very ill" not in str(offer)
    assert offer["fa:noteDigest"].startswith("sha256:")


def test_claiming_twice_with_the_same_key_claims_once(north: Town, river: Town) -> None:
    key = new_key()
    assert claimed(river, key=key) == claimed(river, key=key)
    assert len(river.outgoing()) == 1
    assert river.clearing(north).held == 90


@pytest.mark.attack("S56")
def test_confirming_twice_moves_the_hours_once(north: Town, river: Town) -> None:
    transfer = claimed(river)
    deliver(north, river)
    confirm(north, transfer, ANA)
    confirm(north, transfer, ANA)
    deliver(north, river)
    assert north.account(ANA).balance == -90


@pytest.mark.attack("S56")
def test_an_agreement_is_settled_once(north: Town, river: Town) -> None:
    claimed(river, engagement=AGREEMENT)
    with pytest.raises(Refused) as refusal:
        claimed(river, engagement=AGREEMENT)
    assert refusal.value.code == "engagement_settled"


def test_after_a_refusal_the_hours_of_an_agreement_can_be_claimed_anew(north: Town, river: Town) -> None:
    first = claimed(river, engagement=AGREEMENT)
    deliver(north, river)
    refuse(north, first, ANA)
    deliver(north, river)
    second = claimed(river, engagement=AGREEMENT)
    deliver(north, river)
    assert (river.state(first), river.state(second)) == ("void", "claimed")


def test_a_refused_claim_frees_the_line_and_moves_nothing(north: Town, river: Town) -> None:
    transfer = claimed(river)
    deliver(north, river)
    refuse(north, transfer, ANA)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")
    [told] = river.told(HoursRefused)
    assert told.reason == "refused"
    assert_at_rest(north, river)


def test_a_claim_can_be_taken_back_until_it_is_confirmed(north: Town, river: Town) -> None:
    transfer = claimed(river)
    deliver(north, river)
    withdraw(river, transfer, BEN)
    assert river.clearing(north).held == 90  # only a request
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")
    with pytest.raises(Refused, match="refused or withdrawn"):
        confirm(north, transfer, ANA)


def test_a_confirmation_that_crosses_a_withdrawal_wins(north: Town, river: Town) -> None:
    transfer = claimed(river)
    deliver(north, river)
    withdraw(river, transfer, BEN)
    confirm(north, transfer, ANA)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("settled", "credited")
    assert_at_rest(north, river)


def test_a_withdrawal_that_overtakes_its_claim_is_remembered(north: Town, river: Town) -> None:
    transfer = claimed(river)
    withdraw(river, transfer, BEN)
    offer, undo = river.outgoing()
    north.take(undo)
    north.take(offer)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")
    assert_at_rest(north, river)


def test_a_claim_that_nobody_confirms_expires_by_the_payers_clock_only(north: Town, river: Town) -> None:
    transfer = claimed(river)
    deliver(north, river)
    pass_time(river, days=15)
    with river.work() as work:
        resend_due(work, LIMITS)
    assert river.state(transfer) == "claimed"
    pass_time(north, days=15)
    with north.work() as work:
        resend_due(work, LIMITS)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")
    assert river.told(HoursRefused)[0].reason == "expired"


def test_a_payment_is_on_hold_until_the_other_network_claims_it(north: Town, river: Town) -> None:
    with north.work() as work:
        transfer = commands.pay(work, LIMITS, new_key(), payer=ANA, payee=BEN, minutes=30)
    assert north.account(ANA).held == 30
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("settled", "credited")
    assert (north.account(ANA).balance, north.account(ANA).held, river.account(BEN).balance) == (-30, 0, 30)
    assert_at_rest(north, river)


def test_a_payment_to_nobody_comes_back(north: Town, river: Town) -> None:
    with north.work() as work:
        transfer = commands.pay(work, LIMITS, new_key(), payer=ANA, payee=f"{RIVER}/users/nobody", minutes=30)
    deliver(north, river)
    assert (north.state(transfer), north.account(ANA).held) == ("rejected", 0)
    assert_at_rest(north, river)


def test_a_payment_can_be_taken_back_before_it_arrives(north: Town, river: Town) -> None:
    with north.work() as work:
        transfer = commands.pay(work, LIMITS, new_key(), payer=ANA, payee=BEN, minutes=30)
    withdraw(north, transfer, ANA)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("rejected", "void")
    assert_at_rest(north, river)


# letters that are lost, repeated, reordered


def test_a_lost_offer_is_sent_again_until_it_is_answered(north: Town, river: Town) -> None:
    transfer = claimed(river)
    river.outgoing()  # lost
    pass_time(river, seconds=61)
    with river.work() as work:
        assert resend_due(work, LIMITS) == 1
        assert resend_due(work, LIMITS) == 0  # the next try comes later
    north.take(river.everything_sent()[-1])
    assert north.state(transfer) == "offered"


def test_what_was_answered_is_not_sent_again(north: Town, river: Town) -> None:
    transfer = claimed(river)
    deliver(north, river)
    confirm(north, transfer, ANA)
    deliver(north, river)
    pass_time(north, river, days=1)
    for town in (north, river):
        with town.work() as work:
            assert resend_due(work, LIMITS) == 0


def test_a_repeated_claim_is_answered_with_what_was_decided(north: Town, river: Town) -> None:
    transfer = claimed(river)
    [offer] = river.outgoing()
    north.take(offer)
    confirm(north, transfer, ANA)
    [accept] = north.outgoing()  # lost
    north.take(offer)
    assert fanned_out_again(north, accept["id"])
    river.take(accept)
    deliver(north, river)
    assert (north.state(transfer), river.state(transfer)) == ("settled", "credited")


def fanned_out_again(town: Town, activity_id: str) -> bool:
    with town.database.read() as connection:
        return not connection.execute(
            select(activity.c.fanned_out).where(activity.c.activity_id == activity_id)
        ).scalar_one()


@pytest.mark.attack("S56")
@pytest.mark.parametrize("times", [2, 5])
def test_every_letter_may_come_any_number_of_times(north: Town, river: Town, times: int) -> None:
    transfer = claimed(river)
    for town, post, act in (
        (north, river, lambda: confirm(north, transfer, ANA)),
        (river, north, lambda: None),
        (north, river, lambda: None),
    ):
        for letter in post.outgoing():
            for _ in range(times):
                town.take(letter)
        act()
    deliver(north, river)
    assert (north.account(ANA).balance, river.account(BEN).balance) == (-90, 90)
    assert_at_rest(north, river)


@pytest.mark.parametrize("seed", range(6))
def test_any_order_repetition_and_loss_ends_in_agreement(north: Town, river: Town, seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    chance = random.Random(seed)
    transfers = [claimed(river, 30), claim(north, payee=KIM, payer=EVE, minutes=45), claimed(river, 60)]
    with north.work() as work:
        transfers.append(commands.pay(work, LIMITS, new_key(), payer=ANA, payee=BEN, minutes=15))
    steps: list[Callable[[], object]] = [
        lambda: confirm(north, transfers[0], ANA),
        lambda: confirm(river, transfers[1], EVE),
        lambda: refuse(north, transfers[2], ANA),
        lambda: withdraw(river, transfers[0], BEN),
        lambda: withdraw(river, transfers[2], BEN),
    ]
    for _ in range(25):
        try_quietly(chance.choice(steps))
        post, town = chance.choice([(north, river), (river, north)])
        letters = post.everything_sent()[1:]  # the handshake is over
        if letters:
            try_quietly(lambda: town.take(chance.choice(letters)))  # noqa: B023 - called at once
    for step in (steps[1], steps[2]):
        settle(north, river)
        try_quietly(step)
    settle(north, river)
    pairs = {(north.state(one), river.state(one)) for one in transfers}
    finished = {("settled", "credited"), ("rejected", "void"), ("rejected", "none"), ("none", "void")}
    assert pairs <= finished | {(after, before) for before, after in finished} | {("offered", "claimed")}
    if ("offered", "claimed") not in pairs:
        assert_at_rest(north, river)
    assert north.findings() == river.findings() == ()


def try_quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except (Refused, NotFound):
        return


def settle(north: Town, river: Town) -> None:
    """Both send all they ever sent until nothing changes any more."""
    before = (-1, -1)
    while before != (now := (len(north.everything_sent()), len(river.everything_sent()))):
        before = now
        for post, town in ((north, river), (river, north)):
            for letter in post.everything_sent():
                if "fa:transfer" in letter:
                    town.take(letter)
            if needs_sync(town, post):
                ask(town, post)


# what is refused


def offer_of(river: Town, **more: Any) -> dict[str, Any]:
    claimed(river, **more)
    return river.outgoing()[-1]


def key_of(town: Town) -> SigningKey:
    with town.database.read() as connection:
        return actor_queries.ed25519_key(connection, town.names.ledger)


def signed_anew(town: Town, document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document with changes, signed by the town's own true key: a peer that lies."""
    bare = {name: value for name, value in (document | changes).items() if name != "proof"}
    return add_proof(bare, key_of(town), town.clock.now())


def resized(document: dict[str, Any], minutes: int) -> dict[str, Any]:
    """The document moving other minutes, consistently."""
    changed = copy.deepcopy(document)
    changed["fa:minutes"] = minutes
    parts = [changed["object"]] if isinstance(changed["object"], dict) else []
    parts += [changed[name] for name in ("result",) if name in changed]
    for part in parts:
        for name in ("stipulates", "stipulatesReciprocal"):
            if name in part:
                part[name]["resourceQuantity"]["hasNumericalValue"] = str(minutes)
        if "resourceQuantity" in part:
            part["resourceQuantity"]["hasNumericalValue"] = str(minutes)
    return changed


@pytest.mark.attack("S56")
def test_a_message_of_a_network_that_never_agreed_is_refused(strangers: tuple[Town, Town], towns: object) -> None:
    north, river = strangers
    offer = offer_of(river)
    forged = {**offer, "actor": "https://eve.example/ledger", "id": offer["id"].replace(RIVER, "https://eve.example")}
    forged["fa:transfer"] = offer["fa:transfer"].replace(RIVER, "https://eve.example")
    key = SigningKey("https://eve.example/ledger#key-1", "https://eve.example/ledger", generate_ed25519())
    bare = {name: value for name, value in forged.items() if name != "proof"}
    with pytest.raises(Refused) as refusal:
        north.take(add_proof(bare, key, north.clock.now()))
    assert refusal.value.code == "unknown_peer"


@pytest.mark.attack("S56")
def test_a_message_that_another_brings_is_refused(north: Town, river: Town) -> None:
    with pytest.raises(Refused) as refusal:
        north.take(offer_of(river), sender="https://eve.example/ledger")
    assert refusal.value.code == "unknown_peer"


@pytest.mark.attack("S56")
def test_a_message_signed_with_another_key_is_refused(north: Town, river: Town) -> None:
    offer = offer_of(river)
    key = SigningKey(f"{RIVER}/ledger#key-1", f"{RIVER}/ledger", generate_ed25519())
    bare = {name: value for name, value in offer.items() if name != "proof"}
    with pytest.raises(SignatureRefused):
        north.take(add_proof(bare, key, north.clock.now()))
    assert north.state(offer["fa:transfer"]) == "none"


@pytest.mark.attack("S56")
def test_a_message_without_a_proof_is_refused(north: Town, river: Town) -> None:
    offer = {name: value for name, value in offer_of(river).items() if name != "proof"}
    with pytest.raises(SignatureRefused):
        north.take(offer)


@pytest.mark.attack("S56")
def test_a_message_changed_on_the_way_is_refused(north: Town, river: Town) -> None:
    with pytest.raises(SignatureRefused):
        north.take(resized(offer_of(river), 900))


@pytest.mark.attack("S56")
def test_minutes_that_contradict_each_other_are_refused(north: Town, river: Town) -> None:
    with pytest.raises(MalformedDocument):
        north.take(signed_anew(river, offer_of(river), **{"fa:minutes": 91}))


def test_more_than_the_agreed_size_is_answered_with_a_rejection(north: Town, river: Town) -> None:
    offer = offer_of(river)
    north.take(signed_anew(river, resized(offer, 481)))
    [reject] = north.outgoing()
    assert (reject["type"], reject["fa:reason"]) == ("Reject", "too_much")
    assert north.account(ANA).balance == 0


def test_a_claim_against_somebody_who_does_not_live_here_is_answered_with_a_rejection(north: Town, river: Town) -> None:
    claim(river, payee=BEN, payer=f"{NORTH}/users/nobody", minutes=10)
    deliver(north, river)
    assert river.told(HoursRefused)[0].reason == "unknown_member"
    assert_at_rest(north, river)


def test_a_claim_for_somebody_of_a_third_network_is_answered_with_a_rejection(north: Town, river: Town) -> None:
    offer = copy.deepcopy(offer_of(river))
    for name, role in (("stipulates", "provider"), ("stipulatesReciprocal", "receiver")):
        offer["object"][name][role] = "https://third.example/users/zoe"
    north.take(signed_anew(river, offer))
    assert north.outgoing()[0]["fa:reason"] == "foreign_party"


def test_a_claim_under_terms_that_nobody_agreed_on_is_answered_with_a_rejection(north: Town, river: Town) -> None:
    offer = copy.deepcopy(offer_of(river))
    offer["fa:channel"]["fa:terms"] = "sha256:" + 64 * "a"
    north.take(signed_anew(river, offer))
    assert north.outgoing()[0]["fa:reason"] == "unknown_terms"


def test_a_claim_larger_than_one_transfer_may_be_is_refused_at_home(river: Town) -> None:
    with pytest.raises(Refused) as refusal:
        claimed(river, 481)
    assert refusal.value.code == "minutes"


def test_a_claim_beyond_the_line_is_refused_at_home(north: Town, river: Town) -> None:
    for _ in range(2):
        claimed(river, 480)
    with pytest.raises(Refused) as refusal:
        claimed(river, LINE_MINUTES - 2 * 480 + 1)
    assert refusal.value.code == "over_line"
    claimed(river, LINE_MINUTES - 2 * 480)


def test_nobody_confirms_below_their_own_limit(north: Town, river: Town) -> None:
    for _ in range(2):
        with north.work() as work:
            commands.give(work, new_key(), payer=ANA, payee=KIM, minutes=720)
    transfer = claimed(river, 61)
    deliver(north, river)
    with pytest.raises(Refused) as refusal:
        confirm(north, transfer, ANA)
    assert refusal.value.code == "over_limit"
    assert north.state(transfer) == "offered"


@pytest.mark.attack("S56")
def test_a_second_different_offer_of_one_transfer_is_kept_as_evidence_and_does_not_count(
    north: Town, river: Town
) -> None:
    offer = offer_of(river)
    north.take(offer)
    north.take(signed_anew(river, resized(offer, 450)))
    assert Alarm.EQUIVOCATION in [one.alarm for one in north.told(LedgerAlarm)]
    with north.database.read() as connection:
        facts = rows.facts_about(connection, north.peer(river).id, offer["fa:transfer"])
    assert [(fact.kind.value, fact.counts) for fact in facts] == [("offer", True), ("offer", False)]


def test_whoever_says_two_things_of_one_transfer_is_not_dealt_with_until_humans_have_looked(
    north: Town, river: Town
) -> None:
    offer = offer_of(river)
    north.take(offer)
    north.take(signed_anew(river, resized(offer, 450)))
    assert north.peer(river).status.value == "suspended"
    ask(north, river)
    with north.work() as work:
        resend_due(work, LIMITS)
    assert north.state(offer["fa:transfer"]) == "rejected"


def test_a_second_offer_that_says_the_same_shows_only_that_they_had_forgotten_the_first(
    north: Town, river: Town
) -> None:
    offer = offer_of(river)
    north.take(offer)
    north.take(signed_anew(river, offer, published="2026-09-01T09:00:01Z"))
    assert Alarm.REPEATED in [one.alarm for one in north.told(LedgerAlarm)]
    assert north.peer(river).status.value == "active"
    ask(north, river)
    confirm(north, offer["fa:transfer"], ANA)
    assert north.account(ANA).balance == -90


def accepted(north: Town, river: Town) -> dict[str, Any]:
    transfer = claimed(river)
    north.take(river.outgoing()[-1])
    confirm(north, transfer, ANA)
    return north.outgoing()[-1]


@pytest.mark.attack("S56")
def test_an_accept_whose_offer_was_changed_is_refused(north: Town, river: Town) -> None:
    accept = accepted(north, river)
    changed = resized(accept, 480)
    changed["fa:offer"] = resized(accept["fa:offer"], 480)
    with pytest.raises(SignatureRefused):
        river.take(signed_anew(north, changed))
    assert river.account(BEN).balance == 0


def test_an_accept_whose_offer_the_peer_signed_itself_is_refused(north: Town, river: Town) -> None:
    accept = accepted(north, river)
    changed = resized(accept, 480)
    changed["fa:offer"] = signed_anew(north, resized(accept["fa:offer"], 480))
    with pytest.raises(SignatureRefused):
        river.take(signed_anew(north, changed))


@pytest.mark.attack("S56")
def test_an_accept_of_more_minutes_than_were_offered_is_refused(north: Town, river: Town) -> None:
    with pytest.raises(MalformedDocument):
        river.take(signed_anew(north, resized(accepted(north, river), 480)))


@pytest.mark.attack("S56")
def test_the_claimant_cannot_accept_its_own_offer(north: Town, river: Town) -> None:
    accept = accepted(north, river)
    own = {"actor": f"{RIVER}/ledger", "to": [f"{NORTH}/ledger"], "id": accept["id"].replace(NORTH, RIVER)}
    with pytest.raises(MalformedDocument):
        north.take(signed_anew(river, {**accept, **own}))


def test_a_receipt_for_an_accept_we_do_not_know_settles_nothing_and_makes_us_ask(north: Town, river: Town) -> None:
    accept = accepted(north, river)
    river.take(accept)
    receipt = river.outgoing()[-1]
    north.take(signed_anew(river, receipt, **{"fa:accept": "sha256:" + 64 * "0"}))
    assert north.state(receipt["fa:transfer"]) == "accepted"
    assert needs_sync(north, river)


def test_a_message_over_32_kib_is_refused(north: Town, river: Town) -> None:
    with pytest.raises(MalformedDocument):
        north.take({**offer_of(river), "fa:extra": "x" * 40_000})


def test_a_letter_that_is_not_for_the_ledger_is_left_to_others(north: Town, river: Town) -> None:
    offer = {**offer_of(river), "to": [f"{NORTH}/users/ana"]}
    assert not north.take(offer)


def test_only_the_payer_confirms_or_refuses_and_only_the_payee_withdraws(north: Town, river: Town) -> None:
    transfer = claimed(river)
    deliver(north, river)
    for act in (
        lambda: confirm(north, transfer, KIM),
        lambda: refuse(north, transfer, KIM),
        lambda: withdraw(river, transfer, EVE),
        lambda: confirm(river, transfer, BEN),
    ):
        with pytest.raises(NotFound):
            act()


# links that rest or end, and databases that forget


def test_a_paused_link_refuses_what_is_undecided_and_takes_nothing_new(north: Town, river: Town) -> None:
    old = claimed(river)
    deliver(north, river)
    with north.work() as work:
        peering.pause(work, river.names.ledger, LIMITS)
    deliver(north, river)
    assert (north.state(old), river.state(old)) == ("rejected", "void")
    claimed(river)
    deliver(north, river)
    assert [told.reason for told in river.told(HoursRefused)] == ["suspended", "suspended"]
    with pytest.raises(Refused):
        claim(north, payee=ANA, payer=BEN, minutes=10)


def test_a_paused_link_still_settles_what_was_confirmed(north: Town, river: Town) -> None:
    accept = accepted(north, river)
    for town, other in ((north, river), (river, north)):
        with town.work() as work:
            peering.pause(work, other.names.ledger, LIMITS)
    river.take(accept)
    deliver(north, river)
    assert (north.account(ANA).balance, river.account(BEN).balance) == (-90, 90)
    assert_at_rest(north, river)


def test_an_ended_link_is_closed_once_it_is_even(north: Town, river: Town) -> None:
    transfer = claimed(river)
    deliver(north, river)
    confirm(north, transfer, ANA)
    deliver(north, river)
    with north.work() as work:
        peering.end(work, river.names.ledger, LIMITS)
    deliver(north, river)
    assert {north.peer(river).status, river.peer(north).status} == {"closing"}


def test_numbers_that_are_missing_or_given_twice_ask_for_a_sync(north: Town, river: Town) -> None:
    claimed(river)
    claimed(river)
    first, second = river.outgoing()
    north.take(second)
    assert north.peer(river).needs_sync
    rewound = copy.deepcopy(second)
    rewound["fa:transfer"] = first["fa:transfer"]
    rewound["id"] = first["id"]
    north.take(signed_anew(river, rewound))
    assert Alarm.REWOUND in [one.alarm for one in north.told(LedgerAlarm)]


def test_a_payees_network_that_forgot_its_offer_credits_from_the_accept(north: Town, river: Town) -> None:
    transfer = claimed(river)
    [offer] = river.outgoing()
    north.take(offer)
    confirm(north, transfer, ANA)
    [accept] = north.outgoing()
    forget_claims(river)
    river.take(accept)
    assert (river.state(transfer), river.account(BEN).balance) == ("credited", 90)
    assert Alarm.RECOVERED in [one.alarm for one in river.told(LedgerAlarm)]
    deliver(north, river)
    assert north.state(transfer) == "settled"


def forget_claims(town: Town) -> None:
    """As if an older backup had been restored: no claim ever happened."""
    lift = "DROP TRIGGER fact_no_delete" if town.database.is_sqlite else "ALTER TABLE fact DISABLE TRIGGER ALL"
    forgotten = (
        "DELETE FROM resend",
        "DELETE FROM fact",
        "DELETE FROM transfer",
        "UPDATE account SET held = 0",
        "UPDATE ledger_head SET facts = 0",
    )
    with town.database.write() as connection:
        for statement in (lift, *forgotten):
            connection.exec_driver_sql(statement)


def test_terms_stay_known_when_a_link_is_agreed_anew(north: Town, river: Town) -> None:
    transfer = claimed(river)
    [offer] = river.outgoing()
    with north.work() as work:
        peering.end(work, river.names.ledger, LIMITS)
    deliver(north, river)
    with north.work() as work:
        peering.propose(work, peer_facts(north, river), LIMITS, line_minutes=600)
    deliver(north, river)
    with river.work() as work:
        peering.accept(work, north.names.ledger, LIMITS, line_minutes=300)
    deliver(north, river)
    assert (river.peer(north).line, river.peer(north).line_granted) == (300, 600)
    north.take(offer)
    confirm(north, transfer, ANA)
    deliver(north, river)
    assert (north.account(ANA).balance, river.account(BEN).balance) == (-90, 90)
    assert_at_rest(north, river)


def test_the_offers_end_is_two_weeks_away(river: Town, north: Town) -> None:
    offer = offer_of(river)
    ends = river.clock.now() + timedelta(days=LIMITS.offer_lifetime_days)
    assert offer["endTime"] == ends.strftime("%Y-%m-%dT%H:%M:%SZ")
