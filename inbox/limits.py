"""Every maximum of the inbox, with its unit."""

from dataclasses import dataclass, field

from activitypub.documents import DocumentLimits


@dataclass(frozen=True)
class InboxLimits:
    """The defaults suit a neighbourhood on a small machine; tests and admins may choose others.

    body_bytes_max                   of one letter; counted as it arrives, whatever Content-Length says (attack S60)
    body_seconds_max                 within which a body must have arrived
    header_bytes_max                 of all headers of a letter together
    clock_skew_seconds               how far Date or created may be from our clock, either way (S24)
    key_cache_entries_max            senders' keys kept in memory
    key_memory_seconds               how long a key is kept in memory before it is looked up in the database again
    key_fresh_seconds                after which a key is fetched from its owner anew
    key_refetch_seconds              between two fetches of a key that did not verify (S17)
    vain_fetches_per_host_max        after which no more keys are fetched from a host for a while (S16)
    new_hosts_per_domain_max         hosts under one registrable domain that are asked for the first time in that while
    negative_cache_seconds           how long that while is, and how long a key that is not there counts as absent
    negative_cache_entries_max       such hosts and keys remembered
    fetch_waiters_per_host_max       letters that may wait for keys of one host
    origin_fetches_per_host_per_minute_max  activities that others carried here, asked for at one host (S46)
    followers_told_seconds           between two looks at what a sender says of its followers here (FEP-8fcf)
    block_memory_seconds             how late a new block may take effect at the door
    inbox_memory_seconds             how long it is remembered that an inbox exists
    memory_entries_max               entries of every other memory of the door
    queue_letters_max                letters not yet applied, beyond which senders are asked to come back later
    queue_count_seconds              between two counts of them
    waiting_letters_max              letters waiting for the disk, beyond which senders are asked to come back later
    in_hand_bytes_max                of all letters being read or waiting for the disk, beyond which it is the same
    come_back_seconds                what they are told to wait
    commit_letters_max               letters written down in one commit
    commit_gather_seconds            between two commits while letters come without a pause
    follows_per_host_per_minute_max  Follows taken from one host (S58)
    flags_per_host_per_hour_max      reports taken from one host (S50)
    claim_letters_max                letters leased at once
    unit_letters_max                 letters applied in one transaction
    apply_gather_seconds             between two claims while fewer letters come than are leased at once
    lanes_max                        hosts whose letters wait for documents at the same time
    lease_seconds                    after which another worker takes over; ``fetch_seconds_max`` must be well below
    fetches_per_letter_max           documents fetched for one letter
    fetches_at_once_max              of them at the same time
    fetch_seconds_max                for all documents of one host's letters
    fetch_tries_max                  tries of a letter whose document did not come; then it is applied without
    tries_max                        tries of a letter that fails through a fault of ours
    error_characters_max             of a fault's description that are stored
    retry_first_seconds              wait after the first failed try; each further one is four times longer
    retry_longest_seconds            the longest such wait
    poll_seconds                     how often the database is asked for letters that nobody woke us for
    awake_seconds                    how long a host counts as awake after a letter from it
    keep_settled_days                how long settled letters are remembered, so that a replay is known
    keep_bodies_days                 how long the text of settled letters is kept
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
    new_hosts_per_domain_max: int = 10
    negative_cache_seconds: int = 300
    negative_cache_entries_max: int = 10_000
    fetch_waiters_per_host_max: int = 100
    origin_fetches_per_host_per_minute_max: int = 10
    block_memory_seconds: int = 5
    inbox_memory_seconds: int = 60
    memory_entries_max: int = 10_000

    followers_told_seconds: int = 60

    queue_letters_max: int = 200_000
    queue_count_seconds: float = 2.0
    waiting_letters_max: int = 2_000
    in_hand_bytes_max: int = 64 * 1024 * 1024
    come_back_seconds: int = 30
    commit_letters_max: int = 500
    commit_gather_seconds: float = 0.005
    follows_per_host_per_minute_max: int = 300
    flags_per_host_per_hour_max: int = 20

    claim_letters_max: int = 100
    unit_letters_max: int = 50
    apply_gather_seconds: float = 0.05
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
