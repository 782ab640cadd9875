"""The whole journal in formats that others read: CSV, JSON, and plain-text accounting (Beancount)."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from fedaid.timebank.rules.books import AccountKind
from fedaid.timebank.rules.spreadsheet import as_csv

COMMODITY = "MINUTE"
HEADER = ("seq", "day", "time", "from", "to", "minutes", "transfer", "corrects", "evidence", "previous", "hash")
_OUTSIDE_OF_A_NAME = re.compile(r"[^A-Za-z0-9]+")


class Format(StrEnum):
    """How the journal is written."""

    CSV = "csv"
    JSON = "json"
    BEANCOUNT = "beancount"


@dataclass(frozen=True)
class BookAccount:
    """An account as the journal names it: ``name`` is a handle, a host, or ``chest``; ``balance`` in minutes."""

    id: int
    kind: AccountKind
    name: str
    uri: str
    balance: int
    opened: datetime


@dataclass(frozen=True)
class BookEntry:
    """A posting: minutes out of ``debit`` into ``credit``. ``evidence`` is the digest of the Accept, or one word."""

    seq: int
    at: datetime
    debit: int
    credit: int
    minutes: int
    transfer: str
    corrects: str | None
    evidence: str
    prev: str
    hash: str


@dataclass(frozen=True)
class Journal:
    """Everything that was ever posted, in its order, and the accounts; days are those of ``zone``."""

    neighbourhood: str
    ledger: str
    zone: ZoneInfo
    accounts: Sequence[BookAccount]
    entries: Sequence[BookEntry]

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def write(journal: Journal, wanted: Format) -> str | dict[str, Any]:
    """The journal: text, or for JSON what is to be written. No notes: those belong to the two people alone."""
    if wanted is Format.JSON:
        return _json(journal)
    return _csv(journal) if wanted is Format.CSV else _beancount(journal)


def _csv(journal: Journal) -> str:
    names = {one.id: f"{one.kind} {one.name}" for one in journal.accounts}
    rows: list[Sequence[str | int]] = []
    for one in journal.entries:
        local = one.at.astimezone(journal.zone)
        when, ends = (f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}"), (names[one.debit], names[one.credit])
        rows.append(
            (one.seq, *when, *ends, one.minutes, one.transfer, one.corrects or "", one.evidence, one.prev, one.hash)
        )
    return as_csv(HEADER, rows)


def _json(journal: Journal) -> dict[str, Any]:
    """The postings hold all that their seals are made of, so that anybody can recompute the chain."""
    return {
        "neighbourhood": journal.neighbourhood,
        "ledger": journal.ledger,
        "unit": "minute",
        "accounts": [
            {"id": str(one.id), "kind": one.kind, "name": one.name, "uri": one.uri, "balance": one.balance}
            for one in journal.accounts
        ],
        "postings": [
            {
                "seq": one.seq,
                "transfer": one.transfer,
                "debit": str(one.debit),
                "credit": str(one.credit),
                "minutes": one.minutes,
                "posted_at": one.at.isoformat(timespec="microseconds"),
                "evidence": one.evidence,
                "prev": one.prev,
                "hash": one.hash,
                "corrects": one.corrects,
            }
            for one in journal.entries
        ],
    }


def _beancount(journal: Journal) -> str:
    names = account_names(journal.accounts)
    parts = [_preamble(journal), *_opened(journal, names), *_entries(journal, names), *_balances(journal, names)]
    return "\n".join(parts) + "\n"


def _preamble(journal: Journal) -> str:
    return (
        f"; The hours of {_text(journal.neighbourhood)}, in whole minutes; made by fedaid ledger export.\n"
        "; As everywhere in Beancount a debit is positive: whoever is owed hours has a negative figure here.\n"
        f'option "title" "{_text(journal.neighbourhood)}: hours"\n'
        f'option "operating_currency" "{COMMODITY}"\n'
    )


_ROOTS: Mapping[AccountKind, str] = {
    AccountKind.MEMBER: "Liabilities:Members",
    AccountKind.GROUP: "Liabilities:Groups",
    AccountKind.CLEARING: "Liabilities:Networks",
    AccountKind.CHEST: "Equity",
}


def account_names(accounts: Sequence[BookAccount]) -> Mapping[int, str]:
    """Names that Beancount takes, one for each account: ``ana_b`` is Liabilities:Members:Ana-b."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for one in accounts:
        word = _OUTSIDE_OF_A_NAME.sub("-", one.name).strip("-") or "Account"
        plain = f"{_ROOTS[one.kind]}:{word[0].upper()}{word[1:]}"
        name, number = plain, 2
        while name in taken:
            name, number = f"{plain}-{number}", number + 1
        names[one.id] = name
        taken.add(name)
    return names


def _opened(journal: Journal, names: Mapping[int, str]) -> Iterator[str]:
    first = {one.id: journal.day(one.opened) for one in journal.accounts}
    for entry in journal.entries:  # a clock that was set back must not open an account after it was used
        for account in (entry.debit, entry.credit):
            first[account] = min(first[account], journal.day(entry.at))
    for one in journal.accounts:
        uri = f'\n  uri: "{_text(one.uri)}"' if one.uri else ""
        yield f"{first[one.id]} open {names[one.id]} {COMMODITY}{uri}"
    yield ""


def _entries(journal: Journal, names: Mapping[int, str]) -> Iterator[str]:
    plain = {one.id: one.name for one in journal.accounts}
    for one in journal.entries:
        corrects = f'  corrects: "{_text(one.corrects)}"\n' if one.corrects else ""
        yield (
            f'{journal.day(one.at)} * "{_text(plain[one.debit])} to {_text(plain[one.credit])}"\n'
            f'  seq: {one.seq}\n  transfer: "{_text(one.transfer)}"\n{corrects}'
            f'  evidence: "{one.evidence}"\n  hash: "{one.hash}"\n'
            f"  {names[one.debit]}  {one.minutes} {COMMODITY}\n"
            f"  {names[one.credit]}  -{one.minutes} {COMMODITY}\n"
        )


def _balances(journal: Journal, names: Mapping[int, str]) -> Iterator[str]:
    """Every account at the end of each month in which it moved, out of the entries; at the end as the books say."""
    moved: dict[date, dict[int, int]] = defaultdict(dict)
    running: dict[int, int] = defaultdict(int)
    for one in sorted(journal.entries, key=lambda entry: journal.day(entry.at)):
        day = journal.day(one.at)
        running[one.debit] += one.minutes
        running[one.credit] -= one.minutes
        for account in (one.debit, one.credit):
            moved[_next_month(day)][account] = running[account]
    last = max((journal.day(one.at) for one in journal.entries), default=None)
    if last is None:
        return
    for day, balances in moved.items():
        if day <= last:
            for account, minutes in balances.items():
                yield f"{day} balance {names[account]}  {minutes} {COMMODITY}"
    for end in journal.accounts:
        yield f"{last + timedelta(days=1)} balance {names[end.id]}  {-end.balance} {COMMODITY}"


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _text(words: str) -> str:
    """Inside the quotes of a Beancount string."""
    return words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
