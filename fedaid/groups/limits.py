"""The numbers of groups that an admin may change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupLimits:
    """How many groups there are, and how long their lists.

    groups_max                  groups in this neighbourhood
    coordinated_by_one_max      groups that one member coordinates; coordinators of the neighbourhood may do more
    applications_waiting_max    members who wait to be let into one group
    links_max                   boards of neighbouring networks that one board follows
    page_rows_max               groups, or members of a group, on one page of a list
    """

    groups_max: int = 500
    coordinated_by_one_max: int = 10
    applications_waiting_max: int = 200
    links_max: int = 50
    page_rows_max: int = 50
