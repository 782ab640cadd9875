"""Typed reading of the fields of a ledger message; what is not exactly as it must be is refused."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from activitypub.errors import MalformedDocument
from activitypub.signatures.proofs import canonical
from fedaid.timebank.rules.messages import Channel, Document

MESSAGE_BYTES_MAX = 32 * 1024
TEXT_CHARACTERS_MAX = 2048
NUMBER_MAX = 2**53 - 1  # what every reader of JSON holds exactly
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def part(document: Document, name: str) -> Document:
    """The object under ``name``."""
    found = document.get(name)
    if not isinstance(found, Mapping):
        raise misshapen(name)
    return found


def text(document: Document, name: str) -> str:
    """The text under ``name``, not empty."""
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_CHARACTERS_MAX:
        raise misshapen(name)
    return value


def number(document: Document, name: str, smallest: int, largest: int) -> int:
    """The whole number under ``name``; neither true nor 1.0 is one."""
    value = document.get(name)
    if type(value) is not int or not smallest <= value <= largest:
        raise misshapen(name)
    return value


def time(document: Document, name: str) -> datetime:
    """The instant under ``name``, in the one way it is written."""
    try:
        return datetime.strptime(text(document, name), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise misshapen(name) from None


def sha256(document: Document, name: str) -> str:
    """The digest under ``name``."""
    value = text(document, name)
    if not _DIGEST.fullmatch(value):
        raise misshapen(name)
    return value


def channel(document: Document) -> Channel:
    """The place in the signer's row that a message names."""
    return Channel(
        sha256(document, "fa:terms"),
        number(document, "fa:seq", 1, NUMBER_MAX),
        sha256(document, "fa:prev"),
        number(document, "fa:seen", 0, NUMBER_MAX),
        sha256(document, "fa:seenHead"),
    )


def recipient(document: Document) -> str:
    """The one address under ``to``."""
    to = document.get("to")
    if not isinstance(to, list) or len(to) != 1 or not isinstance(to[0], str):
        raise misshapen("to")
    return to[0]


def check_exact(document: Document, rebuilt: Document) -> None:
    """Refuses a message that does not come out as it came in when it is written again, and one over 32 KiB."""
    if len(canonical(document)) > MESSAGE_BYTES_MAX:
        raise MalformedDocument("message_size", f"A ledger message has at most {MESSAGE_BYTES_MAX} bytes.")
    bare = {name: value for name, value in document.items() if name != "proof"}
    if not _same(bare, rebuilt):
        raise MalformedDocument("message_shape", "This is not the exact shape of a ledger message.")


def _same(first: Any, second: Any) -> bool:
    """Equality of JSON values; unlike Python's it tells true from 1 and 1.0 from 1."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[name], second[name]) for name in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_same, first, second))
    return type(first) is type(second) and bool(first == second)


def misshapen(name: str) -> MalformedDocument:
    """The refusal of one field."""
    return MalformedDocument("message_shape", f"{name} is missing in this ledger message, or not what it must be.")
