"""What happened in matching, for the rooms above."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NeighbourAsked:
    """A member was asked whether they can help with a request."""

    ask_id: int
    member_id: int
