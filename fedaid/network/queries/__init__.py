"""Reads about neighbouring networks, about who is welcome here, and about what moderators have to decide."""

from fedaid.network.queries.links import (
    Neighbour,
    NeighbourFacts,
    by_host,
    by_ledger,
    facts_of_ledger,
    is_neighbour,
    linked_hosts,
    neighbours,
)
from fedaid.network.queries.restrictions import (
    Restriction,
    is_blocked,
    log_of,
    restriction_on,
    restrictions,
    showable,
    verdict_on,
    verdicts_on,
)

__all__ = [
    "Neighbour",
    "NeighbourFacts",
    "Restriction",
    "by_host",
    "by_ledger",
    "facts_of_ledger",
    "is_blocked",
    "is_neighbour",
    "linked_hosts",
    "log_of",
    "neighbours",
    "restriction_on",
    "restrictions",
    "showable",
    "verdict_on",
    "verdicts_on",
]
