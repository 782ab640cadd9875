"""Public documents are kept ready: the same bytes with an ETag, until anything is committed, and nothing else is."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import httpx2
import pytest

from fedaid.actors import commands as actors
from fedaid.board import commands as listings
from fedaid.board.rules import Kind, Posting
from fedaid.foundation.database import Database
from fedaid.members import commands as members
from fedaid.web.ready import _is_for_all
from tests.towns import Town, found

pytestmark = pytest.mark.anyio
BOARD = "/groups/board"
AP = {"accept": "application/activity+json"}
TRIES = 50


class MadeAgain(Exception):
    """A document was made that was kept ready."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def town(tmp_path: Path, database_kind: str) -> AsyncIterator[Town]:
    async with found(tmp_path, database_kind, "northside.example") as (town,):
        yield town


async def get(town: Town, path: str, **headers: str) -> httpx2.Response:
    async with town.browser() as browser:
        return await browser.get(path, headers=AP | {name.replace("_", "-"): value for name, value in headers.items()})


async def get_twice(town: Town) -> tuple[httpx2.Response, httpx2.Response]:
    """The board, and the board as it was kept. PostgreSQL counts the transactions of all databases of a cluster, and
    other tests commit into theirs: where they do so in between, both are asked for again."""
    for _ in range(TRIES):
        first = await get(town, BOARD)
        with patch("fedaid.actors.pages.actor_document", side_effect=MadeAgain), suppress(MadeAgain):
            return first, await get(town, BOARD)
    raise AssertionError(f"made again {TRIES} times")


def post(town: Town) -> int:
    with town.instance.units.begin() as work:
        posting = Posting(Kind.REQUEST, "A sofa", work.now + timedelta(days=20), minutes=60)
        return listings.post_listing(work, town.people["ana"], town.names.group("board"), posting)


async def test_what_is_kept_ready_is_what_was_sent_and_is_not_made_again(town: Town) -> None:
    first, again = await get_twice(town)
    assert (again.status_code, again.content, again.headers) == (200, first.content, first.headers)
    assert first.headers["etag"].startswith('"')
    assert first.headers["x-content-type-options"] == "nosniff"


async def test_whoever_has_the_document_is_told_so_in_a_few_bytes(town: Town) -> None:
    etag = (await get(town, BOARD)).headers["etag"]
    for copies in (etag, f'"other", W/{etag}', "*"):
        answer = await get(town, BOARD, if_none_match=copies)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert (await get(town, BOARD, if_none_match='"other"')).status_code == 200


async def test_a_change_is_seen_at_once(town: Town) -> None:
    before = await get(town, BOARD)
    with town.instance.units.begin() as work:
        actors.describe_actor(work, town.names.group("board"), "The board of all", "")
    after = await get(town, BOARD, if_none_match=before.headers["etag"])
    assert (after.status_code, after.json()["name"]) == (200, "The board of all")


async def test_a_change_by_another_process_is_seen_at_once(town: Town) -> None:
    await get(town, BOARD)
    other = Database(town.instance.database.url.render_as_string(hide_password=False))
    with other.write() as connection:
        connection.exec_driver_sql("UPDATE local_actor SET name = 'Elsewhere' WHERE handle = 'board'")
    other.dispose()
    assert (await get(town, BOARD)).json()["name"] == "Elsewhere"


async def test_a_listing_that_is_hidden_is_hidden_at_once(town: Town) -> None:
    path = f"/listings/{post(town)}"
    assert [(await get(town, path)).status_code for _ in range(2)] == [200, 200]
    with town.instance.database.write() as connection:
        connection.exec_driver_sql("UPDATE listing SET hidden = TRUE")
    assert (await get(town, path)).status_code == 404


async def test_browsers_other_hosts_and_other_methods_get_what_they_got_before(town: Town) -> None:
    path = f"/listings/{post(town)}"
    await get(town, path)
    async with town.browser() as browser:
        assert (await browser.get(path)).headers["content-type"].startswith("text/html")
        assert (await browser.get(path, headers=AP | {"host": "evil.example"})).status_code == 421
        assert (await browser.head(path, headers=AP)).content == b""


async def test_what_is_for_members_alone_is_never_kept(town: Town) -> None:
    async with town.browser(town.session("ana")) as browser:
        for accept in ("text/html", "application/json"):
            assert "etag" not in (await browser.get("/me", headers={"accept": accept})).headers


async def test_what_depends_on_the_time_of_day_is_made_anew_after_a_while(town: Town) -> None:
    await get(town, BOARD)
    town.clock.pass_seconds(town.instance.settings.web.ready_seconds)
    with (
        patch("fedaid.actors.pages.actor_document", side_effect=AssertionError("made again")),
        pytest.raises(AssertionError, match="made again"),
    ):
        await get(town, BOARD)


@pytest.mark.parametrize(
    ("status", "caching", "vary", "more", "is_kept"),
    [
        (200, b"public, max-age=60", b"Accept", [], True),
        (200, b"private, no-store", b"Accept", [], False),
        (200, b"", b"", [], False),
        (410, b"public, max-age=60", b"Accept", [], False),
        (200, b"public, max-age=60", b"Accept, Cookie", [], False),
        (200, b"public, max-age=60", b"Accept", [(b"set-cookie", b"a=b")], False),
    ],
)
async def test_only_what_is_the_same_for_everybody_is_kept(
    status: int, caching: bytes, vary: bytes, more: list[tuple[bytes, bytes]], is_kept: bool
) -> None:
    headers = [(b"cache-control", caching), (b"vary", vary), *more]
    assert _is_for_all({"type": "http.response.start", "status": status, "headers": headers}) is is_kept


async def test_where_all_must_sign_nothing_is_kept(tmp_path: Path, database_kind: str) -> None:
    async with found(tmp_path, database_kind, "northside.example", secure_mode=True) as (town,):
        assert "etag" not in (await get(town, BOARD)).headers


async def test_nothing_committed_is_overlooked(town: Town) -> None:
    database = town.instance.database
    before = database.generation()
    assert database.generation() == before
    with town.instance.units.begin() as work:
        members.add_member(work, "bob", "x", name="Bob")
    assert database.generation() != before


async def test_a_database_that_cannot_be_asked_is_never_as_it_was(town: Town) -> None:
    database = town.instance.database
    database.generation()
    database._watcher.driver_connection.close()
    lost, found_again = database.generation(), database.generation()
    assert lost != found_again
    assert database.generation() == found_again


PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def page(town: Town, path: str, cookie: str = "", **headers: str) -> httpx2.Response:
    async with town.browser(cookie) as browser:
        return await browser.get(path, headers=PAGE | {name.replace("_", "-"): one for name, one in headers.items()})


async def kept(town: Town, path: str, cookie: str = "", **headers: str) -> tuple[httpx2.Response, httpx2.Response]:
    """A page, and the page as it was kept; asked for again where other tests committed in between, as above."""
    for _ in range(TRIES):
        first = await page(town, path, cookie, **headers)
        with patch("fedaid.board.pages.show.render", side_effect=MadeAgain), suppress(MadeAgain):
            return first, await page(town, path, cookie, **headers)
    raise AssertionError(f"made again {TRIES} times")


async def test_a_page_for_strangers_is_kept_ready_in_each_language(town: Town) -> None:
    for path in ("/", "/board?kind=request", f"/listings/{post(town)}", "/@board"):
        for language in ("en", "es"):
            first, again = await kept(town, path, accept_language=language)
            assert (again.status_code, again.content, again.headers) == (200, first.content, first.headers)
            assert f'lang="{language}"' in again.text
            assert again.headers["cache-control"] == "private, no-cache", "no copy on the way keeps it"
            same = await page(town, path, accept_language=language, if_none_match=again.headers["etag"])
            assert same.status_code in (304, 200)  # 200 where another test committed in between


async def test_each_member_gets_the_page_that_was_made_for_them(town: Town) -> None:
    ana, cora = town.session("ana"), town.session("cora")
    listing = f"/listings/{post(town)}"
    for path, of_ana, of_cora in (("/board", ">Mine<", ">Mine<"), (listing, f'"{listing}/edit', "I can help")):
        first, again = await kept(town, path, ana)
        assert (again.content, again.headers) == (first.content, first.headers)
        assert again.headers["cache-control"] == "private, no-cache"
        assert of_ana in again.text
        assert of_cora in (await kept(town, path, cora))[1].text
        assert (await page(town, path, cora)).content != again.content
        assert "/sign-out" not in (await page(town, path)).text


async def test_whoever_signs_out_leaves_no_page_behind(town: Town) -> None:
    cookie = town.session("ana")
    assert "/sign-out" in (await kept(town, "/board", cookie))[1].text
    async with town.browser(cookie) as browser:
        assert (await browser.post("/sign-out")).status_code == 303
    assert "/sign-out" not in (await page(town, "/board", cookie)).text
    ended = f"{cookie.partition('=')[0]}=never-begun"
    assert "/sign-out" not in (await kept(town, "/board", ended))[1].text


async def test_who_is_no_browser_gets_no_page_that_is_kept(town: Town) -> None:
    await page(town, "/board")
    for header in ({"authorization": "Bearer x"}, {"signature": "x"}):
        assert "etag" not in (await page(town, "/board", **header)).headers


async def test_a_page_says_at_once_what_was_posted(town: Town) -> None:
    assert "A sofa" not in (await page(town, "/board")).text
    post(town)
    assert "A sofa" in (await page(town, "/board")).text


async def test_pages_that_are_not_said_to_be_the_same_are_not_kept(town: Town) -> None:
    for path in ("/sign-in", "/join", "/about/trade", "/nowhere"):
        assert "etag" not in (await page(town, path)).headers, path
