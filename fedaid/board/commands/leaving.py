"""What becomes of somebody's things on the board when they leave the neighbourhood."""

from sqlalchemy import delete, select

from fedaid.board import queries
from fedaid.board.commands.listings import withdraw_listing
from fedaid.board.commands.responses import alive_responses, withdraw_response
from fedaid.board.rules import TAKES_RESPONSES, ListingState, ResponseState
from fedaid.board.tables import listing, listing_draft, response
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work


def clear_out(work: Work, member: Viewer) -> None:
    """Take down what still waits for an answer, and take back what they offered; what was done stays."""
    mine = (listing.c.author_member_id == member.member_id) & listing.c.state.in_(
        sorted({*TAKES_RESPONSES, ListingState.DRAFT})
    )
    for listing_id in work.connection.execute(select(listing.c.id).where(mine).order_by(listing.c.id)).scalars().all():
        withdraw_listing(work, member, listing_id)
    work.connection.execute(delete(listing_draft).where(listing_draft.c.member_id == member.member_id))
    alive = response.c.state.in_([ResponseState.OFFERED, ResponseState.ACCEPTED])
    offered = (response.c.helper_member_id == member.member_id) & alive
    for row in work.connection.execute(select(response).where(offered).order_by(response.c.id)).all():
        one = queries.response_of(row)
        if one in alive_responses(work, one.listing_id, one.helper_actor):
            withdraw_response(work, member, one.id)
