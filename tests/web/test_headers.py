"""Before every page: our host only, our own forms only, and headers that keep browsers strict."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from fedaid.web.headers import HOST_CHARACTERS_LOGGED_MAX, OurHost, OwnForms, StrictHeaders

ORIGIN = "https://northside.example"
HOME = {"Cookie": "session=x"}


def page(request: Request) -> Response:
    return HTMLResponse("<p>hello") if request.method == "GET" else PlainTextResponse("done")


@pytest.fixture
def browser() -> TestClient:
    app = Starlette(
        routes=[Route("/", page, methods=["GET", "POST"])],
        middleware=[
            Middleware(StrictHeaders),
            Middleware(OurHost, host="northside.example"),
            Middleware(OwnForms, origin=ORIGIN),
        ],
    )
    return TestClient(app, base_url=ORIGIN)


@pytest.mark.parametrize("host", ["evil.example", "northside.example:8443", "northside.example.evil.example", ""])
def test_a_request_for_another_host_is_refused(browser: TestClient, host: str) -> None:
    answer = browser.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "northside.example" in answer.text


def test_our_host_is_ours_in_any_spelling(browser: TestClient) -> None:
    assert browser.get("/", headers={"Host": "Northside.Example"}).status_code == 200


@pytest.mark.attack("S82")
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
    ],
)
def test_a_form_that_another_site_made_the_browser_send_is_refused(
    browser: TestClient, headers: dict[str, str]
) -> None:
    answer = browser.post("/", headers={**HOME, **headers})
    assert answer.status_code == 403
    assert "nothing was done" in answer.text


def test_the_admin_can_read_why_a_page_was_refused(browser: TestClient) -> None:
    with capture_logs() as logs:
        browser.get("/", headers={"Host": "evil.example" + "x" * 1000})
        browser.post("/", headers={**HOME, "Origin": "https://evil.example"})
    assert [(line["event"], line["status"], line["code"]) for line in logs] == [
        ("page_refused", 421, "unknown_host"),
        ("page_refused", 403, "foreign_form"),
    ]
    assert logs[0]["host"].startswith("evil.example")
    assert len(logs[0]["host"]) == HOST_CHARACTERS_LOGGED_MAX


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": ORIGIN}, {}]
)
def test_a_form_of_our_own_pages_is_taken(browser: TestClient, headers: dict[str, str]) -> None:
    assert browser.post("/", headers={**HOME, **headers}).text == "done"


def test_what_carries_no_cookie_is_no_browser_form(browser: TestClient) -> None:
    assert browser.post("/", headers={"Origin": "https://app.example"}).text == "done"


def test_a_page_may_not_be_framed_guessed_kept_or_scripted_inline(browser: TestClient) -> None:
    headers = browser.get("/").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-cache"
    assert "Cookie" in headers["vary"]


def test_also_a_refusal_carries_the_strict_headers(browser: TestClient) -> None:
    assert browser.get("/", headers={"Host": "evil.example"}).headers["x-content-type-options"] == "nosniff"
