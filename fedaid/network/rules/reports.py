"""What a report may say, how many are taken, and what can become of one; pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from fedaid.foundation.refused import Refused
from fedaid.foundation.text import excerpt, without_turning

COMMENT_CHARACTERS_MAX = 5_000  # as Mastodon's
SUBJECTS_PER_REPORT_MAX = 10
REPORTS_OF_MEMBER_PER_DAY_MAX = 20


class ReportState(StrEnum):
    """Where a report stands: it waits, nothing was to be done, or something was."""

    OPEN = "open"
    DISMISSED = "dismissed"
    SETTLED = "settled"


def kept_comment(text: str) -> str:
    """What a report says, no longer than is kept (attack S50)."""
    return excerpt(without_turning(text).strip(), COMMENT_CHARACTERS_MAX)


def subjects(reported: Iterable[str], owner_of: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """What a report is about, with the one who answers for each; ``owner_of`` knows only what is ours (attack S50).

    Mastodon names the author beside what they wrote; then the author alone is no case of its own.
    """
    found = [(uri, owner_of[uri]) for uri in dict.fromkeys(reported) if uri in owner_of]
    things = [(uri, owner) for uri, owner in found if uri != owner]
    return (things or found)[:SUBJECTS_PER_REPORT_MAX]


def day_of(moment: datetime) -> str:
    """The UTC day on which the same report counts once."""
    return f"{moment:%Y-%m-%d}"


def check_open(state: ReportState) -> None:
    """Raises Refused (409) for a report that was decided already."""
    if state is not ReportState.OPEN:
        raise Refused("report_decided", "This report was decided already.", 409)
