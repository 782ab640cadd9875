"""Writes on the board: what members do, and what is received from neighbouring boards and from the fediverse."""

from fedaid.board.commands.leaving import clear_out
from fedaid.board.commands.listings import (
    edit_listing,
    expire_due,
    extend_listing,
    post_listing,
    seed_categories,
    withdraw_listing,
)
from fedaid.board.commands.matches import cancel_match, log_hours, mark_done, settle_match
from fedaid.board.commands.receive import (
    Terms,
    receive_accept,
    receive_delete,
    receive_listing,
    receive_offer,
    receive_reject,
    receive_reply,
    receive_undo,
)
from fedaid.board.commands.responses import accept_response, decline_response, respond, withdraw_response

__all__ = [
    "Terms",
    "accept_response",
    "cancel_match",
    "clear_out",
    "decline_response",
    "edit_listing",
    "expire_due",
    "extend_listing",
    "log_hours",
    "mark_done",
    "post_listing",
    "receive_accept",
    "receive_delete",
    "receive_listing",
    "receive_offer",
    "receive_reject",
    "receive_reply",
    "receive_undo",
    "respond",
    "seed_categories",
    "settle_match",
    "withdraw_listing",
    "withdraw_response",
]
