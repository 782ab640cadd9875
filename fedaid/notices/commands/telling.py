"""Who is told of what happened in the rooms below: the place to see which fact becomes whose notice."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from sqlalchemy import Connection

from fedaid.board import facts as board_facts
from fedaid.board import queries as board
from fedaid.board.queries import Listing, Response
from fedaid.board.rules import ResponseState
from fedaid.foundation.viewer import Role
from fedaid.foundation.work import Announcer, Work
from fedaid.groups import queries as groups
from fedaid.groups.facts import GroupAnswered, GroupAsked, TakenIn
from fedaid.matching.facts import NeighbourAsked, SearchFound
from fedaid.members import queries as members
from fedaid.members.facts import ApplicationMade, RecoveryOffered
from fedaid.mentions.facts import MessageArrived, SuggestionArrived
from fedaid.network.commands.reports import ReportArrived
from fedaid.notices.commands import tell
from fedaid.notices.rules import Kind
from fedaid.timebank import facts as hours_facts
from fedaid.timebank import queries as timebank
from fedaid.timebank.facts import Hours


@dataclass(frozen=True)
class Tell:
    """These members are to be told this about that."""

    whom: Collection[int | None]
    kind: Kind
    about: object


Fact = TypeVar("Fact")
AboutListing = (
    board_facts.ListingHidden | board_facts.ListingEnding | board_facts.ListingExpired | board_facts.ListingLookedAt
)


def _announcer(telling: Callable[[Connection, Fact], Iterator[Tell]]) -> Sequence[Announcer]:
    def announce(work: Work, fact: object) -> None:
        for one in telling(work.connection, cast("Fact", fact)):
            tell(work, [number for number in one.whom if number is not None], one.kind, str(one.about))

    return (announce,)


# the board


def _sides(connection: Connection, response_id: int) -> tuple[Response, Listing] | None:
    found = board.any_response(connection, response_id)
    listing = board.any_listing(connection, found.listing_id) if found is not None else None
    return (found, listing) if found is not None and listing is not None else None


def _to_author(connection: Connection, response_id: int, kind: Kind) -> Iterator[Tell]:
    """The member who posted the listing here, or looks after it for somebody elsewhere."""
    if (sides := _sides(connection, response_id)) is not None:
        yield Tell([sides[1].author_member_id], kind, response_id)


def _to_helper(connection: Connection, response_id: int, kind: Kind) -> Iterator[Tell]:
    if (sides := _sides(connection, response_id)) is not None:
        yield Tell([sides[0].helper_member_id], kind, response_id)


def _answered(connection: Connection, fact: board_facts.ResponseSent | board_facts.ResponseArrived) -> Iterator[Tell]:
    return _to_author(connection, fact.response_id, Kind.ANSWERED)


def _taken_back(connection: Connection, fact: board_facts.ResponseWithdrawn) -> Iterator[Tell]:
    return _to_author(connection, fact.response_id, Kind.TAKEN_BACK)


def _accepted(connection: Connection, fact: board_facts.ResponseAccepted) -> Iterator[Tell]:
    return _to_helper(connection, fact.response_id, Kind.ACCEPTED)


def _declined(connection: Connection, fact: board_facts.ResponseDeclined) -> Iterator[Tell]:
    return _to_helper(connection, fact.response_id, Kind.DECLINED)


def _answer_arrived(connection: Connection, fact: board_facts.AnswerArrived) -> Iterator[Tell]:
    sides = _sides(connection, fact.response_id)
    accepted = sides is not None and sides[0].state is ResponseState.ACCEPTED
    return _to_helper(connection, fact.response_id, Kind.ACCEPTED if accepted else Kind.DECLINED)


def _remark(connection: Connection, fact: board_facts.RemarkMade | board_facts.RemarkArrived) -> Iterator[Tell]:
    """The side that did not write it."""
    said = board.any_remark(connection, fact.remark_id)
    sides = _sides(connection, said.response_id) if said is not None else None
    if said is not None and sides is not None:
        by_helper = said.author_actor == sides[0].helper_actor
        whom = sides[1].author_member_id if by_helper else sides[0].helper_member_id
        yield Tell([whom], Kind.THANKED if said.is_thanks else Kind.REMARK, said.response_id)


def _called_off(connection: Connection, fact: board_facts.MatchCancelled) -> Iterator[Tell]:
    """By the author; what a helper takes back is told as such."""
    found = board.any_match(connection, fact.match_id)
    if found is not None and fact.by_author:
        yield from _to_helper(connection, found.response_id, Kind.CALLED_OFF)


def _done(connection: Connection, fact: board_facts.MatchDone) -> Iterator[Tell]:
    """The side that did not say it; where hours were settled, those are told."""
    found = board.any_match(connection, fact.match_id)
    if found is not None and fact.by_author is not None:
        yield from (_to_helper if fact.by_author else _to_author)(connection, found.response_id, Kind.DONE)


def _of_listing(kind: Kind) -> Callable[[Connection, AboutListing], Iterator[Tell]]:
    def telling(connection: Connection, fact: AboutListing) -> Iterator[Tell]:
        found = board.any_listing(connection, fact.listing_id)
        if found is not None:
            yield Tell([found.author_member_id], kind, found.id)

    return telling


def _look_asked(connection: Connection, fact: board_facts.LookAsked) -> Iterator[Tell]:
    found = board.any_listing(connection, fact.listing_id)
    group = groups.board_by_actor(connection, found.board_actor) if found is not None else None
    if group is not None:
        yield Tell(_coordinators_of(connection, group.id), Kind.TO_LOOK_AT, fact.listing_id)


def _coordinators_of(connection: Connection, group_id: int) -> Collection[int]:
    """Of a group; those of the neighbourhood where it has none."""
    return groups.member_ids(connection, group_id, Role.COORDINATOR) or _coordinators(connection)


def _coordinators(connection: Connection) -> Collection[int]:
    return [one.id for one in members.coordinators(connection)]


def _admins(connection: Connection) -> Collection[int]:
    return [one.id for one in members.admins(connection)]


def _neighbour_asked(_connection: Connection, fact: NeighbourAsked) -> Iterator[Tell]:
    yield Tell([fact.member_id], Kind.ASKED, fact.ask_id)


def _search_found(_connection: Connection, fact: SearchFound) -> Iterator[Tell]:
    yield Tell([fact.member_id], Kind.FOUND, f"{fact.search_id}/{fact.listing_id}")


# hours


def _holders(connection: Connection, actor: str) -> Collection[int]:
    """Whose account it is: a member, or a group's coordinators."""
    found = members.by_actor(connection, actor)
    if found is not None:
        return [found.id]
    group = groups.board_by_actor(connection, actor)
    return groups.member_ids(connection, group.id, Role.COORDINATOR) if group is not None else []


def _claimed(connection: Connection, fact: hours_facts.HoursClaimed) -> Iterator[Tell]:
    yield Tell(_holders(connection, fact.hours.payer), Kind.HOURS_CLAIMED, fact.hours.transfer_id)


def _credited(connection: Connection, fact: hours_facts.HoursCredited) -> Iterator[Tell]:
    return _to_payee(connection, fact.hours, Kind.HOURS_CREDITED)


def _refused(connection: Connection, fact: hours_facts.HoursRefused) -> Iterator[Tell]:
    return _to_payee(connection, fact.hours, Kind.HOURS_REFUSED)


def _to_payee(connection: Connection, hours: Hours, kind: Kind) -> Iterator[Tell]:
    yield Tell(_holders(connection, hours.payee), kind, hours.transfer_id)


def _stuck(connection: Connection, fact: hours_facts.WaitingStepFailed) -> Iterator[Tell]:
    yield Tell(_holders(connection, fact.actor), Kind.HOURS_STUCK, fact.transfer_id)


def _questioned(connection: Connection, fact: hours_facts.HoursQuestioned) -> Iterator[Tell]:
    yield Tell(_holders(connection, fact.payee), Kind.HOURS_QUESTIONED, fact.transfer_id)
    yield Tell(_coordinators(connection), Kind.HOURS_TO_EXPLAIN, fact.transfer_id)


def _explained(connection: Connection, fact: hours_facts.HoursExplained) -> Iterator[Tell]:
    yield Tell(_holders(connection, fact.asked_by), Kind.HOURS_EXPLAINED, fact.transfer_id)


# groups and the neighbourhood


def _group_asked(connection: Connection, fact: GroupAsked) -> Iterator[Tell]:
    about = f"{fact.group_id}/{fact.application_id}"
    yield Tell(_coordinators_of(connection, fact.group_id), Kind.GROUP_ASKED, about)


def _group_answered(_connection: Connection, fact: GroupAnswered) -> Iterator[Tell]:
    yield Tell([fact.member_id], Kind.GROUP_ANSWERED, f"{fact.group_id}/{fact.application_id}")


def _taken_in(_connection: Connection, fact: TakenIn) -> Iterator[Tell]:
    yield Tell([fact.member_id], Kind.TAKEN_IN, fact.group_id)


def _applied(connection: Connection, fact: ApplicationMade) -> Iterator[Tell]:
    yield Tell(_coordinators(connection), Kind.APPLIED, fact.application_id)


def _reported(connection: Connection, fact: ReportArrived) -> Iterator[Tell]:
    yield Tell(_coordinators(connection), Kind.REPORTED, fact.report_id)


def _message(connection: Connection, fact: MessageArrived) -> Iterator[Tell]:
    yield Tell(_coordinators(connection), Kind.MESSAGE, fact.message_id)


def _suggestion(connection: Connection, fact: SuggestionArrived) -> Iterator[Tell]:
    yield Tell(_coordinators(connection), Kind.SUGGESTION, fact.suggestion_id)


def _peering_asked(connection: Connection, fact: hours_facts.PeeringAsked) -> Iterator[Tell]:
    yield Tell(_admins(connection), Kind.PEERING_ASKED, fact.host)


def _alarm(connection: Connection, fact: hours_facts.LedgerAlarm) -> Iterator[Tell]:
    host = next((one.host for one in timebank.peers(connection) if one.peer_id == fact.peer_id), "")
    yield Tell(_admins(connection), Kind.LEDGER_ALARM, host)


def _recovery(_connection: Connection, fact: RecoveryOffered) -> Iterator[Tell]:
    yield Tell([fact.member_id], Kind.RECOVERY, fact.link_id)


ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    board_facts.ResponseSent: _announcer(_answered),
    board_facts.ResponseArrived: _announcer(_answered),
    board_facts.ResponseWithdrawn: _announcer(_taken_back),
    board_facts.ResponseAccepted: _announcer(_accepted),
    board_facts.ResponseDeclined: _announcer(_declined),
    board_facts.AnswerArrived: _announcer(_answer_arrived),
    board_facts.RemarkMade: _announcer(_remark),
    board_facts.RemarkArrived: _announcer(_remark),
    board_facts.MatchCancelled: _announcer(_called_off),
    board_facts.MatchDone: _announcer(_done),
    board_facts.ListingHidden: _announcer(_of_listing(Kind.HIDDEN)),
    board_facts.ListingEnding: _announcer(_of_listing(Kind.ENDING)),
    board_facts.ListingExpired: _announcer(_of_listing(Kind.EXPIRED)),
    board_facts.ListingLookedAt: _announcer(_of_listing(Kind.LOOKED_AT)),
    board_facts.LookAsked: _announcer(_look_asked),
    NeighbourAsked: _announcer(_neighbour_asked),
    SearchFound: _announcer(_search_found),
    hours_facts.HoursClaimed: _announcer(_claimed),
    hours_facts.HoursCredited: _announcer(_credited),
    hours_facts.HoursRefused: _announcer(_refused),
    hours_facts.HoursQuestioned: _announcer(_questioned),
    hours_facts.HoursExplained: _announcer(_explained),
    hours_facts.WaitingStepFailed: _announcer(_stuck),
    hours_facts.PeeringAsked: _announcer(_peering_asked),
    hours_facts.LedgerAlarm: _announcer(_alarm),
    GroupAsked: _announcer(_group_asked),
    GroupAnswered: _announcer(_group_answered),
    TakenIn: _announcer(_taken_in),
    ApplicationMade: _announcer(_applied),
    ReportArrived: _announcer(_reported),
    MessageArrived: _announcer(_message),
    SuggestionArrived: _announcer(_suggestion),
    RecoveryOffered: _announcer(_recovery),
}
