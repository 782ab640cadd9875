"""The numbers of the outgoing mail room, each with its unit in its name."""

from dataclasses import dataclass

REQUESTS_PER_TRY_MAX = 4  # an actor is met, the door is knocked at in each of two dialects, then with the old key
LEASE_SPARE_SECONDS = 1  # between the claim and the first try; without it no try would ever fit into the lease


@dataclass(frozen=True)
class OutboxLimits:
    """How patient, how parallel and how greedy delivery is.

    tries_max                     tries before a delivery is given up and its host is left to sleep
    first_retry_seconds           the wait after the first failure
    retry_factor                  how many times longer each further wait is
    retry_seconds_max             the longest such wait
    keep_trying_seconds_max       the longest wait for mail that is never given up
    jitter                        share by which a wait is made shorter or longer by chance
    retry_after_seconds_max       the longest Retry-After that is believed
    sleep_probe_seconds           how often a sleeping host is tried
    sleep_days_max                how long mail is kept for a sleeping host
    answer_timeout_seconds        for one request, from connecting to the answer
    in_flight_max                 hosts that are sent to at the same time
    public_in_flight_per_host_max  public letters to one host at the same time, none of which rests on another
    lease_seconds                 how long a worker owns a host's queue; after a crash another one goes on then
    wake_pause_seconds            after a failure, before a letter from that host lets us try it again
    stop_seconds                  how long requests in flight may take to end when the worker is asked to stop
    poll_seconds                  how often the database is asked for work that nobody woke us for
    gather_seconds                how long what comes home is gathered before it is written down together
    signed_together_max           letters made ready and signed in one go, in a thread
    signing_threads_max           threads that sign at the same time; a processor is enough for each
    fan_out_activities_max        activities fanned out in one transaction
    fan_out_deliveries_max        deliveries of them that are written in it; the rest follows in the next
    deliveries_per_lease_max      deliveries to one host before others get their turn
    error_characters_max          of a failure's description that are stored
    """

    tries_max: int = 14
    first_retry_seconds: float = 60
    retry_factor: float = 3
    retry_seconds_max: float = 6 * 3600
    keep_trying_seconds_max: float = 3600
    jitter: float = 0.2
    retry_after_seconds_max: float = 24 * 3600
    sleep_probe_seconds: float = 24 * 3600
    sleep_days_max: float = 30
    answer_timeout_seconds: float = 10
    in_flight_max: int = 200
    public_in_flight_per_host_max: int = 2
    lease_seconds: float = 60
    wake_pause_seconds: float = 10
    stop_seconds: float = 5
    poll_seconds: float = 1
    gather_seconds: float = 0.02
    signed_together_max: int = 50
    signing_threads_max: int = 2
    fan_out_activities_max: int = 50
    fan_out_deliveries_max: int = 2000
    deliveries_per_lease_max: int = 20
    error_characters_max: int = 300

    def __post_init__(self) -> None:
        shortest = self.try_seconds_max + LEASE_SPARE_SECONDS
        if self.lease_seconds < shortest:
            raise ValueError(f"lease_seconds must leave room for one try with all its requests: at least {shortest:g}")

    @property
    def try_seconds_max(self) -> float:
        """The longest that one try can last."""
        return REQUESTS_PER_TRY_MAX * self.answer_timeout_seconds
