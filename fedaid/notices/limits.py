"""The numbers of notices that an admin may change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NoticeLimits:
    """How long notices are kept, how many stand on a page, and how many pages are kept up to date at once.

    kept_days              for which a notice is kept, read or not
    page_rows_max          notices on one page
    tidy_seconds           how often old ones are looked for
    """

    kept_days: int = 60
    page_rows_max: int = 30
    tidy_seconds: float = 3_600.0
