"""Every code with which the program says no, and every event it logs, found in its source."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.docs.pages import ROOT

PACKAGES = ("activitypub", "inbox", "outbox", "fedaid")
# What is raised or answered with a code, and which of its arguments the code is.
REFUSALS: Mapping[str, int] = {
    "Refused": 0,
    "MalformedUrl": 0,
    "MalformedDocument": 0,
    "SignatureRefused": 0,
    "OriginMismatch": 0,
    "FetchFailed": 0,
    "MailRefused": 1,
    "_come_back": 0,
    "Mark": 3,
    "_again": 1,
    "_answer": 2,
}
LOGGERS = frozenset({"debug", "info", "warning", "error", "exception"})


@cache
def _trees() -> tuple[tuple[Path, ast.Module], ...]:
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return tuple((file, ast.parse(file.read_text(encoding="utf-8"))) for file in files)


def _calls() -> Iterator[ast.Call]:
    for _, tree in _trees():
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def codes() -> frozenset[str]:
    """The codes; one that is put together from parts has a ``*`` where the parts differ."""
    found: set[str] = set()
    for call in _calls():
        name = _name(call)
        if name == "__init__" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
            name = "Refused"  # a kind of refusal that names its own code
        place = REFUSALS.get(name)
        if place is not None and len(call.args) > place:
            found |= set(_texts(call.args[place]))
    return frozenset(found - {"*: *"})  # the text of an exception


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)


def log_events() -> frozenset[str]:
    """The names of all events that are logged."""
    found: set[str] = set()
    for call in _calls():
        if _name(call) in LOGGERS and call.args and ast.unparse(call.func).startswith(("log.", "_log.")):
            found |= set(_texts(call.args[0]))
    return frozenset(found)
