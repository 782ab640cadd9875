"""The numbers of the skills directory that an admin may change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SkillLimits:
    """How much one member may write into the directory.

    entries_per_member_max   skills that one member lists
    windows_per_member_max   times in the week at which they say they are free, after overlapping ones are joined
    vouches_per_entry_max    sentences of neighbours beside one skill
    people_per_page          of the directory
    shared_entries_max       skills that are shown to neighbouring networks, and of one of them here
    neighbours_kept_seconds  how long what a neighbouring network shows is kept before it is asked again
    """

    entries_per_member_max: int = 30
    windows_per_member_max: int = 28
    vouches_per_entry_max: int = 30
    people_per_page: int = 20
    shared_entries_max: int = 300
    neighbours_kept_seconds: int = 300
