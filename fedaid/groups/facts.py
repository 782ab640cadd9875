"""What happened in the groups, for the rooms above."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupAsked:
    """A member asks to join a group; its coordinators decide."""

    group_id: int
    application_id: int


@dataclass(frozen=True)
class GroupAnswered:
    """A coordinator let somebody into the group, or did not."""

    group_id: int
    application_id: int
    member_id: int


@dataclass(frozen=True)
class TakenIn:
    """A coordinator took a member of the neighbourhood into a group."""

    group_id: int
    member_id: int
