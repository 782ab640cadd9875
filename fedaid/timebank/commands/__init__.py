"""Writes of the timebank: accounts, what members do with hours, and what peers' ledgers send."""

from fedaid.foundation.ids import new_key
from fedaid.timebank.commands.books import open_account, open_chest, set_floor, set_status
from fedaid.timebank.commands.receive import receive
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
    "claim",
    "confirm",
    "erase_note",
    "give",
    "new_key",
    "open_account",
    "open_chest",
    "pay",
    "receive",
    "refuse",
    "set_floor",
    "set_status",
    "take_late",
    "withdraw",
]
