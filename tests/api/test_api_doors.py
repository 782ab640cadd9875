"""Who comes in at the API, with what, and how it says no: the refusals first."""

from pathlib import Path
from typing import Any

import pytest

from fedaid.foundation.api import BASE
from fedaid.members import commands as members
from fedaid.members import queries
from fedaid.members.commands.neighbourhood import publish_agreement
from fedaid.members.limits import MemberLimits
from tests.api.programs import Program, Town, town

SOFA = {"kind": "request", "title": "Moving a sofa"}


def post(program: Program, **more: Any) -> str:
    answer = program.post("/listings", {**SOFA, **more})
    assert answer.status == 201, answer.text
    return str(answer.json["id"])


# who asks


def test_nobody_comes_in_without_a_token(north: Town) -> None:
    answer = north.program().get("/hours")
    assert (answer.status, answer.code) == (401, "token_needed")
    assert answer.headers["www-authenticate"] == 'Bearer realm="fedaid"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["type"].endswith("/problems/token_needed")


@pytest.mark.parametrize("given", ["Bearer", "Bearer ", "Bearer fedaid_nothing", "Basic YW5hOmFuYQ==", "fedaid_x"])
def test_a_token_that_is_none_is_refused_also_where_nobody_needs_one(north: Town, given: str) -> None:
    answer = north.program().get("/listings", Authorization=given)
    assert (answer.status, answer.code) == (401, "token")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.attack("S81")
def test_a_token_that_ended_opens_nothing(north: Town) -> None:
    program = Program(north.client, north.token("kim"))
    assert program.get("/me").status == 200
    with north.instance.units.begin() as work:
        members.revoke_token(work, program.token)
    assert program.get("/me").status == 401


def test_a_token_for_something_else_than_the_api_opens_nothing(north: Town) -> None:
    with north.instance.units.begin() as work:
        found = queries.by_handle(work.connection, "kim")
        assert found
        secret = members.issue_token(work, found.id, "read write follow")
    assert Program(north.client, secret).get("/me").status == 401


@pytest.mark.attack("S82")
def test_the_cookie_of_a_browser_opens_nothing(north: Town) -> None:
    with north.instance.units.begin() as work:
        found = queries.by_handle(work.connection, "ana")
        assert found
        secret = members.sign_in(work, found.id, "test", MemberLimits())
    cookie = {"Cookie": f"__Host-fedaid-northside-example={secret}"}
    assert north.client.get("/me", headers=cookie).status_code == 200
    assert north.program().get("/me", **cookie).status == 401
    mine = north.program().get("/listings?mine=true", **cookie)
    hers = post(north.program("ana"), visibility="members")
    assert north.program().get(f"/listings/{hers}", **cookie).status == 404
    assert mine.status == 200


def test_a_token_is_good_for_its_scopes_alone(north: Town) -> None:
    reader = north.program("ana", "board:read")
    assert reader.get("/listings").status == 200
    for answer, scope in (
        (reader.post("/listings", SOFA), "board:write"),
        (reader.get("/hours"), "hours:read"),
        (reader.get("/people"), "skills:read"),
        (reader.get("/groups"), "groups:read"),
    ):
        assert (answer.status, answer.code) == (403, "scope")
        assert f'scope="{scope}"' in answer.headers["www-authenticate"]


def test_whoever_owes_the_agreement_reads_and_changes_nothing(tmp_path: Path) -> None:
    with town("sqlite", tmp_path) as made:
        ana = made.program("ana")
        with made.instance.units.begin() as work:
            nora = queries.by_handle(work.connection, "nora")
            assert nora
            publish_agreement(work, queries.viewer_of(nora), "Be kind.", asks_again=True)
        assert ana.get("/me").json["owes_agreement"] is True
        refused = ana.post("/listings", SOFA)
        assert (refused.status, refused.code) == (403, "agreement_needed")


def test_too_many_requests_of_one_token_are_told_when_to_come_back(tmp_path: Path) -> None:
    with town("sqlite", tmp_path, api={"requests_per_token_max": 2}) as made:
        ana, kim = made.program("ana"), made.program("kim")
        assert [ana.get("/me").status for _ in range(3)] == [200, 200, 429]
        refused = ana.get("/me")
        assert refused.code == "too_many_requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 300
        assert kim.get("/me").status == 200
        made.clock.pass_seconds(301)
        assert ana.get("/me").status == 200


# what is not theirs


@pytest.mark.attack("S87")
def test_somebody_else_s_listing_is_not_there_to_be_changed(north: Town) -> None:
    hers, kim = post(north.program("ana")), north.program("kim")
    changed = {"title": "Moving a piano"}
    for method, path, body in (
        ("PUT", f"/listings/{hers}", changed),
        ("DELETE", f"/listings/{hers}", None),
        ("POST", f"/listings/{hers}/extend", None),
    ):
        answer = kim.ask(method, path, body)
        assert (answer.status, answer.code) == (404, "not_found"), (method, path)
    assert kim.get(f"/listings/{hers}").json["title"] == "Moving a sofa"


@pytest.mark.attack("S47")
def test_what_is_hidden_is_answered_like_what_never_was(north: Town) -> None:
    group_only = post(north.program("cora"), board="tools", visibility="group")
    members_only = post(north.program("ana"), visibility="members")
    never = "353101676545748427"
    for program, listing in ((north.program("kim"), group_only), (north.program(), members_only)):
        hidden, absent = program.get(f"/listings/{listing}"), program.get(f"/listings/{never}")
        assert hidden.status == absent.status == 404
        assert hidden.text == absent.text
        assert listing not in program.get("/listings?limit=100").text
    assert north.program("kim").get(f"/listings/{members_only}").status == 200


def test_without_a_token_nobody_learns_who_posted_it_or_where_to_meet(north: Town) -> None:
    listing = post(north.program("ana"), exact_place="12 Rose Street", contact="0123 456")
    shown = north.program().get(f"/listings/{listing}")
    assert shown.json["author"] is None
    assert shown.json["meeting"] is None
    assert "Ana" not in shown.text
    assert north.program("kim").get(f"/listings/{listing}").json["meeting"] is None
    assert north.program("ana").get(f"/listings/{listing}").json["meeting"]["exact_place"] == "12 Rose Street"


@pytest.mark.attack("S87")
def test_answers_hours_and_matches_of_others_are_not_found(north: Town) -> None:
    ana, kim, cora = north.program("ana"), north.program("kim"), north.program("cora")
    listing = post(ana)
    response = kim.post(f"/listings/{listing}/responses", {"message": "I can"}).json["id"]
    match = ana.post(f"/responses/{response}/accept").json["id"]
    given = kim.post("/hours/give", {"to": "ana", "minutes": 5}, key="theirs").json["id"]
    for path in (f"/responses/{response}", f"/matches/{match}", f"/hours/{given}"):
        assert cora.get(path).status == 404, path
        assert kim.get(path).status == 200, path
    assert cora.post(f"/matches/{match}/done").status == 404
    assert cora.post(f"/hours/{given}/confirm").status == 404
    assert cora.get(f"/listings/{listing}/responses").json == {"items": []}


# what cannot be read


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, None),
        (b"[]", 400, None),
        (b'{"kind": "request", "kind": "offer", "title": "x"}', 400, None),
        (b'{"kind": "request", "title": "\\u0000"}', 400, None),
        (b'{"kind": "request"}', 422, "invalid_request"),
        (b'{"kind": "wish", "title": "x"}', 422, "invalid_request"),
        (b'{"kind": "request", "title": "x", "people": "2"}', 422, "invalid_request"),
        (b'{"kind": "request", "title": "x", "author": "kim"}', 422, "invalid_request"),
        (b'{"kind": "request", "title": "x", "people": 2.5}', 422, "invalid_request"),
        (b'{"kind": "request", "title": "x", "starts_at": "2026-09-05T10:00:00"}', 422, "invalid_request"),
        (b'{"kind": "request", "title": "x", "starts_at": "2020-09-05T10:00:00Z"}', 422, "times"),
        (b'{"kind": "request", "title": "x", "category": "nothing-like-it"}', 422, "category"),
        (b'{"kind": "request", "title": "x", "board": "nowhere"}', 422, "board"),
    ],
)
def test_what_does_not_fit_is_refused_and_named(north: Town, body: bytes, status: int, code: str | None) -> None:
    headers = {"Authorization": f"Bearer {north.program('ana').token}", "Content-Type": "application/json"}
    answer = north.client.post(f"{BASE}/listings", content=body, headers=headers)
    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert code is None or problem["code"] == code
    assert (problem["code"] == "invalid_request") == bool(problem.get("errors"))


def test_a_field_that_is_wrong_is_named_and_what_was_sent_is_not_repeated(north: Town) -> None:
    answer = north.program("ana").post("/listings", {**SOFA, "contact": 12345, "colour": "private words"})
    assert {one["field"] for one in answer.json["errors"]} == {"body.contact", "body.colour"}
    assert "12345" not in answer.text
    assert "private words" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/listings?cursor=x",
        "/listings?cursor=99999999999999999999",
        "/listings?limit=0",
        "/listings?limit=ten",
        "/listings?limit=1&limit=2",
        "/listings?colour=red",
        "/listings?urgent=1",
        "/hours/statement?cursor=1",
        "/groups?cursor=%00",
        "/me?x=1",
    ],
)
def test_an_address_that_does_not_fit_is_refused(north: Town, path: str) -> None:
    answer = north.program("ana").get(path)
    assert (answer.status, answer.code) == (422, "invalid_request")


@pytest.mark.parametrize(
    "path", ["/listings?cursor=9999999999999999999", "/hours/statement?cursor=5d8f6d2e-3f0a-4c55-8f6c-1f4f0c7f2a11"]
)
def test_a_cursor_that_nothing_gave_leads_nowhere(north: Town, path: str) -> None:
    assert north.program("ana").get(path).status == 404


@pytest.mark.attack("S60")
@pytest.mark.parametrize("characters", [70_000, 2_000_000])
def test_what_is_too_large_is_not_read(north: Town, characters: int) -> None:
    for answer in (
        north.program("ana").post("/listings", {**SOFA, "description": "x" * characters}),
        north.program("ana").post("/groups/tools/join", {"x": "x" * characters}),
        north.program("ana").ask("GET", "/me", {"x": "x" * characters}),
    ):
        assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.attack("S65")
def test_only_json_is_taken_and_given(north: Town) -> None:
    token = {"Authorization": f"Bearer {north.program('ana').token}"}
    form = north.client.post(f"{BASE}/listings", data={"kind": "request", "title": "x"}, headers=token)
    assert (form.status_code, form.json()["code"]) == (415, "media_type")
    page = north.program("ana").get("/listings", Accept="text/html")
    assert (page.status, page.code) == (406, "not_acceptable")
    assert north.program("ana").get("/listings", Accept="text/html, application/*;q=0.5").status == 200
    unwanted = north.program("ana").post("/matches/1/done", {"x": 1})
    assert (unwanted.status, unwanted.code) == (400, "body_unwanted")


def test_a_method_that_is_not_there_names_those_that_are(north: Town) -> None:
    answer = north.program("ana").ask("PATCH", "/listings")
    assert (answer.status, answer.code) == (405, "method")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert north.program("ana").ask("OPTIONS", "/listings", Origin="https://evil.example").status == 405


@pytest.mark.parametrize("path", ["/nothing", "/listings/", "/listings/x", "/listings/0", "/groups/%0a", "/hours/1"])
def test_what_is_not_there_is_a_problem_and_no_page(north: Town, path: str) -> None:
    answer = north.program("ana").get(path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_no_other_site_may_ask_from_within_a_browser(north: Town) -> None:
    answer = north.program().get("/listings", Origin="https://evil.example")
    assert not [name for name in answer.headers if name.startswith("access-control")]


# tokens


def test_when_a_token_was_last_used_is_noted_to_the_hour(north: Town) -> None:
    program = Program(north.client, north.token("cora"))

    def last_used() -> object:
        with north.instance.database.read() as connection:
            found = queries.viewer_of_token(connection, program.token)
        assert found
        return found.last_used_at

    assert last_used() is None
    program.get("/me")
    first = last_used()
    north.clock.pass_seconds(1_800)
    program.get("/me")
    assert last_used() == first is not None
    north.clock.pass_seconds(1_801)
    program.get("/me")
    assert last_used() == north.clock.now()
