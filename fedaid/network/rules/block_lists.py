"""Block lists as Mastodon writes them: read with every line accounted for, weighed against what is here, and written.

#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate
evil.example,suspend,false,false,spam,false
"""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import excerpt, one_line
from fedaid.network.rules.restrictions import (
    REASON_CHARACTERS_MAX,
    Kind,
    Severity,
    Target,
    Terms,
    chosen_target,
    chosen_terms,
    covering,
)

LIST_BYTES_MAX = 768 * 1024  # what a form holds, with room to spare
LINES_MAX = 10_000
SHOWN_CHARACTERS_MAX = 80
COLUMNS = ("domain", "severity", "reject_media", "reject_reports", "public_comment", "obfuscate")

_SEVERITIES = {"suspend": Severity.BLOCK, "silence": Severity.LIMIT, "noop": Severity.NONE, "": Severity.BLOCK}
_MASTODONS = {Severity.BLOCK: "suspend", Severity.LIMIT: "silence", Severity.NONE: "noop"}
# A spreadsheet takes a cell that begins so for a formula, and runs it (attack S75).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Entry:
    """One line of a list that can be read; ``line`` counts from 1."""

    line: int
    target: Target
    terms: Terms


@dataclass(frozen=True)
class Unreadable:
    """One line that cannot, with the reason."""

    line: int
    text: str
    why: str


@dataclass(frozen=True)
class BlockList:
    """A list as it was read; every line with a name in it is in one of the two."""

    entries: Sequence[Entry]
    unreadable: Sequence[Unreadable]


def read(data: bytes) -> BlockList:
    """The list. Raises Refused for what is too long, is no text, or is no such list; a bad line costs only itself.

    Lists without a heading are read as bare names, one a line, each to be blocked.
    """
    if len(data) > LIST_BYTES_MAX:
        raise Refused("list_too_long", said("A list has at most %(value)s kB.", value=LIST_BYTES_MAX // 1024), 413)
    rows = _rows(data)
    if not rows:
        raise Refused("list_empty", "There is nothing in this list.")
    heading = [cell.strip().lower().removeprefix("#") for cell in rows[0][1]]
    named = heading if "domain" in heading else list(COLUMNS[:1])
    body = rows[1:] if "domain" in heading else rows
    if len(body) > LINES_MAX:
        raise Refused("list_too_long", said("A list has at most %(count)s lines.", count=LINES_MAX), 413)
    found = [_entry(line, dict(zip(named, cells, strict=False))) for line, cells in body]
    return BlockList(
        [one for one in found if isinstance(one, Entry)], [one for one in found if isinstance(one, Unreadable)]
    )


def _rows(data: bytes) -> list[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""))
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except UnicodeDecodeError:
        raise Refused("list_not_text", "This is not a text file in UTF-8.") from None
    except csv.Error:
        raise Refused("list_not_csv", "This is not a list of comma-separated values.") from None


def _entry(line: int, cells: Mapping[str, str]) -> Entry | Unreadable:
    domain = cells.get("domain", "").strip()
    shown = excerpt(one_line(domain), SHOWN_CHARACTERS_MAX)
    if "*" in domain:
        return Unreadable(line, shown, "parts of the name are starred, so nobody knows whom it means")
    severity = _SEVERITIES.get(cells.get("severity", "").strip().lower())
    if severity is None:
        return Unreadable(line, shown, "its severity is none of suspend, silence and noop")
    try:
        target = chosen_target(domain)
        terms = chosen_terms(_terms(severity, cells))
    except Refused as refused:
        return Unreadable(line, shown, refused.sentence.rstrip("."))
    return Entry(line, target, terms) if target.kind is Kind.HOST else Unreadable(line, shown, "it is not a host")


def _terms(severity: Severity, cells: Mapping[str, str]) -> Terms:
    comment = cells.get("public_comment", "").strip()
    if comment.startswith("'") and comment[1:].startswith(_FORMULA):
        comment = comment[1:]
    return Terms(
        severity,
        excerpt(one_line(comment), REASON_CHARACTERS_MAX),
        rejects_media=_is_true(cells, "reject_media"),
        rejects_reports=_is_true(cells, "reject_reports"),
        obfuscates=_is_true(cells, "obfuscate"),
    )


def _is_true(cells: Mapping[str, str], name: str) -> bool:
    return cells.get(name, "").strip().lower() in ("true", "1", "yes")


class Outcome(StrEnum):
    """What becomes of a line."""

    NEW = "new"
    STRICTER = "stricter"
    SAME = "same"
    KEPT = "kept"
    NEIGHBOUR = "neighbour"
    OURS = "ours"
    TWICE = "twice"


# What is taken over; the others are left as they are, and said so.
TAKEN = frozenset({Outcome.NEW, Outcome.STRICTER})


@dataclass(frozen=True)
class Weighed:
    """A line with what becomes of it; ``neighbours`` are the networks we have a link with that it would cover."""

    entry: Entry
    outcome: Outcome
    neighbours: Sequence[str] = ()

    @property
    def is_taken(self) -> bool:
        return self.outcome in TAKEN


def weigh(
    found: Iterable[Entry],
    present: Mapping[str, Terms],
    neighbours: Collection[str],
    our_host: str,
    also: Collection[str] = (),
) -> Sequence[Weighed]:
    """What becomes of each line, given what is laid already (by name) and whom we have a link with.

    A neighbour is not blocked or limited by a list, nor by a name above it, unless the admin names the line in
    ``also``. Nothing becomes looser: what is stricter here stays. Our own network is never meant.
    """
    seen: set[str] = set()
    weighed: list[Weighed] = []
    for entry in found:
        name = entry.target.name
        linked = [host for host in sorted(neighbours) if entry.target.covers(host)]
        outcome = Outcome.TWICE if name in seen else _outcome(entry, present.get(name))
        if name in covering(our_host):
            outcome = Outcome.OURS
        elif outcome in TAKEN and linked and name not in also:
            outcome = Outcome.NEIGHBOUR
        seen.add(name)
        weighed.append(Weighed(_added(entry, present.get(name)), outcome, linked))
    return weighed


def _added(entry: Entry, present: Terms | None) -> Entry:
    """The line together with what is rejected here already, and with our reason where it gives none."""
    if present is None:
        return entry
    terms = Terms(
        entry.terms.severity,
        entry.terms.reason or present.reason,
        rejects_media=entry.terms.rejects_media or present.rejects_media,
        rejects_reports=entry.terms.rejects_reports or present.rejects_reports,
        obfuscates=entry.terms.obfuscates or present.obfuscates,
    )
    return Entry(entry.line, entry.target, terms)


def _outcome(entry: Entry, present: Terms | None) -> Outcome:
    if present is None:
        return Outcome.NEW
    rank = list(Severity).index
    if rank(entry.terms.severity) < rank(present.severity):
        return Outcome.STRICTER
    return Outcome.SAME if entry.terms.severity is present.severity else Outcome.KEPT


def write(restricted: Iterable[tuple[Target, Terms]]) -> str:
    """The hosts among them as a list that Mastodon reads. Cells that a spreadsheet would run begin with ' (S75)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([f"#{name}" for name in COLUMNS])
    for target, terms in restricted:
        if target.kind is Kind.HOST:
            writer.writerow(_cells(target, terms))
    return out.getvalue()


def _cells(target: Target, terms: Terms) -> list[str]:
    media, reports, obfuscate = (
        str(flag).lower() for flag in (terms.rejects_media, terms.rejects_reports, terms.obfuscates)
    )
    return [target.name, _MASTODONS[terms.severity], media, reports, _harmless(terms.reason), obfuscate]


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
