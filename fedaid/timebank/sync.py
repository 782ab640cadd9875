"""Asks peers for the messages we have in common, so that what one of us has forgotten comes back; and shows them ours.

Each side is the backup of the other's signed history. Until a peer has answered, nothing new is decided towards it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import orjson
import structlog
from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from activitypub.client import Fetched
from activitypub.errors import ProtocolError
from activitypub.keys import SigningKey
from activitypub.signatures.proofs import digest
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import UnitsOfWork, Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, channel
from fedaid.timebank.commands.carry_out import carry_out_waiting
from fedaid.timebank.commands.papers import take_shown_paper
from fedaid.timebank.commands.receive import FindAgreed, nothing_agreed, take_shown
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Peer
from fedaid.timebank.rules import shown
from fedaid.timebank.rules.messages import Document
from fedaid.timebank.rules.papers import read_paper
from fedaid.timebank.rules.reading import read
from fedaid.timebank.rules.shown import Page
from fedaid.timebank.rules.states import Alarm

log = structlog.get_logger()


class Fetcher(Protocol):
    """What asks another server; activitypub.client does."""

    async def fetch(self, url: str, signer: SigningKey | None = None) -> Fetched:
        """The document at the address, asked for with a signature. Raises ProtocolError."""
        ...


# showing


def page_for(connection: Connection, limits: TimebankLimits, peer: Peer, after: int) -> Page:
    """Our messages in common with this peer from number ``after`` on, as many as one page holds."""
    table = tables.fact
    query = select(table.c.n, table.c.doc).where(table.c.peer_id == peer.id, table.c.n > after).order_by(table.c.n)
    found = connection.execute(query.limit(limits.sync_page_messages_max + 1)).all()
    taken = _as_fit(found[: limits.sync_page_messages_max], limits.sync_page_bytes_max)
    following = int(found[taken - 1].n) if len(found) > taken else None
    items = tuple(orjson.loads(row.doc) for row in found[:taken])
    return Page(items, peer.messages, peer.messages_xor, following)


def _as_fit(found: Sequence[object], bytes_max: int) -> int:
    """How many of them fit on a page; always one at least, or nobody would ever come further."""
    size = 0
    for place, row in enumerate(found):
        size += len(row.doc.encode())  # type: ignore[attr-defined]  # a row of the query above
        if place and size > bytes_max:
            return place
    return len(found)


# asking


@dataclass(frozen=True)
class Errand:
    """To read a peer's copy of our common messages, from number ``after`` on.

    asked  the request that it answers: what is asked for later wants another reading
    """

    peer_id: int
    collection: str
    after: int
    asked: int


def ask_all(work: Work) -> None:
    """Ask for every peer's copy: this process has just started, and cannot know whether its database was restored."""
    books.lock(work)
    for peer in rows.peers(work.connection):
        if peer.terms_digest is not None and peer.status in rows.SPEAKING:
            channel.need_sync(work, peer.id)


def is_any_due(connection: Connection, limits: TimebankLimits, now: datetime) -> bool:
    """A look that takes no lock: whether some peer is to be asked now."""
    return connection.execute(select(tables.peer.c.id).where(_due(limits, now)).limit(1)).first() is not None


def _due(limits: TimebankLimits, now: datetime) -> ColumnElement[bool]:
    table = tables.peer
    speaking = table.c.status.in_([status.value for status in rows.SPEAKING]) & table.c.terms_digest.is_not(None)
    wanted = table.c.sync_asked > table.c.sync_done
    old = or_(table.c.synced_at.is_(None), table.c.synced_at < now - timedelta(hours=limits.sync_every_hours))
    return and_(speaking, or_(wanted, old), or_(table.c.sync_next.is_(None), table.c.sync_next <= now))


def set_out(work: Work, limits: TimebankLimits) -> list[Errand]:
    """The peers to ask now. Each is ours for a while: another process, or we if this one fails, will come later."""
    books.lock(work)
    table = tables.peer
    errands = []
    for row in work.connection.execute(select(table).where(_due(limits, work.now)).order_by(table.c.id)).all():
        pause = channel.pause_before(row.sync_tries, limits.sync_first_seconds, limits)
        values = {"sync_next": work.now + pause, "sync_tries": row.sync_tries + 1}
        work.connection.execute(update(table).where(table.c.id == row.id).values(values))
        collection = shown.collection_of(row.actor, work.names.host)
        errands.append(Errand(row.id, collection, row.sync_after, row.sync_asked))
    return errands


def take_page(
    work: Work, limits: TimebankLimits, errand: Errand, page: Page, find_agreed: FindAgreed = nothing_agreed
) -> Errand | None:
    """Take what a page shows us, in one transaction; where to read on, or None when the peer's copy was read.

    What is on it that was signed by neither of us, or cannot be, is left: it costs us its verification and no more.
    """
    books.lock(work)
    peer = rows.peer(work.connection, errand.peer_id)
    if not _is_the_same(peer, page):
        _take_items(work, limits, peer, page, find_agreed)
        peer = rows.peer(work.connection, peer.id)
    if page.next is not None and not _is_the_same(peer, page):
        return _read_on(work, errand, page.next, whole=peer.sync_whole)
    if _is_the_same(peer, page) or peer.sync_whole:
        _finish(work, errand)
        return None
    return _read_on(work, errand, 0, whole=True)  # they differ before where we began


def _is_the_same(peer: Peer, page: Page) -> bool:
    return (page.total, page.xor) == (peer.messages, peer.messages_xor)


def _take_items(work: Work, limits: TimebankLimits, peer: Peer, page: Page, find_agreed: FindAgreed) -> None:
    junk = 0
    for item in page.items:
        try:
            with work.attempt():
                _take_item(work, limits, peer, item, find_agreed)
        except (Refused, ProtocolError) as refused:
            junk += 1
            log.info("shown_message_refused", peer=peer.host, code=refused.code)
    if junk:
        channel.alarm(work, peer.id, None, Alarm.JUNK)


def _take_item(work: Work, limits: TimebankLimits, peer: Peer, item: Document, find_agreed: FindAgreed) -> None:
    if rows.fact_by_digest(work.connection, digest(item)) is not None:
        return
    if "fa:transfer" in item:
        take_shown(work, limits, peer, read(item), find_agreed)
    else:
        take_shown_paper(work, limits, peer, read_paper(item))


def _read_on(work: Work, errand: Errand, after: int, *, whole: bool) -> Errand:
    values = {"sync_after": after, "sync_whole": whole}
    work.connection.execute(update(tables.peer).where(tables.peer.c.id == errand.peer_id).values(values))
    return replace(errand, after=after)


def _finish(work: Work, errand: Errand) -> None:
    """The next reading begins with this page: what is new comes after it."""
    values = {
        "sync_done": errand.asked,
        "sync_after": errand.after,
        "sync_whole": errand.after == 0,
        "sync_tries": 0,
        "sync_next": None,
        "synced_at": work.now,
    }
    work.connection.execute(update(tables.peer).where(tables.peer.c.id == errand.peer_id).values(values))


@dataclass(frozen=True)
class Asking:
    """What asking peers needs from outside; ``signer`` gives the key with which our ledger signs requests."""

    units: UnitsOfWork
    client: Fetcher
    signer: Callable[[], SigningKey]
    limits: TimebankLimits
    find_agreed: FindAgreed = nothing_agreed

    async def ask_due(self) -> int:
        """Ask the peers that are due, then carry out what waited; how many were asked."""
        errands = await asyncio.to_thread(self._set_out)
        await asyncio.gather(*(self._read_or_log(errand) for errand in errands))
        if errands:
            await asyncio.to_thread(self._carry_out)
        return len(errands)

    def _set_out(self) -> list[Errand]:
        with self.units.database.read() as connection:
            if not is_any_due(connection, self.limits, self.units.clock.now()):
                return []
        with self.units.begin() as work:
            return set_out(work, self.limits)

    async def _read_or_log(self, errand: Errand) -> None:
        """Whatever goes wrong with one peer is its own affair; it is asked again later."""
        try:
            await self._read_copy(errand)
        except ProtocolError as refused:
            log.info("sync_failed", collection=errand.collection, code=refused.code)
        except Exception as error:
            log.error("sync_fault", collection=errand.collection, error=type(error).__name__, exc_info=error)

    async def _read_copy(self, errand: Errand) -> None:
        """So many pages in one go; no transaction is open while we wait for one."""
        signer = await asyncio.to_thread(self.signer)
        left: Errand | None = errand
        for _ in range(self.limits.sync_pages_max):
            if left is None:
                return
            fetched = await self.client.fetch(f"{left.collection}?after={left.after}", signer)
            page = shown.read_page(fetched.document, left.collection, left.after, self.limits.sync_read_messages_max)
            left = await asyncio.to_thread(self._take, left, page)

    def _take(self, errand: Errand, page: Page) -> Errand | None:
        with self.units.begin() as work:
            return take_page(work, self.limits, errand, page, self.find_agreed)

    def _carry_out(self) -> None:
        with self.units.begin() as work:
            carry_out_waiting(work, self.limits, self.find_agreed)
