"""Makes letters ready to be sent: many at once in one hop into a thread, as looking things up and signing are slow."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from activitypub import synchronization
from activitypub.keys import SigningKey
from activitypub.signatures import FIRST, Dialect, sign_request
from outbox.backoff import Answer, Outcome
from outbox.leases import Parcel
from outbox.limits import OutboxLimits
from outbox.ports import House

CONTENT_TYPE = "application/activity+json"
REFUSED_HERE = Outcome(Answer.REFUSED, error="nothing is sent there: it is shut out here")
_NO_SENDER = Outcome(Answer.REFUSED, error="the sender is no longer here")


@dataclass(frozen=True)
class Wanted:
    """A parcel that is to be sent to a host. ``dialect`` and ``key`` are chosen here where they are None."""

    parcel: Parcel
    host: str
    dialect: Dialect | None = None
    key: SigningKey | None = None


@dataclass(frozen=True)
class Ready:
    """The headers to send it with, signed in a dialect."""

    dialect: Dialect
    headers: Mapping[str, str]


class Desk:
    """Whoever comes while others are served is served with those who came beside.

    Letters are signed at the last moment, as dates may be off by little only. Whether their recipients have been shut
    out since the fan-out, who signs for the sender now and who follows it is looked up for all of them at once.
    """

    def __init__(self, house: House, limits: OutboxLimits) -> None:
        self._house = house
        self._limits = limits
        self._waiting: list[tuple[Wanted, asyncio.Future[Ready | Outcome]]] = []
        self._serving: set[asyncio.Task[None]] = set()

    async def ready(self, wanted: Wanted) -> Ready | Outcome:
        """The letter made ready, or why it is not sent at all."""
        loop = asyncio.get_running_loop()
        served: asyncio.Future[Ready | Outcome] = loop.create_future()
        self._waiting.append((wanted, served))
        if len(self._serving) < self._limits.signing_threads_max:
            task = loop.create_task(self._serve())
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        return await served

    async def _serve(self) -> None:
        while self._waiting:
            most = self._limits.signed_together_max
            some, self._waiting = self._waiting[:most], self._waiting[most:]
            try:
                made: Sequence[Ready | Outcome | Exception] = await asyncio.to_thread(
                    self._make, [wanted for wanted, _ in some]
                )
            except Exception as fault:  # noqa: BLE001 - theirs who wait, each of whom gets it
                made = [fault] * len(some)
            for (_, served), one in zip(some, made, strict=True):
                if served.done():  # nobody waits for it any more
                    continue
                if isinstance(one, Exception):
                    served.set_exception(one)
                else:
                    served.set_result(one)

    # in a thread

    def _make(self, letters: Sequence[Wanted]) -> Sequence[Ready | Outcome | Exception]:
        with self._house.read() as connection:
            looked_up = self._look_up(connection, letters)
        return [self._made(letter, looked_up) for letter in letters]

    def _look_up(self, connection: Connection, letters: Sequence[Wanted]) -> "_LookedUp":
        refused, said, keys = {}, {}, {}
        for sender, theirs in _by_sender(letters).items():
            inboxes = list(dict.fromkeys(letter.parcel.inbox for letter in theirs))
            refused[sender] = self._house.address_book.refused(connection, sender, inboxes)
            to_followers = [letter.parcel.inbox for letter in theirs if letter.parcel.followers_of == sender]
            if to_followers:
                said[sender] = self._house.address_book.synchronizations(connection, sender, to_followers)
            keys[sender] = self._signer(sender)
        unknown = sorted({letter.host for letter in letters if letter.dialect is None})
        modern = self._house.address_book.reads_rfc9421(connection, unknown) if unknown else frozenset()
        return _LookedUp(refused, said, keys, modern)

    def _signer(self, sender: str) -> SigningKey | None:
        try:
            return self._house.signers.signer(sender)
        except LookupError:
            return None

    def _made(self, letter: Wanted, known: "_LookedUp") -> Ready | Outcome | Exception:
        parcel = letter.parcel
        if parcel.inbox in known.refused[parcel.actor]:
            return REFUSED_HERE
        key = letter.key or known.keys[parcel.actor]
        if key is None:
            return _NO_SENDER
        dialect = letter.dialect or (Dialect.RFC_9421 if letter.host in known.modern else FIRST)
        try:
            return Ready(dialect, self._headers(parcel, dialect, key, known.said))
        except Exception as fault:  # noqa: BLE001 - of this letter alone
            return fault

    def _headers(
        self, parcel: Parcel, dialect: Dialect, key: SigningKey, said: Mapping[str, Mapping[str, str]]
    ) -> Mapping[str, str]:
        now = datetime.fromtimestamp(self._house.clock_ms() / 1000, UTC)
        # Mail to the sender's followers says how many of them we believe to be there (FEP-8fcf).
        is_to_followers = parcel.followers_of == parcel.actor
        more = {synchronization.HEADER: said[parcel.actor][parcel.inbox]} if is_to_followers else {}
        signed = sign_request(dialect, "POST", self._house.rules.parse(parcel.inbox), parcel.body, key, now, more)
        return {"content-type": CONTENT_TYPE, **signed}  # where it was signed, as it was signed


@dataclass(frozen=True)
class _LookedUp:
    """What the database says of some letters, by sender: refused inboxes, headers by inbox, the key; and of hosts."""

    refused: Mapping[str, frozenset[str]]
    said: Mapping[str, Mapping[str, str]]
    keys: Mapping[str, SigningKey | None]
    modern: frozenset[str]


def _by_sender(letters: Sequence[Wanted]) -> Mapping[str, Sequence[Wanted]]:
    found: dict[str, list[Wanted]] = {}
    for letter in letters:
        found.setdefault(letter.parcel.actor, []).append(letter)
    return found
