"""Strict JSON: the only way a stranger's bytes become values, bounded in size, depth and numbers."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NoReturn, cast

import orjson

from activitypub.errors import MalformedDocument

KIB = 1024
INTEGER_MAX = 2**53 - 1  # beyond it JSON readers disagree (RFC 8259 section 6, RFC 8785)
NUMBER_CHARACTERS_MAX = 40


@dataclass(frozen=True)
class DocumentLimits:
    """What a document may hold (attacks S53, S60, S61). Characters are code points.

    body_bytes_max          of the whole document
    depth_max               levels of nesting
    containers_max          objects and lists of the whole: 300,000 empty ones took 1.3 s of CPU to check
    recipients_max          of one object, in all its audiences together
    tags_max                of one object
    attachments_max         of one object
    content_characters_max  of a content or summary
    name_characters_max     of a name
    """

    body_bytes_max: int = KIB * KIB
    depth_max: int = 30
    containers_max: int = 20_000
    recipients_max: int = 1000
    tags_max: int = 100
    attachments_max: int = 16
    content_characters_max: int = 100_000
    name_characters_max: int = 500


LIMITS = DocumentLimits()

# A string, closed or cut off, or one bracket. Possessive, so that it reads every character once (attack S88).
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_ESCAPED_NUL_OR_SURROGATE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")
_SPACE_BEFORE_COLON = re.compile(rb'"[ \t\n\r]+:')
_PLAIN_VALUES = frozenset({str, int, bool, type(None)})


def parse_json(body: bytes, limits: DocumentLimits = LIMITS) -> dict[str, Any]:
    """The one JSON object in ``body``. Raises MalformedDocument; its code is ``body_too_large`` for size alone.

    Refused besides what RFC 8259 refuses: any encoding but UTF-8 (S64), duplicate names, NaN, infinities and integers
    beyond 2^53-1 (S62), nesting deeper or wider than the limits (S61), NUL and lone surrogates (S63).
    """
    if len(body) > limits.body_bytes_max:
        raise MalformedDocument("body_too_large", f"A document may have at most {limits.body_bytes_max} bytes.")
    plain = _plain(body, limits)
    return plain if plain is not None else _carefully(body, limits)


def _plain(body: bytes, limits: DocumentLimits) -> dict[str, Any] | None:
    """The object, where a quick look is enough to see that nothing in it could be refused; else None.

    Six times as fast as the careful reader, and it never says no: whatever it is not sure of, the other one judges.
    orjson takes no other encoding, no NaN and no lone surrogates. It does take a name twice, and numbers that are too
    long: so names and colons are counted, and fractions are left to the other.
    """
    if b"\\u0000" in body or _SPACE_BEFORE_COLON.search(body):
        return None
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    # A colon that follows a quote stands behind a name, or inside a text: then there are more of them than names.
    if type(value) is not dict or _names_of_plain(value, limits) != body.count(b'":'):
        return None
    return value


def _names_of_plain(value: dict[str, Any], limits: DocumentLimits) -> int | None:
    """How many names there are on all levels; None for what is too deep or wide, or holds a number that may be bad."""
    names = containers = depth = 0
    level: list[dict[str, Any] | list[Any]] = [value]
    while level:
        depth += 1
        containers += len(level)
        if depth > limits.depth_max or containers > limits.containers_max:
            return None
        below: list[dict[str, Any] | list[Any]] = []
        for container in level:
            members: Iterable[Any] = container
            if type(container) is dict:
                names += len(container)
                members = container.values()
            for member in members:
                kind = type(member)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    below.append(member)
                elif kind not in _PLAIN_VALUES or (kind is int and not -INTEGER_MAX <= member <= INTEGER_MAX):
                    return None
        level = below
    return names


def _carefully(body: bytes, limits: DocumentLimits) -> dict[str, Any]:
    text = _decoded(body)
    _refuse_nesting(text, limits)
    value = _loaded(text)
    if _ESCAPED_NUL_OR_SURROGATE.search(text):
        _refuse_unstorable(value)
    if not isinstance(value, dict):
        raise MalformedDocument("not_an_object", "The document must be one JSON object.")
    return cast("dict[str, Any]", value)


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedDocument("not_utf8", "The document must be UTF-8.") from None


def _refuse_nesting(text: str, limits: DocumentLimits) -> None:
    depth = containers = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        first = text[match.start()]
        if first in "[{":
            depth, containers = depth + 1, containers + 1
        elif first in "]}":
            depth -= 1
        if depth > limits.depth_max:
            raise MalformedDocument("too_deep", f"A document may be nested at most {limits.depth_max} levels deep.")
        if containers > limits.containers_max:
            raise MalformedDocument("too_many_values", f"At most {limits.containers_max} objects and lists are read.")


def _loaded(text: str) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
    except (json.JSONDecodeError, RecursionError):
        raise MalformedDocument("not_json", "The document is not JSON.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedDocument("duplicate_name", "A JSON object must not have the same name twice.")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise MalformedDocument("bad_number", "NaN and Infinity are not JSON.")


def _integer(digits: str) -> int:
    if len(digits) > NUMBER_CHARACTERS_MAX or abs(int(digits)) > INTEGER_MAX:
        raise MalformedDocument("bad_number", "An integer must lie within 2^53.")
    return int(digits)


def _finite(digits: str) -> float:
    if len(digits) > NUMBER_CHARACTERS_MAX or not isfinite(float(digits)):
        raise MalformedDocument("bad_number", "A number is too large or too long.")
    return float(digits)


def _refuse_unstorable(value: object) -> None:
    """PostgreSQL refuses NUL, and a lone surrogate cannot be encoded again."""
    if isinstance(value, str):
        if _NUL_OR_SURROGATE.search(value):
            raise MalformedDocument("bad_text", "Text must not contain NUL or lone surrogates.")
    elif isinstance(value, Mapping):
        for name, member in value.items():
            _refuse_unstorable(name)
            _refuse_unstorable(member)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable(item)
