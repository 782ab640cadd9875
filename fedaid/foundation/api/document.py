"""The OpenAPI 3.1 document, made of the operations and their types; it says of itself that it is there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, RootModel
from pydantic.json_schema import models_json_schema
from sqlalchemy import Connection

from fedaid import __version__
from fedaid.foundation.api.answers import KEY_CHARACTERS_MAX
from fedaid.foundation.api.operations import BASE, Asked, NoQuery, Nothing, Operation, Operations
from fedaid.foundation.api.problems import MEDIA_TYPE, Problem
from fedaid.foundation.pages import SAFE_METHODS

JSON: Final = "application/json"
_REFERENCE: Final = "#/components/schemas/{model}"
_KEY_PARAMETER: Final = "idempotency_key"
_ABOUT: Final = (
    "What members do on the pages of this neighbourhood, for programs of theirs: the same commands, the same rules and "
    "the same privacy. A member makes tokens on the page /me/tokens."
)


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


def operation(operations: Operations, scopes: Mapping[str, str]) -> Operation[NoQuery, Nothing]:
    """The document as one operation more, public as it holds nothing of anybody."""

    def show(_connection: Connection, asked: Asked[NoQuery, Nothing]) -> Document:
        """This document: what the API can do, as OpenAPI 3.1."""
        return Document(written([*operations, this], scopes, asked.home.names.origin))

    this = Operation(
        name="show_document",
        method="GET",
        path="/openapi.json",
        scope="",
        about="api",
        read=show,
        answer=Document,
        public=True,
    )
    return this


def written(operations: Operations, scopes: Mapping[str, str], origin: str) -> dict[str, Any]:
    """The whole document."""
    schemas = _schemas(operations)
    paths: dict[str, Any] = {}
    by_name = {one.name: one for one in operations}
    for one in operations:
        paths.setdefault(one.address, {})[one.method.lower()] = _operation(one, by_name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fedaid",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": f"{origin}{BASE}"}],
        "tags": [{"name": about} for about in dict.fromkeys(one.about for one in operations)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": {_KEY_PARAMETER: _key_parameter(needed=False)},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of a member. Scopes: "
                    + "; ".join(f"`{name}` {meaning}" for name, meaning in scopes.items()),
                }
            },
        },
    }


def _models(operations: Operations) -> Iterator[tuple[type[BaseModel], Any]]:
    yield Problem, "serialization"
    for one in operations:
        if one.takes_body:
            yield one.body, "validation"
        if one.answer is not None:
            yield one.answer, "serialization"


def _schemas(operations: Operations) -> dict[str, Any]:
    models = list(dict.fromkeys(_models(operations)))
    _, definitions = models_json_schema(models, ref_template=_REFERENCE)
    found: dict[str, Any] = definitions["$defs"]
    return {name: _tidy(schema) for name, schema in found.items()}


def _tidy(schema: Any) -> Any:
    """Without the titles that pydantic makes of names, which say nothing new."""
    if isinstance(schema, dict):
        return {
            name: _tidy(value) for name, value in schema.items() if not (name == "title" and isinstance(value, str))
        }
    return [_tidy(one) for one in schema] if isinstance(schema, list) else schema


def _name_of(model: type[BaseModel]) -> str:
    return model.__name__


def _operation(one: Operation[Any, Any], by_name: Mapping[str, Operation[Any, Any]]) -> dict[str, Any]:
    needed = [{"token": [one.scope] if one.scope else []}]
    found: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "tags": [one.about],
        "security": [{}, *needed] if one.public else needed,
        "parameters": [*_path_parameters(one), *_query_parameters(one.query), *_header_parameters(one)],
        "responses": _responses(one, by_name),
    }
    if one.takes_body:
        schema = {"$ref": _REFERENCE.format(model=_name_of(one.body))}
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return found


def _path_parameters(one: Operation[Any, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": part.meaning,
            "schema": {"type": "string", "pattern": part.pattern},
            "example": part.example,
        }
        for name, part in one.parts.items()
    ]


def _query_parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = _inlined(query)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": value.get("description", ""),
            "schema": _without_null({key: part for key, part in _tidy(value).items() if key != "description"}),
        }
        for name, value in schema.get("properties", {}).items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """In an address there is no null: what is not said is left out."""
    said = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return said[0] if len(said) == 1 else schema


@cache
def _inlined(query: type[BaseModel]) -> dict[str, Any]:
    """The schema with what it refers to put in its place, as parameters have no definitions of their own."""
    schema = query.model_json_schema()
    definitions = schema.pop("$defs", {})

    def put_in(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                name = part["$ref"].rpartition("/")[2]
                return {**put_in(definitions[name]), **{key: value for key, value in part.items() if key != "$ref"}}
            return {key: put_in(value) for key, value in part.items()}
        return [put_in(value) for value in part] if isinstance(part, list) else part

    found: dict[str, Any] = put_in(schema)
    return found


def _key_parameter(*, needed: bool) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": needed,
        "description": "Made by the program for each thing it wants done; asked again with it, the first answer comes "
        "again and nothing else happens.",
        "schema": {"type": "string", "pattern": rf"^[A-Za-z0-9._~:-]{{1,{KEY_CHARACTERS_MAX}}}$"},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    }


def _header_parameters(one: Operation[Any, Any]) -> list[dict[str, Any]]:
    if one.method in SAFE_METHODS:
        return []
    return [_key_parameter(needed=True)] if one.needs_key else [{"$ref": f"#/components/parameters/{_KEY_PARAMETER}"}]


# answers


def refusals_of(one: Operation[Any, Any]) -> Sequence[int]:
    """The statuses with which it can say no: what follows from its shape, and what its rules say besides."""
    found = {400, 401, 403, 406, 413, 422, 429, 500, *one.refusals}
    if one.parts or "cursor" in one.query.model_fields:
        found.add(404)
    if one.write is not None:
        found.add(409)
    if one.takes_body:
        found.add(415)
    return sorted(found)


def _responses(one: Operation[Any, Any], by_name: Mapping[str, Operation[Any, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {str(one.status if one.answer is not None else 204): _success(one, by_name)}
    for status in refusals_of(one):
        found[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "headers": _refusal_headers(status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model=Problem.__name__)}}},
        }
    return found


def _refusal_headers(status: int) -> dict[str, Any]:
    names = {401: "WWW-Authenticate", 429: "Retry-After"}
    return {names[status]: {"schema": {"type": "string"}}} if status in names else {}


def _success(one: Operation[Any, Any], by_name: Mapping[str, Operation[Any, Any]]) -> dict[str, Any]:
    if one.answer is None:
        return {"description": "It is done."}
    found: dict[str, Any] = {
        "description": _first_line(one.answer),
        "content": {JSON: {"schema": {"$ref": _REFERENCE.format(model=_name_of(one.answer))}}},
    }
    headers = {}
    if one.made_at:
        headers["Location"] = {"description": "Where it stands.", "schema": {"type": "string"}}
    if "cursor" in one.query.model_fields:
        headers["Link"] = {"description": "The page after this one (RFC 8288).", "schema": {"type": "string"}}
    if headers:
        found["headers"] = headers
    if one.leads_to:
        found["links"] = {name: _link(by_name[name]) for name in one.leads_to}
    return found


def _first_line(model: type[BaseModel]) -> str:
    return re.split(r"\n\s*\n", model.__doc__ or "It is done.")[0].replace("\n", " ").strip()


def _link(to: Operation[Any, Any]) -> dict[str, Any]:
    (part,) = to.parts
    return {"operationId": to.name, "parameters": {part: "$response.body#/id"}}
