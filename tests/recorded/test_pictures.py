"""Pictures and emoji in what people of other servers write: shown by us, to those who may see what they belong to."""

import io

import pytest
from PIL import Image
from sqlalchemy import select

from fedaid.board.tables import picture
from tests.recorded.town import Town
from tests.support.scripts import strange_scripts

pytestmark = pytest.mark.anyio
WALL = "https://files.masto.example/media_attachments/files/1/original/wall.jpg"
VAN = "https://mitra.example/media/van.png"


def drawn(kind: str) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(written, kind)
    return written.getvalue()


async def addresses(town: Town, path: str, prefix: str) -> list[str]:
    """The pictures that the coordinator's or author's page names."""
    async with town.visit(town.cora if path == "/mentions" else town.ana) as browser:
        page = (await browser.get(path)).text
    return [prefix + part.partition('"')[0] for part in page.split(f'src="{prefix}')[1:]]


@pytest.mark.attack("S04", "S47")
async def test_the_picture_of_a_suggestion_is_for_coordinators(town: Town) -> None:
    """Attacks S04, S47: nothing is fetched before somebody looks, and only who may see it makes us look."""
    town.network.files[WALL] = ("image/jpeg", drawn("JPEG"))
    await town.bring(town.servers["mastodon_4_5"], "need")
    (address,) = await addresses(town, "/mentions", "/mentions/pictures/")
    number = address.rpartition("/")[2]
    for who, status in ((None, 303), (town.ana, 403)):
        async with town.visit(who) as browser:
            assert (await browser.get(address)).status_code == status
            assert (await browser.get(f"/pictures/{number}")).status_code == 404
    assert WALL not in town.network.asked
    async with town.visit(town.cora) as browser:
        shown = await browser.get(address)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert town.network.asked.count(WALL) == 1


async def test_an_emoji_is_shown_in_the_words_it_stands_in(town: Town) -> None:
    town.network.files[VAN] = ("image/png", drawn("PNG"))
    listing = await town.list_something()
    await town.bring(town.servers["mitra"], "public_reply", listing)
    (address,) = await addresses(town, f"/listings/{listing.id}", "/pictures/")
    for who, status in ((town.bea, 404), (None, 404), (town.ana, 200)):
        async with town.visit(who) as browser:
            assert (await browser.get(address)).status_code == status


@pytest.mark.attack("S73")
async def test_a_picture_that_is_a_page_is_never_shown(town: Town) -> None:
    """Attack S73."""
    town.network.files[WALL] = ("image/jpeg", b"<html><script>alert(1)</script></html>")
    await town.bring(town.servers["mastodon_4_5"], "need")
    (address,) = await addresses(town, "/mentions", "/mentions/pictures/")
    async with town.visit(town.cora) as browser:
        shown = await browser.get(address)
    assert (shown.status_code, "alert(1)" in shown.text) == (404, False)
    assert strange_scripts(shown.text) == []


@pytest.mark.attack("S89")
async def test_nobody_makes_us_fetch_what_is_not_stored(town: Town) -> None:
    """Attack S89: there is no address to type in."""
    async with town.visit(town.cora) as browser:
        for path in (
            "/pictures/1",
            f"/pictures/1?url={WALL}",
            "/mentions/pictures/1",
            "/pictures/99999999999999999999",
        ):
            assert (await browser.get(path)).status_code == 404
    assert town.network.asked == []
    with town.instance.database.read() as connection:
        assert connection.execute(select(picture.c.id)).all() == []
