"""Reads of what an account gave and received month by month."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, func, or_, select

from fedaid.timebank import tables
from fedaid.timebank.queries.hours import account_of
from fedaid.timebank.rules.months import Month, last_months


def by_month(connection: Connection, actor: str, now: datetime, zone: ZoneInfo) -> Sequence[Month]:
    """The last twelve months of the account of a member or group of ours, oldest first; none where there is no account.

    Given is what came in for help they gave, received what went out, as on the statement. Months are those of the zone.
    """
    account = account_of(connection, actor)
    if account is None:
        return ()
    table, starts = tables.posting, last_months(now, zone)
    place = case(*((table.c.posted_at >= start, number) for number, start in reversed(list(enumerate(starts)))))
    given = case((table.c.credit == account.id, table.c.minutes), else_=0)
    received = case((table.c.debit == account.id, table.c.minutes), else_=0)
    in_months = (
        select(place.label("place"), given.label("given"), received.label("received"))
        .where(or_(table.c.debit == account.id, table.c.credit == account.id), table.c.posted_at >= starts[0])
        .subquery()
    )
    sums = select(in_months.c.place, func.sum(in_months.c.given), func.sum(in_months.c.received))
    found = {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(sums.group_by(in_months.c.place))}
    return [Month(start, *found.get(number, (0, 0))) for number, start in enumerate(starts)]
