"""An Accept that comes after a claim was given up: credited while the line allows it, else for an admin to decide."""

from typing import Any

import pytest

from fedaid.foundation.refused import NotFound
from fedaid.timebank import commands
from fedaid.timebank.facts import HoursCredited, LedgerAlarm
from fedaid.timebank.rules import messages
from fedaid.timebank.rules.reading import read
from fedaid.timebank.rules.states import Alarm
from tests.timebank.test_between_networks import signed_anew
from tests.timebank.world import ANA, BEN, LIMITS, Town, claim, deliver, refuse


def refused_then_accepted(north: Town, river: Town, minutes: int = 480) -> dict[str, Any]:
    """Northside refuses, is restored from a backup, forgets that, and accepts: the Accept, not delivered yet."""
    transfer = claim(river, payee=BEN, payer=ANA, minutes=minutes)
    [offer] = river.outgoing()
    north.take(offer)
    refuse(north, transfer, ANA)
    deliver(north, river)
    found, peer = read(offer), north.peer(river)
    channel = messages.Channel(peer.terms_digest or "", 9, "sha256:" + 64 * "0", 1, found.digest)
    envelope = messages.Envelope(north.names.ledger, river.names.ledger, north.clock.now(), transfer, channel)
    assert found.deal
    return signed_anew(north, dict(messages.accept(envelope, found.deal, offer)))


def alarms(town: Town) -> list[Alarm]:
    return [told.alarm for told in town.told(LedgerAlarm)]


def test_within_the_line_it_is_credited_and_the_admin_is_told(north: Town, river: Town) -> None:
    accept = refused_then_accepted(north, river)
    assert river.state(accept["fa:transfer"]) == "void"
    river.take(accept)
    assert (river.state(accept["fa:transfer"]), river.account(BEN).balance) == ("credited", 480)
    assert Alarm.LATE in alarms(river)
    assert [letter["type"] for letter in river.outgoing()] == ["Create"]
    assert river.findings() == ()


def test_beyond_the_line_it_waits_for_the_admin(north: Town, river: Town) -> None:
    accept = refused_then_accepted(north, river)
    for _ in range(3):
        claim(river, payee=BEN, payer=ANA, minutes=400)
    river.take(accept)
    assert (river.state(accept["fa:transfer"]), river.account(BEN).balance) == ("disputed", 0)
    assert Alarm.DISPUTED in alarms(river)
    river.take(accept)  # again, which changes nothing
    assert river.findings() == ()
    with river.work() as work:
        commands.take_late(work, LIMITS, accept["fa:transfer"])
    assert (river.state(accept["fa:transfer"]), river.account(BEN).balance) == ("credited", 480)
    assert len(river.told(HoursCredited)) == 1
    assert river.findings() == ()


def test_an_agreement_claimed_anew_meanwhile_keeps_its_second_claim(north: Town, river: Town) -> None:
    agreement = f"{north.names.origin}/agreements/1"
    transfer = claim(river, payee=BEN, payer=ANA, minutes=30, engagement=agreement)
    [offer] = river.outgoing()
    north.take(offer)
    refuse(north, transfer, ANA)
    deliver(north, river)
    claim(river, payee=BEN, payer=ANA, minutes=20, engagement=agreement)
    found, peer = read(offer), north.peer(river)
    channel = messages.Channel(peer.terms_digest or "", 9, "sha256:" + 64 * "0", 1, found.digest)
    envelope = messages.Envelope(north.names.ledger, river.names.ledger, north.clock.now(), transfer, channel)
    assert found.deal
    river.take(signed_anew(north, dict(messages.accept(envelope, found.deal, offer))))
    assert river.account(BEN).balance == 30  # what was decided is decided
    assert river.told(HoursCredited)[0].hours.engagement is None


def test_only_a_claim_of_ours_can_be_taken_late(north: Town, river: Town) -> None:
    transfer = claim(river, payee=BEN, payer=ANA, minutes=30)
    deliver(north, river)
    with pytest.raises(NotFound), north.work() as work:
        commands.take_late(work, LIMITS, transfer)
    with river.work() as work:
        commands.take_late(work, LIMITS, transfer)  # nothing is late about it
    assert river.state(transfer) == "claimed"
