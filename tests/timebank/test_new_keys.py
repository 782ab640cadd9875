"""A ledger changes its key: peers are told in the old key's name, and what the old one signed stays signed."""

import pytest

from activitypub.errors import MalformedDocument, SignatureRefused
from fedaid.actors import queries as actors
from fedaid.foundation.refused import Refused
from fedaid.timebank import commands, peering
from fedaid.timebank.facts import LedgerAlarm
from fedaid.timebank.rules.states import Alarm
from tests.timebank.test_between_networks import key_of, signed_anew
from tests.timebank.test_sync import settled
from tests.timebank.world import (
    ANA,
    BEN,
    LIMITS,
    Town,
    assert_at_rest,
    back_up,
    claim,
    confirm,
    deliver,
    link,
    meet,
    restore,
)


def renew(town: Town) -> None:
    with town.work() as work:
        commands.renew_key(work, LIMITS)


def test_hours_go_on_under_the_new_key(north: Town, river: Town) -> None:
    settled(north, river)
    renew(north)
    deliver(north, river)
    assert river.peer(north).key.id == f"{north.names.ledger}#key-2"
    transfer = settled(north, river, 30)
    assert (north.state(transfer), river.state(transfer)) == ("settled", "credited")
    assert_at_rest(north, river)


def test_our_ledger_shows_its_new_key(north: Town, river: Town) -> None:
    old = key_of(north)
    renew(north)
    assert key_of(north).key_id == f"{north.names.ledger}#key-2"
    assert key_of(north).private_key != old.private_key
    with north.database.read() as connection:
        assert actors.own_keys(connection, north.names.ledger).main.key_id.endswith("#main-key")


def test_messages_of_the_old_key_are_still_taken(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=30)
    [offer] = river.outgoing()
    renew(river)
    deliver(north, river)
    north.take(offer)
    confirm(north, transfer, ANA)
    deliver(north, river)
    assert river.state(transfer) == "credited"
    assert_at_rest(north, river)


def test_a_message_of_the_new_key_that_comes_first_is_refused_and_comes_again(north: Town, river: Town) -> None:
    renew(north)
    transfer = claim(north, payee=ANA, payer=BEN, minutes=30)
    announced, offer = north.outgoing()
    with pytest.raises(SignatureRefused):
        river.take(offer)
    river.take(announced)
    river.take(offer)
    assert river.state(transfer) == "offered"


def test_nobody_else_announces_a_key(north: Town, river: Town) -> None:
    renew(north)
    [announced] = north.outgoing()
    with pytest.raises(SignatureRefused):
        river.take(signed_anew(north, announced))  # the new key vouches for itself


@pytest.mark.parametrize("key", ["https://evil.example/ledger#key-2", "https://northside.example/ledger#main-key"])
def test_a_key_of_another_name_is_refused(north: Town, river: Town, key: str) -> None:
    old = back_up(north)
    renew(north)
    [announced] = north.outgoing()
    restore(north, old)
    announced["object"]["id"] = key
    with pytest.raises(MalformedDocument):
        river.take(signed_anew(north, announced))


def test_a_peer_that_forgot_the_new_key_is_shown_it_again(north: Town, river: Town) -> None:
    before = back_up(river)
    renew(north)
    deliver(north, river)
    transfer = settled(north, river)
    restore(river, before)
    deliver(north, river)
    assert river.peer(north).key.id == f"{north.names.ledger}#key-2"
    assert river.state(transfer) == "credited"
    assert_at_rest(north, river)


def test_a_ledger_that_lost_its_new_key_goes_on_with_the_old_one_and_tells_the_admin(north: Town, river: Town) -> None:
    before = back_up(north)
    renew(north)
    deliver(north, river)
    first = settled(north, river)
    restore(north, before)
    deliver(north, river)
    assert Alarm.KEY_LOST in [told.alarm for told in north.told(LedgerAlarm)]
    assert north.state(first) == "settled"  # what the lost key signed we signed
    second = settled(north, river, 30)
    assert (north.state(second), river.state(second)) == ("settled", "credited")
    renew(north)
    deliver(north, river)
    assert river.peer(north).key.id == f"{north.names.ledger}#key-3"
    assert_at_rest(north, river)


def test_a_lost_key_needs_the_handshake_again(north: Town, river: Town) -> None:
    settled(north, river)
    with north.work() as work:  # it was not told to anybody
        from fedaid.actors import commands as actor_commands

        actor_commands.use_ed25519(work, north.names.ledger, actor_commands.make_ed25519(north.names.ledger, 2))
        peering.end(work, river.names.ledger, LIMITS)
    [farewell] = north.outgoing()
    with pytest.raises(SignatureRefused):
        river.take(farewell)
    with river.work() as work:
        peering.end(work, north.names.ledger, LIMITS)
    river.outgoing()
    meet(river, north)
    link(north, river)
    deliver(north, river)
    assert river.peer(north).key.id == f"{north.names.ledger}#key-2"
    transfer = settled(north, river, 30)
    assert (north.state(transfer), river.state(transfer)) == ("settled", "credited")


def test_while_linked_a_proposal_with_another_key_changes_nothing(north: Town, river: Town) -> None:
    before = river.peer(north)
    proposal = next(letter for letter in north.everything_sent() if letter["type"] == "Offer")
    renew(north)
    meet(river, north)
    with pytest.raises(Refused):
        river.take(signed_anew(north, proposal))
    assert river.peer(north) == before
