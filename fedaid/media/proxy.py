"""Shows a picture of another server as our own: nobody's browser is sent there, and nothing but pixels comes here."""

import asyncio
from collections.abc import Collection
from typing import Protocol

import structlog
from sqlalchemy.exc import IntegrityError
from starlette.responses import Response

from activitypub.errors import FetchFailed
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import UnitsOfWork
from fedaid.media import cache
from fedaid.media.cache import Kept
from fedaid.media.limits import MediaLimits
from fedaid.media.rules import CONTENT_TYPE, KINDS, harmless

SHOWN_SECONDS_MAX = 24 * 3600
# Should a picture be opened by itself, it still can do nothing and is nobody else's to embed (attack S73).
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": 'inline; filename="picture.webp"',
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": f"private, max-age={SHOWN_SECONDS_MAX}",
}

log = structlog.get_logger()


class Files(Protocol):
    """The guarded client, as far as pictures need it."""

    async def fetch_file(self, url: str, kinds: Collection[str], bytes_max: int) -> bytes: ...


class PictureProxy:
    """Fetches a picture at most once while it is kept. Which pictures there are, and who may see them, rooms above say:
    nothing is fetched because somebody typed its address (attacks S04, S89)."""

    def __init__(self, units: UnitsOfWork, client: Files, limits: MediaLimits) -> None:
        self._units = units
        self._client = client
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.fetches_at_once_max)
        self._under_way: dict[str, asyncio.Task[Kept]] = {}

    async def show(self, url: str, *, is_emoji: bool = False) -> Response:
        """The picture at this address, made harmless. Raises NotFound when there is none that can be shown."""
        side = self._limits.emoji_side_pixels_max if is_emoji else self._limits.picture_side_pixels_max
        bytes_max = self._limits.emoji_bytes_max if is_emoji else self._limits.picture_bytes_max
        key = cache.key_of(url, side)
        found = await asyncio.to_thread(self._find, key)
        if found is None:
            found = await self._once(key, url, side, bytes_max)
        elif found.is_read_again:
            await asyncio.to_thread(self._note_use, key)
        if found.failure:
            raise NotFound("This picture cannot be shown.")
        return Response(found.body, media_type=CONTENT_TYPE, headers=HEADERS)

    def _find(self, key: str) -> Kept | None:
        with self._units.database.read() as connection:
            return cache.find(connection, key, self._units.clock.now(), self._limits)

    def _note_use(self, key: str) -> None:
        with self._units.begin() as work:
            cache.note_use(work, key)

    async def _once(self, key: str, url: str, side: int, bytes_max: int) -> Kept:
        """Everybody who looks at the same time waits for the same fetch."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._fetch(key, url, side, bytes_max))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    async def _fetch(self, key: str, url: str, side: int, bytes_max: int) -> Kept:
        async with self._turns:
            kept = await asyncio.to_thread(self._find, key)
            if kept is not None:  # somebody fetched it while we looked and waited
                return kept
            try:
                content = await self._client.fetch_file(url, KINDS, bytes_max)
                body, failure = await asyncio.to_thread(harmless, content, self._limits.pixels_max, side), ""
            except (FetchFailed, Refused) as error:
                log.info("picture_not_shown", url=url, code=error.code)
                body, failure = b"", error.code
            await asyncio.to_thread(self._keep, key, body, failure)
            return Kept(body, failure, is_read_again=False)

    def _keep(self, key: str, body: bytes, failure: str) -> None:
        try:
            with self._units.begin() as work:
                cache.keep(work, key, body, failure)
        except IntegrityError:  # another process was quicker
            log.debug("picture_kept_already", key=key)
