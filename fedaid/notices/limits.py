"""The numbers of notices that an admin may change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NoticeLimits:
    """How long notices are kept, how many stand on a page, and how many pages are kept up to date at once.

    kept_days              for which a notice is kept, read or not
    page_rows_max          notices on one page
    tidy_seconds           how often old ones are looked for
    live_pages_per_member_max  open pages of one member that are told at once what is new; others with their next page
    live_pages_max         such pages of all members, in each web process
    live_look_seconds      how often it is looked whether something is new, and whether somebody signed out
    live_heartbeat_seconds after which something is sent to a page for which nothing is new, so that it stays open
    """

    kept_days: int = 60
    page_rows_max: int = 30
    tidy_seconds: float = 3_600.0
    live_pages_per_member_max: int = 5
    live_pages_max: int = 200
    live_look_seconds: float = 2.0
    live_heartbeat_seconds: float = 20.0
