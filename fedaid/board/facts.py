"""What happened on the board, for those who must be told: other servers, and the rooms above."""

from dataclasses import dataclass

from fedaid.board.rules import Visibility


@dataclass(frozen=True)
class ListingPosted:
    """A member put a listing on one of our boards."""

    listing_id: int


@dataclass(frozen=True)
class ListingChanged:
    """A listing of ours reads differently now: its words, its time or its state."""

    listing_id: int


@dataclass(frozen=True)
class ListingNarrowed:
    """Fewer may see a listing of ours than before; ``before`` is who could."""

    listing_id: int
    before: Visibility


@dataclass(frozen=True)
class MeetingChanged:
    """The exact place of a listing of ours, or how to reach its author, is another now."""

    listing_id: int


@dataclass(frozen=True)
class ListingWithdrawn:
    """A listing of ours was taken off the board."""

    listing_id: int


@dataclass(frozen=True)
class ListingHidden:
    """A moderator took a listing, ours or a neighbour's, out of everybody's sight."""

    listing_id: int


@dataclass(frozen=True)
class ListingShown:
    """A moderator put a hidden listing back."""

    listing_id: int


@dataclass(frozen=True)
class ListingArrived:
    """A listing of a neighbouring board reached ours, for the first time (``is_new``) or in a newer form."""

    listing_id: int
    is_new: bool = False


@dataclass(frozen=True)
class ResponseSent:
    """A member of ours answered a listing, here or in a neighbouring network."""

    response_id: int


@dataclass(frozen=True)
class ResponseArrived:
    """Somebody elsewhere answered a listing of ours."""

    response_id: int


@dataclass(frozen=True)
class ResponseWithdrawn:
    """A member of ours took an answer back."""

    response_id: int


@dataclass(frozen=True)
class ResponseAccepted:
    """The author of a listing of ours accepted a response."""

    response_id: int
    match_id: int


@dataclass(frozen=True)
class ResponseDeclined:
    """The author of a listing of ours declined a response; ``reason`` is for the one who answered."""

    response_id: int
    reason: str = ""


@dataclass(frozen=True)
class AnswerArrived:
    """A neighbouring board accepted or declined the response of a member of ours."""

    response_id: int


@dataclass(frozen=True)
class RemarkMade:
    """One side of a response, a member of ours or a board in their name, wrote to the other."""

    remark_id: int


@dataclass(frozen=True)
class RemarkArrived:
    """Somebody elsewhere wrote on, after a response that one of ours sent or got."""

    remark_id: int


@dataclass(frozen=True)
class LookAsked:
    """A listing waits for a look of the coordinators of its group."""

    listing_id: int


@dataclass(frozen=True)
class ListingLookedAt:
    """A coordinator let a listing onto the board, or did not; the look says which and why."""

    listing_id: int


@dataclass(frozen=True)
class ListingEnding:
    """The time of a listing of ours is over soon; its author may keep it longer."""

    listing_id: int


@dataclass(frozen=True)
class ListingExpired:
    """The time of a listing of ours is over and nobody extended it."""

    listing_id: int


@dataclass(frozen=True)
class MatchDone:
    """The help was given. ``by_author`` is which side said so; None where its hours were settled."""

    match_id: int
    by_author: bool | None = None


@dataclass(frozen=True)
class MatchCancelled:
    """The help will not be given after all. ``by_author`` says which side called it off."""

    match_id: int
    by_author: bool
