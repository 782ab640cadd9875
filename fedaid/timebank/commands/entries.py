"""What is noted beside a transfer: who entered it for somebody else, and which earlier one it corrects."""

from sqlalchemy import insert, or_, select, update

from fedaid.foundation.ids import checked_key
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, transfers
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Transfer
from fedaid.timebank.rules.states import LocalState, PayeeState, PayerState

MOVED = (LocalState.POSTED, PayerState.ACCEPTED, PayerState.SETTLED, PayeeState.CREDITED)
# A correction in one of these states takes nothing away from what may still be corrected.
_FELL_THROUGH = ("refused", "withdrawn", "rejected", "void", "abandoned")


def entered_by(work: Work, transfer_id: str, actor: str) -> None:
    """Note that somebody else than the account's owner entered this; the first to do so stays."""
    _note(work, transfer_id, entered_by=actor)


def _note(work: Work, transfer_id: str, **values: str) -> None:
    table = tables.entry
    known = work.connection.execute(select(table).where(table.c.transfer_id == transfer_id)).one_or_none()
    if known is None:
        work.connection.execute(insert(table).values(transfer_id=transfer_id, at=work.now, **values))
        return
    new = {name: value for name, value in values.items() if getattr(known, name) is None}
    if new:
        work.connection.execute(update(table).where(table.c.transfer_id == transfer_id).values(new))


def correct(
    work: Work, limits: TimebankLimits, key: str, transfer_id: str, actor: str, *, minutes: int, note: str = ""
) -> str:
    """Undo hours that moved, in whole or in part, by an opposite transfer that names the one it corrects.

    Whoever has the hours gives them back at once; whoever gave them away asks for them back, and the other confirms.
    Returns the new transfer's id; asked again with the same key, nothing happens again. Raises NotFound, Refused.
    """
    books.lock(work)
    found = _moved(work, transfer_id)
    ends = [rows.account(work.connection, one) for one in (found.debit, found.credit)]
    debit, credit = (transfers.owner_of(work, one) for one in ends)
    other = found.remote_actor or (debit if actor == credit else credit)
    if actor not in (debit, credit) or other is None:  # none: what an admin wrote off is undone with the network
        raise NotFound
    made = work.names.transfer(checked_key(key))
    if rows.transfer(work.connection, made) is None:
        _check_left(work, found, minutes)
    gives_back = actor == credit
    if gives_back:
        made = _give_back(work, limits, key, found, actor, other, minutes, note)
    else:
        reverses = found.id if found.peer_id is None else None
        made = transfers.claim(
            work, limits, key, payee=actor, payer=other, minutes=minutes, note=note, reverses=reverses
        )
    _note(work, made, corrects=found.id)
    return made


def _give_back(
    work: Work, limits: TimebankLimits, key: str, found: Transfer, actor: str, other: str, minutes: int, note: str
) -> str:
    if found.peer_id is not None:
        return transfers.pay(work, limits, key, payer=actor, payee=other, minutes=minutes, note=note)
    return transfers.give(work, key, payer=actor, payee=other, minutes=minutes, note=note, reverses=found.id)


def _moved(work: Work, transfer_id: str) -> Transfer:
    found = rows.transfer(work.connection, transfer_id)
    if found is None:
        raise NotFound
    if found.state not in MOVED:
        raise Refused("not_reversible", "Only hours that have gone can be corrected.", 409)
    return found


def _check_left(work: Work, found: Transfer, minutes: int) -> None:
    """All corrections together never come to more than the original, those that still wait included."""
    table, entry = tables.transfer, tables.entry
    query = select(table.c.minutes).outerjoin(entry, entry.c.transfer_id == table.c.id)
    corrects = or_(entry.c.corrects == found.id, table.c.reverses == found.id)
    corrected = sum(work.connection.execute(query.where(corrects, table.c.state.not_in(_FELL_THROUGH))).scalars())
    if corrected + minutes > found.minutes:
        raise Refused("reversed_already", "More than was given cannot be given back.", 409)
