"""The admin's desk for neighbouring networks: one step links boards and timebanks together, on pages and command line."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection

from activitypub.client import Client
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Announcer, UnitsOfWork, Work
from fedaid.network import commands as links
from fedaid.network import queries as link_queries
from fedaid.network.discovery import discover
from fedaid.network.queries import NeighbourFacts
from fedaid.timebank import peering
from fedaid.timebank import queries as timebank
from fedaid.timebank.facts import PeeringActivated, PeeringAsked, PeeringEnded
from fedaid.timebank.limits import TimebankLimits

MINUTES_PER_HOUR = 60
