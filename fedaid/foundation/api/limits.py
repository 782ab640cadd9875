"""The numbers of the JSON API that an admin may change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiLimits:
    """How much a program may ask in one request and in a while, and how long answers are kept to be given again.

    body_bytes_max           of what a program sends in one request
    page_rows_max            things on one page of a list, however many were asked for
    window_seconds           over which the requests of a token are counted, by each web process for itself
    requests_per_token_max   in one window; beyond that a program is told when to come back
    tokens_counted_max       tokens that are kept count of; the longest unheard go first (attack S90)
    answers_kept_hours       for which the answer to an Idempotency-Key is given again
    tidy_seconds             how often answers are looked for that were kept long enough
    token_seen_seconds       how exactly it is noted when a token was last used
    """

    body_bytes_max: int = 64 * 1024
    page_rows_max: int = 100
    window_seconds: int = 300
    requests_per_token_max: int = 600
    tokens_counted_max: int = 20_000
    answers_kept_hours: int = 24
    tidy_seconds: float = 3600.0
    token_seen_seconds: int = 3600
