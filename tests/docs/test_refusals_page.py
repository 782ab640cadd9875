"""Every code with which the program says no has its row, and every event it logs; and there is no row too many."""

import re
from fnmatch import fnmatchcase

from tests.docs.pages import ROOT, table_cells
from tests.docs.said_no import codes, log_events

REFUSALS = ROOT / "docs/reference/refusals.md"
LOG_EVENTS = ROOT / "docs/reference/log-events.md"
NAMED = re.compile(r"`([^`]+)`")


def documented_codes() -> list[str]:
    _, *tables = re.findall(r"^#+ (.+)$", REFUSALS.read_text(encoding="utf-8"), re.MULTILINE)
    return [code for heading in tables for cell in table_cells(REFUSALS, 0, heading) for code in NAMED.findall(cell)]


def test_every_code_is_documented() -> None:
    documented = documented_codes()
    missing = [code for code in codes() if not any(code == one or fnmatchcase(one, code) for one in documented)]
    assert sorted(missing) == []


def test_every_documented_code_exists_and_stands_once() -> None:
    documented = documented_codes()
    assert [one for one in documented if not any(one == code or fnmatchcase(one, code) for code in codes())] == []
    assert [one for one in set(documented) if documented.count(one) > 1] == []


def test_some_codes_that_are_known_to_exist_are_found() -> None:
    assert {"unsigned", "over_limit", "not_found", "sign_in_needed", "forbidden", "unavailable", "not_taken"} <= codes()


def test_every_log_event_is_documented_with_its_level_and_what_it_carries() -> None:
    rows = zip(*(table_cells(LOG_EVENTS, column)[1:] for column in (0, 1, 3)), strict=True)
    documented = {event.strip("`"): (level, frozenset(NAMED.findall(carries))) for event, level, carries in rows}
    assert set(documented) == set(log_events())
    for event, (level, carries) in log_events().items():
        assert documented[event][0] == level, event
        assert carries <= documented[event][1], event
