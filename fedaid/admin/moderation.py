"""The moderators' desk: what was reported, seen whole, and the decisions that coordinators and admins can take."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from fedaid.actors import queries as actors
from fedaid.actors.queries import Card
from fedaid.board import commands as board
from fedaid.board import queries as board_queries
from fedaid.board.queries import Listing
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.network import commands, queries
from fedaid.network.commands import Decision
from fedaid.network.queries import LogLine, Report
from fedaid.network.rules.restrictions import Kind, Severity, Standing, Target, Terms, host_of


@dataclass(frozen=True)
class Case:
    """A report with everything one must know to judge it.

    listing    what is reported, where it is a listing that we have
    owner      who answers for what is reported
    reporter   who says so; of another server only its name
    times      how often the same was reported
    standing   where the owner stands already
    is_ours    whether the owner is one of us, who cannot be blocked
    """

    report: Report
    listing: Listing | None
    owner: Card
    reporter: str
    times: int
    standing: Standing
    is_ours: bool

    @property
    def about(self) -> str:
        """What is reported, in a few words."""
        if self.listing is not None:
            return self.listing.title
        return self.owner.name if self.report.subject == self.report.owner else f"An answer by {self.owner.name}"


def owner_of(connection: Connection, uri: str) -> str | None:
    """The actor who answers for a listing, a response or themselves, here or elsewhere; None for what we never met."""
    found = board_queries.answerable_for(connection, uri)
    if found is not None:
        return found
    ours = actors.by_uri(connection, uri)
    if ours is not None:
        return uri if ours.gone_at is None else None
    return uri if actors.remote(connection, uri) is not None else None


def owners_of(connection: Connection, uris: Sequence[str]) -> Mapping[str, str]:
    """The same for several at once, without those that we never met."""
    found = ((uri, owner_of(connection, uri)) for uri in uris)
    return {uri: owner for uri, owner in found if owner is not None}


def reportable_owner(connection: Connection, who: Viewer, uri: str, federation: Federation) -> str | None:
    """Who answers for something that this member can see and that is not their own; None for anything else (S87)."""
    answer = board_queries.response_by_uri(connection, uri) if uri.isprintable() else None
    about = board_queries.any_listing(connection, answer.listing_id) if answer is not None else None
    if about is not None and not about.is_by(who):
        return None
    found = board_queries.listing_by_uri(connection, uri) if uri.isprintable() else None
    if found is not None and not _can_see(connection, who, found, federation):
        return None
    owner = owner_of(connection, uri) if uri.isprintable() else None
    return owner if owner != who.actor else None


def _can_see(connection: Connection, who: Viewer, found: Listing, federation: Federation) -> bool:
    try:
        board_queries.listing(connection, who, found.id, federation)
    except Refused:
        return False
    return True


def cases(connection: Connection, our_host: str, federation: Federation, *, are_open: bool) -> Sequence[Case]:
    """What waits to be judged, the oldest first; or what was decided, the newest first."""
    found = queries.reports(connection, are_open=are_open)
    return [_case(connection, one, our_host, federation) for one in found]


def case(connection: Connection, report_id: int, our_host: str, federation: Federation) -> Case:
    """One report. Raises NotFound."""
    found = queries.report_by_id(connection, report_id)
    if found is None:
        raise NotFound
    return _case(connection, found, our_host, federation)


def _case(connection: Connection, report: Report, our_host: str, federation: Federation) -> Case:
    is_member = report.source == report.reporter
    return Case(
        report,
        board_queries.listing_by_uri(connection, report.subject),
        actors.card(connection, report.owner, our_host),
        actors.card(connection, report.reporter, our_host).name if is_member else report.source,
        queries.reports_about(connection, report.subject),
        queries.verdict_on(connection, federation, report.owner).standing,
        actors.by_uri(connection, report.owner) is not None,
    )


@dataclass(frozen=True)
class Decided:
    """One line of the log, with names where we know them."""

    line: LogLine
    by: str


def log(connection: Connection, our_host: str) -> Sequence[Decided]:
    """What moderators decided, newest first."""
    lines = queries.log_of(connection)
    cards = actors.cards(connection, [line.decided_by for line in lines if line.decided_by], our_host)
    return [Decided(line, cards[line.decided_by].name if line.decided_by in cards else "") for line in lines]


# decisions


@dataclass(frozen=True)
class Judgement:
    """What a moderator decides about a report: ``what`` is a key of DECISIONS; ``words`` a reason, or what is sent."""

    report_id: int
    what: str
    words: str = ""


def decide(work: Work, who: Viewer, judgement: Judgement, federation: Federation) -> None:
    """Carry a decision out and write it down. Raises NotAllowed, NotFound, Refused."""
    if not who.is_coordinator:
        raise NotAllowed
    found = queries.report_by_id(work.connection, judgement.report_id)
    act = DECISIONS.get(judgement.what)
    if found is None or act is None:
        raise NotFound
    if judgement.what in FOR_ADMINS and not who.is_admin:
        raise NotAllowed("Only an admin can decide about a whole network.")
    act(work, who, found, judgement.words, federation)


def _dismiss(work: Work, who: Viewer, found: Report, words: str, _: Federation) -> None:
    commands.dismiss(work, found.id, words, who.actor)


def _forward(work: Work, who: Viewer, found: Report, words: str, federation: Federation) -> None:
    commands.forward(work, found.id, words, who.actor, federation)


def _sight(decision: Decision) -> "Decide":
    def turn(work: Work, who: Viewer, found: Report, words: str, _: Federation) -> None:
        listing = board_queries.listing_by_uri(work.connection, found.subject)
        if listing is None:
            raise Refused("not_a_listing", "This report is not about a listing.", 409)
        board.hide_listing(work, listing.id, hidden=decision is Decision.HIDE)
        commands.write_down(work, decision, found.subject, words, who.actor)
        commands.settle(work, found.id, who.actor)

    return turn


def _restriction(kind: Kind, severity: Severity) -> "Decide":
    def lay(work: Work, who: Viewer, found: Report, words: str, _: Federation) -> None:
        target = Target(kind, found.owner if kind is Kind.ACTOR else host_of(found.owner))
        commands.restrict(work, target, Terms(severity, words), who.actor)
        commands.settle(work, found.id, who.actor)

    return lay


Decide = Callable[[Work, Viewer, Report, str, Federation], None]
DECISIONS: Mapping[str, Decide] = {
    "dismiss": _dismiss,
    "hide": _sight(Decision.HIDE),
    "show": _sight(Decision.SHOW),
    "forward": _forward,
    "limit_actor": _restriction(Kind.ACTOR, Severity.LIMIT),
    "block_actor": _restriction(Kind.ACTOR, Severity.BLOCK),
    "limit_host": _restriction(Kind.HOST, Severity.LIMIT),
    "block_host": _restriction(Kind.HOST, Severity.BLOCK),
}
FOR_ADMINS = frozenset({"limit_host", "block_host"})
