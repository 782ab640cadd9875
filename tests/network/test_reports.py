"""Reports from other servers and from members: what is kept, how much of it, and what is never done by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, select

from activitypub.documents import parse_activity
from activitypub.signatures.authentic import Proof, restored
from activitypub.vocabulary import PLAIN_CONTEXT
from fedaid.actors import commands as actors
from fedaid.actors.rules import Kind
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import SIGNED_OUT, Viewer
from fedaid.foundation.work import UnitsOfWork
from fedaid.network import commands, queries, wire
from fedaid.network.queries import Report
from fedaid.network.rules.reports import COMMENT_CHARACTERS_MAX, REPORTS_OF_MEMBER_PER_DAY_MAX, SUBJECTS_PER_REPORT_MAX
from fedaid.network.rules.restrictions import Severity, Terms, chosen_target
from inbox.ports import Letter
from outbox import tables
from tests.small_house import NORTH, RIVER, RULES, START, SmallHouse, some_keys, unproved

ANA, NORA, BOARD = f"{NORTH}/users/ana", f"{NORTH}/users/nora", f"{NORTH}/groups/board"
MASTO, EVE = "https://masto.example/actor", "https://evil.example/users/eve"
LISTINGS = [f"{NORTH}/listings/{number}" for number in range(1, 31)]
OWNERS = {BOARD: BOARD, ANA: ANA, **dict.fromkeys(LISTINGS, ANA)}
WHO = Viewer(7, "ana", "Ana", ANA)


@pytest.fixture
def town(house: SmallHouse) -> SmallHouse:
    house.units = UnitsOfWork(house.database, house.clock, house.names, wire.ANNOUNCERS)
    with house.units.begin() as work:
        actors.create_actor(work, Kind.SERVER, "", keys=some_keys())
    return house


def owners_of(connection: Connection, uris: Sequence[str]) -> Mapping[str, str]:
    return {uri: OWNERS[uri] for uri in uris if uri in OWNERS}


def flag(house: SmallHouse, about: object, content: object = "Spam.", actor: str = MASTO, number: int = 1) -> bool:
    origin = "/".join(actor.split("/")[:3])
    document = {"id": f"{origin}/flags/{number}", "type": "Flag", "actor": actor, "object": about, "content": content}
    activity = parse_activity(document, RULES)
    letter = Letter(restored(activity.actor, f"{actor}#main-key", Proof.DRAFT_CAVAGE, START), activity, "/inbox")
    (handler,) = wire.handlers(owners_of)["Flag"]
    with house.units.begin() as work:
        return handler.apply(work, letter, {})


def kept(house: SmallHouse, *, are_open: bool = True) -> Sequence[Report]:
    with house.database.read() as connection:
        return queries.reports(connection, are_open=are_open)


def sent(house: SmallHouse) -> list[dict[str, Any]]:
    with house.database.read() as connection:
        return [unproved(body) for body in connection.execute(select(tables.activity.c.body)).scalars()]


# from other servers


@pytest.mark.attack("S50")
@pytest.mark.parametrize("about", [f"{NORTH}/listings/99", f"{RIVER}/notes/1", [f"{RIVER}/notes/1", EVE], EVE])
def test_a_report_about_nothing_of_ours_is_not_kept(town: SmallHouse, about: object) -> None:
    """S50: only local targets."""
    assert not flag(town, about)
    assert kept(town) == []


def test_a_report_as_mastodon_sends_it_is_one_case_about_the_listing(town: SmallHouse) -> None:
    assert flag(town, [BOARD, LISTINGS[0]], "<p>This is <b>spam</b>.</p><script>x</script>")
    (found,) = kept(town)
    assert (found.subject, found.owner, found.comment) == (LISTINGS[0], ANA, "This is spam.")
    assert (found.source, found.reporter) == ("masto.example", MASTO)


def test_a_report_about_somebody_alone_is_a_case_of_its_own(town: SmallHouse) -> None:
    flag(town, [ANA])
    flag(town, {"type": "Person", "id": BOARD}, number=2)
    assert [one.subject for one in kept(town)] == [ANA, BOARD]


@pytest.mark.attack("S50")
def test_the_same_report_from_one_server_counts_once_a_day_whatever_its_id(town: SmallHouse) -> None:
    """S50."""
    for number in range(1, 6):
        flag(town, [BOARD, LISTINGS[0]], number=number)
    flag(town, LISTINGS[0], actor="https://masto.example/users/carol", number=6)
    assert len(kept(town)) == 1
    flag(town, LISTINGS[0], actor=EVE)
    town.clock.pass_seconds(24 * 3600)
    flag(town, LISTINGS[0], number=7)
    assert [one.source for one in kept(town)] == ["masto.example", "evil.example", "masto.example"]


@pytest.mark.attack("S50")
def test_a_report_is_kept_only_so_long_and_about_so_much(town: SmallHouse) -> None:
    """S50."""
    flag(town, LISTINGS, "a" * 20_000)
    found = kept(town)
    assert len(found) == SUBJECTS_PER_REPORT_MAX
    assert {len(one.comment) for one in found} == {COMMENT_CHARACTERS_MAX}


def test_reports_of_a_server_whose_reports_are_rejected_are_thrown_away(town: SmallHouse) -> None:
    with town.units.begin() as work:
        commands.restrict(work, chosen_target("evil.example"), Terms(Severity.NONE, rejects_reports=True))
    assert flag(town, LISTINGS[0], actor="https://sub.evil.example/actor")
    assert kept(town) == []


def test_a_report_is_never_passed_on_by_itself(town: SmallHouse) -> None:
    flag(town, LISTINGS[0])
    assert sent(town) == []


# from members


def report(house: SmallHouse, subject: str, owner: str = EVE, who: Viewer = WHO, comment: str = "Rude.") -> int:
    with house.units.begin() as work:
        return commands.make_report(work, who, subject, owner, comment)


def test_a_stranger_reports_nothing(town: SmallHouse) -> None:
    with pytest.raises(NotAllowed):
        report(town, EVE, who=SIGNED_OUT)


def test_the_same_twice_a_day_and_too_many_a_day_are_refused(town: SmallHouse) -> None:
    report(town, EVE)
    with pytest.raises(Refused) as twice:
        report(town, EVE)
    for number in range(REPORTS_OF_MEMBER_PER_DAY_MAX - 1):
        report(town, f"{EVE}/{number}")
    with pytest.raises(Refused) as too_many:
        report(town, f"{EVE}/x")
    assert (twice.value.code, too_many.value.code) == ("reported_already", "too_many_reports")
    report(town, EVE, who=Viewer(8, "bea", "Bea", f"{NORTH}/users/bea"))


# decisions


def test_what_does_not_exist_and_what_was_decided_is_not_decided(town: SmallHouse) -> None:
    number = report(town, EVE)
    with pytest.raises(NotFound), town.units.begin() as work:
        commands.dismiss(work, 1, "", NORA)
    with town.units.begin() as work:
        commands.dismiss(work, number, "a quarrel", NORA)
    with pytest.raises(Refused) as refusal, town.units.begin() as work:
        commands.dismiss(work, number, "", NORA)
    assert refusal.value.code == "report_decided"
    (found,) = kept(town, are_open=False)
    assert (found.state, found.decided_by, found.decided_at) == ("dismissed", NORA, town.clock.now())
    with town.database.read() as connection:
        assert [(line.decision, line.reason) for line in queries.log_of(connection)] == [("dismiss", "a quarrel")]


def test_a_report_is_passed_on_once_in_the_moderators_words_by_our_server(town: SmallHouse) -> None:
    note = "https://evil.example/notes/1"
    number = report(town, note, comment="Ana from number 7 says this is rude.")
    with town.units.begin() as work:
        commands.forward(work, number, "This is rude.", NORA, Federation.OPEN)
    (activity,) = sent(town)
    assert activity == {
        "@context": PLAIN_CONTEXT,
        "id": activity["id"],
        "type": "Flag",
        "actor": f"{NORTH}/actor",
        "object": [EVE, note],
        "content": "This is rude.",
    }
    with town.database.read() as connection:
        (row,) = connection.execute(select(tables.activity)).all()
    assert (orjson.loads(row.recipients), row.public) == ([EVE], False)
    with pytest.raises(Refused) as again, town.units.begin() as work:
        commands.forward(work, number, "x", NORA, Federation.OPEN)
    assert again.value.code == "report_forwarded"
    assert kept(town)[0].state == "open"


@pytest.mark.parametrize(
    ("owner", "blocked", "federation", "code"),
    [
        (ANA, False, Federation.OPEN, "report_ours"),
        (EVE, True, Federation.OPEN, "report_shut_out"),
        (EVE, False, Federation.NEIGHBOURS, "report_shut_out"),
    ],
)
def test_a_report_is_not_passed_on_to_ourselves_or_to_who_is_shut_out(
    town: SmallHouse, owner: str, blocked: bool, federation: Federation, code: str
) -> None:
    number = report(town, owner, owner)
    with town.units.begin() as work:
        if blocked:
            commands.restrict(work, chosen_target("evil.example"), Terms(Severity.BLOCK))
    with pytest.raises(Refused) as refusal, town.units.begin() as work:
        commands.forward(work, number, "x", NORA, federation)
    assert refusal.value.code == code
    assert sent(town) == []
