"""What the JSON API can do, as the reference shows it: every operation with its scope and refusals, and every scope."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from fedaid import app, settings
from fedaid.foundation.api import document
from fedaid.foundation.api.operations import Operations
from fedaid.members.rules import SCOPE_WORDS
from tests.docs.pages import table

_EVERYWHERE = {400, 401, 403, 406, 413, 422, 429, 500}  # which the page says once


def operations() -> Operations:
    """Every one, as the app puts them together."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings.load(Path(folder), origin="https://northside.example", name="Northside")
        instance = app.build(chosen, works=False)
        found = app.operations(chosen, instance.desk)
        instance.database.dispose()
    return [*found, document.operation(found, SCOPE_WORDS)]


def _scope(one_scope: str, *, public: bool) -> str:
    if not one_scope:
        return "none" if public else "any token"
    return f"`{one_scope}`, or no token" if public else f"`{one_scope}`"


def operations_table() -> str:
    """All of them, by what they are about."""
    rows: list[Sequence[str]] = []
    for one in operations():
        more = [str(status) for status in document.refusals_of(one) if status not in _EVERYWHERE]
        key = "needed" if one.needs_key else "taken" if one.write is not None else ""
        asked = f"`{one.method} {one.address}`"
        rows.append([asked, one.summary, _scope(one.scope, public=one.public), key, ", ".join(more)])
    return table(["Request", "What it does", "Scope", "Idempotency-Key", "Also says no with"], rows)


def scopes_table() -> str:
    """What a token may be good for."""
    return table(["Scope", "What the program may do"], [[f"`{name}`", words] for name, words in SCOPE_WORDS.items()])
