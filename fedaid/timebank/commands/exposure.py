"""What all neighbouring networks together may owe us, and we them: the caps above the lines of the single ones."""

from collections.abc import Mapping

from sqlalchemy import func, select

from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Account
from fedaid.timebank.rules.books import AccountKind
from fedaid.timebank.rules.states import PayerState, Side


def takes_on(work: Work, limits: TimebankLimits, peer_id: int, minutes: int) -> bool:
    """Whether this peer may owe us so much more: within its line, and within what all may owe us together."""
    line = rows.clearing(work.connection, peer_id)
    return line is not None and line.has_room_for(minutes) and is_below_cap(work, limits, peer_id, minutes)


def is_below_cap(work: Work, limits: TimebankLimits, peer_id: int, minutes: int) -> bool:
    """Whether all peers together owe us no more than they may, should this one owe us so much more."""
    owed = {line.peer_id: line.held - line.balance for line in _lines(work)}
    return _sum(owed, peer_id, minutes) <= limits.owed_to_us_minutes_max


def may_owe(work: Work, limits: TimebankLimits, peer_id: int, minutes: int) -> bool:
    """Whether we may owe this peer so much more, as far as what we owe all of them together goes."""
    owed = {line.peer_id: line.balance for line in _lines(work)}
    for paid_to, on_its_way in _invited(work).items():
        owed[paid_to] = owed.get(paid_to, 0) + on_its_way
    return _sum(owed, peer_id, minutes) <= limits.owed_by_us_minutes_max


def check_may_owe(work: Work, limits: TimebankLimits, peer_id: int, minutes: int) -> None:
    """Raises Refused when we would owe our neighbours more than we may."""
    if not may_owe(work, limits, peer_id, minutes):
        raise Refused(
            "over_cap", "Our network owes its neighbours as many hours as it may for now; please ask your admin.", 409
        )


def _lines(work: Work) -> list[Account]:
    query = select(tables.account).where(tables.account.c.kind == AccountKind.CLEARING)
    return [rows.account_of_row(row) for row in work.connection.execute(query)]


def _invited(work: Work) -> Mapping[int, int]:
    table = tables.transfer
    on_its_way = (table.c.kind == Side.PAYER) & (table.c.state == PayerState.INVITED)
    query = select(table.c.peer_id, func.sum(table.c.minutes).label("minutes")).where(on_its_way)
    return {row.peer_id: int(row.minutes) for row in work.connection.execute(query.group_by(table.c.peer_id))}


def _sum(owed: Mapping[int | None, int], peer_id: int, more: int) -> int:
    then = {**owed, peer_id: owed.get(peer_id, 0) + more}
    return sum(max(minutes, 0) for minutes in then.values())
