"""Somebody who has to confirm hours asks first: the claim goes on waiting, and a coordinator looks at it."""

from sqlalchemy import insert, select, update

from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.timebank import queries, rows, tables
from fedaid.timebank.commands import books
from fedaid.timebank.commands.steps import hours_of
from fedaid.timebank.commands.transfers import owner_of
from fedaid.timebank.facts import HoursExplained, HoursQuestioned
from fedaid.timebank.rules.books import checked_reason
from fedaid.timebank.rules.states import LocalState, PayerState

ASKABLE = (LocalState.PENDING, PayerState.OFFERED)


def ask(work: Work, transfer_id: str, actor: str, reason: str) -> None:
    """The payer does not see what a claim is for, and says so; asked anew, the newer words count.

    It changes nothing in the books: the claim can still be confirmed or refused. Raises NotFound, Refused.
    """
    books.lock(work)
    found = rows.transfer(work.connection, transfer_id)
    if found is None or owner_of(work, rows.account(work.connection, found.debit)) != actor:
        raise NotFound
    if found.state not in ASKABLE:
        raise Refused("too_late", "This is decided already; you can correct it on your statement.", 409)
    table, values = tables.question, {"asked_by": actor, "reason": checked_reason(reason), "at": work.now}
    known = work.connection.execute(select(table).where(table.c.transfer_id == transfer_id)).first()
    if known is None:
        work.connection.execute(insert(table).values(transfer_id=transfer_id, **values))
    else:
        work.connection.execute(update(table).where(table.c.transfer_id == transfer_id).values(values))
    hours = hours_of(work, transfer_id)
    if hours is not None:
        work.record(HoursQuestioned(transfer_id, hours.payee))


def answer(work: Work, transfer_id: str, actor: str, words: str) -> None:
    """The one who claimed, or a coordinator, answers a question. Who may is checked by the caller. Raises NotFound."""
    table = tables.question
    values = {"answer": checked_reason(words), "answered_by": actor}
    if work.connection.execute(update(table).where(table.c.transfer_id == transfer_id).values(values)).rowcount != 1:
        raise NotFound
    asked_by = work.connection.execute(select(table.c.asked_by).where(table.c.transfer_id == transfer_id)).scalar_one()
    work.record(HoursExplained(transfer_id, asked_by))


def explain(work: Work, who: Viewer, transfer_id: str, words: str) -> bool:
    """Answer a question about a claim: the one who claimed, which is told, or a coordinator. Raises NotFound."""
    found = queries.transfer_for(work.connection, transfer_id, who.actor)
    is_mine = found is not None and found.given
    if not is_mine and not who.is_coordinator:
        raise NotFound
    answer(work, transfer_id, who.actor, words)
    return is_mine
