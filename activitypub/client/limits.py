"""Every maximum of the client, with its unit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FetchLimits:
    """How much a stranger's server may cost us.

    ``total_seconds_max`` bounds one fetch with all its redirects, or one post; the others bound a single wait (S08).
    ``body_bytes_max`` counts what arrives, which is never unpacked (S07). ``redirects_max`` is for GET; a POST follows
    none (S03). Of the answer to a POST only ``answer_bytes_max`` are read. A kept connection is closed after
    ``idle_seconds_max``; ``retry_after_seconds_max`` caps what a Retry-After may ask for.
    """

    total_seconds_max: float = 10.0
    connect_seconds_max: float = 3.0
    read_seconds_max: float = 8.0
    write_seconds_max: float = 8.0
    body_bytes_max: int = 1024 * 1024
    answer_bytes_max: int = 2000
    redirects_max: int = 3
    addresses_max: int = 4
    connections_max: int = 200
    kept_connections_max: int = 100
    idle_seconds_max: float = 60.0
    retry_after_seconds_max: int = 7 * 24 * 3600
