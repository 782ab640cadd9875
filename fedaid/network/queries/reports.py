"""Reads about reports: what waits to be judged, and what was reported before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, func, select

from fedaid.network.rules.reports import ReportState
from fedaid.network.tables import report

REPORTS_SHOWN_MAX = 100


@dataclass(frozen=True)
class Report:
    """Somebody says that something is wrong with a listing, a response or an actor.

    source        the server it came from, or the member of ours who made it
    reporter      the actor who sent it; Mastodon sends all of a server in the name of one
    subject       what is reported, by its id; ``owner`` answers for it
    forwarded_at  when we passed it on to the owner's own server
    """

    id: int
    source: str
    reporter: str
    subject: str
    owner: str
    comment: str
    state: ReportState
    day: str
    made_at: datetime
    decided_at: datetime | None
    decided_by: str
    forwarded_at: datetime | None


def _report(row: Row[tuple[object, ...]]) -> Report:
    return Report(**{**row._mapping, "state": ReportState(row._mapping["state"])})


def report_by_id(connection: Connection, report_id: int) -> Report | None:
    """The report with this row id."""
    row = connection.execute(select(report).where(report.c.id == report_id)).one_or_none()
    return _report(row) if row is not None else None


def reports(connection: Connection, *, are_open: bool) -> Sequence[Report]:
    """What waits, the oldest first; or what was decided, the newest first."""
    is_open = report.c.state == ReportState.OPEN
    query = select(report).where(is_open if are_open else ~is_open)
    order = report.c.id if are_open else report.c.decided_at.desc()
    return [_report(row) for row in connection.execute(query.order_by(order).limit(REPORTS_SHOWN_MAX))]


def count_open_reports(connection: Connection) -> int:
    """How many wait to be judged."""
    return _count(connection, report.c.state == ReportState.OPEN)


def reports_of_day(connection: Connection, source: str, day: str) -> int:
    """How many came from one server or member on one day."""
    return _count(connection, (report.c.source == source) & (report.c.day == day))


def reports_about(connection: Connection, subject: str) -> int:
    """How often the same thing was reported, by whomever."""
    return _count(connection, report.c.subject == subject)


def is_reported(connection: Connection, subject: str, source: str, day: str) -> bool:
    """Whether this source reported this today already."""
    same = (report.c.subject == subject) & (report.c.source == source) & (report.c.day == day)
    return _count(connection, same) > 0


def _count(connection: Connection, condition: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(report).where(condition)).scalar_one()
