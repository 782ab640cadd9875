"""What happened in matching, for the rooms above."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NeighbourAsked:
    """A member was asked whether they can help with a request."""

    ask_id: int
    member_id: int


@dataclass(frozen=True)
class SearchFound:
    """A listing that is new here fits a search that a member keeps; of several of theirs it is the oldest."""

    search_id: int
    member_id: int
    listing_id: int
