"""What happens in one room because of what happened in another that stands beside it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from fedaid.board import commands as board
from fedaid.board import queries as board_queries
from fedaid.board.rules import MatchState
from fedaid.foundation.work import Announcer, Work
from fedaid.timebank.commands import Agreed
from fedaid.timebank.facts import Hours, HoursClaimed, HoursConfirmed, HoursCredited, HoursRefused
from fedaid.timebank.rules.messages import Deal


def _agreement_of(work: Work, hours: Hours) -> str | None:
    """The agreement that these hours are for; the payer's side knows it by the listing and the two people."""
    if hours.engagement is not None:
        return hours.engagement
    if hours.proposal is None:
        return None
    found = board_queries.match_for_proposal(work.connection, hours.proposal, hours.payee, hours.payer)
    return found.agreement_uri if found is not None else None


def _note_claim(work: Work, fact: object) -> None:
    if isinstance(fact, HoursClaimed) and (agreement := _agreement_of(work, fact.hours)):
        board.log_hours(work, agreement)


def _settle(work: Work, fact: object) -> None:
    if isinstance(fact, HoursConfirmed | HoursCredited) and (agreement := _agreement_of(work, fact.hours)):
        board.settle_match(work, agreement)


def _forget_claim(work: Work, fact: object) -> None:
    if isinstance(fact, HoursRefused) and (agreement := _agreement_of(work, fact.hours)):
        board.log_hours(work, agreement, logged=False)


def agreed_hours(connection: Connection, deal: Deal) -> Agreed | None:
    """What the two of a claim agreed on: a match about the listing that it names, which was not settled yet."""
    if deal.proposal is None:
        return None
    found = board_queries.match_for_proposal(connection, deal.proposal, deal.payee, deal.payer)
    if found is None or found.minutes is None or found.state is not MatchState.ACCEPTED:
        return None
    return Agreed(found.agreement_uri, found.minutes)


ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {
    HoursClaimed: (_note_claim,),
    HoursConfirmed: (_settle,),
    HoursCredited: (_settle,),
    HoursRefused: (_forget_claim,),
}
