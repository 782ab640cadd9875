"""Pictures of other servers: made harmless, fetched once, kept within bounds; what is no picture is never shown."""

import asyncio
import io
import struct
import zlib
from collections.abc import Collection
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select

import fedaid.media.tables  # noqa: F401 - defines tables
from activitypub.errors import FetchFailed
from fedaid.foundation.database import Database
from fedaid.foundation.refused import NotFound, Refused
from fedaid.media import cache
from fedaid.media.limits import MediaLimits
from fedaid.media.proxy import PictureProxy
from fedaid.media.rules import KINDS, harmless
from fedaid.media.tables import picture_file
from tests.small_house import SmallHouse, build

pytestmark = pytest.mark.anyio
URL = "https://files.example/1.png"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def drawn(
    kind: str = "PNG", size: tuple[int, int] = (40, 30), colour: tuple[int, ...] = (255, 0, 0), **more: object
) -> bytes:
    written = io.BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(written, kind, **more)
    return written.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def png_that_claims(width: int, height: int) -> bytes:
    """The head of a PNG of that size with next to nothing behind it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 10_000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
def test_every_kind_of_picture_is_written_anew_as_one_kind(kind: str) -> None:
    shown = opened(harmless(drawn(kind), 10_000, 100))
    assert (shown.format, shown.size) == ("WEBP", (40, 30))


def test_a_large_picture_is_made_smaller_and_keeps_its_shape() -> None:
    assert opened(harmless(drawn(size=(400, 200)), 100_000, 100)).size == (100, 50)


def test_what_shines_through_still_does() -> None:
    assert opened(harmless(drawn(colour=(255, 0, 0, 128)), 10_000, 100)).mode == "RGBA"


@pytest.mark.attack("S73")
def test_place_and_camera_are_taken_out_and_the_picture_is_turned_as_they_said() -> None:
    """Attack S73."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif[0x010F] = "a secret camera"
    shown = harmless(drawn("JPEG", exif=exif), 10_000, 100)
    assert opened(shown).size == (30, 40)
    assert b"secret" not in shown
    assert not opened(shown).getexif()


@pytest.mark.attack("S73")
def test_what_is_hidden_behind_a_picture_does_not_come_through() -> None:
    """Attack S73: a file that is a picture to some and a page to others."""
    shown = harmless(drawn() + b"<script>alert(1)</script>", 10_000, 100)
    assert b"script" not in shown


@pytest.mark.attack("S54", "S73")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html></html>",
        b"GIF89a",
        drawn()[:40],
        drawn("BMP"),
        drawn("TIFF"),
        b"\x89PNG\r\n\x1a\n" + b"\0" * 500,
    ],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    """Attacks S54, S73."""
    with pytest.raises(Refused) as refused:
        harmless(content, 10_000, 100)
    assert refused.value.code == "no_picture"


@pytest.mark.attack("S73")
@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (6_000, 6_000), (1, 40_000_000)])
def test_a_bomb_is_refused_by_its_head_alone(width: int, height: int) -> None:
    """Attack S73."""
    with pytest.raises(Refused):
        harmless(png_that_claims(width, height), MediaLimits.pixels_max, 1600)


class Elsewhere:
    """A server with one picture, or without."""

    def __init__(self, content: bytes | FetchFailed) -> None:
        self.content = content
        self.asked: list[tuple[str, int]] = []

    async def fetch_file(self, url: str, kinds: Collection[str], bytes_max: int) -> bytes:
        assert kinds == KINDS
        self.asked.append((url, bytes_max))
        await asyncio.sleep(0)
        if isinstance(self.content, FetchFailed):
            raise self.content
        return self.content


@pytest.fixture
def house(migrated_database: Database) -> SmallHouse:
    return build(migrated_database)


def proxy(house: SmallHouse, elsewhere: Elsewhere, limits: MediaLimits | None = None) -> PictureProxy:
    return PictureProxy(house.units, elsewhere, limits or MediaLimits())


def count(house: SmallHouse) -> int:
    with house.database.read() as connection:
        return connection.execute(select(func.count()).select_from(picture_file)).scalar_one()


async def test_a_picture_is_fetched_once_and_shown_with_strict_headers(house: SmallHouse) -> None:
    elsewhere = Elsewhere(drawn())
    shown = [await proxy(house, elsewhere).show(URL) for _ in range(3)]
    assert elsewhere.asked == [(URL, MediaLimits.picture_bytes_max)]
    assert {answer.body for answer in shown} == {shown[0].body}
    headers = shown[0].headers
    assert headers["content-type"] == "image/webp"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == 'inline; filename="picture.webp"'
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"].startswith("private")


async def test_who_looks_at_the_same_time_waits_for_the_same_fetch(house: SmallHouse) -> None:
    elsewhere = Elsewhere(drawn())
    shared = proxy(house, elsewhere)
    await asyncio.gather(*(shared.show(URL) for _ in range(10)))
    assert len(elsewhere.asked) == 1


@pytest.mark.attack("S54")
async def test_an_emoji_is_small_in_bytes_and_in_size(house: SmallHouse) -> None:
    """Attack S54."""
    elsewhere = Elsewhere(drawn(size=(1000, 1000)))
    shown = await proxy(house, elsewhere).show(URL, is_emoji=True)
    assert elsewhere.asked == [(URL, 256 * 1024)]
    assert opened(bytes(shown.body)).size == (128, 128)


@pytest.mark.parametrize(
    "content", [FetchFailed("too_large", "No.", permanent=True), b"<svg/>", png_that_claims(50_000, 50_000)]
)
async def test_what_cannot_be_shown_is_not_found_and_not_asked_for_again_soon(
    house: SmallHouse, content: bytes | FetchFailed
) -> None:
    elsewhere = Elsewhere(content)
    for _ in range(3):
        with pytest.raises(NotFound):
            await proxy(house, elsewhere).show(URL)
    assert len(elsewhere.asked) == 1
    house.clock.pass_seconds(601)
    elsewhere.content = drawn()
    assert (await proxy(house, elsewhere).show(URL)).status_code == 200


async def test_an_old_picture_is_fetched_anew(house: SmallHouse) -> None:
    elsewhere = Elsewhere(drawn())
    await proxy(house, elsewhere).show(URL)
    house.clock.at += timedelta(days=31)
    await proxy(house, elsewhere).show(URL)
    assert (len(elsewhere.asked), count(house)) == (2, 1)


async def test_what_nobody_looked_at_for_longest_goes_first_when_the_cache_is_full(house: SmallHouse) -> None:
    elsewhere = Elsewhere(drawn())
    shared = proxy(house, elsewhere)
    size = 0
    for number in range(4):
        size = len((await shared.show(f"https://files.example/{number}.png")).body)
        house.clock.pass_seconds(7200)
    await shared.show("https://files.example/0.png")
    with house.units.begin() as work:
        assert cache.tidy(work, MediaLimits(cache_bytes_max=2 * size)) == 2
    elsewhere.asked.clear()
    for number in (0, 3, 1, 2):
        await shared.show(f"https://files.example/{number}.png")
    assert [url for url, _ in elsewhere.asked] == [f"https://files.example/{number}.png" for number in (1, 2)]


async def test_old_pictures_are_tidied_away(house: SmallHouse) -> None:
    await proxy(house, Elsewhere(drawn())).show(URL)
    with house.units.begin() as work:
        assert cache.tidy(work, MediaLimits()) == 0
    house.clock.at += timedelta(days=30)
    with house.units.begin() as work:
        assert cache.tidy(work, MediaLimits()) == 1
    assert count(house) == 0
