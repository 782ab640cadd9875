"""Tables as CSV (RFC 4180) that a spreadsheet opens as it was meant."""

import csv
import io
from collections.abc import Iterable, Sequence

_BEGIN_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """One line per row. Text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP)."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(header)
    writer.writerows([cell if isinstance(cell, int) else _plain(cell) for cell in row] for row in rows)
    return written.getvalue()


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_BEGIN_A_FORMULA) else text
