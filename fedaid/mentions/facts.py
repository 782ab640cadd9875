"""What happened to what people elsewhere wrote to our boards, for those who must be told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MessageArrived:
    """Somebody elsewhere wrote to a board of ours."""

    message_id: int


@dataclass(frozen=True)
class MessageAnswered:
    """A coordinator answered it."""

    message_id: int


@dataclass(frozen=True)
class SuggestionArrived:
    """Somebody elsewhere asks a board of ours to post a request or an offer."""

    suggestion_id: int


@dataclass(frozen=True)
class SuggestionApproved:
    """A coordinator let it in; it is a listing now."""

    suggestion_id: int


@dataclass(frozen=True)
class SuggestionDeclined:
    """A coordinator said no; the reason is in the suggestion."""

    suggestion_id: int


@dataclass(frozen=True)
class SuggestionRepeated:
    """Somebody asks for what stands on a board that we know; ``known_uri`` is that listing (FEP-d36d)."""

    board_actor: str
    author_actor: str
    uri: str
    known_uri: str
