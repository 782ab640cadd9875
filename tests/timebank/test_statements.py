"""Two ledgers state what was settled between them: one proposes, the other checks each line and countersigns."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from activitypub.errors import MalformedDocument
from fedaid.foundation.refused import Refused
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import statements
from fedaid.timebank.commands.channel import document_of
from fedaid.timebank.facts import LedgerAlarm
from fedaid.timebank.resend import resend_due, state_due
from fedaid.timebank.rules.papers import StatementMessage, read_paper
from fedaid.timebank.rules.states import Alarm
from tests.timebank.test_between_networks import fanned_out_again, signed_anew
from tests.timebank.test_sync import settled
from tests.timebank.world import (
    ANA,
    BEN,
    EVE,
    KIM,
    LIMITS,
    Town,
    ask,
    assert_at_rest,
    back_up,
    claim,
    confirm,
    deliver,
    pass_time,
    restore,
)


def state(town: Town, other: Town, **limits: int) -> StatementMessage | None:
    with town.work() as work:
        return statements.make_due(work, replace(LIMITS, **limits), town.peer(other).id)


def agreed(town: Town, other: Town) -> statements.Standing:
    with town.database.read() as connection:
        return statements.standing(connection, town.peer(other).id)


def the_other_way(north: Town, river: Town, minutes: int) -> str:
    transfer = claim(north, payee=KIM, payer=EVE, minutes=minutes)
    deliver(north, river)
    confirm(river, transfer, EVE)
    deliver(north, river)
    return transfer


def alarms(town: Town) -> list[Alarm]:
    return [told.alarm for told in town.told(LedgerAlarm)]


def test_what_was_settled_is_stated_and_countersigned(north: Town, river: Town) -> None:
    transfer = settled(north, river)
    message = state(north, river)
    assert message
    statement = message.statement
    assert (statement.number, statement.opening, statement.closing) == (1, 0, 90)
    assert (statement.debtor, statement.creditor) == (north.names.ledger, river.names.ledger)
    assert [(line.transfer, line.minutes) for line in statement.lines] == [(transfer, 90)]
    deliver(north, river)
    assert agreed(north, river).we_owe == 90
    assert agreed(river, north) == replace(agreed(north, river), we_owe=-90)
    assert_at_rest(north, river)


def test_the_next_one_begins_where_the_last_one_ended(north: Town, river: Town) -> None:
    settled(north, river)
    state(north, river)
    deliver(north, river)
    the_other_way(north, river, 240)
    message = state(north, river)
    assert message
    assert (message.statement.opening, message.statement.closing) == (-90, 150)  # now they owe us
    assert (message.statement.debtor, message.statement.lines[0].minutes) == (river.names.ledger, 240)
    deliver(north, river)
    assert (agreed(north, river).we_owe, agreed(river, north).we_owe) == (-150, 150)
    assert agreed(north, river).number == 2


def test_each_transfer_stands_on_one_statement(north: Town, river: Town) -> None:
    settled(north, river)
    state(north, river)
    deliver(north, river)
    assert state(north, river) is None
    with north.database.read() as connection:
        assert statements.unstated(connection, north.peer(river), 9) == []


def test_only_one_side_proposes(north: Town, river: Town) -> None:
    settled(north, river)
    assert state(river, north) is None


def test_a_statement_names_what_is_on_its_way_and_what_is_undecided(north: Town, river: Town) -> None:
    settled(north, river)
    undecided = claim(river, payee=BEN, payer=ANA, minutes=10)
    under_way = claim(river, payee=BEN, payer=ANA, minutes=20)
    deliver(north, river)
    confirm(north, under_way, ANA)
    message = state(north, river)
    assert message
    assert (message.statement.in_flight, message.statement.undecided) == ((under_way,), (undecided,))


def test_many_transfers_are_stated_one_statement_after_the_other(north: Town, river: Town) -> None:
    for minutes in (10, 20, 30):
        settled(north, river, minutes)
        pass_time(north, river, seconds=1)
    for expected in (30, 60):
        state(north, river, statement_lines_max=2)
        deliver(north, river)
        assert agreed(north, river).we_owe == expected


def test_it_is_sent_again_until_it_is_answered_and_no_other_is_made_meanwhile(north: Town, river: Town) -> None:
    settled(north, river)
    state(north, river)
    [statement] = north.outgoing()  # lost
    with north.work() as work:
        assert statements.make_due(work, LIMITS, north.peer(river).id, now=True) is None
    pass_time(north, seconds=61)
    with north.work() as work:
        assert resend_due(work, LIMITS) == 1
    assert fanned_out_again(north, statement["id"])
    river.take(statement)
    deliver(north, river)
    assert agreed(north, river).number == agreed(river, north).number == 1


def test_a_repeated_statement_is_answered_again(north: Town, river: Town) -> None:
    settled(north, river)
    message = state(north, river)
    assert message
    deliver(north, river)
    before = river.peer(north).out_seq
    river.take(message.document)
    assert river.peer(north).out_seq == before
    assert agreed(north, river).number == 1


def test_statements_are_made_by_the_clock(north: Town, river: Town) -> None:
    with north.work() as work:
        assert state_due(work, LIMITS) == 0  # nothing to state
    settled(north, river)
    with north.work() as work:
        assert state_due(work, LIMITS) == 0  # looked already today
    pass_time(north, days=1)
    with north.work() as work:
        assert state_due(work, LIMITS) == 1


def test_a_receipt_that_is_still_on_its_way_makes_no_difference(north: Town, river: Town) -> None:
    transfer = claim(north, payee=KIM, payer=EVE, minutes=30)
    deliver(north, river)
    confirm(river, transfer, EVE)
    [accept] = river.outgoing()
    north.take(accept)
    [receipt] = north.outgoing()
    message = state(north, river)
    assert message
    river.take(message.document)
    assert river.outgoing() == []  # it looks first whether it is it that lacks something
    deliver(north, river)
    assert agreed(river, north).we_owe == 30
    assert receipt["type"] == "Create"
    assert Alarm.DIFFERS not in alarms(river)


# after a restore


def test_a_statement_that_its_maker_forgot_comes_back_countersigned(north: Town, river: Town) -> None:
    settled(north, river)
    before = back_up(north)
    state(north, river)
    deliver(north, river)
    restore(north, before)
    assert agreed(north, river).number == 0
    deliver(north, river)
    assert (agreed(north, river).number, agreed(north, river).we_owe) == (1, 90)
    settled(north, river, 10)
    state(north, river)
    deliver(north, river)
    assert agreed(north, river).we_owe == -agreed(river, north).we_owe == 100


def test_a_countersignature_that_its_maker_forgot_comes_back(north: Town, river: Town) -> None:
    settled(north, river)
    before = back_up(river)
    state(north, river)
    deliver(north, river)
    restore(river, before)
    deliver(north, river)
    assert agreed(river, north).we_owe == -90
    assert river.peer(north).messages == north.peer(river).messages


def test_what_was_lost_in_between_comes_back_before_it_is_stated(north: Town, river: Town) -> None:
    before = back_up(river)
    settled(north, river)
    restore(river, before)
    state(north, river)
    deliver(north, river)
    assert agreed(river, north).we_owe == -90


# a peer that lies


def lie(message: StatementMessage, **changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(dict(message.document))
    document["object"] = document["object"] | changes
    return document


LIES: dict[str, dict[str, Any]] = {
    "another opening": {"fa:opening": 30, "fa:closing": 120},
    "another sum": {"fa:closing": 91},
    "another predecessor": {"fa:previous": "sha256:" + 64 * "9"},
    "the wrong way round": {"swap": True},
    "other minutes": {"minutes": 60},
    "an unknown transfer": {
        "transfer": "https://northside.example/ledger/transfers/018f6b1e-7a10-7c3e-9b55-2d1f0c7a4e01"
    },
    "another receipt": {"receipt": "sha256:" + 64 * "9"},
    "a transfer twice": {"twice": True},
}


@pytest.mark.parametrize("what", LIES)
def test_a_wrong_statement_is_refused_with_what_differs(north: Town, river: Town, what: str) -> None:
    transfer = settled(north, river)
    before = back_up(north)
    message = state(north, river)
    assert message
    restore(north, before)
    river.take(signed_anew(north, told(message, LIES[what])))
    ask(river, north)
    [answer] = answers(river)
    assert answer["type"] == "Reject"
    assert answer["fa:differs"] in ([], [transfer], [LIES[what].get("transfer", "")])
    assert Alarm.DIFFERS in alarms(river)
    assert agreed(river, north).number == 0
    assert river.findings() == ()


def test_each_of_two_wrong_statements_with_one_number_is_answered(north: Town, river: Town) -> None:
    settled(north, river)
    before = back_up(north)
    message = state(north, river)
    assert message
    restore(north, before)
    for opening in (30, 60):
        river.take(signed_anew(north, lie(message, **{"fa:opening": opening, "fa:closing": opening + 90})))
        ask(river, north)
    refusals = answers(river)
    assert [one["type"] for one in refusals] == ["Reject", "Reject"]
    assert len({one["fa:statement"] for one in refusals}) == 2
    assert river.findings() == ()


def told(message: StatementMessage, changes: dict[str, Any]) -> dict[str, Any]:
    """The statement with a lie in it that is in the right shape."""
    if not changes.keys() & {"swap", "minutes", "transfer", "receipt", "twice"}:
        return lie(message, **changes)
    [line] = copy.deepcopy(message.document["object"]["fa:transfers"])
    closing = 90
    if "swap" in changes:
        swapped = {"fa:debtor": message.statement.creditor, "fa:creditor": message.statement.debtor}
        return lie(message, **swapped)
    if "minutes" in changes:
        line["fa:minutes"] = closing = changes["minutes"]
    line["fa:transfer"] = changes.get("transfer", line["fa:transfer"])
    line["fa:receipt"] = changes.get("receipt", line["fa:receipt"])
    lines = [line, line] if "twice" in changes else [line]
    return lie(message, **{"fa:transfers": lines, "fa:closing": closing * len(lines)})


def answers(town: Town) -> list[dict[str, Any]]:
    return [letter for letter in town.everything_sent() if "fa:statement" in letter]


def test_after_a_lie_the_truth_is_still_taken(north: Town, river: Town) -> None:
    settled(north, river)
    before = back_up(north)
    message = state(north, river)
    assert message
    restore(north, before)
    river.take(signed_anew(north, lie(message, **{"fa:closing": 91})))
    ask(river, north)
    [reject] = answers(river)
    with pytest.raises(Refused) as refusal:
        north.take(reject)  # it answers what somebody else signed in our name
    assert refusal.value.code == "unknown_statement"
    river.take(dict(message.document))
    ask(river, north)
    assert agreed(river, north).we_owe == -90


def test_an_honest_statement_that_is_refused_leaves_its_transfers_for_the_next(north: Town, river: Town) -> None:
    settled(north, river)
    state(north, river)
    [statement] = north.outgoing()
    with river.work() as work:  # somebody changed a row by hand
        work.connection.execute(tables.transfer.update().values(minutes=80))
    river.take(statement)
    deliver(north, river)
    assert Alarm.DIFFERS in alarms(north)
    with river.work() as work:
        work.connection.execute(tables.transfer.update().values(minutes=90))
    again = state(north, river)
    assert again
    assert again.statement.number == 2
    deliver(north, river)
    assert agreed(river, north).we_owe == -90


def test_the_side_that_does_not_propose_is_not_listened_to(north: Town, river: Town) -> None:
    settled(north, river)
    message = state(north, river)
    assert message
    document = copy.deepcopy(dict(message.document))
    text = str(document).replace("northside", "SIDE").replace("riverside", "northside").replace("SIDE", "riverside")
    swapped = eval(text)  # noqa: S307 - our own words
    north.take(signed_anew(river, swapped))
    ask(north, river)
    assert agreed(north, river).number == 0
    assert [answer["type"] for answer in answers(north)] == ["Reject"]


@pytest.mark.parametrize(
    "changes",
    [
        {"fa:number": 0},
        {"fa:number": 2},
        {"fa:closing": -1},
        {"fa:debtor": "https://evil.example/ledger"},
        {"fa:transfers": "none"},
        {"fa:transfers": ["x"]},
        {"fa:inFlight": [1]},
        {"fa:extra": 1},
        {"fa:ledgerHead": {"fa:seq": 1}},
    ],
    ids=str,
)
def test_a_statement_in_another_shape_is_refused(north: Town, river: Town, changes: dict[str, Any]) -> None:
    settled(north, river)
    message = state(north, river)
    assert message
    with pytest.raises(MalformedDocument):
        river.take(signed_anew(north, lie(message, **changes)))


def test_papers_are_read_as_they_were_written(north: Town, river: Town) -> None:
    settled(north, river)
    state(north, river)
    deliver(north, river)
    with north.database.read() as connection:
        kinds = ["statement", "countersigned"]
        found = connection.execute(select(tables.fact).where(tables.fact.c.kind.in_(kinds)).order_by(tables.fact.c.n))
        facts = [rows.fact_of(row) for row in found]
    assert [fact.kind.value for fact in facts] == kinds
    for fact in facts:
        assert read_paper(document_of(fact)).digest == fact.digest
