"""Linking two timebanks: both admins agree, keys are pinned, and nobody can link, answer or end for another."""

import copy

import pytest

from activitypub.errors import MalformedDocument, SignatureRefused
from activitypub.keys import SigningKey, generate_ed25519
from activitypub.signatures.proofs import add_proof
from fedaid.foundation.refused import NotFound, Refused
from fedaid.timebank import peering, queries
from fedaid.timebank.facts import PeeringActivated, PeeringAsked, PeeringEnded
from fedaid.timebank.limits import TimebankLimits
from tests.timebank.test_between_networks import signed_anew
from tests.timebank.world import ANA, BEN, LIMITS, Town, claim, deliver, link, meet, peer_facts

Towns = tuple[Town, Town]


def propose(town: Town, other: Town, line_minutes: int = 1_200) -> None:
    meet(town, other)
    meet(other, town)
    with town.work() as work:
        peering.propose(work, peer_facts(town, other), LIMITS, line_minutes=line_minutes)


def accept(town: Town, other: Town, line_minutes: int = 600) -> None:
    with town.work() as work:
        peering.accept(work, other.names.ledger, LIMITS, line_minutes=line_minutes)


def end(town: Town, other: Town) -> None:
    with town.work() as work:
        peering.end(work, other.names.ledger, LIMITS)


def statuses(towns: Towns) -> tuple[str, str]:
    return towns[0].peer(towns[1]).status.value, towns[1].peer(towns[0]).status.value


def test_a_link_is_proposed_asked_and_accepted(strangers: Towns) -> None:
    north, river = strangers
    propose(north, river)
    assert north.peer(river).status.value == "proposed"
    deliver(north, river)
    assert statuses(strangers) == ("proposed", "asked")
    [asked] = river.told(PeeringAsked)
    assert (asked.host, asked.ledger_actor, asked.line_minutes) == (north.names.host, north.names.ledger, 1_200)
    accept(river, north)
    deliver(north, river)
    assert statuses(strangers) == ("active", "active")
    assert [told.by_us for told in river.told(PeeringActivated)] == [True]
    assert [told.by_us for told in north.told(PeeringActivated)] == [False]


def test_both_quote_the_same_terms_and_each_keeps_the_line_it_grants(strangers: Towns) -> None:
    north, river = strangers
    propose(north, river, 1_200)
    deliver(north, river)
    accept(river, north, 600)
    deliver(north, river)
    ours, theirs = north.peer(river), river.peer(north)
    assert ours.terms_digest == theirs.terms_digest is not None
    assert (ours.line, ours.line_granted, theirs.line, theirs.line_granted) == (1_200, 600, 600, 1_200)
    assert (north.clearing(river).floor, river.clearing(north).floor) == (-1_200, -600)
    with north.database.read() as connection:
        shown = queries.peer_by_actor(connection, river.names.ledger)
    assert shown
    assert (shown.balance, shown.line_minutes, shown.their_line_minutes) == (0, 1_200, 600)


def test_the_smaller_size_of_a_transfer_counts_on_both_sides(strangers: Towns) -> None:
    north, river = strangers
    propose(north, river)
    deliver(north, river)
    with river.work() as work:
        small = TimebankLimits(max_transfer_minutes=120)
        peering.accept(work, north.names.ledger, small, line_minutes=600)
    deliver(north, river)
    assert north.peer(river).max_transfer == river.peer(north).max_transfer == 120


def test_proposing_and_accepting_again_is_refused(strangers: Towns) -> None:
    north, river = strangers
    link(north, river)
    with pytest.raises(Refused) as refusal:
        propose(north, river)
    assert refusal.value.code == "peer_exists"
    with pytest.raises(Refused) as refusal:
        accept(river, north)
    assert refusal.value.code == "peer_not_asking"


def test_nobody_is_accepted_who_did_not_ask(strangers: Towns) -> None:
    with pytest.raises(NotFound):
        accept(strangers[0], strangers[1])


def test_both_may_propose_at_once(strangers: Towns) -> None:
    north, river = strangers
    propose(north, river)
    propose(river, north)
    deliver(north, river)
    assert statuses(strangers) == ("asked", "asked")
    accept(north, river)
    deliver(north, river)
    assert statuses(strangers) == ("active", "active")
    claim(river, payee=BEN, payer=ANA, minutes=10)
    deliver(north, river)
    assert river.state(claim(river, payee=BEN, payer=ANA, minutes=10)) == "claimed"


def test_both_may_accept_at_once(strangers: Towns) -> None:
    north, river = strangers
    propose(north, river)
    propose(river, north)
    deliver(north, river)
    accept(north, river)
    accept(river, north)
    deliver(north, river)
    assert statuses(strangers) == ("active", "active")
    transfer = claim(river, payee=BEN, payer=ANA, minutes=10)
    deliver(north, river)
    assert north.state(transfer) == "offered"


def test_a_proposal_can_be_declined_and_made_anew(strangers: Towns) -> None:
    north, river = strangers
    propose(north, river)
    deliver(north, river)
    end(river, north)
    deliver(north, river)
    assert statuses(strangers) == ("closed", "closed")
    assert [told.by_us for told in north.told(PeeringEnded)] == [False]
    propose(north, river)
    deliver(north, river)
    accept(river, north)
    deliver(north, river)
    assert statuses(strangers) == ("active", "active")


def test_a_proposal_can_be_taken_back(strangers: Towns) -> None:
    north, river = strangers
    propose(north, river)
    deliver(north, river)
    end(north, river)
    deliver(north, river)
    assert statuses(strangers) == ("closed", "closed")
    with pytest.raises(Refused):
        accept(river, north)


@pytest.mark.parametrize("who", [0, 1], ids=["the one who proposed", "the one who accepted"])
def test_either_side_can_end_a_link(strangers: Towns, who: int) -> None:
    link(*strangers)
    end(strangers[who], strangers[1 - who])
    deliver(*strangers)
    assert statuses(strangers) == ("closed", "closed")


def test_an_old_goodbye_does_not_end_a_link_that_was_made_anew(strangers: Towns) -> None:
    north, river = strangers
    link(north, river)
    end(river, north)
    [goodbye] = river.outgoing()
    north.take(goodbye)
    link(north, river)
    north.take(goodbye)
    assert statuses(strangers) == ("active", "active")


def test_a_link_pauses_and_resumes(strangers: Towns) -> None:
    north, river = strangers
    link(north, river)
    with north.work() as work:
        peering.pause(work, river.names.ledger, LIMITS)
    assert statuses(strangers) == ("suspended", "active")
    with north.work() as work:
        peering.resume(work, river.names.ledger)
    assert statuses(strangers) == ("active", "active")
    with pytest.raises(Refused) as refusal, north.work() as work:
        peering.resume(work, river.names.ledger)
    assert refusal.value.code == "peer_status"


# what is refused


def proposal(strangers: Towns) -> dict[str, object]:
    propose(*strangers)
    return strangers[0].outgoing()[-1]


def test_a_key_that_the_ledger_does_not_show_is_refused(strangers: Towns) -> None:
    north, river = strangers
    document = copy.deepcopy(proposal(strangers))
    other = peer_facts(north, river).key
    document["object"]["fa:key"]["publicKeyMultibase"] = other.multibase  # type: ignore[index]
    with pytest.raises(Refused) as refusal:
        river.take(signed_anew(north, document))
    assert refusal.value.code == "ledger_key"


def test_a_proposal_that_its_key_did_not_sign_is_refused(strangers: Towns) -> None:
    north, river = strangers
    document = proposal(strangers)
    bare = {name: value for name, value in document.items() if name != "proof"}
    key = SigningKey(f"{north.names.ledger}#key-1", north.names.ledger, generate_ed25519())
    with pytest.raises(SignatureRefused):
        river.take(add_proof(bare, key, north.clock.now()))


def test_a_proposal_brought_by_another_is_refused(strangers: Towns) -> None:
    _, river = strangers
    with pytest.raises(Refused) as refusal:
        river.take(proposal(strangers), sender="https://eve.example/ledger")
    assert refusal.value.code == "not_for_us"


def test_a_line_beyond_measure_is_refused(strangers: Towns) -> None:
    with pytest.raises(Refused) as refusal:
        propose(*strangers, line_minutes=600_001)
    assert refusal.value.code == "line"


def test_an_answer_to_another_proposal_than_ours_is_refused(strangers: Towns) -> None:
    north, river = strangers
    propose(north, river, 1_200)
    deliver(north, river)
    accept(river, north)
    [answer] = river.outgoing()
    richer = copy.deepcopy(answer)
    richer["fa:offer"]["object"]["fa:creditLine"] = 60_000
    with pytest.raises(SignatureRefused):
        north.take(signed_anew(river, richer))
    assert north.peer(river).status.value == "proposed"
    with pytest.raises(MalformedDocument):
        north.take(signed_anew(river, {**answer, "object": "https://northside.example/ledger/peerings/1/offer"}))


def test_an_answer_comes_too_late_once_the_proposal_was_taken_back(strangers: Towns) -> None:
    north, river = strangers
    propose(north, river)
    deliver(north, river)
    accept(river, north)
    [answer] = river.outgoing()
    end(north, river)
    with pytest.raises(Refused) as refusal:
        north.take(answer)
    assert refusal.value.code == "not_proposed"


def test_a_repeated_proposal_or_answer_changes_nothing(strangers: Towns) -> None:
    north, river = strangers
    asked = proposal(strangers)
    river.take(asked)
    river.take(asked)
    accept(river, north)
    [answer] = river.outgoing()
    north.take(answer)
    north.take(answer)
    assert len(river.told(PeeringAsked)) == len(north.told(PeeringActivated)) == 1


def test_while_linked_a_new_proposal_changes_neither_key_nor_line(strangers: Towns) -> None:
    north, river = strangers
    link(north, river)
    before = river.peer(north)
    document = copy.deepcopy(north.everything_sent()[0])
    document["object"]["fa:creditLine"] = 9
    with pytest.raises(Refused) as refusal:
        river.take(signed_anew(north, document))
    assert refusal.value.code == "peer_exists"
    assert river.peer(north) == before
