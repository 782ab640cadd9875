"""Alone touches the network: guarded fetches, signed posts, and discovery of actors."""

from activitypub.client.answers import Answer, Fetched
from activitypub.client.collections import read_collection
from activitypub.client.discovery import discover_actor
from activitypub.client.fetch import Client, Vet, anybody
from activitypub.client.guard import Guard, Resolver, is_public, system_resolver
from activitypub.client.limits import FetchLimits
from activitypub.client.transport import GuardedTransport, trusting

__all__ = [
    "Answer",
    "Client",
    "FetchLimits",
    "Fetched",
    "Guard",
    "GuardedTransport",
    "Resolver",
    "Vet",
    "anybody",
    "discover_actor",
    "is_public",
    "read_collection",
    "system_resolver",
    "trusting",
]
