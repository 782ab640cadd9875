"""Every metric by its name: what it counts or measures, of one process or of the whole instance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fedaid.admin.metrics.gauges import Holding
from fedaid.admin.metrics.tallies import Tallies
from fedaid.foundation.tally import Count, Durations

Values = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class Counted:
    """A counter of one process, from its start on; Prometheus adds ``_total`` to the name."""

    name: str
    meaning: str
    labels: Sequence[str]
    read: Callable[[Tallies], Count]


@dataclass(frozen=True)
class Measured:
    """A histogram of one process, in seconds, from its start on."""

    name: str
    meaning: str
    labels: Sequence[str]
    read: Callable[[Tallies], Durations]


@dataclass(frozen=True)
class Held:
    """What the database holds now: the same whichever process is asked."""

    name: str
    meaning: str
    labels: Sequence[str]
    read: Callable[[Holding], Values]


OF_PROCESS: Sequence[Counted | Measured] = (
    Measured(
        "fedaid_http_answer_seconds",
        "From a request to the beginning of its answer. `group` is the room that answered; `ready` for documents kept "
        "ready, `inbox` for letters, `static` for files, `refused` where no room was asked. `status` is its class, "
        "such as `2xx`.",
        ("group", "status"),
        lambda tallies: tallies.answers,
    ),
    Counted(
        "fedaid_letters_answered",
        "Letters at the inboxes: `accepted`, or the [code](refusals.md) with which they were refused.",
        ("code",),
        lambda tallies: tallies.letters_answered,
    ),
    Counted(
        "fedaid_letters_settled",
        "Tries to apply a letter: `state` is `done`, `ignored`, `refused`, `failed`, or `new` where it is tried again; "
        "`code` says why.",
        ("state", "code"),
        lambda tallies: tallies.letters_settled,
    ),
    Counted(
        "fedaid_deliveries_tried",
        "Tries to deliver: `arrived`, `retry`, `set_aside`, `failed`, `gone`, as in the [log](log-events.md).",
        ("outcome",),
        lambda tallies: tallies.deliveries,
    ),
    Counted(
        "fedaid_errands_tried",
        "Errands, that is what must be read elsewhere: `done`, `put_off` or `given_up`.",
        ("kind", "end"),
        lambda tallies: tallies.errands,
    ),
    Counted(
        "fedaid_chores_run",
        "What is done by the clock, such as `expire_listings`: `done` or `failed`.",
        ("chore", "end"),
        lambda tallies: tallies.chores,
    ),
    Measured(
        "fedaid_commit_seconds",
        "Commits of transactions that write: how long until they are on the disk.",
        (),
        lambda tallies: tallies.commits,
    ),
)
HELD: Sequence[Held] = (
    Held(
        "fedaid_letters_waiting",
        "Letters that were taken and are not applied yet.",
        (),
        lambda holding: {(): holding.letters_waiting},
    ),
    Held(
        "fedaid_letters_overdue_seconds",
        "Age of the oldest letter whose turn it is and that no worker has taken up; 0 when there is none.",
        (),
        lambda holding: {(): holding.letters_overdue_seconds},
    ),
    Held(
        "fedaid_letters_failed",
        "Letters that failed every try through a fault of ours, and wait for the admin.",
        (),
        lambda holding: {(): holding.letters_failed},
    ),
    Held(
        "fedaid_deliveries_waiting",
        "Deliveries that did not arrive yet and are not given up.",
        (),
        lambda holding: {(): holding.deliveries_waiting},
    ),
    Held(
        "fedaid_deliveries_overdue_seconds",
        "Since when something should have been sent, or addressed, that no worker has taken up; 0 when nothing is.",
        (),
        lambda holding: {(): holding.deliveries_overdue_seconds},
    ),
    Held(
        "fedaid_hosts",
        "Servers that we ever had mail for: `awake`, or `asleep` where they have not answered for days.",
        ("state",),
        lambda holding: {(state,): count for state, count in holding.hosts.items()},
    ),
    Held("fedaid_errands_waiting", "Errands to be done.", (), lambda holding: {(): holding.errands_waiting}),
    Held(
        "fedaid_mails",
        "Mails to members that are kept count of: `waiting`, `sent`, `failed`, `needless`.",
        ("state",),
        lambda holding: {(state,): count for state, count in holding.mails.items()},
    ),
    Held(
        "fedaid_transfers",
        "Transfers of hours by where they stand, those between two networks as this side sees them.",
        ("kind", "state"),
        lambda holding: holding.transfers,
    ),
    Held(
        "fedaid_database_up",
        "1, or 0 when the database could not be asked; then it has nothing to say of all the others that it holds.",
        (),
        lambda _holding: {(): 1},
    ),
)
# Of the process, as Prometheus' own library reads them from the system.
OF_SYSTEM: Mapping[str, str] = {
    "process_resident_memory_bytes": "What of the process is in memory.",
    "process_virtual_memory_bytes": "What of memory it may reach.",
    "process_cpu_seconds": "What it used of the processors, user and system.",
    "process_start_time_seconds": "When it started, in seconds since 1970.",
    "process_open_fds": "Files and connections that it has open.",
    "process_max_fds": "How many it may have open.",
}
INFO = ("fedaid", "Always 1; its label says which version runs.")
