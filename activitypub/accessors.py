"""Typed reading of a parsed document: each accessor gives the type it promises, or None, or refuses (attack S52)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from activitypub.errors import MalformedDocument
from activitypub.identifiers import URL_CHARACTERS_MAX
from activitypub.strict_json import INTEGER_MAX, DocumentLimits

Document = Mapping[str, Any]
TEXT_CHARACTERS_MAX = DocumentLimits.content_characters_max
DECIMAL_CHARACTERS_MAX = 20
TYPES_MAX = 10

_AS2_PREFIXES = ("https://www.w3.org/ns/activitystreams#", "http://www.w3.org/ns/activitystreams#", "as:")
_XSD_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE | re.ASCII
)
_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
# Marks that turn the direction of the text around them (U+202A-E, U+2066-9), and control characters (attack S63).
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\x00-\x1f\x7f-\x9f]")


def text(doc: Document, key: str, max: int = TEXT_CHARACTERS_MAX) -> str | None:  # noqa: A002 - the unit is characters
    """The text under ``key``, None when absent or null. Longer than ``max`` characters is refused."""
    value = doc.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong(key, "text")
    if len(value) > max:
        raise MalformedDocument("too_long", f"{_shown(key)} may have at most {max} characters.")
    return value


def natural_text(doc: Document, key: str, max: int = TEXT_CHARACTERS_MAX) -> str | None:  # noqa: A002
    """The text under ``key``, else the first of its language map, e.g. ``contentMap`` (AS2 Core, section 4.7)."""
    plain = text(doc, key, max)
    languages = doc.get(f"{key}Map")
    if plain is not None or languages is None:
        return plain
    if not isinstance(languages, Mapping):
        raise _wrong(f"{key}Map", "an object")
    return text(languages, next(iter(languages)), max) if languages else None


def name_text(doc: Document, key: str = "name", max: int = DocumentLimits.name_characters_max) -> str | None:  # noqa: A002
    """A name for showing: natural text without control characters and without marks that turn text around (S63)."""
    value = natural_text(doc, key, max)
    return None if value is None else _TURNING.sub("", value).strip()


def link(value: object) -> str | None:
    """The address in a value: text itself, or the ``id`` or ``href`` of an object; None when there is none."""
    found = value
    # A dict is what a document is made of; whether something else is a mapping takes ten times as long to say.
    if not isinstance(value, str) and (type(value) is dict or isinstance(value, Mapping)):
        found = value.get("id", value.get("href"))
    if found is None:
        return None
    if not isinstance(found, str):
        raise MalformedDocument("wrong_type", "A link must be text or an object with an id.")
    if len(found) > URL_CHARACTERS_MAX:
        raise MalformedDocument("too_long", f"A link may have at most {URL_CHARACTERS_MAX} characters.")
    return found


def links(doc: Document, key: str) -> tuple[str, ...]:
    """All addresses under ``key``, in order and once each; a single value counts as a list of one."""
    found = [link(value) for value in values(doc, key)]
    return tuple(dict.fromkeys([address for address in found if address]))


def values(doc: Document, key: str) -> tuple[Any, ...]:
    """Everything under ``key`` as a tuple: JSON-LD writes a list of one without brackets. Null counts as absent."""
    value = doc.get(key)
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def embedded(doc: Document, key: str) -> dict[str, Any] | None:
    """The object under ``key``, also from a list of one; None when there is only a link or nothing."""
    found = values(doc, key)
    if len(found) == 1 and isinstance(found[0], dict):
        return found[0]
    if not found or isinstance(found[0], str):
        return None
    raise _wrong(key, "one object or one link")


def embedded_all(doc: Document, key: str) -> tuple[dict[str, Any], ...]:
    """The objects under ``key``; links among them are left out, anything else is refused."""
    found = values(doc, key)
    if not all(isinstance(value, dict | str) for value in found):
        raise _wrong(key, "objects or links")
    return tuple(value for value in found if isinstance(value, dict))


def types(doc: Document) -> tuple[str, ...]:
    """The short names under ``type``, without the ActivityStreams prefix."""
    found = values(doc, "type")
    if len(found) > TYPES_MAX or not all(isinstance(name, str) for name in found):
        raise _wrong("type", "text")
    return tuple([_short(name) for name in found])


def _short(name: str) -> str:
    if ":" in name:
        for prefix in _AS2_PREFIXES:
            name = name.removeprefix(prefix)
    return name


def has_type(doc: Document, name: str) -> bool:
    """Whether the object is (among others) of this type."""
    return name in types(doc)


def instant(doc: Document, key: str) -> datetime | None:
    """The xsd:dateTime under ``key`` as an aware UTC instant; without an offset it is taken as UTC."""
    value = text(doc, key, 64)
    if value is None:
        return None
    match = _XSD_DATE_TIME.fullmatch(value)
    if match is None:
        raise _wrong(key, "a date and time")
    seconds, fraction, offset = match.groups()
    spelled = f"{seconds}{(fraction or '')[:7]}{(offset or 'Z').upper()}"
    try:
        return datetime.fromisoformat(spelled).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(key, "a date and time") from None


def number(doc: Document, key: str) -> int | float | None:
    """The JSON number under ``key``; true and false are no numbers."""
    value = doc.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(key, "a number")
    return value


def integer(doc: Document, key: str, minimum: int = -INTEGER_MAX, maximum: int = INTEGER_MAX) -> int | None:
    """The whole JSON number under ``key`` within the bounds, both included. A fraction, even .0, is refused."""
    value = number(doc, key)
    if value is None:
        return None
    if not isinstance(value, int) or not minimum <= value <= maximum:
        raise MalformedDocument("bad_number", f"{_shown(key)} must be a whole number from {minimum} to {maximum}.")
    return value


def decimal(doc: Document, key: str) -> Decimal | None:
    """A quantity written as a number or as text, e.g. ``"2"`` or ``1.5`` (FEP-0837 writes text, others numbers)."""
    value = doc.get(key)
    if value is None:
        return None
    spelled = value if isinstance(value, str) else str(number(doc, key))
    if len(spelled) > DECIMAL_CHARACTERS_MAX or not _DECIMAL.fullmatch(spelled):
        raise _wrong(key, "a decimal number")
    try:
        return Decimal(spelled)
    except InvalidOperation:
        raise _wrong(key, "a decimal number") from None


def flag(doc: Document, key: str) -> bool | None:
    """The true or false under ``key``."""
    value = doc.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise _wrong(key, "true or false")


def _wrong(key: str, wanted: str) -> MalformedDocument:
    return MalformedDocument("wrong_type", f"{_shown(key)} must be {wanted}.")


def _shown(key: str) -> str:
    return key[:64]
