"""The desk for who is not welcome: laying and lifting, and lists with a preview that changes nothing."""

from html import unescape

import httpx2
import pytest

from fedaid.network import commands, queries
from fedaid.network.queries import NeighbourFacts
from fedaid.network.rules.block_lists import LIST_BYTES_MAX
from tests.admin.test_deliveries_desk import opened, pressed
from tests.network.test_block_lists import MASTODONS
from tests.small_house import RIVER
from tests.towns import Town

pytestmark = pytest.mark.anyio
LIST = b"#domain,#severity,#public_comment\nevil.example,suspend,<b>spam</b>\nriverside.example,suspend,\nnor*side.example,,\n"


def laid(town: Town) -> dict[str, str]:
    with town.instance.database.read() as connection:
        return {one.target.name: one.terms.severity.value for one in queries.restrictions(connection)}


def link_river(town: Town) -> None:
    facts = NeighbourFacts("riverside.example", RIVER, f"{RIVER}/actor", f"{RIVER}/ledger", f"{RIVER}/groups/board")
    with town.instance.units.begin() as work:
        commands.asked(work, facts)


async def sent(town: Town, path: str, data: bytes, handle: str = "nora", **fields: object) -> httpx2.Response:
    async with town.browser(town.session(handle)) as browser:
        files = {"list": ("list.csv", data, "text/csv")}
        headers = {"sec-fetch-site": "same-origin"}
        return await browser.post(path, files=files, data=fields, headers=headers)


async def test_only_an_admin_lays_lifts_imports_and_exports(north: Town) -> None:
    for path in ("/blocks", "/blocks/import", "/blocks/export.csv"):
        assert (await opened(north, path, "cora")).status_code == 403, path
    for path in ("/blocks", "/blocks/lift"):
        assert (await pressed(north, path, "cora", target="evil.example", severity="block")).status_code == 403, path
    for path in ("/blocks/import", "/blocks/import/take"):
        assert (await sent(north, path, LIST, "cora")).status_code == 403, path
    assert laid(north) == {}


@pytest.mark.parametrize(
    ("target", "severity", "sentence"),
    [
        ("a b", "block", "A host looks like"),
        ("northside.example", "block", "our own network"),
        ("@eve@evil.example", "block", "was met here"),
        ("evil.example", "nuke", "Say one of"),
        ("evil.example", "none", "Say what is restricted"),
    ],
)
async def test_what_cannot_be_laid_is_refused_and_stays_in_the_form(
    north: Town, target: str, severity: str, sentence: str
) -> None:
    answer = await pressed(north, "/blocks", target=target, severity=severity)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{target}"' in answer.text


async def test_an_admin_blocks_finds_and_lifts(north: Town) -> None:
    assert "Everybody is welcome so far" in (await opened(north, "/blocks")).text
    for target, reason in (("evil.example", "<i>spam</i>"), ("loud.example", "noise")):
        await pressed(north, "/blocks", target=target, severity="block", reason=reason, rejects_reports="yes")
    page = (await opened(north, "/blocks?q=SPAM")).text
    assert "blocked, no reports: &lt;i&gt;spam&lt;/i&gt;" in page
    assert "loud.example" not in page
    await pressed(north, "/blocks/lift", target="evil.example")
    assert laid(north) == {"loud.example": "block"}
    assert (await pressed(north, "/blocks/lift", target="evil.example")).status_code == 404


async def test_a_preview_says_what_would_become_of_every_line_and_changes_nothing(north: Town) -> None:
    link_river(north)
    page = (await sent(north, "/blocks/import", LIST)).text
    assert "1 new; 1 left: it would cover a neighbouring network; 1 cannot be read." in page
    assert "&lt;b&gt;spam&lt;/b&gt;" in page
    assert "It covers riverside.example." in page
    assert "parts of the name are starred" in page
    assert laid(north) == {}


async def test_a_list_is_taken_over_without_the_neighbours(north: Town) -> None:
    link_river(north)
    preview = unescape((await sent(north, "/blocks/import", LIST)).text)
    shown = preview[preview.index('<textarea name="list" hidden>') + 29 :].partition("</textarea>")[0]
    page = (await sent(north, "/blocks/import/take", shown.encode())).text
    assert "What became of the list" in page
    assert laid(north) == {"evil.example": "block"}
    with north.instance.database.read() as connection:
        assert [line.decision for line in queries.log_of(connection)] == ["import", "block"]
        assert [one.status for one in queries.neighbours(connection)] == ["asked"]


async def test_a_neighbour_is_shut_out_only_where_its_line_is_ticked(north: Town) -> None:
    link_river(north)
    await sent(north, "/blocks/import/take", LIST, also=["riverside.example"])
    assert laid(north) == {"evil.example": "block", "riverside.example": "block"}
    with north.instance.database.read() as connection:
        assert [one.status for one in queries.neighbours(connection)] == ["ended"]


@pytest.mark.parametrize(("data", "status"), [(b"", 422), (b"\xff\xff", 422), (b"x" * (LIST_BYTES_MAX + 1), 413)])
async def test_what_is_no_list_is_refused_with_the_form_again(north: Town, data: bytes, status: int) -> None:
    answer = await sent(north, "/blocks/import", data)
    assert answer.status_code == status
    assert "Take over a block list" in answer.text


async def test_what_is_longer_than_any_form_is_not_read_at_all(north: Town) -> None:
    assert (await sent(north, "/blocks/import", b"x" * 5_000_000)).status_code == 413


async def test_what_was_taken_over_is_given_away_as_it_came(north: Town) -> None:
    await sent(north, "/blocks/import/take", MASTODONS)
    given = await opened(north, "/blocks/export.csv")
    assert given.content == MASTODONS
    assert given.headers["content-type"] == "text/csv; charset=utf-8"
    assert given.headers["content-disposition"] == 'attachment; filename="domain_blocks.csv"'


async def test_the_page_says_with_whom_this_network_speaks(north: Town) -> None:
    assert "speaks with every server that is not blocked here" in (await opened(north, "/blocks")).text
