"""Moves hours for a form or a program: for an agreement, a listing or nothing, to somebody here or elsewhere."""

from dataclasses import dataclass

from sqlalchemy import Connection

from fedaid.board import queries as board
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.timebank import commands
from fedaid.timebank.limits import TimebankLimits

GIVE, CLAIM = "give", "claim"


@dataclass(frozen=True)
class About:
    """What the hours are for."""

    agreed: board.Agreed | None
    proposal: str | None

    @property
    def engagement(self) -> str | None:
        return self.agreed.match.agreement_uri if self.agreed else None


def move(
    work: Work,
    limits: TimebankLimits,
    kind: str,
    key: str,
    *,
    holder: str,
    other: str,
    minutes: int,
    about: About,
    note: str,
) -> str:
    """Give hours of this account, or claim them for it; the transfer's id.

    Asked again with the same key, nothing happens again. Raises Refused.
    """
    engagement = about.engagement
    if kind == CLAIM:
        return commands.claim(
            work,
            limits,
            key,
            payee=holder,
            payer=other,
            minutes=minutes,
            engagement=engagement,
            proposal=about.proposal,
            note=note,
        )
    commands.make_room(work, holder, minutes, limits.max_transfer_minutes)
    if not work.names.is_ours(other):
        return commands.pay(
            work, limits, key, payer=holder, payee=other, minutes=minutes, engagement=engagement, note=note
        )
    return commands.give(
        work,
        key,
        payer=holder,
        payee=other,
        minutes=minutes,
        engagement=engagement,
        proposal=about.proposal,
        note=note,
    )


def agreement_of(connection: Connection, who: Viewer, agreement: str, *, gives: bool = True) -> board.Agreed:
    """The match of this agreement in which the viewer is at this end. Raises NotFound."""
    found = next((one for one in board.my_matches(connection, who) if one.match.agreement_uri == agreement), None)
    if found is None or found.gives is not gives:
        raise NotFound
    return found


def own_listing(connection: Connection, who: Viewer, chosen: str) -> str | None:
    """The listing of the viewer's own that was chosen, by its id on the wire; None for none. Raises Refused."""
    if not chosen:
        return None
    if chosen not in {one.uri for one in board.my_listings(connection, who)}:
        raise Refused("no_listing", "This is not one of your listings; please choose again.", 422)
    return chosen
