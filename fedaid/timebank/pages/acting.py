"""For whom somebody acts on a page of hours: themselves, a group, the chest, or a neighbour without internet."""

from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request

from fedaid.foundation.pages import house, member
from fedaid.foundation.refused import NotFound
from fedaid.foundation.work import Work
from fedaid.timebank import commands, queries
from fedaid.timebank.queries import Holder


def acting_for(request: Request, connection: Connection, handle: str) -> Holder:
    """Whose hours the page is about. Raises NotFound where the viewer may not act for this account (attack S47)."""
    found = queries.holder(connection, member(request), handle, house(request).names.ledger)
    if found is None:
        raise NotFound
    return found


def note_who(request: Request, work: Work, holder: Holder, transfer_id: str) -> None:
    """What is entered for somebody else is marked so, wherever it is shown."""
    if not holder.is_own:
        commands.entered_by(work, transfer_id, member(request).actor)


def home_of(holder: Holder) -> str:
    """The hours' page of this account."""
    return "/hours" if holder.is_own else "/hours?" + urlencode({"for": holder.handle})
