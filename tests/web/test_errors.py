"""A refusal is a page for people and problem details for machines; a fault tells nobody how it happened."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from activitypub.errors import MalformedUrl
from fedaid.foundation.pages import member
from fedaid.foundation.refused import NotFound, Refused
from tests.small_house import SmallHouse, browser, build
from tests.support.databases import migrated_database

PERSON = {"Accept": "text/html"}
MACHINE = {"Accept": "application/json"}


def refuse(request: Request) -> Response:
    raise Refused("over_limit", "This would go over your gentle limit.", 409)


def miss(request: Request) -> Response:
    raise NotFound


def stumble(request: Request) -> Response:
    raise MalformedUrl("url_scheme", "Only https URLs are accepted.")


def break_down(request: Request) -> Response:
    raise ValueError("the secret recipe")


def only_for_members(request: Request) -> Response:
    member(request)
    raise AssertionError("not reached")


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[TestClient]:
    with migrated_database("sqlite", tmp_path) as database:
        yield visitor_of(build(database))


def visitor_of(house: SmallHouse) -> TestClient:
    pages = {"/refuse": refuse, "/miss": miss, "/stumble": stumble, "/break": break_down, "/mine": only_for_members}
    client = browser(house, [Route(path, page, methods=["GET", "POST"]) for path, page in pages.items()])
    return TestClient(client.app, base_url=house.names.origin, follow_redirects=False, raise_server_exceptions=False)


def test_a_person_reads_what_was_wrong(visitor: TestClient) -> None:
    answer = visitor.get("/refuse", headers=PERSON)
    assert answer.status_code == 409
    assert "This would go over your gentle limit." in answer.text
    assert "<h1>" in answer.text


def test_a_machine_gets_problem_details(visitor: TestClient) -> None:
    answer = visitor.get("/refuse", headers=MACHINE)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "over_limit"
    assert answer.json()["detail"] == "This would go over your gentle limit."


def test_what_is_absent_and_what_is_hidden_look_alike(visitor: TestClient) -> None:
    absent, hidden = visitor.get("/nowhere", headers=PERSON), visitor.get("/miss", headers=PERSON)
    assert absent.status_code == hidden.status_code == 404
    assert absent.text == hidden.text


def test_a_malformed_message_is_a_refusal(visitor: TestClient) -> None:
    assert visitor.get("/stumble", headers=MACHINE).json()["detail"] == "Only https URLs are accepted."


def test_a_fault_is_told_by_a_number_and_nothing_else(visitor: TestClient) -> None:
    answer = visitor.get("/break", headers=PERSON)
    assert answer.status_code == 500
    assert "secret recipe" not in answer.text
    assert "Traceback" not in answer.text
    assert len(json.loads(visitor.get("/break", headers=MACHINE).text)["reference"]) == 8


def test_somebody_signed_out_is_led_to_the_sign_in_page_and_back(visitor: TestClient) -> None:
    answer = visitor.get("/mine?x=1", headers=PERSON)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fmine%3Fx%3D1"


def test_a_form_of_somebody_signed_out_leads_home_after_signing_in(visitor: TestClient) -> None:
    assert visitor.post("/mine", headers=PERSON).headers["location"] == "/sign-in?next=%2F"


def test_a_machine_that_is_not_signed_in_is_told_so(visitor: TestClient) -> None:
    assert visitor.get("/mine", headers=MACHINE).status_code == 401


def test_a_method_that_does_not_fit_is_refused_with_those_that_do(visitor: TestClient) -> None:
    answer = visitor.delete("/refuse", headers=MACHINE)
    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
