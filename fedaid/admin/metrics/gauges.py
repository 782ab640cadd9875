"""Reads from the database what waits, what failed and how hosts and hours stand; how often, ``gauges_seconds`` says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from fedaid.foundation import errands
from fedaid.foundation.clock import milliseconds
from fedaid.notices.queries import mails
from fedaid.timebank import queries as hours
from inbox import queries as letters
from inbox.journal import backlog
from inbox.tables import State
from outbox import health


@dataclass(frozen=True)
class Holding:
    """What the database holds at one instant; all of it counts, but for ages in seconds."""

    letters_waiting: int = 0
    letters_overdue_seconds: float = 0.0
    letters_failed: int = 0
    deliveries_waiting: int = 0
    deliveries_overdue_seconds: float = 0.0
    hosts: Mapping[str, int] = field(default_factory=dict)
    errands_waiting: int = 0
    mails: Mapping[str, int] = field(default_factory=dict)
    transfers: Mapping[tuple[str, ...], int] = field(default_factory=dict)


def read(connection: Connection, now: datetime, letters_max: int) -> Holding:
    """What is held now; waiting letters are counted no further than ``letters_max``."""
    now_ms = milliseconds(now)
    return Holding(
        letters_waiting=backlog(connection, letters_max),
        letters_overdue_seconds=_seconds_since(letters.overdue_since_ms(connection, now_ms), now_ms),
        letters_failed=letters.count(connection, State.FAILED),
        deliveries_waiting=health.count_waiting(connection),
        deliveries_overdue_seconds=_seconds_since(health.overdue_since_ms(connection, now_ms), now_ms),
        hosts=health.count_hosts(connection),
        errands_waiting=errands.count(connection),
        mails={state.value: count for state, count in mails.counts(connection).items()},
        transfers=hours.count_by_state(connection),
    )


def _seconds_since(since_ms: int | None, now_ms: int) -> float:
    return 0.0 if since_ms is None else max(0, now_ms - since_ms) / 1000
