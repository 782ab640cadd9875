"""What the doctor looks at, and how a finding is said."""

from dataclasses import dataclass

from activitypub.client import Client, Resolver, system_resolver
from fedaid.foundation.clock import Clock
from fedaid.foundation.database import Database
from fedaid.foundation.names import Names


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is in order, and what was seen or is to be done."""

    ok: bool
    what: str


@dataclass(frozen=True)
class Patient:
    """What the doctor looks at.

    data      the instance's folder
    client    asks anybody, as another server would
    resolver  finds the addresses of a name
    trusts_a_proxy  whether the settings name a proxy whose word on addresses is believed
    """

    data: str
    names: Names
    database: Database
    client: Client
    clock: Clock
    resolver: Resolver = system_resolver
    trusts_a_proxy: bool = False
