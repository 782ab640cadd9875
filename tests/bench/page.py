"""Writes what a whole run measured into docs/reference/performance.md."""

import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.bench.measure import Figure
from tests.bench.servers import ROOT

PAGE = ROOT / "docs/reference/performance.md"
_MEASURED = re.compile(r"(<!-- measured -->\n).*?(<!-- end of measured -->)", re.DOTALL)
_HEAD = "| Figure | Measured | Unit | Goal | Limit of the same run | Ratio | p50, p99 |\n| --- | --- | --- | --- | --- | --- | --- |\n"


def write(figures: Sequence[Figure]) -> None:
    """Put the new figures in the place of the old ones."""
    said = f"Measured on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}.\n\n"
    table = _HEAD + "".join(_row(one) for one in figures)
    before = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_MEASURED.sub(lambda found: f"{found[1]}\n{said}{table}\n{found[2]}", before), encoding="utf-8")


def _row(one: Figure) -> str:
    goal = f"{'at most' if one.less_is_better else 'at least'} {one.goal:,g}"
    if one.ratio_goal is not None:
        goal += f", {'or' if one.either else 'and'} {one.ratio_goal:g} of the limit"
    waits = f"{one.p50_ms:.1f} ms, {one.p99_ms:.1f} ms" if one.p50_ms is not None and one.p99_ms is not None else ""
    cells = (f"`{one.name}`", _shown(one.value), one.unit, goal, _shown(one.limit), _shown(one.ratio), waits)
    return f"| {' | '.join(cells)} |\n"


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
