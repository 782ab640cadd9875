"""Writes on the board: what members do, and what is received from neighbouring boards and from the fediverse."""

from fedaid.board.commands.beside import (
    NewPhoto,
    checked_alt,
    forget_draft,
    forget_photo,
    keep_photo,
    save_draft,
    say_alt,
)
from fedaid.board.commands.categories import add_category, rename_category, retire_category, seed_categories
from fedaid.board.commands.farewell import forget_person
from fedaid.board.commands.leaving import clear_out
from fedaid.board.commands.listings import (
    as_listing,
    chosen_board,
    edit_listing,
    expire_due,
    extend_again,
    extend_listing,
    hide_listing,
    post_listing,
    stay_days,
    withdraw_for,
    withdraw_listing,
)
from fedaid.board.commands.looks import approve_listing, decline_listing
from fedaid.board.commands.matches import cancel_match, log_hours, mark_done, settle_match
from fedaid.board.commands.reactions import receive_reaction, undo_reaction, undo_reactions
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
from fedaid.board.commands.remarks import edit_remark, forget_remark, make_remark, note_said, receive_remark, tell_of
from fedaid.board.commands.responses import accept_response, decline_response, respond, withdraw_response
from fedaid.board.commands.tombstones import bury, forget_tombstones

__all__ = [
    "NewPhoto",
    "Terms",
    "accept_response",
    "add_category",
    "approve_listing",
    "as_listing",
    "bury",
    "cancel_match",
    "checked_alt",
    "chosen_board",
    "clear_out",
    "decline_listing",
    "decline_response",
    "edit_listing",
    "edit_remark",
    "expire_due",
    "extend_again",
    "extend_listing",
    "forget_draft",
    "forget_person",
    "forget_photo",
    "forget_remark",
    "forget_tombstones",
    "hide_listing",
    "keep_photo",
    "log_hours",
    "make_remark",
    "mark_done",
    "note_said",
    "post_listing",
    "receive_accept",
    "receive_delete",
    "receive_listing",
    "receive_offer",
    "receive_reaction",
    "receive_reject",
    "receive_remark",
    "receive_reply",
    "receive_undo",
    "rename_category",
    "respond",
    "retire_category",
    "save_draft",
    "say_alt",
    "seed_categories",
    "settle_match",
    "stay_days",
    "tell_of",
    "undo_reaction",
    "undo_reactions",
    "withdraw_for",
    "withdraw_listing",
    "withdraw_response",
]
