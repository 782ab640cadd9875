"""The figures: each starts its own servers, measures, and ends by itself."""

from collections.abc import Callable, Mapping

from tests.bench.bench import Bench
from tests.bench.figures import deliver, inbox, ledger, pages, reads
from tests.bench.measure import Figure

# In the order in which they are shown; each kind in a module of its own.
FIGURES: Mapping[str, Callable[[Bench], Figure]] = {
    "inbox_sqlite": inbox.sqlite,
    "inbox_postgres": inbox.postgres,
    "inbox_applied": inbox.applied,
    "inbox_growth": inbox.growth,
    "inbox_overload": inbox.overload,
    "deliver_http_kept": deliver.http_kept,
    "deliver_https_kept": deliver.https_kept,
    "fanout_10000_cpu_s": deliver.fanout,
    "deliver_beside_slow": deliver.slow,
    "deliver_two_workers": deliver.two_workers,
    "get_actor": reads.actor,
    "get_note": reads.note,
    "get_board_public": pages.public,
    "get_board": pages.personal,
    "ledger_sqlite": ledger.sqlite,
    "ledger_postgres": ledger.postgres,
    "idle_memory_mb": reads.idle_memory,
}
