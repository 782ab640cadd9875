"""A request with an Idempotency-Key is carried out once, however often and by however many processes it is asked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from fedaid.foundation.api import answers, forget_old
from fedaid.foundation.api.answers import Running, kept_answer
from fedaid.foundation.refused import Refused
from fedaid.members import commands as members
from fedaid.members import queries
from tests.api.programs import Program, Town

SOFA = {"kind": "request", "title": "Moving a sofa"}
AN_HOUR = {"to": "kim", "minutes": 60}


def count(made: Town, table: Any = kept_answer) -> int:
    with made.instance.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def balance(made: Town) -> int:
    return int(made.program("kim").get("/hours").json["balance_minutes"])


def test_hours_do_not_move_without_a_key(north: Town) -> None:
    for path in ("/hours/give", "/hours/claim", "/hours/5d8f6d2e-3f0a-4c55-8f6c-1f4f0c7f2a11/correct"):
        refused = north.program("ana").post(path, AN_HOUR if "correct" not in path else {"minutes": 5})
        assert (refused.status, refused.code) == (400, "key_missing"), path


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "a b", 'a"b', "ä"])
def test_a_key_that_is_none_is_refused(north: Town, key: str) -> None:
    headers = {"Authorization": f"Bearer {north.program('ana').token}", "Idempotency-Key": key.encode("latin-1")}
    refused = north.client.post("/api/fedaid/v1/listings", json=SOFA, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "key_form")


def test_the_same_again_is_the_same_answer_and_nothing_more(both: Town) -> None:
    ana = both.program("ana")
    first = ana.post("/hours/give", AN_HOUR, key="one")
    again = ana.post("/hours/give", AN_HOUR, key='"one"')  # quoted, as structured fields have it
    assert (first.status, again.status) == (201, 201)
    assert again.text == first.text
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert balance(both) == 60
    listing = ana.post("/listings", SOFA).json["id"]
    assert [ana.ask("DELETE", f"/listings/{listing}", key="gone").status for _ in range(2)] == [204, 204]


def test_the_same_key_for_something_else_is_refused(north: Town) -> None:
    ana = north.program("ana")
    assert ana.post("/listings", SOFA, key="sofa").status == 201
    for refused in (
        ana.post("/listings", {**SOFA, "title": "Moving a piano"}, key="sofa"),
        ana.post("/hours/give", AN_HOUR, key="sofa"),
    ):
        assert (refused.status, refused.code) == (422, "key_reused")
    assert north.program("kim").post("/listings", SOFA, key="sofa").status == 201  # another member's keys are others


def test_a_kept_answer_is_given_to_nobody_who_may_not_ask_for_it(north: Town) -> None:
    secret = {**SOFA, "contact": "Ring twice at Rose Lane 4"}
    assert "Rose Lane" in north.program("ana").post("/listings", secret, key="kept").text
    for stranger, status, code in (
        (north.program("ana", "board:read", "hours:write"), 403, "scope"),
        (north.program(), 401, "token_needed"),
        (Program(north.client, "fedaid_made_up"), 401, "token"),
    ):
        refused = stranger.post("/listings", secret, key="kept")
        assert (refused.status, refused.code) == (status, code)
        assert "Rose Lane" not in refused.text
    hers = north.program("kim").post("/listings", {**SOFA, "contact": "My own"}, key="kept")
    assert (hers.status, "Rose Lane" in hers.text) == (201, False)


def test_what_was_refused_is_not_kept_as_nothing_happened(north: Town) -> None:
    ana, before = north.program("ana"), count(north)
    assert ana.post("/listings", {**SOFA, "board": "nowhere"}, key="typo").status == 422
    assert count(north) == before
    assert ana.post("/listings", SOFA, key="typo").status == 201


def test_two_at_once_are_one(both: Town) -> None:
    ana = both.program("ana")
    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(lambda _: ana.post("/hours/give", AN_HOUR, key="at-once"), range(4)))
    assert {one.status for one in asked} <= {201, 409}
    assert {one.code for one in asked if one.status == 409} <= {"still_running"}
    assert len({one.json["id"] for one in asked if one.status == 201}) == 1
    assert balance(both) == 60


def test_what_is_still_running_is_said_to_be(north: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = north.program("ana")
    begun, go_on = threading.Event(), threading.Event()
    keep = answers.keep

    def slowly(*given: Any) -> None:
        begun.set()
        assert go_on.wait(20)
        keep(*given)

    monkeypatch.setattr(answers, "keep", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ana.post, "/listings", SOFA, "slow")
        assert begun.wait(20)
        second = ana.post("/listings", SOFA, key="slow")
        go_on.set()
        assert first.result().status == 201
    assert (second.status, second.code, second.headers["retry-after"]) == (409, "still_running", "1")
    assert ana.post("/listings", SOFA, key="slow").status == 201


def test_a_key_is_let_go_when_its_request_fails() -> None:
    running = Running()
    with pytest.raises(ZeroDivisionError), running.hold(1, "key"):
        raise ZeroDivisionError
    with running.hold(1, "key"), pytest.raises(Refused, match="still being carried out"), running.hold(1, "key"):
        pass
    with running.hold(1, "key"), running.hold(2, "key"):
        pass


def test_another_process_that_was_quicker_answers_for_both(both: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second has done its part, and finds the answer of the first when it would keep its own: its part is undone."""
    ana = both.program("ana")
    first = ana.post("/hours/give", AN_HOUR, key="quick")
    unseen = [True]
    kept = answers.kept

    def not_seen_at_first(*given: Any) -> Any:
        return None if unseen and unseen.pop() else kept(*given)

    monkeypatch.setattr(answers, "kept", not_seen_at_first)
    again = ana.post("/hours/give", AN_HOUR, key="quick")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.text == first.text
    assert balance(both) == 60


def test_a_process_that_is_killed_between_effect_and_answer_leaves_neither(
    both: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = both.program("ana")

    def killed(*_: Any) -> None:
        raise OSError("as if the process were no more")

    with monkeypatch.context() as patched:
        patched.setattr(answers, "keep", killed)
        with pytest.raises(OSError, match="no more"):
            ana.post("/hours/give", AN_HOUR, key="killed")
    assert (balance(both), count(both)) == (0, 0)
    assert ana.post("/hours/give", AN_HOUR, key="killed").status == 201
    assert balance(both) == 60


def test_answers_are_forgotten_after_their_time_and_the_hours_move_once_still(both: Town) -> None:
    ana = both.program("ana")
    first = ana.post("/hours/give", AN_HOUR, key="old")
    listing = ana.post("/listings", SOFA, key="old-listing").json["id"]
    both.clock.pass_seconds(23 * 3600)
    with both.instance.units.begin() as work:
        assert forget_old(work, 24) == 0
    both.clock.pass_seconds(3600)
    with both.instance.units.begin() as work:
        assert forget_old(work, 24) == 2
    again = ana.post("/hours/give", AN_HOUR, key="old")
    assert "idempotency-replayed" not in again.headers
    assert again.json["id"] == first.json["id"]
    assert balance(both) == 60
    assert ana.post("/listings", SOFA, key="old-listing").json["id"] == listing
    both.clock.pass_seconds(25 * 3600)
    with both.instance.units.begin() as work:
        assert forget_old(work, 24) == 2
    other = ana.post("/hours/give", {**AN_HOUR, "minutes": 5}, key="old")  # another request with a key of long ago
    assert (other.status, other.json["minutes"]) == (201, 5)
    assert balance(both) == 65


def test_nothing_is_kept_of_somebody_who_left(both: Town) -> None:
    assert both.program("kim").post("/listings", SOFA, key="kims").status == 201
    with both.instance.units.begin() as work:
        kim = queries.by_handle(work.connection, "kim")
        assert kim
        members.close_account(work, kim.id)
    assert count(both) == 0
    assert both.program("kim").get("/me").status == 401
