"""The hours for programs of members, and what a peer's ledger may read of ours."""

from fedaid.timebank.api.hours import TransferShown, operations, shown
from fedaid.timebank.api.peers import Identify, routes

__all__ = ["Identify", "TransferShown", "operations", "routes", "shown"]
