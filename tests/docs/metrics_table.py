"""The metrics as the reference shows them: every one, out of the catalogue."""

from collections.abc import Sequence

from fedaid.admin.metrics.catalogue import HELD, INFO, OF_PROCESS, OF_SYSTEM, Counted
from tests.docs.pages import table

_HEADS = ["Metric", "Kind", "Labels", "What it says"]


def of_process_table() -> str:
    """What each process counts for itself, and what the system says of it."""
    rows = [
        [f"`{one.name}{'_total' if isinstance(one, Counted) else ''}`", _kind(one), _labels(one.labels), one.meaning]
        for one in OF_PROCESS
    ]
    rows.append([f"`{INFO[0]}_info`", "gauge", "`version`", INFO[1]])
    rows += [[f"`{name}{_ending(name)}`", _of_system(name), "", meaning] for name, meaning in OF_SYSTEM.items()]
    return table(_HEADS, rows)


def held_table() -> str:
    """What the database holds."""
    return table(_HEADS, [[f"`{one.name}`", "gauge", _labels(one.labels), one.meaning] for one in HELD])


def _kind(one: object) -> str:
    return "counter" if isinstance(one, Counted) else "histogram"


def _of_system(name: str) -> str:
    return "counter" if _ending(name) else "gauge"


def _ending(name: str) -> str:
    return "_total" if name == "process_cpu_seconds" else ""


def _labels(labels: Sequence[str]) -> str:
    return ", ".join(f"`{label}`" for label in labels)
