"""The admin's desk for neighbouring networks: one step links boards and timebanks together, wherever it is taken."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from activitypub.client import Client
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey
from fedaid.actors import queries as actors
from fedaid.admin.deliveries import in_short
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
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
from fedaid.timebank import commands as timebank_commands
from fedaid.timebank import peering
from fedaid.timebank import queries as timebank
from fedaid.timebank.facts import PeeringActivated, PeeringAsked, PeeringEnded
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.books import checked_minutes
from fedaid.timebank.rules.terms import OFFER_LIFETIME_DAYS_MAX, PeerStatus
from outbox import health

LINE_HOURS_MAX = 1_000
ALARM_DIGITS_MAX = 18
# What an admin can do with a link, by its status; the words of the buttons.
STEPS: Mapping[Status, Sequence[tuple[str, str]]] = {
    Status.PROPOSED: (("end", "Take it back"),),
    Status.ASKED: (("end", "Decline"),),
    Status.ACCEPTED: (("pause", "Pause"), ("end", "End the link")),
    Status.PAUSED: (("resume", "Resume"), ("end", "End the link")),
    Status.ENDED: (),
}
# The status of the account says more than the link's where the other network is gone, or left owing.
LOST_STEPS = (("found", "They are back"), ("write-off", "Write off what is owed"))
LEFT_STEPS = (("write-off", "Write off what is owed"),)


@dataclass(frozen=True)
class Row:
    """One neighbouring network as an admin sees it; figures in minutes.

    account_status          how far the agreement of the timebanks is, one word
    promised                minutes of their line that claims of ours hold
    last_heard              when they last showed us our common messages
    waits                   whether new decisions wait until they do
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
    account_status: str
    max_transfer: int
    offer_days: int
    promised: int
    last_heard: datetime | None
    waits: bool
    we_follow: bool
    they_follow: bool
    mail: str

    @property
    def steps(self) -> Sequence[tuple[str, str]]:
        """What can be done with it now."""
        if self.account_status == PeerStatus.LOST:
            return LOST_STEPS
        owes = self.they_owe_us or self.we_owe_them
        return LEFT_STEPS if self.account_status == PeerStatus.CLOSING and owes else STEPS[self.status]

    @property
    def can_be_lost(self) -> bool:
        """Whether an admin may say that it is gone for good."""
        return self.account_status in (PeerStatus.ACTIVE, PeerStatus.SUSPENDED, PeerStatus.CLOSING)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        heard = self.last_heard.isoformat() if self.last_heard else None
        return {**asdict(self), "last_heard": heard}


@dataclass(frozen=True)
class Books:
    """What both books say about one network: statements, differences by id, what is on its way or written off."""

    statements: Sequence[timebank.PeerStatement]
    differences: Sequence[timebank.Difference]
    in_flight: Sequence[timebank.Settling]
    write_offs: Sequence[timebank.Settling]


def books_with(connection: Connection, ledger_actor: str) -> Books:
    """The books about the network with this ledger."""
    account = timebank.peer_by_actor(connection, ledger_actor)
    if account is None:
        return Books((), (), (), ())
    return Books(
        timebank.statements_with(connection, account.peer_id),
        timebank.differences(connection, account.peer_id),
        timebank.in_flight(connection, account.peer_id),
        timebank.write_offs(connection, account.peer_id),
    )


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
        account_status=account.status if account else "",
        max_transfer=account.max_transfer_minutes if account else 0,
        offer_days=account.offer_lifetime_days if account else 0,
        promised=account.held if account else 0,
        last_heard=account.synced_at if account else None,
        waits=account is not None and account.needs_sync,
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

    async def propose(
        self, host: str, line_hours: float | None, largest_hours: float | None = None, days: int | None = None
    ) -> None:
        """Propose a link to the network at ``host``, granting it a line. Raises Refused, FetchFailed.

        largest_hours  the most that may go at once; the smaller of both sides' figures counts
        days           how long a claim waits to be confirmed
        """
        line, limits = self._line(line_hours), self._limits(largest_hours, days)
        facts = await self._discover(host)

        def write(work: Work) -> None:
            links.propose(work, facts)
            peering.propose(work, _peer_facts(facts), limits, line_minutes=line)

        await self._write(write)

    async def accept(self, host: str, line_hours: float | None, largest_hours: float | None = None) -> None:
        """Accept what the network at ``host`` proposed, granting it a line. Raises Refused."""
        line, limits = self._line(line_hours), self._limits(largest_hours, None)

        def write(work: Work) -> None:
            found = links.accept(work, self._host(host))
            peering.accept(work, found.ledger_actor, limits, line_minutes=line)

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

    async def lost(self, host: str) -> None:
        """The network is gone for good: nobody waits for it any more. What is owed can be written off afterwards."""

        def write(work: Work) -> None:
            found = self._known(work, host)
            peering.declare_lost(work, found.ledger_actor, self.limits)
            if found.status is Status.ACCEPTED:
                links.pause(work, found.host)

        await self._write(write)

    async def found(self, host: str) -> None:
        """A network that was given up answers again; what it decided meanwhile counts. Raises Refused."""

        def write(work: Work) -> None:
            known = self._known(work, host)
            peering.found_again(work, known.ledger_actor)
            if known.status is Status.PAUSED:
                links.resume(work, known.host)

        await self._write(write)

    async def write_off(self, host: str) -> None:
        """Even out the account with a network that is lost or has left, against the chest. Raises Refused."""

        def write(work: Work) -> None:
            peering.write_off(work, self._known(work, host).ledger_actor)

        await self._write(write)

    async def undo_write_off(self, transfer_id: str) -> None:
        """Owe again what was written off. Raises NotFound, Refused."""
        await self._write(lambda work: peering.undo_write_off(work, transfer_id))

    async def set_line(self, host: str, line_hours: float | None) -> None:
        """Grant another line than was agreed on. Raises Refused."""
        line = self._line(line_hours)
        await self._write(lambda work: peering.set_line(work, self._known(work, host).ledger_actor, line))

    async def state(self, host: str) -> None:
        """Make a statement with this network now, for it to countersign. Raises Refused."""

        def write(work: Work) -> None:
            timebank_commands.state_now(work, self.limits, self._known(work, host).ledger_actor)

        await self._write(write)

    async def take_late(self, transfer_id: str) -> None:
        """Credit hours that were confirmed too late and beyond the line. Raises NotFound."""
        await self._write(lambda work: timebank_commands.take_late(work, self.limits, transfer_id))

    async def see(self, number: str) -> None:
        """An alarm was looked at."""
        if not (number.isascii() and number.isdigit() and len(number) <= ALARM_DIGITS_MAX):
            raise NotFound
        await self._write(lambda work: timebank_commands.see(work, int(number)))

    def _known(self, work: Work, host: str) -> Neighbour:
        found = link_queries.by_host(work.connection, self._host(host))
        if found is None:
            raise NotFound("There is no link with this network.")
        return found

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

    def _limits(self, largest_hours: float | None, days: int | None) -> TimebankLimits:
        chosen: dict[str, Any] = {}
        if largest_hours is not None:
            minutes = largest_hours * MINUTES_PER_HOUR
            if minutes != int(minutes):
                raise Refused("minutes", "The largest transfer is in whole minutes.")
            chosen["max_transfer_minutes"] = checked_minutes(int(minutes))
        if days is not None:
            if not 1 <= days <= OFFER_LIFETIME_DAYS_MAX:
                raise Refused("offer_days", said("A claim waits 1 to %(count)s days.", count=OFFER_LIFETIME_DAYS_MAX))
            chosen["offer_lifetime_days"] = days
        return replace(self.limits, **chosen)

    def _line(self, hours: float | None) -> int:
        if hours is None:
            return self.limits.line_minutes
        minutes = hours * MINUTES_PER_HOUR
        if not 0 <= hours <= LINE_HOURS_MAX or minutes != int(minutes):
            raise Refused(
                "line",
                said("The line is a number of hours from 0 to %(count)s, in whole minutes.", count=LINE_HOURS_MAX),
            )
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
