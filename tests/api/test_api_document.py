"""The document says what is served, and what is served is in the document: both are made of the same operations."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Mount, Route

from fedaid import app
from fedaid.foundation.api import BASE, Operations
from fedaid.members.rules import SCOPE_WORDS
from tests.api.programs import Town


@pytest.fixture(scope="module")
def document(north: Town) -> dict[str, Any]:
    answer = north.program().get("/openapi.json")
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


@pytest.fixture(scope="module")
def operations(north: Town) -> Operations:
    return app.operations(north.instance.settings, north.instance.desk)


def _in_document(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_in_the_document_and_every_one_in_the_document_is_served(
    north: Town, document: dict[str, Any]
) -> None:
    settings, instance = north.instance.settings, north.instance
    routes = app.routes(settings, instance.desk, instance.patient, None, None, instance.live, instance.postman)  # type: ignore[arg-type]
    (mount,) = [one for one in routes if isinstance(one, Mount) and one.path == BASE]
    served = {one.path for one in mount.routes if isinstance(one, Route)} - {"/{rest:path}"}
    assert served == set(document["paths"])
    documented: dict[str, set[str]] = {}
    for method, path, _ in _in_document(document):
        documented.setdefault(path, set()).add(method)
    for path, methods in documented.items():
        asked = re.sub(r"\{[a-z]+\}", "1", path)
        answer = north.program("ana").ask("PROPFIND", asked)
        assert answer.status == 405, path
        assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == methods, path


def test_every_operation_says_what_it_does_and_is_kept_by_a_scope(operations: Operations) -> None:
    names = [one.name for one in operations]
    assert len(names) == len(set(names))
    for one in operations:
        assert one.summary.endswith("."), one.name
        assert (one.read is None) != (one.write is None), one.name
        assert one.scope in SCOPE_WORDS or (one.scope == "" and one.method == "GET"), one.name
        assert one.scope.endswith(":write") == (one.write is not None), one.name
        assert not (one.public and one.write), one.name
        assert (one.method == "GET") == (one.read is not None), one.name


def test_every_scope_is_good_for_something(operations: Operations) -> None:
    assert {one.scope for one in operations if one.scope} == set(SCOPE_WORDS)


def test_what_moves_hours_needs_a_key(document: dict[str, Any]) -> None:
    needed = {
        operation["operationId"]
        for _, _, operation in _in_document(document)
        for parameter in operation["parameters"]
        if parameter.get("name") == "Idempotency-Key" and parameter["required"]
    }
    assert needed == {"give_hours", "claim_hours", "correct_hours"}


def test_every_answer_is_typed_and_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    for method, path, operation in _in_document(document):
        for status, response in operation["responses"].items():
            where = f"{method} {path} {status}"
            if status == "204":
                assert "content" not in response, where
                continue
            kind = "application/problem+json" if int(status) >= 400 else "application/json"
            (schema,) = [one["schema"] for media, one in response["content"].items() if media == kind]
            assert schema["$ref"].startswith("#/components/schemas/"), where


def test_nothing_that_is_sent_has_room_for_what_is_not_named(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if schema.get("type") == "object" and name != "Document":
            assert schema["additionalProperties"] is False, name


def test_what_needs_no_token_says_so(document: dict[str, Any], operations: Operations) -> None:
    public = {one.name for one in operations if one.public} | {"show_document"}
    said = {operation["operationId"] for _, _, operation in _in_document(document) if {} in operation["security"]}
    assert said == public
    assert public == {
        "show_document",
        "show_member",
        "list_listings",
        "show_listing",
        "list_categories",
        "list_groups",
        "show_group",
    }


def test_no_room_s_api_opens_a_unit_of_work_of_its_own(operations: Operations) -> None:
    for one in operations:
        done = one.read or one.write
        module = inspect.getmodule(getattr(done, "func", done))
        assert module is not None
        assert "units.begin" not in inspect.getsource(module), one.name
