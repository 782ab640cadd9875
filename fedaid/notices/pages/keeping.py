"""Keeping a listing longer out of a mail: a link to a page with one button, which needs no sign-in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from fedaid.board import commands as board_commands
from fedaid.board import queries as board
from fedaid.board.limits import BoardLimits
from fedaid.board.queries import Listing
from fedaid.board.rules import ON_THE_BOARD, TAKES_RESPONSES, ListingState
from fedaid.foundation.pages import AgreementNeeded, Form, house, render
from fedaid.foundation.refused import NotFound
from fedaid.foundation.viewer import Viewer
from fedaid.members import queries as members
from fedaid.notices.queries import mails
from fedaid.notices.rules import Keeping, keeping_of_token

A_SECOND: Final = timedelta(seconds=1)  # what stands in a link is whole seconds


def keeping_page(request: Request) -> Response:
    """A button that keeps a listing longer, for whoever has the link. It only asks, as programs open links too."""
    with house(request).database.read() as connection:
        asked = _asked(request, connection)
        found, author = _about(connection, asked)
    return _page(request, found, author, asked)


def keep_longer(limits: BoardLimits) -> Callable[[Request, Form], Response]:
    """How a listing is kept longer."""

    def post(request: Request, form: Form) -> Response:
        """Keep the listing longer, once for each end that it had: a second press changes nothing."""
        with house(request).units.begin() as work:
            asked = _asked(request, work.connection)
            found, author = _about(work.connection, asked)
            if _may_be_kept(found, asked):
                if author.owes_agreement:
                    raise AgreementNeeded
                board_commands.keep_longer(work, author, found.id, limits)
                found, author = _about(work.connection, asked)
        return _page(request, found, author, asked)

    return post


def _asked(request: Request, connection: Connection) -> Keeping:
    return keeping_of_token(mails.signing_key(connection) or b"", request.query_params.get("token", ""))


def _about(connection: Connection, asked: Keeping) -> tuple[Listing, Viewer]:
    """The listing with its author. Raises NotFound where one of them is gone."""
    found = board.any_listing(connection, asked.listing_id)
    author = members.viewer_by_id(connection, found.author_member_id or 0) if found is not None else None
    if found is None or author is None:
        raise NotFound
    return board.listing(connection, author, found.id), author


def _may_be_kept(found: Listing, asked: Keeping) -> bool:
    """Whether it ends as it did when the mail was written, or did so; whoever reads late has it come back."""
    same = found.expires_at is not None and found.expires_at < asked.expires_at + A_SECOND
    return same and found.state in (*TAKES_RESPONSES, ListingState.EXPIRED)


def _page(request: Request, found: Listing, author: Viewer, asked: Keeping) -> Response:
    answer = render(
        request,
        "notices/keep_longer.html",
        token=request.query_params.get("token", ""),
        listing=found,
        may_be_kept=_may_be_kept(found, asked),
        stands=found.state in ON_THE_BOARD,
        zone=author.time_zone,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
