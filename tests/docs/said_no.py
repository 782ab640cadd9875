"""Every code with which the program says no, and every event it logs, found in its source."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache

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
    "Verdict": 1,
    "_again": 1,
    "_answer": 2,
    "_problem": 1,
    "_log_refusal": 2,
}
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}


@cache
def _nodes() -> tuple[ast.AST, ...]:
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return tuple(node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def _calls() -> Iterator[ast.Call]:
    yield from (node for node in _nodes() if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@cache
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
    found |= {*_chosen(), *_in_answers()}
    return frozenset(found - {"", "*: *"})  # no code yet; the text of an exception


def _chosen() -> Iterator[str]:
    """Codes that are chosen out of a table first: ``code = {...}.get(status, "...")``."""
    for node in _nodes():
        if not (isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["code"]):
            continue
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
            table = node.value.func.value
            known = table.values if isinstance(table, ast.Dict) else []
            yield from (text for value in (*known, *node.value.args[1:]) for text in _texts(value))


def _in_answers() -> Iterator[str]:
    """Codes in an answer that is written down as it stands: ``{"code": "...", ...}``."""
    for node in _nodes():
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    yield from _texts(value)


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)


@cache
def log_events() -> Mapping[str, tuple[str, frozenset[str]]]:
    """All events that are logged: by its name the level of each, and what it carries as far as the call names it."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for call in _calls():
        level = LEVELS.get(_name(call))
        if level and call.args and ast.unparse(call.func).startswith(("log.", "_log.")):
            carries = frozenset(keyword.arg for keyword in call.keywords if keyword.arg) - {"exc_info"}
            for event in _texts(call.args[0]):
                before = found.get(event, (level, frozenset[str]()))
                found[event] = (level, before[1] | carries)
    return found
