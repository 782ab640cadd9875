"""Carries out what waited, once the peer has shown us our common messages: in the order in which it came."""

import structlog
from sqlalchemy import select

from activitypub.errors import ProtocolError
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import queued, rows, tables
from fedaid.timebank.commands import books, transfers, waiting
from fedaid.timebank.commands.papers import take_waiting_paper
from fedaid.timebank.commands.receive import FindAgreed, take_waiting
from fedaid.timebank.commands.steps import MustWait
from fedaid.timebank.facts import WaitingStepFailed
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.queued import Approval, Claim, Letter, Payment, Refusal, Waiting
from fedaid.timebank.rows import Peer

log = structlog.get_logger()


def carry_out_waiting(work: Work, limits: TimebankLimits, find_agreed: FindAgreed) -> int:
    """Do what waits for peers that have answered; how many steps it were. What cannot be done any more is told."""
    books.lock(work)
    done = 0
    for peer_id in work.connection.execute(select(tables.waiting_step.c.peer_id).distinct()).scalars().all():
        for one in queued.of_peer(work.connection, peer_id, limits.resend_rows_max):
            peer = rows.peer(work.connection, peer_id)
            if peer.must_wait:
                break
            done += _carry_out(work, limits, peer, one, find_agreed)
    return done


def _carry_out(work: Work, limits: TimebankLimits, peer: Peer, one: Waiting, find_agreed: FindAgreed) -> bool:
    """Whether it is over with: done or refused. It goes only together with what it does."""
    try:
        with work.attempt():
            waiting.drop(work, one.n)
            _do(work, limits, peer, one, find_agreed)
    except MustWait:  # the peer has to be asked once more
        return False
    except (Refused, ProtocolError) as refused:
        waiting.drop(work, one.n)
        log.info("waiting_step_failed", step=one.step.kind, transfer=one.step.transfer_id, code=refused.code)
        if not isinstance(one.step, Letter):
            failed = WaitingStepFailed(
                one.step.transfer_id, one.step.kind, refused.code, refused.sentence, queued.decided_by(one.step)
            )
            work.record(failed)
    return True


def _do(work: Work, limits: TimebankLimits, peer: Peer, one: Waiting, find_agreed: FindAgreed) -> None:
    step = one.step
    if isinstance(step, Claim):
        transfers.claim(
            work,
            limits,
            step.key,
            payee=step.payee,
            payer=step.payer,
            minutes=step.minutes,
            engagement=step.engagement,
            proposal=step.proposal,
            note=step.note,
        )
    elif isinstance(step, Payment):
        transfers.pay(
            work,
            limits,
            step.key,
            payer=step.payer,
            payee=step.payee,
            minutes=step.minutes,
            engagement=step.engagement,
            note=step.note,
        )
    elif isinstance(step, Approval):
        transfers.confirm(work, limits, step.transfer_id, step.actor, step.engagement)
    elif isinstance(step, Refusal):
        transfers.refuse(work, limits, step.transfer_id, step.actor)
    else:
        _take_letter(work, limits, peer, step, find_agreed)


def _take_letter(work: Work, limits: TimebankLimits, peer: Peer, letter: Letter, find_agreed: FindAgreed) -> None:
    if "fa:transfer" in letter.document:
        take_waiting(work, limits, peer, letter.document, find_agreed)
    else:
        take_waiting_paper(work, limits, peer, letter.document)
