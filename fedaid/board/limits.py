"""The numbers of the board that an admin may change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BoardLimits:
    """How long listings stay, and how often it is looked for those whose time is over.

    request_days         for which a request stays, unless its author chooses another day, at most a year away
    offer_days           the same for an offer
    expire_look_seconds  how late a listing may leave the board
    tidy_seconds         how often what nobody needs any more is looked for
    """

    request_days: int = 14
    offer_days: int = 90
    expire_look_seconds: float = 60.0
    tidy_seconds: float = 3600.0
