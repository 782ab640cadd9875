"""What the two mail rooms ask of actors: keys, mailboxes, and which inboxes exist here."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from sqlalchemy import Connection
from starlette.requests import Request

from activitypub.client import Client
from activitypub.documents import parse_actor
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey, VerificationKey
from activitypub.synchronization import Synchronization, digest_of
from fedaid.actors import commands, queries
from fedaid.actors.rules import PARTIAL
from fedaid.foundation.clock import milliseconds
from fedaid.foundation.database import Database
from fedaid.foundation.names import Names
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import UnitsOfWork
from inbox.ports import Letter, Unwelcome
from inbox.readers import CHALLENGES, MailRefused, Readers
from outbox import health
from outbox.limits import OutboxLimits
from outbox.ports import Mailbox


class StoredSigners:
    """The RSA keys of our actors (outbox.ports.Signers), as they are now: another process may have replaced them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def signer(self, actor: str) -> SigningKey:
        """The key that signs for this actor. Raises LookupError when it is not ours."""
        with self._database.read() as connection:
            return queries.signing_key(connection, actor)

    def former_signer(self, actor: str) -> SigningKey | None:
        """The key that signed for it before, as long as others may go by it. Raises LookupError."""
        with self._database.read() as connection:
            return queries.own_keys(connection, actor).old_main


class Doors(Protocol):
    """Who decides what comes in and what goes out; a room above does, as links and blocks are kept there."""

    def unwelcome(self, who: str, inbox: str) -> Unwelcome | None: ...

    def unwelcome_letters(self, letters: Sequence[Letter]) -> Sequence[Unwelcome | None]: ...

    def refused(self, connection: Connection, sender: str, recipients: Sequence[str]) -> frozenset[str]: ...


class StoredCorrespondents:
    """The actors of other servers (inbox.ports.Correspondents); what we fetch of them is stored at once."""

    def __init__(self, units: UnitsOfWork, rules: UrlRules, doors: Doors, limits: OutboxLimits) -> None:
        self._units = units
        self._rules = rules
        self._doors = doors
        self._limits = limits

    def key(self, key_id: str) -> VerificationKey | None:
        """The stored key; its ``fetched_at`` says how old it is."""
        with self._units.database.read() as connection:
            return queries.key(connection, key_id)

    def remember(self, actor_document: Mapping[str, Any]) -> None:
        """Store an actor that we fetched from its own address. Raises ProtocolError when it is none."""
        with self._units.begin() as work:
            commands.remember(work, parse_actor(actor_document, self._rules, work.now))

    def unwelcome(self, who: str, inbox: str) -> Unwelcome | None:
        """Why nothing is taken from somebody at this inbox."""
        return self._doors.unwelcome(who, inbox)

    def unwelcome_letters(self, letters: Sequence[Letter]) -> Sequence[Unwelcome | None]:
        """Why each of the letters is not applied, for its sender's sake or because of what it is about."""
        return self._doors.unwelcome_letters(letters)

    def heard_from(self, host: str) -> None:
        """The host is awake, so what waits for it is tried again; mostly nothing does, so look before locking."""
        now_ms = milliseconds(self._units.clock.now())
        with self._units.database.read() as connection:
            if not health.would_wake(connection, host, now_ms, self._limits):
                return
        with self._units.begin() as work:
            health.wake(work.connection, host, now_ms, self._limits)


class SignedReaders:
    """Who signed a request to read (foundation.pages.House.identify)."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def __call__(self, request: Request) -> str:
        """The id of the actor. Raises Refused, 401 for a wrong signature."""
        try:
            return (await self._readers.identify(request.scope)).text
        except MailRefused as refused:
            raise Refused(refused.code, refused.sentence, refused.status, _headers_of(refused)) from None


def _headers_of(refused: MailRefused) -> dict[str, str]:
    headers = dict(CHALLENGES) if refused.status == HTTPStatus.UNAUTHORIZED else {}
    if refused.retry_after_seconds is not None:
        headers["Retry-After"] = str(refused.retry_after_seconds)
    return headers


class OurRecipients:
    """Which inboxes exist here (inbox.ports.Recipients)."""

    def __init__(self, database: Database, names: Names) -> None:
        self._database = database
        self._names = names

    def has_inbox(self, path: str) -> bool:
        """Whether the path is the shared inbox or that of an actor of ours that has not left."""
        address = f"{self._names.origin}{path}"
        if address == self._names.shared_inbox:
            return True
        if not address.endswith("/inbox"):
            return False
        with self._database.read() as connection:
            found = queries.by_uri(connection, address.removesuffix("/inbox"))
        return found is not None and found.gone_at is None


class StoredAddressBook:
    """Where other servers' actors receive their mail (outbox.ports.AddressBook)."""

    def __init__(
        self,
        units: UnitsOfWork,
        client: Client,
        rules: UrlRules,
        doors: Doors,
        server_signer: Callable[[], SigningKey],
    ) -> None:
        self._units = units
        self._client = client
        self._rules = rules
        self._doors = doors
        self._server_signer = server_signer

    def mailboxes(self, connection: Connection, actors: Sequence[str]) -> Sequence[Mailbox]:
        """Those of the actors that we have met and that are not gone."""
        return queries.mailboxes(connection, actors)

    def followers(self, connection: Connection, actor: str) -> Sequence[Mailbox]:
        """The mailboxes of the accepted remote followers of one of our actors."""
        return queries.follower_mailboxes(connection, actor)

    def synchronizations(self, connection: Connection, actor: str, inboxes: Sequence[str]) -> Mapping[str, str]:
        """Our view of who at each inbox's server follows our actor, as a header (FEP-8fcf)."""
        origins = {inbox: str(self._rules.parse(inbox).origin) for inbox in inboxes}
        followers = queries.followers_at(connection, actor, set(origins.values()))
        collection, part = f"{actor}/followers", f"{actor}/{PARTIAL}"
        said = {at: Synchronization(collection, part, digest_of(there)).header() for at, there in followers.items()}
        return {inbox: said[origin] for inbox, origin in origins.items()}

    def reads_rfc9421(self, connection: Connection, hosts: Sequence[str]) -> frozenset[str]:
        """Those of the hosts an actor of which says so of its server (FEP-844e)."""
        return queries.read_rfc9421(connection, hosts)

    async def meet(self, actor: str) -> None:
        """Fetch and remember an actor, signed by our server actor. Raises FetchFailed, ProtocolError."""
        signer = await asyncio.to_thread(self._server_signer)
        fetched = await self._client.fetch(actor, signer)
        await asyncio.to_thread(self._remember, fetched.document)

    def _remember(self, document: Mapping[str, Any]) -> None:
        with self._units.begin() as work:
            commands.remember(work, parse_actor(document, self._rules, work.now))

    def refused(self, connection: Connection, sender: str, recipients: Sequence[str]) -> frozenset[str]:
        """Those that nothing of this actor of ours is to be sent to."""
        return self._doors.refused(connection, sender, recipients)
