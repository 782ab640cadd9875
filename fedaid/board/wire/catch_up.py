"""Catches up on a board that one of ours has begun to follow: what stands open there was told before we listened."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog

from activitypub.accessors import Document
from activitypub.client import Client, read_collection
from activitypub.collections import CollectionLimits
from activitypub.documents import Activity, parse_activity, parse_actor
from activitypub.errors import FetchFailed, ProtocolError
from activitypub.identifiers import Url, UrlRules
from activitypub.keys import SigningKey
from activitypub.signatures.authentic import Authentic, found_at_origin
from fedaid.actors import queries as actors
from fedaid.actors.commands import FollowConfirmed
from fedaid.actors.rules import Kind
from fedaid.board.limits import BoardLimits
from fedaid.board.wire.reader import read_listing
from fedaid.foundation.errands import Write, send_on
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Announcer, UnitsOfWork, Work
from inbox.ports import Handler, Letter

KIND: Final = "catch_up_on_board"
_TOLD: Final = frozenset({"Create", "Update", "Announce", "Delete"})

Handlers = Mapping[str, Sequence[Handler[Work]]]

log = structlog.get_logger()


def _look_back(work: Work, fact: object) -> None:
    if not isinstance(fact, FollowConfirmed):
        return
    ours = actors.by_uri(work.connection, fact.follow.follower)
    theirs = actors.remote(work.connection, fact.follow.followee)
    if ours is not None and ours.kind is Kind.GROUP and theirs is not None and theirs.type == "Group":
        send_on(work, KIND, theirs.uri)


ANNOUNCERS: Mapping[type, Sequence[Announcer]] = {FollowConfirmed: (_look_back,)}


@dataclass(frozen=True)
class CatchUp:
    """The errand: reads the board's outbox, as far as the limits allow (S14), and hands what it told to the handlers.

    Each activity is treated as if the board had just sent it, so nothing is believed here that a letter could not say.
    """

    units: UnitsOfWork
    client: Client
    signer: Callable[[], SigningKey]
    handlers: Handlers
    limits: BoardLimits

    async def __call__(self, board: str, _note: str) -> Write:
        outbox = await asyncio.to_thread(self._outbox, board)
        if outbox is None:
            return lambda work: None
        signer = await asyncio.to_thread(self.signer)
        bounds = CollectionLimits(self.limits.catch_up_pages_max, self.limits.catch_up_activities_max)
        reading = await read_collection(self.client, outbox.text, signer, bounds)
        told = self._latest(reading.items, self.client.rules.parse(board))
        fetched = await self._fetch(told, signer)
        sender = found_at_origin(self.client.rules.parse(board), reading.address, self.units.clock.now())
        return lambda work: self._apply(work, sender, told, fetched)

    def _outbox(self, board: str) -> Url | None:
        """Where it stands, as the board itself says; None when it does not."""
        with self.units.database.read() as connection:
            document = actors.document_of(connection, board)
        if document is None:
            return None
        return parse_actor(orjson.loads(document), self.client.rules, self.units.clock.now()).outbox

    def _latest(self, items: Iterable[object], board: Url) -> list[Activity]:
        """The last that was told of each thing, oldest first; the outbox begins with the newest."""
        found: dict[str, Activity] = {}
        for item in items:
            activity = _activity(item, self.client.rules)
            if activity is not None and activity.actor.text == board.text and activity.object_id is not None:
                found.setdefault(activity.object_id, activity)
        return [one for one in reversed(found.values()) if one.type != "Delete" and self._is_open(one)]

    def _is_open(self, activity: Activity) -> bool:
        """Whether it may still be answered, as far as it shows without being fetched."""
        if activity.object is None:
            return True
        try:
            listing = read_listing(activity.object, self.client.rules, self.units.clock.now())
        except ProtocolError:
            return False
        if listing is None or listing.finished:
            return False
        return listing.expires_at is None or listing.expires_at > self.units.clock.now()

    async def _fetch(self, told: Iterable[Activity], signer: SigningKey) -> dict[str, Document]:
        """What the handlers want to see at its own server, as far as there is time."""
        wanted = [url for one in told for handler in self._takers(one) for url in handler.wants(one)]
        found: dict[str, Document] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.catch_up_fetch_seconds_max):
                for url in list(dict.fromkeys(wanted))[: self.limits.catch_up_fetches_max]:
                    await self._fetch_one(url, signer, found)
        return found

    async def _fetch_one(self, url: str, signer: SigningKey, found: dict[str, Document]) -> None:
        try:
            found[url] = (await self.client.fetch(url, signer)).document
        except FetchFailed as failed:
            log.info("catch_up_fetch_failed", url=url, code=failed.code)

    def _takers(self, activity: Activity) -> Sequence[Handler[Work]]:
        return self.handlers.get(activity.type, ())

    def _apply(self, work: Work, sender: Authentic, told: Iterable[Activity], fetched: Mapping[str, Document]) -> None:
        for activity in told:
            letter = Letter(sender, activity, inbox="")
            try:
                with work.attempt():
                    any(handler.apply(work, letter, fetched) for handler in self._takers(activity))
            except (ProtocolError, Refused) as refused:
                log.info("catch_up_refused", activity=activity.id.text, why=str(refused))


def _activity(item: object, rules: UrlRules) -> Activity | None:
    if not isinstance(item, dict):
        return None
    document: dict[str, Any] = item
    try:
        activity = parse_activity(document, rules)
    except ProtocolError:
        return None
    return activity if activity.type in _TOLD else None
