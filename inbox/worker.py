"""Applies letters: effect and mark in one transaction, each letter once, those of one host in the order they came."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy import Connection

from activitypub.documents import parse_activity, parse_json
from activitypub.errors import FetchFailed, OriginMismatch, ProtocolError
from activitypub.identifiers import UrlRules
from activitypub.keys import SigningKey
from activitypub.origin import check_embedded, check_sender
from activitypub.signatures.authentic import Proof, restored
from inbox.claims import Claimed, Mark, claim, hold, mark
from inbox.journal import milliseconds
from inbox.limits import InboxLimits, retry_seconds
from inbox.memory import Memory
from inbox.ports import Clock, Correspondents, Fetcher, Handler, Letter, Refusal, UnitsOfWork, Unwelcome, Work
from inbox.queries import forget
from inbox.tables import State

FORGET_SECONDS = 3600
# The object of these is the sender's own, so a foreign one in them is a forgery (attacks S11, S40).
OWN_OBJECT_TYPES = frozenset({"Create", "Update"})
# Somebody else may have carried the rest, so they do not show that the sender's server is awake.
BROUGHT_BY_SENDER = frozenset({Proof.DRAFT_CAVAGE.value, Proof.RFC_9421.value})

W = TypeVar("W", bound=Work)
A = TypeVar("A")
B = TypeVar("B")
Judged = tuple[Letter, Unwelcome | None]
Handlers = Mapping[str, Sequence[Handler[W]]]
Documents = Mapping[str, Mapping[str, Any]]

_log = structlog.get_logger()


@dataclass(frozen=True)
class Opened(Generic[W]):
    """A claimed letter that was read: who may take it and which documents they want first."""

    claimed: Claimed
    letter: Letter
    handlers: Sequence[Handler[W]]
    wants: Sequence[str]


@dataclass(frozen=True)
class Ready(Generic[W]):
    """A letter with the documents it wanted, as far as they could be had."""

    opened: Opened[W]
    fetched: Documents


class Worker(Generic[W]):
    """Takes letters from the journal and gives them to the handlers registered for their type.

    ``write`` opens a plain transaction, for leases; ``units`` opens those in which letters are applied.
    ``signer`` gives the key of the server's own actor, which signs fetches. ``count_end`` is told how each try of a
    letter ended: its state then, and the code that says why.
    """

    def __init__(
        self,
        *,
        write: Callable[[], AbstractContextManager[Connection]],
        units: UnitsOfWork[W],
        handlers: Handlers[W],
        correspondents: Correspondents,
        client: Fetcher,
        signer: Callable[[], SigningKey],
        rules: UrlRules,
        clock: Clock,
        limits: InboxLimits | None = None,
        count_end: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._write = write
        self._units = units
        self._handlers = handlers
        self._correspondents = correspondents
        self._client = client
        self._signer = signer
        self._rules = rules
        self._clock = clock
        self._limits = limits or InboxLimits()
        self._count_end = count_end
        self._awake: Memory[bool] = Memory(
            clock, seconds=self._limits.awake_seconds, entries_max=self._limits.memory_entries_max
        )
        self._woken = asyncio.Event()
        self._lanes: set[asyncio.Task[None]] = set()
        self._forgot_at = 0.0

    def wake(self) -> None:
        """New letters were written; look at once. To be called on the event loop."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; the letters in hand are finished first."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                claimed = await self._round_or_log()
                if not claimed:
                    await self._rest(stopping)
                elif claimed < self._limits.claim_letters_max:
                    await self._gather(stopping)
        finally:
            stopping.cancel()
            await self._finish_lanes()

    async def drain(self) -> int:
        """Work until nothing is due; how many letters were taken up."""
        taken = 0
        while True:
            claimed = await self._round()
            taken += claimed
            if not claimed and not self._lanes:
                return taken
            await self._finish_lanes()

    async def _round_or_log(self) -> int:
        try:
            await self._forget_old()
            return await self._round()
        except Exception:  # noqa: BLE001 - the database is away, perhaps; leases bring the letters back
            _log.exception("inbox.worker_failed")
            return 0

    async def _rest(self, stopping: "asyncio.Task[bool]") -> None:
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait(
                [woken, stopping, *self._lanes],
                timeout=self._limits.poll_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            woken.cancel()

    async def _gather(self, stopping: "asyncio.Task[bool]") -> None:
        """All that were there were taken; so that the next are not taken one by one, each with a commit of its own."""
        await asyncio.wait([stopping], timeout=self._limits.apply_gather_seconds)

    async def _finish_lanes(self) -> None:
        while self._lanes:
            await asyncio.wait(self._lanes)

    async def _round(self) -> int:
        """Claim once and apply; hosts whose letters want documents are served beside, in lanes of their own."""
        if len(self._lanes) >= self._limits.lanes_max:
            return 0
        self._woken.clear()
        claimed = await asyncio.to_thread(self._claim)
        if not claimed:
            return 0
        await asyncio.to_thread(self._greet, {one.host for one in claimed if one.proof in BROUGHT_BY_SENDER})
        opened = await asyncio.to_thread(self._open_all, claimed)
        plain, wanting = _split(opened)
        for lane in wanting:
            task = asyncio.create_task(self._serve_lane(lane))
            self._lanes.add(task)
            task.add_done_callback(self._lanes.discard)
        await self._apply([Ready(one, {}) for one in plain])
        return len(claimed)

    def _claim(self) -> Sequence[Claimed]:
        with self._write() as connection:
            return claim(connection, self._now_ms(), self._limits)

    def _greet(self, hosts: Iterable[str]) -> None:
        for host in hosts:
            if self._awake.get(host) is None:
                self._awake.put(host, True)
                self._say_heard_from(host)

    def _say_heard_from(self, host: str) -> None:
        try:
            self._correspondents.heard_from(host)
        except Exception:  # noqa: BLE001 - a courtesy; no letter may fail over it
            _log.exception("inbox.greeting_failed", host=host)

    # reading

    def _open_all(self, claimed: Sequence[Claimed]) -> Sequence[Opened[W]]:
        letters, unreadable = self._each([(one, one) for one in claimed], lambda _claimed, one: self._read(one))
        judged, unjudged = self._judge_all(letters)
        opened, unopened = self._each(judged, self._open)
        self._mark_alone(claimed, [*unreadable, *unjudged, *unopened])
        return [one for _, one in opened]

    def _each(
        self, given: Iterable[tuple[Claimed, A]], do: Callable[[Claimed, A], B]
    ) -> tuple[list[tuple[Claimed, B]], list[Mark]]:
        """What came of each letter, and how those ended with which it failed: they must not hold up the others."""
        done: list[tuple[Claimed, B]] = []
        ended: list[Mark] = []
        for claimed, one in given:
            try:
                done.append((claimed, do(claimed, one)))
            except Exception as error:  # noqa: BLE001 - told to the sender or the admin
                ended.append(self._ended_badly(claimed, error))
        return done, ended

    def _read(self, claimed: Claimed) -> Letter:
        activity = parse_activity(parse_json(claimed.body, self._limits.documents), self._rules, self._limits.documents)
        signed_at = datetime.fromtimestamp(claimed.signed_ms / 1000, UTC)
        sender = restored(self._rules.parse(claimed.sender), claimed.key_id, Proof(claimed.proof), signed_at)
        check_sender(activity, sender)
        if activity.type in OWN_OBJECT_TYPES:
            check_embedded(activity)
        return Letter(sender, activity, claimed.inbox)

    def _judge_all(self, letters: Sequence[tuple[Claimed, Letter]]) -> tuple[list[tuple[Claimed, Judged]], list[Mark]]:
        """Whether they are welcome, asked for all at once; where that fails, for each alone."""
        try:
            found = self._correspondents.unwelcome_letters([letter for _, letter in letters])
        except Exception:  # noqa: BLE001 - it is one of them; which, is found out
            return self._each(letters, self._judge)
        return [(claimed, (letter, one)) for (claimed, letter), one in zip(letters, found, strict=True)], []

    def _judge(self, _claimed: Claimed, letter: Letter) -> Judged:
        return letter, self._correspondents.unwelcome_letters([letter])[0]

    def _open(self, claimed: Claimed, judged: Judged) -> Opened[W]:
        letter, unwelcome = judged
        if unwelcome is not None:  # said before anything is fetched for it (attack S48)
            raise OriginMismatch(unwelcome.code, unwelcome.sentence)
        handlers = self._handlers.get(letter.activity.type, ())
        wanted = dict.fromkeys(itertools.chain.from_iterable(handler.wants(letter.activity) for handler in handlers))
        return Opened(claimed, letter, handlers, list(wanted)[: self._limits.fetches_per_letter_max])

    # fetching

    async def _serve_lane(self, lane: Sequence[Opened[W]]) -> None:
        try:
            ready, put_off = await self._fetch_for(lane)
            await asyncio.to_thread(self._mark_alone, [one.claimed for one in lane], put_off)
            await self._apply(ready)
        except Exception:  # noqa: BLE001 - as in _round_or_log
            _log.exception("inbox.lane_failed", host=lane[0].claimed.host)

    async def _fetch_for(self, lane: Sequence[Opened[W]]) -> tuple[Sequence[Ready[W]], Sequence[Mark]]:
        documents, unanswered = await self._fetch_all(dict.fromkeys(url for one in lane for url in one.wants))
        ready: list[Ready[W]] = []
        put_off: list[Mark] = []
        for one in lane:
            if unanswered.isdisjoint(one.wants) or one.claimed.tries + 1 >= self._limits.fetch_tries_max:
                ready.append(Ready(one, {url: documents[url] for url in one.wants if url in documents}))
            else:
                put_off.append(self._again(one.claimed, "unanswered", "A document it names could not be fetched yet."))
        return ready, put_off

    async def _fetch_all(self, urls: Iterable[str]) -> tuple[Documents, set[str]]:
        """The documents that could be had, and the addresses where trying later may help."""
        documents: dict[str, Mapping[str, Any]] = {}
        unanswered = set(urls)
        turns = asyncio.Semaphore(self._limits.fetches_at_once_max)

        async def fetch(url: str) -> None:
            async with turns:
                try:
                    documents[url] = (await self._client.fetch(url, self._signer())).document
                except FetchFailed as error:
                    _log.info("inbox.fetch_failed", url=url, code=error.code)
                    if not error.permanent:
                        return
                except ProtocolError as error:
                    _log.info("inbox.fetch_refused", url=url, code=error.code)
                except Exception:  # noqa: BLE001 - a fault of ours costs the letter a try, not the whole lane
                    _log.exception("inbox.fetch_fault", url=url)
                    return
                unanswered.discard(url)

        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.fetch_seconds_max):
                await asyncio.gather(*(fetch(url) for url in list(unanswered)))
        return documents, unanswered

    # applying

    async def _apply(self, letters: Sequence[Ready[W]]) -> None:
        size = self._limits.unit_letters_max
        for start in range(0, len(letters), size):
            await asyncio.to_thread(self._apply_unit, letters[start : start + size])

    def _apply_unit(self, letters: Sequence[Ready[W]]) -> None:
        """Many letters per commit. When the whole cannot be committed, each alone: none can spoil the rest."""
        try:
            self._apply_together(letters)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of it was committed
            if len(letters) == 1:
                claimed = letters[0].opened.claimed
                self._mark_alone([claimed], [self._ended_badly(claimed, error)])
                return
            for letter in letters:
                self._apply_unit([letter])

    def _apply_together(self, letters: Sequence[Ready[W]]) -> None:
        with self._units.begin() as work:
            still_ours = {one.n for one in hold(work.connection, [letter.opened.claimed for letter in letters])}
            marks = [self._apply_one(work, letter) for letter in letters if letter.opened.claimed.n in still_ours]
            mark(work.connection, marks)
        self._count(marks)

    def _apply_one(self, work: W, ready: Ready[W]) -> Mark:
        claimed = ready.opened.claimed
        try:
            with work.attempt():
                taken = any(
                    handler.apply(work, ready.opened.letter, ready.fetched) for handler in ready.opened.handlers
                )
        except Exception as error:  # noqa: BLE001 - undone by attempt(), told to the admin
            return self._ended_badly(claimed, error)
        if taken:
            return Mark(claimed.n, State.DONE, claimed.tries + 1)
        sentence = f"Nobody here takes this {claimed.type}."
        return Mark(claimed.n, State.IGNORED, claimed.tries + 1, "not_taken", sentence)

    # ends

    def _ended_badly(self, claimed: Claimed, error: Exception) -> Mark:
        if isinstance(error, Refusal):
            _log.info("inbox.letter_refused", **_about(claimed), code=error.code, sentence=error.sentence)
            return Mark(claimed.n, State.REFUSED, claimed.tries + 1, error.code, error.sentence)
        _log.error("inbox.letter_failed", **_about(claimed), exc_info=error)
        return self._again(claimed, "fault", _told(error)[: self._limits.error_characters_max])

    def _again(self, claimed: Claimed, code: str, sentence: str) -> Mark:
        tries = claimed.tries + 1
        if tries >= self._limits.tries_max:
            return Mark(claimed.n, State.FAILED, tries, code, sentence)
        next_try_ms = self._now_ms() + retry_seconds(self._limits, tries) * 1000
        return Mark(claimed.n, State.NEW, tries, code, sentence, next_try_ms)

    def _mark_alone(self, letters: Sequence[Claimed], marks: Sequence[Mark]) -> None:
        if marks:
            with self._write() as connection:
                still_ours = {one.n for one in hold(connection, letters)}
                mark(connection, [one for one in marks if one.n in still_ours])
            self._count(marks)

    def _count(self, marks: Iterable[Mark]) -> None:
        for one in marks:
            self._count_end(one.state.value, one.code)

    # keeping house

    async def _forget_old(self) -> None:
        now = self._clock.now().timestamp()
        if now - self._forgot_at >= FORGET_SECONDS:
            self._forgot_at = now
            await asyncio.to_thread(self._forget)

    def _forget(self) -> None:
        with self._write() as connection:
            forget(
                connection,
                self._now_ms(),
                keep_settled_days=self._limits.keep_settled_days,
                keep_bodies_days=self._limits.keep_bodies_days,
            )

    def _now_ms(self) -> int:
        return milliseconds(self._clock.now())


def _about(claimed: Claimed) -> dict[str, object]:
    """What a log line says of a letter; never its body."""
    return {"letter": claimed.n, "activity": claimed.activity_id, "type": claimed.type, "sender": claimed.sender}


def _told(error: Exception) -> str:
    """The fault for the admin; of a database's, without the statement, whose values are somebody's letter."""
    cause = getattr(error, "orig", None) or error
    return f"{type(error).__name__}: {cause}"


def _split(opened: Sequence[Opened[W]]) -> tuple[Sequence[Opened[W]], Sequence[Sequence[Opened[W]]]]:
    """Letters of hosts that want no documents, in order; and one lane for each other host, in order."""
    by_host: dict[str, list[Opened[W]]] = {}
    for one in opened:
        by_host.setdefault(one.letter.sender.actor.origin.netloc, []).append(one)
    lanes = [lane for lane in by_host.values() if any(one.wants for one in lane)]
    waiting = {one.claimed.n for lane in lanes for one in lane}
    return [one for one in opened if one.claimed.n not in waiting], lanes
