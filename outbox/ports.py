"""What the outbox needs from the house it stands in."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey


@dataclass(frozen=True)
class Mailbox:
    """Where to post for one actor: its own inbox, and its server's shared one where there is one."""

    actor: str
    inbox: str
    shared_inbox: str | None


Transaction = Callable[[], AbstractContextManager[Connection]]  # opens one, commits it at the end of the block


class Answer(Protocol):
    """What another server said to a POST."""

    @property
    def status(self) -> int: ...

    @property
    def retry_after_seconds(self) -> int | None: ...

    @property
    def text(self) -> str: ...


class Postman(Protocol):
    """Carries a request over the network; ``activitypub.client.Client`` is one."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One POST, no redirect followed. Raises activitypub.errors.FetchFailed when there was no answer."""
        ...


class Signers(Protocol):
    """The keys of our own actors."""

    def signer(self, actor: str) -> SigningKey:
        """The RSA key that signs requests for this actor. Raises LookupError for an actor that is not ours."""
        ...

    def former_signer(self, actor: str) -> SigningKey | None:
        """The key that was replaced lately, for servers that still go by it. Raises LookupError."""
        ...


class AddressBook(Protocol):
    """Where other servers' actors receive their mail."""

    def mailboxes(self, connection: Connection, actors: Sequence[str]) -> Sequence[Mailbox]:
        """Those of the actors that we have met; our own actors and unknown ones are left out."""
        ...

    def followers(self, connection: Connection, actor: str) -> Sequence[Mailbox]:
        """The mailboxes of the accepted remote followers of one of our actors."""
        ...

    async def meet(self, actor: str) -> None:
        """Fetch and remember an actor we have not met. Raises activitypub.errors.FetchFailed."""
        ...

    def synchronizations(self, connection: Connection, actor: str, inboxes: Sequence[str]) -> Mapping[str, str]:
        """What is to be said to the server of each inbox about its followers of our actor, a header (FEP-8fcf)."""
        ...

    def reads_rfc9421(self, connection: Connection, hosts: Sequence[str]) -> frozenset[str]:
        """Those of the servers, never written to, that say that they read RFC 9421 signatures (FEP-844e)."""
        ...

    def refused(self, connection: Connection, sender: str, recipients: Sequence[str]) -> frozenset[str]:
        """Those of the actors, or inboxes, that nothing of this actor of ours is to be sent to."""
        ...


@dataclass(frozen=True)
class House:
    """What delivering needs from outside.

    write, read   open a transaction on the database; the second one cannot write
    signers       keys of our own actors
    address_book  inboxes of other servers' actors
    postman       the network
    rules         which URLs may be posted to
    clock_ms      milliseconds since 1970 UTC
    chance        a random number from 0 up to 1, for jitter
    """

    write: Transaction
    read: Transaction
    signers: Signers
    address_book: AddressBook
    postman: Postman
    rules: UrlRules
    clock_ms: Callable[[], int]
    chance: Callable[[], float]
