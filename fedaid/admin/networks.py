"""The admin's desk for neighbouring networks: one step links boards and timebanks together, wherever it is taken."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from activitypub.client import Client
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey
from fedaid.actors import queries as actors
from fedaid.admin.deliveries import in_short
from fedaid.foundation.refused import Refused
from fedaid.foundation.wording import MINUTES_PER_HOUR
from fedaid.foundation.work import Announcer, UnitsOfWork, Work
from fedaid.groups import queries as groups
from fedaid.network import commands as links
from fedaid.network import queries as link_queries
from fedaid.network.commands import Restricted
from fedaid.network.discovery import discover
from fedaid.network.queries import Neighbour, NeighbourFacts
from fedaid.network.rules import Status
from fedaid.network.rules.restrictions import Severity
from fedaid.timebank import peering
from fedaid.timebank import queries as timebank
from fedaid.timebank.facts import PeeringActivated, PeeringAsked, PeeringEnded
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.terms import PeerStatus
from outbox import health

LINE_HOURS_MAX = 1_000
# What an admin can do with a link, by its status; the words of the buttons.
STEPS: Mapping[Status, Sequence[tuple[str, str]]] = {
    Status.PROPOSED: (("end", "Take it back"),),
    Status.ASKED: (("end", "Decline"),),
    Status.ACCEPTED: (("pause", "Pause"), ("end", "End the link")),
    Status.PAUSED: (("resume", "Resume"), ("end", "End the link")),
    Status.ENDED: (),
}


@dataclass(frozen=True)
class Row:
    """One neighbouring network as an admin sees it; figures in minutes.

    we_follow, they_follow  whether the boards follow each other
    mail                    whether what we send arrives, in words
    """

    id: int
    host: str
    status: Status
    has_account: bool
    they_owe_us: int
    we_owe_them: int
    line_we_grant: int
    line_they_grant: int
    we_follow: bool
    they_follow: bool
    mail: str

    @property
    def steps(self) -> Sequence[tuple[str, str]]:
        """What can be done with it now."""
        return STEPS[self.status]

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self)


def overview(connection: Connection) -> list[Row]:
    """All neighbouring networks, oldest link first."""
    mail = {host.host: host for host in health.hosts(connection)}
    ours = groups.default_board(connection)
    return [_row(connection, one, ours.actor if ours else "", mail.get(one.host)) for one in _all(connection)]


def _all(connection: Connection) -> Sequence[Neighbour]:
    return link_queries.neighbours(connection)


def _row(connection: Connection, one: Neighbour, our_board: str, mail: health.HostHealth | None) -> Row:
    account = timebank.peer_by_actor(connection, one.ledger_actor)
    balance = account.balance if account else 0
    return Row(
        id=one.id,
        host=one.host,
        status=one.status,
        has_account=account is not None,
        they_owe_us=max(-balance, 0),
        we_owe_them=max(balance, 0),
        line_we_grant=account.line_minutes if account else 0,
        line_they_grant=account.their_line_minutes if account else 0,
        we_follow=actors.is_following(connection, our_board, one.board_actor),
        they_follow=actors.is_following(connection, one.board_actor, our_board),
        mail=in_short(mail),
    )


@dataclass(frozen=True)
class Desk:
    """Takes the admin's steps. Looking up the other network comes before the unit of work, never inside it."""

    units: UnitsOfWork
    client: Client
    rules: UrlRules
    limits: TimebankLimits
    server_signer: Callable[[], SigningKey]

    async def propose(self, host: str, line_hours: float | None) -> None:
        """Propose a link to the network at ``host``, granting it a line. Raises Refused, FetchFailed."""
        line = self._line(line_hours)
        facts = await self._discover(host)

        def write(work: Work) -> None:
            links.propose(work, facts)
            peering.propose(work, _peer_facts(facts), self.limits, line_minutes=line)

        await self._write(write)

    async def accept(self, host: str, line_hours: float | None) -> None:
        """Accept what the network at ``host`` proposed, granting it a line. Raises Refused."""
        line = self._line(line_hours)

        def write(work: Work) -> None:
            found = links.accept(work, self._host(host))
            peering.accept(work, found.ledger_actor, self.limits, line_minutes=line)

        await self._write(write)

    async def pause(self, host: str) -> None:
        """Let nothing new go between us. Raises Refused."""
        await self._step(host, links.pause, lambda work, ledger: peering.pause(work, ledger, self.limits))

    async def resume(self, host: str) -> None:
        """Take the link up again. Raises Refused."""
        await asyncio.to_thread(self._refuse_blocked, self._host(host))
        await self._step(host, links.resume, peering.resume)

    async def end(self, host: str) -> None:
        """End the link; decline or take back one that was never accepted. Raises Refused."""
        await self._step(host, links.end, lambda work, ledger: peering.end(work, ledger, self.limits))

    async def _step(
        self, host: str, link: Callable[[Work, str], Neighbour], account: Callable[[Work, str], object]
    ) -> None:
        def write(work: Work) -> None:
            found = link(work, self._host(host))
            account(work, found.ledger_actor)

        await self._write(write)

    async def _write(self, write: Callable[[Work], None]) -> None:
        def in_one_unit() -> None:
            with self.units.begin() as work:
                write(work)

        await asyncio.to_thread(in_one_unit)

    async def _discover(self, host: str) -> NeighbourFacts:
        await asyncio.to_thread(self._refuse_blocked, self._host(host))
        signer = await asyncio.to_thread(self.server_signer)
        return await discover(self.client, host, self.rules, self.units.clock.now(), signer)

    def _refuse_blocked(self, host: str) -> None:
        """Nothing is asked of a blocked host, not even who it is (attack S48)."""
        with self.units.database.read() as connection:
            if link_queries.is_blocked(connection, host):
                raise Refused("network_blocked", "This host is blocked here; lift the block first.", 403)

    def _host(self, typed: str) -> str:
        return typed.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")

    def _line(self, hours: float | None) -> int:
        if hours is None:
            return self.limits.line_minutes
        minutes = hours * MINUTES_PER_HOUR
        if not 0 <= hours <= LINE_HOURS_MAX or minutes != int(minutes):
            raise Refused("line", f"The line is a number of hours from 0 to {LINE_HOURS_MAX}, in whole minutes.")
        return int(minutes)


DeskStep = Callable[[Desk], Awaitable[None]]


def _peer_facts(facts: NeighbourFacts) -> peering.PeerFacts:
    ledger = next(actor for actor in facts.actors if actor.id.text == facts.ledger_actor)
    return peering.PeerFacts.of(facts.host, facts.origin, ledger)


def _link_asked(work: Work, fact: object) -> None:
    """Their proposal came with the ledger's letter; the ledger's own document says which server and board it is of."""
    if not isinstance(fact, PeeringAsked):
        return
    found = link_queries.facts_of_ledger(work.connection, fact.ledger_actor)
    if found is None:
        raise Refused("no_fedaid", "The ledger does not say which server and which board it belongs to.")
    links.asked(work, found)


def _link_accepted(work: Work, fact: object) -> None:
    if isinstance(fact, PeeringActivated) and not fact.by_us:
        links.accepted(work, fact.host)


def _link_ended(work: Work, fact: object) -> None:
    if isinstance(fact, PeeringEnded) and not fact.by_us:
        links.ended(work, fact.host)


def _rest_links_of_blocked(work: Work, fact: object, limits: TimebankLimits) -> None:
    """A block is about people. Links under it rest: nothing new begins, and what is owed is still settled
    (timebank.md, 3.2). A link that was never agreed ends."""
    if not isinstance(fact, Restricted) or fact.terms.severity is not Severity.BLOCK:
        return
    for one in link_queries.neighbours(work.connection):
        if fact.target.covers(one.host):
            _rest(work, one, limits)


def _rest(work: Work, one: Neighbour, limits: TimebankLimits) -> None:
    account = timebank.peer_by_actor(work.connection, one.ledger_actor)
    if one.status is Status.ACCEPTED:
        links.pause(work, one.host)
        if account is not None and account.status == PeerStatus.ACTIVE:
            peering.pause(work, one.ledger_actor, limits)
    elif one.status in (Status.PROPOSED, Status.ASKED):
        links.end(work, one.host)
        if account is not None and account.status in (PeerStatus.PROPOSED, PeerStatus.ASKED):
            peering.end(work, one.ledger_actor, limits)


def announcers(limits: TimebankLimits) -> Mapping[type, Sequence[Announcer]]:
    """Links follow what the ledgers agree on, and rest under a block."""
    return {
        PeeringAsked: (_link_asked,),
        PeeringActivated: (_link_accepted,),
        PeeringEnded: (_link_ended,),
        Restricted: (lambda work, fact: _rest_links_of_blocked(work, fact, limits),),
    }
