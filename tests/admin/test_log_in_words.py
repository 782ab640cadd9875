"""What the house notes in the log by itself is kept in no language and said in its reader's."""

import pytest

from fedaid.admin import blocks
from fedaid.admin.blocks import counts_in_words
from fedaid.admin.pages.reports import reason_in_words, target_in_words
from fedaid.foundation.i18n import speaking
from fedaid.network.queries.restrictions import LogLine
from tests.small_house import START


def line(decision: str, target: str, reason: str) -> LogLine:
    return LogLine(1, START, "", decision, target, reason)


@pytest.mark.parametrize(
    ("found", "target", "reason"),
    [
        (
            line("import", "3", "new=3 kept=1 unreadable=2"),
            "3 hosts",
            "3 new; 1 left: it is stricter here; 2 cannot be read",
        ),
        (line("import", "1", ""), "1 host", "nothing"),
        (line("import", "3 hosts", "3 new; 1 there already"), "3 hosts", "3 new; 1 there already"),
        (line("role", "https://a.example/1", "member → coordinator"), "https://a.example/1", "Member → Coordinator"),
        (line("block", "b.example", "new=3"), "b.example", "new=3"),
    ],
)
def test_a_line_of_the_log_in_words(found: LogLine, target: str, reason: str) -> None:
    assert (target_in_words(found), reason_in_words(found)) == (target, reason)


def test_it_is_said_in_the_language_of_the_one_who_reads() -> None:
    with speaking("es"):
        said = counts_in_words("new=3 same=1")
    assert said == "3 nuevas; 1 ya estaban"
    assert counts_in_words("new=3 same=1") == "3 new; 1 there already"


def test_what_was_taken_over_is_counted_in_no_language() -> None:
    assert blocks.Preview((), ()).counts == ""
