"""What the inbox needs from the house it stands in; the house gives these, the inbox asks for nothing else."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, runtime_checkable

from sqlalchemy import Connection

from activitypub.documents import Activity
from activitypub.keys import SigningKey, VerificationKey
from activitypub.signatures.authentic import Authentic


@dataclass(frozen=True)
class Letter:
    """One authenticated activity as it came in.

    sender   the proved sender; equal to ``activity.actor``
    inbox    the path it was posted to, e.g. ``/inbox`` or ``/users/ana/inbox``
    """

    sender: Authentic
    activity: Activity
    inbox: str


@dataclass(frozen=True)
class Unwelcome:
    """Why nothing is taken from somebody, with a code and a sentence that may be told to them.

    silent  they are thanked all the same, and learn nothing (attack S48)
    """

    code: str
    sentence: str
    silent: bool = False


class Clock(Protocol):
    """Tells the time as an aware datetime in UTC."""

    def now(self) -> datetime: ...


class Work(Protocol):
    """A unit of work as far as the inbox cares: something with a connection in a transaction."""

    @property
    def connection(self) -> Connection: ...

    def attempt(self) -> AbstractContextManager[object]:
        """A part that may fail by itself: when it raises, what it wrote and recorded is undone, the rest stands."""
        ...


@runtime_checkable
class Refusal(Protocol):
    """What an exception looks like that is an answer to the sender rather than a fault of ours."""

    code: str
    sentence: str


W_contra = TypeVar("W_contra", bound=Work, contravariant=True)
W_co = TypeVar("W_co", bound=Work, covariant=True)


class Handler(Protocol[W_contra]):
    """What to do with one type of activity."""

    def wants(self, activity: Activity) -> Sequence[str]:
        """URLs of documents that must be fetched first; fetched with no transaction open, absent where it failed."""
        ...

    def apply(self, work: W_contra, letter: Letter, fetched: Mapping[str, Mapping[str, Any]]) -> bool:
        """Do it, in the transaction that also marks the letter done; False when the letter is not for this handler.

        Raises an exception with ``code`` and ``sentence`` (see Refusal) to refuse it: nothing it wrote stays.
        """
        ...


class UnitsOfWork(Protocol[W_co]):
    """Opens the transaction in which effect and mark are committed together."""

    def begin(self) -> AbstractContextManager[W_co]: ...


class Fetched(Protocol):
    """A document from where it says it is from."""

    @property
    def document(self) -> Mapping[str, Any]: ...


class Fetcher(Protocol):
    """The guarded client of activitypub, as far as the inbox needs it."""

    async def fetch(self, url: str, signer: SigningKey | None = None) -> Fetched:
        """The document at the address, asked for with a signature. Raises FetchFailed or another ProtocolError."""
        ...


class Correspondents(Protocol):
    """The actors of other servers that we have met, and whom we do not want to hear from."""

    def key(self, key_id: str) -> VerificationKey | None:
        """The stored key, or None when this key was never fetched. Its ``fetched_at`` bounds refetching (S17)."""
        ...

    def remember(self, actor_document: Mapping[str, Any]) -> None:
        """Store or refresh an actor that we ourselves fetched from its own address."""
        ...

    def unwelcome(self, who: str, inbox: str) -> Unwelcome | None:
        """Why nothing is taken at this inbox (a path) from ``who``; None when it is.

        ``who`` is the id of an actor, the address of a key whose owner is not proved yet, or an origin alone.
        """
        ...

    def unwelcome_letters(self, letters: Sequence[Letter]) -> Sequence[Unwelcome | None]:
        """The same for each of these letters: its sender, and whoever made, or is named in, what it is about (S48).

        Many are asked about at once. Raises ProtocolError when one of them cannot be read so far.
        """
        ...

    def heard_from(self, host: str) -> None:
        """A verified message came from this host: it is awake. Said by the worker, about once a minute per host."""
        ...


class Followers(Protocol):
    """Who of ours follows the actors of other servers."""

    def told(self, actor: str, header: str) -> None:
        """A proved sender said how it sees its followers here: a Collection-Synchronization header (FEP-8fcf)."""
        ...


class Recipients(Protocol):
    """Which inboxes exist here."""

    def has_inbox(self, path: str) -> bool:
        """Whether the path is the shared inbox or that of one of our actors."""
        ...
