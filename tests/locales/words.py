"""Finds every sentence that a page can show: in templates, and in Python where a sentence is made for people.

In Python that is what stands in ``_("…")`` or ``ngettext``, ``said("…")``, the sentence of a refusal, and every text of
a constant whose name ends in WORDS, SENTENCES or another of ``SPOKEN``.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from jinja2.ext import babel_extract

ROOT = Path(__file__).parents[2]
SPOKEN = re.compile(
    r"_?([A-Z]+_)*(WORDS|SENTENCES|SENTENCE|RETURNS|SAYINGS|HEADINGS|PLACES|STEPS|PARTS|CATEGORIES|TELLS|WHY_NOT|WRONG|NOT_THEIRS|NOT_ASKED|QUESTIONS|QUEUED)"
)
SLUG = re.compile(r"/?[a-z-]*(\.json|\.csv)?")  # beside words in a pair: an address, a picture, a file
CALLED = {"_": 0, "gettext": 0, "said": 0, "NotFound": 0, "NotAllowed": 0, "Gone": 0, "Refused": 1, "Finding": 1}
# The command line and the demo speak English; so does what other servers read.
NOT_PAGES = ("fedaid/cli/", "fedaid/demo/", "fedaid/settings.py", "fedaid/foundation/schema.py", "/wire/", "/wire.py")
Found = tuple[str | tuple[str, str], str]  # a sentence, or its two forms, and where it stands


def template() -> Catalog:
    """All sentences as a catalogue without translations, in the order of their places."""
    found = Catalog(project="fedaid", fuzzy=False)
    for message, place in sorted(
        [*_in_templates(), *_in_python()], key=lambda one: (one[1].rpartition(":")[0], one[1])
    ):
        found.add(message, locations=[(place.rpartition(":")[0], None)])
    return found


def _in_templates() -> Iterator[Found]:
    for path in sorted(one for kind in ("html", "txt") for one in (ROOT / "fedaid").glob(f"*/templates/**/*.{kind}")):
        options = {"newstyle_gettext": "true", "trimmed": "false", "silent": "false"}
        with path.open("rb") as file:
            for line, _, message, _ in babel_extract(file, ["_", "gettext", "ngettext"], [], options):
                parts = [message] if isinstance(message, str) else [part for part in message or () if part]
                if parts:
                    yield parts[0] if len(parts) == 1 else (parts[0], parts[1]), _place(path, line)


def _in_python() -> Iterator[Found]:
    for path in sorted((ROOT / "fedaid").glob("**/*.py")):
        if any(part in path.relative_to(ROOT).as_posix() for part in NOT_PAGES):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            for message in of(node):
                yield message, _place(path, getattr(node, "lineno", 0))


def of(node: ast.AST) -> Iterator[str | tuple[str, str]]:
    """The sentences that a piece of code makes for people."""
    if isinstance(node, ast.Call):
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        if called == "ngettext":
            yield _text(node.args[0]), _text(node.args[1])
        elif called in CALLED and len(node.args) > CALLED[called]:
            yield from _texts(node.args[CALLED[called]])
        elif isinstance(node.func, ast.Attribute) and _is_super_of_refusal(node):
            yield from _texts(node.args[1])
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(one, ast.Name) and SPOKEN.fullmatch(one.id) for one in targets) and node.value is not None:
            yield from _texts(node.value)


def _is_super_of_refusal(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == "__init__" and len(node.args) >= 2


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts of a constant, however deep; keys of a mapping are not said."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"[^\W\d_]", node.value):
        yield node.value
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _texts(value)
    elif isinstance(node, ast.Tuple | ast.List):
        for value in node.elts:
            yield from (text for text in _texts(value) if not SLUG.fullmatch(text))
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        raise AssertionError(f"line {node.lineno}: a sentence with values is said('… %(name)s …', name=…)")
    elif isinstance(node, ast.Call):
        for argument in node.args:
            if not (isinstance(node.func, ast.Name) and node.func.id in (*CALLED, "ngettext")):
                yield from _texts(argument)


def _text(node: ast.AST) -> str:
    assert isinstance(node, ast.Constant), ast.dump(node)
    return str(node.value)


def _place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT).as_posix()}:{line:06d}"
