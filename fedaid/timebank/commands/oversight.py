"""What an admin does about other networks besides the link itself: look at alarms, ask for a statement."""

from sqlalchemy import update

from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, statements
from fedaid.timebank.limits import TimebankLimits


def see(work: Work, number: int) -> None:
    """An admin has looked at this alarm; harmless when somebody had already."""
    unseen = (tables.alarm.c.n == number) & tables.alarm.c.seen_at.is_(None)
    work.connection.execute(update(tables.alarm).where(unseen).values(seen_at=work.now))


def state_now(work: Work, limits: TimebankLimits, ledger_actor: str) -> int:
    """Propose a statement to this peer now; its number. Raises NotFound, and Refused where there can be none."""
    books.lock(work)
    peer = rows.peer_by_actor(work.connection, ledger_actor)
    if peer is None:
        raise NotFound
    if not statements.proposes(work, peer):
        raise Refused(
            "not_ours_to_state", said("With %(host)s it is their side that makes the statements.", host=peer.host), 409
        )
    made = statements.make_due(work, limits, peer.id, now=True)
    if made is None:
        raise Refused(
            "nothing_to_state",
            said("No statement can be made now: %(host)s has to answer us first, or has left.", host=peer.host),
            409,
        )
    return made.statement.number
