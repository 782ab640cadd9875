"""Writes of the timebank: accounts, what members do with hours, and what peers' ledgers send."""

from fedaid.timebank.commands.books import open_account, open_chest, set_floor, set_status, set_switches
from fedaid.timebank.commands.entries import correct, entered_by
from fedaid.timebank.commands.keys import renew_key
from fedaid.timebank.commands.leaving import leave, sweep_leavers
from fedaid.timebank.commands.oversight import see, state_now
from fedaid.timebank.commands.papers import receive_paper
from fedaid.timebank.commands.purses import let_spend, make_room, make_room_for, open_purse, stop_spending
from fedaid.timebank.commands.questions import answer, ask, explain
from fedaid.timebank.commands.receive import Agreed, FindAgreed, receive
from fedaid.timebank.commands.transfers import (
    claim,
    confirm,
    erase_note,
    give,
    pay,
    refuse,
    take_late,
    withdraw,
)

__all__ = [
    "Agreed",
    "FindAgreed",
    "answer",
    "ask",
    "claim",
    "confirm",
    "correct",
    "entered_by",
    "erase_note",
    "explain",
    "give",
    "leave",
    "let_spend",
    "make_room",
    "make_room_for",
    "open_account",
    "open_chest",
    "open_purse",
    "pay",
    "receive",
    "receive_paper",
    "refuse",
    "renew_key",
    "see",
    "set_floor",
    "set_status",
    "set_switches",
    "state_now",
    "stop_spending",
    "sweep_leavers",
    "take_late",
    "withdraw",
]
