"""Files that pages load: named by their content and kept for good, small, and ours or exactly what others published."""

import gzip
import hashlib

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from fedaid.web.assets import ASSETS, STATIC, VENDORED, address, asset
from fedaid.web.errors import exception_handlers
from tests.support.scripts import EVERYBODY, strange_scripts

CSS_PACKED_BYTES_MAX = 12 * 1024


@pytest.fixture
def visitor() -> TestClient:
    routes = [Route("/static/{name}", asset, methods=["GET"])]
    return TestClient(Starlette(routes=routes, exception_handlers=exception_handlers()))


def test_the_style_sheet_is_small() -> None:
    assert len(ASSETS["style.css"].packed) <= CSS_PACKED_BYTES_MAX


@pytest.mark.parametrize("name", VENDORED)
def test_a_file_of_others_is_exactly_what_they_published(name: str) -> None:
    body = (STATIC / name).read_bytes()
    assert hashlib.sha256(body).hexdigest() == VENDORED[name].sha256
    assert VENDORED[name].version.encode() in body


def test_every_file_is_ours_or_named_among_those_of_others() -> None:
    files = {file.name for file in STATIC.iterdir()}
    assert files == set(ASSETS)
    minified = {name for name in files if max(map(len, (STATIC / name).read_text().splitlines())) > 2000}
    assert minified == set(VENDORED)


def test_a_file_is_kept_for_good_under_the_address_that_pages_name(visitor: TestClient) -> None:
    answer = visitor.get(address("style.css"))
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    assert visitor.get("/static/style.css").headers["cache-control"] == "public, no-cache"
    assert visitor.get("/static/style.css?000000000000").headers["cache-control"] == "public, no-cache"


def test_a_file_is_sent_packed_to_whoever_takes_it_so(visitor: TestClient) -> None:
    packed = visitor.get("/static/swaps.js", headers={"Accept-Encoding": "gzip"})
    plain = visitor.get("/static/swaps.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content))
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == (STATIC / "swaps.js").read_bytes()
    assert plain.headers["vary"] == "Accept-Encoding"


def test_a_file_that_did_not_change_is_not_sent_again(visitor: TestClient) -> None:
    known = visitor.get("/static/style.css").headers["etag"]
    again = visitor.get("/static/style.css", headers={"If-None-Match": known})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.css", "../shell.py", "..%2fshell.py"])
def test_nothing_else_is_served(visitor: TestClient, name: str) -> None:
    assert visitor.get(f"/static/{name}").status_code == 404


OURS = "".join(f'<script src="{one}" defer></script>' for one in EVERYBODY)


@pytest.mark.parametrize(
    "added",
    [
        "<script>alert(1)</script>",
        '<script src="/static/htmx.min.js"></script>',
        '<script src="https://evil.example/x.js"></script>',
        '<p onclick="x">',
        "<img src=x onerror=alert(1)>",
        '<a href=" java\nscript:alert(1)">x</a>',
        '<form action="javascript:x"></form>',
        "<iframe srcdoc='x'></iframe>",
        '<base href="https://evil.example/">',
        '<meta http-equiv="refresh" content="0">',
        '<p hx-on:click="alert(1)">',
        '<p hx-vals="js:{a: alert(1)}">',
        '<p hx-trigger="click[alert(1)]">',
    ],
)
def test_what_could_run_on_a_page_is_found(added: str) -> None:
    assert strange_scripts(OURS, EVERYBODY) == []
    assert strange_scripts(OURS + added, EVERYBODY)


def test_a_page_that_lost_one_of_our_scripts_is_found() -> None:
    assert strange_scripts("<p>Hello</p>", EVERYBODY)
