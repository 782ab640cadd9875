"""Block lists as Mastodon writes them: every line is accounted for, neighbours are spared, formulas are defused."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from fedaid.foundation.refused import Refused
from fedaid.network.rules.block_lists import LINES_MAX, LIST_BYTES_MAX, Outcome, read, weigh, write
from fedaid.network.rules.restrictions import REASON_CHARACTERS_MAX, Kind, Severity, Target, Terms

# Exported from the admin pages of Mastodon 4.5.
MASTODONS = b"""#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate
evil.example,suspend,true,true,"Spam, and worse",false
loud.example,silence,false,false,,false
pics.example,noop,true,false,only pictures,true
"""
BLOCK, LIMIT = Terms(Severity.BLOCK), Terms(Severity.LIMIT)


def host(name: str) -> Target:
    return Target(Kind.HOST, name)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "list_empty"),
        (b"\n \n,,\n", "list_empty"),
        (b"\xff\xfe\x00", "list_not_text"),
        (b'#domain\n"' + b"x" * 200_000, "list_not_csv"),
        (b"x" * (LIST_BYTES_MAX + 1), "list_too_long"),
        (b"a.example\n" * (LINES_MAX + 1), "list_too_long"),
    ],
)
def test_what_is_no_list_is_refused_whole(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        read(data)
    assert refusal.value.code == code


def test_a_list_of_mastodons_is_read_as_it_was_meant() -> None:
    found = read(MASTODONS)
    assert [(one.line, one.target.name, one.terms) for one in found.entries] == [
        (2, "evil.example", Terms(Severity.BLOCK, "Spam, and worse", rejects_media=True, rejects_reports=True)),
        (3, "loud.example", LIMIT),
        (4, "pics.example", Terms(Severity.NONE, "only pictures", rejects_media=True, obfuscates=True)),
    ]
    assert found.unreadable == []


@pytest.mark.parametrize(
    "text",
    [
        "evil.example\nbad.example\n",
        "domain\nevil.example\nbad.example",
        "﻿#domain,#severity\r\nEvil.example.,SUSPEND\r\nbad.example,\r\n",
        "severity,public_comment,domain\nsuspend,x,evil.example\nsuspend,,bad.example",
    ],
)
def test_lists_by_others_are_read_too(text: str) -> None:
    found = read(text.encode())
    assert [(one.target.name, one.terms.severity) for one in found.entries] == [
        ("evil.example", "block"),
        ("bad.example", "block"),
    ]


def test_a_line_that_cannot_be_read_costs_only_itself_and_is_named() -> None:
    lines = ["#domain,#severity", "ev*l.example,suspend", "a b,suspend", "evil.example,nuke", "pics.example,noop"]
    found = read("\n".join([*lines, "https://evil.example/users/eve,suspend", "good.example,silence"]).encode())
    assert [one.target.name for one in found.entries] == ["good.example"]
    assert [(one.line, one.text, one.why) for one in found.unreadable] == [
        (2, "ev*l.example", "parts of the name are starred, so nobody knows whom it means"),
        (3, "a b", "A host looks like riverside.example"),
        (4, "evil.example", "its severity is none of suspend, silence and noop"),
        (5, "pics.example", "Say what is restricted: block, limit, no media or no reports"),
        (6, "https://evil.example/users/eve", "it is not a host"),
    ]


def test_a_long_comment_is_cut_and_a_long_name_is_not_repeated() -> None:
    long = "x" * 5_000
    found = read(f"#domain,#public_comment\nevil.example,{long}\n{long},".encode())
    assert len(found.entries[0].terms.reason) == REASON_CHARACTERS_MAX
    assert len(found.unreadable[0].text) <= 80


def outcomes(text: str, **more: Any) -> list[str]:
    given_here = {"present": {}, "neighbours": (), "our_host": "northside.example", **more}
    return [one.outcome for one in weigh(read(text.encode()).entries, **given_here)]


def test_what_is_stricter_here_stays_and_nothing_becomes_looser() -> None:
    present = {"evil.example": BLOCK, "loud.example": LIMIT, "meh.example": Terms(Severity.NONE, rejects_media=True)}
    text = "domain,severity\nevil.example,silence\nloud.example,suspend\nmeh.example,silence\nevil.example,suspend"
    assert outcomes(text, present=present) == [Outcome.KEPT, Outcome.STRICTER, Outcome.STRICTER, Outcome.TWICE]
    assert outcomes("domain,severity\nevil.example,suspend", present=present) == [Outcome.SAME]


@pytest.mark.parametrize("name", ["riverside.example", "example", "RIVERSIDE.example."])
@pytest.mark.parametrize("severity", ["suspend", "silence"])
def test_a_neighbour_is_not_shut_out_by_a_list_not_even_by_a_name_above_it(name: str, severity: str) -> None:
    text = f"domain,severity\n{name},{severity}"
    our_host = "northside.test"
    assert outcomes(text, neighbours={"riverside.example"}, our_host=our_host) == [Outcome.NEIGHBOUR]
    also = {"riverside.example", "example"}
    assert outcomes(text, neighbours={"riverside.example"}, our_host=our_host, also=also) == [Outcome.NEW]


@pytest.mark.parametrize("name", ["northside.example", "example"])
def test_our_own_network_is_never_meant_whatever_the_admin_ticks(name: str) -> None:
    assert outcomes(name, also={name}) == [Outcome.OURS]


def test_only_hosts_are_written_as_mastodon_writes_them() -> None:
    eve = Target(Kind.ACTOR, "https://evil.example/users/eve")
    entries = [(one.target, one.terms) for one in read(MASTODONS).entries]
    assert write([*entries, (eve, BLOCK)]).encode() == MASTODONS


# S75
@pytest.mark.parametrize("reason", ['=HYPERLINK("https://evil.example")', "+1", "-1", "@sum", "-- spam"])
def test_a_cell_that_a_spreadsheet_would_run_is_written_as_text_and_read_as_it_was(reason: str) -> None:
    written = write([(host("evil.example"), Terms(Severity.BLOCK, reason))])
    cell = written.splitlines()[1].partition("false,false,")[2]
    assert cell.lstrip('"').startswith("'")
    assert read(written.encode()).entries[0].terms.reason == reason


@settings(deadline=None)
@given(
    some.text(max_size=60).map(lambda text: " ".join(text.split())).filter(str.isprintable),
    some.sampled_from([Severity.BLOCK, Severity.LIMIT]),
    some.booleans(),
    some.booleans(),
    some.booleans(),
)
def test_what_is_written_is_read_again_as_it_was(
    reason: str, severity: Severity, media: bool, reports: bool, obfuscate: bool
) -> None:
    terms = Terms(severity, reason, rejects_media=media, rejects_reports=reports, obfuscates=obfuscate)
    (found,) = read(write([(host("evil.example"), terms)]).encode()).entries
    assert found.terms.reason in (reason, reason.removeprefix("'"))
    assert (found.terms.severity, found.terms.rejects_media, found.terms.rejects_reports) == (severity, media, reports)


@settings(deadline=None)
@given(some.binary(max_size=400))
def test_no_bytes_whatever_lead_to_anything_but_a_list_or_a_refusal(data: bytes) -> None:
    with suppress(Refused):
        read(data)
