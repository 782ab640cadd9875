"""Stands at every door to other servers: what may come in, what may be fetched, and to whom something may be sent.

It decides nothing by itself: ``queries.verdicts_on`` does, here as on the pages. It only knows of one way through.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from activitypub.accessors import embedded_all, has_type, link, links
from activitypub.documents import Activity
from activitypub.errors import FetchFailed
from activitypub.identifiers import Url
from fedaid.actors import queries as actors
from fedaid.foundation.database import Database
from fedaid.foundation.federation import Federation
from fedaid.foundation.names import Names
from fedaid.network.queries import verdict_on, verdicts_on
from fedaid.network.rules.restrictions import Verdict, host_of
from inbox.ports import Letter, Unwelcome


@dataclass(frozen=True)
class LedgerPassage:
    """The one way through a block: between our ledger and that of a network whose timebank once agreed with ours.

    A block is about people. What their ledger owes ours, or ours theirs, must still be settled (timebank.md, 3.2).

    inbox      path of our ledger's inbox
    kinds      the types of activities that go between ledgers
    ledger_at  the ledger actor of the network at a host, if its timebank and ours ever agreed
    """

    inbox: str
    kinds: frozenset[str]
    ledger_at: Callable[[Connection, str], str | None]


class Doorkeeper:
    """Asked by both mail rooms and by the client, each time in a transaction of its own unless one is given."""

    def __init__(self, database: Database, names: Names, federation: Federation, passage: LedgerPassage) -> None:
        self._database = database
        self._names = names
        self._federation = federation
        self._passage = passage

    # what comes in

    def unwelcome(self, who: str, inbox: str) -> Unwelcome | None:
        """Why nothing is taken from this actor, key or origin at this inbox (inbox.ports.Correspondents)."""
        with self._database.read() as connection:
            found = verdict_on(connection, self._federation, _bare(who))
            if not found.is_shut_out or self._is_their_ledger(connection, who, inbox):
                return None
        return _unwelcome(found)

    def _is_their_ledger(self, connection: Connection, who: str, inbox: str) -> bool:
        return inbox == self._passage.inbox and who == self._passage.ledger_at(connection, host_of(who))

    def unwelcome_letters(self, letters: Sequence[Letter]) -> Sequence[Unwelcome | None]:
        """The same for letters about to be applied, with everybody whom they are about (attack S48)."""
        with self._database.read() as connection:
            standing = verdicts_on(connection, self._federation, {one.sender.actor.text for one in letters})
            senders = [standing[one.sender.actor.text] for one in letters]
            welcome = [one.activity for one, sender in zip(letters, senders, strict=True) if not sender.is_shut_out]
            matters = iter(self._unwelcome_matters(connection, welcome))
            return [
                self._unwelcome_sender(connection, one, sender) if sender.is_shut_out else next(matters)
                for one, sender in zip(letters, senders, strict=True)
            ]

    def _unwelcome_sender(self, connection: Connection, letter: Letter, found: Verdict) -> Unwelcome | None:
        is_ledger = self._is_their_ledger(connection, letter.sender.actor.text, letter.inbox)
        return None if is_ledger and self._is_for_ledger(letter.activity) else _unwelcome(found)

    def _is_for_ledger(self, activity: Activity) -> bool:
        """Nothing else comes through the ledger's door: who is blocked does not follow a board by way of it."""
        return activity.to == (self._names.ledger,) and activity.type in self._passage.kinds

    def _unwelcome_matters(self, connection: Connection, activities: Sequence[Activity]) -> Iterator[Unwelcome | None]:
        made = [self._foreign(_makers(one)) for one in activities]
        named = [self._foreign(_mentioned(one)) for one in activities]
        of_makers = verdicts_on(connection, self._federation, itertools.chain.from_iterable(made))
        # Whoever speaks with neighbours alone may still hear of others by name.
        of_named = verdicts_on(connection, Federation.OPEN, itertools.chain.from_iterable(named))
        for makers, names in zip(made, named, strict=True):
            verdicts = (*(of_makers[one] for one in makers), *(of_named[one] for one in names))
            found = next((one for one in verdicts if one.is_shut_out), None)
            yield _unwelcome(found) if found is not None else None

    def _foreign(self, addresses: Iterable[str]) -> Sequence[str]:
        foreign = (address for address in addresses if "://" in address and not self._names.is_ours(address))
        return list(dict.fromkeys(foreign))

    # what is fetched

    async def vet(self, url: Url) -> None:
        """Raises FetchFailed for an address that nothing is asked of; for the client, before each request."""
        found = await asyncio.to_thread(self._shuts_out, url)
        if found is not None:
            raise FetchFailed(found.code, found.sentence, permanent=True)

    def _shuts_out(self, url: Url) -> Verdict | None:
        if self._names.is_ours(url.text):
            return None
        with self._database.read() as connection:
            found = verdict_on(connection, self._federation, url.without_fragment)
            if not found.is_shut_out:
                return None
            ledger = self._passage.ledger_at(connection, url.origin.netloc)  # its keys may have to be fetched anew
        return None if url.without_fragment == ledger else found

    # what goes out

    def refused(self, connection: Connection, sender: str, recipients: Sequence[str]) -> frozenset[str]:
        """Those of the actors or inboxes that nothing of this actor of ours is sent to."""
        found = verdicts_on(connection, self._federation, recipients)
        shut_out = [address for address in recipients if found[address].is_shut_out]
        if sender != self._names.ledger:
            return frozenset(shut_out) | actors.blockers_of(connection, sender).intersection(recipients)
        return frozenset(address for address in shut_out if not self._is_ledger_mail(connection, address))

    def _is_ledger_mail(self, connection: Connection, address: str) -> bool:
        ledger = self._passage.ledger_at(connection, host_of(address))
        if ledger is None:
            return False
        met = actors.remote(connection, ledger)
        return address == ledger or (met is not None and address == met.inbox)


def _unwelcome(found: Verdict) -> Unwelcome:
    """A single actor is not told, and is thanked as before; a server is, so that its admins can ask (attack S48)."""
    return Unwelcome(found.code, found.sentence, silent=found.alone)


def _bare(who: str) -> str:
    """An origin without a path is a host; it has no restriction of its own as an actor has."""
    return host_of(who) if who.count("/") == 2 else who


def _makers(activity: Activity) -> Iterator[str]:
    """Who made what the activity is about, and where that stands: object, target, announced activity, answered note."""
    yield from (address for address in (activity.object_id, activity.target_id) if address)
    inside = [activity.object] if activity.object else []
    for made in [*inside, *(inner for one in inside for inner in embedded_all(one, "object"))]:  # FEP-1b12 nests once
        for key in ("id", "attributedTo", "actor", "inReplyTo", "object"):
            yield from links(made, key)


def _mentioned(activity: Activity) -> Iterator[str]:
    for document in (activity.raw, activity.object or {}):
        for tag in embedded_all(document, "tag"):
            href = link(tag.get("href"))
            if has_type(tag, "Mention") and href:
                yield href
