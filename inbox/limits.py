"""Every maximum of the inbox, with its unit."""

from dataclasses import dataclass, field

from activitypub.documents import DocumentLimits


@dataclass(frozen=True)
class InboxLimits:
    """The defaults suit a neighbourhood on a small machine; tests and admins may choose others.

    Requests. ``body_bytes_max`` counts what arrives, whatever Content-Length says (attack S60);
    ``body_seconds_max`` ends a body that drips. ``clock_skew_seconds`` is how far Date or created may be
    from our clock, either way (S24).

    Keys. A key is used for ``key_fresh_seconds`` before it is fetched anew; one that fails is refetched at
    most once per ``key_refetch_seconds`` (S17). A host whose fetches were in vain
    ``vain_fetches_per_host_max`` times is left alone for ``negative_cache_seconds`` (S16).

    Floods. Beyond ``queue_letters_max`` letters not yet applied, or ``waiting_letters_max`` waiting for the
    disk, senders are asked to come back later; so is a host that follows or reports too much (S50, S58).

    Worker. A letter is leased for ``lease_seconds``; when its worker dies, another takes it after that, so
    ``fetch_seconds_max`` must stay well below. A letter that fails for a fault of ours is tried ``tries_max``
    times, from ``retry_first_seconds`` on, each wait four times the last, at most ``retry_longest_seconds``;
    one that lacks a document because its server did not answer, ``fetch_tries_max`` times, then without it.
    """

    documents: DocumentLimits = field(default_factory=DocumentLimits)
    body_bytes_max: int = 1024 * 1024
    body_seconds_max: float = 20.0
    header_bytes_max: int = 16 * 1024
    clock_skew_seconds: int = 3600

    key_cache_entries_max: int = 10_000
    key_memory_seconds: int = 300
    key_fresh_seconds: int = 24 * 3600
    key_refetch_seconds: int = 300
    vain_fetches_per_host_max: int = 3
    negative_cache_seconds: int = 300
    negative_cache_entries_max: int = 10_000
    fetch_waiters_per_host_max: int = 100
    block_memory_seconds: int = 5
    inbox_memory_seconds: int = 60
    memory_entries_max: int = 10_000

    queue_letters_max: int = 200_000
    queue_count_seconds: float = 2.0
    waiting_letters_max: int = 5_000
    come_back_seconds: int = 30
    commit_letters_max: int = 500
    follows_per_host_per_minute_max: int = 300
    flags_per_host_per_hour_max: int = 20

    claim_letters_max: int = 100
    unit_letters_max: int = 50
    lanes_max: int = 20
    lease_seconds: int = 30
    fetches_per_letter_max: int = 50
    fetches_at_once_max: int = 4
    fetch_seconds_max: float = 15.0
    fetch_tries_max: int = 3
    tries_max: int = 8
    error_characters_max: int = 500
    retry_first_seconds: int = 5
    retry_longest_seconds: int = 6 * 3600
    poll_seconds: float = 1.0
    awake_seconds: int = 60
    keep_settled_days: int = 90
    keep_bodies_days: int = 7


def retry_seconds(limits: InboxLimits, tries: int) -> int:
    """How long to wait after the given number of failed tries (1 or more), in seconds."""
    return int(min(limits.retry_first_seconds * 4 ** min(tries - 1, 16), limits.retry_longest_seconds))
