"""Signing in and out as a browser sees it, and a member's page: refusals first."""

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from fedaid.foundation.pages import viewer
from fedaid.members import commands, pages
from fedaid.members.limits import MemberLimits
from tests.small_house import SmallHouse, browser, some_keys
from tests.support.scripts import EVERYBODY, strange_scripts

PASSWORD = " correct horse "
COOKIE = "__Host-fedaid-northside-example"
LIMITS = MemberLimits(sign_in_tries_per_account_max=3, sign_in_tries_per_address_max=5)


def who(request: Request) -> Response:
    return PlainTextResponse(viewer(request).handle or "nobody")


@pytest.fixture(scope="module")
def password_hash() -> str:
    return commands.hash_password(PASSWORD)


@pytest.fixture
def visitor(house: SmallHouse, password_hash: str) -> TestClient:
    """A browser, signed out; Ana is a member."""
    with house.units.begin() as work:
        commands.add_member(work, "ana", password_hash, name="Ana <b>", keys=some_keys())
    more = [Route("/who", who), Route("/@{handle}", pages.profile)]
    return browser(house, [*pages.routes(LIMITS), *more])


def sign_in(visitor: TestClient, **changes: str) -> Response:
    form = {"handle": "ana", "password": PASSWORD, "next": "/me"} | changes
    return visitor.post("/sign-in", data=form)  # type: ignore[return-value]


@pytest.mark.parametrize("changes", [{"password": "wrong horse"}, {"password": PASSWORD.strip()}, {"handle": "zoe"}])
def test_a_wrong_password_and_an_unknown_handle_are_answered_alike(
    visitor: TestClient, changes: dict[str, str]
) -> None:
    answer = visitor.post("/sign-in", data={"handle": "ana", "password": PASSWORD} | changes)
    assert answer.status_code == 401
    assert "do not fit together" in answer.text
    assert f'value="{changes.get("handle", "ana")}"' in answer.text
    assert "horse" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


def test_after_too_many_tries_even_the_right_password_waits(visitor: TestClient, house: SmallHouse) -> None:
    for _ in range(LIMITS.sign_in_tries_per_account_max):
        assert sign_in(visitor, password="wrong horse").status_code == 401
    refused = visitor.post("/sign-in", data={"handle": "ana", "password": PASSWORD})
    assert refused.status_code == 429
    assert "Please try again in 15 minutes" in refused.text
    house.clock.pass_seconds(LIMITS.sign_in_window_seconds)
    assert sign_in(visitor).status_code == 303


@pytest.mark.attack("S85")
def test_a_forwarded_header_does_not_make_it_another_address(visitor: TestClient) -> None:
    for number in range(LIMITS.sign_in_tries_per_address_max):
        form = {"handle": f"somebody{number}", "password": "wrong horse"}
        visitor.post("/sign-in", data=form, headers={"X-Forwarded-For": f"192.0.2.{number}"})
    assert sign_in(visitor).status_code == 429


@pytest.mark.attack("S84")
@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "/web//evil.example", "https://evil.example"])
def test_signing_in_leads_to_no_other_site(visitor: TestClient, back: str) -> None:
    assert sign_in(visitor, next=back).headers["location"] == "/?said=signed_in"
    assert visitor.get("/sign-in", params={"next": back}).headers["location"] == "/"


@pytest.mark.attack("S83")
def test_a_preset_cookie_is_replaced(visitor: TestClient) -> None:
    visitor.cookies.set(COOKIE, "preset", domain="northside.example", path="/")
    sign_in(visitor)
    assert "preset" not in visitor.cookies.values()


def test_the_cookie_is_for_this_site_only_and_not_for_scripts(visitor: TestClient) -> None:
    answer = sign_in(visitor)
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=lax", "Secure", "Path=/"} <= set(flags)
    assert not any(flag.lower().startswith("domain") for flag in flags)


def test_a_name_cannot_bring_markup_into_a_page(visitor: TestClient) -> None:
    answer = visitor.post("/sign-in", data={"handle": '"><script>', "password": "x" * 10})
    assert not strange_scripts(answer.text, EVERYBODY)
    assert "<b>" not in visitor.get("/@ana").text


def test_a_handle_no_database_can_store_is_just_wrong(visitor: TestClient) -> None:
    assert sign_in(visitor, handle="a\x00b").status_code == 401
    assert visitor.get("/@a%00b").status_code == 404


def test_the_form_keeps_where_somebody_wanted_to_go(visitor: TestClient) -> None:
    form = visitor.get("/sign-in", params={"next": "/listings/7?x=1"})
    assert form.status_code == 200
    assert 'name="next" value="/listings/7?x=1"' in form.text
    assert sign_in(visitor, next="/listings/7?x=1").headers["location"] == "/listings/7?x=1&said=signed_in"


def test_in_and_out_again(visitor: TestClient) -> None:
    assert visitor.get("/who").text == "nobody"
    answer = sign_in(visitor, handle="@Ana")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me?said=signed_in")
    assert visitor.get("/who").text == "ana"
    assert visitor.get("/sign-in", params={"next": "/me"}).headers["location"] == "/me"
    kept = visitor.cookies[COOKIE]
    assert visitor.post("/sign-out").headers["location"] == "/?said=signed_out"
    assert COOKIE not in visitor.cookies
    visitor.cookies.set(COOKIE, kept, domain="northside.example", path="/")
    assert visitor.get("/who").text == "nobody"


def test_nobody_signs_out_by_following_a_link(visitor: TestClient) -> None:
    assert visitor.get("/sign-out").status_code == 405


def test_a_member_shows_their_name_and_since_when_they_belong(visitor: TestClient) -> None:
    page = visitor.get("/@Ana")
    assert "Member of Northside since 1 Sep 2026" in page.text
    assert 'type="application/activity+json" href="https://northside.example/users/ana"' in page.text
    assert visitor.get("/@nobody").status_code == 404
