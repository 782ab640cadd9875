"""What members do with hours: give them, claim them, confirm, refuse, take back."""

import secrets
from datetime import timedelta

from sqlalchemy import insert, select, update

from fedaid.foundation.ids import checked_key, new_key
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, exposure, steps, waiting
from fedaid.timebank.commands.steps import Matter
from fedaid.timebank.facts import HoursClaimed, HoursConfirmed, HoursCredited, HoursRefused
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.queued import Approval, Claim, Payment, Refusal
from fedaid.timebank.rows import LOCAL, Account, Peer, Transfer
from fedaid.timebank.rules import payee as payee_rules
from fedaid.timebank.rules import payer as payer_rules
from fedaid.timebank.rules.books import (
    MINUTES_MAX,
    AccountKind,
    AccountStatus,
    checked_minutes,
    checked_note,
    no_room,
    note_digest,
)
from fedaid.timebank.rules.messages import Deal
from fedaid.timebank.rules.states import Given, LocalState, PayeeState, PayerState, Side
from fedaid.timebank.rules.terms import PeerStatus

SALT_BYTES = 16


def give(
    work: Work,
    key: str,
    *,
    payer: str,
    payee: str,
    minutes: int,
    engagement: str | None = None,
    proposal: str | None = None,
    note: str = "",
    reverses: str | None = None,
) -> str:
    """Hours from one member or group here to another, or to the chest (``payee`` is our ledger), at once.

    Returns the transfer's id; asked again with the same key, nothing happens again. Raises Refused without room.
    ``reverses`` names an earlier transfer the other way round; all that is given back of it is at most its minutes.
    """
    books.lock(work)
    transfer_id = work.names.transfer(checked_key(key))
    if rows.transfer(work.connection, transfer_id) is not None:
        return transfer_id
    debit, credit = _own_account(work, payer), _own_account(work, payee)
    _check_reversal(work, reverses, debit, credit, minutes)
    _insert_local(work, transfer_id, debit, credit, minutes, engagement, proposal, reverses)
    _write_note(work, transfer_id, note)
    _post_local(work, transfer_id)
    return transfer_id


def claim(
    work: Work,
    limits: TimebankLimits,
    key: str,
    *,
    payee: str,
    payer: str,
    minutes: int,
    engagement: str | None = None,
    proposal: str | None = None,
    note: str = "",
    reverses: str | None = None,
) -> str:
    """ "I gave these hours": a member here asks somebody, here or in a neighbouring network, to confirm.

    engagement  the agreement the two made on the board (its id); it can be settled once only
    proposal    the listing it answered (its id), which is told to the payer's network
    reverses    an earlier transfer between two accounts here, the other way round, that this one is to correct

    Returns the transfer's id; asked again with the same key, nothing happens again. Where the other network has to be
    asked first what we may have forgotten, the claim waits for that. Raises Refused.
    """
    books.lock(work)
    transfer_id = work.names.transfer(checked_key(key))
    if _is_known(work, transfer_id):
        return transfer_id
    _check_engagement(work, engagement)
    if work.names.is_ours(payer):
        _claim_here(work, transfer_id, payee, payer, minutes, engagement, proposal, note, reverses)
    else:
        step = Claim(transfer_id, key, payee, payer, minutes, engagement, proposal, checked_note(note))
        _claim_there(work, limits, step)
    return transfer_id


def _is_known(work: Work, transfer_id: str) -> bool:
    return rows.transfer(work.connection, transfer_id) is not None or waiting.is_begun(work, transfer_id)


def _claim_here(
    work: Work,
    transfer_id: str,
    payee: str,
    payer: str,
    minutes: int,
    engagement: str | None,
    proposal: str | None,
    note: str,
    reverses: str | None,
) -> None:
    debit, credit = _own_account(work, payer), _own_account(work, payee)
    _check_reversal(work, reverses, debit, credit, minutes)
    _insert_local(work, transfer_id, debit, credit, minutes, engagement, proposal, reverses)
    _write_note(work, transfer_id, note)
    _tell(work, transfer_id, HoursClaimed)


def _claim_there(work: Work, limits: TimebankLimits, step: Claim) -> None:
    peer = _active_peer(work, step.payer)
    _own_account(work, step.payee)
    checked_minutes(step.minutes, peer.max_transfer)
    fits = exposure.takes_on(work, limits, peer.id, step.minutes)
    if not fits:
        raise Refused(
            "over_line",
            said("%(host)s cannot take on more hours just now; please ask your admin.", host=peer.host),
            409,
        )
    salt = secrets.token_hex(SALT_BYTES)
    matter = Matter(
        limits,
        peer,
        Side.PAYEE,
        step.transfer_id,
        Deal(step.payer, step.payee, step.minutes, step.proposal),
        end_time=work.now + timedelta(days=peer.offer_lifetime_days),
        engagement=step.engagement,
        note_digest=note_digest(salt, step.note) if step.note else None,
    )
    with waiting.until_synced(work, limits, peer, step):
        steps.at_payee(work, matter, payee_rules.Input.CLAIM, Given(fits=fits))
        _write_note(work, step.transfer_id, step.note, salt)


def pay(
    work: Work,
    limits: TimebankLimits,
    key: str,
    *,
    payer: str,
    payee: str,
    minutes: int,
    engagement: str | None = None,
    note: str = "",
) -> str:
    """A member here pays somebody in a neighbouring network: the hours are on hold until theirs has claimed them.

    Returns the transfer's id; asked again with the same key, nothing happens again. Where the other network has to be
    asked first what we may have forgotten, the payment waits for that. Raises Refused.
    """
    books.lock(work)
    transfer_id = work.names.transfer(checked_key(key))
    if _is_known(work, transfer_id):
        return transfer_id
    _check_engagement(work, engagement)
    peer, account = _active_peer(work, payee), _own_account(work, payer)
    checked_minutes(minutes, peer.max_transfer)
    exposure.check_may_owe(work, limits, peer.id, minutes)
    ends = work.now + timedelta(days=peer.offer_lifetime_days)
    deal, step = (
        Deal(payer, payee, minutes),
        Payment(transfer_id, key, payer, payee, minutes, engagement, checked_note(note)),
    )
    matter = Matter(limits, peer, Side.PAYER, transfer_id, deal, end_time=ends, engagement=engagement)
    given = Given(fits=account.has_room_for(minutes))
    with waiting.until_synced(work, limits, peer, step):
        steps.at_payer(work, matter, payer_rules.Input.ORDER, given)
        _write_note(work, transfer_id, note)
    return transfer_id


def confirm(work: Work, limits: TimebankLimits, transfer_id: str, actor: str, engagement: str | None = None) -> None:
    """The payer says that the help was given: the hours go, for good. Confirming twice changes nothing.

    ``engagement`` is the agreement on the board that it settles, where the claim did not say. Where the other network
    has to be asked first what we may have forgotten, the confirmation waits for that.
    Raises NotFound for somebody else's claim, Refused without room or when it was refused already.
    """
    books.lock(work)
    found = _own_transfer(work, transfer_id, actor, payer=True)
    if found.peer_id is None:
        _confirm_here(work, found)
        return
    _note_engagement(work, found, engagement)
    account = rows.account(work.connection, found.debit)
    given = Given(fits=account.has_room_for(found.minutes))
    matter = steps.matter_of(work, limits, found)
    with waiting.until_synced(work, limits, matter.peer, Approval(transfer_id, actor, engagement)):
        if found.state is PayerState.OFFERED and given.fits:
            exposure.check_may_owe(work, limits, matter.peer.id, found.minutes)
        steps.at_payer(work, matter, payer_rules.Input.APPROVE, given)


def refuse(work: Work, limits: TimebankLimits, transfer_id: str, actor: str) -> None:
    """The payer refuses a claim, or takes a payment back that was not claimed yet; no-op once it was confirmed.

    Raises NotFound for somebody else's claim.
    """
    books.lock(work)
    found = _own_transfer(work, transfer_id, actor, payer=True)
    if found.peer_id is None:
        close_local(work, found, LocalState.REFUSED)
        return
    reason = "withdrawn" if found.state is PayerState.INVITED else "refused"
    matter = steps.matter_of(work, limits, found, reason)
    with waiting.until_synced(work, limits, matter.peer, Refusal(transfer_id, actor)):
        steps.at_payer(work, matter, payer_rules.Input.REFUSE, Given())


def withdraw(work: Work, limits: TimebankLimits, transfer_id: str, actor: str) -> None:
    """The payee takes a claim back, or a payer a payment that is still on hold.

    In a neighbouring network the payee's is only a request: a confirmation may be under way.

    Raises NotFound for somebody else's claim, Refused when the hours have arrived already.
    """
    books.lock(work)
    if waiting.take_back(work, transfer_id, actor):
        return
    invited = rows.transfer(work.connection, transfer_id)
    if invited is not None and invited.state is PayerState.INVITED:
        refuse(work, limits, transfer_id, actor)
        return
    found = _own_transfer(work, transfer_id, actor, payer=False)
    if found.peer_id is None:
        close_local(work, found, LocalState.WITHDRAWN)
        return
    matter = steps.matter_of(work, limits, found, "withdrawn")
    steps.at_payee(work, matter, payee_rules.Input.CANCEL, Given())


def take_late(work: Work, limits: TimebankLimits, transfer_id: str) -> None:
    """An admin credits hours whose Accept came after they had been given up, beyond the line."""
    books.lock(work)
    found = rows.transfer(work.connection, transfer_id)
    if found is None or found.kind != Side.PAYEE:
        raise NotFound
    steps.at_payee(work, steps.matter_of(work, limits, found), payee_rules.Input.TAKE_LATE, Given())


def erase_note(work: Work, transfer_id: str) -> None:
    """Forget what was written with a transfer, and the salt: its digest in the signed messages then says nothing."""
    work.connection.execute(
        update(tables.note).where(tables.note.c.transfer_id == transfer_id).values(text="", salt="")
    )


# transfers between two accounts here


def _insert_local(
    work: Work,
    transfer_id: str,
    debit: Account,
    credit: Account,
    minutes: int,
    engagement: str | None,
    proposal: str | None,
    reverses: str | None,
) -> None:
    _check_engagement(work, engagement)
    if debit.id == credit.id:
        raise Refused("same_account", "Hours go from one account to another.")
    work.connection.execute(
        insert(tables.transfer).values(
            id=transfer_id,
            kind=LOCAL,
            debit=debit.id,
            credit=credit.id,
            minutes=checked_minutes(minutes),
            state=LocalState.PENDING,
            held=False,
            reverses=reverses,
            engagement=engagement,
            proposal=proposal,
            created_at=work.now,
            changed_at=work.now,
        )
    )


def move_by_admin(work: Work, *, debit: int, credit: int, minutes: int, reverses: str | None = None) -> list[str]:
    """Hours from one account here to another because an admin says so, below its limit too; the transfers' ids."""
    made = []
    while minutes > 0:
        part = min(minutes, MINUTES_MAX)
        transfer_id = work.names.transfer(new_key())
        accounts = rows.account(work.connection, debit), rows.account(work.connection, credit)
        _insert_local(work, transfer_id, *accounts, part, None, None, reverses)
        found = rows.transfer(work.connection, transfer_id)
        assert found is not None  # noqa: S101 - just written
        books.move(work, found, books.BY_ADMIN, limited=False)
        _set_local(work, transfer_id, LocalState.POSTED)
        made.append(transfer_id)
        minutes -= part
    return made


def _confirm_here(work: Work, found: Transfer) -> None:
    if found.state in (LocalState.REFUSED, LocalState.WITHDRAWN):
        raise Refused("too_late", "This claim has been refused or withdrawn already.", 409)
    if found.state is LocalState.PENDING:
        _post_local(work, found.id)


def _post_local(work: Work, transfer_id: str) -> None:
    found = rows.transfer(work.connection, transfer_id)
    if found is None:
        raise NotFound
    if not rows.account(work.connection, found.debit).has_room_for(found.minutes):
        raise no_room(found.minutes)
    books.move(work, found, books.BY_HAND, limited=True)
    _set_local(work, transfer_id, LocalState.POSTED)
    _tell(work, transfer_id, HoursConfirmed, HoursCredited)


def close_local(work: Work, found: Transfer, state: LocalState) -> None:
    """Turn down a claim between two members here that was not confirmed yet."""
    if found.state is not LocalState.PENDING:
        return
    _set_local(work, found.id, state)
    hours = steps.hours_of(work, found.id)
    if hours is not None:
        work.record(HoursRefused(hours, state.value))


def _set_local(work: Work, transfer_id: str, state: LocalState) -> None:
    values = {"state": state, "changed_at": work.now}
    work.connection.execute(update(tables.transfer).where(tables.transfer.c.id == transfer_id).values(values))


def _tell(
    work: Work, transfer_id: str, *facts: type[HoursClaimed] | type[HoursConfirmed] | type[HoursCredited]
) -> None:
    hours = steps.hours_of(work, transfer_id)
    if hours is not None:
        for fact in facts:
            work.record(fact(hours))


# what is checked


def _own_account(work: Work, actor: str) -> Account:
    if actor == work.names.ledger:
        return rows.account(work.connection, books.open_chest(work))
    found = rows.account_of(work.connection, actor)
    if found is None:
        raise Refused("no_account", "There is no account of hours here for this person.", 404)
    if found.status is AccountStatus.CLOSED:
        raise Refused("account_closed", "This account is closed.", 409)
    return found


def _active_peer(work: Work, actor: str) -> Peer:
    peer = rows.peer_of_person(work.connection, actor)
    if peer is None or peer.status is not PeerStatus.ACTIVE:
        raise Refused("no_link", "Hours cannot go to this network: there is no open link between the timebanks.", 409)
    return peer


def _own_transfer(work: Work, transfer_id: str, actor: str, *, payer: bool) -> Transfer:
    """The transfer, if this actor's account is at the named end of it (attack S47: else as if there were none)."""
    found = rows.transfer(work.connection, transfer_id)
    if found is None:
        raise NotFound
    account = rows.account(work.connection, found.debit if payer else found.credit)
    if owner_of(work, account) != actor:
        raise NotFound
    return found


def owner_of(work: Work, account: Account) -> str | None:
    """Whose account it is; the chest's owner is our ledger, and an account with another network has none."""
    return work.names.ledger if account.kind is AccountKind.CHEST else account.actor


def _check_engagement(work: Work, engagement: str | None) -> None:
    if engagement is not None and rows.is_settled(work.connection, engagement):
        raise Refused("engagement_settled", "The hours of this agreement have been logged already.", 409)


def _note_engagement(work: Work, found: Transfer, engagement: str | None) -> None:
    if engagement is None or found.engagement is not None or found.state is not PayerState.OFFERED:
        return
    _check_engagement(work, engagement)
    values = {"engagement": engagement}
    work.connection.execute(update(tables.transfer).where(tables.transfer.c.id == found.id).values(values))


def _check_reversal(work: Work, reverses: str | None, debit: Account, credit: Account, minutes: int) -> None:
    if reverses is None:
        return
    original = rows.transfer(work.connection, reverses)
    moved = (LocalState.POSTED, PayerState.ACCEPTED, PayerState.SETTLED, PayeeState.CREDITED)
    if original is None or original.state not in moved or (original.debit, original.credit) != (credit.id, debit.id):
        raise Refused("not_reversible", "Only hours that went the other way can be given back.", 409)
    stands = tables.transfer.c.state.not_in([LocalState.REFUSED.value, LocalState.WITHDRAWN.value])
    query = select(tables.transfer.c.minutes).where(tables.transfer.c.reverses == reverses, stands)
    given_back = sum(work.connection.execute(query).scalars())
    if given_back + minutes > original.minutes:
        raise Refused("reversed_already", "More than was given cannot be given back.", 409)


def _write_note(work: Work, transfer_id: str, note: str, salt: str | None = None) -> None:
    text = checked_note(note)
    if text:
        values = {"transfer_id": transfer_id, "salt": salt or secrets.token_hex(SALT_BYTES), "text": text}
        work.connection.execute(insert(tables.note).values(values))
