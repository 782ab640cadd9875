"""What happened about accounts, for the rooms above."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApplicationMade:
    """Somebody asks to join the neighbourhood; its coordinators decide."""

    application_id: int


@dataclass(frozen=True)
class RecoveryOffered:
    """A link was made with which this member chooses a new password."""

    link_id: int
    member_id: int
