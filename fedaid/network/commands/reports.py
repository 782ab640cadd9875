"""Writes about reports: those that members make, those that other servers send, and what is decided about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.network import queries
from fedaid.network.commands.log import Decision, write_down
from fedaid.network.queries import Report
from fedaid.network.rules.reports import (
    REPORTS_OF_MEMBER_PER_DAY_MAX,
    ReportState,
    check_open,
    day_of,
    kept_comment,
    subjects,
)
from fedaid.network.rules.restrictions import host_of
from fedaid.network.tables import report


@dataclass(frozen=True)
class ReportArrived:
    """A report waits to be judged."""

    report_id: int


@dataclass(frozen=True)
class ReportForwarded:
    """A moderator passes a report on to the server of the one it is about, in the words that stand here."""

    owner: str
    subject: str
    comment: str


def make_report(work: Work, who: Viewer, subject: str, owner: str, comment: str) -> int:
    """A member reports something, here or elsewhere; only moderators see it. Raises Refused for too many, or twice."""
    if not who.signed_in:
        raise NotAllowed
    today = day_of(work.now)
    if queries.is_reported(work.connection, subject, who.actor, today):
        raise _already()
    if queries.reports_of_day(work.connection, who.actor, today) >= REPORTS_OF_MEMBER_PER_DAY_MAX:
        raise Refused("too_many_reports", "You reported a lot today; please speak with a coordinator.", 429)
    try:
        with work.attempt():
            return _store(work, who.actor, who.actor, subject, owner, comment)
    except IntegrityError:  # pressed twice at the same moment
        raise _already() from None


def _already() -> Refused:
    return Refused("reported_already", "You reported this already; your coordinators will look at it.", 409)


def receive_report(
    work: Work, sender: str, reported: Sequence[str], owner_of: Mapping[str, str], comment: str
) -> Sequence[int]:
    """Another server reports something of ours; ``owner_of`` says of what is ours who answers for it.

    The same from the same server counts once a day, whatever ids it comes with (attack S50); nothing is passed on.
    """
    if any(one.terms.rejects_reports for one in queries.restrictions_over(work.connection, sender)):
        return ()
    source, today = host_of(sender), day_of(work.now)
    return [
        _store(work, source, sender, subject, owner, comment)
        for subject, owner in subjects(reported, owner_of)
        if not queries.is_reported(work.connection, subject, source, today)
    ]


def _store(work: Work, source: str, reporter: str, subject: str, owner: str, comment: str) -> int:
    report_id = work.new_id()
    row = {
        "id": report_id,
        "source": source,
        "reporter": reporter,
        "subject": subject,
        "owner": owner,
        "comment": kept_comment(comment),
        "state": ReportState.OPEN,
        "day": day_of(work.now),
        "made_at": work.now,
        "decided_by": "",
    }
    work.connection.execute(insert(report).values(row))
    work.record(ReportArrived(report_id))
    return report_id


def dismiss(work: Work, report_id: int, reason: str, by: str) -> None:
    """Nothing is to be done about it. Raises NotFound, Refused when it was decided already."""
    found = _report(work, report_id)
    check_open(found.state)
    _decide(work, found, ReportState.DISMISSED, by)
    write_down(work, Decision.DISMISS, found.subject, reason, by)


def settle(work: Work, report_id: int, by: str) -> None:
    """Something was done about it, which stands in the log by itself; settling twice changes nothing."""
    found = _report(work, report_id)
    if found.state is not ReportState.SETTLED:
        _decide(work, found, ReportState.SETTLED, by)


def forward(work: Work, report_id: int, comment: str, by: str, federation: Federation) -> None:
    """Pass it on to the owner's own server, once, in these words and in the name of our server.

    Raises Refused for what is ours, was passed on already, or would go to somebody who is shut out.
    """
    found = _report(work, report_id)
    if work.names.is_ours(found.owner):
        raise Refused("report_ours", "This is about somebody here; there is nobody to pass it on to.", 409)
    if found.forwarded_at is not None:
        raise Refused("report_forwarded", "This report was passed on already.", 409)
    if queries.verdict_on(work.connection, federation, found.owner).is_shut_out:
        raise Refused("report_shut_out", "Nothing is sent to this server any more, so neither is a report.", 409)
    told = kept_comment(comment)
    work.connection.execute(update(report).where(report.c.id == report_id).values(forwarded_at=work.now))
    write_down(work, Decision.FORWARD, found.subject, told, by)
    work.record(ReportForwarded(found.owner, found.subject, told))


def _decide(work: Work, found: Report, state: ReportState, by: str) -> None:
    values = {"state": state, "decided_at": work.now, "decided_by": by}
    work.connection.execute(update(report).where(report.c.id == found.id).values(values))


def _report(work: Work, report_id: int) -> Report:
    found = queries.report_by_id(work.connection, report_id)
    if found is None:
        raise NotFound
    return found
