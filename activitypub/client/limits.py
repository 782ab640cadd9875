"""Every maximum of the client, with its unit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FetchLimits:
    """How much a stranger's server may cost us.

    total_seconds_max        for one fetch with all its redirects, or one post (attack S08)
    connect_seconds_max      for a single wait: until the connection stands
    read_seconds_max         for a single wait: for more of the answer
    write_seconds_max        for a single wait: until more of the request is taken; of a post, part of ``read``
    head_bytes_max           of the answer to a post that are read before its body
    body_bytes_max           of an answer; counted as it arrives, never unpacked (S07)
    answer_bytes_max         of the answer to a post that are read
    redirects_max            followed by a fetch; a post follows none (S03)
    addresses_max            of one host that are tried
    connections_max          open at the same time for what is fetched
    kept_connections_max     of them kept for the next request
    kept_lines_max           connections kept for the next letter, to all hosts together; each is an open file
    idle_seconds_max         after which a kept connection is closed
    retry_after_seconds_max  the longest Retry-After that is passed on
    dialects_kept_max        hosts of which it is remembered what kind of signature they read (S90)
    """

    total_seconds_max: float = 10.0
    connect_seconds_max: float = 3.0
    read_seconds_max: float = 8.0
    write_seconds_max: float = 8.0
    head_bytes_max: int = 64 * 1024
    body_bytes_max: int = 1024 * 1024
    answer_bytes_max: int = 2000
    redirects_max: int = 3
    addresses_max: int = 4
    connections_max: int = 200
    kept_connections_max: int = 100
    kept_lines_max: int = 500
    idle_seconds_max: float = 60.0
    retry_after_seconds_max: int = 7 * 24 * 3600
    dialects_kept_max: int = 10_000
