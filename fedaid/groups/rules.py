"""What a group may say about itself, and who may join it and post on its board; pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fedaid.foundation.refused import NotAllowed, Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line

LINE_CHARACTERS_MAX = 200


class GroupJoining(StrEnum):
    """How members of the neighbourhood may join a group."""

    OPEN = "open"
    APPLICATION = "application"
    INVITATION = "invitation"  # its coordinators take people in


class Posting(StrEnum):
    """Who may post on a group's board."""

    EVERYBODY = "everybody"
    MEMBERS = "members"
    REVIEWED = "reviewed"  # everybody, after a look of a coordinator


@dataclass(frozen=True)
class GroupTerms:
    """What somebody wants a group to be. ``about`` is seen everywhere; ``questions`` has one a line."""

    name: str
    about: str = ""
    place: str = ""
    joining: GroupJoining = GroupJoining.OPEN
    posting: Posting = Posting.EVERYBODY
    questions: str = ""


def chosen_line(what: str, text: str) -> str:
    """One line about the group, its ``topic`` or ``place``. Raises Refused when it is too long."""
    line = one_line(text)
    if len(line) > LINE_CHARACTERS_MAX:
        raise Refused(
            f"{what}_length",
            said("This line holds at most %(count)s characters.", count=LINE_CHARACTERS_MAX),
        )
    return line


def chosen_group_joining(typed: str) -> GroupJoining:
    """The way of that name. Raises Refused."""
    try:
        return GroupJoining(typed)
    except ValueError:
        raise Refused("group_joining_unknown", "Please choose how members join this group.") from None


def chosen_posting(typed: str) -> Posting:
    """The rule of that name. Raises Refused."""
    try:
        return Posting(typed)
    except ValueError:
        raise Refused("posting_unknown", "Please choose who may post on this board.") from None


def check_last_coordinator(coordinators: Collection[int], members: Sequence[int], member_id: int) -> None:
    """Raises Refused when a group with members would be left without a coordinator."""
    if set(coordinators) == {member_id} and len(members) > 1:
        raise Refused(
            "last_coordinator", "A group has somebody who looks after it: make another its coordinator first.", 409
        )


def is_looked_at(posting: Posting, *, is_member: bool, coordinates: bool) -> bool:
    """Whether what somebody posts waits for a coordinator's look. Raises NotAllowed where they may not post."""
    if coordinates:
        return False
    if posting is Posting.MEMBERS and not is_member:
        raise NotAllowed("Only members of this group post on its board. You can join it first.")
    return posting is Posting.REVIEWED
